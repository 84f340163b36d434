//! What finishing a run will do at each target: known from the journal alone, so that it can be said before it is begun.

use crate::apply::run::can_go_on;
use crate::journal::{Attempt, Progress, Unfinished};

/// What finishing a run does at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It was done and read back: it stays.
    Kept,
    /// The steps that are missing are carried out.
    Completed,
    /// What was done is rolled back, then all of it is applied again.
    RolledBack,
    /// Nothing was done there yet: it is applied.
    Applied,
}

impl Unfinished {
    /// Each target that the run was to change, with what finishing the run will do there. A target that cannot be completed
    /// after all is rolled back, which is told when it happens.
    #[must_use]
    pub fn courses(&self) -> Vec<(&str, Course)> {
        let Some((attempt, resumable)) = self.left() else {
            return Vec::new();
        };
        let mut resumable = resumable;
        let parts = attempt.plan.targets.iter();
        parts
            .filter(|part| !part.changes.is_empty())
            .map(|part| {
                let course = match attempt.targets.get(&part.name) {
                    Some(progress) if progress.verified => Course::Kept,
                    Some(progress) => {
                        // Targets are completed in their order, up to the first that cannot be.
                        resumable &= can_go_on(part, progress);
                        match progress.did_something() {
                            true if resumable => Course::Completed,
                            true => Course::RolledBack,
                            false => Course::Applied,
                        }
                    }
                    None => Course::Applied,
                };
                (part.name.as_str(), course)
            })
            .collect()
    }

    /// The attempt of which something is left, or the last one, and whether it can be gone on with.
    fn left(&self) -> Option<(&Attempt, bool)> {
        let mut attempts = self.attempts.iter().enumerate().rev();
        match attempts.find(|(_, attempt)| !attempt.taken_back) {
            // What was being taken back is half here and half there.
            Some((at, attempt)) => Some((attempt, !self.undoing && at + 1 == self.attempts.len())),
            None => Some((self.attempts.last()?, false)),
        }
    }
}

impl Progress {
    fn did_something(&self) -> bool {
        !self.begun.is_empty() || self.committed
    }
}
