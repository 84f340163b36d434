//! Whether clocks agree.

use switchover_catalogue::{Document, Source, rfc};
use switchover_topology::Topology;
use switchover_topology::model::Kind;

use super::{SERVICE, devices_by_network};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::counted;

pub(crate) const SW407: Rule = Rule {
    code: "SW407",
    name: "no-ntp",
    summary: "a network with devices has no time server",
    sources: &[
        rfc(2132, "8.3"),
        Source {
            document: Document::KeaManual,
            section: "Clocks on the Active Servers",
        },
    ],
    explanation: include_str!("../../explanations/SW407.md"),
    looks_at: &[Kind::Network, Kind::Device],
    check: Check::Topology(ntp),
    ..SERVICE
};

fn ntp(topology: &Topology) -> Vec<Finding> {
    let devices = devices_by_network(topology);
    topology
        .networks
        .iter()
        .filter(|network| network.ntp.is_empty())
        .filter_map(|network| {
            let number = devices.get(network.name.value.as_str())?.len() as u64;
            let message = format!(
                "network `{}` has {}, but no time server",
                network.name.value,
                counted(number, "device")
            );
            Some(
                Finding::new(&SW407, network.span, network.span, message)
                    .label("no `ntp` here")
                    .help(
                        "name a time server that devices, DHCP servers and both PBXs use: `ntp \"…\"`; it must not be \
                         the main PBX alone",
                    ),
            )
        })
        .collect()
}
