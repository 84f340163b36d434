//! What a statement says: the value of a resource and its statement are two spellings of one [`Entry`].

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchover_sdk::{Failure, Resource};

use crate::failover::Failover;
use crate::host::Host;
use crate::option::{Audience, OptionDef, SubnetOption};
use crate::subnet::{Phones, Subnet};

/// Names of the kinds of resources.
pub(crate) mod kind {
    pub(crate) const OPTION_DEF: &str = "option-def";
    pub(crate) const FAILOVER: &str = "failover";
    pub(crate) const SUBNET: &str = "subnet";
    pub(crate) const OPTION: &str = "option";
    pub(crate) const PHONES: &str = "phones";
    pub(crate) const PHONE_OPTION: &str = "phone-option";
    pub(crate) const HOST: &str = "host";
    pub(crate) const STATEMENT: &str = "statement";
}

/// A statement, or a part of one, that is a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    OptionDef(OptionDef),
    Failover(Failover),
    Subnet(Subnet),
    Option(Audience, SubnetOption),
    Phones(Phones),
    Host(Host),
    /// Somebody else's.
    Statement(Statement),
}

/// A statement that nothing here changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    /// The subnet or the other file that it stands in; none at the top of the plugin's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<String>,
    /// What it begins with.
    pub(crate) statement: String,
}

impl Entry {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::OptionDef(_) => kind::OPTION_DEF,
            Self::Failover(_) => kind::FAILOVER,
            Self::Subnet(_) => kind::SUBNET,
            Self::Option(Audience::Everybody, _) => kind::OPTION,
            Self::Option(Audience::Phones, _) => kind::PHONE_OPTION,
            Self::Phones(_) => kind::PHONES,
            Self::Host(_) => kind::HOST,
            Self::Statement(_) => kind::STATEMENT,
        }
    }

    /// The resource's address, where no other entry has it.
    pub(crate) fn address(&self) -> String {
        let rest = match self {
            Self::OptionDef(def) => def.code.to_string(),
            Self::Failover(failover) => failover.name.clone(),
            Self::Subnet(subnet) => subnet.subnet.clone(),
            Self::Option(_, option) => format!("{}/{}", option.subnet, option.code),
            Self::Phones(phones) => phones.subnet.clone(),
            Self::Host(host) => host.mac.clone(),
            Self::Statement(Statement { within, statement }) => match within {
                Some(within) => format!("{within}/{statement}"),
                None => statement.clone(),
            },
        };
        format!("{}/{rest}", self.kind())
    }

    fn value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::OptionDef(def) => serde_json::to_value(def),
            Self::Failover(failover) => serde_json::to_value(failover),
            Self::Subnet(subnet) => serde_json::to_value(subnet),
            Self::Option(_, option) => serde_json::to_value(option),
            Self::Phones(phones) => serde_json::to_value(phones),
            Self::Host(host) => serde_json::to_value(host),
            Self::Statement(statement) => serde_json::to_value(statement),
        }
    }

    /// The entry of a resource's value. None where the kind is not one that this plugin changes.
    pub(crate) fn from_value(kind: &str, json: &str) -> Option<Result<Self, serde_json::Error>> {
        let option = |audience| {
            serde_json::from_str(json).map(|option: SubnetOption| Self::Option(audience, option))
        };
        Some(match kind {
            kind::OPTION_DEF => serde_json::from_str(json).map(Self::OptionDef),
            kind::FAILOVER => serde_json::from_str(json).map(Self::Failover),
            kind::SUBNET => serde_json::from_str(json).map(Self::Subnet),
            kind::OPTION => option(Audience::Everybody),
            kind::PHONES => serde_json::from_str(json).map(Self::Phones),
            kind::PHONE_OPTION => option(Audience::Phones),
            kind::HOST => serde_json::from_str(json).map(Self::Host),
            _ => return None,
        })
    }
}

/// Each entry with its address. A second one that says the same gets a number: dhcpd may take it, so it is there.
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

/// The entries as resources. What is in a subnet, or of a type, depends on it.
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
            Ok(resource.depends_on(needs(entry, entries)))
        })
        .collect()
}

fn needs(entry: &Entry, entries: &[Entry]) -> Vec<String> {
    let of_subnet = |subnet: &str| format!("{}/{subnet}", kind::SUBNET);
    match entry {
        Entry::Subnet(subnet) => {
            let peers = subnet
                .pools
                .iter()
                .filter_map(|pool| pool.failover.as_ref());
            peers
                .map(|peer| format!("{}/{peer}", kind::FAILOVER))
                .collect()
        }
        Entry::Phones(phones) => vec![of_subnet(&phones.subnet)],
        Entry::Option(audience, option) => {
            let mut needs = match audience {
                Audience::Everybody => vec![of_subnet(&option.subnet)],
                Audience::Phones => vec![format!("{}/{}", kind::PHONES, option.subnet)],
            };
            let defined =
                |entry: &&Entry| matches!(entry, Entry::OptionDef(def) if def.code == option.code);
            needs.extend(entries.iter().find(defined).map(Entry::address));
            needs
        }
        Entry::OptionDef(_) | Entry::Failover(_) | Entry::Host(_) | Entry::Statement(_) => {
            Vec::new()
        }
    }
}
