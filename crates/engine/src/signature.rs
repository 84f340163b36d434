//! Who answers for a plan file: signatures by OpenSSH keys in the format that Git's are in (SSHSIG), for the namespace
//! `switchover-plan`. `ssh-keygen -Y sign` and `-Y verify` make and check the same.
//!
//! Ed25519 keys sign, and are trusted by a file in the format of `ALLOWED SIGNERS` in ssh-keygen(1). What of that format
//! is not understood is refused with its line, or trusts nobody; it never trusts more than OpenSSH would.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use miette::Diagnostic;
use ssh_key::authorized_keys::ConfigOptsIter;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// What a signature is for, so that one of something else is none of a plan.
pub const NAMESPACE: &str = "switchover-plan";

/// A key that cannot sign.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum KeyError {
    #[error("it is no private key in OpenSSH's format")]
    #[diagnostic(
        code(switchover::signature::key),
        help(
            "make one with `ssh-keygen -t ed25519 -f KEY`; `ssh-keygen -p -f KEY` rewrites an older format"
        )
    )]
    Unreadable(#[source] ssh_key::Error),
    #[error("it is encrypted by a passphrase")]
    #[diagnostic(
        code(switchover::signature::encrypted),
        help(
            "OpenSSH asks for it, or its agent holds the key: write the plan without `--sign`, then \
             `ssh-keygen -Y sign -f KEY -n switchover-plan PLAN`"
        )
    )]
    Encrypted,
    #[error("keys of the kind {kind} do not sign here")]
    #[diagnostic(
        code(switchover::signature::kind),
        help("sign with an Ed25519 key: `ssh-keygen -t ed25519 -f KEY`")
    )]
    Kind { kind: String },
    #[error("it cannot sign")]
    #[diagnostic(
        code(switchover::signature::key),
        help("is it a whole Ed25519 key? `ssh-keygen -y -f KEY` tells")
    )]
    Failed(#[source] ssh_key::Error),
}

/// A private key that signs.
pub struct SigningKey(PrivateKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.fingerprint())
    }
}

impl SigningKey {
    /// A key as OpenSSH keeps it.
    ///
    /// # Errors
    /// Where it is none, encrypted, or of a kind that does not sign here.
    pub fn from_openssh(text: &[u8]) -> Result<Self, KeyError> {
        let key = PrivateKey::from_openssh(text).map_err(KeyError::Unreadable)?;
        if !key.algorithm().is_ed25519() {
            let kind = key.algorithm().to_string();
            return Err(KeyError::Kind { kind });
        }
        if key.is_encrypted() {
            return Err(KeyError::Encrypted);
        }
        Ok(Self(key))
    }

    /// `SHA256:` and the digest of the public key, as OpenSSH prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// The signature of a file's bytes, armoured, as `ssh-keygen -Y sign` writes it.
    ///
    /// # Errors
    /// Where the key turns out to be damaged.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, message);
        signature
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(KeyError::Failed)
    }
}

/// A file of allowed signers that cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("line {line} of the allowed signers {problem}")]
#[diagnostic(
    code(switchover::signature::allowed_signers),
    help(
        "a line reads `alice@example.com namespaces=\"switchover-plan\" ssh-ed25519 AAAA…`; see ssh-keygen(1)"
    )
)]
pub struct AllowedSignersError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it, such as `has no key`.
    pub problem: &'static str,
}

/// A signature that does not make a plan trusted.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum SignatureError {
    #[error("the signature is damaged or none")]
    #[diagnostic(
        code(switchover::signature::damaged),
        help(
            "`switchover plan --out PLAN --sign KEY` or `ssh-keygen -Y sign -f KEY -n switchover-plan PLAN` write it"
        )
    )]
    Damaged(#[source] ssh_key::Error),
    #[error("the signature is one of `{found}`, not of a plan")]
    #[diagnostic(
        code(switchover::signature::namespace),
        help("sign for the namespace `switchover-plan`")
    )]
    Namespace { found: String },
    #[error("the key that signed the plan, {fingerprint}, {why}")]
    #[diagnostic(
        code(switchover::signature::not_allowed),
        help("nothing was changed; who may sign is in the file of allowed signers")
    )]
    NotAllowed {
        fingerprint: String,
        why: &'static str,
    },
    #[error("the signature by {fingerprint} is one of other bytes")]
    #[diagnostic(
        code(switchover::signature::wrong),
        help("nothing was changed; the plan or its signature was replaced since it was signed")
    )]
    Wrong {
        fingerprint: String,
        #[source]
        source: ssh_key::Error,
    },
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The names that the file of allowed signers has for the key.
    pub principals: String,
    /// `SHA256:` and the digest of the public key.
    pub fingerprint: String,
}

/// A line of the file: a key and when it is trusted.
#[derive(Debug)]
struct Signer {
    principals: String,
    key: KeyData,
    namespaces: Option<Vec<String>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    authority: bool,
}

/// The keys that are trusted, as ssh-keygen(1) describes under `ALLOWED SIGNERS`.
#[derive(Debug)]
pub struct AllowedSigners(Vec<Signer>);

impl AllowedSigners {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Names the first line that is not understood.
    pub fn parse(text: &str) -> Result<Self, AllowedSignersError> {
        let mut signers = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = |problem| AllowedSignersError {
                line: at + 1,
                problem,
            };
            signers.push(signer(line).map_err(problem)?);
        }
        Ok(Self(signers))
    }

    /// Who signed these bytes, where that is one of these.
    ///
    /// # Errors
    /// Where it is no signature of them, of another namespace, or by nobody who is trusted at this moment.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<Signed, SignatureError> {
        let signature = SshSig::from_pem(signature).map_err(SignatureError::Damaged)?;
        if signature.version() != SshSig::VERSION {
            let number = signature.version();
            return Err(SignatureError::Damaged(ssh_key::Error::Version { number }));
        }
        if signature.namespace() != NAMESPACE {
            let found = signature.namespace().chars().take(60).collect();
            return Err(SignatureError::Namespace { found });
        }
        let key = PublicKey::from(signature.public_key().clone());
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let mut why = "is not among the allowed signers";
        let mut trusted = None;
        for signer in self.0.iter().filter(|signer| signer.key == *key.key_data()) {
            match signer.objection(now) {
                None => trusted = Some(signer),
                Some(objection) => why = objection,
            }
        }
        let Some(signer) = trusted else {
            return Err(SignatureError::NotAllowed { fingerprint, why });
        };
        match key.verify(NAMESPACE, message, &signature) {
            Ok(()) => Ok(Signed {
                principals: signer.principals.clone(),
                fingerprint,
            }),
            Err(ssh_key::Error::AlgorithmUnsupported { .. } | ssh_key::Error::AlgorithmUnknown) => {
                Err(SignatureError::NotAllowed {
                    fingerprint,
                    why: "is of a kind that is not checked here; sign with an Ed25519 key",
                })
            }
            Err(source) => Err(SignatureError::Wrong {
                fingerprint,
                source,
            }),
        }
    }
}

impl Signer {
    /// Why this line does not trust its key for plans at a moment.
    fn objection(&self, now: Timestamp) -> Option<&'static str> {
        if self.authority {
            return Some("is allowed as an authority of certificates only");
        }
        let for_plans = self
            .namespaces
            .as_ref()
            .is_none_or(|namespaces| namespaces.iter().any(|pattern| matches(pattern, NAMESPACE)));
        if !for_plans {
            return Some("is not allowed for the namespace `switchover-plan`");
        }
        if self.after.is_some_and(|after| now < after) {
            return Some("is not allowed yet");
        }
        if self.before.is_some_and(|before| now >= before) {
            return Some("is no longer allowed");
        }
        None
    }
}

/// A pattern of OpenSSH: `*` is anything, `?` one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // Where the last star was, and how much of the text it has taken so far.
    let (mut star, mut taken) = (None, 0);
    let (mut at, mut of) = (0, 0);
    while of < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some(at);
                taken = of;
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some(star) = star else { return false };
                taken += 1;
                (at, of) = (star + 1, taken);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

fn signer(line: &str) -> Result<Signer, &'static str> {
    let (principals, rest) = field(line);
    let (first, after_first) = field(rest);
    let names_a_key = |text: &str| {
        ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|kind| text.starts_with(kind))
    };
    let (options, key) = if names_a_key(first) {
        ("", rest)
    } else {
        (first, after_first)
    };
    if key.is_empty() {
        return Err("has no key");
    }
    let key: PublicKey = key.parse().map_err(|_| "has a key that cannot be read")?;
    let mut signer = Signer {
        principals: unquoted(principals).to_owned(),
        key: key.key_data().clone(),
        namespaces: None,
        after: None,
        before: None,
        authority: false,
    };
    let options = ConfigOptsIter::new(options).map_err(|_| "has options that cannot be read")?;
    for option in options {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = unquoted(value);
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => signer.authority = true,
            "namespaces" => {
                let patterns: Vec<String> = value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect();
                if patterns.iter().any(|pattern| pattern.starts_with('!')) {
                    return Err("excludes a namespace, which is not supported");
                }
                signer.namespaces = Some(patterns);
            }
            "valid-after" => signer.after = Some(moment(value)?),
            "valid-before" => signer.before = Some(moment(value)?),
            _ => return Err("has an option that is not known"),
        }
    }
    Ok(signer)
}

/// Up to the next blank outside of quotes, and what follows it.
fn field(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text
        .find(|character: char| {
            quoted ^= character == '"';
            !quoted && character.is_ascii_whitespace()
        })
        .unwrap_or(text.len());
    let (field, rest) = text.split_at(end);
    (field, rest.trim_ascii_start())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

/// `YYYYMMDD[HHMM[SS]]Z`. OpenSSH reads one without the final `Z` in the machine's time zone, which is another moment on
/// another machine.
fn moment(text: &str) -> Result<Timestamp, &'static str> {
    const UNREADABLE: &str = "has a time that is not `YYYYMMDD[HHMM[SS]]Z`";
    let digits = text
        .strip_suffix('Z')
        .ok_or("has a time without a final `Z`: write it in UTC")?;
    let format = match digits.len() {
        8 => return midnight(digits).ok_or(UNREADABLE),
        12 => "%Y%m%d%H%M",
        14 => "%Y%m%d%H%M%S",
        _ => return Err(UNREADABLE),
    };
    DateTime::strptime(format, digits)
        .ok()
        .and_then(in_utc)
        .ok_or(UNREADABLE)
}

fn midnight(digits: &str) -> Option<Timestamp> {
    let date = jiff::civil::Date::strptime("%Y%m%d", digits).ok()?;
    in_utc(date.at(0, 0, 0, 0))
}

fn in_utc(time: DateTime) -> Option<Timestamp> {
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests;
