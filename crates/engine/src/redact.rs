//! What a plan may show of the present state.
//!
//! Values of declared secrets were replaced by references before a plugin saw them. Here it is about the others: a
//! password that somebody else wrote, or that the topology no longer declares.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::diff::{Body, hex};
use crate::plan::Content;

const SENSITIVE: &str = "(sensitive)";

/// The present content of a resource that changes.
pub(crate) fn before(
    before: &Body,
    after: Option<&Body>,
    sensitive: &BTreeSet<&str>,
    held_secret: bool,
) -> Content {
    match (before, after) {
        (Body::Object(value), _) => Content::Object(object(value, sensitive)),
        (Body::File(bytes), Some(Body::File(after))) => {
            let after = String::from_utf8_lossy(after);
            let Ok(text) = std::str::from_utf8(bytes) else {
                return opaque(bytes);
            };
            // The lines that held the secret are known by those that hold it now; where some are not found, it may
            // stand anywhere.
            if held_secret && !all_found(text, &after) {
                return opaque(bytes);
            }
            Content::Text(lines(text, &after))
        }
        (Body::File(bytes), _) => opaque(bytes),
    }
}

/// An object without the values at the sensitive pointers.
pub(crate) fn object(value: &Value, sensitive: &BTreeSet<&str>) -> Value {
    let mut value = value.clone();
    for pointer in sensitive {
        if let Some(place) = value.pointer_mut(pointer) {
            *place = Value::String(SENSITIVE.to_owned());
        }
    }
    value
}

/// A file as text where it is text.
pub(crate) fn file(bytes: &[u8]) -> Content {
    std::str::from_utf8(bytes).map_or_else(|_| opaque(bytes), |text| Content::Text(text.to_owned()))
}

fn opaque(bytes: &[u8]) -> Content {
    Content::Opaque {
        size: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
    }
}

/// What stands before a secret in its line, for every line that holds one.
fn secret_keys(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.split_once("${secret:"))
        .map(|(key, _)| key)
        .collect()
}

/// Whether each line that will hold a secret has one in its place that may hold one now.
fn all_found(text: &str, after: &str) -> bool {
    let keys = secret_keys(after);
    !keys.is_empty()
        && keys
            .iter()
            .all(|key| !key.is_empty() && text.lines().any(|line| line.starts_with(key)))
}

fn lines(text: &str, after: &str) -> String {
    let kept: BTreeSet<&str> = after.lines().collect();
    let secret_keys = secret_keys(after);
    let mut redacted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let end = &line[content.len()..];
        let secret = (!kept.contains(content))
            .then(|| secret_value(content, &secret_keys))
            .flatten();
        match secret {
            Some(key) => {
                redacted.push_str(key);
                redacted.push_str(SENSITIVE);
            }
            None => redacted.push_str(content),
        }
        redacted.push_str(end);
    }
    redacted
}

/// The part of the line before a value that must not be shown.
fn secret_value<'a>(line: &'a str, secret_keys: &BTreeSet<&str>) -> Option<&'a str> {
    if let Some(key) = secret_keys
        .iter()
        .find(|key| !key.is_empty() && line.starts_with(**key))
    {
        return Some(&line[..key.len()]);
    }
    let end = line.find(['=', ':'])? + 1;
    let (key, value) = line.split_at(end);
    let name = key.to_ascii_lowercase();
    let telling = ["pwd", "pass", "secret", "token"]
        .iter()
        .any(|word| name.contains(word));
    let start = end + (value.len() - value.trim_start().len());
    (telling && !value.trim().is_empty() && !value.contains("${secret:")).then(|| &line[..start])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(before_text: &str, after_text: &str, held_secret: bool) -> Content {
        let body = |text: &str| Body::File(text.as_bytes().to_vec());
        before(
            &body(before_text),
            Some(&body(after_text)),
            &BTreeSet::new(),
            held_secret,
        )
    }

    #[test]
    fn an_old_password_is_not_shown_beside_the_new_reference() {
        let shown = text(
            "Label = x\r\nPin = hunter2\r\n",
            "Label = x\r\nPin = ${secret:user/101/sip-password}\r\n",
            true,
        );
        assert_eq!(
            shown,
            Content::Text("Label = x\r\nPin = (sensitive)\r\n".to_owned())
        );
    }

    #[test]
    fn where_an_old_password_cannot_be_found_nothing_of_the_file_is_shown() {
        for (before, after) in [
            // Its key has another name now.
            (
                "Pin = hunter2\nLabel = x\n",
                "Number = ${secret:user/101/sip-password}\nLabel = x\n",
            ),
            (
                "a = 1\nPin = hunter2\n",
                "a = ${secret:x}\nNumber = ${secret:y}\n",
            ),
            // It is not held any more.
            ("Pin = hunter2\n", "Label = x\n"),
            // It stands alone.
            ("hunter2\n", "${secret:x}\n"),
        ] {
            let shown = text(before, after, true);
            assert!(
                matches!(shown, Content::Opaque { .. }),
                "{before} {after}: {shown:?}"
            );
        }
    }

    #[test]
    fn a_password_that_nobody_declared_is_known_by_its_key() {
        let shown = text(
            "Config.Account1.GENERAL.Pwd = hunter2\nlang: it\npassword:x",
            "lang: en\n",
            false,
        );
        let expected = "Config.Account1.GENERAL.Pwd = (sensitive)\nlang: it\npassword:(sensitive)";
        assert_eq!(shown, Content::Text(expected.to_owned()));
    }

    #[test]
    fn a_file_that_held_a_secret_and_holds_none_now_is_not_shown_at_all() {
        assert!(matches!(
            text("Pin = hunter2\n", "Pin =\n", true),
            Content::Opaque { size: 14, .. }
        ));
        assert!(matches!(
            before(
                &Body::File(b"Pin = 1".to_vec()),
                None,
                &BTreeSet::new(),
                true
            ),
            Content::Opaque { .. }
        ));
    }

    #[test]
    fn sensitive_pointers_of_an_object_are_hidden() {
        let value = json!({ "a": { "key": "hunter2" }, "b": 1 });
        let hidden = object(&value, &BTreeSet::from(["/a/key", "/absent"]));
        assert_eq!(hidden, json!({ "a": { "key": "(sensitive)" }, "b": 1 }));
    }
}
