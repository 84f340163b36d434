use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use switchover_effects::store::StoreError;

use crate::state::LeaseError;

/// The journal cannot serve.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum JournalError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lease(#[from] LeaseError),
    #[error("read the journal: a record is damaged")]
    #[diagnostic(
        code(switchover::journal::damaged),
        help("look at every target by hand, then remove what is in `runs` of the state")
    )]
    Record(#[source] serde_json::Error),
    #[error("read the journal: format {found} is not known to this version")]
    #[diagnostic(
        code(switchover::journal::format),
        help("use the version of switchover that wrote it, or a later one")
    )]
    Format { found: String },
    #[error("{0}")]
    #[diagnostic(
        code(switchover::journal::fenced),
        help("this run does nothing more; `switchover audit` shows what became of it")
    )]
    Fenced(Fenced),
    #[error("read the key {}", path.display())]
    #[diagnostic(
        code(switchover::journal::read_key),
        help("check the owner and permissions of the state folder")
    )]
    ReadKey { path: PathBuf, source: io::Error },
    #[error("make the key {}", path.display())]
    #[diagnostic(
        code(switchover::journal::write_key),
        help("check owner, permissions and free space of the state folder")
    )]
    WriteKey { path: PathBuf, source: io::Error },
    #[error("the key {} is none", path.display())]
    #[diagnostic(
        code(switchover::journal::key),
        help(
            "restore the file from a backup; a new one is made where there is none, but it opens nothing"
        )
    )]
    NoKey { path: PathBuf },
    #[error("the state in `{place}` needs a key: {STATE_KEY} is not set")]
    #[diagnostic(code(switchover::journal::no_state_key), help("{STATE_KEY_HELP}"))]
    NoStateKey { place: String },
    #[error("the state in `{place}` needs a key: {STATE_KEY} is not 32 bytes in Base64")]
    #[diagnostic(code(switchover::journal::bad_state_key), help("{STATE_KEY_HELP}"))]
    BadStateKey { place: String },
    #[error("a sealed record cannot be opened with the key of the state")]
    #[diagnostic(
        code(switchover::journal::unsealed),
        help(
            "use the key that the run had: the file `key` of a state folder, or {STATE_KEY}; without it \
             `switchover recover --leave` keeps everything as it is now"
        )
    )]
    Unsealed,
    #[error("the system gives no random numbers")]
    #[diagnostic(code(switchover::journal::random))]
    Random,
}

/// Holds the key of a state in an object store.
pub(super) const STATE_KEY: &str = "SWITCHOVER_STATE_KEY";

const STATE_KEY_HELP: &str = "values of servers that an undo would need are sealed with it: make one with \
    `openssl rand -base64 32`, keep it where your other secrets are, and set it wherever this site is applied or \
    recovered; nothing was changed";

/// Why a run is no longer its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fenced {
    /// Somebody recovers it, or freed the site from it.
    TakenOver {
        /// A person at a machine.
        who: String,
    },
    /// Its lease could not be renewed in time, so that somebody else may have the site by now.
    LeaseLost,
}

impl fmt::Display for Fenced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver { who } => write!(formatter, "{who} has taken this run over"),
            Self::LeaseLost => formatter.write_str("this run has lost the lease of its site"),
        }
    }
}

impl JournalError {
    pub(super) fn read_key(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::ReadKey { path, source }
    }

    pub(super) fn write_key(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::WriteKey { path, source }
    }
}
