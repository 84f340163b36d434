//! The audit log: what was done to a site, by whom and with which outcome, for good.
//!
//! It is kept with the site's state and only grows. Each record holds the SHA-256 of the one before, and a mark beside the
//! log tells how far it went at least, so that a record that was changed, removed or put in between is noticed. It holds
//! no secret: names, digests, titles of steps, and messages that are redacted already.

mod record;
mod watch;

use std::path::Path;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use switchover_effects::store::{Store, StoreError, Tag};

use crate::diff::hex;
use crate::journal::who;

pub use record::{Counts, Entry, Happening, Operation, StepDone};
pub use watch::{apply, recover};

const LOG: &str = "audit";
const MARK: &str = "audit-mark.json";
const FORMAT_VERSION: &str = "1.0";

/// The audit log cannot serve.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum AuditError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("record {number} of the audit log cannot be read")]
    #[diagnostic(
        code(switchover::audit::record),
        help(
            "it was written by a later version, or changed by somebody: `switchover audit --verify` tells which"
        )
    )]
    Record {
        number: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("a record cannot be written as JSON")]
    #[diagnostic(
        code(switchover::audit::json),
        help("this is a defect of switchover: please report it")
    )]
    Json(#[source] serde_json::Error),
}

/// Where the records of the log stop being what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The record, counted from 1, does not follow from the one before it.
    #[error(
        "record {0} does not follow from the one before: one of them was changed, or others were removed"
    )]
    Link(usize),
    /// Fewer records than there were.
    #[error("{found} records are there, and there were {expected}: the last ones were removed")]
    Shorter {
        /// Records that are there.
        found: usize,
        /// Records that there were, at least.
        expected: usize,
    },
    /// The record up to which the log was known to go is another one.
    #[error("record {0} is not the one that was written")]
    Mark(usize),
}

/// Everything in a log.
#[derive(Debug)]
pub struct Trail {
    /// In the order of writing.
    pub entries: Vec<Entry>,
    /// SHA-256 of the last record, which stands for all of them: noted elsewhere, it proves later that none changed.
    pub head: Option<String>,
    /// Where it is not what was written.
    pub broken: Option<Break>,
}

/// How far the log goes at least.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    records: usize,
    sha256: String,
}

/// The audit log of one site.
#[derive(Debug, Clone)]
pub struct Audit {
    store: Store,
}

impl Audit {
    /// The log of a site whose state is at a location as its topology declares it.
    ///
    /// # Errors
    /// Where that is no place for state.
    pub fn at(root: &Path, location: Option<&str>) -> Result<Self, AuditError> {
        let location = location.unwrap_or(".switchover");
        Ok(Self {
            store: Store::open(root, location)?,
        })
    }

    /// The log in a state that is open already.
    #[must_use]
    pub fn of(store: Store) -> Self {
        Self { store }
    }

    /// Adds a record; gives its number. It is durable then.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn write(&self, happening: Happening) -> Result<u64, AuditError> {
        let mut entry = Entry {
            format_version: FORMAT_VERSION.to_owned(),
            number: 0,
            previous: None,
            when: jiff::Timestamp::now(),
            who: who(),
            happening,
        };
        let (mut at, mut last) = self.end().await?;
        loop {
            entry.number = at + 1;
            entry.previous = last.clone();
            let line = serde_json::to_vec(&entry).map_err(AuditError::Json)?;
            match self.store.append(LOG, at, &line).await {
                Ok(()) => {
                    let records = usize::try_from(entry.number).unwrap_or(usize::MAX);
                    self.mark(records, digest(&line)).await?;
                    return Ok(entry.number);
                }
                // Somebody else wrote one at the same time: this one follows it.
                Err(error) if error.is_moved() => {
                    let first = at;
                    while let Some(line) = self.store.record(LOG, at).await? {
                        last = Some(digest(&line));
                        at += 1;
                    }
                    if at == first {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// How many records there are, and the digest of the last one. A log only grows: where the record is there that the mark
    /// names, none before it has to be read. Those that the mark lacks are found when the next one is written.
    async fn end(&self) -> Result<(u64, Option<String>), AuditError> {
        if let Some((mark, _)) = self.read_mark().await?
            && let Some(last) = mark.records.checked_sub(1)
            && let Some(line) = self.store.record(LOG, last as u64).await?
            && digest(&line) == mark.sha256
        {
            return Ok((mark.records as u64, Some(mark.sha256)));
        }
        let lines = self.store.read_log(LOG).await?;
        Ok((lines.len() as u64, lines.last().map(|line| digest(line))))
    }

    /// Notes how far the log goes. Another process may have gone further already.
    async fn mark(&self, records: usize, sha256: String) -> Result<(), AuditError> {
        let mark = Mark { records, sha256 };
        let text = serde_json::to_vec(&mark).map_err(AuditError::Json)?;
        loop {
            let written = match self.read_mark().await? {
                Some((there, _)) if there.records >= records => return Ok(()),
                Some((_, tag)) => self.store.replace(MARK, text.clone(), &tag).await,
                None => self.store.create(MARK, text.clone()).await,
            };
            match written {
                Ok(_) => return Ok(()),
                Err(error) if error.is_moved() || error.is_exists() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn read_mark(&self) -> Result<Option<(Mark, Tag)>, AuditError> {
        let Some((bytes, tag)) = self.store.get(MARK).await? else {
            return Ok(None);
        };
        // One that cannot be read marks nothing that could be found again.
        let mark = serde_json::from_slice(&bytes).unwrap_or(Mark {
            records: 0,
            sha256: String::new(),
        });
        Ok(Some((mark, tag)))
    }

    /// Reads all records and holds each against the one before.
    ///
    /// # Errors
    /// Where they cannot be read; that they are not what was written is in the answer.
    pub async fn read(&self) -> Result<Trail, AuditError> {
        // First the mark: what is written meanwhile only makes the log longer.
        let mark = self.read_mark().await?.map(|(mark, _)| mark);
        let lines = self.store.read_log(LOG).await?;
        let entries = lines.iter().enumerate().map(|(at, line)| {
            serde_json::from_slice(line).map_err(|source| AuditError::Record {
                number: at + 1,
                source,
            })
        });
        let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
        let digests: Vec<String> = lines.iter().map(|line| digest(line)).collect();
        Ok(Trail {
            broken: broken(&entries, &digests, mark.as_ref()),
            head: digests.last().cloned(),
            entries,
        })
    }
}

fn broken(entries: &[Entry], digests: &[String], mark: Option<&Mark>) -> Option<Break> {
    let mut before = None;
    for (at, (entry, digest)) in entries.iter().zip(digests).enumerate() {
        if entry.previous.as_ref() != before || entry.number != at as u64 + 1 {
            return Some(Break::Link(at + 1));
        }
        before = Some(digest);
    }
    let mark = mark?;
    match mark.records.checked_sub(1).map(|last| digests.get(last)) {
        None => (!digests.is_empty()).then_some(Break::Mark(1)),
        Some(None) => Some(Break::Shorter {
            found: digests.len(),
            expected: mark.records,
        }),
        Some(Some(digest)) => (*digest != mark.sha256).then_some(Break::Mark(mark.records)),
    }
}

fn digest(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}

#[cfg(test)]
mod tests;
