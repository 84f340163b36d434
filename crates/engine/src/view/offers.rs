//! What a target's DHCP server should offer: to one device of each of its networks, so that it can be asked afterwards.

use std::collections::BTreeMap;

use switchover_plugin_host::wit;
use switchover_topology::model::{Network, Target};
use switchover_topology::{Topology, model};

use super::{options, servers, text};

/// One device with a reservation of each network of the services that name the target.
pub(crate) fn expected(topology: &Topology, target: &Target) -> Vec<wit::ExpectedOffer> {
    let mut devices: BTreeMap<&str, &model::Device> = BTreeMap::new();
    for device in &topology.devices {
        if let (Some(network), Some(_), Some(address)) =
            (&device.network, &device.mac, &device.address)
            && address.value.is_ipv4()
        {
            devices.entry(&network.value).or_insert(device);
        }
    }
    let own = |network: &Network| {
        let service = topology.dhcp.get(network.dhcp.as_deref()?)?;
        let servers = servers(&service.servers, wit::ServerRole::Standby);
        let named = |server: &wit::Server| server.target.as_ref() == Some(&target.name.value);
        Some((service, servers.into_iter().find(named)?.role))
    };
    let offer = |network: &Network| {
        let (service, role) = own(network)?;
        let device = devices.get(network.name.as_str())?;
        Some(wit::ExpectedOffer {
            service: text(&service.name),
            role,
            network: text(&network.name),
            mac: device.mac.as_ref()?.value.to_string().to_lowercase(),
            address: device.address.as_ref()?.value.to_string(),
            options: for_a_device(topology, network),
        })
    };
    topology.networks.iter().filter_map(offer).collect()
}

/// What a device of the network is told, whose hardware address is known. Of an option with one value for everybody and
/// another for telephones nothing is said: which of the two a server prefers is its own affair.
fn for_a_device(topology: &Topology, network: &Network) -> Vec<wit::DhcpOption> {
    let general = options::for_everybody(topology, network);
    let special = options::for_phones(topology, network);
    let contradicts = |a: &wit::DhcpOption, others: &[wit::DhcpOption]| {
        others
            .iter()
            .any(|b| a.code == b.code && a.value != b.value)
    };
    let mut told: BTreeMap<u8, wit::DhcpOption> = BTreeMap::new();
    for option in general.iter().filter(|one| !contradicts(one, &special)) {
        told.insert(option.code, option.clone());
    }
    for option in special.iter().filter(|one| !contradicts(one, &general)) {
        told.insert(option.code, option.clone());
    }
    told.into_values().collect()
}
