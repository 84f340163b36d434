//! Findings: one topology for each, and the topology that has none.

use serde_json::json;
use switchover_plugin_dnsmasq::Dnsmasq;
use switchover_sdk::{Finding, OptionValue, Plugin, RecordData, Role, Severity, Target, View};

use crate::topology::{
    device, network, option, other, plain_target, record, serves, srv, target, text, view,
};

fn clean_target() -> Target {
    Target {
        commands: vec!["reload".into()],
        ..plain_target()
    }
}

/// The topology of the other tests, with nothing to say about it.
fn clean() -> View {
    let mut view = view();
    view.devices.truncate(2);
    view
}

#[test]
fn nothing_to_say() {
    assert_eq!(Dnsmasq::check(&clean(), &clean_target()), []);
}

#[test]
fn each_finding_has_its_topology() {
    use Severity::{Error, Note, Warning};
    type Edit = fn(&mut View);
    let table: &[(&str, Severity, &str, Edit)] = &[
        ("DNSMASQ001", Error, "target/dnsmasq", |view| {
            view.roles.push(Role::Pbx("pbx1".into()));
        }),
        ("DNSMASQ002", Error, "target/dnsmasq", |view| {
            view.roles[0] = serves("dhcp2");
        }),
        ("DNSMASQ004", Error, "network/a b", |view| {
            view.networks.push(network("a b", "10.8.0.0/16"));
        }),
        ("DNSMASQ005", Error, "network/six/subnet", |view| {
            view.networks.push(network("six", "2001:db8::/64"));
        }),
        ("DNSMASQ006", Error, "network/again/subnet", |view| {
            view.networks.push(network("again", "10.20.30.0/24"));
        }),
        ("DNSMASQ007", Warning, "dhcp/dhcp-hq/lease", |view| {
            view.dhcp[0].lease_seconds = 119;
        }),
        ("DNSMASQ008", Error, "network/voice", |view| {
            view.networks[0].options.push(option(67, text("")));
        }),
        ("DNSMASQ008", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(67, text(&"x".repeat(256))));
        }),
        ("DNSMASQ008", Error, "network/voice", |view| {
            view.networks[0].options.push(option(67, text("a\nb")));
        }),
        ("DNSMASQ008", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(119, OptionValue::Hex("00".into())));
        }),
        ("DNSMASQ008", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(67, OptionValue::Hex("0".into())));
        }),
        ("DNSMASQ009", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("2001:db8::1")));
        }),
        ("DNSMASQ009", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.9.9.9")));
        }),
        ("DNSMASQ009", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.20.30.11")));
        }),
        ("DNSMASQ010", Note, "device/a b", |view| {
            view.devices
                .push(device("a b", "9c:75:14:00:00:01", Some("10.20.30.12")));
        }),
        ("DNSMASQ011", Error, "device/Reception", |view| {
            view.devices.push(device(
                "Reception",
                "9c:75:14:00:00:01",
                Some("10.20.30.12"),
            ));
        }),
        ("DNSMASQ012", Error, "dns/acme.example", |view| {
            view.zones[0]
                .records
                .push(record("acme.example", other("SSHFP", &["1 1 00"])));
        }),
        ("DNSMASQ013", Error, "dns/acme.example", |view| {
            view.zones[0]
                .records
                .push(record("*.acme.example", RecordData::A("10.0.0.1".into())));
        }),
        ("DNSMASQ013", Error, "dns/acme.example", |view| {
            view.zones[0].records.push(record(
                "acme.example",
                RecordData::Txt(vec!["x".repeat(256)]),
            ));
        }),
        ("DNSMASQ014", Warning, "dns/acme.example", |view| {
            view.zones[0].records.push(record(
                "x.acme.example",
                RecordData::Cname("elsewhere.example".into()),
            ));
        }),
        ("DNSMASQ015", Note, "dns/acme.example/ttl", |view| {
            let mut short = record("_sip._udp.acme.example", srv(1, "pbx1.acme.example"));
            short.ttl_seconds = 5;
            view.zones[0].records.push(short);
        }),
    ];
    for (code, severity, path, edit) in table {
        let mut view = clean();
        edit(&mut view);
        let found = Dnsmasq::check(&view, &clean_target());
        let [
            Finding {
                code: found,
                path: place,
                severity: grade,
                message,
                ..
            },
        ] = found.as_slice()
        else {
            panic!("{code}: {found:?}");
        };
        assert_eq!(
            (found.as_str(), grade, place.as_str()),
            (*code, severity, *path),
            "{message}"
        );
    }
}

#[test]
fn a_target_without_a_reload_is_told_so() {
    let found = Dnsmasq::check(&clean(), &plain_target());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].code.as_str(), found[0].severity),
        ("DNSMASQ003", Severity::Note)
    );
}

#[test]
fn just_passing() {
    let mut view = clean();
    view.dhcp[0].lease_seconds = 120;
    view.networks[0]
        .options
        .push(option(67, text(&"x".repeat(255))));
    view.zones[0].records.push(record(
        "acme.example",
        RecordData::Txt(vec!["x".repeat(255)]),
    ));
    view.zones[0].records.push(record(
        "*.acme.example",
        RecordData::Cname("pbx1.acme.example".into()),
    ));
    let mut short = record("_sip._udp.acme.example", srv(1, "pbx1.acme.example"));
    short.ttl_seconds = 5;
    view.zones[0].records.push(short);
    let target = Target {
        settings: target(&json!({"local-ttl": false})).settings,
        ..clean_target()
    };
    assert_eq!(Dnsmasq::check(&view, &target), []);
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(&Dnsmasq::describe(), env!("CARGO_MANIFEST_DIR"));
}
