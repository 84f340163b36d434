//! Whether names lead to the PBX that is up.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use switchover_catalogue::rfc;
use switchover_topology::model::{Dns, Kind, Network, Pbx, PbxRole, Record, Server};
use switchover_topology::value::spell_duration;
use switchover_topology::{Severity, Span, Spanned, Topology};

use super::{SERVICE, devices_by_network, is_below, listed, pbxs_by_address, plain};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::{counted, role_name};

pub(crate) const SW403: Rule = Rule {
    code: "SW403",
    name: "ttl-longer-than-objective",
    summary: "a zone with the pair's names has a TTL longer than the switch objective",
    sources: &[rfc(1035, "3.2.1")],
    explanation: include_str!("../../explanations/SW403.md"),
    looks_at: &[Kind::Site, Kind::Pbx, Kind::Network, Kind::Dns],
    check: Check::Topology(ttl),
    ..SERVICE
};

pub(crate) const SW404: Rule = Rule {
    code: "SW404",
    name: "srv-target-is-alias",
    severity: Severity::Error,
    summary: "the target of an SRV record is an alias",
    sources: &[rfc(2782, "The format of the SRV RR")],
    explanation: include_str!("../../explanations/SW404.md"),
    looks_at: &[Kind::Pbx, Kind::Dns],
    check: Check::Topology(aliases),
    ..SERVICE
};

pub(crate) const SW405: Rule = Rule {
    code: "SW405",
    name: "too-few-dns-servers",
    summary: "a network with devices, or a zone, has fewer than two DNS servers, or only PBXs as such",
    sources: &[rfc(2182, "5"), rfc(2132, "3.8")],
    explanation: include_str!("../../explanations/SW405.md"),
    looks_at: &[Kind::Pbx, Kind::Network, Kind::Dns, Kind::Device],
    check: Check::Topology(servers),
    ..SERVICE
};

fn ttl(topology: &Topology) -> Vec<Finding> {
    let Some(objective) = topology
        .site
        .as_ref()
        .and_then(|site| site.objective.as_ref()?.switch.as_ref())
    else {
        return Vec::new();
    };
    let hosts: Vec<String> = topology
        .pbxs
        .iter()
        .map(|pbx| plain(&pbx.hostname))
        .collect();
    let domains: HashSet<String> = topology
        .networks
        .iter()
        .filter_map(|network| Some(plain(network.domain.as_ref()?)))
        .collect();
    let has_the_pair =
        |zone: &str| domains.contains(zone) || hosts.iter().any(|host| is_below(host, zone));
    topology
        .dns
        .iter()
        .filter_map(|zone| {
            let ttl = zone.ttl.as_ref()?;
            if ttl.value <= objective.value || !has_the_pair(&plain(&zone.name)) {
                return None;
            }
            let (name, accepted) = (&zone.name.value, spell_duration(objective.value));
            let message = format!(
                "answers of zone `{name}` may be kept for {}, but devices are to work on the failover PBX within {accepted}",
                spell_duration(ttl.value)
            );
            Some(
                Finding::new(&SW403, zone.span, ttl.span, message)
                    .label("as long may a name lead to the PBX that is down")
                    .related(objective.span, "objective declared here")
                    .help(format!(
                        "set the TTL to {accepted} or less, a day before you rely on it: the old one is kept that long"
                    )),
            )
        })
        .collect()
}

/// A declared SRV record's target, and the place of the value that names it.
struct Service {
    node: Span,
    target: String,
    span: Span,
}

fn aliases(topology: &Topology) -> Vec<Finding> {
    let mut aliases: HashMap<String, (&Dns, &Record)> = HashMap::new();
    let mut services: Vec<Service> = Vec::new();
    for zone in &topology.dns {
        let apex = plain(&zone.name);
        for record in &zone.records {
            match record.rtype.as_str() {
                "CNAME" => {
                    aliases
                        .entry(absolute(&record.name, &apex))
                        .or_insert((zone, record));
                }
                "SRV" => services.extend(service(zone, record, &apex)),
                _ => {}
            }
        }
    }

    let mut findings = Vec::new();
    let mut of_pbxs = HashSet::new();
    for pbx in &topology.pbxs {
        let host = plain(&pbx.hostname);
        if let Some((zone, alias)) = aliases.get(&host) {
            findings.push(pbx_is_alias(pbx, zone, alias));
            of_pbxs.insert(host);
        }
    }
    findings.extend(
        services
            .iter()
            // Told of the PBX already.
            .filter(|service| !of_pbxs.contains(&service.target))
            .filter_map(|service| Some(service_to_alias(service, aliases.get(&service.target)?.1))),
    );
    findings
}

fn pbx_is_alias(pbx: &Pbx, zone: &Dns, alias: &Record) -> Finding {
    let host = plain(&pbx.hostname);
    let message = format!(
        "`{host}` is an alias{}, but the SRV records of the pair name it as a target",
        of_what(alias)
    );
    Finding::new(&SW404, zone.span, alias.name.span, message)
        .label("an SRV target must not be an alias")
        .related(
            pbx.hostname.span,
            format!("host name of the {} PBX", role_name(pbx.role.value)),
        )
        .help(format!(
            "remove this record: the address record of `{host}` follows from the PBX; or give the PBX the host name \
             that the alias stands for"
        ))
}

fn service_to_alias(service: &Service, alias: &Record) -> Finding {
    let target = &service.target;
    let message = format!(
        "the SRV record leads to `{target}`, which is an alias{}",
        of_what(alias)
    );
    Finding::new(&SW404, service.node, service.span, message)
        .label("an SRV target must not be an alias")
        .related(alias.name.span, "alias declared here")
        .help(format!(
            "name the host itself as the target, or give `{target}` an A or AAAA record instead of the CNAME"
        ))
}

fn of_what(alias: &Record) -> String {
    alias
        .values
        .first()
        .map(|value| format!(" of `{}`", value.value))
        .unwrap_or_default()
}

/// The fields stand in one text or in four; a target of `.` says that there is no such service.
fn service(zone: &Dns, record: &Record, apex: &str) -> Option<Service> {
    let last = record.values.last()?;
    let target = last.split_whitespace().last()?;
    (target != ".").then(|| Service {
        node: zone.span,
        target: absolute(target, apex),
        span: last.span,
    })
}

/// A name as a zone file reads it.
pub(super) fn absolute(name: &str, apex: &str) -> String {
    match name {
        "@" => apex.to_owned(),
        _ if name.ends_with('.') => plain(name),
        _ => format!("{}.{apex}", name.to_ascii_lowercase()),
    }
}

fn servers(topology: &Topology) -> Vec<Finding> {
    let devices = devices_by_network(topology);
    let pbxs = pbxs_by_address(topology);
    // Those that a finding about a network names already, SW105's among them.
    let mut told: HashSet<IpAddr> = HashSet::new();
    let mut findings = Vec::new();
    for network in &topology.networks {
        let Some(here) = devices.get(network.name.value.as_str()) else {
            continue;
        };
        if let Some(finding) = resolvers(network, here.len() as u64, &pbxs) {
            told.extend(network.dns.iter().map(|server| server.value));
            findings.extend(finding);
        }
    }
    let zones = topology.dns.iter().filter(|zone| {
        !zone.servers.is_empty()
            && !zone
                .servers
                .iter()
                .all(|server| told.contains(&server.address.value))
    });
    findings.extend(zones.filter_map(|zone| authorities(zone, &pbxs)));
    findings
}

/// None where the network is well served. `Some(None)` where another rule says what is wrong: SW105 speaks of the
/// main PBX as the only server.
fn resolvers(
    network: &Network,
    devices: u64,
    pbxs: &HashMap<IpAddr, &Pbx>,
) -> Option<Option<Finding>> {
    let name = &network.name.value;
    let found = |span, message: String| Finding::new(&SW405, network.span, span, message);
    match network.dns.as_slice() {
        [] => {
            let message = format!(
                "network `{name}` has {}, but no DNS server",
                counted(devices, "device")
            );
            Some(Some(
                found(network.span, message)
                    .label("no `dns` here")
                    .help(format!("name two DNS servers on hosts that do not fail together, the primary one first; or acknowledge SW405 in `network \"{name}\"`")),
            ))
        }
        [only] => {
            let pbx = pbxs.get(&only.value);
            if pbx.is_some_and(|pbx| pbx.role.value == PbxRole::Main) {
                return Some(None);
            }
            let message = format!("network `{name}` has one DNS server only, {}", only.value);
            Some(Some(
                found(only.span, message)
                    .label("without it no name is resolved")
                    .help(format!("name a second DNS server, on a host that does not fail together with the first; or acknowledge SW405 in `network \"{name}\"`")),
            ))
        }
        several => {
            let all = of_pbxs(several.iter(), pbxs)?;
            let message = format!(
                "all DNS servers of network `{name}` are PBXs: {}",
                listed(&names(&all))
            );
            let finding = found(several.first()?.span, message)
                .label("goes down with the PBX")
                .help(format!("name a DNS server that is no PBX as one of them; or acknowledge SW405 in `network \"{name}\"`"));
            Some(Some(with_pbxs(finding, &all)))
        }
    }
}

fn authorities(zone: &Dns, pbxs: &HashMap<IpAddr, &Pbx>) -> Option<Finding> {
    let name = &zone.name.value;
    let servers: &[Server] = &zone.servers;
    if let [only] = servers {
        let message = format!("zone `{name}` has one server only, `{}`", only.name.value);
        return Some(
            Finding::new(&SW405, zone.span, only.name.span, message)
                .label("without it the pair has no names")
                .help(format!("declare a second server that transfers the zone, on a host that does not fail together with it; or acknowledge SW405 in `dns \"{name}\"`")),
        );
    }
    let all = of_pbxs(servers.iter().map(|server| &server.address), pbxs)?;
    let message = format!(
        "all servers of zone `{name}` are PBXs: {}",
        listed(&names(&all))
    );
    let finding = Finding::new(&SW405, zone.span, servers.first()?.address.span, message)
        .label("goes down with the PBX")
        .help(format!("serve the zone from a host that is no PBX too; or acknowledge SW405 in `dns \"{name}\"`"));
    Some(with_pbxs(finding, &all))
}

/// The PBXs that these addresses are; none where one of them is no PBX.
fn of_pbxs<'a>(
    addresses: impl Iterator<Item = &'a Spanned<IpAddr>>,
    pbxs: &HashMap<IpAddr, &'a Pbx>,
) -> Option<Vec<&'a Pbx>> {
    addresses
        .map(|address| pbxs.get(&address.value).copied())
        .collect()
}

fn names<'a>(pbxs: &[&'a Pbx]) -> Vec<&'a str> {
    pbxs.iter().map(|pbx| pbx.name.value.as_str()).collect()
}

fn with_pbxs(finding: Finding, pbxs: &[&Pbx]) -> Finding {
    pbxs.iter().fold(finding, |finding, pbx| {
        finding.related(
            pbx.address.span,
            format!("{} PBX declared here", role_name(pbx.role.value)),
        )
    })
}
