use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{
    AtFlags, Dir as Listing, FlockOperation, Gid, Mode, OFlags, RenameFlags, Stat, StatxFlags, Uid,
    fchmod, fchown, flock, fstat, fsync, mkdirat, openat, renameat_with, statx, unlinkat,
};
use rustix::io::Errno;

use super::holder;
use super::place::Place;
use crate::folder::FolderError;
use crate::folder::path::{PREFIX, PREFIX_REMOTE, PREFIX_RUN};

const FOLDER_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Names to try before giving up; each is taken only where another process made the same one.
const ATTEMPTS: u32 = 100;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Where a rename can reach: only within one mount of one file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mount {
    device: (u32, u32),
    id: u64,
}

impl Mount {
    pub(super) fn of(place: &Place, full: &Path) -> Result<Self, FolderError> {
        // Old kernels leave the mount's number at 0: then the device alone decides.
        let stat = statx(
            &place.dir,
            ".",
            AtFlags::empty(),
            StatxFlags::BASIC_STATS | StatxFlags::MNT_ID,
        )
        .map_err(|errno| FolderError::io("look at", full, errno.into()))?;
        Ok(Self {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            id: stat.stx_mnt_id,
        })
    }
}

/// A folder for files in waiting, on the mount of the files' places. Only its owner can look into it. It is locked
/// while in use, so that what a killed process left behind can be told from what another one is using.
#[derive(Debug)]
pub(super) struct Staging {
    pub(super) mount: Mount,
    /// Open and locked.
    pub(super) folder: OwnedFd,
    /// The folder that it is in.
    parent: OwnedFd,
    name: String,
    /// Its absolute path.
    pub(super) path: PathBuf,
    /// Whether two names can be exchanged there; known once asked.
    exchange: Option<bool>,
    /// It stays when the batch is dropped.
    kept: bool,
}

impl Staging {
    /// Makes one in `place`, and clears away what no process uses any more.
    pub(super) fn make(place: &Place, full: &Path) -> Result<Self, FolderError> {
        let failed = |errno: Errno| FolderError::io("make a folder in", full, errno.into());
        let mount = Mount::of(place, full)?;
        let parent = openat(&place.dir, ".", FOLDER_FLAGS, Mode::empty()).map_err(failed)?;
        clear_abandoned(&parent).map_err(failed)?;
        for _ in 0..ATTEMPTS {
            let name = format!(
                "{PREFIX}{}-{}",
                std::process::id(),
                NEXT.fetch_add(1, Ordering::Relaxed)
            );
            match mkdirat(&parent, &name, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(errno) => return Err(failed(errno)),
            }
            // Another process may take it for abandoned before it is locked: then it is gone, and the next name is
            // tried.
            let folder = match openat(&parent, &name, FOLDER_FLAGS, Mode::empty()) {
                Ok(folder) => folder,
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(failed(errno)),
            };
            let locked = flock(&folder, FlockOperation::NonBlockingLockExclusive);
            let gone = fstat(&folder).map_err(failed)?.st_nlink == 0;
            if gone || matches!(locked, Err(Errno::WOULDBLOCK)) {
                continue;
            }
            let path = full.join(&name);
            return Ok(Self {
                mount,
                folder,
                parent,
                name,
                path,
                exchange: None,
                kept: false,
            });
        }
        Err(failed(Errno::EXIST))
    }

    /// The one of this name in `place`, made where it does not exist. Whatever of another batch no process uses any
    /// more is cleared away.
    pub(super) fn named(place: &Place, full: &Path, name: &str) -> Result<Self, FolderError> {
        let failed = |errno: Errno| FolderError::io("make a folder in", full, errno.into());
        let mount = Mount::of(place, full)?;
        let parent = openat(&place.dir, ".", FOLDER_FLAGS, Mode::empty()).map_err(failed)?;
        clear_abandoned(&parent).map_err(failed)?;
        match mkdirat(&parent, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let folder = openat(&parent, name, FOLDER_FLAGS, Mode::empty()).map_err(failed)?;
        let path = full.join(name);
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let holder = holder::of(&folder);
                return Err(FolderError::InUse { path, holder });
            }
            Err(errno) => return Err(failed(errno)),
        }
        Ok(Self {
            mount,
            folder,
            parent,
            name: name.to_owned(),
            path,
            exchange: None,
            kept: false,
        })
    }

    /// From now on it stays when it is dropped.
    pub(super) const fn keep(&mut self) {
        self.kept = true;
    }

    /// Makes durable that it is there, with the names in it.
    pub(super) fn sync(&self) -> Result<(), Errno> {
        fsync(&self.folder)?;
        let parent = openat(&self.parent, ".", FOLDER_FLAGS, Mode::empty())?;
        fsync(parent)
    }

    /// Whether the file system can exchange two names at once. Asked by doing it.
    pub(super) fn can_exchange(&mut self) -> Result<bool, FolderError> {
        if let Some(known) = self.exchange {
            return Ok(known);
        }
        let failed = |errno: Errno| FolderError::io("write", &self.path, errno.into());
        let names = ["exchange-1", "exchange-2"];
        for name in names {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
            openat(&self.folder, name, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        }
        let done = renameat_with(
            &self.folder,
            names[0],
            &self.folder,
            names[1],
            RenameFlags::EXCHANGE,
        )
        .is_ok();
        for name in names {
            unlinkat(&self.folder, name, AtFlags::empty()).map_err(failed)?;
        }
        self.exchange = Some(done);
        Ok(done)
    }

    /// Writes a file in waiting, with this mode and, where it is allowed, owner. `full` is its place, for errors.
    pub(super) fn write(
        &self,
        slot: &str,
        bytes: &[u8],
        mode: u32,
        owner: (Option<Uid>, Option<Gid>),
        full: &Path,
    ) -> Result<(OwnedFd, Stat), FolderError> {
        let failed = |errno: Errno| FolderError::io("write", full, errno.into());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, slot, flags, Mode::from_raw_mode(mode & 0o777));
        let file = File::from(file.map_err(failed)?);
        fill(file, bytes, mode, owner, full).inspect_err(|_| {
            // A part of a file is of no use, and takes space that may be scarce.
            let _ = unlinkat(&self.folder, slot, AtFlags::empty());
        })
    }

    /// Behaves from now on as on a file system that cannot exchange names.
    #[cfg(test)]
    pub(super) fn forbid_exchange(&mut self) {
        self.exchange = Some(false);
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // What cannot be removed now is cleared away by the next batch.
        let _ = remove(&self.parent, &self.name, &self.folder);
    }
}

/// Content first, owner then, mode last.
fn fill(
    mut file: File,
    bytes: &[u8],
    mode: u32,
    (user, group): (Option<Uid>, Option<Gid>),
    full: &Path,
) -> Result<(OwnedFd, Stat), FolderError> {
    let failed = |errno: Errno| FolderError::io("write", full, errno.into());
    file.write_all(bytes)
        .map_err(|source| FolderError::io("write", full, source))?;
    let mut stat = fstat(&file).map_err(failed)?;
    let user = user.filter(|user| user.as_raw() != stat.st_uid);
    let group = group.filter(|group| group.as_raw() != stat.st_gid);
    let mut touched = false;
    if user.is_some() || group.is_some() {
        let changed = match fchown(&file, user, group) {
            // Only root may give files away; for others the file becomes theirs, as with any editor.
            Err(Errno::PERM) => fchown(&file, None, group),
            other => other,
        };
        match changed {
            Ok(()) => touched = true,
            Err(Errno::PERM) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    // After the owner: a change of owner takes some bits away.
    if touched || stat.st_mode & 0o7777 != mode {
        fchmod(&file, Mode::from_raw_mode(mode)).map_err(failed)?;
        touched = true;
    }
    if touched {
        stat = fstat(&file).map_err(failed)?;
    }
    Ok((file.into(), stat))
}

/// Removes folders for files in waiting that nobody has locked.
fn clear_abandoned(parent: &OwnedFd) -> Result<(), Errno> {
    for entry in Listing::read_from(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let name_bytes = name.to_bytes();
        // Those of other hosts hold no lock here, and those that can be reopened need none.
        if !name_bytes.starts_with(PREFIX.as_bytes())
            || name_bytes.starts_with(PREFIX_REMOTE.as_bytes())
            || name_bytes.starts_with(PREFIX_RUN.as_bytes())
        {
            continue;
        }
        if let Ok(folder) = openat(parent, name, FOLDER_FLAGS, Mode::empty())
            && flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = remove(parent, name, &folder);
        }
    }
    Ok(())
}

/// Removes a folder that holds only files.
fn remove<N: rustix::path::Arg>(parent: &OwnedFd, name: N, folder: &OwnedFd) -> Result<(), Errno> {
    for entry in Listing::read_from(folder)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            unlinkat(folder, entry.file_name(), AtFlags::empty())?;
        }
    }
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}
