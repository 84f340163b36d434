//! What somebody else changed since the last generation, and which of that a topology accepts (`known-drift`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use switchover_plugin_host::wit;
use switchover_topology::model::{self, Target};
use switchover_topology::{Diagnostic, Severity};

use crate::context::{Context, Recorded, Wanted};
use crate::declared;
use crate::diff;
use crate::error::{Cause, PlanError};
use crate::event::Event;
use crate::lines;
use crate::plan::{Change, KnownDrift, Owned, PluginRef, Wave};
use crate::planner::{Draft, failed, prepare, refuse_errors, resolve_secrets};
use crate::secrets::RunSecrets;
use crate::state::{Contents, State};
use crate::view::Scope;

/// What moved at a site since its last generation.
#[derive(Debug)]
pub struct Drift {
    /// Name of the site.
    pub site: String,
    /// The last generation; none where nothing was applied yet.
    pub generation: Option<u64>,
    /// The targets that the generation holds something of, in the order in which an apply changes them.
    pub targets: Vec<TargetDrift>,
    /// Warnings and notes about the topology.
    pub findings: Vec<Diagnostic>,
}

/// What moved at one target.
#[derive(Debug)]
pub struct TargetDrift {
    /// The `target` node's name.
    pub name: String,
    /// The plugin that read it.
    pub plugin: PluginRef,
    /// When its turn would come.
    pub wave: Wave,
    /// What would bring it back: `before` is what was found, `after` what was applied, where that is known.
    pub drifted: Vec<Change>,
    /// What drifted and is accepted.
    pub known_drift: Vec<KnownDrift>,
    /// How many resources are as they were left.
    pub as_left: usize,
}

impl Drift {
    /// Resources that somebody else changed and that nobody accepts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.targets.iter().map(|target| target.drifted.len()).sum()
    }
}

/// What the last generation left, to be wanted again. Nothing where nothing was applied yet.
///
/// # Errors
/// Where the state cannot be read, or the generation kept no more of a target than digests.
pub async fn recall(context: &Context<'_>) -> Result<Recorded, PlanError> {
    let site = context.topology.site.as_ref();
    let location = site.and_then(|site| site.state.as_ref());
    let state = State::at(context.root, location.map(|state| state.as_str()))?;
    let mut recorded = Recorded {
        number: 0,
        contents: BTreeMap::new(),
    };
    let Some(last) = state.last().await? else {
        return Ok(recorded);
    };
    recorded.number = last.number;
    recorded.contents = state.contents_of(&last).await?;
    Ok(recorded)
}

/// Reads every target that the last generation holds something of, and says what somebody else changed there. Nothing
/// is written anywhere.
///
/// # Errors
/// As for a plan: where a plugin finds errors in the topology, a secret or the state cannot be had, or a target cannot
/// be read; all targets are tried before that is said.
pub async fn drift(context: &Context<'_>) -> Result<Drift, PlanError> {
    let site = context.topology.site.as_ref();
    let location = site.and_then(|site| site.state.as_ref());
    let state = State::at(context.root, location.map(|state| state.as_str()))?;
    let last = state.last().await?;
    let mut found = Drift {
        site: site.map_or_else(String::new, |site| site.name.value.clone()),
        generation: last.as_ref().map(|last| last.number),
        targets: Vec::new(),
        findings: Vec::new(),
    };
    let Some(last) = last else { return Ok(found) };
    let mut declared = declared::all(context, &mut found.findings)?;
    declared.retain(|declared| {
        let record = last.targets.get(&declared.target.name.value);
        record.is_some_and(|record| !record.resources.is_empty())
    });
    let secrets = resolve_secrets(context).await?;
    let mut errors = Vec::new();
    let mut prepared = Vec::new();
    let of = declared.len();
    for declared in &declared {
        let (target, scope) = (declared.target, &declared.scope);
        match prepare(
            context,
            declared,
            Some(&last),
            &secrets,
            &mut found.findings,
        ) {
            Ok(Some((draft, view))) => prepared.push((target, scope, draft, view)),
            Ok(None) => {}
            Err(cause) => errors.push(failed(target, cause)),
        }
    }
    refuse_errors(&mut found.findings)?;
    let mut left = BTreeMap::new();
    for (target, ..) in &prepared {
        let record = last.targets.get(&target.name.value);
        if let Some(blob) = record.and_then(|record| record.contents.as_ref()) {
            left.insert(target.name.value.clone(), state.contents(blob).await?);
        }
    }
    let looking = prepared.into_iter().map(|(target, scope, draft, view)| {
        let secrets = &secrets;
        let left = left.get(&target.name.value);
        async move {
            let name = || target.name.value.clone();
            context.tell(Event::Reading { target: name() });
            let looked = look(target, scope, draft, &view, left, secrets).await;
            context.tell(Event::Observed { target: name() });
            looked.map_err(|cause| failed(target, cause))
        }
    });
    for looked in futures_util::future::join_all(looking).await {
        match looked {
            Ok((target, idle)) => {
                found.targets.push(target);
                found.findings.extend(idle);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Targets { errors, of });
    }
    found.targets.sort_by_key(|target| target.wave);
    Ok(found)
}

async fn look(
    target: &Target,
    scope: &Scope<'_>,
    mut draft: Draft,
    view: &wit::View,
    left: Option<&Contents>,
    secrets: &RunSecrets,
) -> Result<(TargetDrift, Vec<Diagnostic>), Cause> {
    // A generation of format 1.0 kept digests only: what it left is told where the topology still wants the same.
    let desired = match left {
        Some(left) => left.resources().map_err(|_| Cause::NoContent {
            address: target.name.value.clone(),
        })?,
        None => draft.desired(&Wanted::Topology, view)?,
    };
    let recorded: Vec<String> = draft.last.keys().cloned().collect();
    let (_, current) = draft.observe(&recorded, secrets).await?;
    let mut drifted = diff::drifted(&desired, &current, &draft.last);
    let as_left = draft.last.len() - drifted.len();
    let accepted = accepted(target);
    let is_known = |change: &Change| accepted.contains(change.address.as_str());
    let addresses: Vec<String> = drifted
        .iter()
        .filter(|change| is_known(change))
        .map(|change| change.address.clone())
        .collect();
    drifted.retain(|change| !is_known(change));
    if !drifted.is_empty() {
        let hints = lines::hints(&desired);
        lines::put(&mut draft.session, &mut drifted, &hints)?;
    }
    let known_drift = known(target, &addresses);
    let idle = idle(target, &known_drift, &drifted, &draft.last);
    let plugin = &draft.world.plugin;
    let plugin = PluginRef {
        name: plugin.name().to_owned(),
        version: plugin.version().to_owned(),
        sha256: plugin.digest().to_string(),
    };
    let target = TargetDrift {
        name: draft.target.name.clone(),
        plugin,
        wave: scope.wave(),
        drifted,
        known_drift,
        as_left,
    };
    Ok((target, idle))
}

/// The addresses that may be other than they were left, today. The last day counts.
pub(crate) fn accepted(target: &Target) -> BTreeSet<&str> {
    let today = today();
    let declared = target.known_drift.iter();
    declared
        .filter(|known| counts(known, today))
        .map(|known| known.address.as_str())
        .collect()
}

/// Of these addresses, what the topology says of them.
pub(crate) fn known(target: &Target, addresses: &[String]) -> Vec<KnownDrift> {
    let today = today();
    let said = |address: &String| {
        let mut declared = target.known_drift.iter();
        declared.find(|known| counts(known, today) && known.address.value == *address)
    };
    addresses
        .iter()
        .filter_map(said)
        .map(|known| KnownDrift {
            address: known.address.value.clone(),
            reason: known.reason.value.clone(),
            until: known.until.as_ref().map(|until| until.value),
        })
        .collect()
}

/// Warnings about what accepts nothing: it would hide a later drift that nobody has looked at. That one has expired is
/// told where topologies are judged.
pub(crate) fn idle(
    target: &Target,
    accepted: &[KnownDrift],
    changes: &[Change],
    ours: &BTreeMap<String, Owned>,
) -> Vec<Diagnostic> {
    let today = today();
    let used = |known: &model::KnownDrift| {
        let mut accepted = accepted.iter();
        accepted.any(|accepted| accepted.address == known.address.value)
    };
    let declared = target.known_drift.iter();
    declared
        .filter(|known| counts(known, today) && !used(known))
        .map(|known| {
            let address = known.address.value.as_str();
            let why = if changes.iter().any(|change| change.address == address) {
                "which is changed now: something else is wanted there"
            } else if ours.contains_key(address) {
                "which is as it was left"
            } else {
                "which is no resource of ours there"
            };
            finding(known, format!("accepts drift of `{address}`, {why}"))
        })
        .collect()
}

fn finding(known: &model::KnownDrift, message: String) -> Diagnostic {
    Diagnostic {
        code: "SW007".to_owned(),
        name: "acknowledge-without-effect".to_owned(),
        severity: Severity::Warning,
        message,
        help: Some("remove it: it would hide a later drift that nobody has looked at".to_owned()),
        span: Some(known.address.span),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}

fn counts(known: &model::KnownDrift, today: Date) -> bool {
    known
        .until
        .as_ref()
        .is_none_or(|until| today <= until.value)
}

/// That of UTC, as for everything that a topology accepts.
fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}
