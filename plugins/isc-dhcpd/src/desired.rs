//! What the file should say.

use std::collections::BTreeMap;

use switchover_sdk::scope::{Served, host_name, own_services, partner, served};
use switchover_sdk::{DhcpService, Failure, Server, ServerRole, View};

use crate::document::place;
use crate::entry::Entry;
use crate::failover::{Failover, Numbers, Role};
use crate::host::Host;
use crate::manifest::Settings;
use crate::option::{Audience, OptionDef, SubnetOption, is_writable, option_def};
use crate::subnet::{Phones, Pool, Subnet};

/// The entries of every network that the target serves, in the order of the file.
///
/// # Errors
/// Something cannot stand in dhcpd's configuration. `check` says so with its place.
pub(crate) fn desired(view: &View, settings: &Settings) -> Result<Vec<Entry>, Failure> {
    let mut wholes = definitions(view);
    wholes.extend(failovers(view, settings));
    let mut within: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for served in served(view) {
        let Some((subnet, rest)) = network(&served) else {
            continue;
        };
        // Two networks with one subnet are a finding; the first stands.
        within.entry(subnet.subnet.clone()).or_insert_with(|| {
            wholes.push(Entry::Subnet(subnet));
            rest
        });
        wholes.extend(hosts(view, &served));
    }
    wholes.sort_by_cached_key(place);
    let mut entries = Vec::with_capacity(wholes.len());
    for entry in wholes {
        let rest = match &entry {
            Entry::Subnet(subnet) => within.remove(&subnet.subnet),
            _ => None,
        };
        entries.push(entry);
        entries.extend(rest.unwrap_or_default());
    }
    match entries.iter().find(|entry| !is_safe(entry)) {
        Some(entry) => Err(Failure::new(
            "not-writable",
            format!(
                "`{}` cannot stand in dhcpd's configuration",
                entry.address().escape_debug()
            ),
        )),
        None => Ok(entries),
    }
}

fn definitions(view: &View) -> Vec<Entry> {
    let mut definitions: BTreeMap<u8, OptionDef> = BTreeMap::new();
    for served in served(view) {
        for def in served.options().filter_map(option_def) {
            // Two types for one code are a finding; the first stands.
            definitions.entry(def.code).or_insert(def);
        }
    }
    definitions.into_values().map(Entry::OptionDef).collect()
}

/// A peer for each service that has one, and a network whose pool it shares: dhcpd refuses one that is for nothing.
fn failovers(view: &View, settings: &Settings) -> Vec<Entry> {
    let shared = |service: &DhcpService| {
        served(view).any(|served| {
            served.service.name == service.name
                && served.subnet.is_some()
                && served.network.pool.is_some()
        })
    };
    own_services(view)
        .filter(|(service, _)| shared(service))
        .filter_map(|(service, server)| {
            let peer = partner(service, server)?;
            Some(Entry::Failover(failover(service, server, peer, settings)))
        })
        .collect()
}

fn failover(
    service: &DhcpService,
    server: &Server,
    peer: &Server,
    settings: &Settings,
) -> Failover {
    let role = match server.role {
        ServerRole::Primary => Role::Primary,
        ServerRole::Standby | ServerRole::Secondary => Role::Secondary,
    };
    let primary = |number: u32| (role == Role::Primary).then_some(number);
    Failover {
        name: service.name.clone(),
        role,
        address: server.address.clone(),
        peer_address: peer.address.clone(),
        numbers: Numbers {
            port: Some(settings.failover_port.into()),
            peer_port: Some(settings.failover_port.into()),
            max_response_delay: Some(settings.max_response_delay_seconds),
            max_unacked_updates: Some(settings.max_unacked_updates),
            mclt: primary(settings.mclt_seconds),
            split: primary(settings.split.into()),
            load_balance_max_seconds: Some(settings.load_balance_max_seconds),
        },
        more: Vec::new(),
    }
}

fn network(served: &Served<'_>) -> Option<(Subnet, Vec<Entry>)> {
    let network = served.network;
    let cidr = served.subnet?.to_string();
    let service = served.service;
    // Whichever of the two this server is, the name is the service's.
    let managed = service
        .servers
        .iter()
        .filter(|server| server.target.is_some());
    let failover = (managed.count() == 2).then(|| service.name.clone());
    let subnet = Subnet {
        subnet: cidr.clone(),
        default_lease_seconds: Some(service.lease_seconds),
        max_lease_seconds: Some(service.lease_seconds),
        pools: network
            .pool
            .iter()
            .map(|pool| Pool {
                first: pool.first.clone(),
                last: pool.last.clone(),
                failover: failover.clone(),
                more: Vec::new(),
            })
            .collect(),
    };
    let option = |audience, option| Entry::Option(audience, SubnetOption::new(&cidr, option));
    let everybody = network.options.iter();
    let mut rest: Vec<Entry> = everybody
        .map(|general| option(Audience::Everybody, general))
        .collect();
    let phone_options = served.phone_options();
    if !phone_options.is_empty() {
        rest.push(Entry::Phones(Phones {
            subnet: cidr.clone(),
            ouis: network
                .phone_ouis
                .iter()
                .map(|oui| oui.to_ascii_lowercase())
                .collect(),
        }));
        rest.extend(
            phone_options
                .iter()
                .map(|special| option(Audience::Phones, special)),
        );
    }
    Some((subnet, rest))
}

fn hosts(view: &View, served: &Served<'_>) -> Vec<Entry> {
    served
        .reserved(view)
        .map(|(device, mac, address)| {
            let mac = mac.to_ascii_lowercase();
            let host_name = host_name(&device.name);
            Entry::Host(Host {
                name: host_name
                    .clone()
                    .unwrap_or_else(|| format!("device-{}", mac.replace(':', ""))),
                address: Some(address.to_string()),
                host_name,
                mac,
                more: Vec::new(),
            })
        })
        .collect()
}

/// Whether every part of the entry is read as what it is, and ends where it should.
fn is_safe(entry: &Entry) -> bool {
    let word = |text: &str, more: &[u8]| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        !text.is_empty() && text.bytes().all(fits)
    };
    let address = |text: &str| word(text, b".");
    match entry {
        // Their parts were made here.
        Entry::OptionDef(_) | Entry::Statement(_) => true,
        Entry::Failover(failover) => {
            is_name(&failover.name) && address(&failover.address) && address(&failover.peer_address)
        }
        Entry::Subnet(subnet) => subnet.pools.iter().all(|pool| {
            let failover = pool.failover.as_deref();
            address(&pool.first) && address(&pool.last) && failover.is_none_or(is_name)
        }),
        Entry::Phones(phones) => phones.ouis.iter().all(|oui| word(oui, b":")),
        Entry::Option(_, option) => is_writable(&option.data),
        Entry::Host(host) => word(&host.mac, b":") && word(&host.name, b"-"),
    }
}

/// A name that can stand in quotes as it is.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |letter: char| !letter.is_control() && !matches!(letter, '"' | '\\');
    !name.is_empty() && name.chars().all(fits)
}
