//! Findings: one topology for each, and the topology that has none.

use serde_json::json;
use switchover_plugin_kea::Kea;
use switchover_sdk::{Finding, OptionValue, Plugin, Role, Severity, View};

use crate::topology::{
    addresses, device, network, option, pair, plain_target, serves, target, text, view,
};

fn codes(view: &View) -> Vec<String> {
    let findings = Kea::check(view, &plain_target());
    findings.into_iter().map(|finding| finding.code).collect()
}

/// The topology of the other tests, with nothing to say about it.
fn clean() -> View {
    let mut view = view();
    view.devices.truncate(2);
    view
}

#[test]
fn nothing_to_say() {
    assert_eq!(codes(&clean()), Vec::<String>::new());
}

#[test]
fn each_finding_has_its_topology() {
    type Edit = fn(&mut View);
    let table: &[(&str, &str, Edit)] = &[
        ("KEA001", "target/kea1", |view| {
            view.roles.push(Role::Pbx("pbx1".into()));
        }),
        ("KEA002", "target/kea1", |view| {
            view.roles = vec![serves("dhcp2")];
        }),
        ("KEA003", "network/six/subnet", |view| {
            view.networks.push(network("six", "2001:db8::/64"));
        }),
        ("KEA004", "network/again/subnet", |view| {
            view.networks.push(network("again", "10.20.30.0/24"));
        }),
        ("KEA005", "network/voice", |view| {
            view.networks[0].options.push(option(67, text("")));
        }),
        ("KEA005", "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(67, text(&"x".repeat(256))));
        }),
        ("KEA006", "network/voice", |view| {
            view.networks[0].options.push(option(66, text("x")));
        }),
        ("KEA007", "network/guests", |view| {
            let mut guests = network("guests", "10.8.0.0/16");
            guests.options = vec![option(
                120,
                OptionValue::SipNames(addresses(&["pbx1.acme.example"])),
            )];
            view.networks.push(guests);
        }),
        ("KEA008", "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("2001:db8::1")));
        }),
        ("KEA009", "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.9.9.9")));
        }),
        ("KEA010", "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.20.30.11")));
        }),
        ("KEA011", "device/Fax Gateway", |view| {
            view.devices.push(device(
                "Fax Gateway",
                "9c:75:14:00:00:01",
                Some("10.20.30.12"),
            ));
        }),
    ];
    for (code, path, edit) in table {
        let mut view = clean();
        edit(&mut view);
        let found = Kea::check(&view, &plain_target());
        let [
            Finding {
                code: found,
                path: place,
                severity,
                message,
                ..
            },
        ] = found.as_slice()
        else {
            panic!("{code}: {found:?}");
        };
        assert_eq!(
            (found.as_str(), place.as_str()),
            (*code, *path),
            "{message}"
        );
        let expected = if *code == "KEA011" {
            Severity::Note
        } else {
            Severity::Error
        };
        assert_eq!(*severity, expected, "{code}");
    }
}

#[test]
fn each_finding_of_a_pair_has_its_topology() {
    type Edit = fn(&mut View);
    let table: &[(&str, &str, &str, Edit)] = &[
        ("KEA002", "{}", "target/kea1", |view| {
            view.roles = vec![serves("dhcp2")];
            view.dhcp[0].servers[0].target = None;
        }),
        ("KEA012", "{}", "dhcp/dhcp-hq", |view| {
            let mut third = view.dhcp[0].servers[1].clone();
            third.name = "dhcp3".into();
            view.dhcp[0].servers.push(third);
        }),
        ("KEA013", "{}", "dhcp/branch", |view| {
            let mut branch = view.dhcp[0].clone();
            branch.name = "branch".into();
            branch.servers.truncate(1);
            view.dhcp.push(branch);
            view.roles.push(Role::DhcpServer(switchover_sdk::ServerRef {
                service: "branch".into(),
                server: "dhcp1".into(),
            }));
        }),
        ("KEA014", r#"{"ha-user": "kea"}"#, "target/kea1", |_| {}),
        (
            "KEA014",
            r#"{"ha-password-file": "/etc/kea/p"}"#,
            "target/kea1",
            |_| {},
        ),
    ];
    for (code, settings, path, edit) in table {
        let mut view = clean_pair();
        edit(&mut view);
        let settings = serde_json::from_str(settings).unwrap();
        let found = Kea::check(&view, &target(&settings));
        let found: Vec<_> = found
            .iter()
            .map(|finding| (finding.code.as_str(), finding.path.as_str()))
            .collect();
        assert_eq!(found, [(*code, *path)]);
    }
}

#[test]
fn nothing_to_say_of_a_pair() {
    let mut view = clean_pair();
    assert_eq!(Kea::check(&view, &plain_target()), []);
    view.roles = vec![serves("dhcp2")];
    let settings = json!({"ha-user": "kea", "ha-password-file": "/etc/kea/p"});
    assert_eq!(Kea::check(&view, &target(&settings)), []);
}

fn clean_pair() -> View {
    let mut view = pair("dhcp1");
    view.devices.truncate(2);
    view
}

#[test]
fn just_as_long_as_fits() {
    let mut view = clean();
    view.networks[0]
        .options
        .push(option(67, text(&"x".repeat(255))));
    assert_eq!(codes(&view), Vec::<String>::new());
}

#[test]
fn a_standby_with_high_availability_is_accepted() {
    let mut view = clean();
    view.roles = vec![serves("dhcp2")];
    let present = target(&json!({"high-availability": "present"}));
    assert_eq!(Kea::check(&view, &present), []);
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(&Kea::describe(), env!("CARGO_MANIFEST_DIR"));
}
