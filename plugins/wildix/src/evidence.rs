//! How to tell whether WMS carried a request out whose answer never came: users and devices stand in lists.
//!
//! Requests that set something need none of it, since they may be sent twice.

use serde_json::{Value, json};
use switchover_sdk::{Evidence, Sign};

use crate::manifest::{Settings, path};
use crate::reading::{get, page};
use crate::records::{List, Records};
use crate::shape;

const RECORDS: &str = "/result/records";
const TOTAL: &str = "/result/total";

/// How a PBX writes what it was told otherwise, as far as its answers show it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spelling {
    /// Extensions of users are numbers in JSON.
    pub(crate) numeric_extensions: bool,
    /// So are those of the users of devices.
    pub(crate) numeric_connections: bool,
    /// A hardware address as it stands there.
    pub(crate) mac: Option<String>,
}

impl Spelling {
    fn mac(&self, mac: &str) -> String {
        let digits = shape::mac(mac);
        let Some(sample) = &self.mac else {
            return digits;
        };
        let separator = sample
            .chars()
            .nth(2)
            .filter(|character| !character.is_ascii_hexdigit());
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && at % 2 == 0 {
                text.extend(separator);
            }
            text.push(digit);
        }
        match sample.contains(|character: char| character.is_ascii_uppercase()) {
            true => text.to_ascii_uppercase(),
            false => text,
        }
    }
}

/// An extension as JSON has it.
fn extension(text: &str, is_number: bool) -> Value {
    match text.parse::<u64>() {
        Ok(number) if is_number => json!(number),
        _ => json!(text),
    }
}

/// A user is there, or is not.
pub(crate) fn user(own: &Settings, records: &Records, name: &str, sign: Sign) -> Evidence {
    // What may stand in a query string as it is.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._".contains(&byte);
    let mut request = page(List::Users, own.page_size, 0);
    if name.bytes().all(is_plain) {
        request
            .path
            .push_str(&format!("&searchFields=extension&search={name}"));
    }
    let told = extension(name, records.spelling.numeric_extensions);
    Evidence::new(sign, request)
        .among(RECORDS)
        .paging("start", TOTAL)
        .expect("/extension", &told)
}

/// A device is there, or is not.
pub(crate) fn device(own: &Settings, records: &Records, mac: &str, sign: Sign) -> Evidence {
    Evidence::new(sign, page(List::Devices, own.page_size, 0))
        .among(RECORDS)
        .paging("start", TOTAL)
        .expect("/mac", &json!(records.spelling.mac(mac)))
}

/// A device has this user, or has not.
pub(crate) fn connection(
    own: &Settings,
    records: &Records,
    mac: &str,
    user: &str,
    sign: Sign,
) -> Evidence {
    let told = extension(user, records.spelling.numeric_connections);
    device(own, records, mac, sign).expect("/user", &told)
}

/// The number of devices is another one than before.
pub(crate) fn more_devices(records: &Records) -> Evidence {
    let count = get(format!("{}?count=1&start=0", path::DEVICES));
    Evidence::new(Sign::Absent, count).expect(TOTAL, &json!(records.devices_total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_pbx_writes_them() {
        for (sample, expected) in [
            (None, "9c7514000101"),
            (Some("001122aabbcc"), "9c7514000101"),
            (Some("00:11:22:aa:bb:cc"), "9c:75:14:00:01:01"),
            (Some("00-11-22-AA-BB-CC"), "9C-75-14-00-01-01"),
            (Some("001122AABBCC"), "9C7514000101"),
        ] {
            let spelling = Spelling {
                mac: sample.map(str::to_owned),
                ..Spelling::default()
            };
            assert_eq!(spelling.mac("9c7514000101"), expected, "{sample:?}");
        }
    }

    #[test]
    fn extensions_are_numbers_where_the_pbx_has_numbers() {
        assert_eq!(extension("101", true), json!(101));
        assert_eq!(extension("101", false), json!("101"));
        assert_eq!(extension("*1", true), json!("*1"));
    }
}
