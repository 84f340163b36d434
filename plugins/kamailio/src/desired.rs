//! What should be in the file.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};
use switchover_sdk::{
    CallGroup as Declared, Pbx, Role, Transport, Trunk as DeclaredTrunk, TrunkDirection, View,
};

use crate::entry::{Alias, Entry, Listener, Routing, Setting};
use crate::manifest::Settings;
use crate::names::{is_host, is_number, is_word};
use crate::routing::{TEXT, digest};
use crate::rows::{CallGroup, Ring, Row, Trunk, User};

/// Kamailio forks a call to no more telephones than this (`max_branches` in the routing).
pub(crate) const MOST_AT_ONCE: usize = 30;

/// The PBX that names the target; none where there is none, or more than one.
pub(crate) fn own_pbx(view: &View) -> Option<&Pbx> {
    let mut names = view.roles.iter().filter_map(|role| match role {
        Role::Pbx(name) => Some(name),
        _ => None,
    });
    let name = names.next()?;
    let pbx = view.pbxs.iter().find(|pbx| pbx.name == *name);
    pbx.filter(|_| names.next().is_none())
}

pub(crate) fn desired(view: &View, settings: &Settings) -> Vec<Entry> {
    let Some(pbx) = own_pbx(view) else {
        return Vec::new();
    };
    let listeners = listeners(view, pbx, settings);
    let tls = listeners.iter().any(|(transport, _)| *transport == "tls");
    let mut entries: Vec<Entry> = listeners
        .into_iter()
        .map(|(transport, socket)| {
            Entry::Listener(Listener {
                transport: transport.into(),
                socket,
            })
        })
        .collect();
    entries.extend(
        names(view, settings)
            .into_iter()
            .map(|name| Entry::Alias(Alias { name })),
    );
    entries.extend(self::settings(pbx, settings, tls));
    entries.push(Entry::Routing(Routing {
        digest: digest(TEXT),
    }));
    entries.extend(rows(view, pbx, settings).into_iter().map(Entry::Row));
    entries
}

/// Where telephones and trunks come to this PBX, and where JSON-RPC does.
pub(crate) fn listeners(
    view: &View,
    pbx: &Pbx,
    settings: &Settings,
) -> BTreeSet<(&'static str, SocketAddr)> {
    let mut listeners = BTreeSet::from([("tcp", SocketAddr::V4(settings.rpc))]);
    if let Ok(address) = pbx.address.parse::<IpAddr>() {
        // Port 0: nobody knows how the device signals, so there is nothing to listen on for it.
        let devices = view
            .devices
            .iter()
            .filter(|device| device.port != 0)
            .map(|device| (device.transport, device.port));
        // RFC 3261, 18.1.1 and 19.1.2: datagrams and 5060 where nothing else is said.
        let trunks = trunks_to(view, pbx).map(|trunk| {
            (
                trunk.transport.unwrap_or(Transport::Udp),
                trunk.port.unwrap_or(5060),
            )
        });
        let wanted = devices.chain(trunks);
        listeners.extend(
            wanted.map(|(transport, port)| (name(transport), SocketAddr::new(address, port))),
        );
    }
    listeners
}

const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

/// Names of both PBXs: a telephone keeps that of the one it has lost when it asks the other.
fn names(view: &View, settings: &Settings) -> BTreeSet<String> {
    let hosts = view
        .pbxs
        .iter()
        .flat_map(|pbx| [&pbx.hostname, &pbx.address]);
    hosts
        .chain(settings.domains.as_slice())
        .filter(|name| is_host(name))
        .cloned()
        .collect()
}

fn settings(pbx: &Pbx, settings: &Settings, tls: bool) -> impl Iterator<Item = Entry> {
    let realm = settings.realm.as_ref().unwrap_or(&pbx.hostname);
    let mut all = vec![
        ("REALM", json!(realm)),
        ("RPC_PORT", json!(settings.rpc.port())),
        ("RPC_ALLOW", json!(settings.rpc_allow.as_slice().join(","))),
        ("RING_MS", json!(u64::from(settings.ring_seconds) * 1000)),
    ];
    if tls {
        all.push(("TLS_CERTIFICATE", json!(settings.tls_certificate)));
        all.push(("TLS_KEY", json!(settings.tls_key)));
    }
    all.into_iter().map(|(name, value): (&str, Value)| {
        Entry::Setting(Setting {
            name: name.into(),
            value,
        })
    })
}

fn rows(view: &View, pbx: &Pbx, settings: &Settings) -> Vec<Row> {
    let users = view.users.iter().filter_map(|user| {
        let password = user.sip_password.clone()?;
        is_number(&user.extension).then(|| {
            Row::User(User {
                extension: user.extension.clone(),
                password,
            })
        })
    });
    let groups = view
        .call_groups
        .iter()
        .filter_map(|group| call_group(group).map(Row::CallGroup));
    let mut providers = BTreeSet::new();
    let trunks = trunks_to(view, pbx)
        .filter(|trunk| is_provider(&trunk.provider) && is_word(&trunk.name))
        .filter(|trunk| providers.insert(trunk.provider.as_str()))
        .map(|trunk| {
            Row::Trunk(Trunk {
                name: trunk.name.clone(),
                provider: trunk.provider.clone(),
                to: settings.incoming.clone().filter(|to| is_number(to)),
            })
        });
    users.chain(groups).chain(trunks).collect()
}

/// How a strategy rings; none for one that Kamailio would not do as it is meant.
pub(crate) fn ring(strategy: &str) -> Option<Ring> {
    match strategy {
        "all" | "call-all" | "call-all-32" | "ring-all" | "parallel" | "simultaneous" => {
            Some(Ring::All)
        }
        "linear" | "serial" | "sequential" => Some(Ring::Next),
        _ => None,
    }
}

/// The group as Kamailio has it; none where it cannot.
fn call_group(group: &Declared) -> Option<CallGroup> {
    let ring = ring(&group.strategy)?;
    let fits = ring == Ring::Next || group.members.len() <= MOST_AT_ONCE;
    let named = is_number(&group.name) && group.members.iter().all(|member| is_number(member));
    (fits && named && !group.members.is_empty()).then(|| CallGroup {
        name: group.name.clone(),
        ring,
        members: group.members.clone(),
    })
}

/// Trunks whose calls come to this PBX.
pub(crate) fn trunks_to<'a>(
    view: &'a View,
    pbx: &'a Pbx,
) -> impl Iterator<Item = &'a DeclaredTrunk> {
    view.trunks.iter().filter(|trunk| {
        trunk.direction == TrunkDirection::Incoming && trunk.register_to.contains(&pbx.name)
    })
}

/// Whether the routing can tell calls of this provider: by an IPv4 address as Kamailio writes it.
pub(crate) fn is_provider(provider: &str) -> bool {
    provider.parse::<std::net::Ipv4Addr>().is_ok()
}
