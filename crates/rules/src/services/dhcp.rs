//! Whether leases and their servers outlive a failover.

use std::collections::{BTreeMap, HashMap};

use switchover_catalogue::{Document, SecondsRange, Source, rfc};
use switchover_topology::model::{Device, Dhcp, Kind, Pbx, Server, ServerRole, Target};
use switchover_topology::value::spell_duration;
use switchover_topology::{Severity, Topology};

use super::SERVICE;
use super::subnets::Subnets;
use crate::devices::Fleet;
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW406: Rule = Rule {
    code: "SW406",
    name: "kea-pair-would-not-start",
    severity: Severity::Error,
    summary: "two Kea servers of one service are no pair: not one primary and one standby, in different networks, or one and the same",
    sources: &[Source {
        document: Document::KeaManual,
        section: "Hot-Standby Configuration",
    }],
    explanation: include_str!("../../explanations/SW406.md"),
    looks_at: &[Kind::Network, Kind::Dhcp, Kind::Target],
    check: Check::Topology(kea),
    ..SERVICE
};

pub(crate) const SW408: Rule = Rule {
    code: "SW408",
    name: "lease-shorter-than-switch",
    summary: "a lease is shorter than the longest time that a device with such a lease takes to switch",
    sources: &[rfc(2131, "4.4.5")],
    explanation: include_str!("../../explanations/SW408.md"),
    looks_at: &[Kind::Pbx, Kind::Network, Kind::Dhcp, Kind::Device],
    check: Check::Fleet(lease),
    ..SERVICE
};

/// The plugin whose targets are Kea servers.
const KEA: &str = "kea";

/// A Kea server of a service.
struct Peer<'a> {
    server: &'a Server,
    target: &'a Target,
    role: ServerRole,
}

fn kea(topology: &Topology) -> Vec<Finding> {
    let subnets = Subnets::of(topology);
    topology
        .dhcp
        .iter()
        .flat_map(|service| {
            let peers = peers(topology, service);
            if peers.len() < 2 {
                return Vec::new();
            }
            let mut findings = Vec::new();
            findings.extend(roles(service, &peers));
            findings.extend(one_server(service, &peers));
            if !topology.incomplete.contains(&Kind::Network) {
                findings.extend(networks(&subnets, service, &peers));
            }
            findings
        })
        .collect()
}

/// With the roles that they have where none is written: the first server is the primary unless another one says so.
fn peers<'a>(topology: &'a Topology, service: &'a Dhcp) -> Vec<Peer<'a>> {
    let says_primary = |server: &Server| {
        server
            .role
            .as_ref()
            .is_some_and(|role| role.value == ServerRole::Primary)
    };
    let some_primary = service.servers.iter().any(says_primary);
    let role = |position: usize, server: &Server| match &server.role {
        Some(role) => role.value,
        None if position == 0 && !some_primary => ServerRole::Primary,
        None => ServerRole::Standby,
    };
    service
        .servers
        .iter()
        .enumerate()
        .filter_map(|(position, server)| {
            let target = topology.targets.get(&server.target.as_ref()?.value)?;
            (target.plugin.value == KEA).then(|| Peer {
                server,
                target,
                role: role(position, server),
            })
        })
        .collect()
}

fn roles(service: &Dhcp, peers: &[Peer<'_>]) -> Option<Finding> {
    let of = |role| peers.iter().filter(move |peer| peer.role == role);
    let primaries = of(ServerRole::Primary).count();
    let standbys = peers.len() - primaries;
    if (primaries, standbys) == (1, 1) {
        return None;
    }
    // The first one too many; where a part is not taken at all, the first one that could take it.
    let at_fault = match (primaries, standbys) {
        (2.., _) => of(ServerRole::Primary).nth(1),
        (_, 2..) if primaries == 1 => of(ServerRole::Standby).nth(1),
        _ => peers.first(),
    }?;
    let span = at_fault
        .server
        .role
        .as_ref()
        .map_or(at_fault.server.name.span, |role| role.span);
    let message = format!(
        "the Kea servers of `{}` are {primaries} primary and {standbys} standby, but a pair is one of each",
        service.name.value,
    );
    let help = match (primaries, standbys) {
        (0, _) => "give the server that normally answers `role=\"primary\"`",
        (_, 0) => "give the server that takes over `role=\"standby\"`",
        _ => {
            "keep one primary and one standby, and serve other networks with a service of their own"
        }
    };
    let others = peers
        .iter()
        .filter(|peer| peer.server.span != at_fault.server.span);
    Some(
        others.fold(
            Finding::new(&SW406, service.span, span, message)
                .label(format!(
                    "`{}` as {}",
                    at_fault.server.name.value, at_fault.role
                ))
                .help(help),
            |finding, peer| {
                finding.related(
                    peer.server.name.span,
                    format!("`{}` is {}", peer.server.name.value, peer.role),
                )
            },
        ),
    )
}

/// Two peers behind one interface are one server with two names.
fn one_server(service: &Dhcp, peers: &[Peer<'_>]) -> Vec<Finding> {
    let mut seen: HashMap<&str, &Peer<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for peer in peers {
        let Some(endpoint) = &peer.target.endpoint else {
            continue;
        };
        let Some(first) = seen.get(endpoint.value.as_str()) else {
            seen.insert(endpoint.value.as_str(), peer);
            continue;
        };
        let (name, other) = (&peer.server.name.value, &first.server.name.value);
        let message = format!(
            "`{name}` and `{other}` of `{}` are both reached at {}: one Kea server cannot be its own peer",
            service.name.value, endpoint.value
        );
        let reference = peer
            .server
            .target
            .as_ref()
            .map_or(peer.server.name.span, |target| target.span);
        let same_target = peer.target.span == first.target.span;
        let span = if same_target {
            reference
        } else {
            endpoint.span
        };
        findings.push(
            Finding::new(&SW406, service.span, span, message)
                .label(format!("the same as that of `{other}`"))
                .related(first.server.name.span, format!("`{other}` declared here"))
                .help(format!(
                    "give `{name}` a target with the endpoint of its own Kea"
                )),
        );
    }
    findings
}

fn networks(subnets: &Subnets<'_>, service: &Dhcp, peers: &[Peer<'_>]) -> Option<Finding> {
    let network_of = |peer: &Peer<'_>| {
        subnets
            .network_of(peer.server.address.value)
            .map(|network| network.name.value.as_str())
    };
    let (first, rest) = peers.split_first()?;
    let here = network_of(first);
    let away = rest.iter().find(|peer| network_of(peer) != here)?;
    let place = |network: Option<&str>| match network {
        Some(name) => format!("in network `{name}`"),
        None => "in no declared network".to_owned(),
    };
    let (name, other) = (&away.server.name.value, &first.server.name.value);
    let message = format!(
        "the Kea servers of `{}` are in different networks: `{other}` is {}, `{name}` {}",
        service.name.value,
        place(here),
        place(network_of(away)),
    );
    Some(
        Finding::new(&SW406, service.span, away.server.address.span, message)
            .label(place(network_of(away)))
            .related(first.server.address.span, place(here))
            .help(format!(
                "move `{name}` beside `{other}`: what one of them hears, the other one must hear when it takes over"
            )),
    )
}

fn lease(fleet: &Fleet<'_>) -> Vec<Finding> {
    let topology = fleet.topology;
    // The slowest device of each service, on the slower of the PBXs' versions.
    let mut slowest: BTreeMap<&str, (&Device, SecondsRange, &Pbx)> = BTreeMap::new();
    for (device, known) in fleet.iter() {
        let on = known.on.iter().rev();
        let takes = on.filter_map(|on| Some((on.signalling.as_ref()?.switch?, on.pbx)));
        let worst = takes.max_by_key(|(takes, _)| takes.max);
        let Some((service, (takes, pbx))) = service_of(topology, device).zip(worst) else {
            continue;
        };
        let slower = slowest
            .get(service)
            .is_none_or(|(_, known, _)| takes.max > known.max);
        if slower {
            slowest.insert(service, (device, takes, pbx));
        }
    }
    topology
        .dhcp
        .iter()
        .filter_map(|service| {
            let lease = service.lease.as_ref()?;
            let (device, takes, pbx) = slowest.get(service.name.value.as_str())?;
            if lease.as_secs() >= u64::from(takes.max) {
                return None;
            }
            let message = format!(
                "leases of `{}` last {}, but `{}` ({}) may take {} s to switch",
                service.name.value,
                spell_duration(lease.value),
                device.name.value,
                device.model.value,
                takes.max,
            );
            Some(
                Finding::new(&SW408, service.span, lease.span, message)
                    .label("may end during the switch")
                    .related(
                        device.model.span,
                        format!("switches in {takes} on WMS {}", pbx.wms.value),
                    )
                    .help("use leases of hours, such as `8h`: a device must keep its address while it switches"),
            )
        })
        .collect()
}

fn service_of<'a>(topology: &'a Topology, device: &Device) -> Option<&'a str> {
    let network = topology.networks.get(&device.network.as_ref()?.value)?;
    Some(network.dhcp.as_ref()?.value.as_str())
}
