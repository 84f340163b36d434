//! The values of options as Kea takes them.
//!
//! Seen on Kea 2.2.0: a text ends at a comma that is not written `\,`; spaces at its ends are dropped; a backslash
//! before a comma cannot be written; bytes beyond ASCII arrive changed. Such texts are therefore given as hexadecimal.

use std::fmt::Write;

use switchover_sdk::{DhcpOption, OptionValue, text};

use crate::shape::{DHCP4, OptionData, OptionDef};

/// Codes whose type Kea 2.2 knows (`config-test` with each of them and no definition).
fn is_standard(code: u8) -> bool {
    matches!(code, 1..=79 | 81 | 82 | 85..=94 | 97..=101 | 108 | 112..=114 | 116..=119 | 124 | 125
        | 136..=138 | 141 | 146 | 159 | 212 | 213)
}

/// Of those, the ones that are one text, in which a comma means nothing else.
fn is_standard_text(code: u8) -> bool {
    matches!(
        code,
        12 | 14
            | 15
            | 17
            | 18
            | 40
            | 47
            | 56
            | 60
            | 62
            | 64
            | 66
            | 67
            | 86
            | 87
            | 98
            | 100
            | 101
            | 113
            | 114
            | 141
    )
}

/// The option as Kea takes it.
pub(crate) fn option_data(option: &DhcpOption) -> OptionData {
    let (csv_format, data) = match &option.value {
        OptionValue::Text(text) => encode_text(option.code, text),
        OptionValue::Addresses(list) => (true, list.join(", ")),
        OptionValue::SipAddresses(list) => (true, format!("1, {}", list.join(", "))),
        OptionValue::SipNames(list) => (true, format!("0, {}", list.join(", "))),
        OptionValue::Uint8(number) => (true, number.to_string()),
        OptionValue::Uint16(number) => (true, number.to_string()),
        OptionValue::Uint32(number) => (true, number.to_string()),
        OptionValue::Hex(digits) => (false, digits.to_ascii_lowercase()),
    };
    OptionData {
        space: DHCP4.into(),
        code: option.code.into(),
        csv_format,
        data,
    }
}

/// The type that Kea has to be told for the option; none where it knows it, or where bytes need no type.
pub(crate) fn option_def(option: &DhcpOption) -> Option<OptionDef> {
    if is_standard(option.code) {
        return None;
    }
    let (r#type, record_types, array) = match &option.value {
        OptionValue::Text(_) => ("string", "", false),
        OptionValue::Addresses(_) => ("ipv4-address", "", true),
        OptionValue::SipAddresses(_) => ("record", "uint8, ipv4-address", true),
        OptionValue::SipNames(_) => ("record", "uint8, fqdn", true),
        OptionValue::Uint8(_) => ("uint8", "", false),
        OptionValue::Uint16(_) => ("uint16", "", false),
        OptionValue::Uint32(_) => ("uint32", "", false),
        OptionValue::Hex(_) => return None,
    };
    Some(OptionDef {
        space: DHCP4.into(),
        code: option.code.into(),
        r#type: r#type.into(),
        record_types: record_types.into(),
        array,
    })
}

/// The name of a definition that is made here. Kea wants one; nothing refers to it.
pub(crate) fn definition_name(def: &OptionDef) -> String {
    match (def.space.as_str(), def.code) {
        (DHCP4, 120) => "sip-servers".into(),
        (_, code) => format!("option-{code}"),
    }
}

fn encode_text(code: u8, text: &str) -> (bool, String) {
    if is_standard(code) && !is_standard_text(code) {
        return (true, text.into());
    }
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\')
        && text.trim() == text;
    if plain {
        (true, text.replace(',', "\\,"))
    } else {
        (false, hex(text::plain(text).as_bytes()))
    }
}

/// Bytes that the text takes in a DHCP message.
pub(crate) fn text_length(text: &str) -> usize {
    text::plain(text).len()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// An option's data in one spelling: Kea gives back what it was told, spaces and all.
pub(crate) fn normalise(csv_format: bool, data: &str) -> String {
    if !csv_format {
        let digits = data.strip_prefix("0x").unwrap_or(data);
        return digits
            .chars()
            .filter(char::is_ascii_hexdigit)
            .map(|digit| digit.to_ascii_lowercase())
            .collect();
    }
    let mut out = String::new();
    for (at, part) in split_unescaped(data).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(part.trim());
    }
    out
}

/// The parts of a text between commas that have no backslash before them.
fn split_unescaped(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let comma = text
            .match_indices(',')
            .map(|(at, _)| at)
            .find(|&at| !text[..at].ends_with('\\'));
        Some(match comma {
            Some(at) => {
                rest = Some(&text[at + 1..]);
                &text[..at]
            }
            None => {
                rest = None;
                text
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(code: u8, value: OptionValue) -> (bool, String) {
        let option = DhcpOption {
            code,
            name: None,
            value,
        };
        let data = option_data(&option);
        (data.csv_format, data.data)
    }

    #[test]
    fn texts_reach_kea_whole() {
        for (code, text, expected) in [
            (
                66,
                "https://prov.acme.example/",
                (true, "https://prov.acme.example/"),
            ),
            (160, "a,b", (true, "a\\,b")),
            (160, "a, \"b\" #c", (true, "a\\, \"b\" #c")),
            (160, " led", (false, "206c6564")),
            (160, "back\\slash", (false, "6261636b5c736c617368")),
            (66, "ü", (false, "c3bc")),
            (160, "$${x}", (true, "$${x}")),
            (160, "ü$${x}", (false, "c3bc247b787d")),
            // Domain search is a list: commas part it.
            (119, "a.example, b.example", (true, "a.example, b.example")),
        ] {
            let (csv, encoded) = data(code, OptionValue::Text(text.into()));
            assert_eq!((csv, encoded.as_str()), expected, "{text}");
        }
    }

    #[test]
    fn other_values_have_the_form_of_their_type() {
        let list = || vec!["10.0.0.10".to_owned(), "10.0.0.11".to_owned()];
        for (value, expected) in [
            (
                OptionValue::Addresses(list()),
                (true, "10.0.0.10, 10.0.0.11"),
            ),
            (
                OptionValue::SipAddresses(list()),
                (true, "1, 10.0.0.10, 10.0.0.11"),
            ),
            (
                OptionValue::SipNames(vec!["pbx1.acme.example".into()]),
                (true, "0, pbx1.acme.example"),
            ),
            (OptionValue::Uint16(130), (true, "130")),
            (OptionValue::Hex("0A0b".into()), (false, "0a0b")),
        ] {
            let (csv, encoded) = data(120, value);
            assert_eq!((csv, encoded.as_str()), expected);
        }
    }

    #[test]
    fn what_is_encoded_is_in_the_one_spelling() {
        for text in ["a,b", "x", " a ", "a\\,b", ",", ",,a"] {
            let (csv, encoded) = data(160, OptionValue::Text(text.into()));
            assert_eq!(normalise(csv, &encoded), encoded, "{text}");
        }
        assert_eq!(
            normalise(true, "1.1.1.1,2.2.2.2 ,3.3.3.3"),
            "1.1.1.1, 2.2.2.2, 3.3.3.3"
        );
        assert_eq!(normalise(true, "a\\,b , c"), "a\\,b, c");
        assert_eq!(normalise(false, "0x0A 0B"), "0a0b");
    }

    #[test]
    fn only_what_kea_does_not_know_is_defined() {
        let def = |code, value| {
            option_def(&DhcpOption {
                code,
                name: None,
                value,
            })
        };
        assert_eq!(def(66, OptionValue::Text("x".into())), None);
        assert_eq!(def(160, OptionValue::Hex("00".into())), None);
        let sip = def(120, OptionValue::SipAddresses(vec!["10.0.0.1".into()]));
        let sip = sip.expect("120 is not known to kea");
        assert_eq!(
            (sip.r#type.as_str(), sip.record_types.as_str(), sip.array),
            ("record", "uint8, ipv4-address", true)
        );
        assert_eq!(definition_name(&sip), "sip-servers");
    }
}
