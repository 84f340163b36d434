use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use futures_util::{StreamExt as _, stream};

use super::change::{ask, require};
use super::staging::Staging;
use super::{AT_ONCE, RemoteFolder, failed, not_written, read_at};
use crate::folder::entry::{self, Ledger, State, Way, waiting_names};
use crate::folder::{Change, Failed, FolderError, Intent, Standing, digest, path};
use crate::ssh::sftp::SftpError;
use crate::ssh::wire::Attributes;
use crate::ssh::{Link, SshError};

/// Folders that a batch makes.
const FOLDER_MODE: u32 = 0o755;

/// A line that broke once may break once more.
pub(super) const ATTEMPTS: usize = 3;

pub(super) type Entry = entry::Entry<Attributes>;
pub(super) type Version = entry::Version<Attributes>;

/// A batch on another host: [`Batch`](crate::folder::Batch) says what it promises.
///
/// It rests on names alone, so that it can go on over a new connection. What was there before keeps a second name
/// among the files in waiting: bringing it back brings back the very file.
#[derive(Debug)]
pub(in crate::folder) struct RemoteBatch {
    pub(super) folder: RemoteFolder,
    /// The root with every link resolved.
    pub(super) root: String,
    pub(super) ledger: Ledger<Attributes>,
    /// By path below the root.
    pub(super) folders: HashMap<String, Reach>,
    pub(super) stagings: Vec<Staging>,
    /// The next number of a file in waiting.
    next: usize,
    /// Folders that this batch made, outermost first: above the root by absolute path, below it by name.
    pub(super) made_above: Vec<String>,
    pub(super) made_below: Vec<String>,
    /// Folders (by path below the root) whose entries changed since they were last made durable.
    pub(super) dirty: BTreeSet<String>,
    /// Something could not be brought back: what was there before must not go away.
    pub(super) keep: bool,
    ended: bool,
    /// What it is to do, where it can be reopened: then its staging folders stay until it is ended.
    intent: Option<Kept>,
}

/// What a batch that can be reopened goes by.
#[derive(Debug)]
struct Kept {
    /// The name of its staging folders.
    name: String,
    /// Folders that did not exist when it was intended: what goes into them waits in those above.
    below: BTreeSet<String>,
}

/// A folder that files are to be put in.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// None while it does not exist.
    pub(super) place: Option<String>,
    pub(super) staging: usize,
}

impl RemoteBatch {
    pub(super) async fn new(folder: &RemoteFolder) -> Result<Self, FolderError> {
        let link = folder.link().await?;
        if !link.sftp.can_replace() {
            return Err(SshError::NoReplace {
                host: link.host().to_owned(),
            }
            .into());
        }
        let mut batch = Self {
            folder: folder.clone(),
            root: String::new(),
            ledger: Ledger::new(),
            folders: HashMap::new(),
            stagings: Vec::new(),
            next: 0,
            made_above: Vec::new(),
            made_below: Vec::new(),
            dirty: BTreeSet::new(),
            keep: false,
            ended: false,
            intent: None,
        };
        let mut root = folder.real_root(&link).await?;
        if root.is_none() {
            if let Err(error) = batch.make_above(&link).await {
                batch.clear(&link).await;
                return Err(error);
            }
            root = folder.real_root(&link).await?;
        }
        batch.root = root.ok_or_else(|| FolderError::RootMissing {
            root: folder.shown.clone(),
        })?;
        Ok(batch)
    }

    /// One that can be reopened by its intent.
    pub(super) async fn begin(folder: &RemoteFolder, intent: &Intent) -> Result<Self, FolderError> {
        let mut batch = Self::new(folder).await?;
        batch.intent = Some(Kept {
            name: intent.name.folder(),
            below: intent.below.clone(),
        });
        Ok(batch)
    }

    pub(in crate::folder) const fn is_kept(&self) -> bool {
        self.intent.is_some()
    }

    pub(in crate::folder) fn standings(&self) -> Vec<(&str, Standing)> {
        self.ledger.standings()
    }

    /// Makes the root with all above it that is missing, and notes what it made.
    async fn make_above(&mut self, link: &Link) -> Result<(), FolderError> {
        let folder = self.folder.clone();
        for folder in folder.ways() {
            if link.sftp.stat(folder).await.is_ok() {
                continue;
            }
            // Noted before the answer, which may never come. As the host's own mask has it.
            self.made_above.push(folder.to_owned());
            if let Err(error) = link.sftp.make_folder(folder, 0o777).await {
                if link.broken(&error).await.is_none() {
                    self.made_above.pop();
                }
                let shown = PathBuf::from(format!("{}{folder}", self.folder.host.name()));
                let above = folder.rsplit_once('/').map_or("/", |(above, _)| above);
                return Err(not_written(link, "make", (above, &shown), 0, &error).await);
            }
        }
        Ok(())
    }

    pub(in crate::folder) async fn stage(&mut self, changes: &[Change<'_>]) -> Result<(), Failed> {
        let mut named = HashSet::new();
        for (at, change) in changes.iter().enumerate() {
            let fail = |error| Failed { at, error };
            path::check(change.path()).map_err(fail)?;
            if !named.insert(change.path()) || self.ledger.get(change.path()).is_some() {
                return Err(fail(FolderError::Twice {
                    path: self.folder.shown.join(change.path()),
                }));
            }
        }
        let link = self.folder.link().await;
        let link = link.map_err(|error| Failed { at: 0, error })?;
        let mut work = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let reach = self.reach(&link, path::folder_of(change.path())).await;
            work.push((self.next, reach.map_err(|error| Failed { at, error })?));
            self.next += 1;
        }
        let staged: Vec<_> = {
            let (batch, link) = (&*self, &*link);
            let staged = changes
                .iter()
                .zip(work)
                .map(|(change, (number, reach))| batch.stage_one(link, number, *change, reach));
            stream::iter(staged).buffered(AT_ONCE).collect().await
        };
        let mut first = None;
        for (at, entry) in staged.into_iter().enumerate() {
            match entry {
                Ok(entry) => {
                    if let Change::Write { bytes, .. } = changes[at] {
                        entry.tell_staged(bytes.len(), &self.folder.reporting);
                    }
                    self.ledger.add(entry);
                }
                Err(error) => {
                    first.get_or_insert(Failed { at, error });
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn stage_one(
        &self,
        link: &Link,
        number: usize,
        change: Change<'_>,
        reach: Reach,
    ) -> Result<Entry, FolderError> {
        let path = change.path();
        let name = path::name_of(path);
        let full = self.folder.shown.join(path);
        let place = reach.place.as_ref().map(|place| format!("{place}/{name}"));
        let before = match &place {
            Some(place) => read_at(link, place, &full).await?,
            None => None,
        };
        let version = before.as_ref().map(|(content, found)| Version {
            identity: *found,
            digest: content.digest(),
        });
        let there = version.as_ref().map(|version| &version.digest);
        if let Some(how) = change.expected().differs(there) {
            return Err(FolderError::Changed { path: full, how });
        }
        let (slot, backup) = waiting_names(number, name);
        let mut entry = Entry {
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
        let staging = &self.stagings[reach.staging];
        match (change, before, place) {
            (Change::Remove { .. }, Some(_), _) => entry.way = Way::Remove,
            (Change::Remove { .. }, None, _) => {}
            (Change::Write { bytes, .. }, Some((content, found)), Some(place)) => {
                let (mode, owner) = (content.mode, found.owner);
                let linked = link.sftp.link(&place, &staging.file(&entry.backup));
                let written = staging.write(link, &entry.slot, bytes, mode, owner, &entry.full);
                entry.after = Some(version_of(written.await?, bytes));
                entry.way = Way::Replace;
                match linked.await {
                    Ok(()) => {}
                    // Not every file system has second names, and not every user may give them: then a copy it is.
                    Err(SftpError::Denied | SftpError::Failure(_) | SftpError::Unsupported) => {
                        let bytes = &content.bytes;
                        let copied =
                            staging.write(link, &entry.backup, bytes, mode, owner, &entry.full);
                        copied.await?;
                    }
                    Err(error) => return Err(failed(link, "write", &entry.full, &error).await),
                }
            }
            (Change::Write { bytes, new, .. }, ..) => {
                let written =
                    staging.write(link, &entry.slot, bytes, new.mode(), None, &entry.full);
                entry.after = Some(version_of(written.await?, bytes));
                entry.way = Way::Create;
            }
        }
        Ok(entry)
    }

    pub(in crate::folder) fn staged_path(&self, path: &str) -> Result<PathBuf, FolderError> {
        path::check(path)?;
        Ok(match self.ledger.get(path) {
            Some(entry) if entry.state == State::Staged && entry.after.is_some() => {
                self.stagings[entry.staging].file(&entry.slot).into()
            }
            _ => self.folder.root.join(path),
        })
    }

    pub(in crate::folder) fn staged(&self) -> Vec<String> {
        self.ledger.staged()
    }

    pub(in crate::folder) async fn commit(&mut self, paths: &[&str]) -> Result<(), Failed> {
        let mut found = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let entry = self.ledger.find(path, State::Staged);
            found.push(entry.map_err(|error| Failed { at, error })?);
        }
        let link = self.folder.link().await;
        let link = &*link.map_err(|error| Failed { at: 0, error })?;
        let all = |error| Failed { at: 0, error };
        let places = self.places_now(link, paths).await.map_err(all)?;
        self.unchanged(link, &found, &places).await?;

        // Asked for one right behind the other, so that they happen in this order; the answers come later.
        let mut asked = Vec::new();
        for (at, number) in found.into_iter().enumerate() {
            let folder = path::folder_of(paths[at]);
            if self.ledger.entries[number].way == Way::Nothing {
                self.ledger.entries[number].state = State::Committed;
                continue;
            }
            let known = self
                .folders
                .get(folder)
                .and_then(|reach| reach.place.clone());
            let place = match known {
                Some(place) => place,
                None => {
                    let made = self.make(link, folder).await;
                    made.map_err(|error| Failed { at, error })?
                }
            };
            self.dirty.insert(folder.to_owned());
            let entry = &mut self.ledger.entries[number];
            entry.state = State::Unsure;
            let staging = &self.stagings[entry.staging];
            asked.push((at, number, ask(link, entry, staging, &place)));
        }
        let mut first = None;
        for (at, number, answer) in asked {
            let done = answer.await;
            let entry = &mut self.ledger.entries[number];
            match done {
                Ok(()) => {
                    entry.state = State::Committed;
                    entry.tell_committed(&self.folder.reporting);
                }
                Err(error) => {
                    // Without an answer it may have happened.
                    if !matches!(error, FolderError::Host(_)) {
                        entry.state = State::Staged;
                    }
                    first.get_or_insert(Failed { at, error });
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Where the folders of these files are now. One that is elsewhere than when its files were staged is an error.
    async fn places_now<'a>(
        &self,
        link: &Link,
        paths: &[&'a str],
    ) -> Result<BTreeMap<&'a str, Option<String>>, FolderError> {
        let folders = paths.iter().map(|path| path::folder_of(path));
        let places = self.folder.places(link, &self.root, folders).await?;
        for (folder, place) in &places {
            let known = self
                .folders
                .get(*folder)
                .and_then(|reach| reach.place.as_ref());
            if known.is_some() && place.as_ref() != known {
                return Err(FolderError::Changed {
                    path: path::full(&self.folder.shown, folder),
                    how: "is elsewhere now",
                });
            }
        }
        Ok(places)
    }

    /// An error unless each place holds what it held when its change was staged.
    async fn unchanged(
        &self,
        link: &Link,
        found: &[usize],
        places: &BTreeMap<&str, Option<String>>,
    ) -> Result<(), Failed> {
        let looks = found.iter().map(|&number| {
            let entry = &self.ledger.entries[number];
            async move {
                match &places[path::folder_of(&entry.path)] {
                    Some(place) => require(link, entry, place, entry.before).await,
                    None if entry.before.is_some() => Err(entry.changed("is gone")),
                    None => Ok(()),
                }
            }
        });
        let looks: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        for (at, look) in looks.into_iter().enumerate() {
            look.map_err(|error| Failed { at, error })?;
        }
        Ok(())
    }

    pub(in crate::folder) async fn sync_folders(&mut self) -> Result<(), FolderError> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let link = self.folder.link().await?;
        let folders = self.dirty.clone();
        let synced = folders.iter().map(|folder| {
            let place = path::full(self.root.as_ref(), folder);
            let link = &link;
            async move { link.sftp.sync_folder(&place.to_string_lossy()).await }
        });
        for (folder, synced) in folders.iter().zip(join_all(synced).await) {
            if let Err(error) = synced {
                let shown = path::full(&self.folder.shown, folder);
                return Err(failed(&link, "write", &shown, &error).await);
            }
            // Only now: what is tried again is made durable again, too.
            self.dirty.remove(folder);
        }
        Ok(())
    }

    /// Gives whether nothing of it waits any more.
    pub(in crate::folder) async fn discard(mut self) -> bool {
        self.ended = true;
        for _ in 0..ATTEMPTS {
            // Where the host is gone, what is left is cleared away later.
            let Ok(link) = self.folder.link().await else {
                return self.stagings.is_empty();
            };
            let cleared = self.clear(&link).await;
            if cleared || link.sftp.realpath(".").await.is_ok() {
                return cleared;
            }
        }
        false
    }

    /// Gives whether nothing of it waits any more.
    async fn clear(&mut self, link: &Link) -> bool {
        self.ended = true;
        let mut cleared = !self.keep;
        if !self.keep {
            let removals = self.stagings.iter().map(|staging| staging.remove(link));
            cleared = join_all(removals).await.into_iter().all(|removed| removed);
        }
        // Folders made for changes that did not come to stand are empty; others stay.
        let below = self.made_below.iter().rev();
        let below = below.map(|folder| format!("{}/{folder}", self.root));
        for folder in below.chain(self.made_above.iter().rev().cloned()) {
            let _ = link.sftp.remove_folder(&folder).await;
        }
        cleared
    }

    /// Finds a folder and where files for it wait. Makes nothing but the folder for files in waiting.
    pub(super) fn reach<'a>(
        &'a mut self,
        link: &'a Link,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Reach, FolderError>> {
        async move {
            if let Some(reach) = self.folders.get(folder) {
                return Ok(reach.clone());
            }
            let place = self.folder.place(link, &self.root, folder).await?;
            let was_missing = self
                .intent
                .as_ref()
                .is_some_and(|intent| intent.below.contains(folder));
            let reach = match place {
                Some(place) if was_missing => Reach {
                    place: Some(place),
                    ..self.reach(link, path::folder_of(folder)).await?
                },
                Some(place) => {
                    let shown = path::full(&self.folder.shown, folder);
                    // Noted before the answer, which may never come.
                    let staging = match &self.intent {
                        None => Staging::unnamed(&place, &shown),
                        Some(intent) => Staging::named(&place, &shown, &intent.name),
                    };
                    self.stagings.push(staging.clone());
                    staging.make(link, &place, &shown).await?;
                    Reach {
                        place: Some(place),
                        staging: self.stagings.len() - 1,
                    }
                }
                None => Reach {
                    place: None,
                    ..self.reach(link, path::folder_of(folder)).await?
                },
            };
            self.folders.insert(folder.to_owned(), reach.clone());
            Ok(reach)
        }
        .boxed()
    }

    /// A folder that files are put in now: made where it does not exist, with all above it below the root.
    fn make<'a>(
        &'a mut self,
        link: &'a Link,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<String, FolderError>> {
        async move {
            if let Some(place) = self.folder.place(link, &self.root, folder).await? {
                self.note(folder, &place);
                return Ok(place);
            }
            let above = self.make(link, path::folder_of(folder)).await?;
            let shown = path::full(&self.folder.shown, folder);
            let path = format!("{above}/{}", path::name_of(folder));
            // Noted before the answer, which may never come.
            self.made_below.push(folder.to_owned());
            self.dirty.insert(path::folder_of(folder).to_owned());
            let made = link.sftp.make_folder(&path, FOLDER_MODE);
            // Whatever the server's mask: servers must be able to look into it.
            let moded = link.sftp.set_mode(&path, FOLDER_MODE);
            if let Err(error) = made.await {
                if link.broken(&error).await.is_none() {
                    self.made_below.pop();
                }
                return Err(not_written(link, "make", (&above, &shown), 0, &error).await);
            }
            if let Err(error) = moded.await {
                return Err(failed(link, "make", &shown, &error).await);
            }
            self.note(folder, &path);
            Ok(path)
        }
        .boxed()
    }

    fn note(&mut self, folder: &str, place: &str) {
        if let Some(reach) = self.folders.get_mut(folder) {
            reach.place = Some(place.to_owned());
        }
    }
}

impl Drop for RemoteBatch {
    fn drop(&mut self) {
        if self.ended || self.is_kept() || (self.stagings.is_empty() && self.made_above.is_empty())
        {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let mut rest = Self {
            folder: self.folder.clone(),
            root: std::mem::take(&mut self.root),
            ledger: Ledger::new(),
            folders: HashMap::new(),
            stagings: std::mem::take(&mut self.stagings),
            next: 0,
            made_above: std::mem::take(&mut self.made_above),
            made_below: std::mem::take(&mut self.made_below),
            dirty: BTreeSet::new(),
            keep: self.keep,
            ended: true,
            intent: None,
        };
        runtime.spawn(async move {
            if let Ok(link) = rest.folder.link().await {
                rest.clear(&link).await;
            }
        });
    }
}

fn version_of(written: Attributes, bytes: &[u8]) -> Version {
    Version {
        identity: written,
        digest: digest(bytes),
    }
}
