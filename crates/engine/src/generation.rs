//! What was applied: numbered records in the site's state folder, one file each, never rewritten.
//!
//! The last one decides what is ours (only that is ever deleted) and what drifted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::plan::{Owned, PluginRef};

const FORMAT_VERSION: &str = "1.0";

/// One successful apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// `1.0`
    pub format_version: String,
    /// Counts from 1.
    pub number: u64,
    /// When the apply ended.
    pub created: jiff::Timestamp,
    /// The site's name.
    pub site: String,
    /// SHA-256 over the topology's files, in hexadecimal.
    pub topology: String,
    /// Every target that the topology had.
    pub targets: BTreeMap<String, TargetRecord>,
}

/// What a target held of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRecord {
    /// The plugin that wrote it.
    pub plugin: PluginRef,
    /// By address.
    pub resources: BTreeMap<String, Owned>,
}

/// The state folder cannot serve.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum StateError {
    #[error("read the state in {}", path.display())]
    #[diagnostic(
        code(switchover::state::read),
        help("check the folder's owner and permissions")
    )]
    Read { path: PathBuf, source: io::Error },
    #[error("write the state in {}", path.display())]
    #[diagnostic(
        code(switchover::state::write),
        help("check the folder's owner, permissions and free space")
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("read generation {}: it is damaged", path.display())]
    #[diagnostic(
        code(switchover::state::damaged),
        help(
            "restore the file from a backup; without it the tool no longer knows which resources are its own"
        )
    )]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("read generation {}: format {found} is not known to this version", path.display())]
    #[diagnostic(
        code(switchover::state::format),
        help("use the version of switchover that wrote it, or a later one")
    )]
    Format { path: PathBuf, found: String },
    #[error("keep state in `{location}`: only a local folder is supported")]
    #[diagnostic(
        code(switchover::state::location),
        help("set `state` of the site to a folder, such as `.switchover`")
    )]
    Location { location: String },
}

/// The generations of one site.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
}

impl State {
    /// The state at a location as the topology declares it, relative to the topology's folder. Nothing is created.
    pub fn at(root: &Path, location: Option<&str>) -> Result<Self, StateError> {
        let location = location.unwrap_or(".switchover");
        if location.contains("://") {
            return Err(StateError::Location {
                location: location.to_owned(),
            });
        }
        Ok(Self {
            folder: root.join(location).join("generations"),
        })
    }

    /// The generation with the highest number.
    pub fn last(&self) -> Result<Option<Generation>, StateError> {
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| StateError::Read { path, source }
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(read(&self.folder)(error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(read(&self.folder))?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|stem| stem.parse::<u64>().ok());
            numbers.extend(number);
        }
        let Some(number) = numbers.into_iter().max() else {
            return Ok(None);
        };
        let path = self.path_of(number);
        let bytes = fs::read(&path).map_err(read(&path))?;
        let generation: Generation =
            serde_json::from_slice(&bytes).map_err(|source| StateError::Damaged {
                path: path.clone(),
                source,
            })?;
        if generation.format_version != FORMAT_VERSION {
            return Err(StateError::Format {
                path,
                found: generation.format_version,
            });
        }
        Ok(Some(generation))
    }

    /// Records a generation. The number must be free: nothing is overwritten.
    pub(crate) fn record(&self, mut generation: Generation) -> Result<u64, StateError> {
        generation.format_version = FORMAT_VERSION.to_owned();
        let path = self.path_of(generation.number);
        let write = |source: io::Error| StateError::Write {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(&self.folder).map_err(write)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.folder)
            .map_err(write)?;
        let json = serde_json::to_vec(&generation).map_err(|error| write(error.into()))?;
        file.write_all(&json)
            .and_then(|()| file.as_file().sync_all())
            .map_err(write)?;
        file.persist_noclobber(&path)
            .map_err(|error| write(error.error))?;
        fs::File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(write)?;
        Ok(generation.number)
    }

    /// The folder can be written: found out before anything else is.
    pub(crate) fn check_writable(&self) -> Result<(), StateError> {
        let write = |source: io::Error| StateError::Write {
            path: self.folder.clone(),
            source,
        };
        fs::create_dir_all(&self.folder).map_err(write)?;
        tempfile::tempfile_in(&self.folder).map(drop).map_err(write)
    }

    fn path_of(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(number: u64) -> Generation {
        Generation {
            format_version: FORMAT_VERSION.to_owned(),
            number,
            created: jiff::Timestamp::UNIX_EPOCH,
            site: "acme".to_owned(),
            topology: "00".to_owned(),
            targets: BTreeMap::new(),
        }
    }

    #[test]
    fn the_highest_number_is_the_last_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(folder.path(), None).unwrap();
        assert_eq!(state.last().unwrap(), None);
        assert!(
            !folder.path().join(".switchover").exists(),
            "looking creates nothing"
        );

        for number in [1, 2, 10] {
            assert_eq!(state.record(generation(number)).unwrap(), number);
        }
        assert_eq!(state.last().unwrap().unwrap().number, 10);
        assert!(matches!(
            state.record(generation(2)),
            Err(StateError::Write { .. })
        ));
    }

    #[test]
    fn damage_and_other_formats_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(folder.path(), Some("state")).unwrap();
        state.record(generation(1)).unwrap();
        fs::write(state.path_of(2), "{").unwrap();
        assert!(matches!(state.last(), Err(StateError::Damaged { .. })));
        let other = serde_json::to_string(&generation(3))
            .unwrap()
            .replace("\"1.0\"", "\"7.0\"");
        fs::write(state.path_of(3), other).unwrap();
        assert!(matches!(state.last(), Err(StateError::Format { found, .. }) if found == "7.0"));
        assert!(matches!(
            State::at(folder.path(), Some("s3://x/y")),
            Err(StateError::Location { .. })
        ));
    }
}
