//! Bringing a run to its end that was interrupted: taking it back, or finishing it.
//!
//! The journal of the run says what may have happened, files are judged by their digests, and everything else is undone
//! by the steps that the plan holds for it. Recovering may itself be interrupted, and begun again, any number of times.

mod course;
mod forward;

use std::collections::BTreeMap;
use std::path::Path;

use miette::Diagnostic;
use serde_json::Value;
use switchover_effects::folder::Batch;

use crate::apply::run::Running;
use crate::apply::{self, Work, permitted, usable};
use crate::audit::AuditError;
use crate::context::Context;
use crate::error::{ApplyError, Cause, PlanError, TargetError, busy, chain};
use crate::event::Event;
use crate::journal::{
    self, Attempt, Fenced, Journal, JournalError, Prepared, Progress, Unfinished,
};
use crate::plan::TargetPlan;
use crate::planner::{draft, resolve_secrets, scopes};
use crate::secrets::{RunSecrets, SecretsError};
use crate::state::{Generation, Lease, LeaseError, LeaseOptions, Sources, State, StateError};

pub use course::Course;

/// Where an interrupted run shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what was there before it.
    Back,
    /// To what it wanted.
    Forward,
    /// Nowhere: everything stays as it is now.
    Leave,
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// It had done nothing, or everything; what it had left behind was cleared away.
    WasOver {
        /// The number of the generation that was recorded only now.
        recorded: Option<u64>,
    },
    /// Everything is as it was before.
    Back,
    /// Everything is as it wanted, and recorded as a generation.
    Forward {
        /// The generation's number.
        generation: u64,
    },
    /// Everything is as it was left.
    Left,
}

/// A run that is still not at its end.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum RecoverError {
    #[error("failed to recover: {who} is at work since {when:.0}")]
    #[diagnostic(code(switchover::recover::busy), help("{}", busy(waiting.as_ref())))]
    Busy {
        who: String,
        when: jiff::Timestamp,
        waiting: Option<jiff::Timestamp>,
    },
    #[error("failed to recover: {0}; nothing more was done")]
    #[diagnostic(
        code(switchover::recover::fenced),
        help("`switchover audit` shows who brings the run to its end")
    )]
    Fenced(Fenced),
    #[error("failed to recover: the journal of the run cannot be used")]
    #[diagnostic(code(switchover::recover::journal))]
    Journal(
        #[source]
        #[diagnostic_source]
        JournalError,
    ),
    #[error("failed to recover: the state cannot be used")]
    #[diagnostic(code(switchover::recover::state))]
    State(
        #[from]
        #[source]
        #[diagnostic_source]
        StateError,
    ),
    #[error("failed to recover; nothing was changed")]
    #[diagnostic(code(switchover::recover::lease))]
    Lease(
        #[from]
        #[source]
        #[diagnostic_source]
        LeaseError,
    ),
    #[error("failed to recover: the audit log cannot be written")]
    #[diagnostic(
        code(switchover::recover::audit),
        help("nothing was done: what is not recorded is not begun")
    )]
    Audit(
        #[source]
        #[diagnostic_source]
        AuditError,
    ),
    #[error("failed to recover: secrets are missing")]
    #[diagnostic(code(switchover::recover::secret))]
    Secret(
        #[from]
        #[source]
        #[diagnostic_source]
        SecretsError,
    ),
    #[error("failed to take the run back completely")]
    #[diagnostic(
        code(switchover::recover::incomplete),
        help(
            "everything else is as it was before. Repair what is named here and run it again; where a recorded command is \
             at fault, `--commands-from TOPOLOGY` takes it from the topology as it is now. `switchover recover --leave` \
             keeps everything as it is"
        )
    )]
    Incomplete {
        #[related]
        errors: Vec<TargetError>,
    },
    #[error(
        "failed to finish the run: a target that was left in the middle could not be rolled back"
    )]
    #[diagnostic(
        code(switchover::recover::not_settled),
        help(
            "repair what is named here and run it again; where a recorded command is at fault, `--commands-from TOPOLOGY` \
             takes it from the topology as it is now. `switchover recover --leave` keeps everything as it is"
        )
    )]
    NotSettled {
        #[related]
        errors: Vec<TargetError>,
    },
    #[error(
        "failed to clear away what the run that {who} began at {when:.0} has left beside files"
    )]
    #[diagnostic(
        code(switchover::recover::left_behind),
        help(
            "that run is over, and what waits is in nobody's way; where a host is gone for good, \
             `switchover recover --leave` does without it"
        )
    )]
    LeftBehind {
        who: String,
        when: jiff::Timestamp,
        #[related]
        errors: Vec<TargetError>,
    },
    #[error("failed to plan how the run is finished; nothing was changed")]
    #[diagnostic(
        code(switchover::recover::plan),
        help("the run is as it was interrupted: `switchover recover --back` takes it back")
    )]
    Plan(
        #[source]
        #[diagnostic_source]
        PlanError,
    ),
    #[error("failed to finish the run")]
    #[diagnostic(
        code(switchover::recover::forward),
        help("`switchover recover --back` takes back the whole run")
    )]
    Forward(
        #[source]
        #[diagnostic_source]
        ApplyError,
    ),
}

/// The run of a site that is not at its end, if there is one; it may still be at work.
///
/// # Errors
/// Where the state cannot be read.
pub async fn unfinished(
    root: &Path,
    location: Option<&str>,
) -> Result<Option<Unfinished>, RecoverError> {
    let runs = runs(&State::at(root, location)?).await?;
    Ok(runs.into_iter().find(|run| !run.over))
}

/// The run of a site that is not at its end, if there is one, and after it those that are over and have left something
/// behind.
///
/// # Errors
/// Where the state cannot be read.
pub async fn runs(state: &State) -> Result<Vec<Unfinished>, RecoverError> {
    let mut runs = journal::runs(state.store()).await?;
    if runs.is_empty() {
        return Ok(runs);
    }
    let last = state.last().await?;
    for run in &mut runs {
        run.over = !run.alive && run.is_over(last.as_ref());
    }
    runs.sort_by_key(|run| (run.over, run.when));
    Ok(runs)
}

/// The topology by which the targets of a run are reached, as it was when the run began; none of a run of which nothing
/// was written down.
///
/// # Errors
/// Where it is gone or damaged.
pub async fn sources_of(state: &State, run: &Unfinished) -> Result<Option<Sources>, RecoverError> {
    match &run.kept {
        Some(kept) => Ok(Some(state.sources(&kept.sources).await?)),
        None => Ok(None),
    }
}

/// Confirms the run of a site that waits for it; false where none does.
///
/// # Errors
/// Where the state cannot be read or written.
pub async fn confirm(state: &State) -> Result<bool, RecoverError> {
    Ok(journal::confirm(state.store()).await?)
}

/// Brings a run of a site to its end. The topology of the context is that of the run: see [`sources_of`].
///
/// # Errors
/// Where it is still at work, or something stands in the way; then the run is still not at its end.
pub(crate) async fn recover(
    context: &Context<'_>,
    run: &Unfinished,
    direction: Direction,
    options: LeaseOptions,
) -> Result<Recovered, RecoverError> {
    let site = context.topology.site.as_ref();
    let location = site
        .and_then(|site| site.state.as_ref())
        .map(|state| state.as_str());
    let state = State::at(context.root, location)?;
    // What a killed process was writing is nobody's.
    state.store().sweep().await.map_err(StateError::from)?;
    if run.alive && options.wait.is_zero() {
        return Err(RecoverError::Busy {
            who: run.who.clone(),
            when: run.when,
            waiting: run.waiting,
        });
    }
    let lease = Lease::acquire(state.store(), &journal::who(), "recover", options).await?;
    let done = recover_alone(context, direction, &state, &lease, &run.name).await;
    // One that cannot be given back becomes free by itself.
    let _ = lease.release().await;
    done
}

/// Brings a run to its end while nobody else changes anything.
async fn recover_alone(
    context: &Context<'_>,
    direction: Direction,
    state: &State,
    lease: &Lease,
    run: &str,
) -> Result<Recovered, RecoverError> {
    let taken = Journal::take_over(state.store(), lease, run).await?;
    let Some((journal, run)) = taken else {
        return Ok(Recovered::Nothing);
    };
    let last = state.last().await?;
    let recorded = record(state, &run, last.as_ref(), direction).await?;
    let over = recorded.is_some() || run.is_over(last.as_ref());
    let rest = match direction {
        Direction::Leave => Rest::Forgotten,
        Direction::Back | Direction::Forward => Rest::Kept,
    };
    match direction {
        _ if over => {
            cleared(context, journal, &run, rest, recorded).await?;
            Ok(Recovered::WasOver { recorded })
        }
        Direction::Leave => {
            cleared(context, journal, &run, rest, recorded).await?;
            Ok(Recovered::Left)
        }
        Direction::Back => {
            let secrets = resolve_secrets(context).await?;
            back(context, journal, &run, &secrets).await
        }
        Direction::Forward => {
            let secrets = resolve_secrets(context).await?;
            forward::forward(context, journal, &run, (state, last), &secrets).await
        }
    }
}

/// Records what is still to be recorded of a run that is done, wherever it shall go: gives the generation's number.
async fn record(
    state: &State,
    run: &Unfinished,
    last: Option<&Generation>,
    direction: Direction,
) -> Result<Option<u64>, RecoverError> {
    let Some(generation) = run.unrecorded(last) else {
        return Ok(None);
    };
    match state.record(generation).await {
        Ok(()) => Ok(Some(generation.number)),
        // Another one has its number, and somebody has decided that this one is forgotten.
        Err(StateError::Store(error)) if error.is_exists() && direction == Direction::Leave => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

impl Journal {
    /// Why a recovery is somebody else's by now, where it is.
    fn still_ours(&self) -> Result<(), RecoverError> {
        match self.fenced() {
            Some(fenced) => Err(RecoverError::Fenced(fenced)),
            None => Ok(()),
        }
    }
}

async fn back(
    context: &Context<'_>,
    journal: Journal,
    run: &Unfinished,
    secrets: &RunSecrets,
) -> Result<Recovered, RecoverError> {
    let work = Work {
        context,
        journal: &journal,
        secrets,
    };
    journal.undoing().await?;
    let mut all = Vec::new();
    for (number, attempt) in run.attempts.iter().enumerate().rev() {
        let (mut running, mut errors) =
            resume(context, &journal, secrets, (number, attempt), |_| true).await;
        if !attempt.taken_back {
            errors.extend(apply::undo(&work, &mut running).await);
        }
        all.append(&mut running);
        if !errors.is_empty() || journal.fenced().is_some() {
            apply::leave(all, &journal).await;
            journal.still_ours()?;
            return Err(RecoverError::Incomplete { errors });
        }
        if !attempt.taken_back {
            journal.taken_back(number).await?;
        }
    }
    journal.ended().await?;
    apply::end(all, journal).await;
    Ok(Recovered::Back)
}

/// What becomes of what waits beside files and cannot be cleared away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The journal stays for it.
    Kept,
    /// The host may be gone for good, and somebody has decided that nothing waits for it any more.
    Forgotten,
}

/// Ends a run as it is. What waits beside files of one that was only just recorded is told, and fails nothing.
async fn cleared(
    context: &Context<'_>,
    journal: Journal,
    run: &Unfinished,
    rest: Rest,
    recorded: Option<u64>,
) -> Result<(), RecoverError> {
    journal.ended().await?;
    let errors = match resolve_secrets(context).await {
        Ok(secrets) => clear(context, journal, run, &secrets, rest).await,
        Err(error) if rest == Rest::Kept && recorded.is_none() => return Err(error.into()),
        Err(error) => {
            if rest == Rest::Forgotten {
                journal.remove().await?;
            }
            let doing = "clear up after a run of";
            vec![TargetError::of_site(run.site(), doing, error.into())]
        }
    };
    if errors.is_empty() {
        return Ok(());
    }
    if rest == Rest::Forgotten || recorded.is_some() {
        for error in &errors {
            tell_left(context, run, rest, &chain(error));
        }
        return Ok(());
    }
    Err(RecoverError::LeftBehind {
        who: run.who.clone(),
        when: run.when,
        errors,
    })
}

/// Tells that what a run that is over has left is not cleared away, and why.
pub(crate) fn tell_left(context: &Context<'_>, run: &Unfinished, rest: Rest, why: &str) {
    let (who, when) = (&run.who, run.when);
    context.tell(Event::LeftBehind {
        why: format!(
            "what the run that {who} began at {when:.0} has left beside files is not cleared away: {why}"
        ),
        forgotten: rest == Rest::Forgotten,
    });
}

/// Removes what a run that is over has left behind, and its journal once nothing is left.
pub(crate) async fn clear(
    context: &Context<'_>,
    journal: Journal,
    run: &Unfinished,
    secrets: &RunSecrets,
    rest: Rest,
) -> Vec<TargetError> {
    let mut errors = Vec::new();
    let mut all = Vec::new();
    for (number, attempt) in run.attempts.iter().enumerate().rev() {
        let (mut running, mut failed) =
            resume(context, &journal, secrets, (number, attempt), |_| true).await;
        all.append(&mut running);
        errors.append(&mut failed);
    }
    for mut target in all {
        if !target.end().await {
            let cause = Cause::NotCleared;
            errors.push(TargetError::new(target.name(), "clear up after", cause));
        }
    }
    if errors.is_empty() || rest == Rest::Forgotten {
        // The next run finds that it is over, and clears it away.
        let _ = journal.remove().await;
    }
    errors
}

/// Connects to the targets that an attempt had to do with, in its order. One that cannot be reached does not keep the
/// others from being recovered.
async fn resume<'a>(
    context: &Context<'_>,
    journal: &Journal,
    secrets: &'a RunSecrets,
    (number, attempt): (usize, &'a Attempt),
    takes: impl Fn(&Progress) -> bool,
) -> (Vec<Running<'a>>, Vec<TargetError>) {
    let mut running = Vec::new();
    let mut errors = Vec::new();
    for part in &attempt.plan.targets {
        let progress = attempt.targets.get(&part.name);
        if let Some(progress) = progress.filter(|progress| takes(progress)) {
            let opened = journal.open(number, &part.name, progress);
            let target = match opened {
                Ok(opened) => {
                    let left = (number, progress);
                    resume_one(context, secrets, part, left, opened).await
                }
                Err(error) => Err(error.into()),
            };
            match target {
                Ok(target) => running.push(target),
                Err(cause) => errors.push(TargetError::new(&part.name, "recover", cause)),
            }
        }
    }
    (running, errors)
}

async fn resume_one<'a>(
    context: &Context<'_>,
    secrets: &'a RunSecrets,
    part: &'a TargetPlan,
    left: (usize, &'a Progress),
    (prepared, captured): (Prepared, BTreeMap<String, Value>),
) -> Result<Running<'a>, Cause> {
    let scopes = scopes(context);
    let (target, scope) = scopes
        .iter()
        .find(|(target, _)| target.name.value == part.name)
        .ok_or(Cause::NoTarget)?;
    let plugin = context.plugin(target)?;
    let draft = draft(context, target, plugin, None, secrets)?;
    permitted(&part.procedure, &draft.world)?;
    let batch: Option<Batch> = match &prepared.intent {
        Some(intent) => Some(draft.world.folder()?.reopen(intent).await?),
        None => None,
    };
    Ok(Running::resumed(
        part,
        draft,
        (prepared.observed, captured),
        usable(scope, secrets),
        secrets,
        batch,
        left,
    ))
}

impl From<JournalError> for RecoverError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Fenced(fenced) => Self::Fenced(fenced),
            error => Self::Journal(error),
        }
    }
}
