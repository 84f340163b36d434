//! Which parts of the topology a target serves, for plugins that configure DHCP and DNS servers.

use std::net::Ipv4Addr;

use crate::{Device, DhcpOption, DhcpService, Network, Role, Server, ServerRole, View, Zone};
use ipnet::Ipv4Net;

/// A network that a DHCP service of the target serves.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// The network.
    pub network: &'a Network,
    /// The service.
    pub service: &'a DhcpService,
    /// None where the network is not IPv4.
    pub subnet: Option<Ipv4Net>,
}

/// The networks of the services that the target is a server of, in the order of the topology.
pub fn served(view: &View) -> impl Iterator<Item = Served<'_>> {
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
pub fn own_services(view: &View) -> impl Iterator<Item = (&DhcpService, &Server)> {
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

/// The zones that the target is a server of.
pub fn own_zones(view: &View) -> impl Iterator<Item = &Zone> {
    view.zones.iter().filter(|zone| {
        view.roles
            .iter()
            .any(|role| matches!(role, Role::DnsServer(place) if place.service == zone.name))
    })
}

/// Whether another server of the service is its primary.
#[must_use]
pub fn is_standby(service: &DhcpService, server: &Server) -> bool {
    let primary = service
        .servers
        .iter()
        .find(|server| server.role == ServerRole::Primary);
    primary.is_some_and(|primary| primary.name != server.name)
}

/// The server with which this one shares the work of a service: the other one of the two that have a target. None where
/// there is no other, or more than one.
#[must_use]
pub fn partner<'a>(service: &'a DhcpService, server: &Server) -> Option<&'a Server> {
    let managed = |other: &&Server| other.name != server.name && other.target.is_some();
    let mut others = service.servers.iter().filter(managed);
    let partner = others.next()?;
    (others.next().is_none() && server.target.is_some()).then_some(partner)
}

impl<'a> Served<'a> {
    /// Devices of the network that have a reservation, with their hardware and IPv4 addresses.
    pub fn reserved(
        &self,
        view: &'a View,
    ) -> impl Iterator<Item = (&'a Device, &'a str, Ipv4Addr)> {
        view.devices.iter().filter_map(|device| {
            let mac = device.mac.as_deref()?;
            let address = device.address.as_ref()?.parse().ok()?;
            (device.network.as_ref() == Some(&self.network.name)).then_some((device, mac, address))
        })
    }

    /// Options for the network's telephones alone; none where no telephone could be told apart.
    #[must_use]
    pub fn phone_options(&self) -> &'a [DhcpOption] {
        if self.network.phone_ouis.is_empty() {
            &[]
        } else {
            &self.network.phone_options
        }
    }

    /// Options for everybody, then those for telephones.
    pub fn options(&self) -> impl Iterator<Item = &'a DhcpOption> + use<'a> {
        self.network.options.iter().chain(self.phone_options())
    }
}

/// A name as a host name of one label, in lower case, where it is one (RFC 1123).
#[must_use]
pub fn host_name(name: &str) -> Option<String> {
    let fits = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    fits.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_label() {
        assert_eq!(host_name("Reception").as_deref(), Some("reception"));
        for name in ["", "-a", "a-", "a b", "a.b", "a_b", &"a".repeat(64)] {
            assert_eq!(host_name(name), None, "{name}");
        }
    }
}
