//! What a target's servers are asked in the way in which telephones and resolvers ask them: OPTIONS of a PBX, an offer of
//! a DHCP server, records of a DNS server. Where they are stands in the topology, and no plugin chooses it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use switchover_effects::Reporting;
use switchover_effects::dhcp::{Discover, Offer, Relay};
use switchover_effects::dns::{self, Address};
use switchover_effects::placeholder::{Values, expand_text};
use switchover_effects::sip;
use switchover_topology::model::{Server, Target};

use crate::context::Context;
use crate::dns::{is_at, zone_name};
use crate::error::Cause;
use crate::files;
use crate::plan::{DhcpDiscover, DhcpOption, OptionValue, Rrset, Transport};

/// The servers that a target is, as the topology places them.
#[derive(Debug)]
pub(crate) struct Probes {
    /// Address and host name.
    pbx: Option<(IpAddr, String)>,
    /// By the names of `dhcp` nodes.
    dhcp: BTreeMap<String, IpAddr>,
    /// By the names of zones in lower case without the final dot.
    zones: BTreeMap<String, IpAddr>,
    /// Certificates in PEM that the target trusts.
    roots: Vec<u8>,
    reporting: Reporting,
}

impl Probes {
    pub(crate) fn new(
        context: &Context<'_>,
        target: &Target,
        reporting: &Reporting,
    ) -> Result<Self, Cause> {
        let topology = context.topology;
        let own = |servers: &[Server]| {
            let server = servers.iter().find(|server| is_at(server, target))?;
            Some(server.address.value)
        };
        let pbx = topology.pbxs.iter().find(|pbx| {
            let named = pbx.target.as_ref();
            named.is_some_and(|name| name.value == target.name.value)
        });
        let services = topology
            .dhcp
            .iter()
            .filter_map(|service| Some((service.name.value.clone(), own(&service.servers)?)));
        let zones = topology
            .dns
            .iter()
            .filter_map(|zone| Some((zone_name(&zone.name), own(&zone.servers)?)));
        Ok(Self {
            pbx: pbx.map(|pbx| (pbx.address.value, pbx.hostname.value.clone())),
            dhcp: services.collect(),
            zones: zones.collect(),
            roots: files::roots(context, target)?,
            reporting: reporting.clone(),
        })
    }

    /// The port from which a DHCP server is asked. To have it is to know that it can be.
    pub(crate) async fn relay(&self, discover: &DhcpDiscover) -> Result<Relay, Cause> {
        match self.dhcp.get(&discover.service) {
            Some(IpAddr::V4(address)) => Ok(Relay::open(*address).await?),
            _ => Err(Cause::NotProbed {
                what: format!("an IPv4 DHCP server of `{}`", shortened(&discover.service)),
            }),
        }
    }

    /// Whether the DHCP server offers what it should.
    pub(crate) async fn offers(
        &self,
        relay: &Relay,
        discover: &DhcpDiscover,
        values: &impl Values,
    ) -> Result<(), Cause> {
        let wrong = |text: &str| Cause::NotProbed {
            what: format!("a DHCP server for `{}`", shortened(text)),
        };
        let expected: Vec<(&DhcpOption, Vec<u8>)> = discover
            .options
            .iter()
            .map(|option| {
                let bytes = encoded(&option.value, values)?;
                Ok((option, bytes.ok_or_else(|| wrong("an option's value"))?))
            })
            .collect::<Result<_, Cause>>()?;
        let question = Discover {
            mac: mac(&discover.mac).ok_or_else(|| wrong(&discover.mac))?,
            link: discover
                .address
                .parse()
                .map_err(|_| wrong(&discover.address))?,
            options: discover.options.iter().map(|option| option.code).collect(),
        };
        let Offer { address, options } = relay.discover(&question, &self.reporting).await?;
        if address != question.link {
            return Err(Cause::Offered {
                mac: discover.mac.clone(),
                what: "its address".to_owned(),
                found: address.to_string(),
                expected: discover.address.clone(),
            });
        }
        let masked = |text: String| self.reporting.masker().redact(&text);
        for (option, bytes) in expected {
            let found = options.get(&option.code);
            let found = found.map(|found| told(&option.value, found));
            if found != Some(bytes.as_slice()) {
                return Err(Cause::Offered {
                    mac: discover.mac.clone(),
                    what: named(option),
                    found: masked(
                        found.map_or_else(
                            || "nothing".to_owned(),
                            |found| shown(&option.value, found),
                        ),
                    ),
                    expected: masked(shown(&option.value, &bytes)),
                });
            }
        }
        Ok(())
    }

    /// Whether the PBX says that it is in service.
    pub(crate) async fn in_service(&self, transport: Transport, port: u16) -> Result<(), Cause> {
        let (address, host) = self.pbx.as_ref().ok_or_else(|| Cause::NotProbed {
            what: "a PBX".to_owned(),
        })?;
        let server = sip::Server {
            address: SocketAddr::new(*address, port),
            transport: match transport {
                Transport::Udp => sip::Transport::Udp,
                Transport::Tcp => sip::Transport::Tcp,
                Transport::Tls => sip::Transport::Tls,
            },
            host: host.clone(),
            extra_roots: self.roots.clone(),
        };
        server.options(&self.reporting).await?;
        Ok(())
    }

    /// Whether a DNS server that the target is, and that is not reached over DNS to be changed, answers with these RRsets.
    pub(crate) async fn answers(
        &self,
        zone: &str,
        expect: &[Rrset],
        values: &impl Values,
    ) -> Result<(), Cause> {
        let address = self.zones.get(zone).ok_or_else(|| Cause::NotProbed {
            what: format!("a server of the zone `{}`", shortened(zone)),
        })?;
        let server = dns::Server::new(
            Address::of(*address),
            None,
            dns::Options::default(),
            &self.reporting,
        );
        let expect = crate::dns::expanded(expect, values)?;
        Ok(server.answers(zone, &expect).await?)
    }
}

fn shortened(text: &str) -> String {
    text.escape_debug().take(120).collect()
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

/// The bytes of a value; none where it is not one of its shape.
fn encoded(value: &OptionValue, values: &impl Values) -> Result<Option<Vec<u8>>, Cause> {
    let addresses = |list: &[String]| {
        let each = list
            .iter()
            .map(|text| text.parse().ok().map(|address: Ipv4Addr| address.octets()));
        each.collect::<Option<Vec<_>>>().map(|list| list.concat())
    };
    Ok(match value {
        OptionValue::Text(text) => Some(expand_text(text, values)?.into_bytes()),
        OptionValue::Addresses(list) => addresses(list),
        OptionValue::SipAddresses(list) => {
            addresses(list).map(|bytes| [&[1], bytes.as_slice()].concat())
        }
        OptionValue::SipNames(list) => {
            let each = list.iter().map(|name| labels(name));
            each.collect::<Option<Vec<_>>>()
                .map(|names| [&[0], names.concat().as_slice()].concat())
        }
        OptionValue::Uint8(number) => Some(vec![*number]),
        OptionValue::Uint16(number) => Some(number.to_be_bytes().to_vec()),
        OptionValue::Uint32(number) => Some(number.to_be_bytes().to_vec()),
        OptionValue::Hex(digits) => {
            let digits = digits.as_bytes();
            let pairs = digits.chunks(2).map(|pair| {
                let text = std::str::from_utf8(pair)
                    .ok()
                    .filter(|pair| pair.len() == 2)?;
                u8::from_str_radix(text, 16).ok()
            });
            pairs.collect()
        }
    })
}

/// A domain name as RFC 1035 has it on the wire, uncompressed.
fn labels(name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|n| (1..64).contains(n))?;
        bytes.push(length);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    Some(bytes)
}

/// What the bytes of an option say: a text may end with NULs, which dnsmasq sends and nobody counts (RFC 2132, section 2).
fn told<'a>(like: &OptionValue, bytes: &'a [u8]) -> &'a [u8] {
    match like {
        OptionValue::Text(_) => {
            let end = bytes.iter().rposition(|byte| *byte != 0);
            &bytes[..end.map_or(0, |last| last + 1)]
        }
        _ => bytes,
    }
}

fn named(option: &DhcpOption) -> String {
    match &option.name {
        Some(name) => format!("option {} ({})", option.code, shortened(name)),
        None => format!("option {}", option.code),
    }
}

/// Bytes of an option for people, as a value of this shape where they are one.
fn shown(like: &OptionValue, bytes: &[u8]) -> String {
    let addresses = |bytes: &[u8]| {
        let (each, rest) = bytes.as_chunks::<4>();
        let text = each
            .iter()
            .map(|octets| Ipv4Addr::from(*octets).to_string());
        (rest.is_empty() && !each.is_empty()).then(|| text.collect::<Vec<_>>().join(", "))
    };
    let shaped = match (like, bytes) {
        (OptionValue::Text(_), _) => std::str::from_utf8(bytes)
            .ok()
            .map(|text| format!("\"{}\"", shortened(text))),
        (OptionValue::Addresses(_), _) => addresses(bytes),
        (OptionValue::SipAddresses(_), [1, rest @ ..]) => addresses(rest),
        (OptionValue::Uint8(_), [byte]) => Some(byte.to_string()),
        (OptionValue::Uint16(_), [a, b]) => Some(u16::from_be_bytes([*a, *b]).to_string()),
        (OptionValue::Uint32(_), [a, b, c, d]) => {
            Some(u32::from_be_bytes([*a, *b, *c, *d]).to_string())
        }
        _ => None,
    };
    shaped.unwrap_or_else(|| {
        let mut text = String::from("0x");
        for byte in bytes.iter().take(64) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::NoValues;

    fn bytes(value: &OptionValue) -> Option<Vec<u8>> {
        encoded(value, &NoValues).unwrap()
    }

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    #[test]
    fn values_are_told_from_their_bytes() {
        for (value, expected, told) in [
            (
                OptionValue::Text("http://prov/".to_owned()),
                b"http://prov/".to_vec(),
                "\"http://prov/\"",
            ),
            (
                OptionValue::Addresses(texts(["10.0.0.1", "10.0.0.2"])),
                vec![10, 0, 0, 1, 10, 0, 0, 2],
                "10.0.0.1, 10.0.0.2",
            ),
            (
                OptionValue::SipAddresses(texts(["10.0.0.1"])),
                vec![1, 10, 0, 0, 1],
                "10.0.0.1",
            ),
            (
                OptionValue::SipNames(texts(["p1.a", "b."])),
                b"\0\x02p1\x01a\0\x01b\0".to_vec(),
                "0x00027031016100016200",
            ),
            (OptionValue::Uint8(7), vec![7], "7"),
            (OptionValue::Uint16(258), vec![1, 2], "258"),
            (OptionValue::Uint32(1), vec![0, 0, 0, 1], "1"),
            (OptionValue::Hex("0aFF".to_owned()), vec![10, 255], "0x0aff"),
        ] {
            assert_eq!(bytes(&value), Some(expected.clone()), "{value:?}");
            assert_eq!(shown(&value, &expected), told);
        }
    }

    #[test]
    fn a_value_that_is_none_of_its_shape_is_refused() {
        let long = "x".repeat(64);
        for value in [
            OptionValue::Addresses(texts(["fe80::1"])),
            OptionValue::SipNames(texts(["a..b"])),
            OptionValue::SipNames(vec![long]),
            OptionValue::Hex("0".to_owned()),
            OptionValue::Hex("é".to_owned()),
        ] {
            assert_eq!(bytes(&value), None, "{value:?}");
        }
    }

    #[test]
    fn nothing_but_a_text_ends_with_nothing() {
        let text = OptionValue::Text(String::new());
        assert_eq!(told(&text, b"http://a/\0\0"), b"http://a/");
        assert_eq!(told(&text, b"\0"), b"");
        assert_eq!(told(&OptionValue::Uint16(0), &[1, 0]), [1, 0]);
    }

    #[test]
    fn hardware_addresses() {
        assert_eq!(mac("9c:75:14:00:00:0a"), Some([0x9c, 0x75, 0x14, 0, 0, 10]));
        for text in [
            "",
            "9c:75:14:00:00",
            "9c:75:14:00:00:0a:0b",
            "9c:75:14:00:00:a",
            "9c-75",
        ] {
            assert_eq!(mac(text), None, "{text}");
        }
    }
}
