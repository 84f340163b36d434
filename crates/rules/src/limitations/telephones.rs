//! What telephones themselves cannot do in a failover.

use switchover_catalogue::{DeviceClass, NO_DISPLAY_MESSAGE, Trigger, WP480_OF_2015_2016, model};
use switchover_topology::model::{Device, Kind};
use switchover_topology::{Severity, Topology};

use super::{LOST, told};
use crate::devices::{Fleet, year};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::counted;

pub(crate) const SW306: Rule = Rule {
    code: "SW306",
    name: "wp480-of-2015-2016",
    summary: "a WP480 made in 2015 or 2016: calls to it cannot be completed normally on the failover PBX",
    sources: &[WP480_OF_2015_2016.source],
    explanation: include_str!("../../explanations/SW306.md"),
    looks_at: &[Kind::Device],
    check: Check::Topology(wp480),
    ..LOST
};

pub(crate) const SW312: Rule = Rule {
    code: "SW312",
    name: "no-message-on-display",
    severity: Severity::Note,
    summary: "telephones do not show that they have switched: users must be told",
    sources: &[NO_DISPLAY_MESSAGE.source],
    explanation: include_str!("../../explanations/SW312.md"),
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(display),
    ..LOST
};

fn wp480(topology: &Topology) -> Vec<Finding> {
    let trigger = WP480_OF_2015_2016.trigger;
    let (Trigger::Made { models, .. }, Some(years)) = (trigger, trigger.years()) else {
        return Vec::new();
    };
    let affected =
        |device: &Device| model(&device.model).is_some_and(|model| models.contains(&model.name));
    topology
        .devices
        .iter()
        .filter_map(|device| {
            let year = device
                .year
                .as_ref()
                .filter(|year| years.contains(&year.value))?;
            affected(device).then(|| {
                let name = &device.name.value;
                let subject = format!(
                    "`{name}` is a {} made in {}",
                    device.model.value, year.value
                );
                Finding::new(
                    &SW306,
                    device.span,
                    year.span,
                    told(topology, &subject, &WP480_OF_2015_2016),
                )
                .label("one of the years concerned")
                .related(device.model.span, "the model concerned")
                .help(format!(
                    "put a telephone of another model or year where calls must arrive during a failover, and `{name}` \
                     elsewhere"
                ))
            })
        })
        .collect()
}

/// Once for all telephones: it is one thing to tell people. Not of those that do not switch at all.
fn display(fleet: &Fleet<'_>) -> Vec<Finding> {
    let topology = fleet.topology;
    let mut phones = fleet
        .iter()
        .filter(|(device, known)| {
            let class = known.model.map(|model| model.class);
            class == Some(DeviceClass::Phone) && !known.goes_down(year(device))
        })
        .map(|(device, _)| device);
    let Some(first) = phones.next() else {
        return Vec::new();
    };
    let number = 1 + phones.count() as u64;
    let switch = if number == 1 { "switches" } else { "switch" };
    let subject = format!("{} {switch} silently", counted(number, "telephone"));
    let node = topology.site.as_ref().map_or(first.span, |site| site.span);
    let label = match number {
        1 => "the telephone",
        _ => "the first of them",
    };
    vec![
        Finding::new(
            &SW312,
            node,
            first.model.span,
            told(topology, &subject, &NO_DISPLAY_MESSAGE),
        )
        .label(label)
        .help(
            "tell the users what changes during a failover, and how they will hear that one began; acknowledge SW312 \
             in `site` once they know",
        ),
    ]
}
