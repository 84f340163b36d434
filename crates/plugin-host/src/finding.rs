//! Whether the findings that a plugin declares can be told apart and shown, and whether those that it raises are among
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::printable;
use crate::manifest::{ManifestFault, is_word, short};
use crate::wit::{Basis, Finding, FindingKind, Severity};

/// Codes that begin so are those of switchover's own rules.
const RESERVED: &str = "SW";
const LONGEST_CODE: usize = 32;
const LONGEST_SUMMARY: usize = 200;
const LONGEST_EXPLANATION: usize = 4000;

/// What is wrong with a declared kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindFault {
    /// Its code has another shape.
    #[error(
        "has a code that is not like `KEA001`: upper-case letters and digits, three digits at the end, at most {LONGEST_CODE} characters"
    )]
    Code,
    /// Its code is one of switchover's.
    #[error(
        "has a code that begins with `{RESERVED}`, which is reserved for switchover's own rules"
    )]
    Reserved,
    /// Its name has another shape.
    #[error("has the name `{0}`, which is not lower-case letters, digits and single hyphens")]
    Name(String),
    /// Its summary cannot be shown on a line.
    #[error(
        "needs a summary of one line, without control characters, of 1 to {LONGEST_SUMMARY} bytes"
    )]
    Summary,
    /// Its explanation cannot be shown.
    #[error(
        "needs an explanation of 1 to {LONGEST_EXPLANATION} bytes, with no control characters but line breaks"
    )]
    Explanation,
}

/// Why a finding is not one that the manifest declares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindingFault {
    /// No kind has its code.
    #[error("raised `{}`, which its manifest does not declare", printable(.0))]
    Undeclared(String),
    /// The kind has another name.
    #[error("raised `{code}` as `{}`, which its manifest declares as `{declared}`", printable(.raised))]
    OtherName {
        /// The code.
        code: String,
        /// Name of the finding.
        raised: String,
        /// Name of the kind.
        declared: String,
    },
    /// The kind is less grave.
    #[error("raised `{code}` as {}, which its manifest declares as {}", word(*.raised), word(*.declared))]
    Graver {
        /// The code.
        code: String,
        /// Severity of the finding.
        raised: Severity,
        /// Severity of the kind.
        declared: Severity,
    },
    /// The kind belongs to the other function.
    #[error("raised `{code}`, which its manifest declares for `{}` only", export(*.declared))]
    OtherBasis {
        /// The code.
        code: String,
        /// Basis of the kind.
        declared: Basis,
    },
}

/// Checks the kinds that a manifest declares.
pub(crate) fn declared(kinds: &[FindingKind]) -> Result<(), ManifestFault> {
    let (mut codes, mut names) = (BTreeSet::new(), BTreeSet::new());
    for kind in kinds {
        shape(kind).map_err(|fault| ManifestFault::Finding {
            code: short(&kind.code),
            fault,
        })?;
        for (what, seen, name) in [
            ("finding code", &mut codes, &kind.code),
            ("finding name", &mut names, &kind.name),
        ] {
            if !seen.insert(name) {
                return Err(ManifestFault::Twice {
                    what,
                    name: name.clone(),
                });
            }
        }
    }
    Ok(())
}

fn shape(kind: &FindingKind) -> Result<(), KindFault> {
    if !is_code(&kind.code) {
        return Err(KindFault::Code);
    }
    if kind.code.starts_with(RESERVED) {
        return Err(KindFault::Reserved);
    }
    if !is_word(&kind.name) {
        return Err(KindFault::Name(short(&kind.name)));
    }
    let is_text = |text: &str, longest: usize, control: fn(char) -> bool| {
        !text.trim().is_empty() && text.len() <= longest && !text.contains(control)
    };
    if !is_text(&kind.summary, LONGEST_SUMMARY, char::is_control) {
        return Err(KindFault::Summary);
    }
    let steers = |c: char| c.is_control() && c != '\n';
    if !is_text(&kind.explanation, LONGEST_EXPLANATION, steers) {
        return Err(KindFault::Explanation);
    }
    Ok(())
}

/// `[A-Z][A-Z0-9]*[0-9]{3}`
fn is_code(code: &str) -> bool {
    let Some((prefix, number)) = code
        .len()
        .checked_sub(3)
        .and_then(|at| code.split_at_checked(at))
    else {
        return false;
    };
    code.len() <= LONGEST_CODE
        && prefix.starts_with(|c: char| c.is_ascii_uppercase())
        && prefix
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Checks the findings of one call against the kinds that the manifest declares.
pub(crate) fn raised(
    kinds: &[FindingKind],
    basis: Basis,
    findings: &[Finding],
) -> Result<(), FindingFault> {
    let kinds: BTreeMap<&str, &FindingKind> = kinds
        .iter()
        .map(|kind| (kind.code.as_str(), kind))
        .collect();
    findings.iter().try_for_each(|finding| {
        let Some(kind) = kinds.get(finding.code.as_str()) else {
            return Err(FindingFault::Undeclared(finding.code.clone()));
        };
        let code = || kind.code.clone();
        if finding.name != kind.name {
            return Err(FindingFault::OtherName {
                code: code(),
                raised: finding.name.clone(),
                declared: kind.name.clone(),
            });
        }
        if weight(finding.severity) > weight(kind.severity) {
            return Err(FindingFault::Graver {
                code: code(),
                raised: finding.severity,
                declared: kind.severity,
            });
        }
        if kind.basis != basis {
            return Err(FindingFault::OtherBasis {
                code: code(),
                declared: kind.basis,
            });
        }
        Ok(())
    })
}

const fn weight(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "a note",
        Severity::Warning => "a warning",
        Severity::Error => "an error",
    }
}

const fn export(basis: Basis) -> &'static str {
    match basis {
        Basis::Topology => "check",
        Basis::Server => "examine",
    }
}
