use std::io;

use miette::Diagnostic;

/// What an object store needs.
const OBJECTS: &str = "does the bucket exist, is its server reached (AWS_ENDPOINT_URL, AWS_REGION), and do the \
     credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) permit reading, writing and listing it?";

/// State that cannot be read or written.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
#[diagnostic(transparent)]
pub struct StoreError(Box<StoreFault>);

/// What is the matter.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum StoreFault {
    #[error("the key {key:?} is none")]
    #[diagnostic(
        code("effects::store::key"),
        help("keys are names of letters, digits, `.`, `_` and `-`, with `/` between them")
    )]
    Key { key: String },
    #[error("`{place}` is there already")]
    #[diagnostic(
        code("effects::store::exists"),
        help("somebody else wrote it in the meantime: run the command again")
    )]
    Exists { place: String },
    #[error("`{place}` was changed by somebody else in the meantime")]
    #[diagnostic(code("effects::store::moved"), help("run the command again"))]
    Moved { place: String },
    #[error("failed to read `{place}`")]
    #[diagnostic(
        code("effects::store::read"),
        help("{}", readable(source.kind()))
    )]
    Read {
        place: String,
        #[source]
        source: io::Error,
    },
    #[error("failed to write `{place}`")]
    #[diagnostic(
        code("effects::store::write"),
        help("check owner, permissions and free space")
    )]
    Write {
        place: String,
        #[source]
        source: io::Error,
    },
    #[error("`{location}` is no place for state: {problem}")]
    #[diagnostic(
        code("effects::store::location"),
        help(
            "a folder such as `.switchover`, or `s3://BUCKET/FOLDER`; credentials come from the environment"
        )
    )]
    Location { location: String, problem: String },
    #[error("the environment variable `{name}` {problem}")]
    #[diagnostic(
        code("effects::store::variable"),
        help("set it as docs/state.md says, without a line break at its end, or unset it")
    )]
    Variable { name: String, problem: &'static str },
    #[error("failed to read `{place}`: {problem}")]
    #[diagnostic(code("effects::store::object_read"), help("{OBJECTS}"))]
    Unreadable { place: String, problem: String },
    #[error("failed to write `{place}`: {problem}")]
    #[diagnostic(code("effects::store::object_write"), help("{OBJECTS}"))]
    Unwritable { place: String, problem: String },
    #[error("the server gives no ETag for `{place}`")]
    #[diagnostic(
        code("effects::store::no_tag"),
        help(
            "without one, two that write at the same time cannot be told apart: use a server with conditional puts"
        )
    )]
    NoTag { place: String },
    #[error("the server of `{place}` writes over what is there though it is asked not to")]
    #[diagnostic(
        code("effects::store::unconditional"),
        help(
            "two that write at the same time would not learn of each other: use a server that understands \
             `If-None-Match` and `If-Match` of puts"
        )
    )]
    Unconditional { place: String },
    #[error("`{place}` is locked, and whoever locked it does not go on")]
    #[diagnostic(
        code("effects::store::busy"),
        help(
            "the lock is held only while a file is written: is a stopped process there? `fuser` names it"
        )
    )]
    Busy { place: String },
    #[error("`{place}` is damaged at record {record}")]
    #[diagnostic(
        code("effects::store::damaged"),
        help("restore it from a backup; the records before this one are whole")
    )]
    Damaged { place: String, record: u64 },
    #[error("a record of `{place}` would hold a line break or a NUL")]
    #[diagnostic(
        code("effects::store::no_line"),
        help("this is a fault of the tool: report it")
    )]
    NoLine { place: String },
}

/// What to do where the system refuses to read something: nothing says that it is damaged.
const fn readable(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::PermissionDenied => {
            "this user may not read it: check the owner and permissions, also of the folders that it is in"
        }
        io::ErrorKind::NotADirectory => "something on the way there is a file: a state is a folder",
        io::ErrorKind::IsADirectory => "a folder has the place of a file: move it away",
        _ => "the system could not read it: look at its log, and at the disk",
    }
}

impl StoreError {
    /// What is the matter.
    #[must_use]
    pub fn fault(&self) -> &StoreFault {
        &self.0
    }

    /// It could not be read, which says nothing of whether it is as it was written.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(
            *self.0,
            StoreFault::Read { .. } | StoreFault::Unreadable { .. }
        )
    }

    /// Somebody else created it first.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        matches!(*self.0, StoreFault::Exists { .. })
    }

    /// Somebody else changed it first.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        matches!(*self.0, StoreFault::Moved { .. })
    }
}

impl From<StoreFault> for StoreError {
    fn from(fault: StoreFault) -> Self {
        Self(Box::new(fault))
    }
}
