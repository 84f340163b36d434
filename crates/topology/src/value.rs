//! Values of the language that no crate has a type for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A hardware address; displayed in lower case with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

/// Not a hardware address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a MAC address: six bytes in hexadecimal, such as `9c:75:14:00:01:01`")]
pub struct ParseMacError(String);

impl FromStr for MacAddr {
    type Err = ParseMacError;

    /// Accepts colons, hyphens, dots (`9c75.1400.0101`) and bare digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<macaddr::MacAddr6>()
            .map(|address| Self(address.into_array()))
            .map_err(|_| ParseMacError(text.chars().take(64).collect()))
    }
}

/// A user's internal number: digits, `*` and `#`, 1 to 32 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extension(String);

impl Extension {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Not an extension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an extension: 1 to 32 digits, `*` or `#`")]
pub struct ParseExtensionError(String);

impl FromStr for Extension {
    type Err = ParseExtensionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dialable = |byte: u8| byte.is_ascii_digit() || byte == b'*' || byte == b'#';
        if (1..=32).contains(&text.len()) && text.bytes().all(dialable) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseExtensionError(text.chars().take(64).collect()))
        }
    }
}

/// Where a secret is to be had: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretSource {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: a file, without its final line break; relative to the topology file.
    File(String),
    /// `cmd:NAME`: what a command allowed in the user's own configuration prints.
    Cmd(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{path}"),
            Self::Cmd(name) => write!(formatter, "cmd:{name}"),
        }
    }
}

/// Not a source of a secret. It does not repeat the text: that may be the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a source of a secret: `env:NAME`, `file:PATH` or `cmd:NAME`")]
pub struct ParseSecretSourceError;

impl FromStr for SecretSource {
    type Err = ParseSecretSourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((_, "")) | None => Err(ParseSecretSourceError),
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.to_owned())),
            Some(("cmd", name)) => Ok(Self::Cmd(name.to_owned())),
            Some(_) => Err(ParseSecretSourceError),
        }
    }
}

/// The longest duration that a topology may state: it has to fit 32 bits of seconds.
pub const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a duration: numbers with `d`, `h`, `m` or `s`, the larger unit first, such as `90s` or `1h30m`"
)]
pub struct ParseDurationError;

/// Reads `90s`, `5m`, `2h`, `1d`, `1h30m`: whole numbers, each unit at most once, the larger first.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let mut rest = text;
    let mut seconds = 0_u64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.len()
            - rest
                .trim_start_matches(|letter: char| letter.is_ascii_digit())
                .len();
        let number: u64 = rest[..digits].parse().map_err(|_| ParseDurationError)?;
        let unit = rest[digits..].chars().next().ok_or(ParseDurationError)?;
        let (_, worth) = units
            .find(|(name, _)| *name == unit)
            .ok_or(ParseDurationError)?;
        seconds = number
            .checked_mul(*worth)
            .and_then(|more| seconds.checked_add(more))
            .ok_or(ParseDurationError)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    match Duration::from_secs(seconds) {
        duration if !text.is_empty() && duration <= LONGEST => Ok(duration),
        _ => Err(ParseDurationError),
    }
}

/// As [`parse_duration`] reads it, in the largest units: `1m30s`. Fractions of a second are dropped.
#[must_use]
pub fn spell_duration(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut spelled = String::new();
    for (name, worth) in UNITS {
        if rest >= worth {
            spelled += &format!("{}{name}", rest / worth);
            rest %= worth;
        }
    }
    if spelled.is_empty() {
        "0s".to_owned()
    } else {
        spelled
    }
}
