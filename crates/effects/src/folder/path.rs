use std::path::{Path, PathBuf};

use super::FolderError;

/// What names of folders for files in waiting begin with.
pub(super) const PREFIX: &str = ".switchover-stage-";

/// The same where they are made from another host, which cannot lock them.
pub(super) const PREFIX_REMOTE: &str = ".switchover-stage-ssh-";

/// The same for a batch that can be reopened: nobody clears them away but who knows of the batch.
pub(super) const PREFIX_RUN: &str = ".switchover-stage-run-";

/// The longest name of a file or folder, and the longest path, in bytes: Linux's own limits.
const MAX_NAME: usize = 255;
const MAX_PATH: usize = 4095;

/// Accepts a relative name in one spelling only: `a/b.cfg`.
pub(super) fn check(path: &str) -> Result<(), FolderError> {
    let problem = if path.is_empty() {
        "is empty"
    } else if path.starts_with('/') {
        "is absolute"
    } else if path.len() > MAX_PATH {
        "is too long"
    } else if path.chars().any(char::is_control) {
        "holds a control character"
    } else if path.contains('\\') {
        "holds a backslash"
    } else if path.split('/').any(str::is_empty) {
        "holds an empty part"
    } else if path.split('/').any(|part| matches!(part, "." | "..")) {
        "holds a `.` or `..` part"
    } else if path.split('/').any(|part| part.len() > MAX_NAME) {
        "holds a part of more than 255 bytes"
    } else if path.split('/').any(|part| part.starts_with(PREFIX)) {
        "is a name that is kept for files in waiting"
    } else {
        return Ok(());
    };
    Err(FolderError::Path {
        path: path.escape_debug().take(200).collect(),
        problem,
    })
}

/// The folder part of a checked path; empty for the root.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// All folders on the way to a checked path, outermost first; not the root.
pub(super) fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The last part of a checked path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The absolute path of a checked one; without a final slash for the root itself.
pub(super) fn full(root: &Path, path: &str) -> PathBuf {
    if path.is_empty() {
        root.to_owned()
    } else {
        root.join(path)
    }
}
