//! Reading of one file, and how it is called.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use super::encoding::{self, Encoding};

/// How long all files of a topology may be together.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("there is no such file")]
    NotFound,
    #[error("it is a folder")]
    Folder,
    #[error("it is not a regular file")]
    Special,
    #[error("it is longer than 64 MiB")]
    TooLarge,
    #[error("with it the files of the topology are longer than 64 MiB together")]
    TooLargeTogether,
    #[error("{0}")]
    NotUtf8(Encoding),
    #[error("{0}")]
    Other(io::ErrorKind),
}

impl ReadError {
    /// `name` is what the file is called.
    pub(super) fn help(&self, name: &str) -> Option<String> {
        let help = match self {
            Self::NotUtf8(encoding) => return Some(encoding.help(name)),
            Self::Folder => Some("name the file in it, such as `switchover.kdl`"),
            Self::Special => Some("pipe the text in and name `-`"),
            Self::TooLarge => Some("no site needs so much: is it the right file?"),
            Self::TooLargeTogether => Some("is there a file among them that does not belong here?"),
            Self::NotFound | Self::Other(_) => None,
        };
        help.map(str::to_owned)
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::IsADirectory => Self::Folder,
            other => Self::Other(other),
        }
    }
}

/// Reads a file of which `room` bytes may be left at most.
pub(super) fn read_text(path: &Path, room: u64) -> Result<String, ReadError> {
    // Before opening: opening a pipe waits for its other end.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ReadError::Folder);
    }
    if !metadata.is_file() {
        return Err(ReadError::Special);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(room)).unwrap_or(0));
    File::open(path)?
        .take(room.min(MAX_BYTES) + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > room.min(MAX_BYTES) {
        return Err(if room < MAX_BYTES {
            ReadError::TooLargeTogether
        } else {
            ReadError::TooLarge
        });
    }
    encoding::decode(bytes).map_err(ReadError::NotUtf8)
}

/// What is wrong with a text that was read by somebody else.
pub(super) fn refuse_text(text: &str) -> Result<(), ReadError> {
    if text.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    encoding::of_text(text).map_or(Ok(()), |encoding| Err(ReadError::NotUtf8(encoding)))
}

/// Relative to the working directory where that is possible, with `/`.
pub(super) fn shown(path: &Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    slashed(below.as_deref().unwrap_or(path))
}

/// With `/`, and without `.` where something follows.
pub(super) fn slashed(path: &Path) -> String {
    let mut text = String::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::RootDir => text.push('/'),
            part => {
                if !text.is_empty() && !text.ends_with('/') {
                    text.push('/');
                }
                text += &part.as_os_str().to_string_lossy();
            }
        }
    }
    text
}
