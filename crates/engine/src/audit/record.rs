//! What stands in an audit log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::Commands;
use crate::event::Phase;

/// One record: a line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `1.0`
    pub format_version: String,
    /// Counts from 1.
    pub number: u64,
    /// SHA-256 of the record before, in hexadecimal; none for the first.
    pub previous: Option<String>,
    /// When it was written, by the clock of the machine that wrote it.
    pub when: jiff::Timestamp,
    /// The person and the machine, such as `ada@ops1`.
    pub who: String,
    /// What happened.
    pub happening: Happening,
}

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A plan is carried out.
    Apply,
    /// What an earlier generation wanted is brought back.
    Rollback,
    /// What the last generation wanted is brought back, where servers are no longer as it left them.
    ApplyOnlyDrift,
    /// An interrupted run is taken back.
    RecoverBack,
    /// An interrupted run is finished.
    RecoverForward,
    /// An interrupted run is forgotten, everything left as it is.
    RecoverLeave,
}

/// What happened to a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Happening {
    /// Written before anything is done: whatever becomes of the operation, it was begun.
    Begun {
        /// Which.
        operation: Operation,
        /// The site's name.
        site: String,
        /// SHA-256 over the topology's files.
        topology: String,
        /// What names the plan, as `plan --out` prints it; none where there is no plan yet.
        plan: Option<String>,
        /// The generation that says what is wanted; none where the topology does.
        wanted_generation: Option<u64>,
        /// Digests of the plugins, by name.
        plugins: BTreeMap<String, String>,
        /// Planned changes by target; only targets with any.
        targets: BTreeMap<String, Counts>,
        /// Commands that are run instead of those that the run recorded.
        #[serde(default, skip_serializing_if = "Commands::is_empty")]
        commands: Commands,
    },
    /// How it ended.
    Ended {
        /// Number of the record that it began with.
        begun: u64,
        /// `applied`, `nothing-changed`, `rolled-back`, `not-confirmed`, `partial`, `refused`, `taken-back`, `finished`, `left`, `fenced`,
        /// `failed`
        result: String,
        /// The generation that was recorded.
        generation: Option<u64>,
        /// Why it failed.
        error: Option<String>,
        /// Who confirmed it, where somebody had to.
        confirmed_by: Option<String>,
        /// Every step that was begun, in that order.
        steps: Vec<StepDone>,
    },
    /// A lock was taken from whoever held it.
    LockBroken {
        /// Who held it.
        holder: String,
        /// Why.
        reason: Option<String>,
    },
}

/// Changes of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each says itself")]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
}

/// A step that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDone {
    /// The target's name.
    pub target: String,
    /// `stage`, `commit`, `verify` or `undo`
    pub phase: String,
    /// As the plan shows it.
    pub title: String,
}

impl StepDone {
    pub(super) fn new(target: String, phase: Phase, title: String) -> Self {
        let phase = match phase {
            Phase::Stage => "stage",
            Phase::Commit => "commit",
            Phase::Verify => "verify",
            Phase::Undo => "undo",
        };
        Self {
            target,
            phase: phase.to_owned(),
            title,
        }
    }
}
