//! A target that another process has left in the middle.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use switchover_effects::folder::Batch;

use super::files::is_file;
use super::{Running, Work};
use crate::error::{Cause, TargetError};
use crate::event::Phase;
use crate::journal::Progress;
use crate::plan::{Effect, Step, TargetPlan};
use crate::planner::Draft;
use crate::secrets::RunSecrets;
use crate::world::Observation;

/// What is known of a target that another process has left.
pub(super) struct Left<'a> {
    /// The number of the attempt in which it was.
    pub(super) attempt: usize,
    /// Steps that it was taking back.
    half_undone: &'a BTreeSet<String>,
}

/// Whether a target can be gone on with: all that its steps need is in the plan, and nothing in files beside. One whose
/// commit was not begun is better planned anew, for what somebody else may have changed since; one of which a step was being
/// taken back has to be.
pub(crate) fn can_go_on(part: &TargetPlan, progress: &Progress) -> bool {
    let procedure = &part.procedure;
    let mut commit = procedure.commit.iter();
    progress.half_undone.is_empty()
        && !procedure.steps().any(is_file)
        && commit.any(|step| progress.begun.contains(&step.id))
}

impl<'a> Running<'a> {
    /// As far as it is needed to undo it, or to go on with it.
    pub(crate) fn resumed(
        part: &'a TargetPlan,
        draft: Draft,
        (observed, captured): (HashMap<String, Value>, BTreeMap<String, Value>),
        usable: BTreeSet<String>,
        secrets: &'a RunSecrets,
        batch: Option<Batch>,
        (attempt, progress): (usize, &'a Progress),
    ) -> Self {
        let observation = Observation {
            raw: observed,
            ..Observation::default()
        };
        let mut running = Self::new(part, draft, observation, Vec::new(), usable, secrets);
        running.values.captured = captured;
        running.batch = batch;
        let steps = |id: &String| part.procedure.steps().find(|step| step.id == *id);
        running.begun = progress.begun.iter().filter_map(steps).collect();
        running.left = Some(Left {
            attempt,
            half_undone: &progress.half_undone,
        });
        running
    }

    /// Whether another process has begun to take the step back, and may not have come to the end of it.
    pub(super) fn is_half_undone(&self, step: &Step) -> bool {
        let left = self.left.as_ref();
        left.is_some_and(|left| left.half_undone.contains(&step.id))
    }

    /// Goes on where the other process ended. What it may have carried out, and nobody knows, is looked for where there
    /// is a way to look, and carried out once more where that does no harm.
    pub(crate) async fn go_on(
        &mut self,
        work: &Work<'_, '_>,
        progress: &Progress,
    ) -> Result<(), TargetError> {
        let part = self.part;
        let stage = part.procedure.stage.iter().map(|step| (Phase::Stage, step));
        let commit = part.procedure.commit.iter();
        for (phase, step) in stage.chain(commit.map(|step| (Phase::Commit, step))) {
            if !progress.begun.contains(&step.id) {
                self.step(work, phase, step).await?;
            } else if !progress.done.contains(&step.id) {
                self.settle(work, phase, step).await?;
            }
        }
        work.journal.committed(&part.name);
        for step in &part.procedure.verify {
            self.step(work, Phase::Verify, step).await?;
        }
        Ok(())
    }

    /// Brings a step to its end that was begun, and of which nobody knows whether it was carried out.
    async fn settle(
        &mut self,
        work: &Work<'_, '_>,
        phase: Phase,
        step: &'a Step,
    ) -> Result<(), TargetError> {
        let journal = work.journal;
        let settled = async {
            let is_done = match &step.evidence {
                Some(evidence) => self.was_carried_out(evidence).await?,
                None => false,
            };
            if !is_done {
                self.tell(work.context, phase, &step.title);
                journal.hold()?;
                // What is already so counts as done, as where it is taken back.
                let phase = match step.effect {
                    Effect::DnsUpdate(_) => Phase::Undo,
                    _ => phase,
                };
                self.perform(phase, &step.effect, &step.expect, &step.capture)
                    .await?;
            }
            let captured = self.captured_by(step);
            Ok::<_, Cause>(journal.done(&self.part.name, &step.id, &captured).await?)
        };
        let settled = settled.await;
        settled.map_err(|cause| self.failed(phase, &step.title, cause))
    }
}
