//! Devices that nothing is written for.

use switchover_catalogue::DeviceClass;
use switchover_topology::model::{Device, Kind};

use super::{WRITTEN, Written, files, has_targets, leases};
use crate::devices::{Fleet, Known};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW501: Rule = Rule {
    code: "SW501",
    name: "device-without-network",
    summary: "a telephone or gateway is in no network: it gets no lease and no provisioning file",
    explanation: include_str!("../../explanations/SW501.md"),
    looks_at: &[Kind::Device],
    check: Check::Fleet(without_network),
    ..WRITTEN
};

pub(crate) const SW502: Rule = Rule {
    code: "SW502",
    name: "device-not-configured",
    summary: "no target serves a telephone or gateway, although its network is configured from here",
    explanation: include_str!("../../explanations/SW502.md"),
    looks_at: &[
        Kind::Pbx,
        Kind::Network,
        Kind::Dhcp,
        Kind::Provisioning,
        Kind::Device,
        Kind::Target,
    ],
    check: Check::Fleet(not_served),
    ..WRITTEN
};

/// Something with a plug. What the catalogue does not know is that if it has a hardware address.
pub(super) fn is_hardware(device: &Device, known: &Known<'_>) -> bool {
    known.model.map_or(device.mac.is_some(), |model| {
        model.class != DeviceClass::Client
    })
}

/// Whether a provisioning file can be written for devices of this model.
pub(super) fn has_templates(known: &Known<'_>) -> bool {
    known.model.is_some_and(|model| model.templates.is_some())
}

fn without_network(fleet: &Fleet<'_>) -> Vec<Finding> {
    let networks = &fleet.topology.networks;
    let example = networks
        .iter()
        .next()
        .map_or("voice", |network| network.name.value.as_str());
    fleet
        .iter()
        .filter(|(device, known)| device.network.is_none() && is_hardware(device, known))
        .map(|(device, _)| {
            let name = &device.name.value;
            let message =
                format!("`{name}` is in no network: it gets no lease and no provisioning file");
            Finding::new(&SW501, device.span, device.name.span, message)
                .label("no `network` here")
                .help(format!(
                    "name its network, such as `network=\"{example}\"`, here or in `defaults \"device\"`; if somebody \
                     configures it by hand, acknowledge SW501 in `{name}`"
                ))
        })
        .collect()
}

fn not_served(fleet: &Fleet<'_>) -> Vec<Finding> {
    let topology = fleet.topology;
    let by_pbx = topology.pbxs.iter().any(|pbx| pbx.target.is_some());
    if by_pbx || !has_targets(topology) || topology.incomplete.contains(&Kind::Pbx) {
        return Vec::new();
    }
    fleet
        .iter()
        .filter(|(device, known)| is_hardware(device, known))
        .filter_map(|(device, known)| {
            let name = &device.network.as_ref()?.value;
            let network = topology.networks.get(name)?;
            // A network of which nothing is written is told as such. What is left is a model for which no file can be
            // written, and it has no lease from here either.
            let no_file = !has_templates(known)
                && matches!(files(topology, network), Written::Yes | Written::Unnamed);
            let no_lease = matches!(leases(topology, network), Written::No | Written::Unnamed);
            let left_out = no_file && no_lease;
            left_out.then(|| not_configured(device, name))
        })
        .collect()
}

fn not_configured(device: &Device, network: &str) -> Finding {
    let (name, model) = (&device.name.value, &device.model.value);
    let message = format!(
        "no target serves `{name}`: there is no provisioning file for a {model}, and no target writes the leases of \
         network `{network}`"
    );
    Finding::new(&SW502, device.span, device.model.span, message)
        .label("no file for this model")
        .help(format!(
            "give the network a DHCP server with a target, or a PBX a target that registers devices; if somebody \
             configures it by hand, acknowledge SW502 in `{name}`"
        ))
}
