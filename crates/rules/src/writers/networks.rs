//! Networks and zones that nothing is written for.

use std::collections::BTreeMap;

use switchover_topology::model::{Device, Dhcp, Dns, Kind, Network, Provisioning};
use switchover_topology::{Span, Spanned, Topology};

use super::devices::{has_templates, is_hardware};
use super::{WRITTEN, Written, files, has_targets, is_written, leases};
use crate::devices::Fleet;
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::counted;

pub(crate) const SW503: Rule = Rule {
    code: "SW503",
    name: "network-not-configured",
    summary: "no target writes the DHCP service or the provisioning files of a network",
    explanation: include_str!("../../explanations/SW503.md"),
    looks_at: &[
        Kind::Network,
        Kind::Dhcp,
        Kind::Provisioning,
        Kind::Device,
        Kind::Target,
    ],
    check: Check::Fleet(networks),
    ..WRITTEN
};

pub(crate) const SW506: Rule = Rule {
    code: "SW506",
    name: "zone-not-configured",
    summary: "no target writes the records of a zone",
    explanation: include_str!("../../explanations/SW506.md"),
    looks_at: &[Kind::Dns, Kind::Target],
    check: Check::Topology(zones),
    ..WRITTEN
};

/// Devices of one network.
#[derive(Default)]
struct Inhabitants<'a> {
    hardware: u64,
    /// Those for which there is a provisioning file.
    with_file: Vec<&'a Device>,
}

fn networks(fleet: &Fleet<'_>) -> Vec<Finding> {
    let topology = fleet.topology;
    if !has_targets(topology) {
        return Vec::new();
    }
    let mut inhabitants: BTreeMap<&str, Inhabitants<'_>> = BTreeMap::new();
    for (device, known) in fleet
        .iter()
        .filter(|(device, known)| is_hardware(device, known))
    {
        if let Some(network) = &device.network {
            let here = inhabitants.entry(&network.value).or_default();
            here.hardware += 1;
            if has_templates(known) {
                here.with_file.push(device);
            }
        }
    }

    let mut findings = Vec::new();
    let of = |network: &Network| inhabitants.get(network.name.value.as_str());
    for network in &topology.networks {
        let here = of(network);
        // That telephones and gateways need a DHCP service is SW106's.
        let lone_pool = network
            .pool
            .as_ref()
            .filter(|_| here.is_none_or(|here| here.hardware == 0));
        if let (Written::Unnamed, Some(pool)) = (leases(topology, network), lone_pool) {
            findings.push(pool_without_service(network, pool.span));
        }
        if let (Written::Unnamed, Some(here)) = (files(topology, network), here)
            && let Some(first) = here.with_file.first()
        {
            findings.push(no_files(network, first, here.with_file.len() as u64));
        }
    }
    for service in &topology.dhcp {
        let used = topology.networks.iter().find(|network| {
            network.dhcp.as_deref() == Some(&service.name.value)
                && leases(topology, network) == Written::No
        });
        findings.extend(used.map(|network| dhcp(service, network)));
    }
    for service in &topology.provisioning {
        let used = topology.networks.iter().find(|network| {
            network.provisioning.as_deref() == Some(&service.name.value)
                && files(topology, network) == Written::No
        });
        findings.extend(used.map(|network| provisioning(service, network)));
    }
    findings
}

fn pool_without_service(network: &Network, pool: Span) -> Finding {
    let name = &network.name.value;
    let message =
        format!("no DHCP server is given the pool of network `{name}`: it names no `dhcp`");
    Finding::new(&SW503, network.span, pool, message)
        .label("nobody hands these out")
        .help(format!(
            "name the service in `{name}`: `dhcp \"…\"`; if another tool configures it, acknowledge SW503 in `{name}`"
        ))
}

fn no_files(network: &Network, first: &Device, number: u64) -> Finding {
    let name = &network.name.value;
    let message = format!(
        "no provisioning files are written for {} in network `{name}`: it names no `provisioning`",
        counted(number, "device")
    );
    Finding::new(&SW503, network.span, network.name.span, message)
        .label("no `provisioning` here")
        .related(first.name.span, "the first of them")
        .help(format!(
            "declare a `provisioning` node with a target and name it in `{name}`; if the devices are configured by \
             hand or by the PBX, acknowledge SW503 in `{name}`"
        ))
}

fn dhcp(service: &Dhcp, network: &Network) -> Finding {
    let name = &service.name.value;
    let message = format!("no target writes the leases of `{name}`: none of its servers names one");
    let finding = Finding::new(&SW503, service.span, service.name.span, message)
        .label("no server here has a `target`");
    named_by(finding, network, network.dhcp.as_ref()).help(format!(
        "give a server its target, such as `target=\"kea\"`; if another tool configures it, acknowledge SW503 in `{name}`"
    ))
}

fn provisioning(service: &Provisioning, network: &Network) -> Finding {
    let name = &service.name.value;
    let message = format!("no target writes the provisioning files of `{name}`");
    let finding =
        Finding::new(&SW503, service.span, service.name.span, message).label("no `target` here");
    named_by(finding, network, network.provisioning.as_ref()).help(format!(
        "name a target with `plugin=\"provisioning\"`; if another tool writes the files, acknowledge SW503 in `{name}`"
    ))
}

fn named_by(finding: Finding, network: &Network, reference: Option<&Spanned<String>>) -> Finding {
    match reference {
        Some(reference) => finding.related(
            reference.span,
            format!("network `{}` relies on it", network.name.value),
        ),
        None => finding,
    }
}

fn zones(topology: &Topology) -> Vec<Finding> {
    if !has_targets(topology) || topology.incomplete.contains(&Kind::Dns) {
        return Vec::new();
    }
    let left_out = topology
        .dns
        .iter()
        .filter(|zone| !is_written(&zone.servers));
    left_out.map(zone).collect()
}

fn zone(zone: &Dns) -> Finding {
    let name = &zone.name.value;
    let message =
        format!("no target writes the records of `{name}`: none of its servers names one");
    Finding::new(&SW506, zone.span, zone.name.span, message)
        .label("no server here has a `target`")
        .help(format!(
            "give its primary server a target, such as `target=\"zone\"`; if another tool writes the zone, acknowledge \
             SW506 in `{name}`"
        ))
}
