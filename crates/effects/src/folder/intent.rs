//! What a batch is going to do, in a form that outlives the process that does it.
//!
//! Kept somewhere durable before the batch begins, it is all that is needed to find out later how far the batch came,
//! and to bring back what was there: the rest waits in the staging folders, whose names follow from the intent's.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::path::PREFIX_RUN;

/// The changes of a batch before it begins. Made by [`Folder::intend`](super::Folder::intend).
///
/// Digests of files stand in it: whoever could guess a file that holds a secret could prove the guess with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Tells its staging folders from those of every other batch.
    pub(super) name: Name,
    /// Folders above the files' root, and the root itself, that do not exist: outermost first, absolute.
    pub(super) above: Vec<PathBuf>,
    /// Folders below the root that do not exist.
    pub(super) below: BTreeSet<String>,
    /// In the order of staging.
    pub(super) files: Vec<Intended>,
}

impl Intent {
    /// Names of the files below the root, in the order of staging.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }
}

/// What shall happen to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intended {
    /// Below the root.
    pub(super) path: String,
    /// What is there; none where nothing is.
    pub(super) before: Option<Sum>,
    /// What shall be there.
    pub(super) after: Option<Sum>,
}

/// A name of a batch that may be part of a folder's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name(String);

impl Name {
    /// The name of its staging folders.
    pub(super) fn folder(&self) -> String {
        format!("{PREFIX_RUN}{}", self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || name.len() > 100 || !name.bytes().all(plain) {
            return Err("is no name of a batch: up to 100 letters, digits and `-`");
        }
        Ok(Self(name))
    }
}

/// A SHA-256, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum(pub(super) [u8; 32]);

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut sum = [0; 32];
        let whole = text.len() == 2 * sum.len() && text.is_ascii();
        let read = sum.iter_mut().enumerate().all(|(at, byte)| {
            let digits = text.get(2 * at..2 * at + 2);
            digits
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .map(|value| *byte = value)
                .is_some()
        });
        if whole && read {
            Ok(Self(sum))
        } else {
            Err(D::Error::custom("a SHA-256 has 64 hexadecimal digits"))
        }
    }
}

/// How a file of a batch that was reopened is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As it was before the batch.
    Before,
    /// As the batch wanted it.
    Done,
    /// Neither: somebody else changed it.
    Changed,
    /// As the batch wanted it, and what was there before is no longer in waiting.
    Lost,
}

impl Standing {
    /// Judges what is there by its digest.
    pub(super) fn of(file: &Intended, found: Option<[u8; 32]>) -> Self {
        let found = found.map(Sum);
        if found == file.before {
            Self::Before
        } else if found == file.after {
            Self::Done
        } else {
            Self::Changed
        }
    }

    /// Why it cannot be brought back, as a phrase, where it cannot.
    pub(super) const fn hinders(self) -> Option<&'static str> {
        match self {
            Self::Before | Self::Done => None,
            Self::Changed => Some("holds neither what was there before nor what was written"),
            Self::Lost => Some("is as it was written, and what was there before is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_as_it_was_written_and_nothing_else_is() {
        let intent = Intent {
            name: Name::try_from("7-0".to_owned()).unwrap(),
            above: vec!["/srv/out".into()],
            below: BTreeSet::from(["new".to_owned()]),
            files: vec![Intended {
                path: "new/a".to_owned(),
                before: None,
                after: Some(Sum([0xab; 32])),
            }],
        };
        let text = serde_json::to_string(&intent).unwrap();
        assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), intent);
        for (good, bad) in [
            ("\"7-0\"", "\"../7\""),
            ("\"7-0\"", "\"\""),
            ("abab", "ab"),
            ("abab", "+a-b"),
            ("abab", "äää"),
        ] {
            let text = text.replacen(good, bad, 1);
            assert!(serde_json::from_str::<Intent>(&text).is_err(), "{text}");
        }
    }
}
