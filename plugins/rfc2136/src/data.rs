//! Data of records in presentation form: as the topology wants it, and as a server gave it, so that the two compare.

use std::net::{Ipv4Addr, Ipv6Addr};

use switchover_sdk::text::{literal, plain};
use switchover_sdk::{DnsRecord, OtherRecord, RecordData};

use crate::words::{quote, split, unescape};

/// RFC 1035: the length of a character string is one byte.
const LONGEST_STRING: usize = 255;

/// A word of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// A number up to this.
    Number(u32),
    /// A domain name.
    Name,
    /// A character string.
    Text,
    /// A word without quotes, such as the tag of a CAA record.
    Tag,
}

/// The words of the types that this plugin knows, and that are not read one by one below.
fn fields(rtype: &str) -> Option<&'static [Field]> {
    use Field::{Name, Number, Tag, Text};
    const U8: Field = Number(u8::MAX as u32);
    const U16: Field = Number(u16::MAX as u32);
    Some(match rtype {
        "CNAME" | "NS" | "PTR" => &[Name],
        "MX" => &[U16, Name],
        "SRV" => &[U16, U16, U16, Name],
        "NAPTR" => &[U16, U16, Text, Text, Text, Name],
        "CAA" => &[U8, Tag, Text],
        _ => return None,
    })
}

/// Names of the types that can be declared.
pub(crate) const KNOWN: &str = "A, AAAA, CNAME, SRV, NAPTR, TXT, MX, PTR, NS and CAA";

/// The type of a record.
pub(crate) fn rtype(record: &DnsRecord) -> String {
    match &record.data {
        RecordData::A(_) => "A".to_owned(),
        RecordData::Aaaa(_) => "AAAA".to_owned(),
        RecordData::Cname(_) => "CNAME".to_owned(),
        RecordData::Srv(_) => "SRV".to_owned(),
        RecordData::Naptr(_) => "NAPTR".to_owned(),
        RecordData::Txt(_) => "TXT".to_owned(),
        RecordData::Other(other) => other.type_.to_ascii_uppercase(),
    }
}

/// The data that the topology wants, in the form of the contract; why not where that cannot be written.
pub(crate) fn wanted(record: &DnsRecord, zone: &str) -> Result<String, String> {
    match &record.data {
        RecordData::A(address) => address
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .map_err(|_| format!("`{address}` is no IPv4 address")),
        RecordData::Aaaa(address) => address
            .parse::<Ipv6Addr>()
            .map(|address| address.to_string())
            .map_err(|_| format!("`{address}` is no IPv6 address")),
        RecordData::Cname(target) => name(target),
        RecordData::Srv(srv) => {
            let target = name(&srv.target)?;
            Ok(format!(
                "{} {} {} {target}",
                srv.priority, srv.weight, srv.port
            ))
        }
        RecordData::Naptr(naptr) => {
            let strings = [&naptr.flags, &naptr.service, &naptr.regexp];
            let strings = strings.map(|text| string(plain(text).as_bytes()));
            let [flags, service, regexp] = strings;
            Ok(format!(
                "{} {} {} {} {} {}",
                naptr.order,
                naptr.preference,
                flags?,
                service?,
                regexp?,
                name(&naptr.replacement)?
            ))
        }
        RecordData::Txt(texts) => {
            let strings: Vec<String> = texts
                .iter()
                .flat_map(|text| chunks(&plain(text)))
                .map(|chunk| literal(&quote(&chunk)))
                .collect();
            if strings.is_empty() {
                return Err("it has no text".to_owned());
            }
            Ok(strings.join(" "))
        }
        RecordData::Other(other) => declared(other, zone),
    }
}

/// A text in as many character strings as it needs, at least one.
fn chunks(text: &str) -> Vec<Vec<u8>> {
    match text.as_bytes() {
        [] => vec![Vec::new()],
        bytes => bytes.chunks(LONGEST_STRING).map(<[u8]>::to_vec).collect(),
    }
}

/// Values may be written as one text or one by one.
fn declared(other: &OtherRecord, zone: &str) -> Result<String, String> {
    let rtype = other.type_.to_ascii_uppercase();
    let Some(fields) = fields(&rtype) else {
        return Err(format!(
            "records of type `{rtype}` are not known; known are {KNOWN}"
        ));
    };
    let words = match other.rdata.as_slice() {
        values if values.len() == fields.len() && fields.len() > 1 => values.to_vec(),
        values => split(&values.join(" ")).ok_or("a quote is not closed")?,
    };
    if words.len() != fields.len() {
        return Err(format!(
            "{rtype} has {} values, and {} are given",
            fields.len(),
            words.len()
        ));
    }
    let written: Result<Vec<String>, String> = fields
        .iter()
        .zip(&words)
        .map(|(field, word)| match field {
            Field::Name => name(&absolute(word, zone)),
            Field::Text => {
                let bytes =
                    unescape(&plain(word)).ok_or_else(|| format!("`{word}` has a wrong escape"))?;
                string(&bytes)
            }
            other => other
                .canonical(word)
                .ok_or_else(|| format!("`{word}` is not what stands there")),
        })
        .collect();
    Ok(written?.join(" "))
}

impl Field {
    /// The word as it compares: what a server may write in another way than we do is made alike.
    fn canonical(self, word: &str) -> Option<String> {
        match self {
            Self::Number(most) => {
                let number: u32 = word.parse().ok()?;
                (number <= most).then(|| number.to_string())
            }
            Self::Name => Some(word.to_ascii_lowercase()),
            Self::Text => Some(literal(&quote(&unescape(&plain(word))?))),
            Self::Tag => {
                let usable =
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
                usable.then(|| word.to_ascii_lowercase())
            }
        }
    }
}

/// The data that a server gave, as it compares with what is wanted.
pub(crate) fn found(rtype: &str, data: &str) -> String {
    let canonical = || {
        let fields = fields(rtype)?;
        let words = split(data)?;
        if words.len() != fields.len() {
            return None;
        }
        let words: Option<Vec<String>> = fields
            .iter()
            .zip(&words)
            .map(|(field, word)| field.canonical(word))
            .collect();
        Some(words?.join(" "))
    };
    canonical().unwrap_or_else(|| data.to_owned())
}

/// A name as a zone file reads it: `@` is the zone, a final dot makes it absolute.
fn absolute(word: &str, zone: &str) -> String {
    match word {
        "@" => zone.to_owned(),
        "." => String::new(),
        _ => match word.strip_suffix('.') {
            Some(name) => name.to_owned(),
            None => format!("{word}.{zone}"),
        },
    }
}

/// A domain name with its final dot. An empty one is the root.
fn name(name: &str) -> Result<String, String> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if name.is_empty() {
        return Ok(".".to_owned());
    }
    if is_name(&name) {
        Ok(format!("{name}."))
    } else {
        Err(format!("`{name}` is no domain name"))
    }
}

/// A name of the characters that need no escape, in lower case and without the final dot.
pub(crate) fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let usable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_*/".contains(&b);
        (1..=63).contains(&label.len()) && label.bytes().all(usable)
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn string(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > LONGEST_STRING {
        return Err(format!(
            "a text of it has {} bytes; {LONGEST_STRING} fit",
            bytes.len()
        ));
    }
    Ok(literal(&quote(bytes)))
}

#[cfg(test)]
mod tests {
    use switchover_sdk::Naptr;

    use super::*;

    fn other(rtype: &str, rdata: &[&str]) -> Result<String, String> {
        let record = OtherRecord {
            type_: rtype.into(),
            rdata: rdata.iter().map(|&word| word.into()).collect(),
        };
        wanted(
            &DnsRecord {
                owner: "x.acme.example".into(),
                ttl_seconds: 60,
                data: RecordData::Other(record),
            },
            "acme.example",
        )
    }

    #[test]
    fn values_are_one_text_or_several() {
        for (rtype, rdata, expected) in [
            ("MX", &["10 mail"][..], "10 mail.acme.example."),
            (
                "mx",
                &["10", "Mail.Other.example."],
                "10 mail.other.example.",
            ),
            ("PTR", &["@"], "acme.example."),
            ("NS", &["ns1.acme.example."], "ns1.acme.example."),
            ("CAA", &["0 issue \"ca.example\""], "0 issue \"ca.example\""),
            (
                "CAA",
                &["0", "issue", "ca.example; account=1"],
                "0 issue \"ca.example; account=1\"",
            ),
            (
                "NAPTR",
                &["10 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp"],
                "10 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.",
            ),
            (
                "NAPTR",
                &["10", "50", "u", "E2U+sip", "!^.*$!sip:${0}@x!", "."],
                "10 50 \"u\" \"E2U+sip\" \"!^.*$!sip:$${0}@x!\" .",
            ),
        ] {
            assert_eq!(
                other(rtype, rdata).as_deref(),
                Ok(expected),
                "{rtype} {rdata:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        for (rtype, rdata) in [
            ("MX", &["mail"][..]),
            ("MX", &["70000 mail"]),
            ("MX", &["10 a..b"]),
            ("CAA", &["0 is-sue x"]),
            ("CAA", &["0 issue \"open"]),
            ("NAPTR", &["1", "2", "s", "\\999", "", "x"]),
            ("HINFO", &["a b"]),
        ] {
            assert!(other(rtype, rdata).is_err(), "{rtype} {rdata:?}");
        }
    }

    #[test]
    fn what_a_server_writes_otherwise_is_alike() {
        for (rtype, data, expected) in [
            (
                "SRV",
                "10 100 0443 PBX1.Acme.Example.",
                "10 100 443 pbx1.acme.example.",
            ),
            (
                "NAPTR",
                "10 50 \"\\115\" \"SIP+D2T\" \"\" A.",
                "10 50 \"s\" \"SIP+D2T\" \"\" a.",
            ),
            ("CNAME", "A.B.", "a.b."),
            ("TXT", "\"As It Is\"", "\"As It Is\""),
            ("TYPE65280", "\\# 1 0a", "\\# 1 0a"),
            ("SRV", "nonsense", "nonsense"),
        ] {
            assert_eq!(found(rtype, data), expected);
        }
    }

    #[test]
    fn texts_are_split_where_a_string_ends() {
        let data = RecordData::Txt(vec![
            "a".repeat(300),
            "ü\"".into(),
            String::new(),
            "$${x}".into(),
        ]);
        let record = DnsRecord {
            owner: "acme.example".into(),
            ttl_seconds: 60,
            data,
        };
        let expected = format!(
            "\"{}\" \"{}\" \"\\195\\188\\\"\" \"\" \"$${{x}}\"",
            "a".repeat(255),
            "a".repeat(45)
        );
        assert_eq!(wanted(&record, "acme.example"), Ok(expected));
    }

    #[test]
    fn an_empty_replacement_is_the_root() {
        let record = DnsRecord {
            owner: "acme.example".into(),
            ttl_seconds: 60,
            data: RecordData::Naptr(Naptr {
                order: 1,
                preference: 2,
                flags: "u".into(),
                service: "E2U+sip".into(),
                regexp: "!^.*$!sip:x!".into(),
                replacement: String::new(),
            }),
        };
        let expected = "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:x!\" .";
        assert_eq!(wanted(&record, "acme.example").as_deref(), Ok(expected));
    }
}
