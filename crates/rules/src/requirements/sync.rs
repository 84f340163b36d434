//! The synchronisation of the configuration: its direction, its period, and what it does not carry.

use std::time::Duration;

use switchover_catalogue::{Document, Source, Statement};
use switchover_topology::model::{Kind, Pbx, Sync, TrunkDirection};
use switchover_topology::value::spell_duration;
use switchover_topology::{Severity, Topology};

use super::{SINCE_3_86, pair, role_name, stated};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

const LIMITATIONS: &[Source] = &[
    Source {
        document: Document::Guide386,
        section: "Current (temporary) limitations/special configuration",
    },
    Source {
        document: Document::Guide50X60X,
        section: "Current (temporary) limitations/special configuration",
    },
];

pub(crate) const SW109: Rule = Rule {
    code: "SW109",
    name: "sync-overwrites",
    severity: Severity::Error,
    summary: "configuration on the destination of the synchronisation, or a synchronisation that does not go from \
              the main to the failover PBX",
    sources: LIMITATIONS,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW109.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Sync, Kind::CallGroup, Kind::Trunk],
    check: Check::Topology(overwritten),
};

pub(crate) const SW111: Rule = Rule {
    code: "SW111",
    name: "locale-differs",
    severity: Severity::Warning,
    summary: "language and region, which are not synchronised, differ or are missing on one PBX",
    sources: LIMITATIONS,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW111.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx],
    check: Check::Topology(locale),
};

pub(crate) const SW113: Rule = Rule {
    code: "SW113",
    name: "sync-too-seldom",
    severity: Severity::Warning,
    summary: "the configuration is synchronised less often than every 2 hours, or not at all",
    sources: &[Source {
        document: Document::Guide50X60X,
        section: "Currently supported features & scenarios",
    }],
    wms: "5.0 and later",
    explanation: include_str!("../../explanations/SW113.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Sync],
    check: Check::Topology(seldom),
};

/// How often the edition for 5.0X/6.0X says that it happens.
const PERIOD: Duration = Duration::from_secs(2 * 60 * 60);

fn overwritten(topology: &Topology) -> Vec<Finding> {
    let said = stated(topology, Statement::SyncOverwritesDestination);
    let Some(sync) = topology.sync.as_ref().filter(|_| said.is_some()) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = wrong_direction(topology, sync).into_iter().collect();
    // A synchronisation onto itself has no destination that anything could be lost on.
    if sync.from.value != sync.to.value {
        findings.extend(groups_on_destination(topology, sync));
        findings.extend(trunks_on_destination(topology, sync));
    }
    findings
}

/// An end that is no PBX of the topology is reported as such.
fn wrong_direction(topology: &Topology, sync: &Sync) -> Option<Finding> {
    let (main, failover) = pair(topology)?;
    let known = |name: &str| topology.pbxs.get(name).is_some();
    let (end, what, right) = if sync.from.value != main.name.value && known(&sync.from) {
        (&sync.from, "source", main)
    } else if sync.to.value != failover.name.value && known(&sync.to) {
        (&sync.to, "destination", failover)
    } else {
        return None;
    };
    let role = role_name(right.role.value);
    let message = format!(
        "the synchronisation's {what} is `{}`, not the {role} PBX `{}`",
        end.value, right.name.value
    );
    let finding = Finding::new(&SW109, sync.span, end.span, message)
        .label(format!("not the {role} PBX"))
        .related(right.role.span, format!("{role} PBX declared here"))
        .help(format!(
            "synchronise `from=\"{}\" to=\"{}\"`, and make every change on `{}`",
            main.name.value, failover.name.value, main.name.value
        ));
    Some(finding)
}

fn groups_on_destination<'a>(
    topology: &'a Topology,
    sync: &'a Sync,
) -> impl Iterator<Item = Finding> + 'a {
    let there = |name: &&switchover_topology::Spanned<String>| name.value == sync.to.value;
    topology.call_groups.iter().filter_map(move |group| {
        let on = group.on.as_ref().filter(there)?;
        let message = format!(
            "call group `{}` is configured on `{}`, which the next synchronisation overwrites",
            group.name.value, on.value
        );
        Some(
            Finding::new(&SW109, group.span, on.span, message)
                .label("lost with the next synchronisation")
                .related(sync.to.span, "destination of the synchronisation")
                .help(format!(
                    "configure it on `{}`, the source: leave `on` out, and synchronisation brings it to `{}`",
                    sync.from.value, on.value
                )),
        )
    })
}

/// Outgoing ones: that incoming ones need both PBXs is a rule of its own, and obeying that repairs this.
fn trunks_on_destination<'a>(
    topology: &'a Topology,
    sync: &'a Sync,
) -> impl Iterator<Item = Finding> + 'a {
    topology
        .trunks
        .iter()
        .filter(|trunk| trunk.direction.value == TrunkDirection::Outgoing)
        .filter_map(move |trunk| {
            let at = trunk.register_to.first()?;
            let only_there = trunk
                .register_to
                .iter()
                .all(|name| name.value == sync.to.value);
            only_there.then(|| {
                let message = format!(
                    "trunk `{}` is on `{}` alone, which the next synchronisation overwrites",
                    trunk.name.value, at.value
                );
                Finding::new(&SW109, trunk.span, at.span, message)
                    .label("lost with the next synchronisation")
                    .related(sync.to.span, "destination of the synchronisation")
                    .help(format!("configure it on `{}`, the source", sync.from.value))
            })
        })
}

fn locale(topology: &Topology) -> Vec<Finding> {
    pair(topology)
        .filter(|_| stated(topology, Statement::LocaleNotSynced).is_some())
        .and_then(|(main, failover)| match (&main.locale, &failover.locale) {
            // Nothing says that they matter here.
            (None, None) => None,
            (Some(_), None) => missing_locale(failover, main),
            (None, Some(_)) => missing_locale(main, failover),
            (Some(_), Some(_)) => other_locale(main, failover),
        })
        .into_iter()
        .collect()
}

fn missing_locale(without: &Pbx, with: &Pbx) -> Option<Finding> {
    let locale = with.locale.as_ref()?;
    let (name, other) = (&without.name.value, &with.name.value);
    let message =
        format!("`{name}` has no locale, and synchronisation does not bring it that of `{other}`");
    let wanted = format!(
        "locale language=\"{}\" region=\"{}\"",
        locale.language.value, locale.region.value
    );
    Some(
        Finding::new(&SW111, without.span, without.name.span, message)
            .label("no `locale` here")
            .related(locale.span, format!("the locale of `{other}`"))
            .help(format!(
                "set language and region on `{name}` itself, and declare them: `{wanted}`"
            )),
    )
}

fn other_locale(main: &Pbx, failover: &Pbx) -> Option<Finding> {
    let (ours, theirs) = main.locale.as_ref().zip(failover.locale.as_ref())?;
    let (what, here, there) = if ours.language.value != theirs.language.value {
        ("language", &theirs.language, &ours.language)
    } else if ours.region.value != theirs.region.value {
        ("region", &theirs.region, &ours.region)
    } else {
        return None;
    };
    let (main, name) = (&main.name.value, &failover.name.value);
    let message = format!(
        "`{name}` has the {what} `{}` and `{main}` has `{}`: synchronisation does not align them",
        here.value, there.value
    );
    Some(
        Finding::new(&SW111, failover.span, here.span, message)
            .label(format!("not the {what} of `{main}`"))
            .related(there.span, format!("the {what} of `{main}`"))
            .help(format!(
                "set it on `{name}` itself; where it differs on purpose, acknowledge SW111 in `{name}`"
            )),
    )
}

fn seldom(topology: &Topology) -> Vec<Finding> {
    match &topology.sync {
        Some(sync) => too_long(sync),
        None if topology.incomplete.contains(&Kind::Sync) => None,
        None => never(topology),
    }
    .into_iter()
    .collect()
}

fn too_long(sync: &Sync) -> Option<Finding> {
    let (every, from, to) = (sync.every.value, &sync.from.value, &sync.to.value);
    (every > PERIOD).then(|| {
        let message = format!(
            "`{to}` gets the configuration every {} only: what is changed on `{from}` in between is missing in a \
             failover",
            spell_duration(every)
        );
        Finding::new(&SW113, sync.span, sync.every.span, message)
            .label(format!("longer than {}", spell_duration(PERIOD)))
            .help(format!(
                "synchronise every {} or more often",
                spell_duration(PERIOD)
            ))
    })
}

/// At the failover PBX: it is the one that goes without.
fn never(topology: &Topology) -> Option<Finding> {
    let (main, failover) = pair(topology)?;
    let (from, to) = (&main.name.value, &failover.name.value);
    let message = format!("`{to}` never gets the configuration of `{from}`: no `sync` is declared");
    let finding = Finding::new(&SW113, failover.span, failover.name.span, message)
        .label("serves with the configuration that it happens to have")
        .related(main.name.span, "main PBX declared here");
    Some(finding.help(format!(
        "set synchronisation up and declare it: `sync from=\"{from}\" to=\"{to}\" every=\"{}\"`",
        spell_duration(PERIOD)
    )))
}
