use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::ssh::SshError;

/// A file or folder that cannot be read or changed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum FolderError {
    /// Not a name below the root.
    #[error("the path `{path}` {problem}")]
    #[diagnostic(
        code("effects::folder::path"),
        help("a path is relative to the target's root and stays below it, like `folder/file.cfg`")
    )]
    Path {
        /// As given.
        path: String,
        /// A phrase such as `is absolute`.
        problem: &'static str,
    },
    /// No root.
    #[error("the folder `{}` does not exist", root.display())]
    #[diagnostic(
        code("effects::folder::root-missing"),
        help("create it, or correct the target's `root`")
    )]
    RootMissing {
        /// The root.
        root: PathBuf,
    },
    /// Something else where a folder should be.
    #[error("`{}` is not a folder", path.display())]
    #[diagnostic(
        code("effects::folder::not-a-folder"),
        help("move it away, or use another name")
    )]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// Something else where a file should be.
    #[error("`{}` is not a regular file", path.display())]
    #[diagnostic(
        code("effects::folder::not-a-file"),
        help("folders, pipes, sockets and devices are left alone: move it away")
    )]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A symbolic link where a file should be.
    #[error("`{}` is a symbolic link", path.display())]
    #[diagnostic(
        code("effects::folder::symlink"),
        help(
            "links are neither followed nor replaced: put a file there, or make the link's own folder the \
             target's `root`"
        )
    )]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// A link on the way leads out of the root.
    #[error("`{}` leads out of its root", path.display())]
    #[diagnostic(
        code("effects::folder::outside"),
        help("a symbolic link on the way points elsewhere: make that place a target's `root`")
    )]
    Outside {
        /// The folder.
        path: PathBuf,
    },
    /// More than the limit.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    #[diagnostic(
        code("effects::folder::too-large"),
        help("no file that is configured here is so large; is it the right one?")
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// Not what was read before.
    #[error("`{}` {how}: something else changed it meanwhile", path.display())]
    #[diagnostic(
        code("effects::folder::changed"),
        help("plan again to see what it holds now")
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// A phrase such as `is gone`.
        how: &'static str,
    },
    /// A file of an interrupted batch that cannot be brought back.
    #[error("`{}` {how}", path.display())]
    #[diagnostic(
        code("effects::folder::stuck"),
        help("it was left as it is: look at it, and put in place what should be there")
    )]
    Stuck {
        /// The file.
        path: PathBuf,
        /// A phrase.
        how: &'static str,
    },
    /// The staging folder of an interrupted batch is in use.
    #[error("{} still uses `{}`", who(*holder), path.display())]
    #[diagnostic(code("effects::folder::in-use"), help("{}", way_out(*holder)))]
    InUse {
        /// The staging folder.
        path: PathBuf,
        /// The process, where the system tells which one it is.
        holder: Option<Holder>,
    },
    /// Two changes of one file in a batch.
    #[error("`{}` is changed twice at once", path.display())]
    #[diagnostic(
        code("effects::folder::twice"),
        help("two resources have the same file; give one of them another name")
    )]
    Twice {
        /// The file.
        path: PathBuf,
    },
    /// A change that was never staged.
    #[error("no change of `{path}` is staged")]
    #[diagnostic(
        code("effects::folder::not-staged"),
        help("a file is staged before it is put in place")
    )]
    NotStaged {
        /// As given.
        path: String,
    },
    /// No space, or none left for this user.
    #[error("cannot {action} `{}`: the disk is full", path.display())]
    #[diagnostic(
        code("effects::folder::full"),
        help("make space (or raise the user's quota) on the file system that holds it")
    )]
    Full {
        /// Such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file system that takes no changes.
    #[error("cannot {action} `{}`: the file system is read-only", path.display())]
    #[diagnostic(
        code("effects::folder::read-only"),
        help(
            "mount it for writing; a file system that became read-only by itself has an error: see the kernel's log"
        )
    )]
    ReadOnly {
        /// Such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Not allowed.
    #[error("cannot {action} `{}`: permission denied", path.display())]
    #[diagnostic(
        code("effects::folder::denied"),
        help(
            "the user who runs this command needs the right to; look at owner and mode of the file and its folders"
        )
    )]
    Denied {
        /// Such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Anything else that the system says.
    #[error("cannot {action} `{}`", path.display())]
    #[diagnostic(code("effects::folder::io"))]
    Io {
        /// Such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Some files are not as they were before.
    #[error("could not restore {} of {total} files below `{}`", failures.len(), root.display())]
    #[diagnostic(
        code("effects::folder::undo-incomplete"),
        help("all others are as they were before; these need a look by hand{}", waits(kept.as_deref()))
    )]
    UndoIncomplete {
        /// The root.
        root: PathBuf,
        /// How many were to be restored.
        total: usize,
        /// What went wrong, a file each.
        #[related]
        failures: Vec<FolderError>,
        /// Where what was there before still waits.
        kept: Option<PathBuf>,
    },
    /// Another host's server refuses, for a reason that the protocol cannot tell.
    #[error("cannot {action} `{}`: the server says: {said}", path.display())]
    #[diagnostic(
        code("effects::folder::server"),
        help("its file system or its SFTP server refuses: look at the host's own log")
    )]
    Server {
        /// Such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// As it says it.
        said: String,
    },
    /// The host that has it cannot be reached.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(#[from] Box<SshError>),
}

/// A process of this machine that has something in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub id: u32,
    /// It is stopped, and does nothing until somebody lets it go on.
    pub stopped: bool,
}

fn who(holder: Option<Holder>) -> String {
    match holder {
        None => "a process of this machine".to_owned(),
        Some(Holder { id, stopped: false }) => format!("process {id}"),
        Some(Holder { id, stopped: true }) => format!("process {id}, which is stopped,"),
    }
}

fn way_out(holder: Option<Holder>) -> String {
    match holder {
        None => "it began the run, or recovers it: wait for it, let it go on where it is stopped, or end it; then run \
                 this again"
            .to_owned(),
        Some(Holder { id, stopped: false }) => format!(
            "it began the run, or recovers it: wait for it, or end it with `kill {id}`; then run this again"
        ),
        Some(Holder { id, stopped: true }) => format!(
            "it began the run, or was recovering it: `kill -CONT {id}` lets it go on, when it finds that the run is no \
             longer its own and ends, or `kill -KILL {id}` ends it at once; then run this again"
        ),
    }
}

fn waits(kept: Option<&Path>) -> String {
    kept.map_or_else(String::new, |kept| {
        format!("; what was there before waits in `{}`", kept.display())
    })
}

impl FolderError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { action, path }
            }
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { action, path },
            io::ErrorKind::PermissionDenied => Self::Denied { action, path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}
