//! State in a bucket that understands S3 with conditional puts (`If-None-Match`, `If-Match`).
//!
//! A log is a folder of objects, one a record. Its first record is removed first, and whoever appends another looks for
//! that one afterwards: so nobody appends to a log that was removed without being told.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig, UpdateVersion};
use tokio::sync::OnceCell;
use url::Url;

use super::connection::Connector;
use super::{Key, StoreError, StoreFault, Tag, frame, unframe, variables};

/// How often something is tried, and how long is waited before the second time; then twice as long each time.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// How many objects are read at once.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// As it was named, without a final slash.
    location: String,
    prefix: Path,
    /// Set once the bucket is known to be there.
    bucket: Arc<OnceCell<()>>,
    /// Set once the server is known to write only what it is to.
    conditional: Arc<OnceCell<()>>,
}

impl Objects {
    /// A bucket by its URL. Credentials, region and endpoint are what the variables `AWS_*` of the environment say.
    pub(super) fn open(
        location: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        let unusable = |problem: String| {
            StoreError::from(StoreFault::Location {
                location: location.to_owned(),
                problem,
            })
        };
        let url = Url::parse(location).map_err(|error| unusable(error.to_string()))?;
        let bucket = match (url.scheme(), url.host_str()) {
            ("s3", Some(bucket)) if !bucket.is_empty() => bucket,
            ("s3", _) => return Err(unusable("it names no bucket".to_owned())),
            (scheme, _) => return Err(unusable(format!("`{scheme}://` is not known here"))),
        };
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(unusable(
                "it holds more than a bucket and a folder".to_owned(),
            ));
        }
        let prefix =
            Path::from_url_path(url.path()).map_err(|error| unusable(error.to_string()))?;
        let builder = variables::configured(AmazonS3Builder::new(), environment)?;
        let builder = builder
            .with_bucket_name(bucket)
            .with_http_connector(Connector)
            // What may have happened and is tried again has to be told apart from what somebody else did: below.
            .with_retry(RetryConfig {
                max_retries: 0,
                ..RetryConfig::default()
            });
        let store = builder
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            store: Arc::new(store),
            location: location.trim_end_matches('/').to_owned(),
            prefix,
            bucket: Arc::default(),
            conditional: Arc::default(),
        })
    }

    pub(super) fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.location)
    }

    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), Path::join)
    }

    pub(super) async fn get(&self, key: Key<'_>) -> Result<Option<(Bytes, Tag)>, StoreError> {
        self.fetch(key.0).await
    }

    async fn fetch(&self, key: &str) -> Result<Option<(Bytes, Tag)>, StoreError> {
        let path = self.path(key);
        let place = || self.place(key);
        let read = async || {
            let found = self.store.get(&path).await?;
            let tag = found.meta.e_tag.clone();
            Ok((found.bytes().await?, tag))
        };
        match again(read).await {
            Ok((bytes, Some(tag))) => Ok(Some((bytes, Tag(tag)))),
            Ok((_, None)) => Err(StoreFault::NoTag { place: place() }.into()),
            Err(Error::NotFound { .. }) => {
                self.check_bucket().await?;
                Ok(None)
            }
            Err(source) => Err(unread(place(), &source)),
        }
    }

    /// In a bucket that is missing every key is: that is not a site without state. Looked for once.
    async fn check_bucket(&self) -> Result<(), StoreError> {
        let list = || async {
            again(async || self.store.list_with_delimiter(Some(&self.prefix)).await)
                .await
                .map(drop)
                .map_err(|source| unread(self.location.clone(), &source))
        };
        self.bucket.get_or_try_init(list).await.copied()
    }

    pub(super) async fn create(&self, key: Key<'_>, bytes: &Bytes) -> Result<Tag, StoreError> {
        self.check_writable().await?;
        self.put(key.0, bytes, PutMode::Create).await
    }

    pub(super) async fn replace(
        &self,
        key: Key<'_>,
        bytes: &Bytes,
        tag: &Tag,
    ) -> Result<Tag, StoreError> {
        self.check_writable().await?;
        let version = UpdateVersion {
            e_tag: Some(tag.0.clone()),
            version: None,
        };
        self.put(key.0, bytes, PutMode::Update(version)).await
    }

    /// Writes once, though it may be sent several times: where an answer never came, what is there now tells.
    async fn put(&self, key: &str, bytes: &Bytes, mode: PutMode) -> Result<Tag, StoreError> {
        let path = self.path(key);
        let creates = matches!(mode, PutMode::Create);
        let mut unsure = false;
        let mut pause = PAUSE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let put = self
                .store
                .put_opts(&path, bytes.clone().into(), mode.clone().into());
            let error = match put.await {
                Ok(written) => {
                    let tag = written.e_tag.ok_or_else(|| StoreFault::NoTag {
                        place: self.place(key),
                    })?;
                    return Ok(Tag(tag));
                }
                Err(error) => error,
            };
            match error {
                Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                    if is_conflict(&error) && attempt < TRIES {
                        tokio::time::sleep(pause).await;
                        pause *= 2;
                        continue;
                    }
                    if unsure
                        && let Some((found, tag)) = self.fetch(key).await?
                        && found == *bytes
                    {
                        return Ok(tag);
                    }
                    let place = self.place(key);
                    return Err(match creates {
                        true => StoreFault::Exists { place },
                        false => StoreFault::Moved { place },
                    }
                    .into());
                }
                error if is_passing(&error) && attempt < TRIES => {
                    unsure = true;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                error => return Err(unwritten(self.place(key), &error)),
            }
        }
    }

    pub(super) async fn delete(&self, key: Key<'_>) -> Result<(), StoreError> {
        self.remove(key.0).await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        match again(async || self.store.delete(&path).await).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(unwritten(self.place(key), &source)),
        }
    }

    pub(super) async fn list(&self, folder: Key<'_>) -> Result<Vec<String>, StoreError> {
        let (objects, _) = self.entries(folder.0).await?;
        Ok(objects)
    }

    /// Names of all folders at the top.
    async fn folders(&self) -> Result<Vec<String>, StoreError> {
        let listed = again(async || self.store.list_with_delimiter(Some(&self.prefix)).await)
            .await
            .map_err(|source| unread(self.location.clone(), &source))?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        let keys = names.filter(|name| Key::new(name).is_ok());
        Ok(keys.map(str::to_owned).collect())
    }

    /// Names of objects and of folders directly below, as keys.
    async fn entries(&self, folder: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let path = self.path(folder);
        let listed = again(async || self.store.list_with_delimiter(Some(&path)).await)
            .await
            .map_err(|source| unread(self.place(folder), &source))?;
        let key = |path: &Path| {
            let key = format!("{folder}/{}", path.filename().unwrap_or_default());
            Key::new(&key).is_ok().then_some(key)
        };
        let mut objects: Vec<String> = listed
            .objects
            .iter()
            .filter_map(|object| key(&object.location))
            .collect();
        let mut folders: Vec<String> = listed.common_prefixes.iter().filter_map(key).collect();
        objects.sort();
        folders.sort();
        Ok((objects, folders))
    }

    pub(super) async fn append(
        &self,
        log: Key<'_>,
        at: u64,
        record: &[u8],
    ) -> Result<(), StoreError> {
        let moved = || {
            StoreError::from(StoreFault::Moved {
                place: self.place(log.0),
            })
        };
        self.check_writable().await?;
        let key = record_key(log, at);
        let line = Bytes::from(frame(at, record));
        match self.put(&key, &line, PutMode::Create).await {
            Ok(_) => {}
            Err(error) if error.is_exists() => return Err(moved()),
            Err(error) => return Err(error),
        }
        if at > 0 && self.fetch(&record_key(log, 0)).await?.is_none() {
            self.remove(&key).await?;
            return Err(moved());
        }
        Ok(())
    }

    /// How many records a log has.
    pub(super) async fn length(&self, log: Key<'_>) -> Result<u64, StoreError> {
        let (length, has_gap) = self.extent(log).await?;
        if !has_gap {
            return Ok(length);
        }
        // A listing that is not of one moment may lack what was written or removed meanwhile; the next one does not.
        match self.extent(log).await? {
            (length, false) => Ok(length),
            (record, true) => Err(self.damaged(log, record)),
        }
    }

    /// How many records a log has from the first one on, and whether there are more behind one that is missing.
    async fn extent(&self, log: Key<'_>) -> Result<(u64, bool), StoreError> {
        let (keys, _) = self.entries(log.0).await?;
        let at = |key: &String| record_number(key.strip_prefix(log.0)?.strip_prefix('/')?);
        let mut numbers: Vec<u64> = keys.iter().filter_map(at).collect();
        numbers.sort_unstable();
        let whole = numbers.iter().zip(0..);
        let length = whole.take_while(|(number, at)| *number == at).count();
        // Without its first record it is being removed.
        Ok((length as u64, length > 0 && length < numbers.len()))
    }

    pub(super) async fn read_log(&self, log: Key<'_>) -> Result<Vec<Vec<u8>>, StoreError> {
        let length = self.length(log).await?;
        let records = (0..length).map(|at| async move {
            let record = self.record(log, at).await?;
            record.ok_or_else(|| self.damaged(log, at))
        });
        let read = futures_util::stream::iter(records)
            .buffered(AT_ONCE)
            .try_collect()
            .await;
        // One that is removed meanwhile loses its first record first.
        match read {
            Err(error) if self.record(log, 0).await?.is_some() => Err(error),
            Err(_) => Ok(Vec::new()),
            read => read,
        }
    }

    /// Record number `at`; none where there is none.
    pub(super) async fn record(
        &self,
        log: Key<'_>,
        at: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((line, _)) = self.fetch(&record_key(log, at)).await? else {
            return Ok(None);
        };
        match unframe(at, &line) {
            Some(record) => Ok(Some(record.to_vec())),
            None => Err(self.damaged(log, at)),
        }
    }

    fn damaged(&self, log: Key<'_>, record: u64) -> StoreError {
        let place = self.place(log.0);
        StoreFault::Damaged { place, record }.into()
    }

    pub(super) async fn logs(&self, folder: Key<'_>) -> Result<Vec<String>, StoreError> {
        let (_, folders) = self.entries(folder.0).await?;
        let mut logs = Vec::new();
        for folder in folders {
            // Without its first record it is being removed.
            if self.extent(Key::new(&folder)?).await?.0 > 0 {
                logs.push(folder);
            }
        }
        Ok(logs)
    }

    pub(super) async fn remove_log(&self, log: Key<'_>) -> Result<(), StoreError> {
        self.remove(&record_key(log, 0)).await?;
        let (keys, _) = self.entries(log.0).await?;
        for key in keys {
            self.remove(&key).await?;
        }
        Ok(())
    }

    /// Something can be written, and not over what somebody else wrote.
    pub(super) async fn check_writable(&self) -> Result<(), StoreError> {
        let tried = self.conditional.get_or_try_init(|| self.try_out()).await;
        tried.copied().map_err(|error| match error.fault() {
            // Nobody knows the key that was tried.
            StoreFault::Unwritable { problem, .. } => {
                let (place, problem) = (self.location.clone(), problem.clone());
                StoreFault::Unwritable { place, problem }.into()
            }
            _ => error,
        })
    }

    /// A server that does not know conditional puts takes them for others: whoever writes would always be the first.
    async fn try_out(&self) -> Result<(), StoreError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanoseconds = since.unwrap_or_default().as_nanos();
        // Nobody else's at the same time.
        let key = format!("writable-{}-{nanoseconds}", std::process::id());
        self.put(&key, &Bytes::from_static(b"1"), PutMode::Create)
            .await?;
        let stale = UpdateVersion {
            e_tag: Some(format!("\"{}\"", "0".repeat(32))),
            version: None,
        };
        let mut honoured = Ok(());
        for mode in [PutMode::Create, PutMode::Update(stale)] {
            let put = self.put(&key, &Bytes::from_static(b"2"), mode).await;
            let place = self.location.clone();
            match put {
                Ok(_) => honoured = Err(StoreFault::Unconditional { place }.into()),
                Err(error) if error.is_exists() || error.is_moved() => {}
                Err(error) => honoured = Err(error),
            }
        }
        self.remove(&key).await?;
        honoured
    }

    /// Removes records of logs whose first one is gone: whoever removed those did not come to their end.
    pub(super) async fn sweep(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        for folder in self.folders().await? {
            let (_, logs) = self.entries(&folder).await?;
            for log in logs {
                let (keys, _) = self.entries(&log).await?;
                let number = |key: &String| record_number(key.rsplit_once('/')?.1);
                let is_log = !keys.is_empty() && keys.iter().all(|key| number(key).is_some());
                if !is_log || keys.iter().any(|key| number(key) == Some(0)) {
                    continue;
                }
                for key in keys {
                    self.remove(&key).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// The number of a record by the last part of its key.
fn record_number(name: &str) -> Option<u64> {
    let number = name.parse().ok()?;
    (format!("{number:08}") == name).then_some(number)
}

/// Of two that write at the same time, S3 answers one with 409, whether or not the other one comes to its end: trying
/// again settles it. That a condition is not met (412) has its own cause.
fn is_conflict(error: &Error) -> bool {
    match error {
        Error::AlreadyExists { source, .. } => !source.is::<Error>(),
        _ => false,
    }
}

fn record_key(log: Key<'_>, at: u64) -> String {
    format!("{}/{at:08}", log.0)
}

/// Tries something that does no harm when it is done twice until it goes well or fails for good.
async fn again<T>(work: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match work().await {
            Err(error) if is_passing(&error) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            result => return result,
        }
    }
    work().await
}

/// Failures of the way there or of the server, which may be over in a moment.
const fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Generic { .. })
}

fn unread(place: String, error: &Error) -> StoreError {
    let problem = problem(error);
    StoreFault::Unreadable { place, problem }.into()
}

fn unwritten(place: String, error: &Error) -> StoreError {
    let problem = problem(error);
    StoreFault::Unwritable { place, problem }.into()
}

/// What is at the bottom of an error, which repeats it at every level; of an answer, what the server says in it.
fn problem(error: &Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once("</").map(|(part, _)| part)
    };
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(300)
            .collect(),
    }
}
