//! What the devices' networks need so that devices find the failover PBX.

use std::collections::{BTreeMap, BTreeSet};

use switchover_catalogue::{DeviceClass, Document, Source, model};
use switchover_topology::model::{Device, Dhcp, Kind, Network, Pbx, PbxRole};
use switchover_topology::{Severity, Topology};

use super::{REQUIREMENTS, SINCE_3_86, counted, of_role, role_name};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW105: Rule = Rule {
    code: "SW105",
    name: "dns-only-on-main-pbx",
    severity: Severity::Error,
    summary: "devices have the main PBX as primary DNS server and no secondary one",
    sources: REQUIREMENTS,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW105.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Network, Kind::Device],
    check: Check::Topology(dns),
};

pub(crate) const SW106: Rule = Rule {
    code: "SW106",
    name: "no-separate-dhcp-server",
    severity: Severity::Error,
    summary: "a network with telephones or gateways has no DHCP server of its own, or a PBX is one",
    sources: &[
        Source {
            document: Document::Guide386,
            section: "Current (temporary) limitations/special configuration",
        },
        Source {
            document: Document::Guide50X60X,
            section: "Current (temporary) limitations/special configuration",
        },
    ],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW106.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Network, Kind::Dhcp, Kind::Device],
    check: Check::Topology(dhcp),
};

fn dns(topology: &Topology) -> Vec<Finding> {
    let with_devices: BTreeSet<&str> = topology.devices.iter().filter_map(network_of).collect();
    topology
        .networks
        .iter()
        .filter(|network| with_devices.contains(network.name.value.as_str()))
        .filter_map(|network| {
            let primary = network.dns.first()?;
            let main = of_role(topology, PbxRole::Main).find(|pbx| pbx.address.value == primary.value)?;
            // The same server named twice is no second server.
            let no_other = network.dns.iter().all(|server| server.value == primary.value);
            no_other.then(|| {
                let message = format!(
                    "the main PBX `{}` ({}) is the only DNS server of the devices in network `{}`",
                    main.name.value, primary.value, network.name.value
                );
                Finding::new(&SW105, network.span, primary.span, message)
                    .label("down together with the main PBX")
                    .related(main.address.span, "main PBX declared here")
                    .help("name a DNS server that is not the main PBX: first, or as the second one after it")
            })
        })
        .collect()
}

fn dhcp(topology: &Topology) -> Vec<Finding> {
    // For each voice network the first telephone or gateway in it, and how many there are.
    let mut voice: BTreeMap<&str, (&Device, u64)> = BTreeMap::new();
    for device in topology.devices.iter().filter(|device| needs_dhcp(device)) {
        if let Some(network) = network_of(device) {
            voice.entry(network).or_insert((device, 0)).1 += 1;
        }
    }

    let mut findings = Vec::new();
    let mut services: Vec<&Dhcp> = Vec::new();
    for network in &topology.networks {
        let Some(&(first, number)) = voice.get(network.name.value.as_str()) else {
            continue;
        };
        match service_of(topology, network) {
            Service::None => findings.push(no_service(network, first, number)),
            Service::Unknown => {}
            Service::Of(service) => {
                findings.extend(no_server_inside(topology, network, service));
                if !services.iter().any(|known| known.span == service.span) {
                    services.push(service);
                }
            }
        }
    }
    findings.extend(
        services
            .into_iter()
            .flat_map(|service| pbxs_serving(topology, service)),
    );
    findings
}

enum Service<'a> {
    Of(&'a Dhcp),
    None,
    /// Named, but not declared or left out: reported elsewhere.
    Unknown,
}

fn service_of<'a>(topology: &'a Topology, network: &Network) -> Service<'a> {
    match &network.dhcp {
        None => Service::None,
        Some(name) => topology
            .dhcp
            .get(&name.value)
            .map_or(Service::Unknown, Service::Of),
    }
}

fn no_service(network: &Network, first: &Device, number: u64) -> Finding {
    let name = &network.name.value;
    let message = format!(
        "network `{name}` has {}, but no DHCP service",
        counted(number, "voice device")
    );
    Finding::new(&SW106, network.span, network.span, message)
        .label("no `dhcp` here")
        .related(first.name.span, "a telephone or gateway in this network")
        .help(format!(
            "run a DHCP server in {}, on no PBX, declare it as a `dhcp` node and name that in network `{name}`",
            network.subnet.value
        ))
}

fn no_server_inside(topology: &Topology, network: &Network, service: &Dhcp) -> Option<Finding> {
    let inside = service
        .servers
        .iter()
        .any(|server| network.subnet.value.contains(&server.address.value));
    if inside || topology.incomplete.contains(&Kind::Dhcp) {
        return None;
    }
    let (name, subnet) = (&network.name.value, network.subnet.value);
    let message = format!(
        "no server of `{}` is in network `{name}` ({subnet})",
        service.name.value
    );
    let reference = network
        .dhcp
        .as_ref()
        .map_or(network.span, |written| written.span);
    let finding = Finding::new(&SW106, network.span, reference, message)
        .label("its servers are all elsewhere")
        .help(format!(
            "put one of the servers into {subnet}; where a relay reaches them reliably, acknowledge SW106 in network \
             `{name}` with that reason"
        ));
    Some(service.servers.iter().fold(finding, |finding, server| {
        finding.related(
            server.address.span,
            format!("`{}` is at {}", server.name.value, server.address.value),
        )
    }))
}

fn pbxs_serving<'a>(
    topology: &'a Topology,
    service: &'a Dhcp,
) -> impl Iterator<Item = Finding> + 'a {
    let pbx_at = |address| {
        topology
            .pbxs
            .iter()
            .find(|pbx: &&Pbx| pbx.address.value == address)
    };
    service.servers.iter().filter_map(move |server| {
        let pbx = pbx_at(server.address.value)?;
        let role = role_name(pbx.role.value);
        let message = format!(
            "DHCP server `{}` ({}) is the {role} PBX `{}`",
            server.name.value, server.address.value, pbx.name.value
        );
        Some(
            Finding::new(&SW106, service.span, server.address.span, message)
                .label(format!("the address of `{}`", pbx.name.value))
                .related(pbx.address.span, format!("{role} PBX declared here"))
                .help("serve DHCP from a host that is no PBX, so that leases outlive the PBX"),
        )
    })
}

/// An unknown model is taken for none of both.
fn needs_dhcp(device: &Device) -> bool {
    model(&device.model)
        .is_some_and(|model| matches!(model.class, DeviceClass::Phone | DeviceClass::Gateway))
}

fn network_of(device: &Device) -> Option<&str> {
    device
        .network
        .as_ref()
        .map(|network| network.value.as_str())
}
