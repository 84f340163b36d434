use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

/// A version of numeric fields separated by dots, such as WMS `3.86.30011` or firmware `2.8.22`.
///
/// Compared field by field as numbers; missing fields count as zero, so `3.86` equals `3.86.0` and `3.100` is newer
/// than `3.86`. The spelling is kept for display.
#[derive(Debug, Clone)]
pub struct DottedVersion(SmolStr);

/// The text is not one to eight runs of digits separated by dots.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: digits separated by dots, such as `3.86.30011`")]
pub struct ParseVersionError(String);

impl DottedVersion {
    /// The spelling it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn fields(&self) -> impl Iterator<Item = u64> {
        // Reading made sure that each is a number.
        self.0
            .split('.')
            .map(|field| field.parse().unwrap_or(u64::MAX))
    }
}

/// A release that a document names, such as WMS 3.86: a version known while compiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Release(
    /// Its fields.
    pub &'static [u64],
);

impl Release {
    /// Whether this version is the release or a later one.
    #[must_use]
    pub fn reached_by(self, version: &DottedVersion) -> bool {
        compare(version.fields(), self.0.iter().copied()) != Ordering::Less
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, field) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(formatter, "{dot}{field}")?;
        }
        Ok(())
    }
}

/// Field by field as numbers, missing fields as zero.
fn compare(mut left: impl Iterator<Item = u64>, mut right: impl Iterator<Item = u64>) -> Ordering {
    loop {
        let (left, right) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or(0), right.unwrap_or(0)),
        };
        if left != right {
            return left.cmp(&right);
        }
    }
}

impl FromStr for DottedVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = |field: &str| {
            let digits = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
            digits && field.parse::<u64>().is_ok()
        };
        if text.split('.').count() <= 8 && text.split('.').all(is_number) {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(ParseVersionError(text.chars().take(64).collect()))
        }
    }
}

impl Ord for DottedVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.fields(), other.fields())
    }
}

impl PartialOrd for DottedVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DottedVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DottedVersion {}

impl fmt::Display for DottedVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> DottedVersion {
        text.parse().unwrap()
    }

    #[test]
    fn fields_compare_as_numbers() {
        assert_eq!(version("3.86"), version("3.86.0"));
        assert!(version("3.100") > version("3.86"));
        assert!(version("3.85.9999") < version("3.86"));
    }

    #[test]
    fn a_release_is_reached_from_itself_on() {
        let release = Release(&[3, 86]);
        for (text, reached) in [
            ("3.86", true),
            ("3.86.0.1", true),
            ("3.85.9999", false),
            ("3.100", true),
            ("4", true),
        ] {
            assert_eq!(release.reached_by(&version(text)), reached, "{text}");
        }
        assert_eq!(release.to_string(), "3.86");
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in [
            "",
            ".",
            "3.",
            "v3",
            "3.86-rc1",
            "1.2.3.4.5.6.7.8.9",
            "99999999999999999999999",
        ] {
            assert!(text.parse::<DottedVersion>().is_err(), "{text}");
        }
    }
}
