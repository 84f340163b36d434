//! DHCP options: their statements, and their values as dhcpd takes them.
//!
//! dhcpd reads a value by the type of the option's name. It has names of its own, with a type each; where the value that
//! is wanted has that type, its own name stands. All others get a name made here, `switchover-` and the code, declared
//! with the type of the value. Codes from 128 on are always declared: what dhcpd calls them differs between versions
//! (150 and 160 are known to 4.4 only).

use serde::{Deserialize, Serialize};
use switchover_sdk::{DhcpOption, OptionValue};

use crate::words::{Word, quote, words, written};

/// Who gets an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    Everybody,
    Phones,
}

/// An option of a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct SubnetOption {
    /// CIDR.
    pub(crate) subnet: String,
    pub(crate) code: u8,
    /// dhcpd's own name, or the one that its definition declares.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) data: Data,
}

/// An option's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Data {
    /// What stands between quotes.
    Text(String),
    /// As it stands in the statement.
    Value(String),
}

/// The name and type of an option that dhcpd does not know, or knows as something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct OptionDef {
    pub(crate) code: u8,
    pub(crate) r#type: String,
}

/// What a name of dhcpd's own takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    /// Text or bytes.
    Bytes,
    Address,
    Addresses,
    Names,
    Uint8,
    Uint16,
    Uint32,
}

/// dhcpd's own names. Each was tried with each kind of value on dhcpd 4.4.3.
const OWN: [(u8, &str, Format); 54] = [
    (1, "subnet-mask", Format::Address),
    (2, "time-offset", Format::Uint32),
    (3, "routers", Format::Addresses),
    (4, "time-servers", Format::Addresses),
    (5, "ien116-name-servers", Format::Addresses),
    (6, "domain-name-servers", Format::Addresses),
    (7, "log-servers", Format::Addresses),
    (8, "cookie-servers", Format::Addresses),
    (9, "lpr-servers", Format::Addresses),
    (10, "impress-servers", Format::Addresses),
    (11, "resource-location-servers", Format::Addresses),
    (12, "host-name", Format::Text),
    (13, "boot-size", Format::Uint16),
    (14, "merit-dump", Format::Text),
    (15, "domain-name", Format::Text),
    (16, "swap-server", Format::Address),
    (17, "root-path", Format::Text),
    (18, "extensions-path", Format::Text),
    (23, "default-ip-ttl", Format::Uint8),
    (26, "interface-mtu", Format::Uint16),
    (28, "broadcast-address", Format::Address),
    (35, "arp-cache-timeout", Format::Uint32),
    (37, "default-tcp-ttl", Format::Uint8),
    (38, "tcp-keepalive-interval", Format::Uint32),
    (40, "nis-domain", Format::Text),
    (41, "nis-servers", Format::Addresses),
    (42, "ntp-servers", Format::Addresses),
    (43, "vendor-encapsulated-options", Format::Bytes),
    (44, "netbios-name-servers", Format::Addresses),
    (45, "netbios-dd-server", Format::Addresses),
    (46, "netbios-node-type", Format::Uint8),
    (47, "netbios-scope", Format::Text),
    (48, "font-servers", Format::Addresses),
    (49, "x-display-manager", Format::Addresses),
    (60, "vendor-class-identifier", Format::Bytes),
    (64, "nisplus-domain", Format::Text),
    (65, "nisplus-servers", Format::Addresses),
    (66, "tftp-server-name", Format::Text),
    (67, "bootfile-name", Format::Text),
    (68, "mobile-ip-home-agent", Format::Addresses),
    (69, "smtp-server", Format::Addresses),
    (70, "pop-server", Format::Addresses),
    (71, "nntp-server", Format::Addresses),
    (72, "www-server", Format::Addresses),
    (73, "finger-server", Format::Addresses),
    (74, "irc-server", Format::Addresses),
    (75, "streettalk-server", Format::Addresses),
    (
        76,
        "streettalk-directory-assistance-server",
        Format::Addresses,
    ),
    (85, "nds-servers", Format::Addresses),
    (86, "nds-tree-name", Format::Text),
    (87, "nds-context", Format::Text),
    (100, "pcode", Format::Text),
    (101, "tcode", Format::Text),
    (119, "domain-search", Format::Names),
];

/// What the names made here begin with.
const PREFIX: &str = "switchover-";

fn own_name(option: &DhcpOption) -> Option<&'static str> {
    let (_, name, format) = OWN.iter().find(|(code, ..)| *code == option.code)?;
    let fits = match (&option.value, format) {
        (OptionValue::Text(_), Format::Text | Format::Bytes | Format::Names)
        | (OptionValue::Hex(_), Format::Bytes)
        | (OptionValue::Addresses(_), Format::Addresses)
        | (OptionValue::Uint8(_), Format::Uint8)
        | (OptionValue::Uint16(_), Format::Uint16)
        | (OptionValue::Uint32(_), Format::Uint32) => true,
        (OptionValue::Addresses(list), Format::Address) => list.len() == 1,
        _ => false,
    };
    fits.then_some(name)
}

/// The definition that the option needs; none where dhcpd's own name does.
pub(crate) fn option_def(option: &DhcpOption) -> Option<OptionDef> {
    if own_name(option).is_some() {
        return None;
    }
    let r#type = match &option.value {
        OptionValue::Text(_) => "text",
        OptionValue::Addresses(_) => "array of ip-address",
        // RFC 3361: the first byte says what follows.
        OptionValue::SipAddresses(_) => "{ integer 8, array of ip-address }",
        OptionValue::SipNames(_) => "{ integer 8, domain-list }",
        OptionValue::Uint8(_) => "unsigned integer 8",
        OptionValue::Uint16(_) => "unsigned integer 16",
        OptionValue::Uint32(_) => "unsigned integer 32",
        OptionValue::Hex(_) => "string",
    };
    Some(OptionDef {
        code: option.code,
        r#type: r#type.into(),
    })
}

impl OptionDef {
    pub(crate) fn statement(&self) -> String {
        let Self { code, r#type } = self;
        format!("option {PREFIX}{code} code {code} = {type};")
    }

    /// A definition of a name made here.
    pub(crate) fn parse(head: &[Word]) -> Option<Self> {
        let [option, name, code, number, Word::Mark('='), r#type @ ..] = head else {
            return None;
        };
        let number: u8 = number.number()?;
        let ours = name.bare()? == format!("{PREFIX}{number}");
        (option.is("option") && code.is("code") && ours).then(|| Self {
            code: number,
            r#type: written(r#type),
        })
    }
}

impl SubnetOption {
    pub(crate) fn new(subnet: &str, option: &DhcpOption) -> Self {
        Self {
            subnet: subnet.into(),
            code: option.code,
            name: own_name(option).map_or_else(|| format!("{PREFIX}{}", option.code), Into::into),
            data: data(option),
        }
    }

    pub(crate) fn statement(&self) -> String {
        match &self.data {
            Data::Text(text) => format!("option {} {};", self.name, quote(text)),
            Data::Value(value) => format!("option {} {value};", self.name),
        }
    }

    /// An option by one of dhcpd's names or of those made here. An expression (`option x = …`) is no value.
    pub(crate) fn parse(subnet: &str, head: &[Word]) -> Option<Self> {
        let [option, name, value @ ..] = head else {
            return None;
        };
        if !option.is("option") || matches!(value, [] | [Word::Mark('='), ..]) {
            return None;
        }
        let name = name.bare()?.to_ascii_lowercase();
        let code = match name.strip_prefix(PREFIX) {
            Some(code) => code.parse().ok()?,
            None => OWN.iter().find(|(_, own, _)| *own == name)?.0,
        };
        // `option x code 7 = text` is a definition.
        if matches!(value, [first, _, Word::Mark('='), ..] if first.is("code")) {
            return None;
        }
        Some(Self {
            subnet: subnet.into(),
            code,
            name,
            data: match value {
                [Word::Text(text)] => Data::Text(text.clone()),
                value => Data::Value(written(value)),
            },
        })
    }
}

/// The value as dhcpd takes it.
fn data(option: &DhcpOption) -> Data {
    match &option.value {
        OptionValue::Text(text) if option.code == 119 => Data::Value(names(
            text.split([',', ' '])
                .map(str::trim)
                .filter(|name| !name.is_empty()),
        )),
        OptionValue::Text(text) => Data::Text(text.clone()),
        OptionValue::Addresses(list) => Data::Value(list.join(", ")),
        OptionValue::SipAddresses(list) => Data::Value(format!("1 {}", list.join(", "))),
        OptionValue::SipNames(list) => {
            Data::Value(format!("0 {}", names(list.iter().map(String::as_str))))
        }
        OptionValue::Uint8(number) => Data::Value(number.to_string()),
        OptionValue::Uint16(number) => Data::Value(number.to_string()),
        OptionValue::Uint32(number) => Data::Value(number.to_string()),
        OptionValue::Hex(digits) => Data::Value(bytes(digits)),
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}

fn bytes(digits: &str) -> String {
    let digits = digits.to_ascii_lowercase();
    let pairs: Vec<&str> = (0..digits.len())
        .step_by(2)
        .filter_map(|at| digits.get(at..at + 2))
        .collect();
    pairs.join(":")
}

/// Whether the value is read as one value, and nothing of it as something else.
pub(crate) fn is_writable(data: &Data) -> bool {
    match data {
        Data::Text(text) => !text.contains('\0'),
        Data::Value(value) => {
            let marks = |word: &Word| matches!(word, Word::Mark(mark) if *mark != ',');
            !value.contains('#')
                && words(value).is_some_and(|words| {
                    !words.is_empty() && !words.iter().any(marks) && written(&words) == *value
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(code: u8, value: OptionValue) -> DhcpOption {
        DhcpOption {
            code,
            name: None,
            value,
        }
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn statements() {
        let two = || list(&["10.0.0.10", "10.0.0.11"]);
        for (option, def, statement) in [
            (
                option(6, OptionValue::Addresses(two())),
                None,
                "option domain-name-servers 10.0.0.10, 10.0.0.11;",
            ),
            (
                option(28, OptionValue::Addresses(two())),
                Some("array of ip-address"),
                "option switchover-28 10.0.0.10, 10.0.0.11;",
            ),
            (
                option(66, OptionValue::Text("https://x/\"a\"".into())),
                None,
                "option tftp-server-name \"https://x/\\\"a\\\"\";",
            ),
            (
                option(66, OptionValue::Hex("0aFF".into())),
                Some("string"),
                "option switchover-66 0a:ff;",
            ),
            (
                option(43, OptionValue::Hex("01".into())),
                None,
                "option vendor-encapsulated-options 01;",
            ),
            (
                option(120, OptionValue::SipAddresses(two())),
                Some("{ integer 8, array of ip-address }"),
                "option switchover-120 1 10.0.0.10, 10.0.0.11;",
            ),
            (
                option(120, OptionValue::SipNames(list(&["a.example", "b"]))),
                Some("{ integer 8, domain-list }"),
                "option switchover-120 0 \"a.example\", \"b\";",
            ),
            (
                option(119, OptionValue::Text("a.example, b.example".into())),
                None,
                "option domain-search \"a.example\", \"b.example\";",
            ),
            (
                option(132, OptionValue::Uint16(130)),
                Some("unsigned integer 16"),
                "option switchover-132 130;",
            ),
            (
                option(160, OptionValue::Text("é\n1".into())),
                Some("text"),
                "option switchover-160 \"é\\0121\";",
            ),
        ] {
            assert_eq!(
                option_def(&option).map(|def| def.r#type).as_deref(),
                def,
                "{statement}"
            );
            let made = SubnetOption::new("10.0.0.0/8", &option);
            assert_eq!(made.statement(), statement);
            assert!(is_writable(&made.data), "{statement}");
            let head = words(statement.trim_end_matches(';')).expect("words");
            assert_eq!(
                SubnetOption::parse("10.0.0.0/8", &head),
                Some(made),
                "{statement}"
            );
        }
    }

    #[test]
    fn definitions_are_read_as_they_are_written() {
        let def = option_def(&option(120, OptionValue::SipAddresses(Vec::new()))).expect("a type");
        let statement = def.statement();
        assert_eq!(
            statement,
            "option switchover-120 code 120 = { integer 8, array of ip-address };"
        );
        let head = words(statement.trim_end_matches(';')).expect("words");
        assert_eq!(OptionDef::parse(&head), Some(def));
        assert_eq!(SubnetOption::parse("x", &head), None);
    }

    #[test]
    fn what_is_somebody_elses() {
        for statement in [
            "option phone-url \"x\"",
            "option switchover-300 1",
            "option tftp-server-name = \"x\"",
            "option domain-name-servers",
            "option switchover-120 code 121 = text",
            "server-name \"x\"",
        ] {
            let head = words(statement).expect("words");
            assert_eq!(SubnetOption::parse("x", &head), None, "{statement}");
            assert_eq!(OptionDef::parse(&head), None, "{statement}");
        }
    }

    #[test]
    fn nothing_gets_out_of_its_statement() {
        for value in [
            "1.1.1.1; range 1 2",
            "1.1.1.1 }",
            "",
            "a\nb",
            "a # b",
            "\"a",
        ] {
            assert!(!is_writable(&Data::Value(value.into())), "{value}");
        }
        assert!(!is_writable(&Data::Text("a\0".into())));
    }
}
