use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, RenameFlags, Stat, renameat, renameat_with, statat};
use rustix::io::Errno;

use super::place::Place;
use super::staging::Staging;
use super::{read_at, stat_at};
use crate::folder::entry::{State, Way};
use crate::folder::{FolderError, digest, entry};

/// A file at a certain time.
pub(super) type Version = entry::Version<Identity>;

/// One change of a batch.
pub(super) type Entry = entry::Entry<Identity>;

/// What tells one state of a file from another without reading it. A rename changes none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    mode: u32,
}

impl Identity {
    #[expect(
        clippy::unnecessary_cast,
        reason = "the fields' types differ between architectures"
    )]
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            mode: stat.st_mode,
        }
    }
}

impl Entry {
    /// Puts the change in place, where what is there is still what was there when it was staged.
    pub(super) fn commit(
        &mut self,
        place: &Arc<Place>,
        staging: &Staging,
    ) -> Result<(), FolderError> {
        self.require(place, self.before)?;
        match self.way {
            Way::Nothing => {}
            Way::Create => self.move_in(place, staging, &self.slot)?,
            Way::Exchange => {
                self.exchange(place, staging)?;
                // From here on there is something to take back, whatever the look comes to.
                self.state = State::Committed;
                // Between the look and the exchange somebody may have been quicker.
                if !self.waits(staging, self.before)? {
                    self.exchange(place, staging)?;
                    self.state = State::Staged;
                    return Err(self.changed("holds something else now"));
                }
            }
            Way::Replace => {
                renameat(&staging.folder, &self.slot, &place.dir, &self.name)
                    .map_err(|errno| self.io(errno))?;
            }
            Way::Remove => {
                self.move_out(place, staging)?;
                self.state = State::Committed;
                if !self.waits(staging, self.before)? {
                    self.move_in(place, staging, &self.slot)?;
                    self.state = State::Staged;
                    return Err(self.changed("holds something else now"));
                }
            }
        }
        self.state = State::Committed;
        Ok(())
    }

    /// Brings back what was there, where what is there is still what was put there.
    pub(super) fn undo(
        &mut self,
        place: &Arc<Place>,
        staging: &Staging,
    ) -> Result<(), FolderError> {
        let found = stat_at(place, &self.name, &self.full)?;
        match self.way {
            Way::Nothing => {}
            // Somebody removed it already.
            Way::Create if found.is_none() => {}
            Way::Create => {
                self.require(place, self.after)?;
                self.move_out(place, staging)?;
            }
            Way::Exchange if found.is_none() => self.move_in(place, staging, &self.slot)?,
            Way::Exchange => {
                self.require(place, self.after)?;
                self.exchange(place, staging)?;
            }
            Way::Replace => {
                if found.is_some() {
                    self.require(place, self.after)?;
                }
                renameat(&staging.folder, &self.backup, &place.dir, &self.name)
                    .map_err(|errno| self.io(errno))?;
            }
            Way::Remove => self.move_in(place, staging, &self.slot)?,
        }
        self.state = State::Undone;
        Ok(())
    }

    /// An error unless `wanted` is at the place. The same bytes and mode in another file count as the same.
    fn require(&self, place: &Place, wanted: Option<Version>) -> Result<(), FolderError> {
        let Some(wanted) = wanted else {
            return match stat_at(place, &self.name, &self.full)? {
                None => Ok(()),
                Some(_) => Err(self.changed("is there now")),
            };
        };
        match stat_at(place, &self.name, &self.full)? {
            None => return Err(self.changed("is gone")),
            Some(stat) if Identity::of(&stat) == wanted.identity => return Ok(()),
            Some(stat) if FileType::from_raw_mode(stat.st_mode).is_symlink() => {
                return Err(FolderError::Symlink {
                    path: self.full.clone(),
                });
            }
            Some(stat) if stat.st_mode != wanted.identity.mode => {
                return Err(self.changed("has another mode now"));
            }
            Some(_) => {}
        }
        match read_at(place, &self.name, &self.full)? {
            None => Err(self.changed("is gone")),
            Some((content, _)) if digest(&content.bytes) != wanted.digest => {
                Err(self.changed("holds something else now"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether the file in waiting is this one.
    fn waits(&self, staging: &Staging, wanted: Option<Version>) -> Result<bool, FolderError> {
        let stat = statat(&staging.folder, &self.slot, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| self.io(errno))?;
        let Some(wanted) = wanted else {
            return Ok(false);
        };
        if Identity::of(&stat) == wanted.identity {
            return Ok(true);
        }
        let staged = read_in(staging, &self.slot, &self.full)?;
        Ok(stat.st_mode == wanted.identity.mode && staged == Some(wanted.digest))
    }

    fn exchange(&self, place: &Place, staging: &Staging) -> Result<(), FolderError> {
        match renameat_with(
            &staging.folder,
            &self.slot,
            &place.dir,
            &self.name,
            RenameFlags::EXCHANGE,
        ) {
            Ok(()) => Ok(()),
            Err(Errno::NOENT) => Err(self.changed("is gone")),
            Err(errno) => Err(self.io(errno)),
        }
    }

    /// Moves a file in waiting to its place, where nothing is.
    fn move_in(&self, place: &Place, staging: &Staging, from: &str) -> Result<(), FolderError> {
        match renameat_with(
            &staging.folder,
            from,
            &place.dir,
            &self.name,
            RenameFlags::NOREPLACE,
        ) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(self.changed("is there now")),
            // The file system cannot refuse by itself.
            Err(Errno::INVAL | Errno::NOSYS) => {
                if stat_at(place, &self.name, &self.full)?.is_some() {
                    return Err(self.changed("is there now"));
                }
                renameat(&staging.folder, from, &place.dir, &self.name)
                    .map_err(|errno| self.io(errno))
            }
            Err(errno) => Err(self.io(errno)),
        }
    }

    /// Moves what is at the place to the files in waiting.
    fn move_out(&self, place: &Place, staging: &Staging) -> Result<(), FolderError> {
        match renameat(&place.dir, &self.name, &staging.folder, &self.slot) {
            Ok(()) => Ok(()),
            Err(Errno::NOENT) => Err(self.changed("is gone")),
            Err(errno) => Err(self.io(errno)),
        }
    }

    fn io(&self, errno: Errno) -> FolderError {
        FolderError::io(self.action(), &self.full, errno.into())
    }
}

/// Digest of a regular file in waiting; none where it is something else.
pub(super) fn read_in(
    staging: &Staging,
    slot: &str,
    full: &std::path::Path,
) -> Result<Option<[u8; 32]>, FolderError> {
    use std::io::Read as _;
    let failed = |source| FolderError::io("read", full, source);
    let file = match rustix::fs::openat(
        &staging.folder,
        slot,
        super::READ_FLAGS,
        rustix::fs::Mode::empty(),
    ) {
        Ok(file) => std::fs::File::from(file),
        Err(_) => return Ok(None),
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(crate::folder::MAX_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(Some(digest(&bytes)))
}
