//! Making a plan: reads, compares, asks the plugins for their steps. Changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use switchover_plugin_host::{Plugin, Session, permit, wit};
use switchover_topology::model::Target;
use switchover_topology::{Diagnostic, Severity};
use tracing::{Span, field};

use crate::context::{Context, Wanted};
use crate::convert;
use crate::declared::{self, Declared};
use crate::diff::{self, Resource};
use crate::dns;
use crate::drift;
use crate::error::{Cause, PlanError, TargetError};
use crate::event::Event;
use crate::limits;
use crate::lines;
use crate::plan::{
    Action, Change, FORMAT_VERSION, LeftOut, Owned, Plan, PluginRef, Procedure, Step, TargetPlan,
    TopologyRef, Wave,
};
use crate::rejected;
use crate::render::Templates;
use crate::secrets::{RunSecrets, SecretsError, auth_name, tsig_name};
use crate::settings;
use crate::span::{self, span};
use crate::state::{Generation, State};
use crate::view::{self, Scope};
use crate::world::World;

/// How long a plan may wait for its apply: a working day's review, not a forgotten file.
const LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A plan, and what the plugins say of the topology without refusing it.
#[derive(Debug)]
pub struct Planned {
    /// What apply would do.
    pub plan: Plan,
    /// Warnings and notes of plugins.
    pub findings: Vec<Diagnostic>,
}

/// One target on its way to a plan.
pub(crate) struct Draft {
    pub(crate) target: wit::Target,
    pub(crate) world: World,
    pub(crate) session: Session,
    pub(crate) templates: Arc<Templates>,
    pub(crate) last: BTreeMap<String, Owned>,
}

/// Reads every target and says what applying the topology would change. Nothing is written anywhere.
///
/// # Errors
/// Where a plugin finds errors in the topology, a secret or the state cannot be had, or a target cannot be planned;
/// all targets are tried before that is said.
pub async fn plan(context: &Context<'_>) -> Result<Planned, PlanError> {
    let span = span!(
        "plan",
        targets = field::Empty,
        create = field::Empty,
        update = field::Empty,
        delete = field::Empty
    );
    span::within(span, make(context)).await
}

async fn make(context: &Context<'_>) -> Result<Planned, PlanError> {
    let site = context.topology.site.as_ref();
    let state = State::at(
        context.root,
        site.and_then(|site| site.state.as_ref())
            .map(|state| state.as_str()),
    )?;
    let last = state.last().await?;
    let rolled_back_to = rolled_back_to(context, &state, last.as_ref()).await;
    let mut planned = plan_from(context, last).await?;
    if !planned.plan.summary().is_empty() {
        planned.plan.rolled_back_to = rolled_back_to;
    }
    let store = state.store().clone();
    planned.plan.rejected = rejected::find(&store, &planned.plan).await?;
    let summary = planned.plan.summary();
    let span = Span::current();
    span.record("targets", span::number(planned.plan.targets.len()));
    span.record("create", span::number(summary.create));
    span.record("update", span::number(summary.update));
    span.record("delete", span::number(summary.delete));
    Ok(planned)
}

/// The generation that was brought back, where the topology is the one that somebody rolled back from.
async fn rolled_back_to(
    context: &Context<'_>,
    state: &State,
    last: Option<&Generation>,
) -> Option<u64> {
    let last = last.filter(|_| matches!(context.wanted, Wanted::Topology))?;
    let number = last.rollback_of?;
    // It is only told: that it cannot be read is told where it is needed.
    let before = state.generation(last.number.checked_sub(1)?).await.ok()?;
    (before.topology == context.topology_digest).then_some(number)
}

/// The same, given what is ours.
pub(crate) async fn plan_from(
    context: &Context<'_>,
    last: Option<Generation>,
) -> Result<Planned, PlanError> {
    let site = context.topology.site.as_ref();
    let mut findings = Vec::new();
    let declared = declared::all(context, &mut findings)?;
    let secrets = resolve_secrets(context).await?;

    let mut errors = Vec::new();
    let mut prepared = Vec::new();
    let of = declared.len();
    for declared in declared {
        let target = declared.target;
        match prepare(context, &declared, last.as_ref(), &secrets, &mut findings) {
            Ok(Some((draft, view))) => prepared.push((target, declared.scope, draft, view)),
            Ok(None) => {}
            Err(cause) => errors.push(failed(target, cause)),
        }
    }
    refuse_errors(&mut findings)?;

    let drafts = prepared.into_iter().map(|(target, scope, draft, view)| {
        let secrets = &secrets;
        async move {
            context.tell(Event::Reading {
                target: target.name.value.clone(),
            });
            let (name, plugin) = (target.name.as_str(), target.plugin.as_str());
            let span = span!("target", target = name, plugin = plugin);
            let planned = draft_plan(context, draft, target, &view, &scope, secrets);
            let planned = span::within(span, planned).await;
            let located = |finding| located(context, target, finding);
            context.tell(Event::Observed {
                target: target.name.value.clone(),
            });
            planned
                .map(|(plan, found)| {
                    let idle =
                        drift::idle(target, &plan.known_drift, &plan.changes, &plan.resources);
                    let found = found.into_iter().map(located).chain(idle);
                    (plan, found.collect::<Vec<_>>())
                })
                .map_err(|cause| failed(target, cause))
        }
    });
    let mut plans = Vec::new();
    for planned in futures_util::future::join_all(drafts).await {
        match planned {
            Ok((planned, found)) => {
                plans.push(planned);
                findings.extend(found);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Targets { errors, of });
    }
    refuse_errors(&mut findings)?;
    in_commit_order(&mut plans, |plan| (plan.wave, &plan.changes));

    let created = jiff::Timestamp::now();
    let plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        site: site.map_or_else(String::new, |site| site.name.value.clone()),
        created,
        expires: created
            .saturating_add(LIFETIME)
            .unwrap_or(jiff::Timestamp::MAX),
        topology: TopologyRef {
            path: context.topology_path.clone(),
            sha256: context.topology_digest.clone(),
        },
        generation: last.as_ref().map(|generation| generation.number),
        left_out: left_out(context),
        large: limits::large(context.topology, &plans, last.as_ref()),
        rejected: None,
        rolled_back_to: None,
        targets: plans,
    };
    Ok(Planned {
        plan,
        findings: switchover_topology::in_report_order(findings),
    })
}

/// Errors among what plugins found end the planning.
pub(crate) fn refuse_errors(findings: &mut Vec<Diagnostic>) -> Result<(), PlanError> {
    if findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        let findings = std::mem::take(findings);
        return Err(PlanError::Findings(switchover_topology::in_report_order(
            findings,
        )));
    }
    Ok(())
}

/// The targets that are asked for and that something in the topology names, each with its place in it.
pub(crate) fn scopes<'a>(context: &Context<'a>) -> Vec<(&'a Target, Scope<'a>)> {
    let with_scope = |target: &'a Target| (target, Scope::of(context.topology, target));
    context
        .topology
        .targets
        .iter()
        .map(with_scope)
        .filter(|(target, scope)| !scope.is_empty() && context.selection.takes(&target.name.value))
        .collect()
}

/// The targets that are used and not asked for.
fn left_out(context: &Context<'_>) -> Vec<LeftOut> {
    let targets = context.topology.targets.iter();
    targets
        .filter(|target| !context.selection.takes(&target.name.value))
        .map(|target| (target, Scope::of(context.topology, target)))
        .filter(|(_, scope)| !scope.is_empty())
        .map(|(target, scope)| LeftOut {
            name: target.name.value.clone(),
            wave: scope.wave(),
        })
        .collect()
}

pub(crate) async fn resolve_secrets(context: &Context<'_>) -> Result<RunSecrets, SecretsError> {
    let scopes = scopes(context);
    let names = scopes.iter().flat_map(|(target, scope)| {
        let mut names = scope.secret_names();
        names.insert(auth_name(target));
        names.insert(tsig_name(target));
        names
    });
    let names = names.collect();
    RunSecrets::resolve(context, &names).await
}

pub(crate) fn failed(target: &Target, cause: Cause) -> TargetError {
    TargetError::new(&target.name, "plan", cause)
}

/// Lets a target's plugin look at the topology. None where findings make going on useless.
pub(crate) fn prepare(
    context: &Context<'_>,
    declared: &Declared<'_>,
    last: Option<&Generation>,
    secrets: &RunSecrets,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<(Draft, wit::View)>, Cause> {
    let Declared {
        target,
        scope,
        plugin,
    } = declared;
    let view = match scope.view(secrets) {
        Ok(view) => view,
        Err(faults) => {
            findings.extend(faults);
            return Ok(None);
        }
    };
    let mut draft = draft(context, target, plugin.clone(), last, secrets)?;
    // What a generation recorded was checked when it was new.
    let found = match context.wanted {
        Wanted::Topology => draft.session.check(&view, &draft.target)?,
        Wanted::Recorded(_) => Vec::new(),
    };
    findings.extend(
        found
            .into_iter()
            .map(|finding| located(context, target, finding)),
    );
    Ok(Some((draft, view)))
}

/// A target with its plugin started.
pub(crate) fn draft(
    context: &Context<'_>,
    target: &Target,
    plugin: Plugin,
    last: Option<&Generation>,
    secrets: &RunSecrets,
) -> Result<Draft, Cause> {
    let templates = templates(context, target, &plugin)?;
    let last = last
        .and_then(|generation| generation.targets.get(&target.name.value))
        .map(|record| record.resources.clone())
        .unwrap_or_default();
    let session = plugin.start()?;
    let world = World::new(context, target, plugin, secrets)?;
    let target = described(
        context,
        target,
        &world.plugin,
        last.keys().cloned().collect(),
    );
    Ok(Draft {
        target,
        world,
        session,
        templates,
        last,
    })
}

/// The templates of a target: the plugin's own, and the site's in their place.
pub(crate) fn templates(
    context: &Context<'_>,
    target: &Target,
    plugin: &Plugin,
) -> Result<Arc<Templates>, Cause> {
    let own = || -> HashMap<String, String> {
        let own = plugin.manifest().templates.iter();
        own.map(|template| (template.name.clone(), template.body.clone()))
            .collect()
    };
    if let Some(folder) = &target.templates {
        let folder = context.root.join(folder.as_str());
        let templates = Templates::new(own(), Some(&folder)).map_err(Cause::Render)?;
        return Ok(Arc::new(templates));
    }
    let prepared = context.prepared(plugin);
    if let Some(templates) = prepared.templates.get() {
        return Ok(Arc::clone(templates));
    }
    let templates = Arc::new(Templates::new(own(), None).map_err(Cause::Render)?);
    Ok(Arc::clone(prepared.templates.get_or_init(|| templates)))
}

/// A target as its plugin is told of it.
pub(crate) fn described(
    context: &Context<'_>,
    target: &Target,
    plugin: &Plugin,
    owned: Vec<String>,
) -> wit::Target {
    let commands = target.commands.iter();
    let commands: BTreeSet<String> = commands.map(|command| command.name.value.clone()).collect();
    wit::Target {
        name: target.name.value.clone(),
        settings: settings::object(target, plugin.manifest()).to_string(),
        commands: commands.into_iter().collect(),
        owned,
        zones: dns::served_zones(context.topology, target),
        expected_offers: match context.wanted {
            Wanted::Topology => view::offers::expected(context.topology, target),
            Wanted::Recorded(_) => Vec::new(),
        },
    }
}

/// A plugin's finding at its place in the topology.
pub(crate) fn located(context: &Context<'_>, target: &Target, finding: wit::Finding) -> Diagnostic {
    Diagnostic {
        code: finding.code,
        name: finding.name,
        severity: match finding.severity {
            wit::Severity::Error => Severity::Error,
            wit::Severity::Warning => Severity::Warning,
            wit::Severity::Note => Severity::Note,
        },
        message: finding.message,
        help: finding.help,
        span: Some(
            context
                .topology
                .locate(&finding.path)
                .unwrap_or(target.name.span),
        ),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}

impl Draft {
    /// What is wanted of the target.
    pub(crate) fn desired(
        &mut self,
        wanted: &Wanted,
        view: &wit::View,
    ) -> Result<Vec<Resource>, Cause> {
        match wanted {
            Wanted::Topology => {
                let desired = self.session.desired(view, &self.target)?;
                convert::desired(desired, &self.templates).map_err(|error| match error {
                    convert::ConvertError::Render(error) => Cause::Render(error),
                    other => self.world.contract("desired", &other),
                })
            }
            Wanted::Recorded(recorded) => match recorded.contents.get(&self.target.name) {
                Some(contents) => contents.resources().map_err(|_| Cause::NoContent {
                    address: self.target.name.clone(),
                }),
                None => Ok(Vec::new()),
            },
        }
    }

    /// What exists, given that these addresses are wanted.
    pub(crate) async fn observe(
        &mut self,
        wanted: &[String],
        secrets: &RunSecrets,
    ) -> Result<(crate::world::Observation, Vec<Resource>), Cause> {
        let span = span!("observe", target = self.target.name);
        let reading = self
            .world
            .observe(&mut self.session, &self.target, wanted, secrets);
        let observation = span::within(span, reading).await?;
        let current = self.session.current(&self.target, &observation.answers)?;
        let current = convert::current(current, &observation.files, &self.templates)
            .map_err(|error| self.world.contract("current", &error))?;
        Ok((observation, current))
    }
}

async fn draft_plan(
    context: &Context<'_>,
    mut draft: Draft,
    declared: &Target,
    view: &wit::View,
    scope: &Scope<'_>,
    secrets: &RunSecrets,
) -> Result<(TargetPlan, Vec<wit::Finding>), Cause> {
    let desired = draft.desired(&context.wanted, view)?;
    let wanted: Vec<String> = desired
        .iter()
        .map(|resource| resource.address.clone())
        .collect();
    let (observation, current) = draft.observe(&wanted, secrets).await?;
    let found = draft
        .session
        .examine(view, &draft.target, &observation.answers)?
        .findings;
    let mut difference = diff::compare(&desired, &current, &draft.last, &drift::accepted(declared))
        .map_err(|error| draft.world.contract("desired", &error))?;

    let procedure = if difference.changes.is_empty() {
        Procedure::default()
    } else {
        let changes = convert::changes(&difference.changes, &desired, &current);
        let procedure = draft
            .session
            .procedure(&draft.target, &observation.answers, &changes)?;
        permitted(&procedure, &draft.world)?;
        convert::procedure(procedure).map_err(|error| draft.world.contract("procedure", &error))?
    };
    if !difference.changes.is_empty() {
        let hints = lines::hints(&desired);
        lines::put(&mut draft.session, &mut difference.changes, &hints)?;
    }
    let plugin = &draft.world.plugin;
    let plan = TargetPlan {
        name: draft.target.name.clone(),
        plugin: PluginRef {
            name: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            sha256: plugin.digest().to_string(),
        },
        wave: scope.wave(),
        observed: observation.digest,
        changes: difference.changes,
        unchanged: difference.unchanged,
        foreign: difference.foreign,
        known_drift: drift::known(declared, &difference.known_drift),
        resources: difference.resources,
        undo: convert::undo(plugin.manifest().undo),
        procedure,
    };
    Ok((plan, found))
}

/// Every step asks for something that the manifest holds.
fn permitted(procedure: &wit::Procedure, world: &World) -> Result<(), Cause> {
    let steps = procedure
        .stage
        .iter()
        .chain(&procedure.commit)
        .chain(&procedure.verify);
    let asked = steps.flat_map(|step| {
        let undo = step.undo.iter();
        let undo = undo.map(|undo| (&undo.effect, undo.evidence.as_ref()));
        std::iter::once((&step.effect, step.evidence.as_ref())).chain(undo)
    });
    let manifest = world.plugin.manifest();
    for (effect, evidence) in asked {
        let effect = convert::without_captures(effect.clone());
        permit::write(manifest, &effect).map_err(|refusal| world.refused(refusal))?;
        if let Some(evidence) = evidence {
            let request = wit::ReadRequest::Http(evidence.request.clone());
            permit::read(manifest, &request).map_err(|refusal| world.refused(refusal))?;
        }
    }
    Ok(())
}

/// Targets that only delete come last and in reverse: what others may still point at goes after those others. `turn`
/// gives a target's wave and changes.
pub(crate) fn in_commit_order<T>(targets: &mut [T], turn: impl Fn(&T) -> (Wave, &[Change])) {
    let only_deletes = |changes: &[Change]| {
        !changes.is_empty() && changes.iter().all(|change| change.action == Action::Delete)
    };
    targets.sort_by(|a, b| {
        let ((a, of_a), (b, of_b)) = (turn(a), turn(b));
        match (only_deletes(of_a), only_deletes(of_b)) {
            (false, false) => a.cmp(&b),
            (true, true) => b.cmp(&a),
            (a, b) => a.cmp(&b),
        }
    });
}

impl Procedure {
    /// All steps in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.stage.iter().chain(&self.commit).chain(&self.verify)
    }
}
