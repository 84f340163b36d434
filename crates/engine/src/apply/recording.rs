//! Recording what a run did: the last of its effects, after which it is at its end.
//!
//! The journal decides it. Once it holds the generation, nobody takes the run back any more, and whoever finds the run –
//! this process or another one – records the very same. So it does no harm where two do, or one does it late.

use std::collections::BTreeMap;

use super::{Kept, Recording, Work};
use crate::context::Context;
use crate::error::Cause;
use crate::journal;
use crate::plan::Plan;
use crate::state::{Generation, State, StateError, TargetRecord};

/// Why a generation was not recorded.
pub(super) enum Unrecorded {
    /// It is not, and never will be: the run is to be taken back.
    Not(Cause),
    /// It is to be, or nobody can tell: nothing may be taken back. Whoever recovers the run finds out.
    Yet(Cause),
}

/// Records a generation, and gives its number.
pub(super) async fn record(
    work: &Work<'_, '_>,
    plan: &Plan,
    (state, last, kept): Recording<'_>,
) -> Result<u64, Unrecorded> {
    let journal = work.journal;
    let number = next(state, last.as_ref()).map_err(Unrecorded::Not)?;
    let generation = generation(work.context, plan, last, number, kept);
    let generation = state.linked(generation).await;
    let generation = generation.map_err(|error| Unrecorded::Not(error.into()))?;
    if let Err(error) = journal.recording(&generation).await {
        // A later record says otherwise, for whoever reads the journal. Where that one cannot be written either, the first
        // one must not be there.
        let is_not = journal.undoing().await.is_ok() || journal.is_not_recording().await;
        return Err(match is_not {
            true => Unrecorded::Not(error.into()),
            false => Unrecorded::Yet(error.into()),
        });
    }
    let recorded = state.record(&generation).await;
    recorded.map_err(|error| Unrecorded::Yet(error.into()))?;
    // It is recorded: that is its end, whether or not this can be written.
    let _ = journal.ended().await;
    Ok(number)
}

/// The number after the last one.
fn next(state: &State, last: Option<&Generation>) -> Result<u64, Cause> {
    let Some(last) = last else { return Ok(1) };
    let next = last
        .number
        .checked_add(1)
        .ok_or_else(|| StateError::Damaged {
            number: last.number,
            place: state.store().place("generations"),
            problem: "there is no number after it".to_owned(),
            is_last: true,
        });
    Ok(next?)
}

/// The record of what the targets hold of ours now.
fn generation(
    context: &Context<'_>,
    plan: &Plan,
    last: Option<Generation>,
    number: u64,
    kept: &Kept,
) -> Generation {
    let of_last = last.as_ref().filter(|_| kept.in_force);
    // Where the last one went back to another, so does this.
    let rollback_of = of_last.and_then(|last| last.rollback_of);
    let of_last = of_last.map(|last| (last.topology.clone(), last.sources.clone()));
    let (topology, sources) = of_last.unwrap_or_else(|| (context.topology_digest.clone(), None));
    // A target that left the topology keeps its record: should it come back, what it holds is still known as ours.
    let mut targets: BTreeMap<String, TargetRecord> =
        last.map(|last| last.targets).unwrap_or_default();
    for part in &plan.targets {
        let record = TargetRecord {
            plugin: part.plugin.clone(),
            wave: Some(part.wave),
            resources: part.resources.clone(),
            contents: kept.contents.get(&part.name).cloned(),
        };
        targets.insert(part.name.clone(), record);
    }
    Generation {
        who: Some(journal::who()),
        sources: sources.or_else(|| Some(kept.sources.clone())),
        rollback_of: kept.rollback_of.or(rollback_of),
        changes: Some(plan.summary().into()),
        targets,
        ..Generation::empty(number, jiff::Timestamp::now(), plan.site.clone(), topology)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_highest_number_there_is_none() {
        let state = State::at(std::path::Path::new("/nowhere"), None).unwrap();
        let of = |number| {
            let created = jiff::Timestamp::UNIX_EPOCH;
            Generation::empty(number, created, "acme".to_owned(), String::new())
        };
        assert_eq!(next(&state, None).unwrap(), 1);
        assert_eq!(next(&state, Some(&of(7))).unwrap(), 8);
        let error = next(&state, Some(&of(u64::MAX))).unwrap_err();
        assert!(matches!(error, Cause::State(StateError::Damaged { .. })));
    }
}
