//! DHCP options: their lines, and their values as dnsmasq takes them.
//!
//! Seen on dnsmasq 2.90: a text in quotes is sent as it is, whatever it looks like; digits with `b`, `s` or `i` are
//! numbers of one, two or four bytes; digits between colons are bytes; option 120 gets its encoding byte by itself.

use serde::{Deserialize, Serialize};
use switchover_sdk::OptionValue;

use crate::words::{Word, quote};

/// Who gets an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    Everybody,
    Phones,
}

/// An option of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct NetworkOption {
    pub(crate) network: String,
    pub(crate) code: u8,
    /// Whether telephones get another value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) except_phones: bool,
    #[serde(flatten)]
    pub(crate) data: Data,
}

/// An option's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Data {
    /// Sent as it is.
    Text(String),
    /// As it stands in the line, without quotes; empty for an option that is not to be sent.
    Value(String),
}

pub(crate) fn network_tag(network: &str) -> String {
    format!("net-{network}")
}

pub(crate) fn phone_tag(network: &str) -> String {
    format!("phones-{network}")
}

impl NetworkOption {
    /// The line without its keyword.
    pub(crate) fn line(&self, audience: Audience) -> String {
        let mut line = format!("tag:{},", network_tag(&self.network));
        let phones = phone_tag(&self.network);
        match audience {
            Audience::Phones => line.push_str(&format!("tag:{phones},")),
            Audience::Everybody if self.except_phones => line.push_str(&format!("tag:!{phones},")),
            Audience::Everybody => {}
        }
        line.push_str(&self.code.to_string());
        match &self.data {
            Data::Text(text) => line.push_str(&format!(",{}", quote(text))),
            Data::Value(value) if value.is_empty() => {}
            Data::Value(value) => line.push_str(&format!(",{value}")),
        }
        line
    }

    /// An option of one network, by its line.
    pub(crate) fn parse(words: &[Word]) -> Option<(Audience, Self)> {
        let (first, mut rest) = words.split_first()?;
        let network = first.bare()?.strip_prefix("tag:net-")?;
        let second = rest.first()?.bare()?;
        let phones = phone_tag(network);
        let (audience, except_phones) = match second.strip_prefix("tag:") {
            None => (Audience::Everybody, false),
            Some(tag) if tag == phones => (Audience::Phones, false),
            Some(tag) if tag.strip_prefix('!') == Some(&phones) => (Audience::Everybody, true),
            Some(_) => return None,
        };
        if second.starts_with("tag:") {
            rest = &rest[1..];
        }
        let (code, values) = rest.split_first()?;
        let data = match values {
            [Word { text, quoted: true }] => Data::Text(text.clone()),
            values => {
                let words: Vec<_> = values.iter().map(Word::written).collect();
                Data::Value(words.join(","))
            }
        };
        let option = Self {
            network: network.into(),
            code: code.bare()?.parse().ok()?,
            except_phones,
            data,
        };
        Some((audience, option))
    }
}

/// The value as dnsmasq takes it.
pub(crate) fn data(value: &OptionValue) -> Data {
    match value {
        OptionValue::Text(text) => Data::Text(text.clone()),
        OptionValue::Addresses(list)
        | OptionValue::SipAddresses(list)
        | OptionValue::SipNames(list) => Data::Value(list.join(",")),
        OptionValue::Uint8(number) => Data::Value(format!("{number}b")),
        OptionValue::Uint16(number) => Data::Value(format!("{number}s")),
        OptionValue::Uint32(number) => Data::Value(format!("{number}i")),
        OptionValue::Hex(digits) => Data::Value(bytes(digits)),
    }
}

/// Bytes between colons; a single one would look like a number or a text, so it is written as a number.
fn bytes(digits: &str) -> String {
    let digits = digits.to_ascii_lowercase();
    match u8::from_str_radix(&digits, 16) {
        Ok(byte) if digits.len() == 2 => format!("{byte}b"),
        _ => {
            let pairs: Vec<&str> = (0..digits.len())
                .step_by(2)
                .filter_map(|at| digits.get(at..at + 2))
                .collect();
            pairs.join(":")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::split;

    #[test]
    fn values() {
        let list = || vec!["10.0.0.10".to_owned(), "10.0.0.11".to_owned()];
        let value = |text: &str| Data::Value(text.into());
        for (given, expected) in [
            (
                OptionValue::Text("12345".into()),
                Data::Text("12345".into()),
            ),
            (OptionValue::Addresses(list()), value("10.0.0.10,10.0.0.11")),
            (
                OptionValue::SipAddresses(list()),
                value("10.0.0.10,10.0.0.11"),
            ),
            (OptionValue::Uint8(7), value("7b")),
            (OptionValue::Uint16(130), value("130s")),
            (OptionValue::Uint32(70_000), value("70000i")),
            (OptionValue::Hex("0104FF".into()), value("01:04:ff")),
            (OptionValue::Hex("0a".into()), value("10b")),
        ] {
            assert_eq!(data(&given), expected);
        }
    }

    #[test]
    fn lines_are_read_as_they_are_written() {
        for (line, audience) in [
            ("tag:net-voice,6,10.20.0.53,10.20.0.54", Audience::Everybody),
            ("tag:net-voice,3", Audience::Everybody),
            (
                r#"tag:net-voice,tag:!phones-voice,67,"a""#,
                Audience::Everybody,
            ),
            (
                r#"tag:net-voice,tag:phones-voice,66,"https://x/a,b \"q\"""#,
                Audience::Phones,
            ),
            (r#"tag:net-voice,66,"a","b""#, Audience::Everybody),
        ] {
            let (found, option) =
                NetworkOption::parse(&split(line).expect("words")).expect("an option");
            assert_eq!(found, audience, "{line}");
            assert_eq!(option.line(audience), line);
        }
        for line in [
            "tag:other,6,10.0.0.1",
            "6,10.0.0.1",
            "tag:net-voice,tag:x,6,10.0.0.1",
            "tag:net-voice,option:router,1.1.1.1",
        ] {
            assert_eq!(
                NetworkOption::parse(&split(line).expect("words")),
                None,
                "{line}"
            );
        }
    }
}
