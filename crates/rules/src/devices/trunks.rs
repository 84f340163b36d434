//! Trunks: only incoming ones fail over, and only where the remote end tries both PBXs.

use switchover_catalogue::Statement;
use switchover_topology::model::{Kind, Pbx, Trunk, TrunkDirection};
use switchover_topology::{Severity, Topology};

use super::{FEATURES, LIMITATIONS, guide_386, guide_later};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::{SINCE_3_86, main_first, stated};

pub(crate) const SW206: Rule = Rule {
    code: "SW206",
    name: "outgoing-trunk",
    severity: Severity::Error,
    summary: "an outgoing trunk, which does not fail over",
    sources: &[guide_386(LIMITATIONS), guide_later(LIMITATIONS)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW206.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Trunk],
    check: Check::Topology(outgoing),
};

pub(crate) const SW207: Rule = Rule {
    code: "SW207",
    name: "trunk-not-on-both-pbxs",
    severity: Severity::Error,
    summary: "an incoming trunk does not register to both PBXs",
    sources: &[guide_386(FEATURES), guide_later(FEATURES)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW207.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Trunk],
    check: Check::Topology(incoming),
};

fn of_direction(topology: &Topology, direction: TrunkDirection) -> impl Iterator<Item = &Trunk> {
    topology
        .trunks
        .iter()
        .filter(move |trunk| trunk.direction.value == direction)
}

fn outgoing(topology: &Topology) -> Vec<Finding> {
    let Some(said) = stated(topology, Statement::OutgoingTrunksUnsupported) else {
        return Vec::new();
    };
    of_direction(topology, TrunkDirection::Outgoing)
        .map(|trunk| {
            let name = &trunk.name.value;
            let message = format!(
                "outgoing trunk `{name}` goes down with its PBX: failover does not carry outgoing trunks"
            );
            let finding = Finding::new(&SW206, trunk.span, trunk.direction.span, message)
                .label("not supported by failover")
                .help(format!(
                    "let `{}` register to both PBXs (`direction=\"incoming\"`), or keep a line through a gateway for \
                     calls out during a failover and acknowledge SW206 in `{name}`",
                    trunk.provider.value
                ));
            finding.related(said.wms.span, "the version that says so")
        })
        .collect()
}

fn incoming(topology: &Topology) -> Vec<Finding> {
    // With one PBX alone there are no two to register to, and one that was left out may be the missing one.
    let enough = topology.pbxs.len() > 1 && !topology.incomplete.contains(&Kind::Pbx);
    if !enough || stated(topology, Statement::IncomingTrunksTryBoth).is_none() {
        return Vec::new();
    }
    of_direction(topology, TrunkDirection::Incoming)
        .filter_map(|trunk| not_on_both(topology, trunk))
        .collect()
}

fn not_on_both(topology: &Topology, trunk: &Trunk) -> Option<Finding> {
    // A name that is no PBX is reported as such, and may be the missing one.
    let declared = |name: &str| topology.pbxs.get(name).is_some();
    if !trunk.register_to.iter().all(|name| declared(name)) {
        return None;
    }
    let missing: Vec<&Pbx> = main_first(topology)
        .filter(|pbx| {
            !trunk
                .register_to
                .iter()
                .any(|name| name.value == pbx.name.value)
        })
        .collect();
    let quoted = |names: Vec<&str>| names.join("`, `");
    let names = quoted(missing.iter().map(|pbx| pbx.name.value.as_str()).collect());
    let first = missing.first()?;
    let name = &trunk.name.value;
    let message = format!("incoming trunk `{name}` does not register to `{names}`");
    let span = trunk
        .register_to
        .first()
        .map_or(trunk.name.span, |to| to.span);
    let all: Vec<String> = main_first(topology)
        .map(|pbx| format!("\"{}\"", pbx.name.value))
        .collect();
    let finding = Finding::new(&SW207, trunk.span, span, message)
        .label(match trunk.register_to.len() {
            0 => "no `register-to` here",
            1 => "the only one",
            _ => "these alone",
        })
        .related(
            first.name.span,
            format!("`{}` declared here", first.name.value),
        )
        .help(format!(
            "register the trunk to {}: `register-to {}`",
            if all.len() == 2 {
                "both PBXs"
            } else {
                "every PBX"
            },
            all.join(" ")
        ));
    Some(finding)
}
