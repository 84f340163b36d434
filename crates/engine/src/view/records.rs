//! The DNS records of a zone: those declared, and those that RFC 3263 asks for so that a telephone finds both PBXs.

use std::net::IpAddr;

use switchover_plugin_host::wit;
use switchover_topology::Topology;
use switchover_topology::model::{Dns, PbxRole, Record};

/// Seconds. Names of a failover pair must not outlive the outage that they are about.
pub(super) const DEFAULT_TTL: u32 = 60;

/// Weight of every SRV record: each priority has one target, so the value decides nothing.
const WEIGHT: u16 = 100;

/// A service of RFC 3263: NAPTR order of preference, service field, owner of the SRV record, default port.
///
/// TCP and TLS use 443, the vendor's default secure port; UDP is what the small analogue gateways speak.
const SERVICES: [(u16, &str, &str, u16); 3] = [
    (10, "SIPS+D2T", "_sips._tcp", 443),
    (20, "SIP+D2T", "_sip._tcp", 443),
    (30, "SIP+D2U", "_sip._udp", 5060),
];

/// All records of a zone, sorted, each once.
pub(super) fn of_zone(topology: &Topology, zone: &Dns) -> Vec<wit::DnsRecord> {
    let ttl = zone.ttl.as_ref().map_or(DEFAULT_TTL, |ttl| {
        u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX)
    });
    let apex = zone.name.to_ascii_lowercase();
    let mut records = Vec::new();
    let mut add = |owner: String, data| {
        records.push(wit::DnsRecord {
            owner,
            ttl_seconds: ttl,
            data,
        });
    };

    for record in &zone.records {
        add(absolute(&record.name, &apex), declared(record, &apex));
    }
    for pbx in &topology.pbxs {
        let host = without_final_dot(&pbx.hostname);
        if is_below(&host, &apex) {
            add(host, address(pbx.address.value));
        }
    }
    if !topology.pbxs.is_empty() && serves_telephones(topology, &apex) {
        let mut pair: Vec<_> = topology.pbxs.iter().collect();
        pair.sort_by_key(|pbx| pbx.role.value != PbxRole::Main);
        for (order, service, label, port) in SERVICES {
            for (position, pbx) in (1_u16..).zip(&pair) {
                let target = without_final_dot(&pbx.hostname);
                let srv = wit::Srv {
                    priority: position * 10,
                    weight: WEIGHT,
                    port,
                    target,
                };
                add(format!("{label}.{apex}"), wit::RecordData::Srv(srv));
            }
            let naptr = wit::Naptr {
                order,
                preference: 50,
                flags: "s".to_owned(),
                service: service.to_owned(),
                regexp: String::new(),
                replacement: format!("{label}.{apex}"),
            };
            add(apex.clone(), wit::RecordData::Naptr(naptr));
        }
    }

    records.sort_by_cached_key(|record| (record.owner.clone(), format!("{:?}", record.data)));
    records.dedup_by_key(|record| (record.owner.clone(), format!("{:?}", record.data)));
    records
}

/// Telephones look the pair up in the domain of their network, or in the domain that holds the main PBX.
fn serves_telephones(topology: &Topology, apex: &str) -> bool {
    let of_network = |domain: &str| without_final_dot(domain) == apex;
    let networks = topology
        .networks
        .iter()
        .filter_map(|network| network.domain.as_ref());
    let mains = topology
        .pbxs
        .iter()
        .filter(|pbx| pbx.role.value == PbxRole::Main);
    networks.into_iter().any(|domain| of_network(domain))
        || mains
            .into_iter()
            .any(|pbx| is_below(&without_final_dot(&pbx.hostname), apex))
}

fn is_below(host: &str, apex: &str) -> bool {
    host.strip_suffix(apex)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn without_final_dot(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// A name as a zone file reads it: `@` is the zone, a final dot makes it absolute.
fn absolute(name: &str, apex: &str) -> String {
    match name {
        "@" => apex.to_owned(),
        _ if name.ends_with('.') => without_final_dot(name),
        _ => format!("{}.{apex}", name.to_ascii_lowercase()),
    }
}

fn address(address: IpAddr) -> wit::RecordData {
    match address {
        IpAddr::V4(address) => wit::RecordData::A(address.to_string()),
        IpAddr::V6(address) => wit::RecordData::Aaaa(address.to_string()),
    }
}

/// The values may be written as one text (`"10 100 443 pbx1"`) or one by one.
fn declared(record: &Record, apex: &str) -> wit::RecordData {
    let values: Vec<&str> = record.values.iter().map(|value| value.as_str()).collect();
    let fields: Vec<&str> = values
        .iter()
        .flat_map(|value| value.split_whitespace())
        .collect();
    let typed = match (record.rtype.as_str(), fields.as_slice()) {
        ("A", [value]) => Some(wit::RecordData::A((*value).to_owned())),
        ("AAAA", [value]) => Some(wit::RecordData::Aaaa((*value).to_owned())),
        ("CNAME", [value]) => Some(wit::RecordData::Cname(absolute(value, apex))),
        ("SRV", [priority, weight, port, target]) => {
            srv(priority, weight, port, &absolute(target, apex))
        }
        ("TXT", _) => Some(wit::RecordData::Txt(
            values.iter().map(|&value| value.to_owned()).collect(),
        )),
        _ => None,
    };
    typed.unwrap_or_else(|| {
        wit::RecordData::Other(wit::OtherRecord {
            type_: record.rtype.value.clone(),
            rdata: values.iter().map(|&value| value.to_owned()).collect(),
        })
    })
}

fn srv(priority: &str, weight: &str, port: &str, target: &str) -> Option<wit::RecordData> {
    Some(wit::RecordData::Srv(wit::Srv {
        priority: priority.parse().ok()?,
        weight: weight.parse().ok()?,
        port: port.parse().ok()?,
        target: target.to_owned(),
    }))
}
