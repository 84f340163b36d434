//! Whether the addresses of a network fit each other and suffice.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::IpAddr;

use switchover_catalogue::{DeviceClass, Document, Source, model, rfc};
use switchover_topology::model::{Device, Kind, Network, Pool};
use switchover_topology::{Severity, Span, Spanned, Topology};

use super::subnets::{Subnets, after, host_range, number, pool_contains, pool_size};
use super::{SERVICE, devices_by_network};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::{counted, role_name};

pub(crate) const SW401: Rule = Rule {
    code: "SW401",
    name: "addresses-do-not-fit",
    severity: Severity::Error,
    summary: "subnets overlap; a pool, gateway or reservation lies outside its subnet or at an address that no host can have; or a fixed address inside the pool",
    sources: &[
        rfc(2131, "4.3.1"),
        rfc(2132, "3.5"),
        Source {
            document: Document::KeaManual,
            section: "Host Reservations in DHCPv4",
        },
    ],
    explanation: include_str!("../../explanations/SW401.md"),
    looks_at: &[
        Kind::Pbx,
        Kind::Network,
        Kind::Dhcp,
        Kind::Dns,
        Kind::Device,
    ],
    check: Check::Topology(geometry),
    ..SERVICE
};

pub(crate) const SW402: Rule = Rule {
    code: "SW402",
    name: "pool-too-small",
    severity: Severity::Error,
    summary: "a network's pool has fewer addresses than the network has devices without a reservation",
    sources: &[rfc(2131, "4.3.1")],
    explanation: include_str!("../../explanations/SW402.md"),
    looks_at: &[Kind::Network, Kind::Dhcp, Kind::Device],
    check: Check::Topology(capacity),
    ..SERVICE
};

fn geometry(topology: &Topology) -> Vec<Finding> {
    let devices = devices_by_network(topology);
    let mut findings = overlaps(topology);
    for network in &topology.networks {
        let reserving: Vec<&Device> = devices
            .get(network.name.value.as_str())
            .into_iter()
            .flatten()
            .copied()
            .filter(|device| device.address.is_some())
            .collect();
        if let Some(finding) = wrong_subnet(network, &reserving) {
            findings.push(finding);
            continue;
        }
        findings.extend(gateway(network));
        findings.extend(pool_outside(network));
        findings.extend(
            reserving
                .into_iter()
                .filter_map(|device| reservation(network, device)),
        );
    }
    findings.extend(servers_in_pools(topology));
    findings
}

/// Subnets are nested or apart, so in order of their first addresses, the wider first, each has to be held against
/// one other only.
fn overlaps(topology: &Topology) -> Vec<Finding> {
    let mut networks: Vec<&Network> = topology.networks.iter().collect();
    networks.sort_by_key(|network| {
        let subnet = network.subnet.value;
        (
            subnet.network(),
            Reverse(subnet.broadcast()),
            network.subnet.span,
        )
    });
    let mut findings = Vec::new();
    let mut outer: Option<&Network> = None;
    for network in networks {
        match outer.filter(|outer| outer.subnet.contains(&network.subnet.value)) {
            Some(outer) => findings.push(overlap(outer, network)),
            None => outer = Some(network),
        }
    }
    findings
}

/// At the one that was declared later: it was added to what was there.
fn overlap(a: &Network, b: &Network) -> Finding {
    let (before, network) = if a.span <= b.span { (a, b) } else { (b, a) };
    let (name, other) = (&network.name.value, &before.name.value);
    let (subnet, its) = (network.subnet.value, before.subnet.value);
    let mut message = if subnet == its {
        format!("networks `{name}` and `{other}` have the same subnet {subnet}")
    } else {
        format!("subnet {subnet} of network `{name}` overlaps {its} of network `{other}`")
    };
    if let Some((first, last)) = shared(network.pool.as_ref(), before.pool.as_ref()) {
        message += &format!(", and both give out {first} to {last}");
    }
    Finding::new(&SW401, network.span, network.subnet.span, message)
        .label("overlaps")
        .related(before.subnet.span, format!("subnet of `{other}`"))
        .help("give each network addresses that no other has, or make them one network")
}

fn shared(a: Option<&Pool>, b: Option<&Pool>) -> Option<(IpAddr, IpAddr)> {
    let (a, b) = a.zip(b)?;
    let first = a.first.value.max(b.first.value);
    let last = a.last.value.min(b.last.value);
    (pool_contains(a, first) && pool_contains(b, last)).then_some((first, last))
}

/// Where nothing lies in the subnet, it is the subnet that is wrong: one cause, one finding.
fn wrong_subnet(network: &Network, reserving: &[&Device]) -> Option<Finding> {
    let subnet = network.subnet.value;
    let gateway = network.gateway.as_ref().filter(|at| !link_local(at.value));
    let pool = network
        .pool
        .iter()
        .flat_map(|pool| [&pool.first, &pool.last]);
    let reserved = reserving
        .iter()
        .filter_map(|device| device.address.as_ref());
    let addresses: Vec<&Spanned<IpAddr>> =
        gateway.into_iter().chain(pool).chain(reserved).collect();
    let parts =
        usize::from(gateway.is_some()) + usize::from(network.pool.is_some()) + reserving.len();
    if parts < 3 || addresses.iter().any(|at| subnet.contains(&at.value)) {
        return None;
    }
    let name = &network.name.value;
    let first = addresses.first()?;
    let message = format!(
        "none of the {} addresses of network `{name}` is in its subnet {subnet}",
        addresses.len()
    );
    Some(
        Finding::new(&SW401, network.span, network.subnet.span, message)
            .label("holds none of them")
            .related(first.span, "the first of them")
            .help(format!("correct the subnet of `{name}`")),
    )
}

/// A router may go by its link-local address, which is in no subnet (RFC 4861, section 4.2).
fn link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn gateway(network: &Network) -> Option<Finding> {
    let gateway = network.gateway.as_ref()?;
    let (name, address, subnet) = (&network.name.value, gateway.value, network.subnet.value);
    if link_local(address) {
        return None;
    }
    if !subnet.contains(&address) {
        let message =
            format!("gateway {address} of network `{name}` is not in its subnet {subnet}");
        return Some(outside(network, network.span, gateway.span, message));
    }
    if let Some(what) = no_host(network, address) {
        let message = format!("gateway {address} of network `{name}` is the {what} of {subnet}");
        return Some(not_a_host(network, network.span, gateway.span, message));
    }
    let pool = network
        .pool
        .as_ref()
        .filter(|pool| pool_contains(pool, address))?;
    let message = format!("gateway {address} of network `{name}` is inside its pool");
    Some(inside_pool(pool, network.span, gateway.span, message))
}

fn pool_outside(network: &Network) -> Option<Finding> {
    let pool = network.pool.as_ref()?;
    let subnet = network.subnet.value;
    let ends: Vec<&Spanned<IpAddr>> = [&pool.first, &pool.last]
        .into_iter()
        .filter(|end| !subnet.contains(&end.value))
        .collect();
    let span = match ends.as_slice() {
        [] => return pool_end(network, pool),
        [end] => end.span,
        _ => pool.span,
    };
    let message = format!(
        "pool {} to {} of network `{}` is not within its subnet {subnet}",
        pool.first.value, pool.last.value, network.name.value
    );
    Some(outside(network, network.span, span, message))
}

/// A pool that reaches an address that no host can have.
fn pool_end(network: &Network, pool: &Pool) -> Option<Finding> {
    let mut ends = [&pool.first, &pool.last].into_iter();
    let (end, what) = ends.find_map(|end| Some((end, no_host(network, end.value)?)))?;
    let message = format!(
        "the pool of network `{}` gives out {}, the {what} of {}",
        network.name.value, end.value, network.subnet.value
    );
    Some(not_a_host(network, network.span, end.span, message))
}

/// What the address is in the subnet, where no host can have it.
fn no_host(network: &Network, address: IpAddr) -> Option<&'static str> {
    let subnet = network.subnet.value;
    let (first, last) = host_range(subnet);
    match address {
        _ if (first..=last).contains(&address) => None,
        _ if address == subnet.network() => Some("network address"),
        _ if address == subnet.broadcast() => Some("broadcast address"),
        _ => None,
    }
}

fn not_a_host(network: &Network, node: Span, span: Span, message: String) -> Finding {
    let (first, last) = host_range(network.subnet.value);
    Finding::new(&SW401, node, span, message)
        .label("no host can have it")
        .related(network.subnet.span, "subnet declared here")
        .help(format!("choose from {first} to {last}"))
}

fn reservation(network: &Network, device: &Device) -> Option<Finding> {
    let reserved = device.address.as_ref()?;
    let (name, address) = (&device.name.value, reserved.value);
    if !network.subnet.contains(&address) {
        let message = format!(
            "address {address} of `{name}` is not in {}, the subnet of network `{}`",
            network.subnet.value, network.name.value
        );
        return Some(outside(network, device.span, reserved.span, message));
    }
    if let Some(what) = no_host(network, address) {
        let message = format!(
            "address {address} of `{name}` is the {what} of network `{}`",
            network.name.value
        );
        return Some(not_a_host(network, device.span, reserved.span, message));
    }
    let pool = network
        .pool
        .as_ref()
        .filter(|pool| pool_contains(pool, address))?;
    let message = format!(
        "address {address} of `{name}` is inside the pool of network `{}`",
        network.name.value
    );
    Some(inside_pool(pool, device.span, reserved.span, message))
}

fn outside(network: &Network, node: Span, span: Span, message: String) -> Finding {
    let (first, last) = host_range(network.subnet.value);
    Finding::new(&SW401, node, span, message)
        .label("outside the subnet")
        .related(network.subnet.span, "subnet declared here")
        .help(format!(
            "choose from {first} to {last}, or correct the subnet"
        ))
}

fn inside_pool(pool: &Pool, node: Span, span: Span, message: String) -> Finding {
    Finding::new(&SW401, node, span, message)
        .label("the DHCP server may give it to somebody else")
        .related(pool.span, "pool declared here")
        .help("choose an address outside the pool, or make the pool smaller")
}

/// PBXs and servers that stand in a network with a pool. One host may have several roles: it is told once.
fn servers_in_pools(topology: &Topology) -> Vec<Finding> {
    let pbxs = topology.pbxs.iter().map(|pbx| {
        let what = format!("the {} PBX `{}`", role_name(pbx.role.value), pbx.name.value);
        (pbx.span, &pbx.address, what)
    });
    let dhcp = topology.dhcp.iter().flat_map(|service| {
        service.servers.iter().map(|server| {
            let what = format!("DHCP server `{}`", server.name.value);
            (service.span, &server.address, what)
        })
    });
    let dns = topology.dns.iter().flat_map(|zone| {
        zone.servers.iter().map(|server| {
            let what = format!("DNS server `{}`", server.name.value);
            (zone.span, &server.address, what)
        })
    });
    let subnets = Subnets::of(topology);
    let mut told: HashSet<IpAddr> = topology
        .networks
        .iter()
        .filter_map(|network| Some(network.gateway.as_ref()?.value))
        .collect();
    let asked = topology.networks.iter().flat_map(|network| {
        let with_role = |role: &'static str| {
            move |address| {
                (
                    network.span,
                    address,
                    format!("{role} of network `{}`", network.name.value),
                )
            }
        };
        let dns = network.dns.iter().map(with_role("a DNS server"));
        dns.chain(network.ntp.iter().map(with_role("a time server")))
    });
    pbxs.chain(dhcp)
        .chain(dns)
        .chain(asked)
        .filter_map(|(node, address, what)| {
            let network = subnets.network_of(address.value)?;
            let pool = network
                .pool
                .as_ref()
                .filter(|pool| pool_contains(pool, address.value))?;
            told.insert(address.value).then(|| {
                let message = format!(
                    "address {} of {what} is inside the pool of network `{}`",
                    address.value, network.name.value
                );
                inside_pool(pool, node, address.span, message)
            })
        })
        .collect()
}

fn capacity(topology: &Topology) -> Vec<Finding> {
    let devices = devices_by_network(topology);
    // Software has the address of the computer that it runs on.
    let needs_lease = |device: &&&Device| {
        device.address.is_none()
            && model(&device.model).map(|model| model.class) != Some(DeviceClass::Client)
    };
    topology
        .networks
        .iter()
        .filter_map(|network| {
            let here = devices.get(network.name.value.as_str())?;
            let needed = here.iter().filter(needs_lease).count() as u64;
            match &network.pool {
                Some(pool) => too_small(network, pool, needed),
                None => no_pool(topology, network, needed),
            }
        })
        .collect()
}

fn too_small(network: &Network, pool: &Pool, needed: u64) -> Option<Finding> {
    let size = u64::try_from(pool_size(pool))
        .ok()
        .filter(|size| *size < needed)?;
    let name = &network.name.value;
    let missing = needed - size;
    let message = format!(
        "the pool of network `{name}` has {} for {} without a reservation",
        addresses(size),
        counted(needed, "device"),
    );
    let end = after(pool.last.value, missing.into());
    let (_, last) = host_range(network.subnet.value);
    let help = match end.filter(|end| number(*end) <= number(last)) {
        Some(end) => format!(
            "let the pool end at {end} or later, or reserve {}",
            addresses(missing)
        ),
        None => format!(
            "make room for {missing} more: a wider subnet, a second network, or reservations"
        ),
    };
    Some(
        Finding::new(&SW402, network.span, pool.span, message)
            .label(format!("{missing} too few"))
            .help(help),
    )
}

fn addresses(number: u64) -> String {
    let plural = if number == 1 { "" } else { "es" };
    format!("{number} address{plural}")
}

/// A pool that is not declared may be kept elsewhere, unless the DHCP server is configured from here.
fn no_pool(topology: &Topology, network: &Network, needed: u64) -> Option<Finding> {
    let reference = network.dhcp.as_ref()?;
    let service = topology.dhcp.get(&reference.value)?;
    let server = service
        .servers
        .iter()
        .find(|server| server.target.is_some())?;
    if needed == 0 {
        return None;
    }
    let name = &network.name.value;
    let message = format!(
        "network `{name}` has no pool for {} without a reservation",
        counted(needed, "device")
    );
    Some(
        Finding::new(&SW402, network.span, reference.span, message)
            .label("has nothing to give out here")
            .related(server.name.span, "configured from this topology")
            .help(format!(
                "give `{name}` a `pool` of {} or more, or each device an `address`",
                addresses(needed)
            )),
    )
}
