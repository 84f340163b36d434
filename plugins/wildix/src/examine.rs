//! Where a PBX contradicts the topology.

use switchover_sdk::{Finding, Target, View};

use crate::manifest::Settings;
use crate::place::{Part, Place};
use crate::records::Records;
use crate::rules::{WILDIX101, WILDIX102, WILDIX103, WILDIX104, WILDIX105};

pub(crate) fn findings(
    view: &View,
    target: &Target,
    settings: &Settings,
    records: &Records,
) -> Vec<Finding> {
    let Some(place) = Place::of(view) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    found.extend(version(place, records));
    found.extend(members(place, settings, records));
    found.extend(trunks(place, records));
    found.extend(call_groups(place, records));
    found.extend(passwords(place, target, settings, records));
    found
}

fn version(place: Place<'_>, records: &Records) -> Option<Finding> {
    let (declared, told) = (&place.pbx.wms, &records.version);
    if is_version(told, declared) {
        return None;
    }
    let name = &place.pbx.name;
    let message = format!("`{name}` runs WMS {told}, and the topology declares {declared}");
    Some(
        WILDIX101
            .at(format!("pbx/{name}/wms"), message)
            .with_help(format!(
                "declare `wms \"{told}\"`, or bring the PBX to {declared} at a time of your choice"
            )),
    )
}

/// Whether the declared numbers are the first ones of what the PBX tells: 3.86 is not contradicted by 3.86.30011.
fn is_version(told: &str, declared: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|character: char| !character.is_ascii_digit())
            .map_while(|part| part.parse().ok())
            .collect()
    };
    let declared = numbers(declared);
    !declared.is_empty() && numbers(told).starts_with(&declared)
}

fn members(place: Place<'_>, settings: &Settings, records: &Records) -> Vec<Finding> {
    let name = &place.pbx.name;
    let Some(known) = records
        .members
        .as_ref()
        .filter(|_| settings.members.is_on())
    else {
        return Vec::new();
    };
    let missing = place
        .members()
        .filter(|hostname| !known.contains(&hostname.to_lowercase()));
    missing
        .map(|hostname| {
            let message = format!("`{name}` does not know `{hostname}` in its WMS network");
            WILDIX102.at("wms-network", message).with_help(
                "join it at the web page of WMS (see `switchover runbook`), or say `members \"ignored\"` in the target",
            )
        })
        .collect()
}

fn trunks(place: Place<'_>, records: &Records) -> Vec<Finding> {
    let Some(known) = &records.trunks else {
        return Vec::new();
    };
    let missing = place.trunks().filter(|trunk| !known.contains(&trunk.name));
    missing
        .map(|trunk| {
            let message = format!("`{}` has no SIP trunk `{}`", place.pbx.name, trunk.name);
            let path = format!("trunk/{}", trunk.name);
            WILDIX103
                .at(path, message)
                .with_help("make it at the web page of WMS (see `switchover runbook`)")
        })
        .collect()
}

fn call_groups(place: Place<'_>, records: &Records) -> Vec<Finding> {
    let Some(known) = &records.call_groups else {
        return Vec::new();
    };
    let differing = place.call_groups().filter_map(|group| {
        let name = &group.name;
        let (message, path) = match known.get(name) {
            None => (
                format!("`{}` has no call group `{name}`", place.pbx.name),
                format!("call-group/{name}"),
            ),
            Some(strategy) if *strategy != group.strategy => (
                format!(
                    "the call group `{name}` has the strategy `{strategy}` on `{}`, and the topology declares `{}`",
                    place.pbx.name, group.strategy
                ),
                format!("call-group/{name}/strategy"),
            ),
            Some(_) => return None,
        };
        Some(
            WILDIX104.at(path, message)
                .with_help("set it up at the web page of WMS (see `switchover runbook`)"),
        )
    });
    differing.collect()
}

/// A password that is never told would be written again with every plan, and never be found as wanted.
fn passwords(
    place: Place<'_>,
    target: &Target,
    settings: &Settings,
    records: &Records,
) -> Option<Finding> {
    let declares = place.users().any(|user| user.sip_password.is_some());
    let is_silent = records
        .users
        .values()
        .any(|user| !user.fields.contains_key("sipPassword"));
    let concerned = settings.sip_passwords.is_on() && place.part != Part::Destination;
    (concerned && declares && is_silent).then(|| {
        let message = format!(
            "`{}` does not tell SIP passwords, so they cannot be compared",
            place.pbx.name
        );
        let path = format!("target/{}", target.name);
        WILDIX105.at(path, message).with_help(
            "say `sip-passwords \"ignored\"` in the target, and set them at the web page of WMS",
        )
    })
}
