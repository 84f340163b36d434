//! Whether a plan still fits what there is. All that moved since it was made is named at once: somebody who makes a new
//! plan wants to know what to look at in it.

use crate::context::Context;
use crate::error::ApplyError;
use crate::plan::Plan;
use crate::state::Generation;

/// What moved since a plan was made, in sentences without a full stop. None of them twice.
#[derive(Debug, Default)]
pub(crate) struct Moved(Vec<String>);

impl Moved {
    /// What can be told without asking the targets.
    pub(crate) fn since(context: &Context<'_>, plan: &Plan, last: Option<&Generation>) -> Self {
        let mut moved = Self::default();
        if jiff::Timestamp::now() >= plan.expires {
            moved.add(format!("it expired at {:.0}", plan.expires));
        }
        if plan.topology.sha256 != context.topology_digest {
            moved.add(format!(
                "the topology {} changed since (sha256 {} then, {} now)",
                context.topology_path,
                short(&plan.topology.sha256),
                short(&context.topology_digest)
            ));
        }
        let number = last.map(|generation| generation.number);
        if plan.generation != number {
            let name = |number: Option<u64>| {
                number.map_or_else(|| "none".to_owned(), |number| number.to_string())
            };
            moved.add(format!(
                "something was applied since (generation {} then, {} now)",
                name(plan.generation),
                name(number)
            ));
        }
        moved
    }

    pub(crate) fn add(&mut self, what: String) {
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error that names everything, where anything moved.
    pub(crate) fn refuse(&self) -> Result<(), ApplyError> {
        if self.is_empty() {
            return Ok(());
        }
        Err(ApplyError::Stale {
            what: self.0.join("; "),
        })
    }
}

/// As much of a digest as people compare.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
