//! What people do at a PBX without a target: everything that the topology says of it. Nothing is read from it, so no task
//! is ever ticked.

use std::fmt::Write as _;

use switchover_catalogue::{Document, Edition, Source, edition};
use switchover_topology::Topology;
use switchover_topology::model::{
    CallGroup, Device, Pbx, PbxRole, Trunk, TrunkDirection, User, WmsRole,
};
use switchover_topology::value::spell_duration;

use super::{Task, TaskState};

const REQUIREMENTS: &str = "Requirements";
const SUPPORTED: &str = "Currently supported features & scenarios";
const LIMITATIONS: &str = "Current (temporary) limitations/special configuration";

/// What no document asks for.
const DECLARED: &str = "the topology";

/// A PBX's part in the synchronisation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Everything is configured here.
    Source,
    /// Overwritten from the source.
    Destination,
    /// No synchronisation touches it: it has its own users.
    Alone,
}

/// The tasks at one PBX, in the order in which they are to be done.
pub(super) fn tasks(topology: &Topology, pbx: &Pbx) -> Vec<Task> {
    let place = Place {
        topology,
        pbx,
        part: match &topology.sync {
            Some(sync) if sync.from.value == pbx.name.value => Part::Source,
            Some(sync) if sync.to.value == pbx.name.value => Part::Destination,
            Some(_) | None => Part::Alone,
        },
    };
    let mut tasks = Vec::new();
    tasks.extend(place.wms_network());
    tasks.extend(place.locale());
    tasks.extend(place.ntp());
    tasks.extend(place.users());
    tasks.extend(place.devices());
    tasks.extend(place.trunks());
    tasks.extend(place.call_groups());
    tasks.extend(place.synchronisation());
    tasks.extend(place.failover());
    tasks
}

#[derive(Clone, Copy)]
struct Place<'a> {
    topology: &'a Topology,
    pbx: &'a Pbx,
    part: Part,
}

impl<'a> Place<'a> {
    fn name(self) -> &'a str {
        &self.pbx.name
    }

    fn task(
        self,
        id: impl Into<String>,
        title: String,
        instructions: String,
        source: String,
    ) -> Task {
        Task {
            id: id.into(),
            title,
            instructions,
            source,
            state: TaskState::Unknown(format!(
                "{} has no target, so nothing is read from it",
                self.name()
            )),
        }
    }

    /// A section of the guide in force for the PBX.
    fn guide(self, section: &'static str) -> String {
        let in_force = edition(&self.pbx.wms);
        let document = in_force.map_or(Document::Guide386, Edition::document);
        Source { document, section }.to_string()
    }

    /// Stands at the network's server, or at the source where none of the pair is that.
    fn wms_network(self) -> Option<Task> {
        let network = self.topology.wms_network.as_ref()?;
        let is_server = |name: &str| {
            let mut members = network.members.iter();
            members.any(|member| member.name.value == name && member.role.value == WmsRole::Server)
        };
        let leads = match self.topology.pbxs.iter().any(|pbx| is_server(&pbx.name)) {
            true => is_server(self.name()),
            false => self.part == Part::Source,
        };
        let others: Vec<&str> = network
            .members
            .iter()
            .filter(|member| member.name.value != self.name())
            .map(|member| {
                let pbx = self.topology.pbxs.get(&member.name.value);
                let declared = member.hostname.as_deref().map(String::as_str);
                declared
                    .or_else(|| pbx.map(|pbx| pbx.hostname.as_str()))
                    .unwrap_or(&member.name.value)
            })
            .collect();
        let name = self.name();
        (leads && !others.is_empty()).then(|| {
            self.task(
                "wms-network",
                format!("put {} into the WMS network of {name}", others.join(", ")),
                format!(
                    "Join each PBX to the WMS network at the web page of WMS; {} is its server.\n\n\
                     It is done when every PBX of the network lists the others by host name.",
                    code(name)
                ),
                self.guide(REQUIREMENTS),
            )
        })
    }

    fn locale(self) -> Option<Task> {
        let locale = self.pbx.locale.as_ref()?;
        let name = self.name();
        Some(self.task(
            "locale",
            format!("set language and region on {name}"),
            format!(
                "At the web page of WMS on {}, set the language {} and the region {}. The synchronisation does not carry \
                 them over.",
                code(name),
                code(&locale.language),
                code(&locale.region)
            ),
            self.guide(LIMITATIONS),
        ))
    }

    /// The first NTP server of the networks that is not this PBX.
    fn ntp(self) -> Option<Task> {
        let mut servers = self
            .topology
            .networks
            .iter()
            .flat_map(|network| &network.ntp);
        let server = servers.find(|server| server.value != self.pbx.address.value)?;
        let name = self.name();
        Some(self.task(
            "ntp",
            format!("set the NTP server on {name}"),
            format!(
                "At the web page of WMS on {}, set the NTP server {}.",
                code(name),
                code(&server.value.to_string())
            ),
            DECLARED.to_owned(),
        ))
    }

    fn own_users(self) -> impl Iterator<Item = &'a User> {
        let users = self.topology.users.iter();
        users.filter(move |user| match self.part {
            Part::Source => true,
            Part::Destination => false,
            Part::Alone => user.pbx.value == self.name(),
        })
    }

    fn users(self) -> Option<Task> {
        let users: Vec<&User> = self.own_users().collect();
        let name = self.name();
        let lines = list(users.iter().map(|user| {
            let email = user.email.as_ref();
            let email = email.map(|email| format!(", e-mail {}", code(email)));
            format!(
                "{} {}{}",
                code(user.extension.as_str()),
                code(&user.display_name),
                email.unwrap_or_default()
            )
        }));
        let passwords = match users.iter().any(|user| user.sip_password.is_some()) {
            true => " Their SIP passwords are where the topology says.",
            false => "",
        };
        (!users.is_empty()).then(|| {
            self.task(
                "users",
                format!("make {} on {name}", counted(users.len(), "user")),
                format!(
                    "At the web page of WMS on {}, make each user with this extension and name:{passwords}\n\n{lines}",
                    code(name)
                ),
                DECLARED.to_owned(),
            )
        })
    }

    fn devices(self) -> Option<Task> {
        let is_own = |device: &&Device| match self.part {
            Part::Source => true,
            Part::Destination => false,
            Part::Alone => device.user.as_ref().is_some_and(|user| {
                let user = self.topology.users.get(&user.value);
                user.is_some_and(|user| user.pbx.value == self.name())
            }),
        };
        let devices: Vec<&Device> = self.topology.devices.iter().filter(is_own).collect();
        let name = self.name();
        let lines = list(devices.iter().filter_map(|device| {
            let mac = device.mac.as_ref()?.value.to_string().to_lowercase();
            let user = device.user.as_ref();
            let user = user.map(|user| format!(", connected to {}", code(user)));
            Some(format!(
                "{} {} ({}){}",
                code(&mac),
                code(&device.name),
                device.model.value,
                user.unwrap_or_default()
            ))
        }));
        let number = lines.lines().count();
        (number > 0).then(|| {
            self.task(
                "devices",
                format!("add {} to {name}", counted(number, "device")),
                format!(
                    "At the web page of WMS on {}, add each device by its hardware address and connect it to its user:\n\n\
                     {lines}",
                    code(name)
                ),
                DECLARED.to_owned(),
            )
        })
    }

    fn trunks(self) -> Vec<Task> {
        let registers = |trunk: &&Trunk| trunk.register_to.iter().any(|to| to.value == self.name());
        let is_own = |trunk: &&Trunk| match self.part {
            Part::Source => true,
            Part::Destination => false,
            Part::Alone => registers(trunk),
        };
        let trunks = self.topology.trunks.iter().filter(is_own);
        trunks.map(|trunk| self.trunk(trunk)).collect()
    }

    fn trunk(self, trunk: &Trunk) -> Task {
        let (name, pbx) = (&trunk.name.value, self.name());
        let made = format!(
            "At the web page of WMS on {}, make a SIP trunk with the title {} for {}.",
            code(pbx),
            code(name),
            code(&trunk.provider)
        );
        let to: Vec<&str> = trunk
            .register_to
            .iter()
            .map(|to| to.value.as_str())
            .collect();
        let (direction, instructions, section) = match trunk.direction.value {
            TrunkDirection::Incoming => (
                "incoming",
                format!(
                    "{made} Have the provider, or the device behind the trunk, try both PBXs: {}.\n\n\
                     Whether the far end tries both is to be tried out.",
                    to.join(", ")
                ),
                self.guide(SUPPORTED),
            ),
            TrunkDirection::Outgoing => (
                "outgoing",
                format!("{made} It does not fail over."),
                self.guide(LIMITATIONS),
            ),
        };
        self.task(
            format!("trunk-{name}"),
            format!("make the {direction} SIP trunk {name} on {pbx}"),
            instructions,
            section,
        )
    }

    fn call_groups(self) -> Vec<Task> {
        let is_own = |group: &&CallGroup| match (&group.on, self.part) {
            (_, Part::Destination) => false,
            (Some(on), _) => on.value == self.name(),
            (None, part) => {
                part == Part::Source
                    || (self.topology.sync.is_none() && self.pbx.role.value == PbxRole::Main)
            }
        };
        let groups = self.topology.call_groups.iter().filter(is_own);
        let task = |group: &CallGroup| {
            let (name, pbx) = (&group.name.value, self.name());
            let members: Vec<String> = group.members.iter().map(|member| code(member)).collect();
            self.task(
                format!("call-group-{name}"),
                format!("set up the call group {name} on {pbx}"),
                format!(
                    "At the web page of WMS on {}, make a call group with the title {}, the strategy {} and the members \
                     {}.",
                    code(pbx),
                    code(name),
                    code(&group.strategy),
                    members.join(", ")
                ),
                self.guide(SUPPORTED),
            )
        };
        groups.map(task).collect()
    }

    fn synchronisation(self) -> Option<Task> {
        let sync = self
            .topology
            .sync
            .as_ref()
            .filter(|_| self.part == Part::Destination)?;
        let (name, source) = (self.name(), &sync.from.value);
        Some(self.task(
            "sync",
            format!("let {name} take its configuration from {source}"),
            format!(
                "Set the synchronisation up so that {} takes the configuration of {} every {}. What is changed on {} by \
                 hand is lost with the next one; language and region are not carried over.\n\n\
                 It is done when the users of {} are on {}, too.",
                code(name),
                code(source),
                spell_duration(sync.every.value),
                code(name),
                code(source),
                code(name)
            ),
            self.guide(LIMITATIONS),
        ))
    }

    fn failover(self) -> Option<Task> {
        let name = self.name();
        (self.pbx.role.value == PbxRole::Failover).then(|| {
            self.task(
                "failover",
                format!("make {name} the failover PBX of its users"),
                format!(
                    "Enable failover to {} at the web page of WMS, and let the telephones and gateways fetch their \
                     configuration again.\n\n\
                     It is done when every device is registered on both PBXs at the same time.",
                    code(name)
                ),
                self.guide(SUPPORTED),
            )
        })
    }
}

/// As Markdown code, whatever it holds.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// A Markdown list.
fn list(lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {line}");
    }
    text
}

fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests;
