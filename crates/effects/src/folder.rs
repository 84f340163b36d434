//! Files below one root: read, listed, and replaced in batches that can be undone.
//!
//! Names are relative and checked; folders on the way are opened beneath the root (a link that leads out of it is
//! refused), and the last part of a name is never followed where it is a symbolic link.

mod batch;
mod entry;
mod error;
mod path;
mod staging;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

pub use batch::{Batch, NewFile};
pub use error::FolderError;
use path::Place;

use crate::trace::{Event, Reporting};

/// The size from which a file is none that is configured here.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Opening never waits (pipes), never follows, and leaves nothing to programs that are run.
const READ_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

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
    root: PathBuf,
    /// Open while it exists: a batch makes the root, and removes it again where nothing came of it.
    dir: Arc<Mutex<Option<Arc<Dir>>>>,
    reporting: Reporting,
}

impl Folder {
    /// Opens a root. With `create`, it need not exist: it then reads as empty, and the first batch makes it.
    ///
    /// # Errors
    /// Where it is no folder, may not be opened, or does not exist and is not to be created.
    pub fn open(root: &Path, create: bool, reporting: &Reporting) -> Result<Self, FolderError> {
        let root =
            std::path::absolute(root).map_err(|source| FolderError::io("find", root, source))?;
        let folder = Self {
            root,
            dir: Arc::default(),
            reporting: reporting.clone(),
        };
        if folder.dir()?.is_none() && !create {
            return Err(FolderError::RootMissing { root: folder.root });
        }
        Ok(folder)
    }

    /// The absolute path of the root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a file below the root, whether it exists or not.
    ///
    /// # Errors
    /// Where the name is not one below the root.
    pub fn absolute(&self, path: &str) -> Result<PathBuf, FolderError> {
        path::check(path)?;
        Ok(self.root.join(path))
    }

    /// Reads a file; none where there is none.
    ///
    /// # Errors
    /// Where the name is not one below the root, what is there is no regular file or larger than
    /// [`MAX_FILE_BYTES`], or it cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<FileContent>, FolderError> {
        path::check(path)?;
        let content = match self.dir()? {
            None => None,
            Some(dir) => match Place::open(&dir, &self.root, path::folder_of(path))? {
                None => None,
                Some(place) => read_at(&place, path::name_of(path), &self.root.join(path))?
                    .map(|(content, _)| content),
            },
        };
        if self.reporting.listening() {
            let bytes = content.as_ref().map(|content| content.bytes.len());
            self.reporting.tell(&Event::FileRead {
                path: &self.told(path),
                bytes,
            });
        }
        Ok(content)
    }

    /// Names of the regular files in a folder, ascending; none where there is no such folder. The empty path is the
    /// root. A name that is not UTF-8 is left out, since nothing could name it.
    ///
    /// # Errors
    /// Where the name is not one below the root, or the folder cannot be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FolderError> {
        if !path.is_empty() {
            path::check(path)?;
        }
        let mut names = Vec::new();
        if let Some(dir) = self.dir()?
            && let Some(place) = Place::open(&dir, &self.root, path)?
        {
            let full = path::full(&self.root, path);
            let entries = place
                .dir
                .entries()
                .map_err(|source| FolderError::io("list", &full, source))?;
            for entry in entries {
                let entry = entry.map_err(|source| FolderError::io("list", &full, source))?;
                let kind = entry
                    .file_type()
                    .map_err(|source| FolderError::io("list", &full, source))?;
                if let Ok(name) = entry.file_name().into_string()
                    && kind.is_file()
                {
                    names.push(name);
                }
            }
            names.sort_unstable();
        }
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
    pub fn batch(&self) -> Result<Batch, FolderError> {
        Batch::new(self)
    }

    /// The root, where it exists by now.
    fn dir(&self) -> Result<Option<Arc<Dir>>, FolderError> {
        let mut known = self.dir.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dir) = known
            .as_ref()
            .filter(|dir| fstat(dir).is_ok_and(|stat| stat.st_nlink > 0))
        {
            return Ok(Some(Arc::clone(dir)));
        }
        match Dir::open_ambient_dir(&self.root, ambient_authority()) {
            Ok(dir) => Ok(known.insert(Arc::new(dir)).clone().into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(FolderError::NotAFolder {
                    path: self.root.clone(),
                })
            }
            Err(source) => Err(FolderError::io("open", &self.root, source)),
        }
    }

    fn told(&self, path: &str) -> String {
        self.reporting
            .redact(&path::full(&self.root, path).to_string_lossy())
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Reads a regular file by its name in a folder that is open; `full` is for errors.
fn read_at(
    place: &Place,
    name: &str,
    full: &Path,
) -> Result<Option<(FileContent, rustix::fs::Stat)>, FolderError> {
    let file = match openat(&place.dir, name, READ_FLAGS, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => {
            return Err(FolderError::Symlink {
                path: full.to_owned(),
            });
        }
        // Sockets.
        Err(Errno::NXIO) => {
            return Err(FolderError::NotAFile {
                path: full.to_owned(),
            });
        }
        Err(errno) => return Err(FolderError::io("read", full, errno.into())),
    };
    let stat = fstat(&file).map_err(|errno| FolderError::io("read", full, errno.into()))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(FolderError::NotAFile {
            path: full.to_owned(),
        });
    }
    let mut bytes = Vec::with_capacity(
        usize::try_from(stat.st_size)
            .unwrap_or_default()
            .min(1 << 20)
            + 1,
    );
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| FolderError::io("read", full, source))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(FolderError::TooLarge {
            path: full.to_owned(),
            limit: MAX_FILE_BYTES,
        });
    }
    Ok(Some((
        FileContent {
            bytes,
            mode: stat.st_mode & 0o7777,
        },
        stat,
    )))
}

/// What is at a name, not following it; none where nothing is.
fn stat_at(
    place: &Place,
    name: &str,
    full: &Path,
) -> Result<Option<rustix::fs::Stat>, FolderError> {
    match statat(&place.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(FolderError::io("look at", full, errno.into())),
    }
}
