use std::path::PathBuf;

use super::local::LocalBatch;
use super::remote::RemoteBatch;
use super::{Expected, FolderError, Standing};

/// Who may read a file that did not exist before. One that did keeps its mode and owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile(u32);

impl NewFile {
    /// Mode 0644: telephones and daemons under other users.
    pub const PUBLIC: Self = Self(0o644);

    /// Mode 0640, for a file that holds a secret: its owner, and the group of a server that hands it out.
    pub const SECRET: Self = Self(0o640);

    /// These permissions, of which nothing beyond reading, writing and executing counts.
    #[must_use]
    pub const fn with_mode(mode: u32) -> Self {
        Self(mode & 0o777)
    }

    pub(super) const fn mode(self) -> u32 {
        self.0
    }
}

/// One change of a file.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// This content, whether the file exists or not.
    Write {
        /// Its name below the root.
        path: &'a str,
        /// All of it.
        bytes: &'a [u8],
        /// What must be there now.
        expected: Expected<'a>,
        /// Who may read it where it is new.
        new: NewFile,
    },
    /// No file. Where there is none and none is expected, there is nothing to do, and that is no error.
    Remove {
        /// Its name below the root.
        path: &'a str,
        /// What must be there now.
        expected: Expected<'a>,
    },
}

impl<'a> Change<'a> {
    /// Its name below the root.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        match *self {
            Self::Write { path, .. } | Self::Remove { path, .. } => path,
        }
    }

    pub(super) const fn expected(&self) -> Expected<'a> {
        match *self {
            Self::Write { expected, .. } | Self::Remove { expected, .. } => expected,
        }
    }
}

/// Which of several changes failed first, and why.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// Its place among those that were given.
    pub at: usize,
    /// Why.
    #[source]
    pub error: FolderError,
}

/// Changes of files below one root that are put in place together, or not at all.
///
/// Staging writes the new content beside, on the same file system, where nobody sees it. [`Batch::sync`] makes all of
/// it durable; committing renames. What was there stays in waiting until the batch ends, so that undoing needs no
/// space. A batch that ends ([`Batch::discard`]) keeps what is committed and removes what waits.
#[derive(Debug)]
pub struct Batch(Kind);

#[derive(Debug)]
enum Kind {
    Here(Box<LocalBatch>),
    There(Box<RemoteBatch>),
}

impl Batch {
    pub(super) fn here(batch: LocalBatch) -> Self {
        Self(Kind::Here(Box::new(batch)))
    }

    pub(super) fn there(batch: RemoteBatch) -> Self {
        Self(Kind::There(Box::new(batch)))
    }

    /// Writes new contents beside their places, and prepares removals; on another host many at once.
    ///
    /// # Errors
    /// Where a name is not one below the root, what is there is not as expected or no regular file, or content cannot
    /// be written: the disk is full, the file system read-only, permission denied. Changes that did not fail stay
    /// staged.
    pub async fn stage(&mut self, changes: &[Change<'_>]) -> Result<(), Failed> {
        match &mut self.0 {
            Kind::Here(batch) => changes.iter().enumerate().try_for_each(|(at, change)| {
                let staged = match *change {
                    Change::Write {
                        path,
                        bytes,
                        expected,
                        new,
                    } => batch.stage_write(path, bytes, expected, new),
                    Change::Remove { path, expected } => batch.stage_remove(path, expected),
                };
                staged.map_err(|error| Failed { at, error })
            }),
            Kind::There(batch) => batch.stage(changes).await,
        }
    }

    /// Writes the new content of one file beside its place.
    ///
    /// # Errors
    /// As [`Batch::stage`].
    pub async fn stage_write(
        &mut self,
        path: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        new: NewFile,
    ) -> Result<(), FolderError> {
        let change = Change::Write {
            path,
            bytes,
            expected,
            new,
        };
        self.stage(&[change]).await.map_err(|failed| failed.error)
    }

    /// Prepares the removal of one file.
    ///
    /// # Errors
    /// As [`Batch::stage`].
    pub async fn stage_remove(
        &mut self,
        path: &str,
        expected: Expected<'_>,
    ) -> Result<(), FolderError> {
        let change = Change::Remove { path, expected };
        self.stage(&[change]).await.map_err(|failed| failed.error)
    }

    /// The absolute path at which the new content of a file is found now, as the machine that has it knows it: in
    /// waiting, or in its place.
    ///
    /// # Errors
    /// Where the name is not one below the root.
    pub fn staged_path(&self, path: &str) -> Result<PathBuf, FolderError> {
        match &self.0 {
            Kind::Here(batch) => batch.staged_path(path),
            Kind::There(batch) => batch.staged_path(path),
        }
    }

    /// Makes everything staged durable: after this, committing needs no space and survives a power cut.
    ///
    /// # Errors
    /// Where the system could not write it, such as for want of space.
    pub fn sync(&mut self) -> Result<(), FolderError> {
        match &mut self.0 {
            Kind::Here(batch) => batch.sync(),
            // Each file is durable from when it was written.
            Kind::There(_) => Ok(()),
        }
    }

    /// Puts staged changes in place, in this order. [`Batch::sync`] goes before, [`Batch::sync_folders`] after the
    /// last.
    ///
    /// # Errors
    /// Where a change is not staged, a file is not as it was when its change was staged, or the system refuses; then
    /// that file is as it was. Others may be in place, and stay until [`Batch::undo`].
    pub async fn commit(&mut self, paths: &[&str]) -> Result<(), Failed> {
        match &mut self.0 {
            Kind::Here(batch) => paths.iter().enumerate().try_for_each(|(at, path)| {
                let committed = batch.commit_one(path);
                committed.map_err(|error| Failed { at, error })
            }),
            Kind::There(batch) => batch.commit(paths).await,
        }
    }

    /// [`Batch::commit`] for one file.
    ///
    /// # Errors
    /// As there.
    pub async fn commit_one(&mut self, path: &str) -> Result<(), FolderError> {
        self.commit(&[path]).await.map_err(|failed| failed.error)
    }

    /// Makes everything durable, puts every staged change in place in the order of staging, and makes that durable.
    ///
    /// # Errors
    /// As [`Batch::commit`].
    pub async fn commit_all(&mut self) -> Result<(), FolderError> {
        self.sync()?;
        let staged = match &self.0 {
            Kind::Here(batch) => batch.staged(),
            Kind::There(batch) => batch.staged(),
        };
        let paths: Vec<&str> = staged.iter().map(String::as_str).collect();
        self.commit(&paths).await.map_err(|failed| failed.error)?;
        self.sync_folders().await
    }

    /// Makes durable that changes are in place, or undone.
    ///
    /// # Errors
    /// Where the system could not write it.
    pub async fn sync_folders(&mut self) -> Result<(), FolderError> {
        match &mut self.0 {
            Kind::Here(batch) => batch.sync_folders(),
            Kind::There(batch) => batch.sync_folders().await,
        }
    }

    /// Brings back, in reverse order, what was there before each committed change: bytes, mode and owner. Removes
    /// the folders that were made, where nothing else is in them. Connects again where the connection was lost.
    ///
    /// # Errors
    /// Where a file was changed after it was put in place, or the system refuses; all others are restored.
    pub async fn undo(&mut self) -> Result<(), FolderError> {
        match &mut self.0 {
            Kind::Here(batch) => batch.undo(),
            Kind::There(batch) => batch.undo().await,
        }
    }

    /// [`Batch::undo`] for one file.
    ///
    /// # Errors
    /// As there; also where the change is not committed.
    pub async fn undo_one(&mut self, path: &str) -> Result<(), FolderError> {
        match &mut self.0 {
            Kind::Here(batch) => batch.undo_one(path),
            Kind::There(batch) => batch.undo_one(path).await,
        }
    }

    /// How the files of a batch that was reopened are, in the order of staging; none of another.
    #[must_use]
    pub fn standings(&self) -> Vec<(&str, Standing)> {
        match &self.0 {
            Kind::Here(batch) => batch.standings(),
            Kind::There(batch) => batch.standings(),
        }
    }

    /// Leaves everything as it is, for [`Folder::reopen`](super::Folder::reopen). A batch that was not begun with an
    /// intent ends as by [`Batch::discard`].
    pub async fn leave(self) {
        if !self.is_kept() {
            self.discard().await;
        }
    }

    const fn is_kept(&self) -> bool {
        match &self.0 {
            Kind::Here(batch) => batch.is_kept(),
            Kind::There(batch) => batch.is_kept(),
        }
    }

    /// Ends the batch: removes everything in waiting, also what was there before, and folders above and below that
    /// were made in vain. What is committed stays and can no longer be undone.
    ///
    /// A batch of this machine that is dropped ends the same way; one on another host is then ended in the background,
    /// as far as the runtime lives to do it. One that was begun with an intent is left as it is when it is dropped.
    ///
    /// Gives whether nothing of it waits any more. Where its host cannot be reached, something may, and a batch that
    /// was begun with an intent is then to be [reopened](super::Folder::reopen) and ended later: nobody else knows that
    /// it is over.
    pub async fn discard(self) -> bool {
        match self.0 {
            Kind::Here(mut batch) => {
                batch.discard();
                true
            }
            Kind::There(batch) => batch.discard().await,
        }
    }
}
