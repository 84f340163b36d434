//! What changes a site, with its records: one before anything is done, one once it is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Audit, AuditError, Counts, Happening, Operation, StepDone};
use crate::apply::{self, Applied, ApplyOptions};
use crate::context::{Context, Wanted};
use crate::error::{ApplyError, Cause, TargetError, chain};
use crate::event::{Event, Phase};
use crate::journal::Unfinished;
use crate::plan::{Action, Plan};
use crate::plan_file::PlanFile;
use crate::recover::{self, Direction, RecoverError, Recovered};
use crate::span::{self, span};
use crate::state::LeaseOptions;

/// Carries out a plan, or leaves everything as it was. Either is recorded in the audit log; where that cannot be
/// written, nothing is done. An empty plan is not recorded.
///
/// # Errors
/// Says whether nothing was changed, everything was rolled back, or something could not be.
pub async fn apply(
    context: &Context<'_>,
    plan: &Plan,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    let span = span!("apply", targets = span::number(plan.targets.len()));
    span::within(span, apply_audited(context, plan, options)).await
}

async fn apply_audited(
    context: &Context<'_>,
    plan: &Plan,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    if plan.summary().is_empty() {
        return apply::apply(context, plan, options).await;
    }
    let unaudited = |error: AuditError| {
        let doing = "write the audit record of";
        ApplyError::NothingChanged(TargetError::of_site(&plan.site, doing, error.into()))
    };
    let log = audit_of(context).map_err(unaudited)?;
    let begun = log
        .write(begun_apply(context, plan))
        .await
        .map_err(unaudited)?;
    let watched = Watched::default();
    let done = watched
        .run(context, async |context| {
            apply::apply(context, plan, options).await
        })
        .await;
    let (result, generation, error) = match &done {
        Ok(applied) => ("applied", applied.generation, None),
        Err(error) => (result_of(error), None, Some(chain(error))),
    };
    let ended = watched.ended(begun, result, generation, error);
    told(context, log.write(ended).await);
    done
}

/// Brings one of the runs that [`crate::runs`] gives to its end, as [`Direction`] says. That is recorded in the audit log;
/// where that cannot be written, nothing is done.
///
/// # Errors
/// Where it is still at work, or something stands in the way; then the run is still not at its end.
pub async fn recover(
    context: &Context<'_>,
    run: &Unfinished,
    direction: Direction,
    options: LeaseOptions,
) -> Result<Recovered, RecoverError> {
    let span = span!("recover", direction = ?direction);
    span::within(span, recover_audited(context, run, direction, options)).await
}

async fn recover_audited(
    context: &Context<'_>,
    run: &Unfinished,
    direction: Direction,
    options: LeaseOptions,
) -> Result<Recovered, RecoverError> {
    if run.over || run.alive && options.wait.is_zero() {
        return recover::recover(context, run, direction, options).await;
    }
    let site = context.topology.site.as_ref();
    let log = audit_of(context).map_err(RecoverError::Audit)?;
    let begun = log
        .write(Happening::Begun {
            operation: match direction {
                Direction::Back => Operation::RecoverBack,
                Direction::Forward => Operation::RecoverForward,
                Direction::Leave => Operation::RecoverLeave,
            },
            site: site.map_or_else(String::new, |site| site.name.value.clone()),
            topology: context.topology_digest.clone(),
            plan: None,
            wanted_generation: None,
            plugins: BTreeMap::new(),
            targets: BTreeMap::new(),
            commands: context.commands.clone(),
        })
        .await
        .map_err(RecoverError::Audit)?;
    let watched = Watched::default();
    let done = watched
        .run(context, async |context| {
            recover::recover(context, run, direction, options).await
        })
        .await;
    let (result, generation, error) = match &done {
        Ok(Recovered::Nothing | Recovered::WasOver { recorded: None }) => {
            ("nothing-changed", None, None)
        }
        Ok(Recovered::WasOver { recorded }) => ("recorded", *recorded, None),
        Ok(Recovered::Back) => ("taken-back", None, None),
        Ok(Recovered::Forward { generation }) => ("finished", Some(*generation), None),
        Ok(Recovered::Left) => ("left", None, None),
        Err(error @ RecoverError::Fenced(_)) => ("fenced", None, Some(chain(error))),
        Err(error) => ("failed", None, Some(chain(error))),
    };
    let ended = watched.ended(begun, result, generation, error);
    told(context, log.write(ended).await);
    done
}

fn audit_of(context: &Context<'_>) -> Result<Audit, AuditError> {
    let site = context.topology.site.as_ref();
    let location = site.and_then(|site| site.state.as_ref());
    Audit::at(context.root, location.map(|state| state.as_str()))
}

/// What was done is done, and recorded as far as it could be: that its end is not is told, and fails nothing.
fn told(context: &Context<'_>, written: Result<u64, AuditError>) {
    if let Err(error) = written {
        let why = chain(&error);
        context.tell(Event::Unaudited { why });
    }
}

fn begun_apply(context: &Context<'_>, plan: &Plan) -> Happening {
    let wanted_generation = match &context.wanted {
        Wanted::Topology => None,
        Wanted::Recorded(recorded) => Some(recorded.number),
    };
    let changed = plan.targets.iter().filter(|part| !part.changes.is_empty());
    let counts = |part: &crate::plan::TargetPlan| {
        let mut counts = Counts::default();
        for change in &part.changes {
            match change.action {
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Delete => counts.delete += 1,
            }
        }
        counts
    };
    Happening::Begun {
        operation: match wanted_generation {
            None => Operation::Apply,
            last if last == plan.generation => Operation::ApplyOnlyDrift,
            Some(_) => Operation::Rollback,
        },
        site: plan.site.clone(),
        topology: plan.topology.sha256.clone(),
        // One that has another format has no digest; it is refused anyway.
        plan: PlanFile::of(plan).ok().map(|file| file.digest.to_string()),
        wanted_generation,
        plugins: changed
            .clone()
            .map(|part| (part.plugin.name.clone(), part.plugin.sha256.clone()))
            .collect(),
        commands: context.commands.clone(),
        targets: changed
            .map(|part| (part.name.clone(), counts(part)))
            .collect(),
    }
}

fn result_of(error: &ApplyError) -> &'static str {
    match error {
        ApplyError::RolledBack(error) if matches!(error.cause(), Cause::Unconfirmed { .. }) => {
            "not-confirmed"
        }
        ApplyError::RolledBack(_) => "rolled-back",
        ApplyError::Partial { .. } => "partial",
        ApplyError::Unrecorded(_) => "unrecorded",
        ApplyError::Fenced(_) => "fenced",
        ApplyError::NothingChanged(_) | ApplyError::Secret(_) => "nothing-changed",
        _ => "refused",
    }
}

/// Notes what a run tells of what it does.
#[derive(Default)]
struct Watched {
    steps: Mutex<Vec<StepDone>>,
    confirmed_by: Mutex<Option<String>>,
}

impl Watched {
    async fn run<T>(&self, context: &Context<'_>, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let on_event = |event: Event| {
            self.note(&event);
            (context.on_event)(event);
        };
        let watched = Context {
            on_event: &on_event,
            ..context.clone()
        };
        work(&watched).await
    }

    fn note(&self, event: &Event) {
        let (target, phase, title) = match event {
            Event::Step {
                target,
                phase,
                title,
            } => (target, *phase, title),
            Event::Undoing { target, title } => (target, Phase::Undo, title),
            Event::Confirmed { who } => {
                let mut confirmed = self
                    .confirmed_by
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *confirmed = Some(who.clone());
                return;
            }
            _ => return,
        };
        let step = StepDone::new(target.clone(), phase, title.clone());
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(step);
    }

    fn ended(
        self,
        begun: u64,
        result: &str,
        generation: Option<u64>,
        error: Option<String>,
    ) -> Happening {
        Happening::Ended {
            begun,
            result: result.to_owned(),
            generation,
            error,
            confirmed_by: self
                .confirmed_by
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            steps: self
                .steps
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        }
    }
}
