//! What the engine does with an adoption, as far as plugins are concerned.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use switchover_sdk::{
    Adopting, Adoption, Answer, DhcpService, Network, Plugin, Role, ServerRef, ServerRole, Target,
    View, Zone,
};

use crate::{by_address, device, network, server};

/// What the plugin finds in the answers.
///
/// # Panics
/// Where it fails, or asks for more.
#[must_use]
pub fn adoption<P: Plugin>(target: &Target, answers: &[Answer]) -> Adoption {
    match P::adopt(target, answers).unwrap() {
        Adopting::Found(adoption) => adoption,
        Adopting::More(queries) => panic!("{queries:?}"),
    }
}

/// A view that says what the adoption does: of networks and zones those that may be handed over, each network with a
/// service of its own.
#[must_use]
pub fn view_of(adoption: &Adoption) -> View {
    let mut view = View::empty("adopted");
    for adopted in adoption
        .networks
        .iter()
        .filter(|network| network.stays.is_none())
    {
        let name = adopted
            .name
            .clone()
            .unwrap_or_else(|| adopted.subnet.clone());
        let service = format!("dhcp-{name}");
        view.roles.push(Role::DhcpServer(here(&service)));
        view.dhcp.push(DhcpService {
            name: service.clone(),
            servers: vec![server("here", "10.20.30.5", ServerRole::Primary)],
            lease_seconds: adopted.lease_seconds.unwrap_or_default(),
        });
        view.networks.push(Network {
            pool: adopted.pool.clone(),
            dhcp: Some(service),
            options: adopted.options.clone(),
            ..network(&name, &adopted.subnet)
        });
        let subnet: Option<Ipv4Net> = adopted.subnet.parse().ok();
        for one in adoption
            .devices
            .iter()
            .filter(|device| device.stays.is_none())
        {
            let address: Option<Ipv4Addr> = one.address.as_ref().and_then(|text| text.parse().ok());
            let inside = subnet
                .zip(address)
                .is_some_and(|(subnet, address)| subnet.contains(&address));
            if one
                .subnet
                .as_ref()
                .map_or(inside, |subnet| *subnet == adopted.subnet)
            {
                let mut device = device(&one.name, &one.mac, one.address.as_deref());
                device.network = Some(name.clone());
                view.devices.push(device);
            }
        }
    }
    for adopted in adoption.zones.iter().filter(|zone| zone.stays.is_none()) {
        let ttl_seconds = adopted.ttl_seconds.unwrap_or_default();
        let mut records = adopted.records.clone();
        records
            .iter_mut()
            .for_each(|record| record.ttl_seconds = ttl_seconds);
        view.roles.push(Role::DnsServer(here(&adopted.name)));
        view.zones.push(Zone {
            name: adopted.name.clone(),
            servers: vec![server("here", "10.20.30.5", ServerRole::Primary)],
            ttl_seconds,
            records,
        });
    }
    view
}

fn here(service: &str) -> ServerRef {
    ServerRef {
        service: service.into(),
        server: "here".into(),
    }
}

/// The addresses of what would be wanted if the topology said what was found, each held against what is there. One that
/// would change something begins with `!`.
#[must_use]
pub fn handed_over<P: Plugin>(target: &Target, answers: &[Answer]) -> Vec<String> {
    let view = view_of(&adoption::<P>(target, answers));
    let there = by_address(&P::current(target, answers).unwrap());
    let wanted = by_address(&P::desired(&view, target).unwrap());
    let held = wanted
        .into_iter()
        .map(|(address, value)| match there.get(&address) {
            Some(found) if *found == value => address,
            _ => format!("!{address}"),
        });
    held.collect()
}
