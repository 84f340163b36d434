//! What the plugin finds wrong, each by changing one thing of a topology in which nothing is.

use serde_json::json;
use switchover_plugin_kamailio::Kamailio;
use switchover_sdk::{
    Finding, Plugin, Role, ServerRef, Severity, Target, Transport, TrunkDirection, View,
};

use crate::topology::{group, plain_target, settings, target, trunk, user, view};

fn with_restart(mut target: Target) -> Target {
    target.commands = vec!["restart".into()];
    target
}

fn found(view: &View, target: Target) -> Vec<Finding> {
    Kamailio::check(view, &with_restart(target))
}

#[test]
fn nothing_is_wrong_with_a_good_topology() {
    assert_eq!(found(&view(), plain_target()), []);
    assert_eq!(found(&view(), target(&settings())), []);
    assert_eq!(
        Kamailio::check(&view(), &target(&json!({"rpc": 7}))),
        [],
        "`desired` tells it"
    );
}

#[test]
fn a_target_without_restart_is_warned_of() {
    let found = Kamailio::check(&view(), &plain_target());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].code.as_str(), found[0].severity),
        ("KAMAILIO003", Severity::Warning)
    );
}

#[test]
fn each_finding() {
    type Case = (&'static str, fn(&mut View));
    let cases: [Case; 17] = [
        ("another role", |view| {
            view.roles.push(Role::DnsServer(ServerRef {
                service: "acme.example".into(),
                server: "ns1".into(),
            }));
        }),
        ("both PBXs", |view| {
            view.roles.push(Role::Pbx("pbx2".into()));
        }),
        ("TCP and TLS at one port", |view| {
            view.devices[3].port = 443;
        }),
        ("an odd extension", |view| view.users.push(user("1 0"))),
        ("an odd group", |view| {
            view.call_groups[0].name = "the sales".into();
        }),
        ("an address that is none", |view| {
            view.pbxs[0].address = "pbx1".into();
        }),
        ("no password", |view| view.users[0].sip_password = None),
        ("an unknown strategy", |view| {
            view.call_groups[0].strategy = "longest-idle".into();
        }),
        ("too many at once", |view| {
            view.call_groups[1] = group("everybody", "call-all-32", &["101"; 32]);
        }),
        ("nobody in a group", |view| {
            view.call_groups[0].members.clear();
        }),
        ("a group with an extension's name", |view| {
            view.call_groups[0].name = "101".into();
        }),
        ("an outgoing trunk", |view| {
            view.trunks[0].direction = TrunkDirection::Outgoing;
        }),
        ("a provider by name", |view| {
            view.trunks[0].provider = "sip.telco.example".into();
        }),
        ("a provider by IPv6", |view| {
            view.trunks[0].provider = "2001:db8::1".into();
        }),
        ("two trunks of one provider", |view| {
            view.trunks.push(trunk("telco-b", "203.0.113.10"));
        }),
        ("an odd trunk", |view| view.trunks[0].name = "a;b".into()),
        ("JSON-RPC where telephones use TLS", |view| {
            view.pbxs[0].address = "127.0.0.1".into();
            view.devices[3].port = 5065;
            view.devices[3].transport = Transport::Tls;
        }),
    ];
    let told: Vec<(&str, Vec<Finding>)> = cases
        .into_iter()
        .map(|(name, change)| {
            let mut view = view();
            change(&mut view);
            let found = found(&view, plain_target());
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            (name, found)
        })
        .collect();
    insta::assert_debug_snapshot!(told);
}

#[test]
fn calls_of_a_trunk_go_to_somebody_who_is_there() {
    for (to, wrong) in [("sales", false), ("101", false), ("sale", true)] {
        let found = found(&view(), target(&json!({"incoming": to})));
        assert_eq!(
            found.iter().any(|finding| finding.code == "KAMAILIO014"),
            wrong,
            "{to}"
        );
    }
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(
        &Kamailio::describe(),
        env!("CARGO_MANIFEST_DIR"),
    );
}
