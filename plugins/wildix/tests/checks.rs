//! Findings about a topology.

use serde_json::json;
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Plugin, Role, ServerRef, Severity, View};

use crate::topology::{plain_target, target, view, view_of};

fn codes(view: &View) -> Vec<String> {
    let found = Wildix::check(view, &plain_target());
    found.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_pair_that_is_fine() {
    assert!(codes(&view()).is_empty() && codes(&view_of("pbx2")).is_empty());
}

#[test]
fn a_target_of_something_else() {
    let mut view = view();
    let server = || ServerRef {
        service: "acme.example".into(),
        server: "ns1".into(),
    };
    view.roles.extend([
        Role::DhcpServer(server()),
        Role::DnsServer(server()),
        Role::Provisioning("files".into()),
    ]);
    assert_eq!(codes(&view), ["WILDIX001"; 3]);
    view.roles = vec![Role::Pbx("pbx1".into()), Role::Pbx("pbx2".into())];
    assert_eq!(codes(&view), ["WILDIX002"]);
}

#[test]
fn a_call_group_where_it_would_be_overwritten() {
    let mut view = view_of("pbx2");
    view.call_groups[0].pbx = Some("pbx2".into());
    let found = Wildix::check(&view, &plain_target());
    assert_eq!((found.len(), found[0].code.as_str()), (1, "WILDIX003"));
    assert_eq!(found[0].path, "call-group/sales");
}

#[test]
fn what_is_left_as_it_is_is_noted() {
    let mut view = view();
    view.pbxs[0].locale = None;
    view.networks.clear();
    let found = Wildix::check(&view, &plain_target());
    assert!(
        found
            .iter()
            .all(|finding| finding.severity == Severity::Note)
    );
    assert_eq!(codes(&view), ["WILDIX004", "WILDIX005"]);
    let own = target(&json!({ "ntp": "10.0.0.1" }));
    assert_eq!(Wildix::check(&view, &own).len(), 1);
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(&Wildix::describe(), env!("CARGO_MANIFEST_DIR"));
}
