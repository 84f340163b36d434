//! What only this plugin can know to be wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use switchover_sdk::scope::{Served, host_name, is_standby, own_services, partner, served};
use switchover_sdk::{DhcpOption, Finding, OptionValue, Role, Target, View};

use crate::encode::{option_def, text_length};
use crate::manifest::{HighAvailability, Settings};
use crate::rules::{
    KEA001, KEA002, KEA003, KEA004, KEA005, KEA006, KEA007, KEA008, KEA009, KEA010, KEA011, KEA012,
    KEA013, KEA014,
};
use crate::shape::OptionDef;

/// An option's length is one byte.
const LONGEST_OPTION: usize = 255;

pub(crate) fn findings(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(roles(view, target));
    found.extend(pairs(view, target, settings));
    found.extend(networks(view));
    found.extend(served(view).flat_map(|served| options(&served)));
    found.extend(option_types(view));
    found.extend(served(view).flat_map(|served| reservations(view, &served)));
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
        let message = format!("{role} names this target, but kea serves DHCP only");
        Some(
            KEA001.at(path.clone(), message)
                .with_help("name the target from a server of a `dhcp` node, and give the other one a target of its own"),
        )
    })
}

/// A pair is of two servers, and the same for all that one of them serves.
fn pairs(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    if settings.ha_user.is_some() != settings.ha_password_file.is_some() {
        let message = "`ha-user` and `ha-password-file` stand together or not at all";
        let path = format!("target/{}", target.name);
        found.push(KEA014.at(path, message));
    }
    if settings.high_availability == HighAvailability::Present {
        return found;
    }
    let mut first: Option<(&str, Option<&str>)> = None;
    for (service, server) in own_services(view) {
        let path = format!("dhcp/{}", service.name);
        let managed = service
            .servers
            .iter()
            .filter(|server| server.target.is_some());
        let managed = managed.count();
        if managed > 2 {
            let message = format!(
                "`{}` has {managed} servers with a target, and a hot-standby pair has two",
                service.name
            );
            found.push(
                KEA012
                    .at(path, message)
                    .with_help("leave the target out of all but two"),
            );
            continue;
        }
        let other = partner(service, server);
        if other.is_none() && is_standby(service, server) {
            let message = format!(
                "`{}` is not the primary server of `{}`, and the primary has no target: two servers that know nothing of \
                 each other's leases would hand out the same addresses",
                server.name, service.name
            );
            found.push(
                KEA002.at(format!("target/{}", target.name),
                    message,
                )
                .with_help(
                    "give the primary server a target too; or configure libdhcp_ha.so on both servers yourself and say \
                     `high-availability \"present\"`",
                ),
            );
        }
        let other = other.map(|other| other.name.as_str());
        match first {
            None => first = Some((&service.name, other)),
            Some((_, same)) if same == other => {}
            Some((first, _)) => {
                let message = format!(
                    "`{}` has another pair of servers than `{first}`, and kea pairs a server as a whole",
                    service.name
                );
                found.push(
                    KEA013
                        .at(path, message)
                        .with_help("give both services the same two servers"),
                );
            }
        }
    }
    found
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
            found.push(KEA003.at(path, message));
            continue;
        };
        if let Some(other) = subnets.insert(subnet, &network.name) {
            let message = format!("`{subnet}` is also the subnet of network `{other}`");
            found.push(
                KEA004
                    .at(path, message)
                    .with_help("one server can serve a subnet once"),
            );
        }
    }
    found
}

fn options(served: &Served<'_>) -> Vec<Finding> {
    let network = served.network;
    let path = format!("network/{}", network.name);
    let mut found = Vec::new();
    for option in served.options() {
        let OptionValue::Text(text) = &option.value else {
            continue;
        };
        let length = text_length(text);
        if length == 0 || length > LONGEST_OPTION {
            let message = format!(
                "the text of {} is {length} bytes long; 1 to {LONGEST_OPTION} fit",
                named(option)
            );
            found.push(KEA005.at(path.clone(), message));
        }
    }
    for option in served.phone_options() {
        if network
            .options
            .iter()
            .any(|other| other.code == option.code)
        {
            let message = format!(
                "{} is set for every client and for telephones; kea would give telephones the first",
                named(option)
            );
            found.push(KEA006.at(path.clone(), message).with_help(
                "an option of a subnet wins over one of a client class: declare it once",
            ));
        }
    }
    found
}

fn named(option: &DhcpOption) -> String {
    match &option.name {
        Some(name) => format!("option {} ({name})", option.code),
        None => format!("option {}", option.code),
    }
}

/// Kea has one definition for a code, whatever the subnet.
fn option_types(view: &View) -> Vec<Finding> {
    let mut types: BTreeMap<u64, (OptionDef, &str)> = BTreeMap::new();
    let mut found = Vec::new();
    for served in served(view) {
        for option in served.options() {
            let Some(def) = option_def(option) else {
                continue;
            };
            let name = served.network.name.as_str();
            let (first, first_network) =
                types.entry(def.code).or_insert_with(|| (def.clone(), name));
            if *first != def {
                let message = format!(
                    "{} has another type than in network `{first_network}`, and kea knows one type for a code",
                    named(option)
                );
                found.push(KEA007.at(format!("network/{name}"), message).with_help(
                    "give the option values of one type in all networks of this server",
                ));
            }
        }
    }
    found
}

fn reservations(view: &View, served: &Served<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut taken = HashSet::new();
    for device in &view.devices {
        let (Some(_), Some(address)) = (&device.mac, &device.address) else {
            continue;
        };
        if device.network.as_ref() != Some(&served.network.name) {
            continue;
        }
        let path = format!("device/{}/address", device.name);
        let Ok(address) = address.parse::<std::net::Ipv4Addr>() else {
            let message = format!("`{address}` is no IPv4 address, so it cannot be reserved");
            found.push(KEA008.at(path, message));
            continue;
        };
        if served
            .subnet
            .is_some_and(|subnet| !subnet.contains(&address))
        {
            let message = format!(
                "`{address}` lies outside of `{}`, the subnet of network `{}`",
                served.network.subnet, served.network.name
            );
            found.push(KEA009.at(path.clone(), message));
        }
        if !taken.insert(address) {
            let message = format!("`{address}` is reserved for another device too");
            found.push(KEA010.at(path, message));
        }
        if host_name(&device.name).is_none() {
            let message = format!(
                "`{}` is no host name, so its reservation carries none",
                device.name
            );
            let path = format!("device/{}", device.name);
            found.push(
                KEA011
                    .at(path, message)
                    .with_help("a host name is 1 to 63 letters, digits and hyphens"),
            );
        }
    }
    found
}
