use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use serde_json::{Value, json};
use switchover_effects::placeholder::{Values, expand_bytes, expand_json, expand_text};

use crate::recorder::masker;

/// The secrets of a test, as values.
struct These<'a>(&'a [(String, String)]);

impl Values for These<'_> {
    fn secret(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

#[test]
fn secrets_become_placeholders() {
    let masker = masker(&[
        ("long", "correct horse"),
        ("pin", "1234"),
        ("longer", "correct horse battery"),
        ("odd", "{x}$${"),
    ]);
    for (text, masked) in [
        ("a correct horse.", "a ${secret:long}."),
        ("correct horse battery", "${secret:longer}"),
        ("xcorrect horsex", "x${secret:long}x"),
        (
            "pin 1234, not 12345 or a1234",
            "pin ${secret:pin}, not 12345 or a1234",
        ),
        ("1234", "${secret:pin}"),
        ("costs $5, ${HOME}", "costs $5, $${HOME}"),
        ("$correct horse", "$$${secret:long}"),
        ("${x}$${", "$$${secret:odd}"),
        ("nothing", "nothing"),
    ] {
        assert_eq!(masker.mask_text(text), masked, "{text}");
    }
    assert_eq!(&*masker.mask(b"\xff1234\xff"), b"\xff${secret:pin}\xff");
}

#[test]
fn a_short_secret_does_not_hide_another() {
    let masker = masker(&[
        ("a", "ab-c"),
        ("b", "ab"),
        ("c", "bcdefghijkl"),
        ("d", "xb"),
    ]);
    assert_eq!(masker.mask_text("ab-cd"), "${secret:b}-cd");
    assert_eq!(masker.mask_text("xbcdefghijkl"), "x${secret:c}");
}

#[test]
fn json_is_masked_inside_its_strings() {
    let masker = masker(&[("p", "quo\"te\\d-password"), ("pin", "1234")]);
    let mut json = json!({"a": ["quo\"te\\d-password", 1234, null], "quo\"te\\d-password": "${x}", "n": {"b": "1234"}});
    masker.mask_json(&mut json);
    assert_eq!(
        json,
        json!({"a": ["${secret:p}", 1234, null], "${secret:p}": "$${x}", "n": {"b": "${secret:pin}"}})
    );
}

#[test]
fn every_spelling_is_redacted() {
    let secret = "p/w \"ü\\ +&%x-long";
    let masker = masker(&[("s", secret), ("pin", "1234")]);
    let json = Value::from(secret).to_string();
    let texts = [
        secret.to_owned(),
        json.clone(),
        json.replace('/', "\\/"),
        r#"p/w \"\u00fc\\ +&%x-long"#.to_owned(),
        "p%2Fw%20%22%C3%BC%5C%20%2B%26%25x-long".to_owned(),
        "p%2fw%20%22%c3%bc%5c%20%2b%26%25x%2dlong".to_owned(),
        "p%2Fw+%22%C3%BC%5C+%2B%26%25x%2Dlong".to_owned(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("kea:{secret}")),
        URL_SAFE.encode(format!("admin:{secret}")),
        STANDARD.encode(format!("ad:{secret}, and more")),
        "a 1234 b".to_owned(),
    ];
    for text in texts {
        let redacted = masker.redact(&text);
        assert!(redacted.contains("***"), "{text} → {redacted}");
        for part in ["p/w", "x-long", "p%2", "1234", "long"] {
            assert!(!redacted.contains(part), "{text} → {redacted}");
        }
        // In base64 a few characters at each end belong to the neighbours, too.
        if !text.contains([' ', '%', '\\']) {
            assert!(redacted.len() < 30, "{text} → {redacted}");
        }
    }
    assert_eq!(masker.redact("12345 ${x}"), "12345 ${x}");
}

#[test]
fn a_masker_shows_no_value() {
    let masker = masker(&[("s", "correct horse")]);
    assert_eq!(format!("{masker:?}"), "Masker(1 secrets)");
}

fn secrets() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof![
        "[ab$]{1,3}",
        "[$]{1,2}\\{[ab]{0,9}",
        "\\PC{1,12}",
        "[a-c]{8,10}",
        "secret:a"
    ];
    prop::collection::vec(value, 1..5).prop_map(|values| {
        values
            .into_iter()
            .enumerate()
            .map(|(at, value)| (format!("s{at}"), value))
            .collect()
    })
}

/// A text in which the secrets occur.
fn texts() -> impl Strategy<Value = (Vec<(String, String)>, String)> {
    (
        secrets(),
        prop::collection::vec((0..8_usize, "([$]{0,3}[{}ab ]|\\PC){0,3}"), 0..8),
    )
        .prop_map(|(secrets, parts)| {
            let text = parts
                .iter()
                .map(|(at, literal)| {
                    format!(
                        "{literal}{}",
                        secrets.get(*at).map_or("", |(_, value)| value)
                    )
                })
                .collect();
            (secrets, text)
        })
}

proptest! {
    #[test]
    fn masked_text_expands_to_itself((secrets, text) in texts()) {
        let pairs: Vec<_> = secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let masker = masker(&pairs);
        let masked = masker.mask_text(&text);
        prop_assert_eq!(expand_text(&masked, &These(&secrets)).unwrap(), text.as_str());
        for (_, value) in &secrets {
            let plain = !value.contains(['$', '{', '}']) && !value.contains("secret:");
            if value.len() >= 8 && plain {
                prop_assert!(!masked.contains(value.as_str()), "{} in {}", value, masked);
            }
        }
        let mut json = json!({"k": [text.clone()], text.clone(): 1});
        let before = json.clone();
        masker.mask_json(&mut json);
        expand_json(&mut json, &These(&secrets)).unwrap();
        prop_assert_eq!(json, before);
    }

    #[test]
    fn masked_bytes_expand_to_themselves(secrets in secrets(), bytes: Vec<u8>) {
        let pairs: Vec<_> = secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let masked = masker(&pairs).mask(&bytes).into_owned();
        prop_assert_eq!(expand_bytes(&masked, &These(&secrets)).unwrap(), bytes);
    }
}
