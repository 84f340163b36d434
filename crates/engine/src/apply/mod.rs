//! Carrying out a plan: stage everywhere, commit in order, read back, and take everything back when something fails.

mod commands;
mod fresh;
mod kept;
mod recording;
pub(crate) mod run;

use std::collections::BTreeSet;
use std::time::Duration;

use switchover_plugin_host::permit;
use switchover_topology::model::Target;

use crate::context::Context;
use crate::convert;
use crate::error::{ApplyError, Cause, TargetError, chain};
use crate::event::{Event, Phase};
use crate::journal::{self, Journal, JournalError, Keys, Unfinished};
use crate::limits;
use crate::plan::{Effect, Evidence, Plan, Procedure, Summary, TargetPlan};
use crate::planner::{draft, resolve_secrets, scopes};
use crate::recover::{self, Rest};
use crate::rejected;
use crate::secrets::RunSecrets;
use crate::state::{Generation, Lease, LeaseOptions, State};
use crate::view::Scope;
use crate::world::World;

pub(crate) use fresh::Moved;
pub(crate) use kept::Kept;

use fresh::short;
use kept::keep;
use recording::Unrecorded;
use run::Running;

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The generation that records it; none where there was nothing to do.
    pub generation: Option<u64>,
    /// Counts over all targets.
    pub summary: Summary,
}

/// How a plan is carried out.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Once everything is done and read back, somebody has to confirm it within so long; else it is taken back.
    pub confirm_within: Option<Duration>,
    /// How the site is kept to this run.
    pub lease: LeaseOptions,
}

/// Carries out a plan, or leaves everything as it was.
///
/// # Errors
/// Says whether nothing was changed, everything was rolled back, or something could not be.
pub(crate) async fn apply(
    context: &Context<'_>,
    plan: &Plan,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    let summary = plan.summary();
    let site = context.topology.site.as_ref();
    let location = site
        .and_then(|site| site.state.as_ref())
        .map(|state| state.as_str());
    let unchanged = |cause: Cause| nothing_done(&plan.site, "prepare", cause);
    let state = State::at(context.root, location).map_err(|error| unchanged(error.into()))?;
    let last = state
        .last()
        .await
        .map_err(|error| unchanged(error.into()))?;
    refuse_unfinished(&plan.site, &state, last.as_ref(), summary.is_empty()).await?;
    let moved = Moved::since(context, plan, last.as_ref());
    if summary.is_empty() {
        moved.refuse()?;
        return Ok(Applied {
            generation: None,
            summary,
        });
    }
    if !moved.is_empty() {
        // It cannot be carried out: what else moved is found out, and nothing is written.
        return refuse_moved(context, plan, &state, last, moved).await;
    }
    let lease = Lease::acquire(state.store(), &journal::who(), "apply", options.lease)
        .await
        .map_err(ApplyError::Lease)?;
    let done = match state.last().await {
        Ok(last) => {
            // Somebody else may have applied while this run waited.
            let moved = Moved::since(context, plan, last.as_ref());
            carry_out_alone(context, plan, options, (&state, &lease), last, moved).await
        }
        Err(error) => Err(unchanged(error.into())),
    };
    // One that cannot be given back becomes free by itself.
    let _ = lease.release().await;
    done
}

/// Names everything that moved since a plan was made. Nothing is carried out.
async fn refuse_moved(
    context: &Context<'_>,
    plan: &Plan,
    state: &State,
    last: Option<Generation>,
    moved: Moved,
) -> Result<Applied, ApplyError> {
    let nothing = Applied {
        generation: None,
        summary: plan.summary(),
    };
    let Ok(secrets) = resolve_secrets(context).await else {
        return moved.refuse().map(|()| nothing);
    };
    refuse_unfinished(&plan.site, state, last.as_ref(), true).await?;
    prepare_all(context, plan, last.as_ref(), &secrets, moved).await?;
    Ok(nothing)
}

/// Carries out a plan while nobody else changes anything.
async fn carry_out_alone(
    context: &Context<'_>,
    plan: &Plan,
    options: &ApplyOptions,
    (state, lease): (&State, &Lease),
    last: Option<Generation>,
    moved: Moved,
) -> Result<Applied, ApplyError> {
    let summary = plan.summary();
    let unchanged = |cause: Cause| nothing_done(&plan.site, "prepare", cause);
    let store = state.store().clone();
    let secrets = match resolve_secrets(context).await {
        Ok(secrets) => secrets,
        Err(error) => {
            moved.refuse()?;
            return Err(ApplyError::Secret(error));
        }
    };
    nothing_unfinished(context, (state, lease), last.as_ref(), &secrets).await?;
    let keys = Keys::of(&store);
    keys.ready_for(plan)
        .map_err(|error| unchanged(error.into()))?;
    let mut running = prepare_all(context, plan, last.as_ref(), &secrets, moved).await?;
    limits::refuse(context, plan, last.as_ref())?;
    rejected::refuse(context, &store, plan).await?;
    let kept = keep(context, &secrets, plan, state, last.as_ref())
        .await
        .map_err(|cause| nothing_done(&plan.site, "keep what is wanted of", cause))?;
    let journal = Journal::begin(&store, lease, keys, plan, &kept)
        .await
        .map_err(|error| match error {
            JournalError::Fenced(fenced) => ApplyError::Fenced(fenced),
            error => unchanged(error.into()),
        })?;
    let work = Work {
        context,
        journal: &journal,
        secrets: &secrets,
    };
    let recording = (state, last, &kept);
    let done = carry_out(&work, plan, recording, options, &mut running).await;
    rejected::remember(&store, plan, journal::who(), done.as_ref().err()).await;
    let number = match done {
        Ok(number) => number,
        Err(
            error
            @ (ApplyError::Partial { .. } | ApplyError::Fenced(_) | ApplyError::Unrecorded(_)),
        ) => {
            // The journal and what waits beside files are what it takes to try again.
            leave(running, &journal).await;
            return Err(error);
        }
        Err(error) => {
            let ended = journal.ended().await;
            if let Some(fenced) = journal.fenced() {
                leave(running, &journal).await;
                return Err(ApplyError::Fenced(fenced));
            }
            if let Err(error) = ended {
                // Whoever finds the journal undoes once more what is undone.
                let why = chain(&error);
                context.tell(Event::Unended { why });
            }
            end(running, journal).await;
            return Err(error);
        }
    };
    end(running, journal).await;
    context.tell(Event::Generation { number });
    Ok(Applied {
        generation: Some(number),
        summary,
    })
}

/// What a run works with once it is written down.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w, 'c> {
    pub(crate) context: &'w Context<'c>,
    pub(crate) journal: &'w Journal,
    pub(crate) secrets: &'w RunSecrets,
}

/// Refuses what waiting for the lease does not mend: a run that is interrupted, or waits to be confirmed. An empty plan
/// takes no lease; but what it counts on may be taken back. Of a run whose holder only looks late, the lease tells
/// whether it is interrupted: it is watched.
async fn refuse_unfinished(
    site: &str,
    state: &State,
    last: Option<&Generation>,
    empty: bool,
) -> Result<(), ApplyError> {
    let runs = journal::runs(state.store()).await;
    for run in runs.map_err(|error| unusable(site, error))? {
        if run.alive {
            if empty || run.waiting.is_some() {
                return Err(busy(run));
            }
        } else if !run.is_over(last) && (empty || !run.held) {
            return Err(unfinished(run));
        }
    }
    Ok(())
}

fn unfinished(run: Unfinished) -> ApplyError {
    ApplyError::Unfinished {
        who: run.who,
        when: run.when,
    }
}

fn busy(run: Unfinished) -> ApplyError {
    ApplyError::Busy {
        who: run.who,
        when: run.when,
        waiting: run.waiting,
    }
}

fn unusable(site: &str, error: JournalError) -> ApplyError {
    nothing_done(site, "look for an interrupted run of", error.into())
}

/// Refuses to begin where a run before this one is not at its end. What others left that are is cleared away as far as it
/// can be: it is in nobody's way.
async fn nothing_unfinished(
    context: &Context<'_>,
    (state, lease): (&State, &Lease),
    last: Option<&Generation>,
    secrets: &RunSecrets,
) -> Result<(), ApplyError> {
    let site = context.topology.site.as_ref();
    let site = site.map_or_else(String::new, |site| site.name.value.clone());
    let failed = |error| unusable(&site, error);
    let mut runs = journal::runs(state.store()).await.map_err(failed)?;
    // Its lease is ours: nobody is at work on any of them.
    if let Some(at) = runs.iter().position(|run| !run.is_over(last)) {
        return Err(unfinished(runs.swap_remove(at)));
    }
    for run in runs {
        // By which hosts and folders its targets are reached, only its own topology says.
        let same = run.topology() == context.topology_digest;
        let reached = |target: &str| same && context.selection.takes(target);
        if !run.may_wait_at().all(reached) {
            let why = "it was made from another topology";
            recover::tell_left(context, &run, Rest::Kept, why);
            continue;
        }
        let taken = Journal::take_over(state.store(), lease, &run.name).await;
        let Some((journal, run)) = taken.map_err(failed)? else {
            continue;
        };
        for error in recover::clear(context, journal, &run, secrets, Rest::Kept).await {
            recover::tell_left(context, &run, Rest::Kept, &chain(&error));
        }
    }
    Ok(())
}

/// Ends a run that leaves nothing to take back or to finish. Gives whether nothing of it waits beside files either.
pub(crate) async fn end(running: Vec<Running<'_>>, journal: Journal) -> bool {
    let mut tidy = true;
    for mut target in running {
        tidy &= target.end().await;
    }
    // The next run finds that it is over, and clears it away: also what waits on a host that could not be reached.
    tidy && journal.remove().await.is_ok()
}

/// Leaves everything for whoever recovers the run.
pub(crate) async fn leave(running: Vec<Running<'_>>, journal: &Journal) {
    // What was taken back is taken back once more where this cannot be written.
    let _ = journal.flush().await;
    for mut target in running {
        target.leave().await;
    }
}

/// Connects to all targets and makes sure that they are as the plan saw them.
pub(crate) async fn prepare_all<'a>(
    context: &Context<'a>,
    plan: &'a Plan,
    last: Option<&Generation>,
    secrets: &'a RunSecrets,
    mut moved: Moved,
) -> Result<Vec<Running<'a>>, ApplyError> {
    let scopes = scopes(context);
    let mut running = Vec::new();
    for part in plan.targets.iter().filter(|part| !part.changes.is_empty()) {
        let prepared = tokio::select! {
            prepared = prepare(context, &scopes, part, last, secrets, &mut moved) => prepared,
            () = context.stop.asked() => {
                return Err(nothing_changed(&part.name, "read", Cause::Stopped));
            }
        };
        match prepared {
            Ok(prepared) => running.extend(prepared),
            // What moved is likely to be why, and is what has to be told.
            Err(_) if !moved.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    moved.refuse()?;
    Ok(running)
}

/// Gives the number of the generation that records it. A run that is somebody else's meanwhile does nothing more, and
/// takes nothing back.
pub(crate) async fn carry_out(
    work: &Work<'_, '_>,
    plan: &Plan,
    recording: Recording<'_>,
    options: &ApplyOptions,
    running: &mut [Running<'_>],
) -> Result<u64, ApplyError> {
    let done = all_phases(work, plan, recording, options, running).await;
    match (done, work.journal.fenced()) {
        (Err(_), Some(fenced)) => Err(ApplyError::Fenced(fenced)),
        (done, _) => done,
    }
}

/// Where a run is recorded, what the last generation is, and what the run wants.
pub(crate) type Recording<'r> = (&'r State, Option<Generation>, &'r Kept);

async fn all_phases(
    work: &Work<'_, '_>,
    plan: &Plan,
    recording: Recording<'_>,
    options: &ApplyOptions,
    running: &mut [Running<'_>],
) -> Result<u64, ApplyError> {
    for at in 0..running.len() {
        if let Err(error) = running[at].stage(work, plan).await {
            // What the staged steps themselves did is cleaned up; files in waiting go away with their batch.
            let _ = work.journal.undoing().await;
            let undo = undo(work, &mut running[..=at]).await;
            return Err(if undo.is_empty() {
                ApplyError::NothingChanged(error)
            } else {
                ApplyError::Partial { cause: error, undo }
            });
        }
    }

    for at in 0..running.len() {
        if let Err(error) = running[at].commit_and_verify(work).await {
            return Err(take_back(work, running, error).await);
        }
    }
    if let Some(limit) = options.confirm_within
        && let Err(cause) = confirmed(work, limit).await
    {
        let error = TargetError::of_site(&plan.site, "confirm the changes of", cause);
        return Err(take_back(work, running, error).await);
    }

    let failed = |cause| TargetError::of_site(&plan.site, "record the generation of", cause);
    match recording::record(work, plan, recording).await {
        Ok(number) => Ok(number),
        Err(Unrecorded::Not(cause)) => Err(take_back(work, running, failed(cause)).await),
        Err(Unrecorded::Yet(cause)) => Err(ApplyError::Unrecorded(failed(cause))),
    }
}

/// Waits until somebody confirms what was done.
async fn confirmed(work: &Work<'_, '_>, limit: Duration) -> Result<(), Cause> {
    let Work {
        context, journal, ..
    } = *work;
    let deadline = tokio::time::Instant::now() + limit;
    let until = jiff::SignedDuration::try_from(limit)
        .ok()
        .and_then(|limit| jiff::Timestamp::now().checked_add(limit).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    journal.waiting(until).await?;
    context.tell(Event::Waiting { until });
    loop {
        let is_over = tokio::time::Instant::now() >= deadline;
        let who = match is_over {
            true => journal.expire().await?,
            false => journal.confirmed().await?,
        };
        if let Some(who) = who {
            context.tell(Event::Confirmed { who });
            return Ok(());
        }
        if is_over {
            return Err(Cause::Unconfirmed {
                seconds: limit.as_secs(),
            });
        }
        let next = deadline.min(tokio::time::Instant::now() + journal.look_every());
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = context.stop.asked() => return Err(Cause::Stopped),
        }
    }
}

fn nothing_done(site: &str, doing: &str, cause: Cause) -> ApplyError {
    ApplyError::NothingChanged(TargetError::of_site(site, doing, cause))
}

fn nothing_changed(target: &str, doing: &str, cause: Cause) -> ApplyError {
    ApplyError::NothingChanged(TargetError::new(target, doing, cause))
}

/// Connects to a target and makes sure that it is as the plan saw it. None where something moved.
async fn prepare<'a>(
    context: &Context<'a>,
    scopes: &[(&'a Target, Scope<'a>)],
    part: &'a TargetPlan,
    last: Option<&Generation>,
    secrets: &'a RunSecrets,
    moved: &mut Moved,
) -> Result<Option<Running<'a>>, ApplyError> {
    let Some((target, scope)) = scopes
        .iter()
        .find(|(target, _)| target.name.value == part.name)
    else {
        moved.add(format!(
            "target `{}` is no longer in the topology",
            part.name
        ));
        return Ok(None);
    };
    let unchanged = |doing: &str, cause| nothing_changed(&part.name, doing, cause);
    let plugin = context
        .plugin(target)
        .map_err(|cause| unchanged("load the plugin of", cause))?;
    let digest = plugin.digest().to_string();
    if digest != part.plugin.sha256 {
        moved.add(format!(
            "plugin `{}` is another one (sha256 {} then, {} now)",
            part.plugin.name,
            short(&part.plugin.sha256),
            short(&digest)
        ));
        return Ok(None);
    }
    let mut draft = draft(context, target, plugin, last, secrets)
        .map_err(|cause| unchanged("prepare", cause))?;
    // A plan may come from a file, so its steps are not taken on trust.
    permitted(&part.procedure, &draft.world)
        .map_err(|cause| unchanged("check the plan of", cause))?;
    context.tell(Event::Reading {
        target: part.name.clone(),
    });
    let wanted: Vec<String> = part.resources.keys().cloned().collect();
    let (observation, _) = draft
        .observe(&wanted, secrets)
        .await
        .map_err(|cause| unchanged("read", cause))?;
    context.tell(Event::Observed {
        target: part.name.clone(),
    });
    if observation.digest != part.observed {
        moved.add(format!(
            "the state of target `{}` changed since (sha256 {} then, {} now)",
            part.name,
            short(&part.observed),
            short(&observation.digest)
        ));
        return Ok(None);
    }
    commands::look_up(context, target, &part.procedure, &draft.world)
        .await
        .map_err(|cause| unchanged("stage", cause))?;
    Ok(Some(Running::new(
        part,
        draft,
        observation,
        wanted,
        usable(scope, secrets),
        secrets,
    )))
}

/// Names of secrets that this target's requests and files may hold.
pub(crate) fn usable(scope: &Scope<'_>, secrets: &RunSecrets) -> BTreeSet<String> {
    scope
        .secret_names()
        .into_iter()
        .map(|name| secrets.name_of(&name).to_owned())
        .collect()
}

pub(crate) fn permitted(procedure: &Procedure, world: &World) -> Result<(), Cause> {
    let manifest = world.plugin.manifest();
    let check = |effect: &Effect, verify: bool| {
        let effect = convert::effect_to_wit(effect);
        let verdict = if verify {
            permit::verify(manifest, &effect)
        } else {
            permit::write(manifest, &convert::without_captures(effect))
        };
        verdict.map_err(|refusal| world.refused(refusal))
    };
    let look = |evidence: &Option<Evidence>| match evidence {
        Some(evidence) => world.may_read(&evidence.request),
        None => Ok(()),
    };
    for step in procedure.stage.iter().chain(&procedure.commit) {
        check(&step.effect, false)?;
        look(&step.evidence)?;
        for undo in &step.undo {
            check(&undo.effect, false)?;
            look(&undo.evidence)?;
        }
    }
    for step in &procedure.verify {
        check(&step.effect, true)?;
    }
    Ok(())
}

/// Undoes everything after a failure in the commit, and says how that went.
async fn take_back(
    work: &Work<'_, '_>,
    running: &mut [Running<'_>],
    error: TargetError,
) -> ApplyError {
    // A journal that cannot be written is no reason to leave things half done: undoing twice does no harm.
    let _ = work.journal.undoing().await;
    let undo = undo(work, running).await;
    if undo.is_empty() {
        ApplyError::RolledBack(error)
    } else {
        ApplyError::Partial { cause: error, undo }
    }
}

/// Takes back what was done at these targets, the last first. One that fails does not keep the others from theirs.
pub(crate) async fn undo(work: &Work<'_, '_>, running: &mut [Running<'_>]) -> Vec<TargetError> {
    let mut errors = Vec::new();
    for target in running.iter_mut().rev() {
        if work.journal.hold().is_err() {
            // Whoever has the run now takes it back, or finishes it.
            break;
        }
        errors.extend(target.undo(work).await);
    }
    errors
}

/// How a phase is called in an error: ``commit `apply the configuration` on``.
fn doing(phase: Phase, title: &str) -> String {
    let verb = match phase {
        Phase::Stage => "stage",
        Phase::Commit => "commit",
        Phase::Verify => "verify",
        Phase::Undo => "undo",
    };
    format!("{verb} \"{title}\" on")
}
