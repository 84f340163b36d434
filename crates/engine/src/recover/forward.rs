//! Finishing a run: what it wanted is in the state, so that no topology is needed for it but the one that it recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{RecoverError, Recovered, Rest, clear, resume, tell_left};
use crate::apply::run::can_go_on;
use crate::apply::{self, ApplyOptions, Moved, Work};
use crate::context::{Context, Recorded, Wanted};
use crate::error::{ApplyError, chain};
use crate::event::Event;
use crate::journal::{Attempt, Journal, Progress, Unfinished};
use crate::plan::Action;
use crate::planner::plan_from;
use crate::secrets::RunSecrets;
use crate::state::{Generation, State, TargetRecord};

pub(super) async fn forward(
    context: &Context<'_>,
    mut journal: Journal,
    run: &Unfinished,
    (state, last): (&State, Option<Generation>),
    secrets: &RunSecrets,
) -> Result<Recovered, RecoverError> {
    let Some(kept) = &run.kept else {
        // Nothing was written down, so nothing was done.
        return Ok(Recovered::Nothing);
    };
    let mut contents = BTreeMap::new();
    for (target, blob) in &kept.contents {
        contents.insert(target.clone(), state.contents(blob).await?);
    }
    let recorded = Recorded {
        number: kept.rollback_of.unwrap_or_default(),
        contents,
    };
    let context = &Context {
        wanted: Wanted::Recorded(Arc::new(recorded)),
        ..context.clone()
    };
    settle(context, &journal, run, secrets).await?;
    let owned = ownership(run, last);
    let planned = plan_from(context, owned.clone()).await;
    let plan = planned.map_err(RecoverError::Plan)?.plan;
    let failed = RecoverError::Forward;
    journal.keys().ready_for(&plan)?;
    let mut running = apply::prepare_all(context, &plan, owned.as_ref(), secrets, Moved::default())
        .await
        .map_err(failed)?;
    journal.again(&plan).await?;
    let work = Work {
        context,
        journal: &journal,
        secrets,
    };
    let options = ApplyOptions::default();
    let recording = (state, owned, kept);
    match apply::carry_out(&work, &plan, recording, &options, &mut running).await {
        Ok(number) => {
            context.tell(Event::Generation { number });
            let mut tidy = true;
            for mut target in running {
                tidy &= target.end().await;
            }
            // Where something cannot be cleared away now, the next run does it: this one is recorded. Its journal tells
            // where it waits.
            if tidy {
                for error in clear(context, journal, run, secrets, Rest::Kept).await {
                    tell_left(context, run, Rest::Kept, &chain(&error));
                }
            }
            Ok(Recovered::Forward { generation: number })
        }
        Err(ApplyError::Fenced(fenced)) => {
            apply::leave(running, &journal).await;
            Err(RecoverError::Fenced(fenced))
        }
        Err(error @ (ApplyError::Partial { .. } | ApplyError::Unrecorded(_))) => {
            apply::leave(running, &journal).await;
            Err(failed(error))
        }
        Err(error) => {
            journal.taken_back(run.attempts.len()).await?;
            for mut target in running {
                target.end().await;
            }
            Err(failed(error))
        }
    }
}

/// Leaves no target in the middle: such a one is not told from one that is as wanted by what can be read of it alone,
/// for its server may not have loaded yet what is in its files. One whose steps are all in the plan is gone on with; of
/// another one, and where that fails, everything is taken back and planned anew. What waits beside files stays, for
/// taking back the whole run.
async fn settle(
    context: &Context<'_>,
    journal: &Journal,
    run: &Unfinished,
    secrets: &RunSecrets,
) -> Result<(), RecoverError> {
    let work = Work {
        context,
        journal,
        secrets,
    };
    // The halves of an attempt are settled before the next one begins: where that one stands, what is in the place of
    // the former's files is its own.
    let mut attempts = run.attempts.iter().enumerate().rev();
    let Some((number, attempt)) = attempts.find(|(_, attempt)| !attempt.taken_back) else {
        return Ok(());
    };
    let half = |progress: &Progress| !progress.verified;
    let (mut running, mut errors) =
        resume(context, journal, secrets, (number, attempt), half).await;
    // What was being taken back is half here and half there.
    if !run.undoing && number + 1 == run.attempts.len() {
        go_on(&work, attempt, &mut running).await;
    }
    errors.extend(apply::undo(&work, &mut running).await);
    apply::leave(running, journal).await;
    journal.still_ours()?;
    if errors.is_empty() {
        Ok(())
    } else {
        Err(RecoverError::NotSettled { errors })
    }
}

/// Finishes the targets that can be, the first of them first; they are no longer among those that run.
async fn go_on(work: &Work<'_, '_>, attempt: &Attempt, running: &mut Vec<apply::run::Running<'_>>) {
    while let Some(first) = running.first_mut() {
        let mut parts = attempt.plan.targets.iter();
        let part = parts.find(|part| part.name == first.name());
        let Some((part, progress)) = part.zip(attempt.targets.get(first.name())) else {
            return;
        };
        if !can_go_on(part, progress) {
            return;
        }
        if let Err(error) = first.go_on(work, progress).await {
            work.context.tell(Event::NotCompleted {
                target: part.name.clone(),
                why: chain(&error),
            });
            return;
        }
        running.remove(0);
    }
}

/// What is ours: what the last generation records, and what the run may have created since.
fn ownership(run: &Unfinished, last: Option<Generation>) -> Option<Generation> {
    let first = &run.attempts.first()?.plan;
    let mut owned = last.unwrap_or_else(|| {
        let digest = first.topology.sha256.clone();
        Generation::empty(0, run.when, first.site.clone(), digest)
    });
    for part in run
        .attempts
        .iter()
        .flat_map(|attempt| &attempt.plan.targets)
    {
        let record = owned
            .targets
            .entry(part.name.clone())
            .or_insert_with(|| TargetRecord {
                plugin: part.plugin.clone(),
                resources: BTreeMap::new(),
                wave: Some(part.wave),
                contents: None,
            });
        for change in &part.changes {
            if change.action == Action::Create
                && let Some(resource) = part.resources.get(&change.address)
            {
                let entry = record.resources.entry(change.address.clone());
                entry.or_insert_with(|| resource.clone());
            }
        }
    }
    Some(owned)
}
