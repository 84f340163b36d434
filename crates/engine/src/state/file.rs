//! A generation as a file: `{"format_version":"2.0","sha256":"…","generation":{…}}`, where the digest is over version
//! and generation as they are written. Every byte of it counts.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::error::StateError;
use super::generation::{Counts, Generation, TargetRecord};
use crate::diff::hex;
use crate::plan::{Owned, PluginRef};

/// The format that is written. Of the same major number, all are read.
const FORMAT_VERSION: &str = "2.0";

const VERSION: &str = "{\"format_version\":\"";
const DIGEST: &str = "\",\"sha256\":\"";
const GENERATION: &str = "\",\"generation\":";

/// A generation as a file.
pub(super) fn write(generation: &Generation) -> Result<Vec<u8>, StateError> {
    let text = serde_json::to_string(generation).map_err(StateError::Encode)?;
    let sha256 = digest(FORMAT_VERSION, &text);
    let file = format!("{VERSION}{FORMAT_VERSION}{DIGEST}{sha256}{GENERATION}{text}}}\n");
    Ok(file.into_bytes())
}

/// Why a file is no generation that can be used.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It is not what was written.
    Damaged(String),
    /// It is of this format.
    Format(String),
}

impl Unreadable {
    pub(super) const fn damaged(problem: String) -> Self {
        Self::Damaged(problem)
    }

    /// The error of a generation. The last one is what is known to be ours.
    pub(super) fn of(self, number: u64, place: String, is_last: bool) -> StateError {
        match self {
            Self::Damaged(problem) => StateError::Damaged {
                number,
                place,
                problem,
                is_last,
            },
            Self::Format(found) => StateError::Format {
                number,
                place,
                found,
            },
        }
    }
}

/// The generation of a file, and its digest.
pub(super) fn read(bytes: &[u8]) -> Result<(Generation, String), Unreadable> {
    let damaged = Unreadable::damaged;
    if bytes.is_empty() {
        return Err(damaged("it is empty".to_owned()));
    }
    let text = str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    let (version, rest) = text
        .strip_prefix(VERSION)
        .and_then(|rest| rest.split_once('"'))
        .ok_or_else(|| damaged("it does not begin with its format".to_owned()))?;
    match version.split_once('.').map(|(major, _)| major) {
        Some("1") => {
            let generation = first_format(text).map_err(|error| damaged(error.to_string()))?;
            // The file itself: that format has no digest of its own.
            return Ok((generation, hex(&Sha256::digest(bytes))));
        }
        Some("2") => {}
        _ => return Err(Unreadable::Format(version.chars().take(20).collect())),
    }
    let Some((sha256, rest)) = rest
        .strip_prefix(&DIGEST[1..])
        .and_then(|rest| rest.split_once(GENERATION))
    else {
        return Err(damaged("it is not laid out as its format says".to_owned()));
    };
    let Some(generation) = rest.strip_suffix("}\n") else {
        return Err(damaged("it is cut short".to_owned()));
    };
    if digest(version, generation) != sha256 {
        return Err(damaged("its content does not have its digest".to_owned()));
    }
    let generation =
        serde_json::from_str(generation).map_err(|error| damaged(error.to_string()))?;
    Ok((generation, sha256.to_owned()))
}

fn digest(version: &str, text: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(version);
    hasher.update([0]);
    hasher.update(text);
    hex(&hasher.finalize())
}

/// Format 1.0: the generation itself, with its format in it.
fn first_format(text: &str) -> serde_json::Result<Generation> {
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct First {
        #[serde(rename = "format_version")]
        _format_version: String,
        number: u64,
        created: jiff::Timestamp,
        site: String,
        topology: String,
        targets: BTreeMap<String, FirstTarget>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct FirstTarget {
        plugin: PluginRef,
        resources: BTreeMap<String, Owned>,
    }

    let first: First = serde_json::from_str(text)?;
    let records = first.targets.into_iter().map(|(name, target)| {
        let record = TargetRecord {
            plugin: target.plugin,
            resources: target.resources,
            wave: None,
            contents: None,
        };
        (name, record)
    });
    Ok(Generation {
        targets: records.collect(),
        changes: None::<Counts>,
        ..Generation::empty(first.number, first.created, first.site, first.topology)
    })
}
