//! A batch of a process that is gone, opened again by what was intended.

use futures_util::{StreamExt as _, stream};

use super::batch::{Entry, RemoteBatch, Version};
use super::undo::settle;
use super::{AT_ONCE, RemoteFolder, failed, read_at};
use crate::folder::entry::{State, Way, waiting_names};
use crate::folder::intent::{Intended, Sum};
use crate::folder::{FolderError, Intent, Standing, path};
use crate::ssh::Link;

impl RemoteBatch {
    pub(super) async fn reopen(
        folder: &RemoteFolder,
        intent: &Intent,
    ) -> Result<Self, FolderError> {
        let mut batch = Self::begin(folder, intent).await?;
        batch.made_above = intent
            .above
            .iter()
            .map(|folder| folder.to_string_lossy().into_owned())
            .collect();
        // The set has outer folders before those in them.
        batch.made_below = intent.below.iter().cloned().collect();
        let link = folder.link().await?;
        let mut reaches = Vec::new();
        for file in &intent.files {
            path::check(&file.path)?;
            reaches.push(batch.reach(&link, path::folder_of(&file.path)).await?);
        }
        let judged: Vec<_> = {
            let (batch, link) = (&batch, &*link);
            let judged =
                intent
                    .files
                    .iter()
                    .zip(reaches)
                    .enumerate()
                    .map(|(number, (file, reach))| {
                        batch.judge(link, number, file, reach.staging, reach.place)
                    });
            stream::iter(judged).buffered(AT_ONCE).collect().await
        };
        for entry in judged {
            batch.ledger.add(entry?);
        }
        Ok(batch)
    }

    /// How far a change came, and how it would be taken back.
    async fn judge(
        &self,
        link: &Link,
        number: usize,
        file: &Intended,
        staging: usize,
        place: Option<String>,
    ) -> Result<Entry, FolderError> {
        let name = path::name_of(&file.path);
        let (slot, backup) = waiting_names(number, name);
        let mut entry = Entry {
            path: file.path.clone(),
            name: name.to_owned(),
            full: self.folder.shown.join(&file.path),
            way: match (file.before, file.after) {
                (None, None) => Way::Nothing,
                (None, Some(_)) => Way::Create,
                (Some(_), Some(_)) => Way::Replace,
                (Some(_), None) => Way::Remove,
            },
            state: State::Undone,
            before: None,
            after: None,
            staging,
            slot,
            backup,
            standing: None,
        };
        let folder = &self.stagings[staging];
        let slot = folder.file(&entry.slot);
        // The host may still be at work on what the other process had asked of it.
        if let Err(error) = settle(link, entry.way, &slot).await {
            return Err(failed(link, "look at", &entry.full, &error).await);
        }
        let found = match &place {
            Some(place) => read_at(link, &format!("{place}/{name}"), &entry.full).await,
            None => Ok(None),
        };
        let found = match found {
            Ok(found) => found,
            // Something that is no file has taken the place.
            Err(FolderError::NotAFile { .. } | FolderError::Symlink { .. }) => {
                entry.standing = Some(Standing::Changed);
                return Ok(entry);
            }
            Err(error) => return Err(error),
        };
        let version = found.map(|(content, found)| Version {
            identity: found,
            digest: content.digest(),
        });
        let mut standing = Standing::of(file, version.map(|version| version.digest));
        if standing == Standing::Done {
            let waits = match entry.way {
                Way::Replace => Some(folder.file(&entry.backup)),
                Way::Remove => Some(slot),
                Way::Create | Way::Exchange | Way::Nothing => None,
            };
            let there = match waits {
                None => true,
                Some(waits) => match read_at(link, &waits, &entry.full).await {
                    Ok(waiting) => {
                        entry.before = waiting.map(|(content, found)| Version {
                            identity: found,
                            digest: content.digest(),
                        });
                        entry.before.map(|before| Sum(before.digest)) == file.before
                    }
                    // What stands in the way of a removal that never happened.
                    Err(FolderError::NotAFile { .. }) => false,
                    Err(error) => return Err(error),
                },
            };
            if there {
                entry.state = State::Committed;
                entry.after = version;
            } else {
                standing = Standing::Lost;
            }
        }
        entry.standing = Some(standing);
        Ok(entry)
    }
}
