//! What only people can do at a PBX, and what the PBX shows of it.

use switchover_sdk::{Task, TaskState, View, WmsRole};

use crate::manifest::Settings;
use crate::place::{Part, Place};
use crate::records::Records;

const REQUIREMENTS: &str = "the vendor's failover guide for WMS 3.86, requirements";
const SYNC: &str =
    "the vendor's failover guide, configuration sync (3.86), and its edition for WMS 5.0X and 6.0X";
const SUPPORTED: &str =
    "the vendor's failover guide for WMS 3.86, supported features and scenarios";

const UNREAD: &str = "the PBX was not read";

/// The tasks at one PBX, in the order in which they are to be done.
pub(crate) fn tasks(view: &View, settings: &Settings, records: Option<&Records>) -> Vec<Task> {
    let Some(place) = Place::of(view) else {
        return Vec::new();
    };
    let mut tasks = Vec::new();
    tasks.extend(network(view, place, settings, records));
    if settings.trunks.is_on() {
        tasks.extend(trunks(place, records));
    }
    if settings.call_groups.is_on() {
        tasks.extend(call_groups(place, records));
    }
    if place.part == Part::Destination
        && let Some(sync) = &view.sync
    {
        tasks.push(synchronisation(view, place, sync.every_seconds, records));
        tasks.push(failover(place, records));
    }
    tasks
}

fn unread() -> TaskState {
    TaskState::Unknown(UNREAD.into())
}

/// Stands at the network's server, or at the source where none of the pair is that.
fn network(
    view: &View,
    place: Place<'_>,
    settings: &Settings,
    records: Option<&Records>,
) -> Option<Task> {
    let name = &place.pbx.name;
    let is_server = |name: &str| {
        let mut members = view.wms_members.iter();
        members.any(|member| member.name == name && member.role == WmsRole::Server)
    };
    let others: Vec<&str> = place.members().collect();
    let leads = match view.pbxs.iter().any(|pbx| is_server(&pbx.name)) {
        true => is_server(name),
        false => place.part == Part::Source,
    };
    if others.is_empty() || !leads {
        return None;
    }
    let list = others.join(", ");
    let known = records.and_then(|records| records.members.as_ref());
    let state = match known {
        _ if !settings.members.is_on() => {
            TaskState::Unknown("the target says `members \"ignored\"`".into())
        }
        None => unread(),
        Some(known) => {
            let is_missing = |one: &&&str| !known.contains(&one.to_lowercase());
            let missing: Vec<&str> = others.iter().filter(is_missing).copied().collect();
            match missing.is_empty() {
                true => TaskState::Done(format!("{name} lists {list}")),
                false => TaskState::Open(format!("{name} does not list {}", missing.join(", "))),
            }
        }
    };
    Some(Task {
        id: "wms-network".into(),
        title: format!("put {list} into the WMS network of {name}"),
        instructions: format!(
            "Join each PBX to the WMS network at the web page of WMS; `{name}` is its server.\n\n\
             It is done when every PBX of the network lists the others by host name (`GET /api/v1/network/pbxes`)."
        ),
        source: REQUIREMENTS.into(),
        state,
    })
}

fn trunks(place: Place<'_>, records: Option<&Records>) -> Vec<Task> {
    let known = records.and_then(|records| records.trunks.as_ref());
    let task = |trunk: &switchover_sdk::Trunk| {
        let name = &trunk.name;
        let pbx = &place.pbx.name;
        let state = match known {
            None => unread(),
            Some(known) if known.contains(name) => {
                TaskState::Done(format!("{pbx} has a SIP trunk of this title"))
            }
            Some(_) => TaskState::Open(format!("{pbx} has no SIP trunk of this title")),
        };
        Task {
            id: format!("trunk-{name}"),
            title: format!("make the incoming SIP trunk {name} on {pbx}"),
            instructions: format!(
                "At the web page of WMS on `{pbx}`, make a SIP trunk with the title `{name}` for `{}`. Have the \
                 provider, or the device behind the trunk, try both PBXs: {}.\n\n\
                 It is done when `GET /api/v1/Trunks/Sip` lists the title; whether the far end tries both is to be \
                 tried out.",
                trunk.provider,
                trunk.register_to.join(", ")
            ),
            source: SUPPORTED.into(),
            state,
        }
    };
    place.trunks().map(task).collect()
}

fn call_groups(place: Place<'_>, records: Option<&Records>) -> Vec<Task> {
    let known = records.and_then(|records| records.call_groups.as_ref());
    let task = |group: &switchover_sdk::CallGroup| {
        let (name, strategy, pbx) = (&group.name, &group.strategy, &place.pbx.name);
        let state = match known.map(|known| known.get(name)) {
            None => unread(),
            Some(None) => TaskState::Open(format!("{pbx} has no call group of this title")),
            Some(Some(told)) if told == strategy => {
                TaskState::Done(format!("{pbx} has it with the strategy {strategy}"))
            }
            Some(Some(told)) => TaskState::Open(format!("its strategy on {pbx} is {told}")),
        };
        Task {
            id: format!("call-group-{name}"),
            title: format!("set up the call group {name} on {pbx}"),
            instructions: format!(
                "At the web page of WMS on `{pbx}`, make a call group with the title `{name}`, the strategy \
                 `{strategy}` and the members {}.\n\n\
                 It is done when `GET /api/v1/Dialplan/CallGroups` lists the title with that `settings.strategy`; the \
                 members are to be looked at.",
                group.members.join(", ")
            ),
            source: SUPPORTED.into(),
            state,
        }
    };
    place.call_groups().map(task).collect()
}

fn synchronisation(view: &View, place: Place<'_>, every: u32, records: Option<&Records>) -> Task {
    let name = &place.pbx.name;
    let source = view.sync.as_ref().map_or("", |sync| sync.source.as_str());
    let declared = view.users.len();
    let state = match records {
        None => unread(),
        Some(_) if declared == 0 => {
            TaskState::Unknown("the topology declares no user by which it could be told".into())
        }
        Some(records) => {
            let is_missing =
                |user: &&switchover_sdk::User| !records.users.contains_key(&user.extension);
            let missing: Vec<_> = view.users.iter().filter(is_missing).collect();
            match missing.first() {
                None => TaskState::Done(format!("all {declared} declared users are on {name}")),
                Some(first) => TaskState::Open(format!(
                    "{} of {declared} declared users are not on {name}, such as {}",
                    missing.len(),
                    first.extension
                )),
            }
        }
    };
    Task {
        id: "sync".into(),
        title: format!("let {name} take its configuration from {source}"),
        instructions: format!(
            "Set the synchronisation up so that `{name}` takes the configuration of `{source}` every {}. What is \
             changed on `{name}` by hand is lost with the next one; language and region are not carried over, and are \
             configured on both by `switchover apply`.\n\n\
             It is done when the users of `{source}` are on `{name}`, too.",
            spoken(every)
        ),
        source: SYNC.into(),
        state,
    }
}

fn failover(place: Place<'_>, records: Option<&Records>) -> Task {
    let name = &place.pbx.name;
    let extensions: Vec<&str> = place.registering().collect();
    let of = extensions.len();
    let state = match records.and_then(|records| records.registered.as_ref()) {
        None => unread(),
        Some(_) if of == 0 => TaskState::Unknown("no user has a device that could register".into()),
        Some(registered) => {
            let is_missing = |one: &&&str| !registered.contains(**one);
            let missing: Vec<&&str> = extensions.iter().filter(is_missing).collect();
            match missing.first() {
                None => TaskState::Done(format!(
                    "all {of} extensions with a device are registered on {name}"
                )),
                // It may be off, and just as well may the telephones be.
                Some(_) if missing.len() == of => TaskState::Unknown(format!(
                    "none of {of} extensions with a device is registered on {name}, which does not tell why"
                )),
                Some(first) => TaskState::Open(format!(
                    "{} of {of} extensions with a device are not registered on {name}, such as {first}",
                    missing.len()
                )),
            }
        }
    };
    Task {
        id: "failover".into(),
        title: format!("make {name} the failover PBX of its users"),
        instructions: format!(
            "Enable failover to `{name}` at the web page of WMS, and let the telephones and gateways fetch their \
             configuration again.\n\n\
             It is done when every device is registered on both PBXs at the same time \
             (`GET /api/v1/PBX/Users/Sip/Registrations`)."
        ),
        source: SUPPORTED.into(),
        state,
    }
}

/// Seconds in the largest unit that holds them without a rest.
fn spoken(seconds: u32) -> String {
    let (number, unit) = match seconds {
        seconds if seconds % 3600 == 0 => (seconds / 3600, "hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    match number {
        1 => unit.to_owned(),
        number => format!("{number} {unit}s"),
    }
}
