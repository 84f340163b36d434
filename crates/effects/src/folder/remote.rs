//! Files on another host, through SFTP: by name, with as many requests on the way at once as are of use.

mod batch;
mod change;
mod reopen;
mod staging;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use futures_util::stream;

pub(super) use batch::RemoteBatch;

use super::{FileContent, FolderError, Intent, MAX_FILE_BYTES, path};
use crate::ssh::sftp::{CHUNK, Handle, SftpError};
use crate::ssh::{Host, Link, SshError, wire::Attributes};
use crate::trace::Reporting;

/// Files at work at once: enough to hide the way, and well below the number that a server lets us hold open.
const AT_ONCE: usize = 128;

/// Pieces of one file on the way at once.
const PIECES: usize = 16;

/// A folder of another host.
#[derive(Debug, Clone)]
pub(super) struct RemoteFolder {
    host: Host,
    /// The root as the host knows it.
    root: PathBuf,
    /// The root as people see it: `ssh://…`.
    shown: PathBuf,
    create: bool,
    reporting: Reporting,
}

impl RemoteFolder {
    pub(super) fn new(host: Host, create: bool, reporting: &Reporting) -> Self {
        let location = host.location();
        Self {
            root: location.folder().into(),
            shown: location.to_string().into(),
            create,
            reporting: reporting.clone(),
            host,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) async fn read_all(
        &self,
        paths: &[&str],
    ) -> Result<Vec<Option<FileContent>>, FolderError> {
        let link = self.link().await?;
        let link = &*link;
        let Some(root) = self.real_root(link).await? else {
            return Ok(vec![None; paths.len()]);
        };
        let folders = paths.iter().map(|path| path::folder_of(path));
        let places = &self.places(link, &root, folders).await?;
        let reads = paths.iter().map(|path| async move {
            let Some(Some(place)) = places.get(path::folder_of(path)) else {
                return Ok(None);
            };
            let full = format!("{place}/{}", path::name_of(path));
            let found = read_at(link, &full, &self.shown.join(path)).await?;
            Ok(found.map(|(content, _)| content))
        });
        let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
        found.into_iter().collect()
    }

    pub(super) async fn list(&self, path: &str) -> Result<Vec<String>, FolderError> {
        let link = self.link().await?;
        let Some(root) = self.real_root(&link).await? else {
            return Ok(Vec::new());
        };
        let Some(place) = self.place(&link, &root, path).await? else {
            return Ok(Vec::new());
        };
        let entries = match link.sftp.list(&place).await {
            Ok(entries) => entries,
            Err(SftpError::NotFound) => Vec::new(),
            Err(error) => {
                let shown = path::full(&self.shown, path);
                return Err(failed(&link, "list", &shown, &error).await);
            }
        };
        Ok(entries
            .into_iter()
            .filter(|(_, attributes)| attributes.is_file())
            .map(|(name, _)| name)
            .collect())
    }

    pub(super) async fn batch(&self) -> Result<RemoteBatch, FolderError> {
        RemoteBatch::new(self).await
    }

    pub(super) async fn begin(&self, intent: &Intent) -> Result<RemoteBatch, FolderError> {
        RemoteBatch::begin(self, intent).await
    }

    pub(super) async fn reopen(&self, intent: &Intent) -> Result<RemoteBatch, FolderError> {
        RemoteBatch::reopen(self, intent).await
    }

    /// Which of these folders below the root do not exist, and which above it.
    pub(super) async fn missing(
        &self,
        folders: &BTreeSet<&str>,
    ) -> Result<(Vec<PathBuf>, BTreeSet<String>), FolderError> {
        let link = self.link().await?;
        let Some(root) = self.real_root(&link).await? else {
            let mut above = Vec::new();
            for folder in self.ways() {
                if link.sftp.stat(folder).await.is_err() {
                    above.push(PathBuf::from(folder));
                }
            }
            let below = folders.iter().map(|&folder| folder.to_owned());
            return Ok((above, below.collect()));
        };
        let places = self.places(&link, &root, folders.iter().copied()).await?;
        let missing = places.into_iter().filter(|(_, place)| place.is_none());
        let below = missing.map(|(folder, _)| folder.to_owned()).collect();
        Ok((Vec::new(), below))
    }

    /// The root and all folders above it as the host knows them, outermost first.
    fn ways(&self) -> impl Iterator<Item = &str> {
        let root = self.host.location().folder();
        let ends = root.match_indices('/').map(|(at, _)| at).skip(1);
        ends.chain([root.len()]).map(move |end| &root[..end])
    }

    async fn link(&self) -> Result<std::sync::Arc<Link>, FolderError> {
        Ok(self.host.link().await.map_err(Box::new)?)
    }

    /// The root with every link resolved; none where it does not exist and need not.
    async fn real_root(&self, link: &Link) -> Result<Option<String>, FolderError> {
        let root = self.host.location().folder();
        let real = link.sftp.realpath(root);
        match link.sftp.stat(root).await {
            Ok(found) if found.is_folder() => match real.await {
                Ok(real) => Ok(Some(real.trim_end_matches('/').to_owned())),
                Err(error) => Err(failed(link, "open", &self.shown, &error).await),
            },
            Ok(_) => Err(FolderError::NotAFolder {
                path: self.shown.clone(),
            }),
            Err(SftpError::NotFound) if self.create => Ok(None),
            Err(SftpError::NotFound) => Err(FolderError::RootMissing {
                root: self.shown.clone(),
            }),
            Err(error) => Err(failed(link, "open", &self.shown, &error).await),
        }
    }

    /// Finds a folder below the root with every link resolved; none where it does not exist.
    async fn place(
        &self,
        link: &Link,
        root: &str,
        folder: &str,
    ) -> Result<Option<String>, FolderError> {
        if folder.is_empty() {
            return Ok(Some(root.to_owned()));
        }
        let shown = path::full(&self.shown, folder);
        let path = format!("{root}/{folder}");
        let real = link.sftp.realpath(&path);
        let found = link.sftp.stat(&path);
        let (real, found) = (real.await, found.await);
        if let Ok(real) = &real
            && found.is_ok()
            && !real
                .strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            return Err(FolderError::Outside { path: shown });
        }
        match found {
            Ok(found) if found.is_folder() => match real {
                Ok(real) => Ok(Some(real)),
                Err(error) => Err(failed(link, "open", &shown, &error).await),
            },
            Ok(_) => Err(FolderError::NotAFolder { path: shown }),
            Err(SftpError::NotFound) => Ok(None),
            Err(error) => Err(failed(link, "open", &shown, &error).await),
        }
    }

    /// Finds several folders at once, each named as often as it likes.
    async fn places<'a>(
        &self,
        link: &Link,
        root: &str,
        folders: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<&'a str, Option<String>>, FolderError> {
        let names: BTreeSet<&str> = folders.collect();
        let found = names.into_iter().map(|folder| async move {
            let place = self.place(link, root, folder).await?;
            Ok::<_, FolderError>((folder, place))
        });
        let found: Vec<_> = stream::iter(found).buffered(AT_ONCE).collect().await;
        found.into_iter().collect()
    }
}

/// Reads a regular file, which is looked at first: opening would follow a link, and a pipe would hang the server.
async fn read_at(
    link: &Link,
    path: &str,
    shown: &Path,
) -> Result<Option<(FileContent, Attributes)>, FolderError> {
    let found = match link.sftp.lstat(path).await {
        Ok(found) => found,
        Err(SftpError::NotFound) => return Ok(None),
        Err(error) => return Err(failed(link, "read", shown, &error).await),
    };
    if found.is_symlink() {
        return Err(FolderError::Symlink {
            path: shown.to_owned(),
        });
    }
    if !found.is_file() {
        return Err(FolderError::NotAFile {
            path: shown.to_owned(),
        });
    }
    let too_large = || FolderError::TooLarge {
        path: shown.to_owned(),
        limit: MAX_FILE_BYTES,
    };
    if found.size.is_some_and(|size| size > MAX_FILE_BYTES) {
        return Err(too_large());
    }
    let handle = match link.sftp.open(path).await {
        Ok(handle) => handle,
        Err(SftpError::NotFound) => return Ok(None),
        Err(error) => return Err(failed(link, "read", shown, &error).await),
    };
    let size = found.size.unwrap_or(MAX_FILE_BYTES);
    let read = if size < CHUNK as u64 {
        // One way for both: most files are small.
        let piece = link.sftp.read(&handle, 0);
        let closed = link.sftp.close(&handle);
        match (piece.await, closed.await) {
            (Ok(piece), Ok(())) if piece.len() < CHUNK => Ok(piece),
            (Ok(_), Ok(())) => {
                return Err(FolderError::Changed {
                    path: shown.to_owned(),
                    how: "grew while it was read",
                });
            }
            (Err(error), _) | (_, Err(error)) => Err(Some(error)),
        }
    } else {
        let read = read_pieces(link, &handle, pieces(size)).await;
        let closed = link.sftp.close(&handle).await.map_err(Some);
        read.and_then(|bytes| closed.map(|()| bytes))
    };
    match read {
        Ok(bytes) => Ok(Some((
            FileContent {
                bytes,
                mode: found.permissions(),
            },
            found,
        ))),
        Err(None) => Err(too_large()),
        Err(Some(error)) => Err(failed(link, "read", shown, &error).await),
    }
}

/// All of a file in pieces, so many at once. The error is none where it is too large.
async fn read_pieces(
    link: &Link,
    handle: &Handle,
    at_once: usize,
) -> Result<Vec<u8>, Option<SftpError>> {
    let mut bytes = Vec::new();
    let mut pieces = stream::iter(0..)
        .map(|piece| link.sftp.read(handle, piece * CHUNK as u64))
        .buffered(at_once);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(Some)?;
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(None);
        }
        // A short piece is the last: servers give all that was asked for where there is as much.
        if piece.len() < CHUNK {
            break;
        }
    }
    Ok(bytes)
}

/// How many pieces of a file of this size to ask for at once.
fn pieces(size: u64) -> usize {
    usize::try_from(size / CHUNK as u64)
        .unwrap_or(PIECES)
        .saturating_add(1)
        .min(PIECES)
}

/// What an error of SFTP means for a file or a folder.
async fn failed(link: &Link, action: &'static str, shown: &Path, error: &SftpError) -> FolderError {
    if let Some(broken) = link.broken(error).await {
        return FolderError::Host(Box::new(broken));
    }
    let path = shown.to_owned();
    match error {
        SftpError::Denied => FolderError::Denied { action, path },
        SftpError::NotFound => FolderError::Io {
            action,
            path,
            source: io::ErrorKind::NotFound.into(),
        },
        other => FolderError::Server {
            action,
            path,
            said: other.to_string(),
        },
    }
}

/// The same for what takes space in `folder`: the protocol has one code for every reason, so the file system is asked.
async fn not_written(
    link: &Link,
    action: &'static str,
    (folder, shown): (&str, &Path),
    needed: usize,
    error: &SftpError,
) -> FolderError {
    if let SftpError::Failure(_) = error
        && let Ok(space) = link.sftp.space(folder).await
    {
        let path = shown.to_owned();
        if space.read_only {
            return FolderError::ReadOnly { action, path };
        }
        if space.no_names || space.available < (needed as u64).saturating_add(4096) {
            return FolderError::Full { action, path };
        }
    }
    failed(link, action, shown, error).await
}

impl From<SshError> for FolderError {
    fn from(error: SshError) -> Self {
        Self::Host(Box::new(error))
    }
}
