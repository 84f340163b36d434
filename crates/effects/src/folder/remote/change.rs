//! One change: asked for, and held against what should be there.

use std::path::Path;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::batch::{Entry, Version};
use super::staging::Staging;
use super::{failed, read_at};
use crate::folder::FolderError;
use crate::folder::entry::Way;
use crate::ssh::Link;
use crate::ssh::sftp::SftpError;

/// Asks for a change to be put in place, and gives what awaits the answer.
pub(super) fn ask<'a>(
    link: &'a Link,
    entry: &Entry,
    staging: &Staging,
    folder: &str,
) -> BoxFuture<'a, Result<(), FolderError>> {
    let place = format!("{folder}/{}", entry.name);
    let slot = staging.file(&entry.slot);
    let (full, action) = (entry.full.clone(), entry.action());
    let changed = |full: &Path, how| FolderError::Changed {
        path: full.to_owned(),
        how,
    };
    match entry.way {
        Way::Create => {
            let moved = link.sftp.move_in(&slot, &place);
            async move {
                match moved.await {
                    Ok(()) => Ok(()),
                    Err(SftpError::Failure(_)) if link.sftp.lstat(&place).await.is_ok() => {
                        Err(changed(&full, "is there now"))
                    }
                    Err(error) => Err(failed(link, action, &full, &error).await),
                }
            }
            .boxed()
        }
        Way::Remove => {
            let moved = link.sftp.replace(&place, &slot);
            let looked = link.sftp.lstat(&slot);
            let before = entry.before;
            async move {
                match moved.await {
                    Ok(()) => {}
                    Err(SftpError::NotFound) => return Err(changed(&full, "is gone")),
                    Err(error) => return Err(failed(link, action, &full, &error).await),
                }
                // Between the look and the move somebody may have been quicker.
                let same = match looked.await {
                    Ok(found) if before.is_some_and(|before| before.identity == found) => true,
                    Ok(_) => match (read_at(link, &slot, &full).await?, before) {
                        (Some((content, found)), Some(before)) => {
                            found.mode == before.identity.mode && content.digest() == before.digest
                        }
                        _ => false,
                    },
                    Err(error) => return Err(failed(link, action, &full, &error).await),
                };
                if same {
                    return Ok(());
                }
                Err(match link.sftp.move_in(&slot, &place).await {
                    Ok(()) => changed(&full, "holds something else now"),
                    Err(error) => failed(link, "restore", &full, &error).await,
                })
            }
            .boxed()
        }
        Way::Replace | Way::Exchange | Way::Nothing => {
            let moved = link.sftp.replace(&slot, &place);
            async move {
                match moved.await {
                    Ok(()) => Ok(()),
                    Err(error) => Err(failed(link, action, &full, &error).await),
                }
            }
            .boxed()
        }
    }
}

/// An error unless `wanted` is at the place. The same bytes and mode in another file count as the same.
pub(super) async fn require(
    link: &Link,
    entry: &Entry,
    folder: &str,
    wanted: Option<Version>,
) -> Result<(), FolderError> {
    let place = format!("{folder}/{}", entry.name);
    let Some(wanted) = wanted else {
        return match link.sftp.lstat(&place).await {
            Err(SftpError::NotFound) => Ok(()),
            Ok(_) => Err(entry.changed("is there now")),
            Err(error) => Err(failed(link, "look at", &entry.full, &error).await),
        };
    };
    match read_at(link, &place, &entry.full).await? {
        None => Err(entry.changed("is gone")),
        Some((_, found)) if found.mode != wanted.identity.mode => {
            Err(entry.changed("has another mode now"))
        }
        Some((content, _)) if content.digest() != wanted.digest => {
            Err(entry.changed("holds something else now"))
        }
        Some(_) => Ok(()),
    }
}
