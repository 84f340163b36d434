//! What a line of the file says: the value of a resource and its line are two spellings of one [`Entry`].

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchover_sdk::scope::host_name;
use switchover_sdk::{Failure, Resource};

use crate::option::{Audience, NetworkOption, network_tag, phone_tag};
use crate::record::Record;
use crate::words::{Word, split};

/// Names of the kinds of resources.
pub(crate) mod kind {
    pub(crate) const SERVER: &str = "server";
    pub(crate) const RANGE: &str = "range";
    pub(crate) const OUI: &str = "oui";
    pub(crate) const OPTION: &str = "option";
    pub(crate) const PHONE_OPTION: &str = "phone-option";
    pub(crate) const HOST: &str = "host";
    pub(crate) const RECORD: &str = "record";
    pub(crate) const LINE: &str = "line";
}

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    LocalTtl(LocalTtl),
    Range(Range),
    Oui(Oui),
    Option(Audience, NetworkOption),
    Host(Host),
    Record(Record),
    /// Somebody else's.
    Line(Line),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalTtl {
    pub(crate) seconds: u32,
}

/// The addresses that a network's clients get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Range {
    pub(crate) network: String,
    pub(crate) first: String,
    /// None where only reserved addresses are given: then `first` is the network's own.
    pub(crate) last: Option<String>,
    pub(crate) netmask: String,
    pub(crate) lease_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Oui {
    pub(crate) network: String,
    /// `9c:75:14`
    pub(crate) oui: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Lower case, colons.
    pub(crate) mac: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What somebody added to the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) line: String,
}

/// Where an entry belongs in the file: its section, and its place there.
pub(crate) type Place = (usize, [String; 3]);

/// The sections of the file, in their order.
pub(crate) const SECTIONS: [&str; 4] = ["server", "networks", "devices", "records"];

impl Entry {
    /// What a line says; none for a comment or an empty one.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        Some(Self::known(line).unwrap_or_else(|| Self::Line(Line { line: line.into() })))
    }

    fn known(line: &str) -> Option<Self> {
        let (keyword, value) = line.split_once('=')?;
        let words = split(value)?;
        match keyword.trim_end() {
            "local-ttl" => match words.as_slice() {
                [seconds] => Some(Self::LocalTtl(LocalTtl {
                    seconds: seconds.bare()?.parse().ok()?,
                })),
                _ => None,
            },
            "dhcp-range" => Range::parse(&words).map(Self::Range),
            "dhcp-mac" => Oui::parse(&words).map(Self::Oui),
            "dhcp-host" => Host::parse(&words).map(Self::Host),
            "dhcp-option" => {
                let (audience, option) = NetworkOption::parse(&words)?;
                Some(Self::Option(audience, option))
            }
            keyword => Record::parse(keyword, &words).map(Self::Record),
        }
    }

    pub(crate) fn line(&self) -> String {
        match self {
            Self::LocalTtl(ttl) => format!("local-ttl={}", ttl.seconds),
            Self::Range(range) => format!("dhcp-range={}", range.line()),
            Self::Oui(oui) => format!("dhcp-mac=set:{},{}:*:*:*", phone_tag(&oui.network), oui.oui),
            Self::Option(audience, option) => format!("dhcp-option={}", option.line(*audience)),
            Self::Host(host) => format!("dhcp-host={}", host.line()),
            Self::Record(record) => record.line(),
            Self::Line(line) => line.line.clone(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::LocalTtl(_) => kind::SERVER,
            Self::Range(_) => kind::RANGE,
            Self::Oui(_) => kind::OUI,
            Self::Option(Audience::Everybody, _) => kind::OPTION,
            Self::Option(Audience::Phones, _) => kind::PHONE_OPTION,
            Self::Host(_) => kind::HOST,
            Self::Record(_) => kind::RECORD,
            Self::Line(_) => kind::LINE,
        }
    }

    /// The resource's address, where no other entry has it.
    fn address(&self) -> String {
        let rest = match self {
            Self::LocalTtl(_) => "local-ttl".into(),
            Self::Range(range) => range.network.clone(),
            Self::Oui(oui) => format!("{}/{}", oui.network, oui.oui),
            Self::Option(_, option) => format!("{}/{}", option.network, option.code),
            Self::Host(host) => host.mac.clone(),
            Self::Record(record) => record.identity(),
            Self::Line(line) => line.line.clone(),
        };
        format!("{}/{rest}", self.kind())
    }

    fn value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::LocalTtl(ttl) => serde_json::to_value(ttl),
            Self::Range(range) => serde_json::to_value(range),
            Self::Oui(oui) => serde_json::to_value(oui),
            Self::Option(_, option) => serde_json::to_value(option),
            Self::Host(host) => serde_json::to_value(host),
            Self::Record(record) => serde_json::to_value(record),
            Self::Line(line) => serde_json::to_value(line),
        }
    }

    /// The entry of a resource's value. None where the kind is not one of this plugin's.
    pub(crate) fn from_value(kind: &str, json: &str) -> Option<Result<Self, serde_json::Error>> {
        let option = |audience| {
            serde_json::from_str(json).map(|option: NetworkOption| Self::Option(audience, option))
        };
        Some(match kind {
            kind::SERVER => serde_json::from_str(json).map(Self::LocalTtl),
            kind::RANGE => serde_json::from_str(json).map(Self::Range),
            kind::OUI => serde_json::from_str(json).map(Self::Oui),
            kind::OPTION => option(Audience::Everybody),
            kind::PHONE_OPTION => option(Audience::Phones),
            kind::HOST => serde_json::from_str(json).map(Self::Host),
            kind::RECORD => serde_json::from_str(json).map(Self::Record),
            kind::LINE => serde_json::from_str(json).map(Self::Line),
            _ => return None,
        })
    }

    /// None for somebody else's line, which has no place but where it is.
    pub(crate) fn place(&self) -> Option<Place> {
        let padded = |number: u32| format!("{number:05}");
        let in_network =
            |network: &str, what: &str, rest: String| (1, [network.into(), what.into(), rest]);
        Some(match self {
            Self::LocalTtl(_) => (0, [String::new(), String::new(), String::new()]),
            Self::Range(range) => in_network(&range.network, "1", String::new()),
            Self::Oui(oui) => in_network(&oui.network, "2", oui.oui.clone()),
            Self::Option(Audience::Everybody, option) => {
                in_network(&option.network, "3", padded(option.code.into()))
            }
            Self::Option(Audience::Phones, option) => {
                in_network(&option.network, "4", padded(option.code.into()))
            }
            Self::Host(host) => (2, [host.mac.clone(), String::new(), String::new()]),
            Self::Record(record) => (3, [record.owner().into(), record.identity(), record.line()]),
            Self::Line(_) => return None,
        })
    }
}

/// Each entry with its address. A second one that says the same gets a number: dnsmasq takes it, so it is there.
pub(crate) fn addresses<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> impl Iterator<Item = String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    entries.into_iter().map(move |entry| {
        let address = entry.address();
        let times = seen.entry(address.clone()).or_insert(0);
        *times += 1;
        match *times {
            1 => address,
            n => format!("{address}#{n}"),
        }
    })
}

/// The entries as resources.
///
/// # Errors
/// A value cannot be written as JSON.
pub(crate) fn resources(entries: &[Entry]) -> Result<Vec<Resource>, Failure> {
    addresses(entries)
        .zip(entries)
        .map(|(address, entry)| {
            let value = entry.value().map_err(|error| {
                Failure::new("shape", format!("cannot write `{address}`: {error}"))
            })?;
            Ok(Resource::object(address, entry.kind(), &value))
        })
        .collect()
}

impl Range {
    fn line(&self) -> String {
        let Self {
            network,
            first,
            last,
            netmask,
            lease_seconds,
        } = self;
        let last = last.as_deref().unwrap_or("static");
        let tag = network_tag(network);
        format!("set:{tag},{first},{last},{netmask},{lease_seconds}")
    }

    fn parse(words: &[Word]) -> Option<Self> {
        let [tag, first, last, netmask, lease] = words else {
            return None;
        };
        Some(Self {
            network: tag.bare()?.strip_prefix("set:net-")?.into(),
            first: first.bare()?.into(),
            last: Some(last.bare()?.to_owned()).filter(|last| last != "static"),
            netmask: netmask.bare()?.into(),
            lease_seconds: lease.bare()?.parse().ok()?,
        })
    }
}

impl Oui {
    fn parse(words: &[Word]) -> Option<Self> {
        let [tag, mac] = words else { return None };
        Some(Self {
            network: tag.bare()?.strip_prefix("set:phones-")?.into(),
            oui: mac.bare()?.strip_suffix(":*:*:*")?.into(),
        })
    }
}

impl Host {
    fn line(&self) -> String {
        let Self {
            mac,
            address,
            name,
            more,
        } = self;
        let words: Vec<&str> = [Some(mac), address.as_ref(), name.as_ref()]
            .into_iter()
            .flatten()
            .chain(more)
            .map(String::as_str)
            .collect();
        words.join(",")
    }

    /// A host known by its hardware address. What else its line says is kept apart, so that a line that somebody
    /// changed is seen as changed, and not as one host missing and another too many.
    fn parse(words: &[Word]) -> Option<Self> {
        let (mac, rest) = words.split_first()?;
        let mac = mac.bare()?.to_ascii_lowercase();
        let parts: Vec<&str> = mac.split(':').collect();
        let is_byte =
            |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        if parts.len() != 6 || !parts.iter().all(is_byte) {
            return None;
        }
        let mut host = Self {
            mac,
            address: None,
            name: None,
            more: Vec::new(),
        };
        for word in rest {
            let text = word.bare()?.to_owned();
            if host.address.is_none() && text.parse::<std::net::Ipv4Addr>().is_ok() {
                host.address = Some(text);
            } else if host.name.is_none()
                && host_name(&text).is_some()
                && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && text != "ignore"
                && text != "infinite"
            {
                host.name = Some(text);
            } else {
                host.more.push(text);
            }
        }
        Some(host)
    }
}
