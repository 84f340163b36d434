use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};

use super::{failed, not_written};
use crate::folder::FolderError;
use crate::folder::entry::BACKUP;
use crate::folder::path::PREFIX_REMOTE;
use crate::process::{self, Life};
use crate::ssh::Link;
use crate::ssh::sftp::{CHUNK, Handle, SftpError};
use crate::ssh::wire::Attributes;

/// What another machine left behind is abandoned when nothing was done in it for so long, in seconds: no batch lives
/// for a day.
const ABANDONED: u32 = 24 * 3600;

/// What holds files as they were before is kept for so long: it may be all that is left of them.
const KEPT: u32 = 7 * 24 * 3600;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder for files in waiting, in the folder that they are for: so it is always on the same file system. Only its
/// owner can look into it.
#[derive(Debug, Clone)]
pub(super) struct Staging {
    /// As the host knows it.
    pub(super) path: String,
    /// As people see it.
    pub(super) shown: PathBuf,
}

impl Staging {
    /// One in `folder` that is not made yet. Its name is nobody else's.
    pub(super) fn unnamed(folder: &str, shown: &Path) -> Self {
        let name = format!(
            "{PREFIX_REMOTE}{}-{}",
            own_name(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self::named(folder, shown, &name)
    }

    /// The one of this name in `folder`, which may be there already.
    pub(super) fn named(folder: &str, shown: &Path, name: &str) -> Self {
        Self {
            path: format!("{folder}/{name}"),
            shown: shown.join(name),
        }
    }

    /// Makes it, and clears away what nobody uses any more.
    pub(super) async fn make(
        &self,
        link: &Link,
        folder: &str,
        shown: &Path,
    ) -> Result<(), FolderError> {
        if let Err(error) = link.sftp.make_folder(&self.path, 0o700).await
            && !self.is_there(link).await
        {
            return Err(not_written(link, "write into", (folder, shown), 0, &error).await);
        }
        if let Err(error) = clear_abandoned(link, folder, &self.path).await {
            return Err(failed(link, "list", shown, &error).await);
        }
        Ok(())
    }

    async fn is_there(&self, link: &Link) -> bool {
        let found = link.sftp.lstat(&self.path).await;
        found.is_ok_and(|found| found.is_folder())
    }

    /// The path of a file in waiting.
    pub(super) fn file(&self, slot: &str) -> String {
        format!("{}/{slot}", self.path)
    }

    /// Writes a file in waiting, durable, with this mode and, where it is allowed, owner. `shown` is its place, for
    /// errors.
    pub(super) async fn write(
        &self,
        link: &Link,
        slot: &str,
        bytes: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
        shown: &Path,
    ) -> Result<Attributes, FolderError> {
        let path = self.file(slot);
        let error = match link.sftp.create(&path, mode & 0o777).await {
            Ok(handle) => match fill(link, &handle, bytes, mode, owner).await {
                Ok(written) => return Ok(written),
                Err(error) => {
                    let told =
                        not_written(link, "write", (&self.path, shown), bytes.len(), &error).await;
                    // A part of a file is of no use, and takes space that may be scarce.
                    let closed = link.sftp.close(&handle);
                    let removed = link.sftp.remove(&path);
                    let _ = (closed.await, removed.await);
                    return Err(told);
                }
            },
            Err(error) => error,
        };
        Err(not_written(link, "write", (&self.path, shown), bytes.len(), &error).await)
    }

    /// Removes it with everything in it. Gives whether nothing is left of it.
    pub(super) async fn remove(&self, link: &Link) -> bool {
        match remove(link, &self.path).await {
            Ok(()) | Err(SftpError::NotFound) => true,
            Err(_) => false,
        }
    }
}

/// Content first, owner then, mode last, all of it durable.
async fn fill(
    link: &Link,
    handle: &Handle,
    bytes: &[u8],
    mode: u32,
    owner: Option<(u32, u32)>,
) -> Result<Attributes, SftpError> {
    let sftp = &link.sftp;
    let mut offset = 0;
    // So much on the way at once that the line is never idle.
    for window in bytes.chunks(64 * CHUNK) {
        let writes = window.chunks(CHUNK).map(|piece| {
            let write = sftp.write(handle, offset, piece);
            offset += piece.len() as u64;
            write
        });
        for written in join_all(writes.collect::<Vec<_>>()).await {
            written?;
        }
    }
    let found = sftp.fstat(handle).await?;
    let mut touched = false;
    if let Some((user, group)) = owner
        && found.owner != owner
    {
        let give = |user, group| Attributes {
            owner: Some((user, group)),
            ..Attributes::default()
        };
        let given = match sftp.set(handle, give(user, group)).await {
            // Only root may give files away; for others the file becomes theirs, as with any editor.
            Err(SftpError::Denied | SftpError::Failure(_)) => {
                let own = found.owner.map_or(user, |(own, _)| own);
                sftp.set(handle, give(own, group)).await
            }
            other => other,
        };
        match given {
            Ok(()) => touched = true,
            Err(SftpError::Denied | SftpError::Failure(_) | SftpError::Unsupported) => {}
            Err(error) => return Err(error),
        }
    }
    // After the owner: a change of owner takes some bits away.
    let moded = (touched || found.permissions() != mode).then(|| {
        sftp.set(
            handle,
            Attributes {
                mode: Some(mode),
                ..Attributes::default()
            },
        )
    });
    let synced = sftp.sync(handle);
    let written = sftp.fstat(handle);
    let closed = sftp.close(handle);
    if let Some(moded) = moded {
        moded.await?;
    }
    match synced.await {
        Ok(()) | Err(SftpError::Unsupported) => {}
        Err(error) => return Err(error),
    }
    let written = written.await?;
    closed.await?;
    Ok(written)
}

/// Removes a folder that holds only files and empty folders.
async fn remove(link: &Link, path: &str) -> Result<(), SftpError> {
    let names = link.sftp.list(path).await?;
    let removals: Vec<_> = names
        .iter()
        .map(|(name, attributes)| {
            let path = format!("{path}/{name}");
            if attributes.is_folder() {
                link.sftp.remove_folder(&path)
            } else {
                link.sftp.remove(&path)
            }
        })
        .collect();
    let gone = link.sftp.remove_folder(path);
    for removed in join_all(removals).await {
        removed?;
    }
    gone.await
}

/// Removes folders for files in waiting whose process is gone, or which nobody has touched for long. `own` is the new
/// one, whose time is now by the host's own clock.
async fn clear_abandoned(link: &Link, folder: &str, own: &str) -> Result<(), SftpError> {
    let now = link.sftp.lstat(own).await?.modified.unwrap_or_default();
    for (name, attributes) in link.sftp.list(folder).await? {
        let path = format!("{folder}/{name}");
        let Some(owner) = name.strip_prefix(PREFIX_REMOTE) else {
            continue;
        };
        if path == own || !attributes.is_folder() {
            continue;
        }
        let age = now.saturating_sub(attributes.modified.unwrap_or(now));
        if !is_gone(owner).unwrap_or(age > ABANDONED) {
            continue;
        }
        let content = link.sftp.list(&path).await;
        let holds_originals =
            content.is_ok_and(|names| names.iter().any(|(name, _)| name.ends_with(BACKUP)));
        if !holds_originals || age > KEPT {
            // Somebody else may be clearing the same.
            let _ = remove(link, &path).await;
        }
    }
    Ok(())
}

/// This process among all of all machines: machine, process id, and when the process started. On systems that do not
/// tell it, nothing but the age of what it leaves tells that it is gone.
fn own_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let id = std::process::id();
        let started = match process::life(id) {
            Life::Since(started) => started,
            Life::Ended | Life::Unknown => "0".to_owned(),
        };
        format!("{}-{id}-{started}", machine().unwrap_or("unknown"))
    })
}

/// Whether the process that made a folder is gone; none where that cannot be told from here.
fn is_gone(owner: &str) -> Option<bool> {
    let mut parts = owner.split('-');
    let (there, id, time) = (parts.next()?, parts.next()?, parts.next()?);
    if Some(there) != machine() {
        return None;
    }
    match process::life(id.parse().ok()?) {
        // The number is another process's by now.
        Life::Since(started) => Some(started != time),
        Life::Ended => Some(true),
        Life::Unknown => None,
    }
}

/// A short name of this machine since it was started, and of the space that its process ids are from.
fn machine() -> Option<&'static str> {
    static MACHINE: OnceLock<Option<String>> = OnceLock::new();
    MACHINE
        .get_or_init(|| {
            let (boot, space) = process::machine();
            if boot.is_empty() || space.is_empty() {
                return None;
            }
            let mut hasher = Sha256::new();
            hasher.update(boot);
            hasher.update(space);
            let digest = hasher.finalize();
            let first = digest.iter().take(6);
            Some(first.map(|byte| format!("{byte:02x}")).collect())
        })
        .as_deref()
}

#[cfg(test)]
mod tests {
    use super::{is_gone, own_name};

    #[test]
    fn a_living_process_is_told_from_a_dead_one_and_from_those_elsewhere() {
        let own = own_name();
        assert_eq!(is_gone(&format!("{own}-0")), Some(false));
        let (machine, _) = own.split_once('-').unwrap();
        let id = std::process::id();
        assert_eq!(is_gone(&format!("{machine}-{id}-1-0")), Some(true));
        assert_eq!(is_gone(&format!("{machine}-4194305-1-0")), Some(true));
        assert_eq!(is_gone(&format!("0123456789ab-{id}-1-0")), None);
        assert_eq!(is_gone("1-0"), None);
    }
}
