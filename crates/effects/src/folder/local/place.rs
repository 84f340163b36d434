use std::io;
use std::path::Path;

use cap_std::fs::Dir;

use crate::folder::FolderError;
use crate::folder::path::full;

/// A folder that is open, found beneath the root.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: Dir,
}

impl Place {
    /// Opens a folder by its checked path below `root_dir`, or the root itself; none where it does not exist.
    pub(super) fn open(
        root_dir: &Dir,
        root: &Path,
        folder: &str,
    ) -> Result<Option<Self>, FolderError> {
        let name = if folder.is_empty() { "." } else { folder };
        match root_dir.open_dir(name) {
            Ok(dir) => Ok(Some(Self { dir })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(FolderError::NotAFolder {
                    path: full(root, folder),
                })
            }
            // The sandbox's own refusal has no number of the system's.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied
                    && error.raw_os_error().is_none() =>
            {
                Err(FolderError::Outside {
                    path: full(root, folder),
                })
            }
            Err(source) => Err(FolderError::io("open", &full(root, folder), source)),
        }
    }
}
