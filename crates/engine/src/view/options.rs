//! The DHCP options of a network: those that follow from what the topology says of it, and those that its DHCP
//! service declares. A declared option wins over a derived one of the same number.

use std::collections::BTreeMap;
use std::net::IpAddr;

use switchover_catalogue::{DhcpValueType, dhcp_option};
use switchover_plugin_host::wit;
use switchover_topology::Topology;
use switchover_topology::model::{DhcpOption, Network, PbxRole};

const ROUTERS: u8 = 3;
const DNS_SERVERS: u8 = 6;
const DOMAIN_NAME: u8 = 15;
const NTP_SERVERS: u8 = 42;
const TFTP_SERVER_NAME: u8 = 66;
const SIP_SERVERS: u8 = 120;

/// For every client of the network.
pub(super) fn for_everybody(topology: &Topology, network: &Network) -> Vec<wit::DhcpOption> {
    let mut values = BTreeMap::new();
    let mut addresses = |code, list: Vec<IpAddr>| {
        let list: Vec<String> = list
            .iter()
            .filter(|address| address.is_ipv4())
            .map(ToString::to_string)
            .collect();
        if !list.is_empty() {
            values.insert(code, wit::OptionValue::Addresses(list));
        }
    };
    addresses(
        ROUTERS,
        network
            .gateway
            .iter()
            .map(|gateway| gateway.value)
            .collect(),
    );
    addresses(
        DNS_SERVERS,
        network.dns.iter().map(|server| server.value).collect(),
    );
    addresses(
        NTP_SERVERS,
        network.ntp.iter().map(|server| server.value).collect(),
    );
    if let Some(domain) = &network.domain {
        values.insert(DOMAIN_NAME, wit::OptionValue::Text(domain.value.clone()));
    }
    for option in declared(topology, network) {
        values.insert(option.code.value, value(option));
    }
    finish(values)
}

/// For telephones and gateways only: where their configuration is, and both PBXs.
pub(super) fn for_phones(topology: &Topology, network: &Network) -> Vec<wit::DhcpOption> {
    let mut values = BTreeMap::new();
    let service = network
        .provisioning
        .as_ref()
        .and_then(|name| topology.provisioning.get(name));
    if let Some(service) = service {
        let code = service
            .dhcp_option
            .as_ref()
            .map_or(TFTP_SERVER_NAME, |code| code.value);
        values.insert(code, wit::OptionValue::Text(service.url.to_string()));
    }
    let mut pair: Vec<_> = topology
        .pbxs
        .iter()
        .filter(|pbx| pbx.address.is_ipv4())
        .collect();
    pair.sort_by_key(|pbx| pbx.role.value != PbxRole::Main);
    if !pair.is_empty() {
        let addresses = pair.iter().map(|pbx| pbx.address.to_string()).collect();
        values.insert(SIP_SERVERS, wit::OptionValue::SipAddresses(addresses));
    }
    for option in declared(topology, network) {
        values.remove(&option.code.value);
    }
    finish(values)
}

fn declared<'a>(topology: &'a Topology, network: &Network) -> impl Iterator<Item = &'a DhcpOption> {
    let service = network
        .dhcp
        .as_ref()
        .and_then(|name| topology.dhcp.get(name));
    service.into_iter().flat_map(|service| &service.options)
}

fn finish(values: BTreeMap<u8, wit::OptionValue>) -> Vec<wit::DhcpOption> {
    let named = |(code, value)| {
        let name = dhcp_option(code).map(|option| option.name.to_owned());
        wit::DhcpOption { code, name, value }
    };
    values.into_iter().map(named).collect()
}

/// The value in the option's documented type; as text where the type is not known.
fn value(option: &DhcpOption) -> wit::OptionValue {
    let texts = || -> Vec<String> {
        option
            .values
            .iter()
            .map(|value| value.value.clone())
            .collect()
    };
    let first = || {
        option
            .values
            .first()
            .map_or("", |value| value.value.as_str())
    };
    let all_addresses = || {
        option
            .values
            .iter()
            .all(|value| value.parse::<IpAddr>().is_ok())
    };
    let typed = match dhcp_option(option.code.value).map(|known| known.value) {
        Some(DhcpValueType::Address | DhcpValueType::Addresses) => {
            Some(wit::OptionValue::Addresses(texts()))
        }
        Some(DhcpValueType::SipServers) if all_addresses() => {
            Some(wit::OptionValue::SipAddresses(texts()))
        }
        Some(DhcpValueType::SipServers) => Some(wit::OptionValue::SipNames(texts())),
        Some(DhcpValueType::Uint8) => first().parse().ok().map(wit::OptionValue::Uint8),
        Some(DhcpValueType::Uint16) => first().parse().ok().map(wit::OptionValue::Uint16),
        Some(DhcpValueType::Uint32) => first().parse().ok().map(wit::OptionValue::Uint32),
        Some(DhcpValueType::Hex) => Some(wit::OptionValue::Hex(first().replace(':', ""))),
        Some(DhcpValueType::Text) | None => None,
    };
    typed.unwrap_or_else(|| wit::OptionValue::Text(texts().join(" ")))
}
