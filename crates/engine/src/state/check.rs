//! Reading everything that is kept of a site, and naming all of it that is not as it was written.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use miette::Diagnostic;
use serde::de::IgnoredAny;

use super::blob::{self, BlobRef};
use super::error::StateError;
use super::generation::Generation;
use super::lease::{self, LeaseError};
use super::{AT_ONCE, GENERATIONS, State, file, generation_key};
use crate::audit::{Audit, AuditError, Break};
use crate::journal::{self, JournalError};

/// What was read of a state, and what of it is damaged.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many generations there are.
    pub generations: usize,
    /// How many contents there are.
    pub contents: usize,
    /// How many of them neither a generation nor an unfinished run needs.
    pub unneeded: usize,
    /// How long everything that was read is together.
    pub bytes: u64,
    /// How many records the audit log has, as far as it can be read.
    pub audit_records: usize,
    /// In the order of reading: generations, contents, then everything else.
    pub damage: Vec<Damage>,
}

/// Something that is not as it was written.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum Damage {
    /// A generation, or a content.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(StateError),
    #[error("failed to read `{place}`, which an unfinished run needs: {problem}")]
    #[diagnostic(
        code(switchover::state::run_content),
        help(
            "restore the file from a backup, then `switchover recover`; without one the run can neither be taken back nor \
             finished, and its targets have to be looked at"
        )
    )]
    RunContent { place: String, problem: String },
    #[error("the journal of an unfinished run cannot be read")]
    #[diagnostic(
        code(switchover::state::run),
        help(
            "{}",
            way_out(
                matches!(_0, JournalError::Store(error) if error.is_unread()),
                "restore it from a backup, then `switchover recover`"
            )
        )
    )]
    Run(
        #[source]
        #[diagnostic_source]
        JournalError,
    ),
    #[error("the lease of the site cannot be read")]
    #[diagnostic(
        code(switchover::state::lease),
        help(
            "{}",
            way_out(
                matches!(_0, LeaseError::Store(error) if error.is_unread()),
                "remove `lease.json` where nobody is changing the site"
            )
        )
    )]
    Lease(
        #[source]
        #[diagnostic_source]
        LeaseError,
    ),
    #[error("the audit log cannot be read")]
    #[diagnostic(
        code(switchover::state::audit),
        help(
            "{}",
            way_out(
                matches!(_0, AuditError::Store(error) if error.is_unread()),
                "restore it from a backup; nothing else needs it"
            )
        )
    )]
    Audit(
        #[source]
        #[diagnostic_source]
        AuditError,
    ),
    #[error("the audit log is not what was written: {0}")]
    #[diagnostic(
        code(switchover::audit::broken),
        help("compare it with a backup; the records before are what was written")
    )]
    Broken(Break),
}

/// What to do about something damaged. What could not be read may be whole.
const fn way_out(unread: bool, damaged: &'static str) -> &'static str {
    match unread {
        true => "make it readable for this user: it may be as it was written",
        false => damaged,
    }
}

impl Damage {
    /// Numbers of the generations that cannot be used for it, ascending.
    #[must_use]
    pub fn generations(&self) -> Vec<u64> {
        match self {
            Self::State(StateError::Blob { needed_by, .. }) => needed_by.clone(),
            Self::State(StateError::Damaged { number, .. } | StateError::Format { number, .. }) => {
                vec![*number]
            }
            _ => Vec::new(),
        }
    }

    /// The file or the object, where it is one.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::State(
                StateError::Blob { place, .. }
                | StateError::Damaged { place, .. }
                | StateError::Format { place, .. },
            )
            | Self::RunContent { place, .. } => Some(place),
            _ => None,
        }
    }
}

impl State {
    /// Reads everything, holds it against its digests and each generation against the one that it was made after, and
    /// names what is not as it was written. Nothing is written; who changes the site meanwhile is not kept from it.
    ///
    /// # Errors
    /// Where the place of the state cannot be read at all.
    pub async fn check(&self) -> Result<Checked, StateError> {
        let mut checked = Checked::default();
        let needed = self.check_generations(&mut checked).await?;
        let by_runs = match journal::kept(self.store()).await {
            Ok(blobs) => blobs.iter().map(BlobRef::key).collect(),
            Err(error) => {
                checked.damage.push(Damage::Run(error));
                BTreeSet::new()
            }
        };
        self.check_contents(&needed, &by_runs, &mut checked).await?;
        if let Err(error) = lease::lease_holder(self.store()).await {
            checked.damage.push(Damage::Lease(error));
        }
        match Audit::of(self.store().clone()).read().await {
            Ok(trail) => {
                checked.audit_records = trail.entries.len();
                checked.damage.extend(trail.broken.map(Damage::Broken));
            }
            Err(error) => checked.damage.push(Damage::Audit(error)),
        }
        Ok(checked)
    }

    /// Keys of contents with the generations that need them.
    async fn check_generations(
        &self,
        checked: &mut Checked,
    ) -> Result<BTreeMap<String, Vec<u64>>, StateError> {
        let mut needed: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let numbers = self.numbers().await?;
        let last = numbers.last().copied();
        let reading = numbers.into_iter().map(|number| async move {
            let key = generation_key(number);
            (number, self.store.get(&key).await)
        });
        let mut reading = futures_util::stream::iter(reading).buffered(AT_ONCE);
        let mut before: Option<(u64, String)> = None;
        while let Some((number, found)) = reading.next().await {
            // One that went away since was removed by somebody who may.
            let found = match found {
                Ok(found) => found,
                // Why one cannot be read may hold for it alone.
                Err(error) => {
                    before = None;
                    checked.damage.push(Damage::State(error.into()));
                    continue;
                }
            };
            let Some((bytes, _)) = found else { continue };
            checked.generations += 1;
            checked.bytes += bytes.len() as u64;
            match read_one(number, &bytes, before.as_ref()) {
                Ok((generation, sha256)) => {
                    before = Some((number, sha256));
                    for blob in generation
                        .blobs()
                        .map(BlobRef::key)
                        .collect::<BTreeSet<_>>()
                    {
                        needed.entry(blob).or_default().push(number);
                    }
                }
                Err(unreadable) => {
                    before = None;
                    let place = self.store.place(&generation_key(number));
                    let error = unreadable.of(number, place, last == Some(number));
                    checked.damage.push(Damage::State(error));
                }
            }
        }
        Ok(needed)
    }

    async fn check_contents(
        &self,
        needed: &BTreeMap<String, Vec<u64>>,
        by_runs: &BTreeSet<String>,
        checked: &mut Checked,
    ) -> Result<(), StateError> {
        let there: BTreeSet<String> = self.store.list(blob::FOLDER).await?.into_iter().collect();
        let keys: BTreeSet<&String> = there.iter().chain(needed.keys()).chain(by_runs).collect();
        let reading = keys
            .into_iter()
            .map(|key| async move { (key, self.store.get(key).await) });
        let mut reading = futures_util::stream::iter(reading).buffered(AT_ONCE);
        while let Some((key, found)) = reading.next().await {
            let users = needed.get(key).cloned().unwrap_or_default();
            let by_run = by_runs.contains(key);
            let problem = match found? {
                Some((bytes, _)) => {
                    checked.contents += 1;
                    checked.bytes += bytes.len() as u64;
                    checked.unneeded += usize::from(users.is_empty() && !by_run);
                    problem_of(key, &bytes)
                }
                None => Some("it is gone".to_owned()),
            };
            let Some(problem) = problem else { continue };
            let is_gone = !there.contains(key) || self.store.get(key).await?.is_none();
            let place = self.store.place(key);
            if by_run {
                checked.damage.push(Damage::RunContent { place, problem });
                continue;
            }
            let needed_by = if is_gone {
                self.still(users).await?
            } else {
                users
            };
            // It went away with the generations that needed it.
            if is_gone && needed_by.is_empty() {
                continue;
            }
            checked.damage.push(Damage::State(StateError::Blob {
                place,
                problem,
                needed_by,
            }));
        }
        Ok(())
    }

    /// Those of these generations that are still there.
    async fn still(&self, mut numbers: Vec<u64>) -> Result<Vec<u64>, StateError> {
        let there = self.numbers().await?;
        numbers.retain(|number| there.contains(number));
        Ok(numbers)
    }

    /// Whether nothing was ever kept here.
    ///
    /// # Errors
    /// Where that cannot be told.
    pub async fn is_blank(&self) -> Result<bool, StateError> {
        let store = self.store();
        if !store.list(GENERATIONS).await?.is_empty() || store.get(lease::KEY).await?.is_some() {
            return Ok(false);
        }
        // What is there and cannot be read is told by whoever needs it.
        let runs = journal::runs(store).await;
        let trail = Audit::of(store.clone()).read().await;
        Ok(runs.is_ok_and(|runs| runs.is_empty())
            && trail.is_ok_and(|trail| trail.entries.is_empty() && trail.broken.is_none()))
    }
}

fn read_one(
    number: u64,
    bytes: &[u8],
    before: Option<&(u64, String)>,
) -> Result<(Generation, String), file::Unreadable> {
    let (generation, sha256) = file::read(bytes)?;
    if generation.number != number {
        let named = generation.number;
        let problem = format!("it says that it is generation {named}");
        return Err(file::Unreadable::damaged(problem));
    }
    match (before, &generation.parent) {
        (Some((earlier, digest)), Some(parent)) if earlier + 1 == number && digest != parent => {
            let problem = format!("it was not made after generation {earlier} as that is now");
            Err(file::Unreadable::damaged(problem))
        }
        _ => Ok((generation, sha256)),
    }
}

/// What is the matter with a content.
fn problem_of(key: &str, bytes: &[u8]) -> Option<String> {
    if BlobRef::of(bytes).key() != key {
        return Some("its content is not what its name says".to_owned());
    }
    serde_json::from_slice::<IgnoredAny>(bytes)
        .err()
        .map(|error| error.to_string())
}
