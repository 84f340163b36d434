//! What the columns of a table are called.

use crate::report::nearest;
use crate::schema::Spec;
use crate::source::Spanned;

/// Whose table it is.
pub(crate) enum Headers {
    /// One that a topology imports: its columns are called as the properties are.
    Properties,
    /// A spreadsheet that somebody keeps: columns are called in many ways, and hold more than a topology does.
    Anybodys {
        /// Columns that are not taken over, for being unknown or for being there twice.
        ignored: Vec<Spanned<String>>,
    },
}

/// What people call properties, reduced to letters and digits.
const DEVICE: [(&str, &[&str]); 8] = [
    ("name", &["device", "devicename", "hostname", "host"]),
    (
        "model",
        &[
            "phonemodel",
            "devicemodel",
            "phonetype",
            "devicetype",
            "type",
        ],
    ),
    (
        "mac",
        &[
            "macaddress",
            "macaddr",
            "hwaddress",
            "hardwareaddress",
            "ethernetaddress",
        ],
    ),
    ("user", &["extension", "ext", "internal", "number"]),
    ("network", &["networkname", "net"]),
    (
        "firmware",
        &["firmwareversion", "fw", "software", "softwareversion"],
    ),
    ("year", &["yearofproduction", "productionyear"]),
    (
        "address",
        &[
            "ip",
            "ipaddress",
            "ipaddr",
            "ipv4",
            "ipv4address",
            "staticip",
        ],
    ),
];
const USER: [(&str, &[&str]); 4] = [
    ("extension", &["ext", "number", "internal"]),
    ("name", &["fullname", "displayname", "username"]),
    ("pbx", &["homepbx", "server"]),
    ("email", &["mail", "emailaddress", "mailaddress"]),
];

impl Headers {
    /// The property that a column is called for.
    pub(super) fn key<'a>(&self, name: &'a str, spec: &'static Spec) -> &'a str
    where
        'static: 'a,
    {
        if matches!(self, Self::Properties) {
            // Spreadsheets capitalise them.
            let mut keys = spec.arguments.iter().chain(spec.fields);
            return keys
                .find(|field| field.key.eq_ignore_ascii_case(name))
                .map_or(name, |field| field.key);
        }
        let plain = plain(name);
        let keys = spec.arguments.iter().chain(spec.fields);
        // A password in a spreadsheet is one in clear text, whatever it is called.
        let mut keys = keys.map(|field| field.key);
        if let Some(key) = keys.find(|key| self::plain(key) == plain) {
            return key;
        }
        names(spec)
            .iter()
            .find(|(_, others)| others.contains(&plain.as_str()))
            .map_or(name, |(key, _)| key)
    }
}

/// The property that a column of an unknown name was probably meant to be.
pub(super) fn meant(name: &str, spec: &'static Spec) -> Option<&'static str> {
    let called = plain(name);
    let mut names = names(spec).iter();
    let common = names
        .find(|(_, others)| others.contains(&called.as_str()))
        .map(|(key, _)| *key);
    let keys = spec.arguments.iter().chain(spec.fields);
    common.or_else(|| nearest(name, keys.map(|field| field.key)))
}

fn names(spec: &Spec) -> &'static [(&'static str, &'static [&'static str])] {
    match spec.name {
        "device" => &DEVICE,
        "user" => &USER,
        _ => &[],
    }
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether the header line of a spreadsheet is one of devices: they have models or hardware addresses.
pub(crate) fn is_of_devices(header: &str, delimiter: char) -> bool {
    header.split(delimiter).map(plain).any(|name| {
        let of = |key: &str| {
            let named = DEVICE.iter().find(|(known, _)| *known == key);
            name == key || named.is_some_and(|(_, others)| others.contains(&name.as_str()))
        };
        of("mac") || of("model")
    })
}
