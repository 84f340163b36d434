//! DNS records and their lines.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use switchover_sdk::{DnsRecord, Naptr, OtherRecord, RecordData, Srv};

use crate::words::{Word, quote};

/// A record as dnsmasq holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "kebab-case")]
pub(crate) enum Record {
    A {
        owner: String,
        address: String,
        ttl: Option<u32>,
    },
    #[serde(rename = "AAAA")]
    Aaaa {
        owner: String,
        address: String,
        ttl: Option<u32>,
    },
    #[serde(rename = "CNAME")]
    Cname {
        owner: String,
        target: String,
        ttl: Option<u32>,
    },
    #[serde(rename = "SRV")]
    Srv {
        owner: String,
        target: String,
        port: u16,
        priority: u16,
        weight: u16,
    },
    #[serde(rename = "NAPTR")]
    Naptr {
        owner: String,
        order: u16,
        preference: u16,
        flags: String,
        service: String,
        regexp: String,
        replacement: String,
    },
    #[serde(rename = "TXT")]
    Txt { owner: String, strings: Vec<String> },
    #[serde(rename = "MX")]
    Mx {
        owner: String,
        target: String,
        preference: u16,
    },
    #[serde(rename = "PTR")]
    Ptr { owner: String, target: String },
    #[serde(rename = "CAA")]
    Caa {
        owner: String,
        flags: u8,
        tag: String,
        value: String,
    },
}

impl Record {
    /// The record of the topology; none where dnsmasq has no such record.
    pub(crate) fn new(record: &DnsRecord) -> Option<Self> {
        let owner = record.owner.clone();
        let ttl = Some(record.ttl_seconds);
        Some(match &record.data {
            RecordData::A(address) => Self::A {
                owner,
                address: address.clone(),
                ttl,
            },
            RecordData::Aaaa(address) => Self::Aaaa {
                owner,
                address: address.clone(),
                ttl,
            },
            RecordData::Cname(target) => Self::Cname {
                owner,
                target: target.clone(),
                ttl,
            },
            RecordData::Srv(srv) => Self::Srv {
                owner,
                target: srv.target.clone(),
                port: srv.port,
                priority: srv.priority,
                weight: srv.weight,
            },
            RecordData::Naptr(naptr) => Self::Naptr {
                owner,
                order: naptr.order,
                preference: naptr.preference,
                flags: naptr.flags.clone(),
                service: naptr.service.clone(),
                regexp: naptr.regexp.clone(),
                replacement: naptr.replacement.clone(),
            },
            RecordData::Txt(strings) => Self::Txt {
                owner,
                strings: strings.clone(),
            },
            RecordData::Other(other) => Self::other(owner, other)?,
        })
    }

    /// Those of the other types that dnsmasq has a keyword for.
    fn other(owner: String, other: &OtherRecord) -> Option<Self> {
        // A zone file may put the words of a record into one value or into several.
        let words: Vec<&str> = other
            .rdata
            .iter()
            .flat_map(|value| value.split_whitespace())
            .collect();
        let name = |text: &str| text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match (other.type_.as_str(), words.as_slice()) {
            ("MX", [preference, target]) => Some(Self::Mx {
                owner,
                target: name(target),
                preference: preference.parse().ok()?,
            }),
            ("PTR", [target]) => Some(Self::Ptr {
                owner,
                target: name(target),
            }),
            ("CAA", [flags, tag, value @ ..]) => Some(Self::Caa {
                owner,
                flags: flags.parse().ok()?,
                tag: (*tag).into(),
                value: value.join(" ").trim_matches('"').into(),
            }),
            _ => None,
        }
    }

    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::A { owner, .. }
            | Self::Aaaa { owner, .. }
            | Self::Cname { owner, .. }
            | Self::Srv { owner, .. }
            | Self::Naptr { owner, .. }
            | Self::Txt { owner, .. }
            | Self::Mx { owner, .. }
            | Self::Ptr { owner, .. }
            | Self::Caa { owner, .. } => owner,
        }
    }

    /// Whether the line can carry a time to live. The others take `local-ttl`.
    pub(crate) fn has_own_ttl(&self) -> bool {
        matches!(
            self,
            Self::A { .. } | Self::Aaaa { .. } | Self::Cname { .. }
        )
    }

    /// Its own time to live, where it has one.
    pub(crate) fn ttl(&self) -> Option<u32> {
        match self {
            Self::A { ttl, .. } | Self::Aaaa { ttl, .. } | Self::Cname { ttl, .. } => *ttl,
            _ => None,
        }
    }

    /// The record as a topology has it: the opposite of [`new`](Self::new).
    pub(crate) fn data(&self) -> RecordData {
        let other = |type_: &str, rdata: Vec<String>| {
            RecordData::Other(OtherRecord {
                type_: type_.into(),
                rdata,
            })
        };
        match self {
            Self::A { address, .. } => RecordData::A(address.clone()),
            Self::Aaaa { address, .. } => RecordData::Aaaa(address.clone()),
            Self::Cname { target, .. } => RecordData::Cname(target.clone()),
            Self::Srv {
                target,
                port,
                priority,
                weight,
                ..
            } => RecordData::Srv(Srv {
                priority: *priority,
                weight: *weight,
                port: *port,
                target: target.clone(),
            }),
            Self::Naptr {
                order,
                preference,
                flags,
                service,
                regexp,
                replacement,
                ..
            } => RecordData::Naptr(Naptr {
                order: *order,
                preference: *preference,
                flags: flags.clone(),
                service: service.clone(),
                regexp: regexp.clone(),
                replacement: replacement.clone(),
            }),
            Self::Txt { strings, .. } => RecordData::Txt(strings.clone()),
            Self::Mx {
                target, preference, ..
            } => other("MX", vec![preference.to_string(), format!("{target}.")]),
            Self::Ptr { target, .. } => other("PTR", vec![format!("{target}.")]),
            Self::Caa {
                flags, tag, value, ..
            } => other(
                "CAA",
                vec![flags.to_string(), tag.clone(), format!("\"{value}\"")],
            ),
        }
    }

    /// The rest of the resource's address: what tells the record from others of its owner, and stays the same when a
    /// priority or a time to live changes.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::A { owner, address, .. } => format!("{owner}/A/{address}"),
            Self::Aaaa { owner, address, .. } => format!("{owner}/AAAA/{address}"),
            Self::Cname { owner, .. } => format!("{owner}/CNAME"),
            Self::Srv {
                owner,
                target,
                port,
                ..
            } => format!("{owner}/SRV/{target}:{port}"),
            Self::Naptr {
                owner,
                service,
                replacement,
                ..
            } => format!("{owner}/NAPTR/{service}/{replacement}"),
            Self::Txt { owner, strings } => format!("{owner}/TXT/{}", strings.concat()),
            Self::Mx { owner, target, .. } => format!("{owner}/MX/{target}"),
            Self::Ptr { owner, target } => format!("{owner}/PTR/{target}"),
            Self::Caa {
                owner, tag, value, ..
            } => format!("{owner}/CAA/{tag}/{value}"),
        }
    }

    pub(crate) fn line(&self) -> String {
        let with_ttl = |line: String, ttl: &Option<u32>| match ttl {
            Some(ttl) => format!("{line},{ttl}"),
            None => line,
        };
        match self {
            Self::A {
                owner,
                address,
                ttl,
            }
            | Self::Aaaa {
                owner,
                address,
                ttl,
            } => with_ttl(format!("host-record={owner},{address}"), ttl),
            Self::Cname { owner, target, ttl } => with_ttl(format!("cname={owner},{target}"), ttl),
            Self::Srv {
                owner,
                target,
                port,
                priority,
                weight,
            } => format!("srv-host={owner},{target},{port},{priority},{weight}"),
            Self::Naptr {
                owner,
                order,
                preference,
                flags,
                service,
                regexp,
                replacement,
            } => {
                let [flags, service, regexp] = [flags, service, regexp].map(|text| quote(text));
                let line =
                    format!("naptr-record={owner},{order},{preference},{flags},{service},{regexp}");
                match replacement.as_str() {
                    "" => line,
                    name => format!("{line},{name}"),
                }
            }
            Self::Txt { owner, strings } => strings
                .iter()
                .fold(format!("txt-record={owner}"), |line, text| {
                    format!("{line},{}", quote(text))
                }),
            Self::Mx {
                owner,
                target,
                preference,
            } => format!("mx-host={owner},{target},{preference}"),
            Self::Ptr { owner, target } => format!("ptr-record={owner},{target}"),
            Self::Caa {
                owner,
                flags,
                tag,
                value,
            } => format!("caa-record={owner},{flags},{tag},{}", quote(value)),
        }
    }

    /// The record of a line; none where the line holds what this plugin never writes.
    pub(crate) fn parse(keyword: &str, words: &[Word]) -> Option<Self> {
        let (owner, rest) = words.split_first()?;
        let owner = owner.bare()?.to_owned();
        let text = |word: &Word| word.text.clone();
        match (keyword, rest) {
            ("host-record", [address, ttl @ ..]) => {
                let ttl = optional_ttl(ttl)?;
                let address = address.bare()?.to_owned();
                Some(match address.parse().ok()? {
                    IpAddr::V4(_) => Self::A {
                        owner,
                        address,
                        ttl,
                    },
                    IpAddr::V6(_) => Self::Aaaa {
                        owner,
                        address,
                        ttl,
                    },
                })
            }
            ("cname", [target, ttl @ ..]) => Some(Self::Cname {
                owner,
                target: target.bare()?.into(),
                ttl: optional_ttl(ttl)?,
            }),
            ("srv-host", [target, port, priority, weight]) => Some(Self::Srv {
                owner,
                target: target.bare()?.into(),
                port: number(port)?,
                priority: number(priority)?,
                weight: number(weight)?,
            }),
            ("naptr-record", [order, preference, flags, service, regexp, replacement @ ..]) => {
                Some(Self::Naptr {
                    owner,
                    order: number(order)?,
                    preference: number(preference)?,
                    flags: text(flags),
                    service: text(service),
                    regexp: text(regexp),
                    replacement: match replacement {
                        [] => String::new(),
                        [name] => name.text.clone(),
                        _ => return None,
                    },
                })
            }
            ("txt-record", strings) => Some(Self::Txt {
                owner,
                strings: strings.iter().map(text).collect(),
            }),
            ("mx-host", [target, preference]) => Some(Self::Mx {
                owner,
                target: target.bare()?.into(),
                preference: number(preference)?,
            }),
            ("ptr-record", [target]) => Some(Self::Ptr {
                owner,
                target: text(target),
            }),
            ("caa-record", [flags, tag, value]) => Some(Self::Caa {
                owner,
                flags: number(flags)?,
                tag: text(tag),
                value: text(value),
            }),
            _ => None,
        }
    }
}

fn number<T: std::str::FromStr>(word: &Word) -> Option<T> {
    word.bare()?.parse().ok()
}

/// Nothing or one time to live; none where there is something else.
fn optional_ttl(words: &[Word]) -> Option<Option<u32>> {
    match words {
        [] => Some(None),
        [ttl] => number(ttl).map(Some),
        _ => None,
    }
}
