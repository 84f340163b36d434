//! How long devices take, and how long they may.

use std::time::Duration;

use switchover_catalogue::{SecondsRange, Signalling, edition, signalling_made_in};
use switchover_topology::model::{Device, Kind, Objective};
use switchover_topology::value::spell_duration;
use switchover_topology::{Severity, Spanned};

use super::fleet::{Fleet, Known, On, year};
use super::{TABLE, guide_386, guide_later};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::SINCE_3_86;

pub(crate) const SW209: Rule = Rule {
    code: "SW209",
    name: "slower-than-objective",
    severity: Severity::Error,
    summary: "a device may take longer to switch or to return than the site's objective",
    sources: &[guide_386(TABLE), guide_later(TABLE)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW209.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx, Kind::Device],
    check: Check::Fleet(slower),
};

pub(crate) const SW210: Rule = Rule {
    code: "SW210",
    name: "no-documented-times",
    severity: Severity::Warning,
    summary: "the site has an objective, and the guide gives no times for a device's model",
    sources: &[guide_386(TABLE)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW210.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx, Kind::Device],
    check: Check::Fleet(undocumented),
};

/// One of the two ways.
struct Way<'a> {
    verb: &'static str,
    objective: &'a Spanned<Duration>,
    time: fn(&Signalling) -> Option<SecondsRange>,
}

/// The ways that the site has an objective for.
fn ways(objective: &Objective) -> Vec<Way<'_>> {
    let switch = objective.switch.as_ref().map(|objective| Way {
        verb: "switch",
        objective,
        time: |table| table.switch,
    });
    let back = objective.r#return.as_ref().map(|objective| Way {
        verb: "return",
        objective,
        time: |table| table.r#return,
    });
    switch.into_iter().chain(back).collect()
}

fn objective<'a>(fleet: &Fleet<'a>) -> Vec<Way<'a>> {
    fleet
        .topology
        .site
        .as_ref()
        .and_then(|site| site.objective.as_ref())
        .map_or_else(Vec::new, ways)
}

fn slower(fleet: &Fleet<'_>) -> Vec<Finding> {
    let ways = objective(fleet);
    if ways.is_empty() {
        return Vec::new();
    }
    let devices = fleet.iter();
    devices
        .flat_map(|(device, known)| {
            ways.iter()
                .filter_map(move |way| too_slow(device, known, way))
        })
        .collect()
}

/// The slowest of the versions counts: it is the worst case.
fn too_slow(device: &Device, known: &Known<'_>, way: &Way<'_>) -> Option<Finding> {
    let (on, range) = known
        .on
        .iter()
        .filter_map(|on| Some((on, on.signalling.as_ref().and_then(way.time)?)))
        .max_by_key(|(_, range)| range.max)?;
    let worst = Duration::from_secs(range.max.into());
    if worst <= way.objective.value {
        return None;
    }
    let (name, model, wms) = (&device.name.value, &device.model.value, &on.pbx.wms.value);
    let (verb, allowed) = (way.verb, spell_duration(way.objective.value));
    let message = format!("`{name}` takes {range} to {verb}, and the objective is {allowed}");
    let finding = Finding::new(&SW209, device.span, device.model.span, message)
        .label(format!("a {model} takes {range} on WMS {wms}"))
        .related(way.objective.span, "the objective");
    let slack = spell_duration(worst);
    Some(finding.help(if year_would_help(device, known, on, way) {
        format!("declare its `year`: one made lately is faster; or allow `{verb}` {slack}")
    } else {
        format!("use a faster model there, or allow `{verb}` {slack}: the documented worst case counts, sooner or later a device needs it")
    }))
}

/// Whether a year is all that is missing to meet the objective.
fn year_would_help(device: &Device, known: &Known<'_>, on: &On<'_>, way: &Way<'_>) -> bool {
    let lately = || signalling_made_in(known.model?, &on.pbx.wms, Some(u16::MAX));
    device.year.is_none()
        && lately()
            .as_ref()
            .and_then(way.time)
            .is_some_and(|range| Duration::from_secs(range.max.into()) <= way.objective.value)
}

fn undocumented(fleet: &Fleet<'_>) -> Vec<Finding> {
    let ways = objective(fleet);
    if ways.is_empty() {
        return Vec::new();
    }
    fleet
        .iter()
        .filter_map(|(device, known)| no_times(device, known, &ways))
        .collect()
}

/// Not of an unknown model, and not of one that goes down anyway: those have findings of their own.
fn no_times(device: &Device, known: &Known<'_>, ways: &[Way<'_>]) -> Option<Finding> {
    known.model?;
    if known.goes_down(year(device)) {
        return None;
    }
    let (on, way) = known.on.iter().find_map(|on| {
        // What is too old for failover altogether is another rule's.
        edition(&on.pbx.wms)?;
        let time = |way: &&Way<'_>| on.signalling.as_ref().and_then(way.time).is_none();
        ways.iter().find(time).map(|way| (on, way))
    })?;
    let (name, model, wms) = (&device.name.value, &device.model.value, &on.pbx.wms.value);
    let message = format!(
        "whether `{name}` meets the objective is not known: the guide has no time for a {model} to {} on WMS {wms}",
        way.verb
    );
    Some(
        Finding::new(&SW210, device.span, device.model.span, message)
            .label("no documented times")
            .related(way.objective.span, "the objective")
            .help(format!(
                "measure it in a rehearsal, then acknowledge SW210 in `{name}` or in `defaults \"device\"` with what you measured"
            )),
    )
}
