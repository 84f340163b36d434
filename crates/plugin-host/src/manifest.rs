//! Whether a manifest is one that the host can hold a plugin to.

use std::collections::BTreeSet;

use crate::finding::{self, KindFault};
use crate::pattern::{self, PathFault};
use crate::wit::{HttpPattern, Manifest, Pattern, Reach};

/// Why a manifest is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Loaded under another name than its own.
    #[error("it calls itself `{0}`")]
    OtherName(String),
    /// The name is not usable in a topology.
    #[error("the name `{0}` is not lower-case letters, digits and single hyphens")]
    Name(String),
    /// The version cannot be shown or locked.
    #[error("the version `{0}` is not of the form 1.2.3")]
    Version(String),
    /// The schema of the settings is not a JSON object.
    #[error("the schema of its settings is not a JSON object: {0}")]
    Schema(String),
    /// The same name twice in one list.
    #[error("the {what} `{name}` is there twice")]
    Twice {
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A command, resource kind or template without a usable name.
    #[error("the {what} name `{name}` is not usable")]
    Word {
        /// Kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A kind of finding that could not be told apart or shown.
    #[error("the finding `{code}` {fault}")]
    Finding {
        /// Its code.
        code: String,
        /// What is wrong.
        fault: KindFault,
    },
    /// A pattern that can match nothing, or that could be read in two ways.
    #[error("the pattern `{pattern}` {fault}")]
    Pattern {
        /// The pattern's text.
        pattern: String,
        /// What is wrong.
        fault: PatternFault,
    },
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// Its path.
    #[error("{0}")]
    Path(#[from] PathFault),
    /// Its method.
    #[error("has a method that is not upper-case letters")]
    Method,
    /// A JSON pointer.
    #[error("has a JSON pointer that is not one")]
    Pointer,
    /// The values at a pointer.
    #[error("needs at least one JSON value at each pointer")]
    Values,
    /// PUT, PATCH and DELETE never only read.
    #[error("is among the reads, but its method writes")]
    WritesByMethod,
    /// A POST may do anything unless its body says what.
    #[error("is among the reads, so it has to say what the body holds")]
    AnyBody,
    /// The manifest does not say that the plugin works this way.
    #[error("is of a kind that `reach` does not name")]
    Reach,
    /// Folders are listed, never written.
    #[error("is among the writes, but a folder is only read")]
    FolderWrite,
    /// Probes look, and change nothing.
    #[error("is among the writes, but a probe only reads")]
    ProbeWrite,
}

pub(crate) fn check(name: &str, manifest: &Manifest) -> Result<(), ManifestFault> {
    if !is_word(&manifest.name) {
        return Err(ManifestFault::Name(short(&manifest.name)));
    }
    if manifest.name != name {
        return Err(ManifestFault::OtherName(manifest.name.clone()));
    }
    if !is_version(&manifest.version) {
        return Err(ManifestFault::Version(short(&manifest.version)));
    }
    if let Err(error) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(
        &manifest.settings_schema,
    ) {
        return Err(ManifestFault::Schema(error.to_string()));
    }
    names(
        "command",
        manifest
            .commands
            .iter()
            .map(|command| command.name.as_str()),
    )?;
    names(
        "resource kind",
        manifest.resources.iter().map(|kind| kind.name.as_str()),
    )?;
    names(
        "template",
        manifest
            .templates
            .iter()
            .map(|template| template.name.as_str()),
    )?;
    finding::declared(&manifest.findings)?;
    patterns(manifest, &manifest.reads, read_pattern)?;
    patterns(manifest, &manifest.writes, write_pattern)
}

/// A semantic version of a length that can be shown.
pub(crate) fn is_version(version: &str) -> bool {
    version.len() <= 64 && semver::Version::parse(version).is_ok()
}

/// Lower-case letters, digits and single hyphens between them, as in a topology.
pub(crate) fn is_word(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

fn names<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ManifestFault> {
    let mut seen = BTreeSet::new();
    for name in names {
        let usable = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(usable) {
            return Err(ManifestFault::Word {
                what,
                name: short(name),
            });
        }
        if !seen.insert(name) {
            return Err(ManifestFault::Twice {
                what,
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

fn patterns(
    manifest: &Manifest,
    patterns: &[Pattern],
    more: fn(&Pattern) -> Result<(), PatternFault>,
) -> Result<(), ManifestFault> {
    patterns.iter().try_for_each(|pattern| {
        let reach = match pattern {
            Pattern::Http(_) => Some(Reach::Http),
            Pattern::File(_) | Pattern::Folder(_) => Some(Reach::Files),
            Pattern::Zone(_) => Some(Reach::Dns),
            Pattern::Probe(_) => None,
        };
        let reached = reach.is_none_or(|reach| manifest.reach.contains(&reach));
        shape(pattern)
            .and(reached.then_some(()).ok_or(PatternFault::Reach))
            .and_then(|()| more(pattern))
            .map_err(|fault| ManifestFault::Pattern {
                pattern: short(&pattern::text(pattern)),
                fault,
            })
    })
}

/// Whether the pattern is one that requests can be held against.
fn shape(pattern: &Pattern) -> Result<(), PatternFault> {
    match pattern {
        Pattern::File(path) => Ok(pattern::file_path(path)?),
        Pattern::Folder(path) => Ok(pattern::folder_path(path).map(|_| ())?),
        Pattern::Zone(name) => Ok(pattern::zone_name(name)?),
        Pattern::Probe(_) => Ok(()),
        Pattern::Http(HttpPattern { method, path, body }) => {
            if !is_method(method) {
                return Err(PatternFault::Method);
            }
            pattern::http_path(path)?;
            for one in body {
                if !is_pointer(&one.pointer) {
                    return Err(PatternFault::Pointer);
                }
                let json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
                if one.one_of.is_empty() || !one.one_of.iter().all(json) {
                    return Err(PatternFault::Values);
                }
            }
            Ok(())
        }
    }
}

fn read_pattern(pattern: &Pattern) -> Result<(), PatternFault> {
    match pattern {
        Pattern::Http(http) if matches!(http.method.as_str(), "PUT" | "PATCH" | "DELETE") => {
            Err(PatternFault::WritesByMethod)
        }
        Pattern::Http(http)
            if !matches!(http.method.as_str(), "GET" | "HEAD" | "OPTIONS")
                && http.body.is_empty() =>
        {
            Err(PatternFault::AnyBody)
        }
        _ => Ok(()),
    }
}

fn write_pattern(pattern: &Pattern) -> Result<(), PatternFault> {
    match pattern {
        Pattern::Folder(_) => Err(PatternFault::FolderWrite),
        Pattern::Probe(_) => Err(PatternFault::ProbeWrite),
        _ => Ok(()),
    }
}

pub(crate) fn is_method(method: &str) -> bool {
    (1..=16).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_uppercase())
}

/// RFC 6901, without the blanks that would make a pattern's text unclear.
fn is_pointer(pointer: &str) -> bool {
    (pointer.is_empty() || pointer.starts_with('/'))
        && !pointer.chars().any(|c| c.is_whitespace() || c.is_control())
        && pointer
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']))
}

pub(crate) fn short(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(120).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
