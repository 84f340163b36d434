//! SW4xx: the network services around the pair – addresses, names, leases, time, and what falls together.
//!
//! Nothing here is the vendor's word. Each rule names the standard or the manual that it rests on.

mod addresses;
mod dhcp;
mod failure_domains;
mod names;
mod options;
mod records;
mod subnets;
mod time;

pub(crate) use addresses::{SW401, SW402};
pub(crate) use dhcp::{SW406, SW408};
pub(crate) use failure_domains::{SW410, SW411};
pub(crate) use names::{SW403, SW404, SW405};
pub(crate) use options::SW409;
pub(crate) use records::{SW412, SW413};
pub(crate) use time::SW407;

use std::collections::HashMap;
use std::net::IpAddr;

use switchover_topology::model::{Device, Pbx};
use switchover_topology::{Severity, Topology};

use crate::registry::{Check, Rule};

/// What these rules have in common.
const SERVICE: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Warning,
    summary: "",
    sources: &[],
    wms: "any",
    explanation: "",
    acknowledgeable: true,
    looks_at: &[],
    check: Check::Reading,
};

/// The devices of each network that has any, by the network's name.
fn devices_by_network(topology: &Topology) -> HashMap<&str, Vec<&Device>> {
    let mut networks: HashMap<&str, Vec<&Device>> = HashMap::new();
    for device in &topology.devices {
        if let Some(network) = &device.network {
            networks.entry(&network.value).or_default().push(device);
        }
    }
    networks
}

fn pbxs_by_address(topology: &Topology) -> HashMap<IpAddr, &Pbx> {
    topology
        .pbxs
        .iter()
        .map(|pbx| (pbx.address.value, pbx))
        .collect()
}

/// A host name or domain as names are compared: without the final dot, in lower case.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether a host is the zone or below it; both as [`plain`] gives them.
fn is_below(host: &str, zone: &str) -> bool {
    host.strip_suffix(zone)
        .is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b`, `c` and 4 more ``.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [front @ .., last] if front.len() < SHOWN => format!("{} and {last}", front.join(", ")),
        all => format!("{} and {} more", all[..SHOWN].join(", "), all.len() - SHOWN),
    }
}
