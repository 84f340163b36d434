use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{
    Access, AtFlags, Gid, Mode, OFlags, Stat, Uid, accessat, fchmod, fsync, mkdirat, openat, syncfs,
};
use rustix::io::Errno;

use super::entry::{Entry, Identity, Version};
use super::place::Place;
use super::staging::{Mount, Staging};
use super::{LocalFolder, missing_above, read_at, stat_at};
use crate::folder::entry::{Ledger, State, Way, waiting_names};
use crate::folder::{Expected, FileContent, FolderError, Intent, NewFile, Standing, digest, path};
use crate::trace::Reporting;

/// Up to so many files, each is made durable by itself; more at once, by one call for the whole file system.
const SYNC_EACH: usize = 16;

/// Folders that a batch makes.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);

const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A batch on this machine: [`Batch`](crate::folder::Batch) says what it promises.
///
/// What waits is written in a folder that only its owner can look into, on the same file system.
#[derive(Debug)]
pub(in crate::folder) struct LocalBatch {
    pub(super) root: PathBuf,
    pub(super) dir: Arc<Dir>,
    reporting: Reporting,
    pub(super) ledger: Ledger<Identity>,
    /// By path below the root.
    folders: HashMap<String, Reach>,
    pub(super) stagings: Vec<Staging>,
    /// Staged files that are not durable yet; more than [`SYNC_EACH`] are only counted.
    unsynced: Vec<OwnedFd>,
    unsynced_count: usize,
    /// Folders that this batch made, outermost first: above the root by absolute path, below it by name.
    pub(super) made_above: Vec<PathBuf>,
    pub(super) made_below: Vec<String>,
    /// Folders (by path below the root) whose entries changed since they were last made durable.
    dirty: BTreeSet<String>,
    /// The name of its staging folders, where it can be reopened: then they stay until it is ended.
    name: Option<String>,
}

/// A folder that files are to be put in.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// None while it does not exist.
    pub(super) place: Option<Arc<Place>>,
    pub(super) staging: usize,
    /// The group that new files get, where the folder hands its own down.
    group: Option<Gid>,
}

impl LocalBatch {
    pub(super) fn new(folder: &LocalFolder) -> Result<Self, FolderError> {
        let mut made_above = Vec::new();
        if folder.dir()?.is_none() {
            make_above(&folder.root, &mut made_above)?;
        }
        let dir = folder.dir()?.ok_or_else(|| FolderError::RootMissing {
            root: folder.root.clone(),
        })?;
        Ok(Self {
            root: folder.root.clone(),
            dir,
            reporting: folder.reporting.clone(),
            ledger: Ledger::new(),
            folders: HashMap::new(),
            stagings: Vec::new(),
            unsynced: Vec::new(),
            unsynced_count: 0,
            made_above,
            made_below: Vec::new(),
            dirty: BTreeSet::new(),
            name: None,
        })
    }

    /// One that can be reopened by its intent.
    pub(super) fn begin(folder: &LocalFolder, intent: &Intent) -> Result<Self, FolderError> {
        let mut batch = Self::new(folder)?;
        batch.name = Some(intent.name.folder());
        Ok(batch)
    }

    pub(in crate::folder) const fn is_kept(&self) -> bool {
        self.name.is_some()
    }

    pub(in crate::folder) fn standings(&self) -> Vec<(&str, Standing)> {
        self.ledger.standings()
    }

    /// Ends the batch, also one that could be reopened.
    pub(in crate::folder) fn discard(&mut self) {
        self.name = None;
    }

    /// Writes the new content of a file beside its place.
    ///
    /// # Errors
    /// Where the name is not one below the root, what is there is not as expected or no regular file, or the content
    /// cannot be written: the disk is full, the file system read-only, permission denied.
    pub(in crate::folder) fn stage_write(
        &mut self,
        path: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        new: NewFile,
    ) -> Result<(), FolderError> {
        let (mut entry, reach, before) = self.look(path, expected)?;
        let stat = before.as_ref().map(|(_, stat)| stat);
        let mode = stat.map_or_else(|| new.mode(), |stat| stat.st_mode & 0o7777);
        let owner = stat.map_or((None, reach.group), |stat| {
            (
                Some(Uid::from_raw(stat.st_uid)),
                Some(Gid::from_raw(stat.st_gid)),
            )
        });
        let staging = &mut self.stagings[entry.staging];
        let (file, written) = staging.write(&entry.slot, bytes, mode, owner, &entry.full)?;
        let (way, backup) = match before {
            None => (Way::Create, None),
            Some(_) if staging.can_exchange()? => (Way::Exchange, None),
            Some((content, _)) => {
                let copy =
                    staging.write(&entry.backup, &content.bytes, mode, owner, &entry.full)?;
                (Way::Replace, Some(copy.0))
            }
        };
        entry.way = way;
        self.keep_unsynced(file);
        entry.after = Some(Version {
            identity: Identity::of(&written),
            digest: digest(bytes),
        });
        if let Some(backup) = backup {
            self.keep_unsynced(backup);
        }
        entry.tell_staged(bytes.len(), &self.reporting);
        self.ledger.add(entry);
        Ok(())
    }

    /// Stages the removal of a file. Where there is none and none is expected, there is nothing to do, and that is
    /// no error.
    ///
    /// # Errors
    /// As [`Batch::stage_write`].
    pub(in crate::folder) fn stage_remove(
        &mut self,
        path: &str,
        expected: Expected<'_>,
    ) -> Result<(), FolderError> {
        let (mut entry, _, before) = self.look(path, expected)?;
        entry.way = if before.is_some() {
            Way::Remove
        } else {
            Way::Nothing
        };
        self.ledger.add(entry);
        Ok(())
    }

    /// The absolute path at which the new content of a file is found now: in waiting, or in its place.
    ///
    /// # Errors
    /// Where the name is not one below the root.
    pub(in crate::folder) fn staged_path(&self, path: &str) -> Result<PathBuf, FolderError> {
        path::check(path)?;
        Ok(match self.ledger.get(path) {
            Some(entry) if entry.state == State::Staged && entry.after.is_some() => {
                self.stagings[entry.staging].path.join(&entry.slot)
            }
            _ => self.root.join(path),
        })
    }

    /// Names of all files whose change waits to be put in place.
    pub(in crate::folder) fn staged(&self) -> Vec<String> {
        self.ledger.staged()
    }

    /// Makes everything staged durable: after this, committing needs no space and survives a power cut.
    ///
    /// # Errors
    /// Where the system could not write it, such as for want of space.
    pub(in crate::folder) fn sync(&mut self) -> Result<(), FolderError> {
        let failed = |errno: Errno| FolderError::io("write", &self.root, errno.into());
        if self.is_kept() {
            // What was there before must be found again, so the name of its folder has to last.
            self.stagings
                .iter()
                .try_for_each(Staging::sync)
                .map_err(failed)?;
        }
        if self.unsynced_count > SYNC_EACH {
            for staging in &self.stagings {
                syncfs(&staging.folder).map_err(failed)?;
            }
        } else {
            for file in &self.unsynced {
                fsync(file).map_err(failed)?;
            }
        }
        self.unsynced.clear();
        self.unsynced_count = 0;
        Ok(())
    }

    /// Puts one staged change in place. [`Batch::sync`] goes before, [`Batch::sync_folders`] after the last.
    ///
    /// # Errors
    /// Where the change is not staged, the file is not as it was when the change was staged, or the system refuses;
    /// then this file is as it was.
    pub(in crate::folder) fn commit_one(&mut self, path: &str) -> Result<(), FolderError> {
        let at = self.ledger.find(path, State::Staged)?;
        let folder = path::folder_of(path).to_owned();
        if self.ledger.entries[at].way == Way::Nothing && self.reach(&folder)?.place.is_none() {
            self.ledger.entries[at].state = State::Committed;
            return Ok(());
        }
        let place = self.place(&folder)?;
        let entry = &mut self.ledger.entries[at];
        entry.commit(&place, &self.stagings[entry.staging])?;
        self.dirty.insert(folder);
        self.ledger.entries[at].tell_committed(&self.reporting);
        Ok(())
    }

    /// Makes durable that changes are in place, or undone.
    ///
    /// # Errors
    /// Where the system could not write it.
    pub(in crate::folder) fn sync_folders(&mut self) -> Result<(), FolderError> {
        if self.dirty.len() > SYNC_EACH {
            for staging in &self.stagings {
                syncfs(&staging.folder)
                    .map_err(|errno| FolderError::io("write", &self.root, errno.into()))?;
            }
            self.dirty.clear();
            return Ok(());
        }
        for folder in self.dirty.clone() {
            let full = path::full(&self.root, &folder);
            // One that was made and is undone is gone.
            if let Some(place) = Place::open(&self.dir, &self.root, &folder)? {
                openat(&place.dir, ".", FOLDER_FLAGS, Mode::empty())
                    .and_then(fsync)
                    .map_err(|errno| FolderError::io("write", &full, errno.into()))?;
            }
            // Only now: what is tried again is made durable again, too.
            self.dirty.remove(&folder);
        }
        Ok(())
    }

    /// Brings back, in reverse order, what was there before each committed change: bytes, mode and owner. Removes
    /// the folders that were made, where nothing else is in them.
    ///
    /// # Errors
    /// Where a file was changed after it was put in place, or the system refuses; all others are restored.
    pub(in crate::folder) fn undo(&mut self) -> Result<(), FolderError> {
        let mut failures = self.ledger.hindrances();
        let mut total = failures.len();
        for at in (0..self.ledger.entries.len()).rev() {
            if self.ledger.entries[at].state == State::Committed {
                total += 1;
                if let Err(error) = self.undo_at(at) {
                    failures.push(error);
                }
            }
        }
        for folder in std::mem::take(&mut self.made_below).into_iter().rev() {
            // Where something else is in it by now, it stays.
            let _ = self.dir.remove_dir(&folder);
            self.folders.remove(&folder);
            self.dirty.insert(path::folder_of(&folder).to_owned());
        }
        if let Err(error) = self.sync_folders() {
            failures.push(error);
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(FolderError::UndoIncomplete {
                root: self.root.clone(),
                total,
                failures,
                kept: None,
            })
        }
    }

    /// [`Batch::undo`] for one file.
    ///
    /// # Errors
    /// As there; also where the change is not committed.
    pub(in crate::folder) fn undo_one(&mut self, path: &str) -> Result<(), FolderError> {
        let at = self.ledger.find(path, State::Committed)?;
        self.undo_at(at)
    }

    fn undo_at(&mut self, at: usize) -> Result<(), FolderError> {
        let folder = path::folder_of(&self.ledger.entries[at].path).to_owned();
        if self.ledger.entries[at].way == Way::Nothing {
            self.ledger.entries[at].state = State::Undone;
            return Ok(());
        }
        let place = self.place(&folder)?;
        let entry = &mut self.ledger.entries[at];
        entry.undo(&place, &self.stagings[entry.staging])?;
        self.dirty.insert(folder);
        self.ledger.entries[at].tell_restored(&self.reporting);
        Ok(())
    }

    fn keep_unsynced(&mut self, file: OwnedFd) {
        self.unsynced_count += 1;
        if self.unsynced_count <= SYNC_EACH {
            self.unsynced.push(file);
        } else {
            self.unsynced.clear();
        }
    }

    /// What a change needs to know: where it goes, and what is there.
    #[expect(
        clippy::type_complexity,
        reason = "three things that are used at once and never again"
    )]
    fn look(
        &mut self,
        path: &str,
        expected: Expected<'_>,
    ) -> Result<(Entry, Reach, Option<(FileContent, Stat)>), FolderError> {
        path::check(path)?;
        let full = self.root.join(path);
        if self.ledger.get(path).is_some() {
            return Err(FolderError::Twice { path: full });
        }
        let reach = self.reach(path::folder_of(path))?;
        let name = path::name_of(path);
        let before = match &reach.place {
            Some(place) => read_at(place, name, &full)?,
            None => None,
        };
        let version = before.as_ref().map(|(content, stat)| Version {
            identity: Identity::of(stat),
            digest: content.digest(),
        });
        if let Some(how) = expected.differs(version.as_ref().map(|version| &version.digest)) {
            return Err(FolderError::Changed { path: full, how });
        }
        let number = self.ledger.entries.len();
        let (slot, backup) = waiting_names(number, name);
        let entry = Entry {
            path: path.to_owned(),
            name: name.to_owned(),
            full,
            way: Way::Nothing,
            state: State::Staged,
            before: version,
            after: None,
            staging: reach.staging,
            slot,
            backup,
            standing: None,
        };
        Ok((entry, reach, before))
    }

    /// Finds a folder and where files for it wait. Makes nothing but the folder for files in waiting.
    pub(super) fn reach(&mut self, folder: &str) -> Result<Reach, FolderError> {
        if let Some(reach) = self.folders.get(folder) {
            return Ok(reach.clone());
        }
        let place = Place::open(&self.dir, &self.root, folder)?;
        let reach = match place {
            Some(place) => {
                let full = path::full(&self.root, folder);
                // Denied is found now and not between two commits.
                accessat(
                    &place.dir,
                    ".",
                    Access::WRITE_OK | Access::EXEC_OK,
                    AtFlags::EACCESS,
                )
                .map_err(|errno| FolderError::io("write into", &full, errno.into()))?;
                let stat = stat_at(&place, ".", &full)?;
                let group = stat
                    .filter(|stat| stat.st_mode & 0o2000 != 0)
                    .map(|stat| Gid::from_raw(stat.st_gid));
                let staging = self.staging(&place, &full)?;
                Reach {
                    place: Some(Arc::new(place)),
                    staging,
                    group,
                }
            }
            None => Reach {
                place: None,
                ..self.reach(path::folder_of(folder))?
            },
        };
        self.folders.insert(folder.to_owned(), reach.clone());
        Ok(reach)
    }

    /// The index of the staging folder on the mount of `place`; preferably in the root.
    fn staging(&mut self, place: &Place, full: &Path) -> Result<usize, FolderError> {
        let mount = Mount::of(place, full)?;
        if let Some(at) = self
            .stagings
            .iter()
            .position(|staging| staging.mount == mount)
        {
            return Ok(at);
        }
        let root =
            Place::open(&self.dir, &self.root, "")?.ok_or_else(|| FolderError::RootMissing {
                root: self.root.clone(),
            })?;
        let (place, full) = if Mount::of(&root, &self.root)? == mount {
            (&root, self.root.as_path())
        } else {
            (place, full)
        };
        let staging = match &self.name {
            None => Staging::make(place, full)?,
            Some(name) => Staging::named(place, full, name)?,
        };
        self.stagings.push(staging);
        Ok(self.stagings.len() - 1)
    }

    /// A folder that files are put in now: made where it does not exist, with all above it below the root.
    fn place(&mut self, folder: &str) -> Result<Arc<Place>, FolderError> {
        if let Some(place) = self.reach(folder)?.place {
            return Ok(place);
        }
        let above = self.place(path::folder_of(folder))?;
        let full = path::full(&self.root, folder);
        match mkdirat(&above.dir, path::name_of(folder), FOLDER_MODE) {
            Ok(()) => {
                self.made_below.push(folder.to_owned());
                self.dirty.insert(path::folder_of(folder).to_owned());
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(FolderError::io("make", &full, errno.into())),
        }
        let place = Place::open(&self.dir, &self.root, folder)?
            .map(Arc::new)
            .ok_or_else(|| FolderError::Changed {
                path: full.clone(),
                how: "is gone",
            })?;
        if self.made_below.last().is_some_and(|made| made == folder) {
            // Whatever the user's mask: servers must be able to look into it.
            openat(&place.dir, ".", FOLDER_FLAGS, Mode::empty())
                .and_then(|opened| fchmod(opened, FOLDER_MODE))
                .map_err(|errno| FolderError::io("make", &full, errno.into()))?;
        }
        if let Some(reach) = self.folders.get_mut(folder) {
            reach.place = Some(Arc::clone(&place));
        }
        Ok(place)
    }

    #[cfg(test)]
    pub(super) fn forbid_exchange(&mut self) {
        self.stagings.iter_mut().for_each(Staging::forbid_exchange);
    }
}

impl Drop for LocalBatch {
    fn drop(&mut self) {
        if self.is_kept() {
            self.stagings.iter_mut().for_each(Staging::keep);
            return;
        }
        self.stagings.clear();
        // Folders made for changes that did not come to stand are empty; others stay.
        for folder in self.made_below.iter().rev() {
            let _ = self.dir.remove_dir(folder);
        }
        for folder in self.made_above.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Makes the root with all above it that is missing, durably, and notes what it made.
fn make_above(root: &Path, made: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    for folder in missing_above(root) {
        let done = match std::fs::create_dir(&folder) {
            Ok(()) => {
                made.push(folder.clone());
                let above = folder.parent().unwrap_or(&folder);
                std::fs::File::open(above).and_then(|above| above.sync_all())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(source) = done {
            for folder in made.iter().rev() {
                let _ = std::fs::remove_dir(folder);
            }
            return Err(FolderError::io("make", &folder, source));
        }
    }
    Ok(())
}
