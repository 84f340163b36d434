//! How resources read where people look at them: the words that the notations of several plugins share.
//!
//! A [`Line`] is what the server's own configuration would say, so that somebody who knows the server has nothing to
//! translate. It says everything that a reviewer has to see: where two values of a resource differ, their lines should.

use serde::de::DeserializeOwned;

use crate::{Line, ShownContent, ShownResource};

impl Line {
    /// A line of these columns; an empty one keeps its place.
    pub fn new<T: Into<String>>(columns: impl IntoIterator<Item = T>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            more: Vec::new(),
        }
    }

    /// Adds further values of the last column.
    #[must_use]
    pub fn more<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.more.extend(values.into_iter().map(Into::into));
        self
    }
}

/// A line that leaves the resource to its address.
impl Default for Line {
    fn default() -> Self {
        Self::new::<String>([])
    }
}

impl ShownResource {
    /// The text of an object.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        match &self.content {
            ShownContent::Object(text) => Some(text),
            ShownContent::File(_) => None,
        }
    }

    /// An object in the plugin's own type; none where it is no such object, as may be with what another version of the
    /// plugin recorded.
    #[must_use]
    pub fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.json()?).ok()
    }
}

/// `8h`, `90m`, `45s`: the largest unit that loses nothing.
#[must_use]
pub fn duration(seconds: u64) -> String {
    match seconds {
        0 => "0s".into(),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// `pool 10.20.30.100 - 10.20.30.199`
#[must_use]
pub fn pool(first: &str, last: &str) -> String {
    format!("pool {first} - {last}")
}

/// `option 6 domain-name-servers`, or its number alone where it has no name that is the same everywhere.
#[must_use]
pub fn option(code: u64) -> String {
    match option_name(code) {
        Some(name) => format!("option {code} {name}"),
        None => format!("option {code}"),
    }
}

/// Names of the options that a network of telephones may have, as the manuals of DHCP servers write them.
fn option_name(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "subnet-mask",
        2 => "time-offset",
        3 => "routers",
        4 => "time-servers",
        5 => "name-servers",
        6 => "domain-name-servers",
        7 => "log-servers",
        12 => "host-name",
        15 => "domain-name",
        26 => "interface-mtu",
        28 => "broadcast-address",
        33 => "static-routes",
        42 => "ntp-servers",
        43 => "vendor-encapsulated-options",
        44 => "netbios-name-servers",
        60 => "vendor-class-identifier",
        66 => "tftp-server-name",
        67 => "bootfile-name",
        69 => "smtp-server",
        72 => "www-server",
        100 => "pcode",
        101 => "tcode",
        119 => "domain-search",
        120 => "sip-servers",
        121 => "classless-static-routes",
        150 => "tftp-server-address",
        _ => return None,
    })
}

/// Records of one owner and type as a zone file has them; without a time to live where the server gives them its own.
pub fn records<T: Into<String>>(
    owner: &str,
    ttl_seconds: Option<u32>,
    rtype: &str,
    data: impl IntoIterator<Item = T>,
) -> Line {
    let mut data = data.into_iter();
    let ttl = ttl_seconds.map(|seconds| seconds.to_string());
    let first = data.next().map(Into::into).unwrap_or_default();
    let columns = [
        format!("{}.", owner.trim_end_matches('.')),
        ttl.unwrap_or_default(),
        format!("IN {rtype}"),
        first,
    ];
    Line::new(columns).more(data)
}

/// For whom a DHCP option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every client of the network.
    Everybody,
    /// Its telephones.
    Phones,
    /// Everybody else.
    AllButPhones,
}

/// The networks that some lines speak of. Where there is one only and a line of them is its own, it need not be named
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks {
    obvious: bool,
}

impl Networks {
    /// `named`: of each line the network that it is about. `own`: whether one of the lines is a network's own.
    pub fn of<'a>(named: impl IntoIterator<Item = &'a str>, own: bool) -> Self {
        let mut named = named.into_iter();
        let first = named.next();
        Self {
            obvious: own && named.all(|name| Some(name) == first),
        }
    }

    /// `for phones of voice`; empty where nothing has to be said.
    #[must_use]
    pub fn audience(&self, network: &str, audience: Audience) -> String {
        match (audience, self.obvious) {
            (Audience::Everybody, true) => String::new(),
            (Audience::Everybody, false) => format!("for {network}"),
            (Audience::Phones, true) => "for phones".into(),
            (Audience::Phones, false) => format!("for phones of {network}"),
            (Audience::AllButPhones, true) => "for all but phones".into(),
            (Audience::AllButPhones, false) => format!("for all but phones of {network}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_lose_nothing() {
        for (seconds, text) in [
            (0, "0s"),
            (45, "45s"),
            (60, "1m"),
            (5_400, "90m"),
            (28_800, "8h"),
            (86_400, "24h"),
            (86_401, "86401s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn options_have_their_names() {
        assert_eq!(option(6), "option 6 domain-name-servers");
        assert_eq!(option(160), "option 160");
        assert_eq!(option(70_000), "option 70000");
    }

    #[test]
    fn records_read_as_in_a_zone_file() {
        let line = records("acme.example", Some(60), "MX", ["10 a.", "20 b."]);
        assert_eq!(line.columns, ["acme.example.", "60", "IN MX", "10 a."]);
        assert_eq!(line.more, ["20 b."]);
        let root = records("", None, "NS", Vec::<String>::new());
        assert_eq!(root.columns, [".", "", "IN NS", ""]);
    }

    #[test]
    fn a_network_is_named_unless_nothing_else_is_there() {
        use Audience::{AllButPhones, Everybody, Phones};
        let told = |networks: &Networks| {
            [Everybody, Phones, AllButPhones].map(|audience| networks.audience("voice", audience))
        };
        let alone = Networks::of(["voice", "voice"], true);
        assert_eq!(told(&alone), ["", "for phones", "for all but phones"]);
        for several in [
            Networks::of(["voice", "data"], true),
            Networks::of(["voice"], false),
        ] {
            assert_eq!(
                told(&several),
                [
                    "for voice",
                    "for phones of voice",
                    "for all but phones of voice"
                ]
            );
        }
    }
}
