//! What a plugin proposes, as the language has it: values checked, texts without what only plugins understand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};
use switchover_catalogue as catalogue;
use switchover_effects::placeholder::expand_text;
use switchover_plugin_host::wit;

use super::LeftOut;
use crate::world::NoValues;

const ROUTERS: u8 = 3;
const DNS_SERVERS: u8 = 6;
const DOMAIN_NAME: u8 = 15;
const NTP_SERVERS: u8 = 42;

/// Parts of a topology that may be handed over to a target, or only be described.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    pub(super) networks: Vec<Network>,
    pub(super) devices: Vec<Device>,
    pub(super) zones: Vec<Zone>,
    pub(super) partners: Vec<Server>,
    pub(super) itself: Server,
    /// More settings of the target.
    pub(super) settings: Map<String, Value>,
    pub(super) left: Vec<LeftOut>,
    /// Addresses of resources that are not left, whatever they look like.
    pub(super) said: HashSet<String>,
}

/// Whether something is the target's, or stays as it is: then why.
pub(super) type Stays = Option<String>;

#[derive(Debug)]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) subnet: IpNet,
    pub(super) pool: Option<(IpAddr, IpAddr)>,
    pub(super) lease: Option<u32>,
    pub(super) gateway: Option<IpAddr>,
    pub(super) dns: Vec<IpAddr>,
    pub(super) ntp: Vec<IpAddr>,
    pub(super) domain: Option<String>,
    /// Those that a network has no property for: its service has them.
    pub(super) options: Vec<(u8, Vec<String>)>,
    pub(super) stays: Stays,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) name: String,
    /// As the catalogue spells it; none where its name does not tell.
    pub(super) model: Option<&'static str>,
    pub(super) mac: String,
    /// Position of its network.
    pub(super) network: Option<usize>,
    pub(super) address: Option<IpAddr>,
    pub(super) stays: Stays,
}

#[derive(Debug)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) ttl: Option<u32>,
    /// Name, type and values.
    pub(super) records: Vec<(String, String, Vec<String>)>,
    pub(super) stays: Stays,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) name: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) role: Option<wit::ServerRole>,
}

/// A text without references, as a topology may hold it: one with a reference is a secret, or next to one; control
/// characters are not allowed, and neither is nothing.
fn plain(text: &str) -> Option<String> {
    let text = expand_text(text, &NoValues).ok()?;
    (!text.contains(char::is_control) && !text.trim().is_empty()).then_some(text)
}

impl Proposal {
    /// # Errors
    /// What the plugin calls settings is no JSON object.
    pub(super) fn new(adoption: wit::Adoption) -> Result<Self, serde_json::Error> {
        let mut proposal = Self {
            settings: serde_json::from_str(&adoption.settings)?,
            itself: server(adoption.itself),
            said: adoption.said.into_iter().collect(),
            partners: adoption.partners.into_iter().map(server).collect(),
            ..Self::default()
        };
        for left in adoption.left {
            let address = plain(&left.address).unwrap_or_else(|| "…".to_owned());
            proposal.leave(address, left.reason);
        }
        for network in adoption.networks {
            proposal.network(network);
        }
        for device in adoption.devices {
            proposal.device(device);
        }
        for zone in adoption.zones {
            proposal.zone(zone);
        }
        Ok(proposal)
    }

    fn leave(&mut self, address: String, reason: impl Into<String>) {
        let reason = reason.into();
        self.left.push(LeftOut { address, reason });
    }

    fn network(&mut self, network: wit::AdoptedNetwork) {
        let Ok(subnet) = network.subnet.parse::<IpNet>().map(|subnet| subnet.trunc()) else {
            return self.leave(network.subnet, "this is no subnet");
        };
        if self.networks.iter().any(|other| other.subnet == subnet) {
            return self.leave(subnet.to_string(), "it is there twice");
        }
        let given = network.name.and_then(|name| plain(&name));
        let name = given.unwrap_or_else(|| {
            let digits = subnet.addr().to_string().replace(['.', ':'], "-");
            format!("net-{digits}")
        });
        let taken = |name: &str| self.networks.iter().any(|other| other.name == name);
        let name = unique(&name, taken);
        let mut made = Network {
            name,
            subnet,
            pool: None,
            lease: network.lease_seconds,
            gateway: None,
            dns: Vec::new(),
            ntp: Vec::new(),
            domain: None,
            options: Vec::new(),
            stays: network.stays,
        };
        if let Some(pool) = network.pool {
            match (pool.first.parse(), pool.last.parse()) {
                (Ok(first), Ok(last)) => made.pool = Some((first, last)),
                _ => made.stay("its pool is no range of addresses"),
            }
        }
        for option in network.options {
            let (code, values) = (option.code, values(&option));
            match values {
                Some(values) => made.option(code, values),
                None => made.stay(&format!(
                    "the value of option {code} is none that a topology can say"
                )),
            }
        }
        if made.lease.is_none() {
            made.stay("it has no lease time of its own");
        }
        self.networks.push(made);
    }

    fn device(&mut self, device: wit::AdoptedDevice) {
        let (Some(name), Some(mac)) = (plain(&device.name), plain(&device.mac)) else {
            return self.leave(
                "…".to_owned(),
                "its name or its hardware address holds nothing, a secret or a control character",
            );
        };
        if mac.parse::<switchover_topology::value::MacAddr>().is_err() {
            return self.leave(name, format!("`{mac}` is no hardware address"));
        }
        if self.devices.iter().any(|other| other.mac == mac) {
            return self.leave(
                mac,
                "the hardware address is there twice; only the first is taken over",
            );
        }
        let address = device.address.as_ref().and_then(|text| text.parse().ok());
        let subnet = device
            .subnet
            .and_then(|subnet| subnet.parse::<IpNet>().ok());
        let here = |network: &Network| match (subnet, address) {
            (Some(subnet), _) => network.subnet == subnet.trunc(),
            (None, Some(address)) => network.subnet.contains(&address),
            (None, None) => false,
        };
        let network = self.networks.iter().position(here);
        let mut stays = device.stays;
        if address.is_none() {
            stays.get_or_insert_with(|| "it has no address of its own".to_owned());
        }
        self.devices.push(Device {
            model: model(&name),
            name,
            mac,
            network,
            address,
            stays,
        });
    }

    /// Names that two devices have are those of the second one no more.
    pub(super) fn tell_devices_apart(&mut self) {
        let mut taken: HashSet<String> = HashSet::new();
        for device in &mut self.devices {
            let name = unique(&device.name, |name| taken.contains(name));
            if name != device.name {
                let reason = format!("another device is called `{}`", device.name);
                device.stays.get_or_insert(reason);
                device.name.clone_from(&name);
            }
            taken.insert(name);
        }
    }

    fn zone(&mut self, zone: wit::AdoptedZone) {
        if !is_domain(&zone.name) {
            return self.leave(zone.name, "this is no name of a zone");
        }
        let mut records = Vec::new();
        for record in zone.records {
            let owner = relative(&record.owner, &zone.name);
            match data(&record.data) {
                Some((rtype, values)) => records.push((owner, rtype, values)),
                None => self.leave(format!("record/{}", record.owner), "it holds a secret"),
            }
        }
        self.zones.push(Zone {
            name: zone.name,
            ttl: zone.ttl_seconds,
            records,
            stays: zone.stays,
        });
    }

    /// What stays as it is without being a part of anything that is handed over, and why.
    pub(super) fn reasons(&self) -> BTreeMap<&str, &str> {
        let left = self.left.iter();
        left.map(|left| (left.address.as_str(), left.reason.as_str()))
            .collect()
    }

    /// Names and addresses of what is described only, as resources have them.
    pub(super) fn parts_that_stay(&self) -> Vec<String> {
        let networks = self
            .networks
            .iter()
            .filter(|network| network.stays.is_some());
        let networks =
            networks.flat_map(|network| [network.name.clone(), network.subnet.to_string()]);
        let zones = self.zones.iter().filter(|zone| zone.stays.is_some());
        let zones = zones.map(|zone| zone.name.clone());
        let stays = |device: &&Device| device.stays.is_some() || !self.is_reserved(device);
        let devices = self.devices.iter().filter(stays);
        let devices = devices.map(|device| device.mac.clone());
        networks.chain(zones).chain(devices).collect()
    }

    /// Nothing is handed over, for this reason where there is no better one.
    pub(super) fn keep_all(&mut self, why: &str) {
        let networks = self.networks.iter_mut().map(|part| &mut part.stays);
        let zones = self.zones.iter_mut().map(|part| &mut part.stays);
        for stays in networks.chain(zones) {
            stays.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Whether the device's network is handed over: only there its address is a reservation.
    pub(super) fn is_reserved(&self, device: &Device) -> bool {
        let network = device.network.and_then(|at| self.networks.get(at));
        network.is_some_and(|network| network.stays.is_none())
    }

    /// The positions of the devices of each network.
    pub(super) fn devices_of(&self) -> HashMap<usize, Vec<usize>> {
        let mut of: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, device) in self.devices.iter().enumerate() {
            if let Some(network) = device.network {
                of.entry(network).or_default().push(at);
            }
        }
        of
    }
}

impl Network {
    fn stay(&mut self, why: &str) {
        self.stays.get_or_insert_with(|| why.to_owned());
    }

    /// A network has properties for some options; the rest is its service's.
    fn option(&mut self, code: u8, values: Vec<String>) {
        let addresses: Option<Vec<IpAddr>> =
            values.iter().map(|value| value.parse().ok()).collect();
        match (code, addresses, values.as_slice()) {
            (ROUTERS, Some(routers), _) if routers.len() == 1 => {
                self.gateway = routers.first().copied();
            }
            (DNS_SERVERS, Some(servers), _) => self.dns = servers,
            (NTP_SERVERS, Some(servers), _) => self.ntp = servers,
            (DOMAIN_NAME, _, [domain]) if is_domain(domain) => self.domain = Some(domain.clone()),
            _ => self.options.push((code, values)),
        }
    }
}

/// Whether the language gives it back as it is.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn server(server: wit::AdoptedServer) -> Server {
    Server {
        name: server.name.and_then(|name| plain(&name)),
        address: server.address.and_then(|text| text.parse().ok()),
        role: server.role,
    }
}

fn unique(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut tried = name.to_owned();
    let mut number = 2_u32;
    while taken(&tried) {
        tried = format!("{name}-{number}");
        number += 1;
    }
    tried
}

/// The values of an option as a topology has them; none where the language would make something else of them.
fn values(option: &wit::DhcpOption) -> Option<Vec<String>> {
    use catalogue::DhcpValueType as Type;
    let known = catalogue::dhcp_option(option.code).map(|known| known.value);
    let one = |text: &str| plain(text).map(|text| vec![text]);
    match (&option.value, known) {
        (wit::OptionValue::Addresses(list), Some(Type::Address | Type::Addresses))
        | (wit::OptionValue::SipAddresses(list), Some(Type::SipServers)) => Some(list.clone()),
        (wit::OptionValue::SipNames(list), Some(Type::SipServers)) => {
            list.iter().map(|name| plain(name)).collect()
        }
        // A single address may just as well be a text.
        (wit::OptionValue::Addresses(list), Some(Type::Text) | None) if list.len() == 1 => {
            Some(list.clone())
        }
        (wit::OptionValue::Text(text), Some(Type::Text) | None) => one(text),
        (wit::OptionValue::Text(text), Some(Type::Uint8 | Type::Uint16 | Type::Uint32)) => text
            .parse::<u32>()
            .ok()
            .map(|number| vec![number.to_string()]),
        (wit::OptionValue::Uint8(number), Some(Type::Uint8)) => Some(vec![number.to_string()]),
        (wit::OptionValue::Uint16(number), Some(Type::Uint16)) => Some(vec![number.to_string()]),
        (wit::OptionValue::Uint32(number), Some(Type::Uint32)) => Some(vec![number.to_string()]),
        (wit::OptionValue::Hex(digits), Some(Type::Hex)) => Some(vec![digits.clone()]),
        _ => None,
    }
}

/// The model that a name holds as one of its words: `reception-wp480`.
fn model(name: &str) -> Option<&'static str> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let telling = |word: &&str| word.len() > 3 && word.bytes().any(|byte| byte.is_ascii_digit());
    words
        .filter(telling)
        .find_map(catalogue::model)
        .map(|model| model.name)
}

/// An owner as a zone file writes it.
fn relative(owner: &str, zone: &str) -> String {
    if owner == zone {
        return "@".to_owned();
    }
    match owner
        .strip_suffix(zone)
        .and_then(|rest| rest.strip_suffix('.'))
    {
        Some(rest) => rest.to_owned(),
        None => format!("{owner}."),
    }
}

fn data(data: &wit::RecordData) -> Option<(String, Vec<String>)> {
    let absolute = |name: &str| format!("{}.", name.trim_end_matches('.'));
    let (rtype, values) = match data {
        wit::RecordData::A(address) => ("A", vec![address.clone()]),
        wit::RecordData::Aaaa(address) => ("AAAA", vec![address.clone()]),
        wit::RecordData::Cname(target) => ("CNAME", vec![absolute(target)]),
        wit::RecordData::Srv(srv) => {
            let numbers = [srv.priority, srv.weight, srv.port].map(|number| number.to_string());
            let mut values = Vec::from(numbers);
            values.push(absolute(&srv.target));
            ("SRV", values)
        }
        wit::RecordData::Naptr(naptr) => {
            let quoted = |text: &str| format!("\"{text}\"");
            let values = vec![
                naptr.order.to_string(),
                naptr.preference.to_string(),
                quoted(&naptr.flags),
                quoted(&naptr.service),
                quoted(&naptr.regexp),
                absolute(&naptr.replacement),
            ];
            ("NAPTR", values)
        }
        wit::RecordData::Txt(strings) => ("TXT", strings.clone()),
        wit::RecordData::Other(other) => {
            let values: Option<_> = other.rdata.iter().map(|value| plain(value)).collect();
            return Some((other.type_.clone(), values?));
        }
    };
    let values: Option<Vec<String>> = values.iter().map(|value| plain(value)).collect();
    Some((rtype.to_owned(), values?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_model_that_it_holds() {
        for (name, expected) in [
            ("reception-wp480", Some("WP480")),
            ("WP600A", Some("WP600AXX")),
            ("w02fxsr2.hall", Some("W02FXSR2")),
            ("reception", None),
            ("printer-480", None),
            ("", None),
        ] {
            assert_eq!(model(name), expected, "{name}");
        }
    }

    #[test]
    fn owners_are_relative_to_their_zone() {
        for (owner, expected) in [
            ("acme.example", "@"),
            ("a.b.acme.example", "a.b"),
            ("other.example", "other.example."),
            ("notacme.example", "notacme.example."),
        ] {
            assert_eq!(relative(owner, "acme.example"), expected);
        }
    }

    #[test]
    fn a_secret_is_left_out_with_all_that_stands_beside_it() {
        let with = |name: &str| wit::Adoption {
            networks: Vec::new(),
            devices: vec![wit::AdoptedDevice {
                name: name.into(),
                mac: "9c:75:14:00:01:01".into(),
                subnet: None,
                address: None,
                stays: None,
            }],
            zones: Vec::new(),
            partners: Vec::new(),
            itself: wit::AdoptedServer {
                name: None,
                address: None,
                role: None,
            },
            settings: "{}".into(),
            left: Vec::new(),
            said: Vec::new(),
        };
        let proposal = Proposal::new(with("a${observed:config#/x}")).unwrap();
        assert!(proposal.devices.is_empty());
        assert_eq!(proposal.left.len(), 1);
        let proposal = Proposal::new(with("a$${b}")).unwrap();
        assert_eq!(proposal.devices[0].name, "a${b}");
    }
}
