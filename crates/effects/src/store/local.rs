//! State in a folder of this machine.
//!
//! Whoever writes holds the lock of the folder for that long; the system frees it when a process dies. Readers need
//! none: files are renamed into place, and a log only grows.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Key, StoreError, StoreFault, Tag, frame, unframe};

/// Held while something is written.
const LOCK: &str = ".lock";

/// What a file is called until it is whole.
const UNFINISHED: &str = ".new-";

/// How long the lock may be held by somebody else: for milliseconds, unless that process was stopped.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is tried.
const EVERY: Duration = Duration::from_millis(3);

#[derive(Debug, Clone)]
pub(super) struct Local {
    folder: PathBuf,
    /// How far logs were read: so an append need not read them again.
    ends: Arc<Mutex<HashMap<PathBuf, End>>>,
}

/// The end of the whole records of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct End {
    records: u64,
    bytes: u64,
}

/// The lock; dropping it frees it.
struct Held(#[expect(dead_code, reason = "closing the file frees the lock")] File);

impl Local {
    pub(super) fn new(folder: PathBuf) -> Self {
        let ends = Arc::default();
        Self { folder, ends }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn place(&self, key: &str) -> String {
        self.folder.join(key).display().to_string()
    }

    fn path(&self, key: Key<'_>) -> PathBuf {
        self.folder.join(key.0)
    }

    pub(super) fn get(&self, key: Key<'_>) -> Result<Option<(Bytes, Tag)>, StoreError> {
        let path = self.path(key);
        let bytes = read(&path)?;
        Ok(bytes.map(|bytes| {
            let tag = tag(&bytes);
            (bytes.into(), tag)
        }))
    }

    pub(super) async fn create(&self, key: Key<'_>, bytes: &[u8]) -> Result<Tag, StoreError> {
        let path = self.path(key);
        let _held = self.lock().await?;
        write(&path, |file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()
        })?
        .persist_noclobber(&path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => StoreFault::Exists { place: show(&path) }.into(),
            _ => unwritten(&path, error.error),
        })?;
        sync_folder_of(&path)?;
        Ok(tag(bytes))
    }

    pub(super) async fn replace(
        &self,
        key: Key<'_>,
        bytes: &[u8],
        expected: &Tag,
    ) -> Result<Tag, StoreError> {
        let path = self.path(key);
        let _held = self.lock().await?;
        let is_same = read(&path)?.is_some_and(|found| tag(&found) == *expected);
        if !is_same {
            return Err(StoreFault::Moved { place: show(&path) }.into());
        }
        write(&path, |file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()
        })?
        .persist(&path)
        .map_err(|error| unwritten(&path, error.error))?;
        sync_folder_of(&path)?;
        Ok(tag(bytes))
    }

    pub(super) async fn delete(&self, key: Key<'_>) -> Result<(), StoreError> {
        let path = self.path(key);
        if !path.try_exists().map_err(|error| unread(&path, error))? {
            return Ok(());
        }
        let _held = self.lock().await?;
        match fs::remove_file(&path) {
            Ok(()) => sync_folder_of(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unwritten(&path, error)),
        }
    }

    pub(super) fn list(&self, folder: Key<'_>) -> Result<Vec<String>, StoreError> {
        let path = self.path(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unread(&path, error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unread(&path, error))?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if let (true, Some(name)) = (is_file, entry.file_name().to_str()) {
                let key = format!("{}/{name}", folder.0);
                keys.extend(Key::new(&key).is_ok().then_some(key.clone()));
            }
        }
        keys.sort();
        Ok(keys)
    }

    pub(super) async fn append(
        &self,
        log: Key<'_>,
        at: u64,
        record: &[u8],
    ) -> Result<(), StoreError> {
        let path = self.path(log);
        let _held = self.lock().await?;
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unread(&path, error)),
        };
        let end = match &mut file {
            Some(file) => self.end(&path, file)?,
            None => End::default(),
        };
        if end.records != at {
            return Err(StoreFault::Moved { place: show(&path) }.into());
        }
        let line = frame(at, record);
        match file {
            Some(file) => grow(file, end.bytes, &line).map_err(|error| unwritten(&path, error))?,
            None => {
                // Whole or not at all, like any other file.
                write(&path, |file| {
                    file.write_all(&line)?;
                    file.as_file().sync_all()
                })?
                .persist_noclobber(&path)
                .map_err(|error| unwritten(&path, error.error))?;
                sync_folder_of(&path)?;
            }
        }
        let end = End {
            records: at + 1,
            bytes: end.bytes + line.len() as u64,
        };
        self.remember(path, end);
        Ok(())
    }

    pub(super) fn read_log(&self, log: Key<'_>) -> Result<Vec<Vec<u8>>, StoreError> {
        let path = self.path(log);
        let Some(text) = read(&path)? else {
            return Ok(Vec::new());
        };
        let (records, _) = records(&path, &text)?;
        Ok(records.into_iter().map(<[u8]>::to_vec).collect())
    }

    pub(super) async fn check_writable(&self) -> Result<(), StoreError> {
        let _held = self.lock().await?;
        tempfile::tempfile_in(&self.folder)
            .map(drop)
            .map_err(|error| unwritten(&self.folder, error))
    }

    pub(super) async fn sweep(&self) -> Result<usize, StoreError> {
        if !self.folder.is_dir() {
            return Ok(0);
        }
        // Nobody else is writing: what is unfinished now stays so.
        let _held = self.lock().await?;
        let mut removed = 0;
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| unread(&folder, error))? {
                let entry = entry.map_err(|error| unread(&folder, error))?;
                let kind = entry.file_type();
                if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                    folders.push(entry.path());
                } else if entry
                    .file_name()
                    .as_encoded_bytes()
                    .starts_with(UNFINISHED.as_bytes())
                {
                    fs::remove_file(entry.path())
                        .map_err(|error| unwritten(&entry.path(), error))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Waits until nobody else writes.
    async fn lock(&self) -> Result<Held, StoreError> {
        make_folder(&self.folder)?;
        let path = self.folder.join(LOCK);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options
            .open(&path)
            .map_err(|error| unwritten(&path, error))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Held(file)),
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    tokio::time::sleep(EVERY).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreFault::Busy { place: show(&path) }.into());
                }
                Err(TryLockError::Error(error)) => return Err(unwritten(&path, error)),
            }
        }
    }

    /// Where the whole records of a log end. Only its length is looked at where that is as it was left.
    fn end(&self, path: &Path, file: &mut File) -> Result<End, StoreError> {
        let length = file.metadata().map_err(|error| unread(path, error))?.len();
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = ends.get(path).filter(|end| end.bytes == length) {
            return Ok(*end);
        }
        drop(ends);
        let mut text = Vec::new();
        file.read_to_end(&mut text)
            .map_err(|error| unread(path, error))?;
        records(path, &text).map(|(_, end)| end)
    }

    fn remember(&self, path: PathBuf, end: End) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.insert(path, end);
    }
}

/// The whole records of a log, and where they end. What a crash left of the last one lacks at least its line break;
/// anything else that is not whole is damage.
fn records<'a>(path: &Path, text: &'a [u8]) -> Result<(Vec<&'a [u8]>, End), StoreError> {
    let mut records = Vec::new();
    let mut bytes = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let at = records.len() as u64;
        let Some(record) = unframe(at, line) else {
            if !line.ends_with(b"\n") && !ends_otherwise(at, line) {
                break;
            }
            let place = show(path);
            return Err(StoreFault::Damaged { place, record: at }.into());
        };
        bytes += line.len();
        records.push(record);
    }
    if records.is_empty() {
        // The first one comes with its file, and whole.
        let place = show(path);
        return Err(StoreFault::Damaged { place, record: 0 }.into());
    }
    let end = End {
        records: records.len() as u64,
        bytes: bytes as u64,
    };
    Ok((records, end))
}

/// A whole record but for what its last byte is.
fn ends_otherwise(at: u64, line: &[u8]) -> bool {
    let mut line = line.to_vec();
    if let Some(last) = line.last_mut() {
        *last = b'\n';
    }
    unframe(at, &line).is_some()
}

/// Writes a line where the whole records end, over what a crash may have left there.
fn grow(mut file: File, end: u64, line: &[u8]) -> io::Result<()> {
    if file.metadata()?.len() != end {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    let written = file.write_all(line).and_then(|()| file.sync_data());
    if written.is_err() {
        // A record that is not known to be durable is none.
        let _ = file.set_len(end);
    }
    written
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(path, error)),
    }
}

/// A whole and durable file beside its place.
fn write(
    path: &Path,
    fill: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>,
) -> Result<tempfile::NamedTempFile, StoreError> {
    let folder = path.parent().unwrap_or(path);
    make_folder(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(|error| unwritten(path, error))?;
    fill(&mut file).map_err(|error| unwritten(path, error))?;
    Ok(file)
}

/// Makes a folder and those above it, durably.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| *above != Path::new("")) {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => sync_folder_of(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(unwritten(folder, error)),
    }
}

/// Makes durable that a name is in its folder, or no longer is.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| unwritten(path, error))
}

fn tag(bytes: &[u8]) -> Tag {
    let digest = Sha256::digest(bytes);
    Tag(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

fn unread(path: &Path, source: io::Error) -> StoreError {
    let place = show(path);
    StoreFault::Read { place, source }.into()
}

fn unwritten(path: &Path, source: io::Error) -> StoreError {
    let place = show(path);
    StoreFault::Write { place, source }.into()
}
