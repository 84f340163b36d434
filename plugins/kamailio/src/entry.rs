//! What a line of the file says: the value of a resource and its line are two spellings of one [`Entry`].

use std::collections::HashMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchover_sdk::{Failure, Resource};

use crate::names::{is_host, quoted};
use crate::rows::Row;

/// Names of the kinds of resources.
pub(crate) mod kind {
    pub(crate) const LISTENER: &str = "listener";
    pub(crate) const ALIAS: &str = "alias";
    pub(crate) const SETTING: &str = "setting";
    pub(crate) const ROUTING: &str = "routing";
    pub(crate) const USER: &str = "user";
    pub(crate) const CALL_GROUP: &str = "call-group";
    pub(crate) const TRUNK: &str = "trunk";
    pub(crate) const LINE: &str = "line";
}

/// A line that says something, or the routing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Listener(Listener),
    Alias(Alias),
    Setting(Setting),
    Routing(Routing),
    Row(Row),
    /// Somebody else's.
    Line(Line),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listener {
    /// `udp`, `tcp` or `tls`.
    pub(crate) transport: String,
    /// Address and port.
    pub(crate) socket: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// As the routing calls it, without the prefix: `REALM`.
    pub(crate) name: String,
    /// A number or a text.
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routing {
    pub(crate) digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) line: String,
}

/// What all names of settings begin with in Kamailio.
const PREFIX: &str = "SWITCHOVER_";

/// Where an entry belongs among those of its part of the file.
pub(crate) type Place = (u8, String);

impl Entry {
    /// What a line before the routing says; none for a comment or an empty one.
    pub(crate) fn parse_head(line: &str) -> Option<Self> {
        let line = said(line)?;
        let known = || {
            if let Some(define) = line.strip_prefix("#!define ") {
                return Setting::parse(define).map(Self::Setting);
            }
            let (keyword, value) = line.split_once('=')?;
            match keyword.trim_end() {
                "listen" => Listener::parse(value.trim()).map(Self::Listener),
                "alias" => {
                    let name = quoted(value.trim(), '"')?;
                    is_host(name).then(|| Self::Alias(Alias { name: name.into() }))
                }
                _ => None,
            }
        };
        Some(known().unwrap_or_else(|| Self::foreign(line)))
    }

    /// What a line among the rows says.
    pub(crate) fn parse_row(line: &str) -> Option<Self> {
        let line = said(line)?;
        Some(Row::parse(line).map_or_else(|| Self::foreign(line), Self::Row))
    }

    /// A line in a place where there are only other people's.
    pub(crate) fn parse_other(line: &str) -> Option<Self> {
        said(line).map(Self::foreign)
    }

    fn foreign(line: &str) -> Self {
        Self::Line(Line { line: line.into() })
    }

    /// The text of the routing is written elsewhere.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Listener(listener) => {
                format!("listen={}:{}", listener.transport, listener.socket)
            }
            Self::Alias(alias) => format!("alias=\"{}\"", alias.name),
            Self::Setting(setting) => match &setting.value {
                Value::String(text) => format!("#!define {PREFIX}{} \"{text}\"", setting.name),
                other => format!("#!define {PREFIX}{} {other}", setting.name),
            },
            Self::Routing(_) => String::new(),
            Self::Row(row) => format!("    {}", row.line()),
            Self::Line(line) => line.line.clone(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Listener(_) => kind::LISTENER,
            Self::Alias(_) => kind::ALIAS,
            Self::Setting(_) => kind::SETTING,
            Self::Routing(_) => kind::ROUTING,
            Self::Row(Row::User(_)) => kind::USER,
            Self::Row(Row::CallGroup(_)) => kind::CALL_GROUP,
            Self::Row(Row::Trunk(_)) => kind::TRUNK,
            Self::Line(_) => kind::LINE,
        }
    }

    /// The resource's address, where no other entry has it.
    fn address(&self) -> String {
        let rest = match self {
            Self::Listener(listener) => format!("{}/{}", listener.transport, listener.socket),
            Self::Alias(alias) => alias.name.clone(),
            Self::Setting(setting) => setting.name.to_ascii_lowercase().replace('_', "-"),
            Self::Routing(_) => "switchover".into(),
            Self::Row(Row::Trunk(trunk)) => trunk.name.clone(),
            Self::Row(row) => row.key().into(),
            Self::Line(line) => line.line.clone(),
        };
        format!("{}/{rest}", self.kind())
    }

    fn value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Listener(listener) => serde_json::to_value(listener),
            Self::Alias(alias) => serde_json::to_value(alias),
            Self::Setting(setting) => serde_json::to_value(setting),
            Self::Routing(routing) => serde_json::to_value(routing),
            Self::Row(Row::User(user)) => serde_json::to_value(user),
            Self::Row(Row::CallGroup(group)) => serde_json::to_value(group),
            Self::Row(Row::Trunk(trunk)) => serde_json::to_value(trunk),
            Self::Line(line) => serde_json::to_value(line),
        }
    }

    /// The entry of a resource's value. None where the kind is not one of this plugin's.
    pub(crate) fn from_value(kind: &str, json: &str) -> Option<Result<Self, serde_json::Error>> {
        Some(match kind {
            kind::LISTENER => serde_json::from_str(json).map(Self::Listener),
            kind::ALIAS => serde_json::from_str(json).map(Self::Alias),
            kind::SETTING => serde_json::from_str(json).map(Self::Setting),
            kind::ROUTING => serde_json::from_str(json).map(Self::Routing),
            kind::USER => serde_json::from_str(json).map(|user| Self::Row(Row::User(user))),
            kind::CALL_GROUP => {
                serde_json::from_str(json).map(|group| Self::Row(Row::CallGroup(group)))
            }
            kind::TRUNK => serde_json::from_str(json).map(|trunk| Self::Row(Row::Trunk(trunk))),
            kind::LINE => serde_json::from_str(json).map(Self::Line),
            _ => return None,
        })
    }

    /// None for what has no place but where it is.
    pub(crate) fn place(&self) -> Option<Place> {
        let part = match self {
            Self::Listener(_) => 0,
            Self::Alias(_) => 1,
            Self::Setting(_) => 2,
            Self::Row(Row::User(_)) => 0,
            Self::Row(Row::CallGroup(_)) => 1,
            Self::Row(Row::Trunk(_)) => 2,
            Self::Routing(_) | Self::Line(_) => return None,
        };
        Some((part, self.address()))
    }
}

/// The line without what surrounds it; none where it says nothing. A directive of the preprocessor is no comment.
fn said(line: &str) -> Option<&str> {
    let line = line.trim();
    let comment = line.starts_with('#') && !line.starts_with("#!");
    (!line.is_empty() && !comment && !line.starts_with("//")).then_some(line)
}

/// Each entry with its address. A second one that says the same gets a number: it is there, so it is told.
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
            let resource = Resource::object(address, entry.kind(), &value);
            Ok(match entry {
                Entry::Row(Row::User(_)) => resource.sensitive(["/password"]),
                // It may be a row that is not written as this plugin would, with a password in it.
                Entry::Line(_) => resource.sensitive(["/line"]),
                _ => resource,
            })
        })
        .collect()
}

impl Listener {
    fn parse(text: &str) -> Option<Self> {
        let (transport, socket) = text.split_once(':')?;
        matches!(transport, "udp" | "tcp" | "tls").then_some(())?;
        Some(Self {
            transport: transport.into(),
            socket: socket.parse().ok()?,
        })
    }
}

impl Setting {
    fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.trim().strip_prefix(PREFIX)?.split_once(' ')?;
        let value = value.trim();
        let value = match quoted(value, '"') {
            Some(text) => Value::String(text.into()),
            None => Value::from(value.parse::<u32>().ok()?),
        };
        Some(Self {
            name: name.into(),
            value,
        })
    }
}
