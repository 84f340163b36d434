//! Bringing back what was there, and going on where a connection broke off.

use futures_util::{StreamExt as _, stream};

use super::batch::{ATTEMPTS, RemoteBatch};
use super::change::require;
use super::{AT_ONCE, failed};
use crate::folder::entry::{State, Way};
use crate::folder::{FolderError, path};
use crate::ssh::Link;
use crate::ssh::sftp::SftpError;
use crate::ssh::wire::Attributes;

impl RemoteBatch {
    pub(in crate::folder) async fn undo(&mut self) -> Result<(), FolderError> {
        let hindrances = self.ledger.hindrances();
        let total = self.begun().len() + hindrances.len();
        let mut failures = Vec::new();
        for _ in 0..ATTEMPTS {
            failures = self.undo_once().await;
            // What else failed would fail again.
            if !failures
                .iter()
                .any(|failure| matches!(failure, FolderError::Host(_)))
            {
                break;
            }
        }
        failures.extend(hindrances);
        self.keep = !failures.is_empty();
        if failures.is_empty() {
            return Ok(());
        }
        Err(FolderError::UndoIncomplete {
            root: self.folder.shown.clone(),
            total,
            failures,
            kept: self.stagings.first().map(|staging| staging.shown.clone()),
        })
    }

    /// Changes that are in place, or may be; the last first.
    fn begun(&self) -> Vec<usize> {
        (0..self.ledger.entries.len())
            .rev()
            .filter(|&at| {
                matches!(
                    self.ledger.entries[at].state,
                    State::Committed | State::Unsure
                )
            })
            .collect()
    }

    async fn undo_once(&mut self) -> Vec<FolderError> {
        let begun = self.begun();
        if begun.is_empty() && self.made_below.is_empty() && self.dirty.is_empty() {
            return Vec::new();
        }
        let link = match self.folder.link().await {
            Ok(link) => link,
            Err(error) => return vec![error],
        };
        let mut failures = self.undo_all(&link, &begun).await;
        for folder in self.made_below.clone().into_iter().rev() {
            // Where something else is in it by now, it stays.
            let path = format!("{}/{folder}", self.root);
            if let Err(error) = link.sftp.remove_folder(&path).await
                && let Some(broken) = link.broken(&error).await
            {
                failures.push(broken.into());
                return failures;
            }
            self.made_below.retain(|made| *made != folder);
            if let Some(reach) = self.folders.get_mut(&folder) {
                reach.place = None;
            }
            self.dirty.remove(&folder);
            self.dirty.insert(path::folder_of(&folder).to_owned());
        }
        if failures.is_empty()
            && let Err(error) = self.sync_folders().await
        {
            failures.push(error);
        }
        failures
    }

    pub(in crate::folder) async fn undo_one(&mut self, path: &str) -> Result<(), FolderError> {
        let at = self.ledger.find(path, State::Committed)?;
        let link = self.folder.link().await?;
        match self.undo_all(&link, &[at]).await.pop() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Brings back what was there before these changes. A connection that is lost is one failure, not many.
    async fn undo_all(&mut self, link: &Link, begun: &[usize]) -> Vec<FolderError> {
        let undone: Vec<_> = {
            let batch = &*self;
            let undone = begun.iter().map(|&at| batch.undo_at(link, at));
            stream::iter(undone).buffered(AT_ONCE).collect().await
        };
        let mut failures = Vec::new();
        let mut lost = false;
        for (&at, undone) in begun.iter().zip(undone) {
            let entry = &mut self.ledger.entries[at];
            match undone {
                Ok(()) => {
                    entry.state = State::Undone;
                    entry.tell_restored(&self.folder.reporting);
                    self.dirty.insert(path::folder_of(&entry.path).to_owned());
                }
                Err(FolderError::Host(_)) if lost => {}
                Err(error) => {
                    lost |= matches!(error, FolderError::Host(_));
                    failures.push(error);
                }
            }
        }
        failures
    }

    async fn undo_at(&self, link: &Link, at: usize) -> Result<(), FolderError> {
        let entry = &self.ledger.entries[at];
        let folder = path::folder_of(&entry.path);
        let reach = self.folders.get(folder);
        let Some(folder) = reach.and_then(|reach| reach.place.as_deref()) else {
            // Nothing was ever put there.
            return Ok(());
        };
        let place = format!("{folder}/{}", entry.name);
        let staging = &self.stagings[entry.staging];
        let (slot, backup) = (staging.file(&entry.slot), staging.file(&entry.backup));
        let looked = async {
            if entry.state == State::Unsure {
                settle(link, entry.way, &slot).await?;
            }
            let (slot, place, backup) = (
                link.sftp.lstat(&slot),
                link.sftp.lstat(&place),
                link.sftp.lstat(&backup),
            );
            Ok([
                is_file_there(slot.await)?,
                is_there(place.await)?,
                is_there(backup.await)?,
            ])
        };
        let [waits, placed, kept] = match looked.await {
            Ok(looked) => looked,
            Err(error) => return Err(failed(link, "look at", &entry.full, &error).await),
        };
        let done = match entry.way {
            Way::Nothing | Way::Exchange => Ok(()),
            // Somebody removed it already, or it never came there.
            Way::Create if !placed => Ok(()),
            Way::Create if waits || is_there_settled(link, &slot).await => {
                // Moving in makes a second name first: it may have come so far.
                match require(link, entry, folder, entry.after).await {
                    Ok(()) => link.sftp.remove(&place).await,
                    Err(error @ FolderError::Host(_)) => return Err(error),
                    Err(_) => Ok(()),
                }
            }
            Way::Create => {
                require(link, entry, folder, entry.after).await?;
                link.sftp.remove(&place).await
            }
            // What waits was never put in place.
            Way::Replace if waits || is_there_settled(link, &slot).await => Ok(()),
            // What was there before is back already, or somebody has removed it.
            Way::Replace if !kept => return require(link, entry, folder, entry.before).await,
            Way::Replace => {
                if placed {
                    require(link, entry, folder, entry.after).await?;
                }
                link.sftp.replace(&backup, &place).await
            }
            // It was never moved away, or it is back already; or somebody has removed it.
            Way::Remove if !waits && placed => Ok(()),
            Way::Remove if !waits => return Err(entry.changed("is gone")),
            Way::Remove if placed => return Err(entry.changed("is there now")),
            Way::Remove => link.sftp.move_in(&slot, &place).await,
        };
        match done {
            Ok(()) => Ok(()),
            Err(error) => Err(failed(link, "restore", &entry.full, &error).await),
        }
    }
}

/// Makes sure that a change whose answer never came happens now or never: the host may still be at work on what the
/// broken connection had asked of it. What waits gets another name, so that it cannot be moved in; where something is to
/// be moved out, a folder stands in its way.
pub(super) async fn settle(link: &Link, way: Way, slot: &str) -> Result<(), SftpError> {
    let settled = match way {
        Way::Create | Way::Replace => link.sftp.replace(slot, &settled(slot)).await,
        Way::Remove => link.sftp.make_folder(slot, 0o700).await,
        Way::Exchange | Way::Nothing => Ok(()),
    };
    match settled {
        // It happened; or this was done before.
        Err(SftpError::NotFound | SftpError::Failure(_)) => Ok(()),
        other => other,
    }
}

/// The name that what waits has once it is settled that it was never put in place.
fn settled(slot: &str) -> String {
    format!("{slot}.undone")
}

async fn is_there_settled(link: &Link, slot: &str) -> bool {
    link.sftp.lstat(&settled(slot)).await.is_ok()
}

fn is_there(found: Result<Attributes, SftpError>) -> Result<bool, SftpError> {
    match found {
        Ok(_) => Ok(true),
        Err(SftpError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_file_there(found: Result<Attributes, SftpError>) -> Result<bool, SftpError> {
    match found {
        Ok(found) => Ok(!found.is_folder()),
        Err(SftpError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}
