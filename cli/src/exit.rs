//! Exit codes: public API, in one place.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed; nothing was changed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The topology has findings that fail it.
    Findings,
    /// Changes are pending.
    ChangesPending,
    /// The servers are no longer as they were left.
    Drift,
    /// An apply failed and was taken back.
    RolledBack,
    /// An apply failed and could not be taken back completely.
    Partial,
    /// Somebody else holds the lock.
    LockHeld,
    /// The plan is refused: it is stale, not the one that was approved, too large a change, or was rejected before.
    Stale,
}

impl Exit {
    /// Every way to end, by ascending code.
    pub(crate) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Findings,
        Self::ChangesPending,
        Self::Drift,
        Self::RolledBack,
        Self::Partial,
        Self::LockHeld,
        Self::Stale,
    ];

    /// The process's exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 3,
            Self::ChangesPending => 4,
            Self::Drift => 5,
            Self::RolledBack => 6,
            Self::Partial => 7,
            Self::LockHeld => 8,
            Self::Stale => 9,
        }
    }

    /// Every way to end, by how bad it is: many sites end as the worst of them does.
    const BY_WEIGHT: [Self; 10] = [
        Self::Done,
        Self::ChangesPending,
        Self::Drift,
        Self::Findings,
        Self::Stale,
        Self::LockHeld,
        Self::Usage,
        Self::Failed,
        Self::RolledBack,
        Self::Partial,
    ];

    fn weight(self) -> usize {
        let mut all = Self::BY_WEIGHT.iter();
        all.position(|exit| *exit == self).unwrap_or_default()
    }

    /// The worse of two.
    pub(crate) fn or_worse(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    /// What it means, for people.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or no changes",
            Self::Failed => "failed, nothing changed",
            Self::Usage => "the command line is wrong",
            Self::Findings => "the topology has findings, or is not laid out (fmt --check)",
            Self::ChangesPending => "changes are pending (plan --detailed-exitcode)",
            Self::Drift => "drift found",
            Self::RolledBack => "failed and rolled back: everything is as it was",
            Self::Partial => "failed and only partly taken back: needs attention",
            Self::LockHeld => "somebody else holds the lock",
            Self::Stale => {
                "the plan is refused: stale, not the approved one, too large, or rejected before"
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table that `switchover help exit-codes` prints.
pub(crate) fn table() -> String {
    let mut text = String::from("Exit codes of switchover:\n\n");
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}  {}", exit.code(), exit.meaning());
    }
    let _ = writeln!(text, "\n{}", order());
    text
}

/// Which code a run over many sites ends with.
pub(crate) fn order() -> String {
    let codes: Vec<String> = Exit::BY_WEIGHT
        .iter()
        .map(|exit| exit.code().to_string())
        .collect();
    format!(
        "Over many sites, the worst of theirs, in this order: {}.",
        codes.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_ascending() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, (0..10).collect::<Vec<u8>>());
    }

    #[test]
    fn each_has_its_weight() {
        for exit in Exit::ALL {
            assert_eq!(Exit::BY_WEIGHT[exit.weight()], exit);
            assert_eq!(Exit::Done.or_worse(exit), exit);
            assert_eq!(exit.or_worse(Exit::Done), exit);
        }
        assert_eq!(Exit::Findings.or_worse(Exit::Failed), Exit::Failed);
        assert_eq!(Exit::Partial.or_worse(Exit::Failed), Exit::Partial);
    }
}
