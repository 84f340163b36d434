//! What a batch knows of its changes, wherever the files are.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{FolderError, Standing};
use crate::trace::{Event, Reporting};

/// A file at a certain time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version<I> {
    /// What tells it from others without reading it.
    pub(super) identity: I,
    pub(super) digest: [u8; 32],
}

/// How a change is put in place and taken back. `slot` is the name of the file in waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing was there: moved in; moved out again.
    Create,
    /// The two change places; and back.
    Exchange,
    /// Moved over what was there, of which a copy waits in `backup`; the copy is moved over it.
    Replace,
    /// Moved out; moved in again.
    Remove,
    /// Nothing was there, and nothing shall be.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Staged,
    /// Asked for, and the answer never came.
    Unsure,
    Committed,
    /// As it was before, or never changed.
    Undone,
}

/// One change of a batch.
#[derive(Debug)]
pub(super) struct Entry<I> {
    /// The name below the root.
    pub(super) path: String,
    /// The last part of it.
    pub(super) name: String,
    /// The absolute path.
    pub(super) full: PathBuf,
    pub(super) way: Way,
    pub(super) state: State,
    /// What was there when it was staged.
    pub(super) before: Option<Version<I>>,
    /// What shall be there.
    pub(super) after: Option<Version<I>>,
    /// Index of the staging folder.
    pub(super) staging: usize,
    pub(super) slot: String,
    pub(super) backup: String,
    /// How it was found where the batch was reopened.
    pub(super) standing: Option<Standing>,
}

impl<I> Entry<I> {
    /// Why it cannot be undone, where it was found so when the batch was reopened.
    pub(super) fn hindered(&self) -> Option<FolderError> {
        let how = self.standing?.hinders()?;
        Some(FolderError::Stuck {
            path: self.full.clone(),
            how,
        })
    }

    /// Something else is at the place than what should be.
    pub(super) fn changed(&self, how: &'static str) -> FolderError {
        FolderError::Changed {
            path: self.full.clone(),
            how,
        }
    }

    /// What is being done to the file, for errors.
    pub(super) fn action(&self) -> &'static str {
        if self.way == Way::Remove {
            "remove"
        } else {
            "replace"
        }
    }
}

impl<I> Entry<I> {
    pub(super) fn tell_staged(&self, bytes: usize, reporting: &Reporting) {
        self.tell(reporting, |path| Some(Event::FileStaged { path, bytes }));
    }

    pub(super) fn tell_committed(&self, reporting: &Reporting) {
        self.tell(reporting, |path| match self.way {
            Way::Create | Way::Exchange | Way::Replace => Some(Event::FileWritten { path }),
            Way::Remove => Some(Event::FileRemoved { path }),
            Way::Nothing => None,
        });
    }

    pub(super) fn tell_restored(&self, reporting: &Reporting) {
        self.tell(reporting, |path| Some(Event::FileRestored { path }));
    }

    fn tell(&self, reporting: &Reporting, event: impl for<'a> Fn(&'a str) -> Option<Event<'a>>) {
        if reporting.listening()
            && let Some(event) = event(&reporting.redact(&self.full.to_string_lossy()))
        {
            reporting.tell(&event);
        }
    }
}

/// The changes of a batch in the order of staging.
#[derive(Debug)]
pub(super) struct Ledger<I> {
    pub(super) entries: Vec<Entry<I>>,
    index: HashMap<String, usize>,
}

impl<I> Ledger<I> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            index: HashMap::new(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry<I>> {
        self.index.get(path).map(|&at| &self.entries[at])
    }

    pub(super) fn add(&mut self, entry: Entry<I>) {
        self.index.insert(entry.path.clone(), self.entries.len());
        self.entries.push(entry);
    }

    /// Where the change of this file is, which must be in this state.
    pub(super) fn find(&self, path: &str, state: State) -> Result<usize, FolderError> {
        match self.index.get(path) {
            Some(&at) if self.entries[at].state == state => Ok(at),
            _ => Err(FolderError::NotStaged {
                path: path.escape_debug().take(200).collect(),
            }),
        }
    }

    /// How the files were found where the batch was reopened.
    pub(super) fn standings(&self) -> Vec<(&str, Standing)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.path.as_str(), entry.standing?)))
            .collect()
    }

    /// What hinders the undoing of a batch that was reopened.
    pub(super) fn hindrances(&self) -> Vec<FolderError> {
        self.entries.iter().filter_map(Entry::hindered).collect()
    }

    /// Names of all files whose change waits to be put in place.
    pub(super) fn staged(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| entry.state == State::Staged)
            .map(|entry| entry.path.clone())
            .collect()
    }
}

/// Names of a file in waiting and of the copy of what was there. The name goes along, for programs that go by its
/// ending.
pub(super) fn waiting_names(number: usize, name: &str) -> (String, String) {
    let slot = if name.len() < 200 {
        format!("{number}-{name}")
    } else {
        number.to_string()
    };
    (slot, format!("{number}{BACKUP}"))
}

/// What names of copies of what was there end with.
pub(super) const BACKUP: &str = ".before";
