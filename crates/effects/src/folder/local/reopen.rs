//! A batch of a process that is gone, opened again by what was intended.

use super::batch::LocalBatch;
use super::entry::{Entry, Identity, Version, read_in};
use super::{LocalFolder, read_at};
use crate::folder::entry::{State, Way, waiting_names};
use crate::folder::intent::Intended;
use crate::folder::{FolderError, Intent, Standing, path};

impl LocalBatch {
    pub(super) fn reopen(folder: &LocalFolder, intent: &Intent) -> Result<Self, FolderError> {
        let mut batch = Self::begin(folder, intent)?;
        batch.made_above.clone_from(&intent.above);
        // The set has outer folders before those in them.
        batch.made_below = intent.below.iter().cloned().collect();
        for (number, file) in intent.files.iter().enumerate() {
            let entry = batch.judge(number, file)?;
            batch.ledger.add(entry);
        }
        Ok(batch)
    }

    /// How far a change came, and how it would be taken back.
    fn judge(&mut self, number: usize, file: &Intended) -> Result<Entry, FolderError> {
        path::check(&file.path)?;
        let name = path::name_of(&file.path);
        let full = self.root.join(&file.path);
        let reach = self.reach(path::folder_of(&file.path))?;
        let found = match &reach.place {
            Some(place) => read_at(place, name, &full),
            None => Ok(None),
        };
        let (slot, backup) = waiting_names(number, name);
        let mut entry = Entry {
            path: file.path.clone(),
            name: name.to_owned(),
            full,
            way: Way::Nothing,
            state: State::Undone,
            before: None,
            after: None,
            staging: reach.staging,
            slot,
            backup,
            standing: None,
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
        let version = found.map(|(content, stat)| Version {
            identity: Identity::of(&stat),
            digest: content.digest(),
        });
        let mut standing = Standing::of(file, version.map(|version| version.digest));
        if standing == Standing::Done {
            match self.way(file, &entry)? {
                Some(way) => {
                    entry.way = way;
                    entry.state = State::Committed;
                    entry.after = version;
                }
                None => standing = Standing::Lost,
            }
        }
        entry.standing = Some(standing);
        Ok(entry)
    }

    /// How a change that is in place was put there, told by where what was there before waits; none where it is gone.
    fn way(&self, file: &Intended, entry: &Entry) -> Result<Option<Way>, FolderError> {
        let Some(before) = &file.before else {
            return Ok(Some(if file.after.is_some() {
                Way::Create
            } else {
                Way::Nothing
            }));
        };
        let staging = &self.stagings[entry.staging];
        let waits = |slot: &str| -> Result<bool, FolderError> {
            Ok(read_in(staging, slot, &entry.full)? == Some(before.0))
        };
        Ok(match file.after {
            None => waits(&entry.slot)?.then_some(Way::Remove),
            Some(_) if waits(&entry.slot)? => Some(Way::Exchange),
            Some(_) => waits(&entry.backup)?.then_some(Way::Replace),
        })
    }
}
