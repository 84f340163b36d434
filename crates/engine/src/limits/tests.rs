use std::collections::BTreeMap;
use std::path::Path;

use switchover_topology::Severity;

use super::*;
use crate::plan::{PluginRef, Procedure, Undo, Wave};

fn part(name: &str, actions: &[(Action, usize)]) -> TargetPlan {
    let changes = actions.iter().flat_map(|&(action, count)| {
        (0..count).map(move |at| Change {
            address: format!("{action:?}/{at}"),
            kind: "thing".to_owned(),
            action,
            reason: Reason::Wanted,
            before: None,
            after: None,
            before_line: None,
            after_line: None,
        })
    });
    TargetPlan {
        name: name.to_owned(),
        plugin: PluginRef {
            name: "kea".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: String::new(),
        },
        wave: Wave::Dhcp,
        observed: String::new(),
        changes: changes.collect(),
        unchanged: 0,
        foreign: Vec::new(),
        known_drift: Vec::new(),
        resources: BTreeMap::new(),
        undo: Undo::Native,
        procedure: Procedure::default(),
    }
}

/// What is told of these parts, at targets that hold so many resources of ours each.
fn told(site: &str, targets: &str, parts: &[TargetPlan], held: usize) -> Vec<String> {
    let text = format!("site \"a\" mode=\"hot-standby\" {{\n{site}\n}}\n{targets}\n");
    let loaded = switchover_topology::load_text("a.kdl", text, Path::new("/nowhere"));
    // Nothing is given to the targets here, of which there is a warning.
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let wrong: Vec<_> = errors.map(|found| &found.message).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let large = judge(&loaded.topology, parts, |_| held);
    large.iter().map(ToString::to_string).collect()
}

#[test]
fn a_share_counts_what_changes_or_goes() {
    use Action::{Create, Delete, Update};
    let told = |actions: &[(Action, usize)], held| told("", "", &[part("a", actions)], held);
    assert_eq!(
        told(&[(Create, 500), (Update, 20), (Delete, 10)], 100),
        [""; 0]
    );
    assert_eq!(
        told(&[(Update, 21), (Delete, 10)], 100),
        ["31 of 100 resources of `a` change or go (from more than 30 % on it is large)"]
    );
    assert_eq!(told(&[(Update, 10)], 10), [""; 0], "a handful has no share");
    assert_eq!(told(&[(Update, 100)], 0), [""; 0], "nothing is ours yet");
}

#[test]
fn what_brings_back_drift_is_not_large() {
    let mut repaired = part("a", &[(Action::Update, 100)]);
    for change in &mut repaired.changes {
        change.reason = Reason::Drift;
    }
    assert_eq!(told("", "", &[repaired], 100), [""; 0]);
}

#[test]
fn removals_count_together() {
    let parts = [
        part("a", &[(Action::Delete, 6)]),
        part("b", &[(Action::Delete, 5)]),
    ];
    assert_eq!(
        told("", "", &parts, 1_000),
        ["11 resources are removed at `a` and `b` (more than 10 are large)"]
    );
    assert_eq!(told("", "", &parts[..1], 1_000), [""; 0]);
}

#[test]
fn the_target_goes_before_its_site() {
    let parts = [
        part("a", &[(Action::Delete, 20), (Action::Update, 20)]),
        part("b", &[(Action::Delete, 1)]),
    ];
    let site = "large-change percent=10 removals=0";
    let target = "target \"a\" plugin=\"kea\" { large-change percent=90 removals=19; }";
    assert_eq!(
        told(site, target, &parts, 100),
        [
            "20 resources are removed at `a` (more than 19 are large)",
            "1 resource is removed at `b` (more than 0 are large)",
        ]
    );
    let none = "target \"a\" plugin=\"kea\" { large-change percent=100 removals=20; }";
    assert_eq!(told("", none, &parts, 20), [""; 0]);
}
