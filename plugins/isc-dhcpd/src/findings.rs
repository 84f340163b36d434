//! What only this plugin can know to be wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use switchover_sdk::scope::{Served, host_name, is_standby, own_services, partner, served};
use switchover_sdk::{DhcpOption, Finding, OptionValue, Role, Target, View, text};

use crate::desired::is_name;
use crate::manifest::RELOAD;
use crate::option::{OptionDef, option_def};
use crate::rules::{
    DHCPD001, DHCPD002, DHCPD003, DHCPD004, DHCPD005, DHCPD006, DHCPD007, DHCPD008, DHCPD009,
    DHCPD010, DHCPD011, DHCPD012, DHCPD013, DHCPD014,
};

/// An option's length is one byte.
const LONGEST_OPTION: usize = 255;

pub(crate) fn findings(view: &View, target: &Target) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(roles(view, target));
    found.extend(servers(view, target));
    found.extend(reload(target));
    found.extend(networks(view));
    found.extend(served(view).flat_map(|served| options(&served)));
    found.extend(option_types(view));
    found.extend(hosts(view));
    found
}

fn roles(view: &View, target: &Target) -> impl Iterator<Item = Finding> {
    let path = format!("target/{}", target.name);
    view.roles.iter().filter_map(move |role| {
        let role = match role {
            Role::DhcpServer(_) => return None,
            Role::Pbx(name) => format!("PBX `{name}`"),
            Role::DnsServer(server) => format!("DNS server `{}`", server.server),
            Role::Provisioning(name) => format!("provisioning service `{name}`"),
        };
        let message = format!("{role} names this target, but dhcpd serves DHCP only");
        Some(
            DHCPD001
                .at(path.clone(), message)
                .with_help("give it a target of its own"),
        )
    })
}

/// Failover is between two servers that know of each other.
fn servers(view: &View, target: &Target) -> Vec<Finding> {
    let mut found = Vec::new();
    for (service, server) in own_services(view) {
        let path = format!("dhcp/{}", service.name);
        let managed: Vec<_> = service
            .servers
            .iter()
            .filter(|server| server.target.is_some())
            .collect();
        if managed.len() > 2 {
            let message = format!(
                "`{}` has {} servers with a target, and dhcpd knows one failover peer for a pool",
                service.name,
                managed.len()
            );
            found.push(
                DHCPD002
                    .at(path, message)
                    .with_help("leave the target out of all but two"),
            );
            continue;
        }
        let Some(peer) = partner(service, server) else {
            if is_standby(service, server) {
                let message = format!(
                    "`{}` is not the primary server of `{}`, and the primary has no target: two dhcpd that know nothing \
                     of each other's leases would hand out the same addresses",
                    server.name, service.name
                );
                let path = format!("target/{}", target.name);
                found.push(
                    DHCPD003.at(path, message).with_help(
                        "give the primary server a target too, so that both get each other as failover peer",
                    ),
                );
            }
            continue;
        };
        if peer.target == server.target || peer.role == server.role {
            let why = if peer.role == server.role {
                "have the same role"
            } else {
                "name the same target"
            };
            let message = format!(
                "`{}` and `{}` {why}, and failover wants one primary and one standby on two servers",
                server.name, peer.name
            );
            found.push(DHCPD004.at(path.clone(), message));
        }
        for server in [server, peer] {
            if server.address.parse::<std::net::Ipv4Addr>().is_err() {
                let message = format!(
                    "`{}` is no IPv4 address, and failover peers talk over IPv4",
                    server.address
                );
                found.push(DHCPD005.at(path.clone(), message));
            }
        }
        if !is_name(&service.name) {
            let message = "the name of a service with two servers names the failover peer, and must hold no quotes, \
                           backslashes or control characters";
            found.push(DHCPD006.at(path, message));
        }
    }
    found
}

fn reload(target: &Target) -> Option<Finding> {
    if target.has_command(RELOAD) {
        return None;
    }
    let message = "without a command `reload`, dhcpd goes on with its old configuration until it is restarted";
    let path = format!("target/{}", target.name);
    Some(DHCPD007.at(path, message).with_help(
        "declare one, such as `command \"reload\" \"systemctl\" \"restart\" \"isc-dhcp-server\"`",
    ))
}

fn networks(view: &View) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut subnets: HashMap<_, &str> = HashMap::new();
    for served in served(view) {
        let network = served.network;
        let path = format!("network/{}/subnet", network.name);
        let Some(subnet) = served.subnet else {
            let message = format!(
                "`{}` is no IPv4 subnet, and this plugin configures DHCPv4 only",
                network.subnet
            );
            found.push(DHCPD008.at(path, message));
            continue;
        };
        if let Some(other) = subnets.insert(subnet, &network.name) {
            let message = format!("`{subnet}` is also the subnet of network `{other}`");
            found.push(
                DHCPD009
                    .at(path, message)
                    .with_help("one server can serve a subnet once"),
            );
        }
    }
    found
}

fn options(served: &Served<'_>) -> Vec<Finding> {
    let path = format!("network/{}", served.network.name);
    served
        .options()
        .filter_map(|option| {
            let why = unwritable(option)?;
            let message = format!("option {} {why}", option.code);
            Some(DHCPD010.at(path.clone(), message))
        })
        .collect()
}

/// Why dhcpd would not send the option as it is declared.
fn unwritable(option: &DhcpOption) -> Option<String> {
    match &option.value {
        OptionValue::Text(text) => {
            let length = text::plain(text).len();
            if text.contains('\0') {
                Some("holds a NUL, which dhcpd's configuration cannot".into())
            } else if length == 0 || length > LONGEST_OPTION {
                Some(format!("is {length} bytes long; 1 to {LONGEST_OPTION} fit"))
            } else {
                None
            }
        }
        OptionValue::Hex(digits) => {
            let whole = !digits.is_empty() && digits.len() % 2 == 0;
            let fits = whole && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            (!fits).then(|| "is given as bytes, but not as pairs of hexadecimal digits".into())
        }
        OptionValue::Addresses(list)
        | OptionValue::SipAddresses(list)
        | OptionValue::SipNames(list) => list.is_empty().then(|| "has no value".into()),
        OptionValue::Uint8(_) | OptionValue::Uint16(_) | OptionValue::Uint32(_) => None,
    }
}

/// A name has one type, whatever the subnet.
fn option_types(view: &View) -> Vec<Finding> {
    let mut types: BTreeMap<u8, (OptionDef, &str)> = BTreeMap::new();
    let mut found = Vec::new();
    for served in served(view) {
        let name = served.network.name.as_str();
        for def in served.options().filter_map(option_def) {
            let code = def.code;
            let (first, first_network) = types.entry(code).or_insert_with(|| (def.clone(), name));
            if *first != def {
                let message = format!(
                    "option {code} has another type than in network `{first_network}`, and dhcpd is told one type for \
                     a code"
                );
                let path = format!("network/{name}");
                found.push(DHCPD011.at(path, message).with_help(
                    "give the option values of one type in all networks of this server",
                ));
            }
        }
    }
    found
}

fn hosts(view: &View) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut addresses = HashSet::new();
    let mut names = HashMap::new();
    for served in served(view) {
        for device in &view.devices {
            let (Some(_), Some(address)) = (&device.mac, &device.address) else {
                continue;
            };
            if device.network.as_ref() != Some(&served.network.name) {
                continue;
            }
            let path = format!("device/{}", device.name);
            let refused = |message: String| DHCPD012.at(format!("{path}/address"), message);
            let Ok(ip) = address.parse::<std::net::Ipv4Addr>() else {
                let message = format!("`{address}` is no IPv4 address, so it cannot be reserved");
                found.push(refused(message));
                continue;
            };
            if served.subnet.is_some_and(|subnet| !subnet.contains(&ip)) || !addresses.insert(ip) {
                found.push(refused(format!(
                    "`{ip}` lies outside of `{}` or is reserved for another device too",
                    served.network.subnet
                )));
            }
            match host_name(&device.name) {
                None => {
                    let message = format!(
                        "`{}` is no host name, so the device is told none",
                        device.name
                    );
                    found.push(
                        DHCPD013
                            .at(path, message)
                            .with_help("a host name is 1 to 63 letters, digits and hyphens"),
                    );
                }
                Some(name) => {
                    if let Some(other) = names.insert(name, &device.name) {
                        let message = format!(
                            "dhcpd would take `{}` and `{other}` for one host",
                            device.name
                        );
                        found.push(DHCPD014.at(path, message));
                    }
                }
            }
        }
    }
    found
}
