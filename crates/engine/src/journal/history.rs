//! What a journal tells of its run.

use std::collections::{BTreeMap, BTreeSet};

use super::JournalError;
use super::record::{self, Operation, Record};
use super::seal::Sealed;
use crate::apply::Kept;
use crate::plan::Plan;
use crate::selection::Selection;
use crate::state::Generation;

/// A run that was begun and is not at its end.
#[derive(Debug, Clone)]
pub struct Unfinished {
    pub(crate) name: String,
    /// How many lines its journal had.
    pub(super) lines: u64,
    /// Somebody is at work on it, as far as the clocks of two machines can tell.
    pub alive: bool,
    /// Somebody may be: its lease was not given back, and nobody knows of its holder that it is gone.
    pub(crate) held: bool,
    /// It has done nothing, or everything: only what it has left behind is to be cleared away.
    pub over: bool,
    /// Of the lease under which it was gone on with last.
    pub(super) token: Option<u64>,
    /// The person and the machine that began it.
    pub who: String,
    /// When it began.
    pub when: jiff::Timestamp,
    /// Until when it waits to be confirmed, where it does.
    pub waiting: Option<jiff::Timestamp>,
    /// Somebody confirmed it.
    pub confirmed: bool,
    /// What was done was being taken back.
    pub undoing: bool,
    /// What it is for.
    pub operation: Operation,
    /// What it wants, and how its targets are reached.
    pub(crate) kept: Option<Kept>,
    /// The plans that it has carried out one after the other, each as far as it came.
    pub(crate) attempts: Vec<Attempt>,
    /// What is to be recorded of it, once it has come to its good end.
    pub(super) recording: Option<Box<Generation>>,
    ended: bool,
}

/// A plan, and how far it came.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) plan: Plan,
    pub(crate) targets: BTreeMap<String, Progress>,
    pub(crate) taken_back: bool,
}

/// How far one target came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// What was known before the first step.
    pub(super) prepared: Option<Sealed>,
    /// Steps that were or may have been carried out, and were not taken back, in their order.
    pub(crate) begun: Vec<String>,
    /// Those of them that were, for certain.
    pub(crate) done: BTreeSet<String>,
    /// Those of them whose undo steps were begun, the last of which may not have been reached.
    pub(crate) half_undone: BTreeSet<String>,
    pub(super) captured: Vec<Sealed>,
    pub(crate) committed: bool,
    pub(crate) verified: bool,
}

/// How far a target of an unfinished run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Reached {
    Untouched,
    Begun,
    Committed,
    Verified,
}

impl Unfinished {
    /// Reads the journal of a run.
    pub(super) fn of(name: &str, lines: &[Vec<u8>]) -> Result<Self, JournalError> {
        let mut run = Self {
            name: name.to_owned(),
            lines: lines.len() as u64,
            alive: false,
            held: false,
            over: false,
            token: None,
            who: String::new(),
            when: jiff::Timestamp::UNIX_EPOCH,
            waiting: None,
            confirmed: false,
            undoing: false,
            operation: Operation::Apply,
            kept: None,
            attempts: Vec::new(),
            recording: None,
            ended: false,
        };
        if let Some(first) = lines.first() {
            record::known_format(first)?;
        }
        for line in lines {
            for record in record::read(line)? {
                run.take(record);
            }
        }
        Ok(run)
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Begin {
                format: _,
                operation,
                who,
                when,
                token,
                plan,
                kept,
            } => {
                self.operation = operation;
                self.who = who;
                self.when = when;
                self.token = Some(token);
                self.kept = Some(kept);
                self.attempts.push(Attempt::new(*plan));
            }
            Record::Again { plan } => {
                self.undoing = false;
                self.waiting = None;
                self.confirmed = false;
                self.attempts.push(Attempt::new(*plan));
            }
            Record::Fence { token, .. } => self.token = token,
            Record::Confirmed { .. } => self.confirmed = true,
            Record::Undoing => {
                self.undoing = true;
                self.recording = None;
                for target in self
                    .attempts
                    .iter_mut()
                    .flat_map(|of| of.targets.values_mut())
                {
                    target.committed = false;
                    target.verified = false;
                }
            }
            Record::TakenBack { attempt } => {
                if let Some(attempt) = self.attempts.get_mut(attempt) {
                    attempt.taken_back = true;
                }
            }
            Record::Waiting { until } => self.waiting = Some(until),
            Record::Recording { generation } => self.recording = Some(generation),
            Record::Ended => self.ended = true,
            Record::Prepared { target, sealed } => self.at(target, |at| at.prepared = sealed),
            Record::Start { target, steps } => self.at(target, |at| at.begun.extend(steps)),
            Record::Done {
                target,
                step,
                captured,
            } => self.at(target, |at| {
                at.done.insert(step);
                at.captured.extend(captured);
            }),
            Record::UndoStart {
                target,
                step,
                captured,
            } => self.at(target, |at| {
                at.half_undone.insert(step);
                at.captured.extend(captured);
            }),
            Record::Never { target, step } | Record::Undone { target, step } => {
                self.at(target, |at| {
                    at.begun.retain(|begun| *begun != step);
                    at.done.remove(&step);
                    at.half_undone.remove(&step);
                });
            }
            Record::Committed { target } => self.at(target, |at| at.committed = true),
            Record::Verified { target } => self.at(target, |at| at.verified = true),
        }
    }

    fn at(&mut self, target: String, change: impl FnOnce(&mut Progress)) {
        // They are taken back one after the other, the last first.
        let mut attempts = self.attempts.iter_mut().rev();
        if let Some(attempt) = attempts.find(|attempt| !attempt.taken_back) {
            change(attempt.targets.entry(target).or_default());
        }
    }

    /// The site, where anything of the run was written down.
    #[must_use]
    pub fn site(&self) -> &str {
        self.attempts
            .first()
            .map_or("", |attempt| attempt.plan.site.as_str())
    }

    /// SHA-256 of the topology that it was made from, in hexadecimal.
    #[must_use]
    pub fn topology(&self) -> &str {
        self.attempts
            .first()
            .map_or("", |attempt| attempt.plan.topology.sha256.as_str())
    }

    /// The targets that it is about.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let plans = self.attempts.first();
        let left_out = plans.into_iter().flat_map(|attempt| &attempt.plan.left_out);
        Selection::new([], left_out.map(|left_out| left_out.name.clone()))
    }

    /// Each target that it was to change, with how far it came.
    #[must_use]
    pub fn targets(&self) -> Vec<(&str, Reached)> {
        let Some(attempt) = self.attempts.last() else {
            return Vec::new();
        };
        let parts = attempt.plan.targets.iter();
        parts
            .filter(|part| !part.changes.is_empty())
            .map(|part| {
                let reached = attempt.targets.get(&part.name);
                (
                    part.name.as_str(),
                    reached.map_or(Reached::Untouched, Progress::reached),
                )
            })
            .collect()
    }

    /// There is nothing to take back or to finish: only what waits beside files is to be cleared away.
    pub(crate) fn is_over(&self, last: Option<&Generation>) -> bool {
        match &self.recording {
            _ if self.ended => true,
            Some(_) => self.unrecorded(last).is_none(),
            None => self.did_nothing(),
        }
    }

    /// What is still to be recorded of it.
    pub(crate) fn unrecorded(&self, last: Option<&Generation>) -> Option<&Generation> {
        let generation = self.recording.as_deref().filter(|_| !self.ended)?;
        let is_there = last.is_some_and(|last| last.number >= generation.number);
        (!is_there).then_some(generation)
    }

    /// It has come to its good end: nobody takes it back any more, though its generation may still have to be recorded.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.recording.is_some()
    }

    /// The targets beside whose files something of it may wait.
    pub(crate) fn may_wait_at(&self) -> impl Iterator<Item = &str> {
        let targets = self.attempts.iter().flat_map(|attempt| &attempt.targets);
        targets.filter_map(|(name, at)| at.prepared.is_some().then_some(name.as_str()))
    }

    /// Nothing was done that could be noticed: it is over as soon as what waits beside files is cleared away.
    fn did_nothing(&self) -> bool {
        self.attempts.iter().all(|attempt| {
            attempt.taken_back
                || attempt
                    .targets
                    .values()
                    .all(|at| at.begun.is_empty() && !at.committed)
        })
    }
}

impl Progress {
    fn reached(&self) -> Reached {
        if self.verified {
            Reached::Verified
        } else if self.committed {
            Reached::Committed
        } else if self.begun.is_empty() {
            Reached::Untouched
        } else {
            Reached::Begun
        }
    }
}

impl Attempt {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            targets: BTreeMap::new(),
            taken_back: false,
        }
    }
}
