//! Writing files that the command leaves behind.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only who wrote it: it tells how telephones are configured.
    Owner,
    /// Everybody: it is kept under version control.
    Everybody,
}

/// Replaces a file as a whole: a reader sees the old text or the new one. The mode of a file that is there is kept.
pub(crate) fn replace(path: &Path, text: &str, access: Access) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    let mode = match (fs::metadata(path), access) {
        (Ok(there), _) => there.permissions(),
        (Err(_), Access::Owner) => Permissions::from_mode(0o600),
        (Err(_), Access::Everybody) => Permissions::from_mode(0o644),
    };
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
