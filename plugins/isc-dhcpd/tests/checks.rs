//! Findings: one topology for each, and the topology that has none.

use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{
    Finding, OptionValue, Plugin, Role, Server, ServerRole, Severity, Target, View,
};

use crate::topology::{device, network, option, pair, plain_target, server, serves, text, view};

fn clean_target() -> Target {
    Target {
        commands: vec!["reload".into()],
        ..plain_target()
    }
}

/// The topology of the other tests, with nothing to say about it.
fn clean() -> View {
    let mut view = pair("dhcp1");
    view.devices.truncate(2);
    view
}

#[test]
fn nothing_to_say() {
    assert_eq!(IscDhcpd::check(&clean(), &clean_target()), []);
    let mut standby = clean();
    standby.roles = vec![serves("dhcp2")];
    assert_eq!(IscDhcpd::check(&standby, &clean_target()), []);
    let mut alone = view();
    alone.devices.truncate(2);
    assert_eq!(IscDhcpd::check(&alone, &clean_target()), []);
}

#[test]
fn each_finding_has_its_topology() {
    use Severity::{Error, Note};
    type Edit = fn(&mut View);
    let table: &[(&str, Severity, &str, Edit)] = &[
        ("DHCPD001", Error, "target/dhcpd", |view| {
            view.roles.push(Role::Pbx("pbx1".into()));
        }),
        ("DHCPD002", Error, "dhcp/dhcp-hq", |view| {
            view.dhcp[0].servers.push(Server {
                target: Some("third".into()),
                ..server("dhcp3", "10.20.30.7", ServerRole::Standby)
            });
        }),
        ("DHCPD003", Error, "target/dhcpd", |view| {
            view.roles = vec![serves("dhcp2")];
            view.dhcp[0].servers[0].target = None;
        }),
        ("DHCPD004", Error, "dhcp/dhcp-hq", |view| {
            view.dhcp[0].servers[1].role = ServerRole::Primary;
        }),
        ("DHCPD004", Error, "dhcp/dhcp-hq", |view| {
            view.dhcp[0].servers[1].target = view.dhcp[0].servers[0].target.clone();
        }),
        ("DHCPD005", Error, "dhcp/dhcp-hq", |view| {
            view.dhcp[0].servers[1].address = "2001:db8::6".into();
        }),
        ("DHCPD006", Error, "dhcp/a\"b", |view| {
            view.dhcp[0].name = "a\"b".into();
            view.networks[0].dhcp = Some("a\"b".into());
            view.roles = vec![Role::DhcpServer(switchover_sdk::ServerRef {
                service: "a\"b".into(),
                server: "dhcp1".into(),
            })];
        }),
        ("DHCPD008", Error, "network/six/subnet", |view| {
            view.networks.push(network("six", "2001:db8::/64"));
        }),
        ("DHCPD009", Error, "network/again/subnet", |view| {
            view.networks.push(network("again", "10.20.30.0/24"));
        }),
        ("DHCPD010", Error, "network/voice", |view| {
            view.networks[0].options.push(option(67, text("")));
        }),
        ("DHCPD010", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(67, text(&"x".repeat(256))));
        }),
        ("DHCPD010", Error, "network/voice", |view| {
            view.networks[0].options.push(option(67, text("a\0b")));
        }),
        ("DHCPD010", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(67, OptionValue::Hex("0".into())));
        }),
        ("DHCPD010", Error, "network/voice", |view| {
            view.networks[0]
                .options
                .push(option(6, OptionValue::Addresses(Vec::new())));
        }),
        ("DHCPD011", Error, "network/other", |view| {
            let mut other = network("other", "10.8.0.0/16");
            other.options = vec![option(160, OptionValue::Uint8(1))];
            view.networks.push(other);
        }),
        ("DHCPD012", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("2001:db8::1")));
        }),
        ("DHCPD012", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.9.9.9")));
        }),
        ("DHCPD012", Error, "device/a/address", |view| {
            view.devices
                .push(device("a", "9c:75:14:00:00:01", Some("10.20.30.11")));
        }),
        ("DHCPD013", Note, "device/a b", |view| {
            view.devices
                .push(device("a b", "9c:75:14:00:00:01", Some("10.20.30.12")));
        }),
        ("DHCPD014", Error, "device/Reception", |view| {
            view.devices.push(device(
                "Reception",
                "9c:75:14:00:00:01",
                Some("10.20.30.12"),
            ));
        }),
    ];
    for (code, severity, path, edit) in table {
        let mut view = clean();
        edit(&mut view);
        let found = IscDhcpd::check(&view, &clean_target());
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
    let found = IscDhcpd::check(&clean(), &plain_target());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].code.as_str(), found[0].severity),
        ("DHCPD007", Severity::Note)
    );
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(
        &IscDhcpd::describe(),
        env!("CARGO_MANIFEST_DIR"),
    );
}
