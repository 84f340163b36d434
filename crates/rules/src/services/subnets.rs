use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;
use switchover_topology::Topology;
use switchover_topology::model::{Network, Pool};

/// Finds the network of an address without looking at every network.
pub(super) struct Subnets<'a> {
    networks: HashMap<IpNet, &'a Network>,
    /// The prefix lengths that occur.
    lengths: BTreeSet<u8>,
}

impl<'a> Subnets<'a> {
    pub(super) fn of(topology: &'a Topology) -> Self {
        let mut networks = HashMap::new();
        for network in &topology.networks {
            networks
                .entry(network.subnet.value.trunc())
                .or_insert(network);
        }
        let lengths = networks.keys().map(IpNet::prefix_len).collect();
        Self { networks, lengths }
    }

    /// The network with the smallest subnet that holds the address.
    pub(super) fn network_of(&self, address: IpAddr) -> Option<&'a Network> {
        self.lengths.iter().rev().find_map(|&length| {
            // A length beyond 32 is for IPv6 alone.
            let subnet = IpNet::new(address, length).ok()?;
            self.networks.get(&subnet.trunc()).copied()
        })
    }
}

/// An address as a number: to count addresses and to step from one to another.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The address `steps` after this one; none past the last that there is.
pub(super) fn after(address: IpAddr, steps: u128) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let steps = u32::try_from(steps).ok()?;
            Some(IpAddr::V4(u32::from(address).checked_add(steps)?.into()))
        }
        IpAddr::V6(address) => Some(IpAddr::V6(u128::from(address).checked_add(steps)?.into())),
    }
}

/// The first and the last address that a host can have.
pub(super) fn host_range(subnet: IpNet) -> (IpAddr, IpAddr) {
    match subnet {
        IpNet::V4(subnet) if subnet.prefix_len() < 31 => {
            let (first, last) = (u32::from(subnet.network()), u32::from(subnet.broadcast()));
            (
                IpAddr::V4((first + 1).into()),
                IpAddr::V4((last - 1).into()),
            )
        }
        _ => (subnet.network(), subnet.broadcast()),
    }
}

pub(super) fn pool_contains(pool: &Pool, address: IpAddr) -> bool {
    address.is_ipv4() == pool.first.is_ipv4()
        && (pool.first.value..=pool.last.value).contains(&address)
}

/// How many addresses a pool has.
pub(super) fn pool_size(pool: &Pool) -> u128 {
    number(pool.last.value)
        .saturating_sub(number(pool.first.value))
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(subnet: &str) -> [String; 2] {
        let (first, last) = host_range(subnet.parse().unwrap());
        [first.to_string(), last.to_string()]
    }

    #[test]
    fn hosts_lie_between_network_and_broadcast_address() {
        assert_eq!(range("10.0.0.0/24"), ["10.0.0.1", "10.0.0.254"]);
        assert_eq!(range("10.0.0.0/30"), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(range("10.0.0.0/31"), ["10.0.0.0", "10.0.0.1"]);
        assert_eq!(range("0.0.0.0/0"), ["0.0.0.1", "255.255.255.254"]);
        assert_eq!(range("2001:db8::/126"), ["2001:db8::", "2001:db8::3"]);
    }

    #[test]
    fn steps_end_with_the_addresses() {
        let step = |from: &str, steps| after(from.parse().unwrap(), steps).map(|at| at.to_string());
        assert_eq!(step("10.0.0.255", 1).as_deref(), Some("10.0.1.0"));
        assert_eq!(step("255.255.255.255", 1), None);
        assert_eq!(step("10.0.0.0", u128::MAX), None);
        assert_eq!(step("2001:db8::ffff", 1).as_deref(), Some("2001:db8::1:0"));
        assert_eq!(step("ffff::", u128::MAX), None);
    }
}
