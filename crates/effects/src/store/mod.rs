//! Where state is kept: small files under keys, in a folder of this machine or in an object store.
//!
//! It knows nothing of what they hold. Several processes may work on the same keys at the same time: of those that
//! create, replace or append the same, exactly one wins and the others are told. What was written is durable when the
//! call returns, and a process that is killed anywhere leaves either what was there before or what it wrote.

mod connection;
mod error;
mod local;
mod objects;
mod variables;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bytes::Bytes;

pub use error::{StoreError, StoreFault};

use local::Local;
use objects::Objects;

/// A place for state. Clones share it.
#[derive(Debug, Clone)]
pub struct Store(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Local(Local),
    Objects(Objects),
}

/// Which content a key had when it was read. Only good for the store that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Store {
    /// State at a location as people write it: a folder, relative to `root`, or `s3://BUCKET/FOLDER`. Nothing is
    /// created or connected.
    ///
    /// # Errors
    /// Where it is no such location, or the environment's settings for it contradict each other.
    pub fn open(root: &Path, location: &str) -> Result<Self, StoreError> {
        // Of the environment, only what is text can be a setting.
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::open_in(root, location, std::env::vars_os().filter_map(text))
    }

    /// The same with an environment given.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(
        root: &Path,
        location: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        match location.contains("://") {
            true => {
                Objects::open(location, environment).map(|objects| Self(Inner::Objects(objects)))
            }
            false => Ok(Self::local(root.join(location))),
        }
    }

    /// State in a folder. Nothing is created before something is written.
    #[must_use]
    pub fn local(folder: PathBuf) -> Self {
        Self(Inner::Local(Local::new(folder)))
    }

    /// The folder, where it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Inner::Local(local) => Some(local.folder()),
            Inner::Objects(_) => None,
        }
    }

    /// Where a key is, for people: a path or a URL.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        match &self.0 {
            Inner::Local(local) => local.place(key),
            Inner::Objects(objects) => objects.place(key),
        }
    }

    /// What a key holds; none where there is no such key.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<(Bytes, Tag)>, StoreError> {
        let key = Key::new(key)?;
        match &self.0 {
            Inner::Local(local) => local.get(key),
            Inner::Objects(objects) => objects.get(key).await,
        }
    }

    /// Writes a key that is not there yet.
    ///
    /// # Errors
    /// [`StoreFault::Exists`] where it is there; nothing is changed then.
    pub async fn create(&self, key: &str, bytes: impl Into<Bytes>) -> Result<Tag, StoreError> {
        let (key, bytes) = (Key::new(key)?, bytes.into());
        match &self.0 {
            Inner::Local(local) => local.create(key, &bytes).await,
            Inner::Objects(objects) => objects.create(key, &bytes).await,
        }
    }

    /// Writes a key that still holds what the tag stands for.
    ///
    /// # Errors
    /// [`StoreFault::Moved`] where it holds something else or is gone; nothing is changed then.
    pub async fn replace(
        &self,
        key: &str,
        bytes: impl Into<Bytes>,
        tag: &Tag,
    ) -> Result<Tag, StoreError> {
        let (key, bytes) = (Key::new(key)?, bytes.into());
        match &self.0 {
            Inner::Local(local) => local.replace(key, &bytes, tag).await,
            Inner::Objects(objects) => objects.replace(key, &bytes, tag).await,
        }
    }

    /// Removes a key. One that is not there is removed already.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let key = Key::new(key)?;
        match &self.0 {
            Inner::Local(local) => local.delete(key).await,
            Inner::Objects(objects) => objects.delete(key).await,
        }
    }

    /// The keys directly below a folder of keys such as `generations`, ascending.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let folder = Key::new(folder)?;
        match &self.0 {
            Inner::Local(local) => local.list(folder),
            Inner::Objects(objects) => objects.list(folder).await,
        }
    }

    /// Adds record number `at`, counted from 0, to a log. A record is one line of text, without its line break.
    ///
    /// # Errors
    /// [`StoreFault::Moved`] where the log has another number of records: somebody else appended, or removed the log.
    /// Nothing is changed then.
    pub async fn append(&self, log: &str, at: u64, record: &[u8]) -> Result<(), StoreError> {
        let log = Key::new(log)?;
        if record.iter().any(|byte| matches!(byte, b'\n' | 0)) {
            let place = self.place(log.0);
            return Err(StoreFault::NoLine { place }.into());
        }
        match &self.0 {
            Inner::Local(local) => local.append(log, at, record).await,
            Inner::Objects(objects) => objects.append(log, at, record).await,
        }
    }

    /// Adds a record to a log, whatever number it becomes, which is returned.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn push(&self, log: &str, record: &[u8]) -> Result<u64, StoreError> {
        loop {
            let at = match &self.0 {
                Inner::Local(_) => self.read_log(log).await?.len() as u64,
                Inner::Objects(objects) => objects.length(Key::new(log)?).await?,
            };
            match self.append(log, at, record).await {
                Ok(()) => return Ok(at),
                Err(error) if error.is_moved() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The records of a log; none where there is no such log. What a crash left of a record is not one.
    ///
    /// # Errors
    /// Where it cannot be read, or a record is damaged.
    pub async fn read_log(&self, log: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let log = Key::new(log)?;
        match &self.0 {
            Inner::Local(local) => local.read_log(log),
            Inner::Objects(objects) => objects.read_log(log).await,
        }
    }

    /// Record number `at` of a log, counted from 0; none where it does not go so far.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub async fn record(&self, log: &str, at: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let log = Key::new(log)?;
        match &self.0 {
            Inner::Local(local) => {
                let mut records = local.read_log(log)?.into_iter().zip(0..);
                Ok(records
                    .find(|(_, number)| *number == at)
                    .map(|(record, _)| record))
            }
            Inner::Objects(objects) => objects.record(log, at).await,
        }
    }

    /// The logs directly below a folder of keys, ascending.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn logs(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let folder = Key::new(folder)?;
        match &self.0 {
            Inner::Local(local) => local.list(folder),
            Inner::Objects(objects) => objects.logs(folder).await,
        }
    }

    /// Removes a log. From then on nobody appends to it who does not begin it anew.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub async fn remove_log(&self, log: &str) -> Result<(), StoreError> {
        let log = Key::new(log)?;
        match &self.0 {
            Inner::Local(local) => local.delete(log).await,
            Inner::Objects(objects) => objects.remove_log(log).await,
        }
    }

    /// Finds out whether something can be written, and only what may be, before anything depends on it. An object store is
    /// asked once, before it is written to first.
    ///
    /// # Errors
    /// Why not.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        match &self.0 {
            Inner::Local(local) => local.check_writable().await,
            Inner::Objects(objects) => objects.check_writable().await,
        }
    }

    /// Removes what killed processes left of files that they were writing, and of logs that they were removing. Says how
    /// many.
    ///
    /// # Errors
    /// Where they cannot be removed.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        match &self.0 {
            Inner::Local(local) => local.sweep().await,
            Inner::Objects(objects) => objects.sweep().await,
        }
    }
}

/// A name such as `generations/000001.json`, of which nothing leads elsewhere.
#[derive(Debug, Clone, Copy)]
struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    fn new(key: &'a str) -> Result<Self, StoreError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = |part: &str| {
            (1..=200).contains(&part.len()) && !part.starts_with('.') && part.bytes().all(plain)
        };
        if key.split('/').all(is_name) {
            return Ok(Self(key));
        }
        let key = key.chars().take(80).collect();
        Err(StoreFault::Key { key }.into())
    }
}

/// A record with what tells whether it is whole. It ends with the only line break in it.
fn frame(at: u64, record: &[u8]) -> Vec<u8> {
    let mut line = format!("{at} {} ", checksum(at, record)).into_bytes();
    line.extend_from_slice(record);
    line.push(b'\n');
    line
}

/// The record in a frame with its line break; none where it is not whole.
fn unframe(at: u64, line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let number = format!("{at} ");
    let (sum, record) = line.strip_prefix(number.as_bytes())?.split_at_checked(16)?;
    let record = record.strip_prefix(b" ")?;
    (sum == checksum(at, record).as_bytes()).then_some(record)
}

fn checksum(at: u64, record: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(at.to_le_bytes());
    hasher.update(record);
    let digest = hasher.finalize();
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
