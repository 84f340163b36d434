//! What a run is about to do, written down before it does it.
//!
//! No effect happens without its record in the state, so that whoever finds a run that was interrupted – the machine lost
//! its power, the process was killed – knows what may have happened, and what brings everything back. At the end of a
//! run its journal goes away. It holds no secret: values of servers are sealed.
//!
//! Records are numbered, and nobody can add one that is not the next. So whoever takes a run over shuts out the one who
//! was at work on it by adding a record: from then on that one writes nothing down any more, and does nothing.

mod error;
mod find;
mod history;
mod record;
mod seal;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use switchover_effects::folder::Intent;
use switchover_effects::store::Store;

use crate::apply::Kept;
use crate::diff::hex;
use crate::plan::{Plan, Procedure};
use crate::state::{Generation, Guard, Lease};

pub use error::{Fenced, JournalError};
pub use find::break_lease;
pub(crate) use find::{confirm, kept, runs};
pub(crate) use history::{Attempt, Progress};
pub use history::{Reached, Unfinished};
pub use record::Operation;
pub(crate) use seal::Keys;

use record::{FORMAT_VERSION, Record};
use seal::{Sealed, random};

/// Where journals are.
const RUNS: &str = "runs";

/// What a target's undo will need and the plan does not say.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prepared {
    /// What will happen to its files.
    pub(crate) intent: Option<Intent>,
    /// Answers that its steps refer to, by query.
    pub(crate) observed: HashMap<String, Value>,
}

impl Prepared {
    /// Of all answers, only those that the steps refer to.
    pub(crate) fn new(
        intent: Option<Intent>,
        observed: &HashMap<String, Value>,
        procedure: &Procedure,
    ) -> Result<Self, JournalError> {
        let text = serde_json::to_string(procedure).map_err(JournalError::Record)?;
        let is_used = |query: &str| text.contains(&format!("${{observed:{query}#"));
        let used = observed.iter().filter(|(query, _)| is_used(query));
        Ok(Self {
            intent,
            observed: used
                .map(|(query, answer)| (query.clone(), answer.clone()))
                .collect(),
        })
    }

    fn is_empty(&self) -> bool {
        self.intent.is_none() && self.observed.is_empty()
    }
}

/// The journal of a run that is at work.
#[derive(Debug)]
pub(crate) struct Journal {
    name: String,
    log: String,
    /// How often the run was begun: once, and once more for each time that it was gone on with.
    attempt: usize,
    keys: Keys,
    store: Store,
    guard: Guard,
    tail: Mutex<Tail>,
}

/// The end of the log, as far as this process knows it.
#[derive(Debug, Default)]
struct Tail {
    /// How many lines there are.
    at: u64,
    /// What becomes durable with the next line.
    pending: Vec<Record>,
    /// Lines of ours of which nobody knows whether they were written. At most one of them is the next.
    unsure: Vec<Vec<u8>>,
    confirmed: Option<String>,
    fenced: Option<Fenced>,
}

impl Journal {
    /// Writes down that a run begins. The plan is all that it will do.
    pub(crate) async fn begin(
        store: &Store,
        lease: &Lease,
        keys: Keys,
        plan: &Plan,
        kept: &Kept,
    ) -> Result<Self, JournalError> {
        let mut bytes = [0; 8];
        random(&mut bytes)?;
        let name = hex(&bytes);
        let begin = Record::Begin {
            format: FORMAT_VERSION.to_owned(),
            operation: match kept.rollback_of {
                None => Operation::Apply,
                Some(_) => Operation::Rollback,
            },
            who: who(),
            when: jiff::Timestamp::now(),
            token: lease.token(),
            plan: Box::new(plan.clone()),
            kept: kept.clone(),
        };
        let journal = Self::new(store, lease, keys, name, 0, 0);
        journal.durable(begin).await?;
        // Whoever took the lease before this record was there did not see it, and shut nobody out.
        if !lease.is_ours().await? {
            store.remove_log(&journal.log).await?;
            return Err(journal.shut_out(Fenced::LeaseLost));
        }
        Ok(journal)
    }

    /// Takes over the journal of a run that nobody is at work on, under a lease. None where it has come to its end.
    pub(crate) async fn take_over(
        store: &Store,
        lease: &Lease,
        name: &str,
    ) -> Result<Option<(Self, Unfinished)>, JournalError> {
        loop {
            let log = format!("{RUNS}/{name}");
            let lines = store.read_log(&log).await?;
            if lines.is_empty() {
                return Ok(None);
            }
            let unfinished = Unfinished::of(name, &lines)?;
            let fence = Record::Fence {
                who: who(),
                when: jiff::Timestamp::now(),
                token: Some(lease.token()),
                why: None,
            };
            let at = lines.len() as u64;
            match store.append(&log, at, &record::write(&[fence])?).await {
                Ok(()) => {}
                // The one who was at work on it has just added something.
                Err(error) if error.is_moved() => continue,
                Err(error) => return Err(error.into()),
            }
            let attempt = unfinished.attempts.len().saturating_sub(1);
            let name = name.to_owned();
            let journal = Self::new(store, lease, Keys::of(store), name, attempt, at + 1);
            return Ok(Some((journal, unfinished)));
        }
    }

    fn new(
        store: &Store,
        lease: &Lease,
        keys: Keys,
        name: String,
        attempt: usize,
        at: u64,
    ) -> Self {
        Self {
            log: format!("{RUNS}/{name}"),
            name,
            attempt,
            keys,
            store: store.clone(),
            guard: lease.guard(),
            tail: Mutex::new(Tail {
                at,
                ..Tail::default()
            }),
        }
    }

    /// What the run is going on with from here.
    pub(crate) async fn again(&mut self, plan: &Plan) -> Result<(), JournalError> {
        let plan = Box::new(plan.clone());
        self.durable(Record::Again { plan }).await?;
        self.attempt += 1;
        Ok(())
    }

    /// A name for the files in waiting of a target that no other run and no other target has.
    pub(crate) fn batch_name(&self, plan: &Plan, target: &str) -> String {
        let mut names = plan.targets.iter().map(|part| part.name.as_str());
        let at = names.position(|name| name == target).unwrap_or_default();
        format!("{}-{}-{at}", self.name, self.attempt)
    }

    /// What is known of a target before anything is done to it.
    pub(crate) async fn prepared(
        &self,
        target: &str,
        prepared: &Prepared,
    ) -> Result<(), JournalError> {
        let sealed = match prepared.is_empty() {
            true => None,
            false => Some(self.keys.key()?.seal(&self.place(target), prepared)?),
        };
        let target = target.to_owned();
        self.durable(Record::Prepared { target, sealed }).await
    }

    /// These steps are about to be carried out.
    pub(crate) async fn start<'s>(
        &self,
        target: &str,
        steps: impl IntoIterator<Item = &'s str>,
    ) -> Result<(), JournalError> {
        let start = Record::Start {
            target: target.to_owned(),
            steps: steps.into_iter().map(str::to_owned).collect(),
        };
        self.durable(start).await
    }

    /// A step was carried out. Not durable by itself: until the next record it may have happened or not.
    pub(crate) async fn done(
        &self,
        target: &str,
        step: &str,
        captured: &BTreeMap<String, Value>,
    ) -> Result<(), JournalError> {
        let captured = self.sealed(&self.place(target), captured)?;
        // What an undo will need must be known before anything that follows from it.
        let durable = captured.is_some();
        let done = Record::Done {
            target: target.to_owned(),
            step: step.to_owned(),
            captured,
        };
        if durable {
            return self.durable(done).await;
        }
        self.soon(done);
        Ok(())
    }

    fn sealed(
        &self,
        place: &str,
        captured: &BTreeMap<String, Value>,
    ) -> Result<Option<Sealed>, JournalError> {
        match captured.is_empty() {
            true => Ok(None),
            false => Ok(Some(self.keys.key()?.seal(place, captured)?)),
        }
    }

    /// A step was not carried out, for certain.
    pub(crate) fn never(&self, target: &str, step: &str) {
        self.soon(Record::Never {
            target: target.to_owned(),
            step: step.to_owned(),
        });
    }

    pub(crate) fn committed(&self, target: &str) {
        let target = target.to_owned();
        self.soon(Record::Committed { target });
    }

    pub(crate) fn verified(&self, target: &str) {
        let target = target.to_owned();
        self.soon(Record::Verified { target });
    }

    /// What was done is about to be taken back.
    pub(crate) async fn undoing(&self) -> Result<(), JournalError> {
        self.durable(Record::Undoing).await
    }

    /// A step that was carried out is about to be taken back, with these values: one of this run, or of an attempt that
    /// another process has left. Where that cannot be written, it becomes durable with what can be.
    pub(crate) async fn undo_start(
        &self,
        attempt: Option<usize>,
        target: &str,
        step: &str,
        captured: &BTreeMap<String, Value>,
    ) -> Result<(), JournalError> {
        let place = place(&self.name, attempt.unwrap_or(self.attempt), target);
        let undo_start = Record::UndoStart {
            target: target.to_owned(),
            step: step.to_owned(),
            captured: self.sealed(&place, captured)?,
        };
        let written = self.durable(undo_start.clone()).await;
        if written.is_err() {
            self.soon(undo_start);
        }
        written
    }

    /// A step was taken back.
    pub(crate) fn undone(&self, target: &str, step: &str) {
        self.soon(Record::Undone {
            target: target.to_owned(),
            step: step.to_owned(),
        });
    }

    /// Everything of an attempt was taken back.
    pub(crate) async fn taken_back(&self, attempt: usize) -> Result<(), JournalError> {
        self.durable(Record::TakenBack { attempt }).await
    }

    /// Everything is done, and somebody has to confirm it.
    pub(crate) async fn waiting(&self, until: jiff::Timestamp) -> Result<(), JournalError> {
        self.durable(Record::Waiting { until }).await
    }

    /// How often whoever waits should look.
    pub(crate) fn look_every(&self) -> Duration {
        match self.store.folder() {
            Some(_) => Duration::from_millis(200),
            None => Duration::from_secs(2),
        }
    }

    /// Whether somebody confirmed it, and who.
    pub(crate) async fn confirmed(&self) -> Result<Option<String>, JournalError> {
        self.hold()?;
        let at = self.tail().at;
        if self.store.record(&self.log, at).await?.is_some() {
            self.catch_up().await?;
        }
        Ok(self.tail().confirmed.clone())
    }

    /// Nobody confirmed it in time, and it is going to be taken back. Whoever was just in time is told of instead.
    pub(crate) async fn expire(&self) -> Result<Option<String>, JournalError> {
        let line = record::write(&[Record::Undoing])?;
        loop {
            if self.add(&line).await? {
                return Ok(None);
            }
            self.catch_up().await?;
            if let Some(who) = self.tail().confirmed.clone() {
                return Ok(Some(who));
            }
        }
    }

    /// The run has come to its good end, and this is recorded of it: by this process, or by whoever finds the journal.
    /// Nobody takes it back any more.
    pub(crate) async fn recording(&self, generation: &Generation) -> Result<(), JournalError> {
        let generation = Box::new(generation.clone());
        self.durable(Record::Recording { generation }).await
    }

    /// Whether a record of that, whose writing failed, is not there for certain and never will be. Of an object store
    /// nobody can tell: a request that was not answered may still be carried out.
    pub(crate) async fn is_not_recording(&self) -> bool {
        if self.store.folder().is_none() {
            return false;
        }
        let lines = self.store.read_log(&self.log).await;
        let run = lines
            .map_err(JournalError::from)
            .and_then(|lines| Unfinished::of(&self.name, &lines));
        run.is_ok_and(|run| run.recording.is_none())
    }

    /// The run is at its end but for what still waits beside files.
    pub(crate) async fn ended(&self) -> Result<(), JournalError> {
        self.durable(Record::Ended).await
    }

    /// Makes durable what is not yet.
    pub(crate) async fn flush(&self) -> Result<(), JournalError> {
        let pending = std::mem::take(&mut self.tail().pending);
        if pending.is_empty() {
            return Ok(());
        }
        let written = self.write(&pending).await;
        if written.is_err() {
            self.still_pending(pending);
        }
        written
    }

    /// Removes the journal: nothing is left of the run.
    pub(crate) async fn remove(self) -> Result<(), JournalError> {
        Ok(self.store.remove_log(&self.log).await?)
    }

    /// What was sealed of a target in an attempt.
    pub(crate) fn open(
        &self,
        attempt: usize,
        target: &str,
        progress: &Progress,
    ) -> Result<(Prepared, BTreeMap<String, Value>), JournalError> {
        let place = place(&self.name, attempt, target);
        let prepared = match &progress.prepared {
            Some(sealed) => self.keys.opening()?.open(&place, sealed)?,
            None => Prepared::default(),
        };
        let mut captured = BTreeMap::new();
        for sealed in &progress.captured {
            captured.append(&mut self.keys.opening()?.open(&place, sealed)?);
        }
        Ok((prepared, captured))
    }

    /// Seals and opens what is secret of the run.
    pub(crate) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Fails where the run is somebody else's by now, or may be.
    pub(crate) fn hold(&self) -> Result<(), JournalError> {
        if let Some(fenced) = self.fenced() {
            return Err(JournalError::Fenced(fenced));
        }
        match self.guard.is_lost() {
            true => Err(self.shut_out(Fenced::LeaseLost)),
            false => Ok(()),
        }
    }

    /// Why the run is no longer its own, where it is not.
    pub(crate) fn fenced(&self) -> Option<Fenced> {
        self.tail().fenced.clone()
    }

    fn shut_out(&self, fenced: Fenced) -> JournalError {
        let mut tail = self.tail();
        JournalError::Fenced(tail.fenced.get_or_insert(fenced).clone())
    }

    fn place(&self, target: &str) -> String {
        place(&self.name, self.attempt, target)
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Becomes durable with what follows.
    fn soon(&self, record: Record) {
        self.tail().pending.push(record);
    }

    /// Is durable, with all before it, when this ends. Not to be dropped before.
    async fn durable(&self, record: Record) -> Result<(), JournalError> {
        let mut records = std::mem::take(&mut self.tail().pending);
        records.push(record);
        let written = self.write(&records).await;
        if written.is_err() {
            // Whoever asked for this one knows that it failed; of those before it nobody does.
            records.pop();
            self.still_pending(records);
        }
        written
    }

    /// Puts back what could not be written. Where it was after all, reading it twice is reading it once.
    fn still_pending(&self, records: Vec<Record>) {
        self.tail().pending.splice(0..0, records);
    }

    async fn write(&self, records: &[Record]) -> Result<(), JournalError> {
        let line = record::write(records)?;
        while !self.add(&line).await? {
            self.catch_up().await?;
        }
        // Writing may have taken long.
        self.hold()
    }

    /// Adds a line; false where the log has another end than this process knows.
    async fn add(&self, line: &[u8]) -> Result<bool, JournalError> {
        self.hold()?;
        let at = self.tail().at;
        let added = self.store.append(&self.log, at, line).await;
        let mut tail = self.tail();
        match added {
            Ok(()) => {
                tail.at = at + 1;
                tail.unsure.clear();
                Ok(true)
            }
            Err(error) if error.is_moved() => Ok(false),
            Err(error) => {
                tail.unsure.push(line.to_owned());
                Err(error.into())
            }
        }
    }

    /// Reads what others have added.
    async fn catch_up(&self) -> Result<(), JournalError> {
        let first = self.tail().at;
        let mut at = first;
        while let Some(line) = self.store.record(&self.log, at).await? {
            let is_own = self.tail().unsure.contains(&line);
            if is_own {
                self.tail().unsure.clear();
            } else {
                for record in record::read(&line)? {
                    match record {
                        Record::Confirmed { who, .. } => self.tail().confirmed = Some(who),
                        Record::Fence { who, .. } => {
                            return Err(self.shut_out(Fenced::TakenOver { who }));
                        }
                        _ => return Err(self.shut_out(Fenced::LeaseLost)),
                    }
                }
            }
            at += 1;
        }
        if at == first {
            // Somebody else has brought it to its end, and removed it.
            return Err(self.shut_out(Fenced::LeaseLost));
        }
        self.tail().at = at;
        Ok(())
    }
}

/// Where a sealed value belongs.
fn place(run: &str, attempt: usize, target: &str) -> String {
    format!("{run}/{attempt}/{target}")
}

/// The person (as the system calls them) and the machine.
pub fn who() -> String {
    let user = switchover_effects::process::user();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let who = match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    };
    // A claim beside what the system says: whoever is root may write there what they like.
    match std::env::var("SUDO_USER") {
        Ok(sudo) if !sudo.is_empty() && who.starts_with("root@") => {
            format!("{who} (sudo by {sudo})")
        }
        _ => who,
    }
}

#[cfg(test)]
mod tests;
