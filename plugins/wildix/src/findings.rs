//! What only this plugin can know to be wrong.

use switchover_sdk::{Finding, Role, Target, View};

use crate::manifest::Settings;
use crate::place::{Part, Place, pbxs};
use crate::rules::{WILDIX001, WILDIX002, WILDIX003, WILDIX004, WILDIX005};

pub(crate) fn findings(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let path = format!("target/{}", target.name);
    let mut found: Vec<Finding> = view
        .roles
        .iter()
        .filter_map(|role| stranger(role, &path))
        .collect();
    let named: Vec<&str> = pbxs(view).map(|pbx| pbx.name.as_str()).collect();
    if named.len() > 1 {
        let message = format!("`{}` and `{}` name the same target", named[0], named[1]);
        found.push(
            WILDIX002
                .at(path.clone(), message)
                .with_help("a target is one PBX: give each its own endpoint"),
        );
    }
    let Some(place) = Place::of(view) else {
        return found;
    };
    let pbx = &place.pbx.name;
    if place.part == Part::Destination {
        for group in &view.call_groups {
            if group.pbx.as_ref() == Some(pbx) {
                let message = format!(
                    "`{}` is configured on `{pbx}`, where every synchronisation overwrites it",
                    group.name
                );
                let path = format!("call-group/{}", group.name);
                found.push(
                    WILDIX003
                        .at(path, message)
                        .with_help("configure it on the source of the synchronisation"),
                );
            }
        }
    }
    if place.pbx.locale.is_none() {
        let message = format!(
            "`{pbx}` declares no `locale`, so its language and region are left as they are"
        );
        let path = format!("pbx/{pbx}");
        found.push(WILDIX004.at(path, message).with_help(
            "a synchronisation does not carry language and region: declare them for both PBXs",
        ));
    }
    if settings.ntp.is_none() && place.ntp().is_none() {
        let message =
            format!("no network names an NTP server for `{pbx}`, so its own is left as it is");
        found.push(
            WILDIX005
                .at(path, message)
                .with_help("give a network `ntp`, or the target `ntp`"),
        );
    }
    found
}

fn stranger(role: &Role, path: &str) -> Option<Finding> {
    let role = match role {
        Role::Pbx(_) => return None,
        Role::DhcpServer(server) => format!("DHCP server `{}`", server.server),
        Role::DnsServer(server) => format!("DNS server `{}`", server.server),
        Role::Provisioning(name) => format!("provisioning service `{name}`"),
    };
    let message = format!("{role} names this target, but wildix configures PBXs only");
    Some(
        WILDIX001.at(path, message).with_help(
            "name the target from a `pbx` node, and give the other one a target of its own",
        ),
    )
}
