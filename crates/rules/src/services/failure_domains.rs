//! What falls together: a failure domain is a rack, a power feed, a host, whatever fails as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use switchover_catalogue::{DeviceClass, Document, Source, model, rfc};
use switchover_topology::model::{Dhcp, Kind, Pbx, PbxRole, Server};
use switchover_topology::{Severity, Span, Spanned, Topology};

use super::{SERVICE, devices_by_network, listed};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::{of_role, role_name};

const SOURCES: &[Source] = &[
    rfc(2182, "3.2"),
    Source {
        document: Document::KeaManual,
        section: "Hot-Standby Configuration",
    },
    Source {
        document: Document::Guide386,
        section: "Currently supported features & scenarios",
    },
];

pub(crate) const SW410: Rule = Rule {
    code: "SW410",
    name: "single-point-of-failure",
    severity: Severity::Error,
    summary: "one failure domain holds both PBXs, or the main PBX and every DNS server, or every DHCP server of a voice network",
    sources: SOURCES,
    explanation: include_str!("../../explanations/SW410.md"),
    looks_at: LOOKS_AT,
    check: Check::Topology(single_points),
    ..SERVICE
};

pub(crate) const SW411: Rule = Rule {
    code: "SW411",
    name: "no-failure-domain",
    summary: "a PBX, DHCP or DNS server has no failure domain: single points of failure cannot be judged",
    sources: SOURCES,
    explanation: include_str!("../../explanations/SW411.md"),
    looks_at: &[Kind::Pbx, Kind::Dhcp, Kind::Dns],
    check: Check::Topology(undeclared),
    ..SERVICE
};

const LOOKS_AT: &[Kind] = &[
    Kind::Pbx,
    Kind::Network,
    Kind::Dhcp,
    Kind::Dns,
    Kind::Device,
];

/// The failure domains of hosts. A host with several roles has one, whichever of them says so.
struct Domains<'a>(HashMap<IpAddr, &'a Spanned<String>>);

impl<'a> Domains<'a> {
    fn of(topology: &'a Topology) -> Self {
        let pbxs = topology
            .pbxs
            .iter()
            .map(|pbx| (&pbx.address, &pbx.failure_domain));
        let servers =
            servers(topology).map(|(_, _, server)| (&server.address, &server.failure_domain));
        let mut domains = HashMap::new();
        for (address, domain) in pbxs.chain(servers) {
            if let Some(domain) = domain {
                domains.entry(address.value).or_insert(domain);
            }
        }
        Self(domains)
    }

    fn of_pbx(&self, pbx: &'a Pbx) -> Option<&'a Spanned<String>> {
        pbx.failure_domain
            .as_ref()
            .or_else(|| self.at(pbx.address.value))
    }

    fn of_server(&self, server: &'a Server) -> Option<&'a Spanned<String>> {
        server
            .failure_domain
            .as_ref()
            .or_else(|| self.at(server.address.value))
    }

    fn at(&self, address: IpAddr) -> Option<&'a Spanned<String>> {
        self.0.get(&address).copied()
    }
}

/// Every server with the node that it stands in and what it serves.
fn servers(topology: &Topology) -> impl Iterator<Item = (Span, &'static str, &Server)> {
    let dhcp = topology.dhcp.iter().flat_map(|service| {
        service
            .servers
            .iter()
            .map(|server| (service.span, "DHCP", server))
    });
    let dns = topology
        .dns
        .iter()
        .flat_map(|zone| zone.servers.iter().map(|server| (zone.span, "DNS", server)));
    dhcp.chain(dns)
}

fn undeclared(topology: &Topology) -> Vec<Finding> {
    let domains = Domains::of(topology);
    let pbxs = topology.pbxs.iter().map(|pbx| {
        let what = format!("the {} PBX `{}`", role_name(pbx.role.value), pbx.name.value);
        (pbx.span, &pbx.name, &pbx.address, what)
    });
    let servers = servers(topology).map(|(node, serves, server)| {
        let what = format!("{serves} server `{}`", server.name.value);
        (node, &server.name, &server.address, what)
    });
    let mut told: HashSet<IpAddr> = HashSet::new();
    pbxs.chain(servers)
        .filter(|(_, _, address, _)| domains.at(address.value).is_none() && told.insert(address.value))
        .map(|(node, name, _, what)| {
            let message = format!(
                "{what} has no failure domain: what falls together with it cannot be judged"
            );
            Finding::new(&SW411, node, name.span, message)
                .label("no `failure-domain` here")
                .help("say what fails as a whole with it, such as its rack: `failure-domain=\"rack-a\"`")
        })
        .collect()
}

fn single_points(topology: &Topology) -> Vec<Finding> {
    let domains = Domains::of(topology);
    let mut findings = Vec::new();
    findings.extend(both_pbxs(topology, &domains));
    findings.extend(main_and_names(topology, &domains));
    findings.extend(leases(topology, &domains));
    findings
}

/// The domain that all of these are in; none where they differ or one is not known, or where there is nobody.
fn common<'a>(
    mut domains: impl Iterator<Item = Option<&'a Spanned<String>>>,
) -> Option<&'a Spanned<String>> {
    let first = domains.next()??;
    domains
        .all(|domain| domain.is_some_and(|domain| domain.value == first.value))
        .then_some(first)
}

/// A part of what is lost together: what it is, and where its domain is declared.
type Part = (String, Span);

fn single_point(
    node: Span,
    at: &Spanned<String>,
    lost: &str,
    parts: &[Part],
    help: &str,
    place: &str,
) -> Finding {
    let message = format!("failure domain `{}` takes {lost} with it", at.value);
    let finding = Finding::new(&SW410, node, at.span, message)
        .label("a single point of failure")
        .help(format!("{help}; or acknowledge SW410 in {place}"));
    let mut told = HashSet::from([at.span]);
    parts.iter().fold(finding, |finding, (what, span)| {
        if told.insert(*span) {
            finding.related(*span, what.clone())
        } else {
            finding
        }
    })
}

/// At the failover PBX: it is there to be elsewhere.
fn both_pbxs(topology: &Topology, domains: &Domains<'_>) -> Option<Finding> {
    let (main, failover) = crate::requirements::pair(topology)?;
    let of_main = domains.of_pbx(main)?;
    let of_failover = domains.of_pbx(failover)?;
    (of_main.value == of_failover.value).then(|| {
        let lost = format!(
            "both PBXs, `{}` and `{}`,",
            main.name.value, failover.name.value
        );
        let parts = [("the main PBX is in it too".to_owned(), of_main.span)];
        let help = format!(
            "put `{}` into another rack, onto another host and another power feed, and say so",
            failover.name.value
        );
        let place = format!("`pbx \"{}\"`", failover.name.value);
        single_point(failover.span, of_failover, &lost, &parts, &help, &place)
    })
}

/// Zones first, then what devices ask: a network whose servers are those of such a zone is not told again.
fn main_and_names(topology: &Topology, domains: &Domains<'_>) -> Vec<Finding> {
    let mut mains = of_role(topology, PbxRole::Main);
    let Some((main, of_main)) = mains
        .next()
        .filter(|_| mains.next().is_none())
        .and_then(|main| Some((main, domains.of_pbx(main)?)))
    else {
        return Vec::new();
    };
    let with_main =
        |found: Option<&Spanned<String>>| found.is_some_and(|found| found.value == of_main.value);
    let elsewhere = |addresses: &[IpAddr]| {
        addresses
            .iter()
            .any(|address| *address != main.address.value)
    };
    let help = "put one DNS server where the main PBX is not, so that names still lead to the failover PBX";
    let main_too = (
        format!("the main PBX `{}` is in it too", main.name.value),
        of_main.span,
    );

    let mut findings = Vec::new();
    let mut told: HashSet<IpAddr> = HashSet::new();
    for zone in &topology.dns {
        let found: Vec<_> = zone
            .servers
            .iter()
            .map(|server| domains.of_server(server))
            .collect();
        let addresses: Vec<IpAddr> = zone
            .servers
            .iter()
            .map(|server| server.address.value)
            .collect();
        // A DNS server on the main PBX itself is SW105's or SW405's.
        let Some(at) = common(found.iter().copied()).filter(|at| with_main(Some(at))) else {
            continue;
        };
        if !elsewhere(&addresses) {
            continue;
        }
        let lost = format!(
            "the main PBX `{}` and every server of zone `{}`",
            main.name.value, zone.name.value
        );
        let mut parts = vec![main_too.clone()];
        parts.extend(zone.servers.iter().zip(found.into_iter().flatten()).map(
            |(server, domain)| (format!("`{}` is in it too", server.name.value), domain.span),
        ));
        told.extend(addresses);
        let place = format!("`dns \"{}\"`", zone.name.value);
        findings.push(single_point(zone.span, at, &lost, &parts, help, &place));
    }

    let devices = devices_by_network(topology);
    let asked = topology
        .networks
        .iter()
        .filter(|network| devices.contains_key(network.name.value.as_str()));
    for network in asked {
        let addresses: Vec<IpAddr> = network.dns.iter().map(|server| server.value).collect();
        let all_there = common(addresses.iter().map(|address| domains.at(*address)));
        if !with_main(all_there)
            || !elsewhere(&addresses)
            || addresses.iter().all(|address| told.contains(address))
        {
            continue;
        }
        let lost = format!(
            "the main PBX `{}` and every DNS server of network `{}`",
            main.name.value, network.name.value
        );
        let mut parts = vec![main_too.clone()];
        parts.extend(network.dns.iter().filter_map(|server| {
            Some((
                format!("{} is in it too", server.value),
                domains.at(server.value)?.span,
            ))
        }));
        if let Some(first) = network.dns.first() {
            // In the network: the servers may be declared for other ends.
            let at = Spanned::new(of_main.value.clone(), first.span);
            let place = format!("`network \"{}\"`", network.name.value);
            findings.push(single_point(network.span, &at, &lost, &parts, help, &place));
        }
        told.extend(addresses);
    }
    findings
}

fn leases(topology: &Topology, domains: &Domains<'_>) -> Vec<Finding> {
    let devices = devices_by_network(topology);
    let mut served: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for network in &topology.networks {
        let name = network.name.value.as_str();
        let voice = devices.get(name).into_iter().flatten().any(|device| {
            matches!(
                model(&device.model).map(|model| model.class),
                Some(DeviceClass::Phone | DeviceClass::Gateway)
            )
        });
        if let Some(service) = network.dhcp.as_ref().filter(|_| voice) {
            served.entry(&service.value).or_default().push(name);
        }
    }
    topology
        .dhcp
        .iter()
        .filter_map(|service| {
            let networks = served.get(service.name.value.as_str())?;
            no_lease(service, networks, domains)
        })
        .collect()
}

fn no_lease(service: &Dhcp, networks: &[&str], domains: &Domains<'_>) -> Option<Finding> {
    let found: Vec<_> = service
        .servers
        .iter()
        .map(|server| domains.of_server(server))
        .collect();
    let at = common(found.iter().copied())?;
    let plural = if networks.len() == 1 { "" } else { "s" };
    let voice = format!("voice network{plural} {}", listed(networks));
    let lost = match &service.servers[..] {
        [only] => format!("`{}`, the only DHCP server of {voice},", only.name.value),
        _ => format!("every DHCP server of {voice}"),
    };
    let parts: Vec<Part> = service
        .servers
        .iter()
        .zip(found.iter().copied().flatten())
        .map(|(server, domain)| (format!("`{}` is in it too", server.name.value), domain.span))
        .collect();
    let help = format!(
        "declare a second server of `{}` in another failure domain, for instance as a standby; telephones that start \
         while there is none stay without an address",
        service.name.value
    );
    let place = format!("`dhcp \"{}\"`", service.name.value);
    Some(single_point(service.span, at, &lost, &parts, &help, &place))
}
