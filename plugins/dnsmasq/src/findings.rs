//! What only this plugin can know to be wrong.

use std::collections::{HashMap, HashSet};

use switchover_sdk::scope::{Served, host_name, is_standby, own_services, own_zones, served};
use switchover_sdk::{DhcpOption, Finding, OptionValue, Role, Target, View, Zone, text};

use crate::desired::{is_writable_record, shared_ttl};
use crate::manifest::{RELOAD, Settings};
use crate::names::is_tag;
use crate::record::Record;
use crate::rules::{
    DNSMASQ001, DNSMASQ002, DNSMASQ003, DNSMASQ004, DNSMASQ005, DNSMASQ006, DNSMASQ007, DNSMASQ008,
    DNSMASQ009, DNSMASQ010, DNSMASQ011, DNSMASQ012, DNSMASQ013, DNSMASQ014, DNSMASQ015,
};
use crate::words::is_quotable;

/// dnsmasq refuses a longer text; an option's length is one byte.
const LONGEST_OPTION: usize = 255;
/// dnsmasq raises shorter leases to this.
const SHORTEST_LEASE_SECONDS: u32 = 120;
/// Domain search and SIP servers: dnsmasq takes names for them, and reads bytes as one.
const NAMES_ONLY: [u8; 2] = [119, 120];

pub(crate) fn findings(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(roles(view, target));
    found.extend(standby(view, target));
    found.extend(reload(target));
    found.extend(networks(view));
    found.extend(served(view).flat_map(|served| options(&served)));
    found.extend(hosts(view));
    found.extend(own_zones(view).flat_map(records));
    found.extend(aliases(view));
    found.extend(times_to_live(view, settings));
    found
}

fn roles(view: &View, target: &Target) -> impl Iterator<Item = Finding> {
    let path = format!("target/{}", target.name);
    view.roles.iter().filter_map(move |role| {
        let role = match role {
            Role::DhcpServer(_) | Role::DnsServer(_) => return None,
            Role::Pbx(name) => format!("PBX `{name}`"),
            Role::Provisioning(name) => format!("provisioning service `{name}`"),
        };
        let message = format!("{role} names this target, but dnsmasq serves DHCP and DNS only");
        Some(
            DNSMASQ001
                .at(path.clone(), message)
                .with_help("give it a target of its own"),
        )
    })
}

fn standby(view: &View, target: &Target) -> impl Iterator<Item = Finding> {
    own_services(view)
        .filter(|(service, server)| is_standby(service, server))
        .map(|(service, server)| {
            let message = format!(
                "`{}` is not the primary server of `{}`: two dnsmasq know nothing of each other's leases and would \
                 hand out the same addresses",
                server.name, service.name
            );
            let path = format!("target/{}", target.name);
            DNSMASQ002.at(path, message)
                .with_help("leave the target out of this server, or use a DHCP server that can fail over")
        })
}

fn reload(target: &Target) -> Option<Finding> {
    if target.has_command(RELOAD) {
        return None;
    }
    let message = "without a command `reload`, dnsmasq goes on with its old configuration until it is restarted";
    let path = format!("target/{}", target.name);
    Some(DNSMASQ003.at(path, message).with_help(
        "declare one, such as `command \"reload\" \"systemctl\" \"restart\" \"dnsmasq\"`",
    ))
}

fn networks(view: &View) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut subnets: HashMap<_, &str> = HashMap::new();
    for served in served(view) {
        let network = served.network;
        let path = format!("network/{}", network.name);
        if !is_tag(&network.name) {
            let message = format!("`{}` cannot be part of a tag", network.name);
            found.push(
                DNSMASQ004.at(path.clone(), message).with_help(
                    "name the network with letters, digits, dots, hyphens and underscores",
                ),
            );
        }
        match served.subnet {
            None => {
                let message = format!(
                    "`{}` is no IPv4 subnet, and this plugin configures DHCPv4 only",
                    network.subnet
                );
                let path = format!("{path}/subnet");
                found.push(DNSMASQ005.at(path, message));
            }
            Some(subnet) => {
                if let Some(other) = subnets.insert(subnet, &network.name) {
                    let message = format!("`{subnet}` is also the subnet of network `{other}`");
                    let path = format!("{path}/subnet");
                    found.push(DNSMASQ006.at(path, message));
                }
            }
        }
        let lease = served.service.lease_seconds;
        if lease < SHORTEST_LEASE_SECONDS {
            let message =
                format!("a lease of {lease} s is raised to {SHORTEST_LEASE_SECONDS} s by dnsmasq");
            let path = format!("dhcp/{}/lease", served.service.name);
            found.push(DNSMASQ007.at(path, message));
        }
    }
    found
}

fn options(served: &Served<'_>) -> Vec<Finding> {
    let network = served.network;
    served
        .options()
        .filter_map(|option| {
            let why = unwritable(option)?;
            let message = format!("option {} {why}", option.code);
            let path = format!("network/{}", network.name);
            Some(DNSMASQ008.at(path, message))
        })
        .collect()
}

/// Why dnsmasq would not send the option as it is declared.
fn unwritable(option: &DhcpOption) -> Option<String> {
    match &option.value {
        OptionValue::Text(text) => {
            let length = text::plain(text).len();
            if !is_quotable(text) {
                Some("holds a control character, which dnsmasq's configuration cannot".into())
            } else if length == 0 || length > LONGEST_OPTION {
                Some(format!("is {length} bytes long; 1 to {LONGEST_OPTION} fit"))
            } else {
                None
            }
        }
        OptionValue::Hex(_) if NAMES_ONLY.contains(&option.code) => {
            Some("is given as bytes, and dnsmasq takes names for it".into())
        }
        OptionValue::Hex(digits) => {
            let whole = !digits.is_empty() && digits.len() % 2 == 0;
            let fits = whole && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            (!fits).then(|| "is given as bytes, but not as pairs of hexadecimal digits".into())
        }
        _ => None,
    }
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
            let Ok(ip) = address.parse::<std::net::Ipv4Addr>() else {
                let message = format!("`{address}` is no IPv4 address, so it cannot be reserved");
                let path = format!("{path}/address");
                found.push(DNSMASQ009.at(path, message));
                continue;
            };
            if served.subnet.is_some_and(|subnet| !subnet.contains(&ip)) || !addresses.insert(ip) {
                let message = format!(
                    "`{ip}` lies outside of `{}` or is reserved for another device too",
                    served.network.subnet
                );
                let path = format!("{path}/address");
                found.push(DNSMASQ009.at(path, message));
            }
            match host_name(&device.name) {
                None => {
                    let message = format!(
                        "`{}` is no host name, so its line carries none",
                        device.name
                    );
                    found.push(
                        DNSMASQ010
                            .at(path, message)
                            .with_help("a host name is 1 to 63 letters, digits and hyphens"),
                    );
                }
                Some(name) => {
                    if let Some(other) = names.insert(name, &device.name) {
                        let message = format!(
                            "dnsmasq would take `{}` and `{other}` for one host name",
                            device.name
                        );
                        found.push(DNSMASQ011.at(path, message));
                    }
                }
            }
        }
    }
    found
}

fn records(zone: &Zone) -> impl Iterator<Item = Finding> {
    zone.records.iter().filter_map(|record| {
        let owner = &record.owner;
        let path = format!("dns/{}", zone.name);
        match Record::new(record) {
            None => {
                let message = format!("dnsmasq cannot hold this record of `{owner}`");
                let help = "it holds A, AAAA, CNAME, SRV, NAPTR, TXT, MX, PTR and CAA records";
                Some(DNSMASQ012.at(path, message).with_help(help))
            }
            Some(record) if !is_writable_record(&record) => {
                let message = format!("the record of `{owner}` holds a name, an address or a text that dnsmasq cannot");
                let help = "names have no wildcards but those of CNAME records; a text has at most 255 bytes and no \
                            control characters";
                Some(DNSMASQ013.at(path, message).with_help(help))
            }
            Some(_) => None,
        }
    })
}

/// dnsmasq follows an alias only to a name that it knows itself.
fn aliases(view: &View) -> Vec<Finding> {
    let owners: HashSet<&str> = own_zones(view)
        .flat_map(|zone| zone.records.iter().map(|record| record.owner.as_str()))
        .collect();
    let mut found = Vec::new();
    for zone in own_zones(view) {
        for record in zone.records.iter().filter_map(Record::new) {
            let Record::Cname { owner, target, .. } = record else {
                continue;
            };
            if !owners.contains(target.as_str()) {
                let message = format!(
                    "`{owner}` is an alias of `{target}`, which is not declared here; dnsmasq follows no alias to a \
                     name that it does not hold"
                );
                let path = format!("dns/{}", zone.name);
                found.push(DNSMASQ014.at(path, message));
            }
        }
    }
    found
}

/// Most records take the one `local-ttl`.
fn times_to_live(view: &View, settings: &Settings) -> Vec<Finding> {
    let Some(shared) = shared_ttl(view).filter(|_| settings.local_ttl) else {
        return Vec::new();
    };
    own_zones(view)
        .filter_map(|zone| {
            let mut without = zone.records.iter().filter(|record| {
                Record::new(record).is_some_and(|record| !record.has_own_ttl())
            });
            let other = without.find(|record| record.ttl_seconds != shared)?;
            let message = format!(
                "records of `{}` get a time to live of {shared} s in place of {} s: dnsmasq has one for all records \
                 but A, AAAA and CNAME",
                zone.name, other.ttl_seconds
            );
            let path = format!("dns/{}/ttl", zone.name);
            Some(DNSMASQ015.at(path, message))
        })
        .collect()
}
