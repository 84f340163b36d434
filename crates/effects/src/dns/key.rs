//! TSIG keys.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::tsig::{self, Algorithm, KeyName};
use zeroize::Zeroizing;

use super::DnsError;
use crate::secrets::Secret;

/// A name, an algorithm and a secret that this machine and the server share.
#[derive(Clone)]
pub struct Key {
    pub(super) inner: Arc<tsig::Key>,
    pub(super) name: String,
}

impl Key {
    /// A key as servers have it in their configuration: a domain name, such as `switchover`, one of `hmac-sha1`,
    /// `hmac-sha256`, `hmac-sha384` and `hmac-sha512`, and the secret in base64.
    ///
    /// # Errors
    /// One of them is not that.
    pub fn new(name: &str, algorithm: &str, secret: &Secret) -> Result<Self, DnsError> {
        let (known, domain) = Self::parts(name, algorithm)?;
        let wrong = |problem| wrong(name, problem);
        let bytes = STANDARD
            .decode(secret.expose().trim())
            .map(Zeroizing::new)
            .map_err(|_| wrong("has a secret that is not base64"))?;
        if bytes.is_empty() {
            return Err(wrong("has an empty secret"));
        }
        let inner = tsig::Key::new(known, &bytes, domain, None, None)
            .map_err(|_| wrong("cannot be used"))?;
        Ok(Self {
            inner: Arc::new(inner),
            name: name.to_owned(),
        })
    }
}

/// What a key says of itself without its secret.
fn wrong(name: &str, problem: &'static str) -> DnsError {
    DnsError::Key {
        name: name.escape_debug().take(80).collect(),
        problem,
    }
}

impl Key {
    /// Whether a key can have this name and this algorithm, whatever its secret is.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(name: &str, algorithm: &str) -> Result<(), DnsError> {
        Self::parts(name, algorithm).map(drop)
    }

    fn parts(name: &str, algorithm: &str) -> Result<(Algorithm, KeyName), DnsError> {
        let known = Algorithm::from_str(algorithm)
            .map_err(|_| wrong(name, "has an algorithm that is not known"))?;
        let domain = KeyName::from_str(name)
            .ok()
            .filter(|domain| !domain.is_root() && !name.chars().any(|c| c.is_control() || c == ' '))
            .ok_or_else(|| wrong(name, "has a name that is no domain name"))?;
        Ok((known, domain))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Key").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_three_things_that_fit() {
        let secret = |text: &str| Secret::new(text.to_owned());
        for algorithm in ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
            let key = Key::new("switchover", algorithm, &secret("c2VjcmV0\n")).unwrap();
            assert_eq!(format!("{key:?}"), "Key(\"switchover\")");
        }
        for (name, algorithm, text) in [
            ("k", "hmac-md5", "c2VjcmV0"),
            ("k", "HMAC-SHA256", "c2VjcmV0"),
            ("", "hmac-sha256", "c2VjcmV0"),
            ("a..b", "hmac-sha256", "c2VjcmV0"),
            ("k", "hmac-sha256", "hunter2!"),
            ("k", "hmac-sha256", ""),
        ] {
            let error = Key::new(name, algorithm, &secret(text)).unwrap_err();
            assert!(matches!(error, DnsError::Key { .. }), "{error}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
