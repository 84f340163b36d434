//! Files on this machine, through folders that are open: a name never leads out of the root, not even while somebody
//! moves folders about.

mod batch;
mod entry;
mod holder;
mod place;
mod reopen;
mod staging;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

pub(super) use batch::LocalBatch;
use place::Place;

use super::{FileContent, FolderError, MAX_FILE_BYTES, path};
use crate::folder::Intent;
use crate::trace::Reporting;

/// Opening never waits (pipes), never follows, and leaves nothing to programs that are run.
const READ_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// A folder of this machine.
#[derive(Debug, Clone)]
pub(super) struct LocalFolder {
    root: PathBuf,
    /// Open while it exists: a batch makes the root, and removes it again where nothing came of it.
    dir: Arc<Mutex<Option<Arc<Dir>>>>,
    reporting: Reporting,
}

impl LocalFolder {
    pub(super) fn open(
        root: &Path,
        create: bool,
        reporting: &Reporting,
    ) -> Result<Self, FolderError> {
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

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn read_all(&self, paths: &[&str]) -> Result<Vec<Option<FileContent>>, FolderError> {
        let Some(dir) = self.dir()? else {
            return Ok(paths.iter().map(|_| None).collect());
        };
        let mut contents = Vec::with_capacity(paths.len());
        // Files that are read together mostly stand together.
        let mut last: Option<(&str, Option<Place>)> = None;
        for path in paths {
            let folder = path::folder_of(path);
            let place = match last.take() {
                Some((opened, place)) if opened == folder => place,
                _ => Place::open(&dir, &self.root, folder)?,
            };
            contents.push(match &place {
                Some(place) => {
                    let found = read_at(place, path::name_of(path), &self.root.join(path))?;
                    found.map(|(content, _)| content)
                }
                None => None,
            });
            last = Some((folder, place));
        }
        Ok(contents)
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, FolderError> {
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
        }
        Ok(names)
    }

    pub(super) fn batch(&self) -> Result<LocalBatch, FolderError> {
        LocalBatch::new(self)
    }

    pub(super) fn begin(&self, intent: &Intent) -> Result<LocalBatch, FolderError> {
        LocalBatch::begin(self, intent)
    }

    pub(super) fn reopen(&self, intent: &Intent) -> Result<LocalBatch, FolderError> {
        LocalBatch::reopen(self, intent)
    }

    /// Which of these folders below the root do not exist, and which above it.
    pub(super) fn missing(
        &self,
        folders: &BTreeSet<&str>,
    ) -> Result<(Vec<PathBuf>, BTreeSet<String>), FolderError> {
        let Some(dir) = self.dir()? else {
            let below = folders.iter().map(|&folder| folder.to_owned());
            return Ok((missing_above(&self.root), below.collect()));
        };
        let mut below = BTreeSet::new();
        for &folder in folders {
            if Place::open(&dir, &self.root, folder)?.is_none() {
                below.insert(folder.to_owned());
            }
        }
        Ok((Vec::new(), below))
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
}

/// A folder and all above it that do not exist, outermost first.
fn missing_above(root: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = root
        .ancestors()
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
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
