use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::mask::Masker;

/// Told of every effect after it happened. It must return quickly: the effect's caller waits for it.
pub trait Trace: Send + Sync {
    /// One effect. Every text in the event is redacted.
    fn event(&self, event: &Event<'_>);
}

/// One effect that happened or failed. [`fmt::Display`] gives one line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A request was answered, or failed.
    Http {
        /// Such as `POST`.
        method: &'a str,
        /// The whole URL.
        url: &'a str,
        /// None where no complete answer came.
        status: Option<u16>,
        /// From the start of connecting to the last byte.
        elapsed: Duration,
        /// Why there is no answer, or none that counts.
        error: Option<&'a str>,
    },
    /// A server was asked over DNS, DHCP or SIP, or was to be.
    Asked {
        /// What and where, such as `AXFR acme.example at 10.20.0.53:53`.
        request: &'a str,
        /// From the start of connecting to the last byte.
        elapsed: Duration,
        /// Why there is no answer, or none that counts.
        error: Option<&'a str>,
    },
    /// A file was read.
    FileRead {
        /// The absolute path.
        path: &'a str,
        /// Its size; none where there is no such file.
        bytes: Option<usize>,
    },
    /// A folder was listed.
    FolderListed {
        /// The absolute path.
        path: &'a str,
        /// Regular files in it.
        files: usize,
    },
    /// New content of a file waits beside its place.
    FileStaged {
        /// The absolute path of the place.
        path: &'a str,
        /// Size of the new content.
        bytes: usize,
    },
    /// A file was created or replaced.
    FileWritten {
        /// The absolute path.
        path: &'a str,
    },
    /// A file was removed.
    FileRemoved {
        /// The absolute path.
        path: &'a str,
    },
    /// What was there before is there again.
    FileRestored {
        /// The absolute path.
        path: &'a str,
    },
    /// A command ended, or could not be run.
    Command {
        /// Program and arguments, separated by spaces.
        line: &'a str,
        /// Its exit status; none where it did not exit by itself.
        status: Option<i32>,
        /// How long it ran.
        elapsed: Duration,
    },
    /// Another host was connected to.
    Connected {
        /// Such as `ssh://deploy@prov.acme.example`.
        host: &'a str,
        /// How long it took.
        elapsed: Duration,
    },
    /// A secret was read from its source.
    Secret {
        /// Its name, not its value.
        name: &'a str,
        /// Such as `env:TOKEN`.
        source: &'a str,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http {
                method,
                url,
                status,
                elapsed,
                error,
            } => {
                write!(out, "{method} {url} ")?;
                match (status, error) {
                    (Some(status), Some(error)) => write!(out, "{status} ({error})")?,
                    (Some(status), None) => write!(out, "{status}")?,
                    (None, Some(error)) => write!(out, "failed ({error})")?,
                    (None, None) => out.write_str("failed")?,
                }
                write!(out, " in {} ms", elapsed.as_millis())
            }
            Self::Asked {
                request,
                elapsed,
                error,
            } => {
                out.write_str(request)?;
                if let Some(error) = error {
                    write!(out, " failed ({error})")?;
                }
                write!(out, " in {} ms", elapsed.as_millis())
            }
            Self::FileRead {
                path,
                bytes: Some(bytes),
            } => write!(out, "read {path}, {bytes} bytes"),
            Self::FileRead { path, bytes: None } => write!(out, "read {path}, absent"),
            Self::FolderListed { path, files } => write!(out, "listed {path}, {files} files"),
            Self::FileStaged { path, bytes } => write!(out, "staged {path}, {bytes} bytes"),
            Self::FileWritten { path } => write!(out, "wrote {path}"),
            Self::FileRemoved { path } => write!(out, "removed {path}"),
            Self::FileRestored { path } => write!(out, "restored {path}"),
            Self::Command {
                line,
                status: Some(status),
                elapsed,
            } => {
                write!(
                    out,
                    "ran {line}, exit status {status}, in {} ms",
                    elapsed.as_millis()
                )
            }
            Self::Command {
                line,
                status: None,
                elapsed,
            } => {
                write!(
                    out,
                    "ran {line}, no exit status, in {} ms",
                    elapsed.as_millis()
                )
            }
            Self::Connected { host, elapsed } => {
                write!(out, "connected to {host} in {} ms", elapsed.as_millis())
            }
            Self::Secret { name, source } => {
                write!(out, "resolved the secret {name} from {source}")
            }
        }
    }
}

/// What may be told of effects, and to whom. Cheap to clone.
#[derive(Clone, Default)]
pub struct Reporting {
    masker: Masker,
    trace: Option<Arc<dyn Trace>>,
}

impl Reporting {
    /// Nothing of what `masker` knows is told; `trace`, where given, is told of every effect.
    #[must_use]
    pub fn new(masker: Masker, trace: Option<Arc<dyn Trace>>) -> Self {
        Self { masker, trace }
    }

    /// The values that must not be told.
    #[must_use]
    pub fn masker(&self) -> &Masker {
        &self.masker
    }

    /// The same listener, more to keep silent about.
    pub(crate) fn with_masker(&self, masker: Masker) -> Self {
        Self {
            masker,
            trace: self.trace.clone(),
        }
    }

    /// Whether anybody listens; where not, texts for events need not be made.
    pub(crate) fn listening(&self) -> bool {
        self.trace.is_some()
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        self.masker.redact(text)
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(trace) = &self.trace {
            trace.event(event);
        }
    }
}

impl fmt::Debug for Reporting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reporting")
            .field("masker", &self.masker)
            .field("listening", &self.listening())
            .finish()
    }
}
