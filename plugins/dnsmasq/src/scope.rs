//! Which parts of the topology a target serves.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use switchover_sdk::{Device, DhcpService, Network, Role, Server, ServerRole, View, Zone};

/// A network that a DHCP service of the target serves.
pub(crate) struct Served<'a> {
    pub(crate) network: &'a Network,
    pub(crate) service: &'a DhcpService,
    /// None where the network is not IPv4, which `check` reports.
    pub(crate) subnet: Option<Ipv4Net>,
}

/// The networks of the services that the target is a server of, in the order of the topology.
pub(crate) fn served(view: &View) -> impl Iterator<Item = Served<'_>> {
    view.networks.iter().filter_map(|network| {
        let service = own_services(view)
            .find(|(service, _)| Some(&service.name) == network.dhcp.as_ref())?
            .0;
        let subnet = network.subnet.parse().ok().map(|net: Ipv4Net| net.trunc());
        Some(Served {
            network,
            service,
            subnet,
        })
    })
}

/// The services that the target is a server of, each with the server that it is.
pub(crate) fn own_services(view: &View) -> impl Iterator<Item = (&DhcpService, &Server)> {
    view.roles.iter().filter_map(|role| {
        let Role::DhcpServer(place) = role else {
            return None;
        };
        let service = view
            .dhcp
            .iter()
            .find(|service| service.name == place.service)?;
        let server = service
            .servers
            .iter()
            .find(|server| server.name == place.server)?;
        Some((service, server))
    })
}

/// Whether another server of the service is its primary.
pub(crate) fn is_standby(service: &DhcpService, server: &Server) -> bool {
    let primary = service
        .servers
        .iter()
        .find(|server| server.role == ServerRole::Primary);
    primary.is_some_and(|primary| primary.name != server.name)
}

/// The zones that the target is a server of.
pub(crate) fn own_zones(view: &View) -> impl Iterator<Item = &Zone> {
    view.zones.iter().filter(|zone| {
        view.roles
            .iter()
            .any(|role| matches!(role, Role::DnsServer(place) if place.service == zone.name))
    })
}

impl<'a> Served<'a> {
    /// Devices of the network that have a reservation, with their hardware and IPv4 addresses.
    pub(crate) fn reserved(
        &self,
        view: &'a View,
    ) -> impl Iterator<Item = (&'a Device, &'a str, Ipv4Addr)> {
        view.devices.iter().filter_map(|device| {
            let mac = device.mac.as_deref()?;
            let address = device.address.as_ref()?.parse().ok()?;
            (device.network.as_ref() == Some(&self.network.name)).then_some((device, mac, address))
        })
    }

    /// Whether there are telephones to know and options to give them.
    pub(crate) fn has_phone_options(&self) -> bool {
        !self.network.phone_ouis.is_empty() && !self.network.phone_options.is_empty()
    }
}
