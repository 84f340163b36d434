//! Files below one root, on this machine or on another one: read, listed, and replaced in batches that can be undone.
//!
//! Names are relative and checked; folders on the way must lie beneath the root (a link that leads out of it is
//! refused), and the last part of a name is never followed where it is a symbolic link.
//!
//! Both kinds of root promise the same; what the promises rest on differs. On this machine every folder is held open
//! and two files change places at once, so that nobody can come in between. SFTP knows names only: between a look and
//! a change lies one round trip, in which somebody else who may write there could be quicker.

mod batch;
mod entry;
mod error;
mod intent;
mod local;
mod path;
mod remote;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use batch::{Batch, Change, Failed, NewFile};
pub use error::{FolderError, Holder};
pub use intent::{Intent, Standing};

use crate::ssh::Host;
use crate::trace::{Event, Reporting};
use intent::{Intended, Name, Sum};
use local::LocalFolder;
use remote::RemoteFolder;

/// The size from which a file is none that is configured here.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Everything in it.
    pub bytes: Vec<u8>,
    /// Permissions, such as `0o644`.
    pub mode: u32,
}

impl FileContent {
    /// SHA-256 of the bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.bytes)
    }
}

/// What a change counts on to be there; anything else is an error, and nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// Whatever is there.
    Anything,
    /// No file.
    Absent,
    /// A file with these bytes.
    Bytes(&'a [u8]),
    /// A file whose bytes have this SHA-256.
    Digest([u8; 32]),
}

impl Expected<'_> {
    /// What differs, as a phrase, where `found` (the digest of what is there) is not what was expected.
    fn differs(&self, found: Option<&[u8; 32]>) -> Option<&'static str> {
        let wanted = match self {
            Self::Anything => return None,
            Self::Absent => return found.map(|_| "is there now"),
            Self::Bytes(bytes) => digest(bytes),
            Self::Digest(wanted) => *wanted,
        };
        match found {
            None => Some("is gone"),
            Some(found) if *found != wanted => Some("holds something else now"),
            Some(_) => None,
        }
    }
}

/// A folder and everything below it.
#[derive(Debug, Clone)]
pub struct Folder {
    place: FolderPlace,
    reporting: Reporting,
}

#[derive(Debug, Clone)]
enum FolderPlace {
    Here(LocalFolder),
    There(RemoteFolder),
}

impl Folder {
    /// Opens a root on this machine. With `create`, it need not exist: it then reads as empty, and the first batch
    /// makes it.
    ///
    /// # Errors
    /// Where it is no folder, may not be opened, or does not exist and is not to be created.
    pub fn open(root: &Path, create: bool, reporting: &Reporting) -> Result<Self, FolderError> {
        Ok(Self {
            place: FolderPlace::Here(LocalFolder::open(root, create, reporting)?),
            reporting: reporting.clone(),
        })
    }

    /// The folder that a host's location names. Nothing is connected yet; what is wrong with it is told by what is
    /// done first. With `create`, it need not exist, as for [`Folder::open`].
    #[must_use]
    pub fn remote(host: Host, create: bool, reporting: &Reporting) -> Self {
        Self {
            place: FolderPlace::There(RemoteFolder::new(host, create, reporting)),
            reporting: reporting.clone(),
        }
    }

    /// The absolute path of the root, as the machine that has it knows it.
    #[must_use]
    pub fn root(&self) -> &Path {
        match &self.place {
            FolderPlace::Here(folder) => folder.root(),
            FolderPlace::There(folder) => folder.root(),
        }
    }

    /// The host that has it, where that is another machine.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        match &self.place {
            FolderPlace::Here(_) => None,
            FolderPlace::There(folder) => Some(folder.host()),
        }
    }

    /// The absolute path of a file below the root, whether it exists or not.
    ///
    /// # Errors
    /// Where the name is not one below the root.
    pub fn absolute(&self, path: &str) -> Result<PathBuf, FolderError> {
        path::check(path)?;
        Ok(self.root().join(path))
    }

    /// Reads a file; none where there is none.
    ///
    /// # Errors
    /// Where the name is not one below the root, what is there is no regular file or larger than
    /// [`MAX_FILE_BYTES`], or it cannot be read.
    pub async fn read(&self, path: &str) -> Result<Option<FileContent>, FolderError> {
        Ok(self.read_all(&[path]).await?.pop().flatten())
    }

    /// Reads several files, on another host many at once; in the order of the names.
    ///
    /// # Errors
    /// As [`Folder::read`], at the first in this order that fails.
    pub async fn read_all(&self, paths: &[&str]) -> Result<Vec<Option<FileContent>>, FolderError> {
        paths.iter().try_for_each(|path| path::check(path))?;
        let contents = match &self.place {
            FolderPlace::Here(folder) => folder.read_all(paths)?,
            FolderPlace::There(folder) => folder.read_all(paths).await?,
        };
        if self.reporting.listening() {
            for (path, content) in paths.iter().zip(&contents) {
                let bytes = content.as_ref().map(|content| content.bytes.len());
                let path = &self.told(path);
                self.reporting.tell(&Event::FileRead { path, bytes });
            }
        }
        Ok(contents)
    }

    /// Names of the regular files in a folder, ascending; none where there is no such folder. The empty path is the
    /// root. A name that is not UTF-8 is left out, since nothing could name it.
    ///
    /// # Errors
    /// Where the name is not one below the root, or the folder cannot be read.
    pub async fn list(&self, path: &str) -> Result<Vec<String>, FolderError> {
        if !path.is_empty() {
            path::check(path)?;
        }
        let mut names = match &self.place {
            FolderPlace::Here(folder) => folder.list(path)?,
            FolderPlace::There(folder) => folder.list(path).await?,
        };
        names.sort_unstable();
        if self.reporting.listening() {
            self.reporting.tell(&Event::FolderListed {
                path: &self.told(path),
                files: names.len(),
            });
        }
        Ok(names)
    }

    /// Begins a batch of changes. Makes the root where it does not exist.
    ///
    /// # Errors
    /// Where the root cannot be made or opened.
    pub async fn batch(&self) -> Result<Batch, FolderError> {
        Ok(match &self.place {
            FolderPlace::Here(folder) => Batch::here(folder.batch()?),
            FolderPlace::There(folder) => Batch::there(folder.batch().await?),
        })
    }

    /// What a batch of these changes is going to do, to be kept before [`Folder::begin`]. Changes nothing. `name` is
    /// nobody else's: letters, digits and `-`.
    ///
    /// # Errors
    /// Where a name is not one below the root, the batch's name is none, or the folders cannot be looked at.
    pub async fn intend(&self, name: &str, changes: &[Change<'_>]) -> Result<Intent, FolderError> {
        let name = name.to_owned();
        let name = Name::try_from(name).map_err(|problem| FolderError::Path {
            path: "the staging folder".to_owned(),
            problem,
        })?;
        let mut files = Vec::new();
        for change in changes {
            path::check(change.path())?;
            let before = match change.expected() {
                Expected::Absent => None,
                Expected::Bytes(bytes) => Some(digest(bytes)),
                Expected::Digest(digest) => Some(digest),
                Expected::Anything => {
                    let found = self.read(change.path()).await?;
                    found.map(|content| content.digest())
                }
            };
            let after = match change {
                Change::Write { bytes, .. } => Some(Sum(digest(bytes))),
                Change::Remove { .. } => None,
            };
            files.push(Intended {
                path: change.path().to_owned(),
                before: before.map(Sum),
                after,
            });
        }
        let folders: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| path::folders_of(&file.path))
            .collect();
        let (above, below) = match &self.place {
            FolderPlace::Here(folder) => folder.missing(&folders)?,
            FolderPlace::There(folder) => folder.missing(&folders).await?,
        };
        Ok(Intent {
            name,
            above,
            below,
            files,
        })
    }

    /// Begins a batch that can be reopened by its intent, also by another process. The changes that are staged in it
    /// are those of the intent, in its order and in one call. Until [`Batch::discard`] nothing that waits is cleared
    /// away, whatever becomes of this process.
    ///
    /// # Errors
    /// As [`Folder::batch`].
    pub async fn begin(&self, intent: &Intent) -> Result<Batch, FolderError> {
        Ok(match &self.place {
            FolderPlace::Here(folder) => Batch::here(folder.begin(intent)?),
            FolderPlace::There(folder) => Batch::there(folder.begin(intent).await?),
        })
    }

    /// Opens a batch again that was begun with this intent, however far it came. Every file is held against the
    /// intent ([`Batch::standings`]); [`Batch::undo`] brings back those that the batch changed, and fails for those
    /// that cannot be brought back. May be done any number of times.
    ///
    /// # Errors
    /// Where the root or a folder in it cannot be made or opened, or a process still uses the batch.
    pub async fn reopen(&self, intent: &Intent) -> Result<Batch, FolderError> {
        Ok(match &self.place {
            FolderPlace::Here(folder) => Batch::here(folder.reopen(intent)?),
            FolderPlace::There(folder) => Batch::there(folder.reopen(intent).await?),
        })
    }

    fn told(&self, path: &str) -> String {
        let full = match &self.place {
            FolderPlace::Here(folder) => path::full(folder.root(), path),
            FolderPlace::There(folder) => path::full(folder.shown(), path),
        };
        self.reporting.redact(&full.to_string_lossy())
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
