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
    /// The plan is stale or was rejected.
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
            Self::Stale => "the plan is stale or was rejected",
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
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_ascending() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, (0..10).collect::<Vec<u8>>());
    }
}
