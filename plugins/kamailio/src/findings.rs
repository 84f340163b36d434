//! What only this plugin can know to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use switchover_sdk::{CallGroup, Finding, Pbx, Role, Target, TrunkDirection, View, text};

use crate::desired::{MOST_AT_ONCE, is_provider, listeners, own_pbx, ring, trunks_to};
use crate::manifest::{RESTART, Settings};
use crate::names::{is_host, is_number, is_word};
use crate::rows::Ring;
use crate::rules::{
    KAMAILIO001, KAMAILIO002, KAMAILIO003, KAMAILIO004, KAMAILIO005, KAMAILIO006, KAMAILIO007,
    KAMAILIO008, KAMAILIO009, KAMAILIO010, KAMAILIO011, KAMAILIO012, KAMAILIO013, KAMAILIO014,
};

pub(crate) fn findings(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(roles(view, target));
    found.extend(restart(target));
    if let Some(pbx) = own_pbx(view) {
        found.extend(ports(view, pbx, target, settings));
        found.extend(names(view, pbx));
        found.extend(users(view));
        found.extend(
            view.call_groups
                .iter()
                .flat_map(|group| call_group(view, group)),
        );
        found.extend(trunks(view, pbx));
        found.extend(incoming(view, target, settings));
    }
    found
}

fn roles(view: &View, target: &Target) -> Vec<Finding> {
    let path = format!("target/{}", target.name);
    let mut pbxs = 0;
    let mut found = Vec::new();
    for role in &view.roles {
        let role = match role {
            Role::Pbx(_) => {
                pbxs += 1;
                continue;
            }
            Role::DhcpServer(server) => format!("DHCP server `{}`", server.server),
            Role::DnsServer(server) => format!("DNS server `{}`", server.server),
            Role::Provisioning(name) => format!("provisioning service `{name}`"),
        };
        let message = format!("{role} names this target, but Kamailio is a PBX only");
        found.push(
            KAMAILIO001
                .at(path.clone(), message)
                .with_help("give it a target of its own"),
        );
    }
    if pbxs > 1 {
        let message = "two PBXs name this target: a pair on one server fails as one".to_owned();
        found.push(
            KAMAILIO002
                .at(path, message)
                .with_help("give each PBX a target and a server of its own"),
        );
    }
    found
}

fn restart(target: &Target) -> Option<Finding> {
    if target.has_command(RESTART) {
        return None;
    }
    let message = "no command `restart`: new listeners, names, settings and routing wait until Kamailio is restarted";
    let finding = KAMAILIO003.at(format!("target/{}", target.name), message);
    let help = "add `command \"restart\" \"systemctl\" \"restart\" \"kamailio\"` to the target";
    Some(finding.with_help(help))
}

/// Kamailio cannot tell TLS from plain TCP on one socket.
fn ports(view: &View, pbx: &Pbx, target: &Target, settings: &Settings) -> Vec<Finding> {
    let mut streams: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (transport, socket) in listeners(view, pbx, settings) {
        if transport != "udp" {
            streams.entry(socket).or_default().insert(transport);
        }
    }
    let shared = streams
        .into_iter()
        .filter(|(_, transports)| transports.len() > 1);
    shared
        .map(|(socket, _)| {
            let users = |transport| {
                let devices = view.devices.iter().filter(move |device| {
                    device.transport == transport && device.port == socket.port()
                });
                devices.map(|device| device.name.as_str()).next()
            };
            let example = match (
                users(switchover_sdk::Transport::Tcp),
                users(switchover_sdk::Transport::Tls),
            ) {
                (Some(plain), Some(secret)) => {
                    format!(": `{plain}` uses TCP there and `{secret}` TLS")
                }
                _ => String::new(),
            };
            let message = format!(
                "Kamailio cannot serve TCP and TLS at one port, {}{example}",
                socket.port()
            );
            KAMAILIO004
                .at(format!("target/{}", target.name), message)
                .with_help("declare `port=` on the devices of one of the two, such as `port=5061`")
        })
        .collect()
}

fn names(view: &View, pbx: &Pbx) -> Vec<Finding> {
    let mut found = Vec::new();
    if pbx.address.parse::<std::net::IpAddr>().is_err() || !is_host(&pbx.hostname) {
        let message = format!(
            "`{}` has no address or host name that Kamailio can be given",
            pbx.name
        );
        found.push(KAMAILIO005.at(format!("pbx/{}", pbx.name), message));
    }
    let extensions = view.users.iter().map(|user| ("user", &user.extension));
    let groups = view
        .call_groups
        .iter()
        .map(|group| ("call-group", &group.name));
    for (kind, name) in extensions.chain(groups) {
        if !is_number(name) {
            let message = format!("`{name}` cannot be called at Kamailio");
            found.push(
                KAMAILIO005
                    .at(format!("{kind}/{name}"), message)
                    .with_help("use letters, digits, dots, plus signs, hyphens and underscores"),
            );
        }
    }
    found
}

fn users(view: &View) -> impl Iterator<Item = Finding> {
    let without = view.users.iter().filter(|user| user.sip_password.is_none());
    without.map(|user| {
        let message = format!(
            "user `{0}` has no SIP password, so no telephone can register as {0}",
            user.extension
        );
        KAMAILIO006
            .at(format!("user/{}", user.extension), message)
            .with_help("add `sip-password=(secret)\"env:NAME\"` to the user")
    })
}

fn call_group(view: &View, group: &CallGroup) -> Vec<Finding> {
    let path = format!("call-group/{}", group.name);
    let mut found = Vec::new();
    match ring(&group.strategy) {
        None => found.push(
            KAMAILIO007.at(format!("{path}/strategy"),
                format!("Kamailio has no strategy `{}`, and the group would not exist there", group.strategy),
            )
            .with_help("`all` rings every member at once, `linear` one after the other"),
        ),
        Some(Ring::All) if group.members.len() > MOST_AT_ONCE => found.push(
            KAMAILIO008.at(path.clone(),
                format!(
                    "{} members cannot ring at once: Kamailio forks a call to {MOST_AT_ONCE} telephones",
                    group.members.len()
                ),
            )
            .with_help("use the strategy `linear`, or split the group"),
        ),
        Some(_) => {}
    }
    if group.members.is_empty() {
        let message = format!("call group `{}` has no member", group.name);
        found.push(KAMAILIO009.at(path.clone(), message));
    }
    if view.users.iter().any(|user| user.extension == group.name) {
        let message = format!(
            "`{}` is an extension, too, which could not be called any more",
            group.name
        );
        found.push(
            KAMAILIO010
                .at(path, message)
                .with_help("give the call group another name"),
        );
    }
    found
}

fn trunks(view: &View, pbx: &Pbx) -> Vec<Finding> {
    let mut found = Vec::new();
    for trunk in &view.trunks {
        if trunk.direction == TrunkDirection::Outgoing {
            let message = format!(
                "trunk `{}` is outgoing, and only incoming ones are configured",
                trunk.name
            );
            found.push(KAMAILIO011.at(format!("trunk/{}", trunk.name), message));
        }
    }
    let mut providers: BTreeMap<&str, &str> = BTreeMap::new();
    for trunk in trunks_to(view, pbx) {
        let path = format!("trunk/{}", trunk.name);
        if !is_word(&trunk.name) {
            let message = format!(
                "`{}` cannot be the name of a trunk at Kamailio",
                text::plain(&trunk.name)
            );
            found.push(KAMAILIO005.at(path.clone(), message));
        }
        if !is_provider(&trunk.provider) {
            let message = format!(
                "Kamailio knows a trunk by the IPv4 address that its calls come from, and `{}` is none",
                trunk.provider
            );
            found.push(
                KAMAILIO012
                    .at(format!("{path}/provider"), message)
                    .with_help("write the address of the provider"),
            );
        } else if let Some(first) = providers.insert(&trunk.provider, &trunk.name) {
            let message = format!(
                "trunk `{}` has the provider of `{first}`, {}: their calls cannot be told apart",
                trunk.name, trunk.provider
            );
            found.push(KAMAILIO013.at(path, message));
        }
    }
    found
}

fn incoming(view: &View, target: &Target, settings: &Settings) -> Option<Finding> {
    let to = settings.incoming.as_ref()?;
    let known = view.users.iter().any(|user| user.extension == *to)
        || view.call_groups.iter().any(|group| group.name == *to);
    if known {
        return None;
    }
    let message =
        format!("`incoming` names `{to}`, which is neither an extension nor a call group");
    Some(KAMAILIO014.at(format!("target/{}", target.name), message))
}
