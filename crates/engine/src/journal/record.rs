//! What stands in a journal. A line holds several records: those that became durable together.

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::seal::Sealed;
use crate::apply::Kept;
use crate::plan::Plan;
use crate::state::Generation;

/// The format that this version writes, and the only one that it reads: a run is ended by the version that began it.
pub(super) const FORMAT_VERSION: &str = "2.2";

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// To bring about what the topology says.
    Apply,
    /// To bring back what a generation recorded.
    Rollback,
}

/// One thing that happened, or is about to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record", deny_unknown_fields)]
pub(super) enum Record {
    /// The first.
    Begin {
        format: String,
        operation: Operation,
        who: String,
        when: jiff::Timestamp,
        /// Of the lease under which it is at work.
        token: u64,
        plan: Box<Plan>,
        /// What it wants, and how its targets are reached.
        kept: Kept,
    },
    /// From here on it is somebody else's. Whoever was at work on it learns that before the next step.
    Fence {
        who: String,
        when: jiff::Timestamp,
        /// Of the lease under which somebody goes on with it; none where nobody does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// From here on this plan is carried out, on top of what was done so far.
    Again { plan: Box<Plan> },
    /// Nothing was done to the target yet.
    Prepared {
        target: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Sealed>,
    },
    /// May have been carried out from now on.
    Start { target: String, steps: Vec<String> },
    /// Was carried out.
    Done {
        target: String,
        step: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captured: Option<Sealed>,
    },
    /// Was not carried out.
    Never { target: String, step: String },
    /// All steps were.
    Committed { target: String },
    /// It was read back and is as wanted.
    Verified { target: String },
    /// Everything is to be taken back.
    Undoing,
    /// Was carried out as far as anybody can tell, and may have been taken back in part from now on.
    UndoStart {
        target: String,
        step: String,
        /// What taking it back needs and cannot be looked for any more once that was begun.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captured: Option<Sealed>,
    },
    /// Was taken back.
    Undone { target: String, step: String },
    /// Everything of this attempt was; the files, too.
    TakenBack { attempt: usize },
    /// Somebody has to confirm it.
    Waiting { until: jiff::Timestamp },
    /// Somebody did.
    Confirmed { who: String, when: jiff::Timestamp },
    /// The run has come to its good end: nobody takes it back any more, and whoever finds it records this.
    Recording { generation: Box<Generation> },
    /// There is nothing to take back or to finish.
    Ended,
}

/// A line of records.
pub(super) fn write(records: &[Record]) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(records).map_err(JournalError::Record)
}

/// The records of a line.
pub(super) fn read(line: &[u8]) -> Result<Vec<Record>, JournalError> {
    serde_json::from_slice(line).map_err(JournalError::Record)
}

/// Refuses a journal of another format by its first line.
pub(super) fn known_format(line: &[u8]) -> Result<(), JournalError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format: String,
    }
    // Before lines held several records, they were one each.
    let one = || serde_json::from_slice::<Head>(line).map(|head| vec![head]);
    let heads = serde_json::from_slice::<Vec<Head>>(line).or_else(|_| one());
    let format = heads
        .map_err(JournalError::Record)?
        .into_iter()
        .next()
        .map_or_else(String::new, |head| head.format);
    match format == FORMAT_VERSION {
        true => Ok(()),
        false => Err(JournalError::Format {
            found: format.chars().take(20).collect(),
        }),
    }
}
