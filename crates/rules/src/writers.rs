//! SW5xx: who configures what is declared. What no target writes is left to people, and nobody notices by reading a
//! plan: it is not in it.
//!
//! One cause is told once: a device without a network is not also a device that no target serves, and a site without
//! any target is one note in place of all that follows from it.

mod devices;
mod networks;
mod pbxs;

pub(crate) use devices::{SW501, SW502};
pub(crate) use networks::{SW503, SW506};
pub(crate) use pbxs::{SW504, SW505};

use switchover_catalogue::{Document, Source};
use switchover_topology::model::{Dhcp, Kind, Network, Server};
use switchover_topology::{Severity, Topology};

use crate::registry::{Check, Rule};

/// What these rules have in common.
const WRITTEN: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Warning,
    summary: "",
    sources: &[Source {
        document: Document::Practice,
        section: "what is declared is configured, or somebody knows that it is not",
    }],
    wms: "any",
    explanation: "",
    acknowledgeable: true,
    looks_at: &[],
    check: Check::Reading,
};

/// Whether anything of the site is configured from here. A target that was left out counts.
fn has_targets(topology: &Topology) -> bool {
    !topology.targets.is_empty() || topology.incomplete.contains(&Kind::Target)
}

fn is_written(servers: &[Server]) -> bool {
    servers.iter().any(|server| server.target.is_some())
}

/// What becomes of a part of a network's configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// A target writes it.
    Yes,
    /// The network names a service that no target writes.
    No,
    /// The network names none.
    Unnamed,
    /// The service that it names was left out, or is reported as not declared.
    Unknown,
}

fn leases(topology: &Topology, network: &Network) -> Written {
    let Some(name) = &network.dhcp else {
        return Written::Unnamed;
    };
    let written = |service: &Dhcp| match is_written(&service.servers) {
        true => Written::Yes,
        false if topology.incomplete.contains(&Kind::Dhcp) => Written::Unknown,
        false => Written::No,
    };
    topology
        .dhcp
        .get(&name.value)
        .map_or(Written::Unknown, written)
}

fn files(topology: &Topology, network: &Network) -> Written {
    let Some(name) = &network.provisioning else {
        return Written::Unnamed;
    };
    match topology.provisioning.get(&name.value) {
        None => Written::Unknown,
        Some(service) if service.target.is_some() => Written::Yes,
        Some(_) => Written::No,
    }
}
