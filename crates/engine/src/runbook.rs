//! What only people can do: the tasks that plugins name, each checked against what the server shows, and everything at a
//! PBX without a target.

use switchover_plugin_host::wit;
use switchover_topology::Topology;
use switchover_topology::model::Target;

use crate::context::Context;
use crate::convert;
use crate::declared;
use crate::error::{Cause, PlanError, TargetError};
use crate::event::Event;
use crate::planner::{Draft, failed, prepare, refuse_errors, resolve_secrets};
use crate::secrets::RunSecrets;
use crate::state::State;

mod by_hand;

/// Whether servers are read for a runbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Every target is read; one that cannot be is said so, and the state of its tasks is unknown.
    Live,
    /// Nothing is sent to anybody and no secret is needed; the state of every task is unknown.
    Offline,
}

/// The tasks of a site.
#[derive(Debug)]
pub struct Runbook {
    /// Name of the site.
    pub site: String,
    /// The targets that have tasks or could not be read, in the order of the topology.
    pub targets: Vec<TargetTasks>,
    /// The PBXs without a target, in the order of the topology.
    pub by_hand: Vec<PbxTasks>,
}

/// The tasks at a PBX that no target reads or writes.
#[derive(Debug)]
pub struct PbxTasks {
    /// Name of the PBX.
    pub pbx: String,
    /// In the order in which they are to be done.
    pub tasks: Vec<Task>,
}

/// The tasks of a target.
#[derive(Debug)]
pub struct TargetTasks {
    /// Name of the target.
    pub target: String,
    /// Name of its plugin.
    pub plugin: String,
    /// In the order in which they are to be done.
    pub tasks: Vec<Task>,
    /// Why the server could not be read.
    pub unread: Option<TargetError>,
}

/// Something that people do. All texts of a target's tasks are its plugin's, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Unique in the target.
    pub id: String,
    /// What to do.
    pub title: String,
    /// How; Markdown.
    pub instructions: String,
    /// Where that is documented.
    pub source: String,
    /// What the server shows of it.
    pub state: TaskState,
}

/// What a server shows of a task, with what was seen or why nothing was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// It is done.
    Done(String),
    /// It is not.
    Open(String),
    /// Nothing that can be read tells.
    Unknown(String),
}

/// Gathers the tasks of all targets. Nothing is written anywhere.
///
/// # Errors
/// Where a plugin finds errors in the topology, a secret or the state cannot be had, or a plugin misbehaves. A server
/// that cannot be read is none.
pub async fn runbook(context: &Context<'_>, reading: Reading) -> Result<Runbook, PlanError> {
    let site = context.topology.site.as_ref();
    let state = State::at(
        context.root,
        site.and_then(|site| site.state.as_ref())
            .map(|state| state.as_str()),
    )?;
    let last = state.last().await?;
    let mut findings = Vec::new();
    let declared = declared::all(context, &mut findings)?;
    let secrets = match reading {
        Reading::Live => resolve_secrets(context).await?,
        Reading::Offline => RunSecrets::unresolved(context),
    };
    let of = declared.len();
    let mut errors = Vec::new();
    let mut prepared = Vec::new();
    for declared in &declared {
        let target = declared.target;
        match prepare(context, declared, last.as_ref(), &secrets, &mut findings) {
            Ok(Some((draft, view))) => prepared.push((target, draft, view)),
            Ok(None) => {}
            Err(cause) => errors.push(failed(target, cause)),
        }
    }
    refuse_errors(&mut findings)?;
    let gathered = prepared.into_iter().map(|(target, draft, view)| {
        let secrets = &secrets;
        async move {
            if reading == Reading::Live {
                context.tell(Event::Reading {
                    target: target.name.value.clone(),
                });
            }
            let tasks = gather(target, draft, &view, secrets, reading).await;
            context.tell(Event::Observed {
                target: target.name.value.clone(),
            });
            tasks.map_err(|cause| failed(target, cause))
        }
    });
    let mut targets = Vec::new();
    for tasks in futures_util::future::join_all(gathered).await {
        match tasks {
            Ok(tasks) => targets.push(tasks),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Targets { errors, of });
    }
    targets.retain(|target| !target.tasks.is_empty() || target.unread.is_some());
    Ok(Runbook {
        site: site.map_or_else(String::new, |site| site.name.value.clone()),
        targets,
        by_hand: by_hand(context.topology),
    })
}

fn by_hand(topology: &Topology) -> Vec<PbxTasks> {
    let without_target = topology.pbxs.iter().filter(|pbx| pbx.target.is_none());
    let tasks = without_target.map(|pbx| PbxTasks {
        pbx: pbx.name.value.clone(),
        tasks: by_hand::tasks(topology, pbx),
    });
    tasks.filter(|pbx| !pbx.tasks.is_empty()).collect()
}

async fn gather(
    target: &Target,
    mut draft: Draft,
    view: &wit::View,
    secrets: &RunSecrets,
    reading: Reading,
) -> Result<TargetTasks, Cause> {
    let mut unread = None;
    let mut answers = Vec::new();
    if reading == Reading::Live {
        let desired = draft.session.desired(view, &draft.target)?;
        let wanted: Vec<String> = desired
            .into_iter()
            .map(|resource| resource.address)
            .collect();
        match draft
            .world
            .observe(&mut draft.session, &draft.target, &wanted, secrets)
            .await
        {
            Ok(observation) => answers = observation.answers,
            Err(cause) => unread = Some(TargetError::new(&target.name, "read", cause)),
        }
    }
    let examination = draft.session.examine(view, &draft.target, &answers)?;
    Ok(TargetTasks {
        target: draft.target.name.clone(),
        plugin: draft.world.plugin.name().to_owned(),
        tasks: examination.tasks.into_iter().map(convert::task).collect(),
        unread,
    })
}
