//! A plan as a file: the plan's JSON with a digest near its head, over every byte of the file. A file that changed in
//! any byte since it was written is refused, and who approves a plan names it by its digest.
//!
//! The digest protects against damage and mistakes. Against somebody who makes a plan of their own serve a signature
//! ([`crate::signature`]), or a digest that was handed on by another way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::diff::hex;
use crate::plan::{FORMAT_VERSION, Plan};

/// Stands in for the digest's digits while the digest is made.
const BLANK: [u8; DIGITS] = [b'0'; DIGITS];
const DIGITS: usize = 64;
const PREFIX: &str = "sha256:";

/// How a plan's JSON begins, and where the digest is put.
fn start() -> String {
    format!("{{\n  \"format_version\": \"{FORMAT_VERSION}\",\n")
}

/// Everything before the digits.
fn head() -> String {
    format!("{}  \"digest\": \"{PREFIX}", start())
}

/// Everything between the digits and the rest of the plan's JSON.
const NECK: &str = "\",\n";

/// Names one plan file: SHA-256 over its bytes, the digest's own digits read as zeros. Written `sha256:` and 64 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDigest(String);

impl PlanDigest {
    fn of(head: &[u8], rest: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(head);
        hasher.update(BLANK);
        hasher.update(rest);
        Self(hex(&hasher.finalize()))
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", self.0)
    }
}

impl Serialize for PlanDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Text that is no digest of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 hexadecimal digits, as `switchover plan --out` prints it")]
pub struct NoDigest;

impl FromStr for PlanDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(NoDigest)?;
        if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        Ok(Self(digits.to_ascii_lowercase()))
    }
}

/// A plan on its way to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFile {
    /// What the file holds, with a final line break.
    pub text: String,
    /// What names it.
    pub digest: PlanDigest,
}

/// A file that is no plan, or no longer the one that was written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PlanFileError {
    /// Not JSON of the right shape.
    #[error("failed to read the plan: it is damaged or not a plan")]
    #[diagnostic(
        code(switchover::plan::damaged),
        help("make it anew with `switchover plan --out FILE`")
    )]
    Damaged(#[source] serde_json::Error),
    /// Written by another version.
    #[error("failed to read the plan: format {0} is not known to this version")]
    #[diagnostic(
        code(switchover::plan::format),
        help("make it anew with this version of switchover")
    )]
    Format(String),
    /// Other bytes than were written.
    #[error("failed to read the plan: it changed since it was written{}", digests(named.as_deref(), found))]
    #[diagnostic(
        code(switchover::plan::changed),
        help(
            "a plan is taken as it was written or not at all, line breaks and indentation included; \
             fetch it once more, or make it anew with `switchover plan --out FILE`"
        )
    )]
    Changed {
        /// The digest that the file has; none where that itself is damaged.
        named: Option<String>,
        /// The digest of what it holds.
        found: String,
    },
}

fn digests(named: Option<&str>, found: &str) -> String {
    named.map_or_else(String::new, |named| {
        format!(": it names itself {PREFIX}{named} and is {PREFIX}{found}")
    })
}

/// Whether the beginning of a file is a plan's rather than a topology's, damaged or not. JSON begins with a brace, KDL
/// never does; and no topology names the parts of a plan in its first lines.
#[must_use]
pub fn looks_like_a_plan(beginning: &[u8]) -> bool {
    let first = beginning.iter().find(|byte| !byte.is_ascii_whitespace());
    let holds = |text: &[u8]| {
        let mut windows = beginning.windows(text.len());
        windows.any(|window| window == text)
    };
    first == Some(&b'{') || holds(b"\"format_version\": \"") || holds(b"\"digest\": \"sha256:")
}

impl PlanFile {
    /// The file of a plan.
    ///
    /// # Errors
    /// None that a plan can cause; the serialiser's.
    pub fn of(plan: &Plan) -> serde_json::Result<Self> {
        let json = serde_json::to_string_pretty(plan)?;
        let Some(rest) = json.strip_prefix(&start()) else {
            return Err(serde::ser::Error::custom(
                "the plan is of another format than this version writes",
            ));
        };
        let head = head();
        let rest = format!("{NECK}{rest}\n");
        let digest = PlanDigest::of(head.as_bytes(), rest.as_bytes());
        Ok(Self {
            text: format!("{head}{}{rest}", digest.0),
            digest,
        })
    }

    /// The plan that a file holds, and its digest.
    ///
    /// # Errors
    /// Where it is not a plan, of another format, or changed in any byte since it was written.
    pub fn read(bytes: &[u8]) -> Result<(Plan, PlanDigest), PlanFileError> {
        let head = head();
        let Some(after_head) = bytes.strip_prefix(head.as_bytes()) else {
            return Err(without_head(bytes));
        };
        let Some((digits, rest)) = after_head.split_at_checked(DIGITS) else {
            return Err(without_head(bytes));
        };
        let digest = PlanDigest::of(head.as_bytes(), rest);
        if digits != digest.0.as_bytes() {
            let named = str::from_utf8(digits).ok();
            let named =
                named.filter(|named| format!("{PREFIX}{named}").parse::<PlanDigest>().is_ok());
            return Err(PlanFileError::Changed {
                named: named.map(str::to_owned),
                found: digest.0,
            });
        }
        let Some(rest) = rest.strip_prefix(NECK.as_bytes()) else {
            return Err(without_head(bytes));
        };
        let json = [start().as_bytes(), rest].concat();
        let plan = serde_json::from_slice(&json).map_err(PlanFileError::Damaged)?;
        Ok((plan, digest))
    }
}

/// Why a file does not begin as this version's plans do.
fn without_head(bytes: &[u8]) -> PlanFileError {
    #[derive(Deserialize)]
    struct Head {
        format_version: String,
    }
    match serde_json::from_slice::<Head>(bytes) {
        Err(error) => PlanFileError::Damaged(error),
        Ok(head) if head.format_version != FORMAT_VERSION => {
            PlanFileError::Format(head.format_version.chars().take(20).collect())
        }
        Ok(_) => PlanFileError::Changed {
            named: None,
            found: String::new(),
        },
    }
}

#[cfg(test)]
mod tests;
