use ssh_key::private::{Ed25519Keypair, KeypairData};

use super::*;

const MESSAGE: &[u8] = b"{}\n";

fn key(seed: u8) -> (SigningKey, String) {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    let key = PrivateKey::new(KeypairData::from(pair), "ci").unwrap();
    let public = key.public_key().to_openssh().unwrap();
    (SigningKey(key), public)
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn verify(allowed: &str, signature: &str) -> Result<Signed, String> {
    let allowed = AllowedSigners::parse(allowed).map_err(|error| error.to_string())?;
    allowed
        .verify(MESSAGE, signature.as_bytes(), now())
        .map_err(|error| error.to_string())
}

#[test]
fn who_signed_is_told() {
    let (key, public) = key(1);
    let signature = key.sign(MESSAGE).unwrap();
    assert!(signature.starts_with("-----BEGIN SSH SIGNATURE-----\n"));
    for line in [
        format!("alice@example.com {public}"),
        format!("# keys of CI\n\nalice@example.com namespaces=\"git,switchover-*\" {public}\n"),
        format!(
            "alice@example.com valid-after=\"20260101Z\",valid-before=\"202612312359Z\" {public}"
        ),
        format!("\"alice@example.com\" {public} with a comment of words"),
    ] {
        let signed = verify(&line, &signature).unwrap();
        assert_eq!(signed.principals, "alice@example.com", "{line}");
        assert_eq!(signed.fingerprint, key.fingerprint());
    }
    // One line that trusts the key is enough.
    let two = format!("old namespaces=\"git\" {public}\nnew {public}\n");
    assert_eq!(verify(&two, &signature).unwrap().principals, "new");
}

#[test]
fn who_is_not_trusted_is_refused_with_the_reason() {
    let (_, other) = key(2);
    let (key, public) = key(1);
    let signature = key.sign(MESSAGE).unwrap();
    for (line, why) in [
        (String::new(), "is not among the allowed signers"),
        (format!("a {other}"), "is not among the allowed signers"),
        (
            format!("a namespaces=\"git\" {public}"),
            "is not allowed for the namespace",
        ),
        (
            format!("a valid-after=\"20260302Z\" {public}"),
            "is not allowed yet",
        ),
        (
            format!("a valid-before=\"20260301115959Z\" {public}"),
            "is no longer allowed",
        ),
        (
            format!("a cert-authority {public}"),
            "as an authority of certificates only",
        ),
    ] {
        let refused = verify(&line, &signature).unwrap_err();
        assert!(refused.contains(why), "{line}: {refused}");
    }
}

#[test]
fn lines_that_are_not_understood_trust_nobody() {
    let (key, public) = key(1);
    let signature = key.sign(MESSAGE).unwrap();
    for (line, why) in [
        ("alice".to_owned(), "has no key"),
        (
            "alice ssh-ed25519 AAAA".to_owned(),
            "has a key that cannot be read",
        ),
        (
            format!("alice trusted {public}"),
            "has an option that is not known",
        ),
        (
            format!("alice valid-after=\"20260101\" {public}"),
            "without a final `Z`",
        ),
        (
            format!("alice valid-after=\"2026Z\" {public}"),
            "is not `YYYYMMDD",
        ),
        (
            format!("alice valid-after=\"20261301Z\" {public}"),
            "is not `YYYYMMDD",
        ),
        (
            format!("alice namespaces=\"*,!switchover-plan\" {public}"),
            "excludes a namespace",
        ),
    ] {
        let refused = verify(&format!("# first\n{line}\n"), &signature).unwrap_err();
        assert!(
            refused.starts_with("line 2 of the allowed signers") && refused.contains(why),
            "{line}: {refused}"
        );
    }
}

#[test]
fn a_signature_of_something_else_is_refused() {
    let (key, public) = key(1);
    let allowed = format!("alice {public}");
    let other = key.sign(b"{ }\n").unwrap();
    assert!(
        verify(&allowed, &other)
            .unwrap_err()
            .contains("of other bytes")
    );
    let of_git = key.0.sign("git", HashAlg::Sha512, MESSAGE).unwrap();
    let of_git = of_git.to_pem(LineEnding::LF).unwrap();
    assert!(
        verify(&allowed, &of_git)
            .unwrap_err()
            .contains("one of `git`")
    );
    for damaged in ["", "-----BEGIN SSH SIGNATURE-----\n", &other[..100]] {
        assert!(
            verify(&allowed, damaged).unwrap_err().contains("damaged"),
            "{damaged}"
        );
    }
}

/// A changed bit in any byte of a signature is not taken, and makes no panic.
#[test]
fn a_damaged_signature_is_refused() {
    let (key, public) = key(1);
    let allowed = AllowedSigners::parse(&format!("alice {public}")).unwrap();
    let signature = key.sign(MESSAGE).unwrap();
    let decoded = |text: &[u8]| SshSig::from_pem(text).ok();
    let whole = decoded(signature.as_bytes());
    for at in 0..signature.len() {
        let bit = at % 7;
        let mut changed = signature.clone().into_bytes();
        changed[at] ^= 1 << bit;
        // A line break of another kind, and unused bits of base64, are the same signature.
        let same = decoded(&changed) == whole;
        let verified = allowed.verify(MESSAGE, &changed, now());
        assert!(verified.is_err() || same, "bit {bit} of byte {at}");
    }
}

#[test]
fn keys_that_do_not_sign() {
    assert!(matches!(
        SigningKey::from_openssh(b"-----BEGIN PRIVATE KEY-----\n"),
        Err(KeyError::Unreadable(_))
    ));
    let (_, public) = key(1);
    assert!(matches!(
        SigningKey::from_openssh(public.as_bytes()),
        Err(KeyError::Unreadable(_))
    ));
}

#[test]
fn patterns_are_those_of_openssh() {
    for (pattern, fits) in [
        ("switchover-plan", true),
        ("*", true),
        ("switchover-*", true),
        ("*-plan", true),
        ("s*-p*n", true),
        ("switchover-pla?", true),
        ("switchover", false),
        ("*-plan?", false),
        ("", false),
        ("git", false),
    ] {
        assert_eq!(matches(pattern, NAMESPACE), fits, "{pattern}");
    }
}
