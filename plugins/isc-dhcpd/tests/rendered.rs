//! The file that is made of a topology. dhcpd 4.4.3 accepts what these snapshots hold (`accepted`).

use serde_json::json;
use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{OptionValue, Plugin, Role, ServerRole, View};

use crate::harness::{after, by_address, changes, desired};
use crate::topology::{addresses, network, option, pair, server, target, text, view};

fn rendered(view: &View) -> String {
    after(None, &changes(None, &desired(view), &[]))
}

#[test]
fn one_server() {
    insta::assert_snapshot!(rendered(&view()));
}

#[test]
fn the_resources() {
    insta::assert_json_snapshot!(by_address(&desired(&view())));
}

#[test]
fn two_servers_differ_where_they_must() {
    let (one, other) = (rendered(&pair("dhcp1")), rendered(&pair("dhcp2")));
    insta::assert_snapshot!(one);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let only = |these: &str, those: &str| -> Vec<String> {
        let those = lines(those);
        let mut these = lines(these);
        these.retain(|line| !those.contains(line));
        these.iter().map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(
        only(&one, &other),
        [
            "primary;",
            "address 10.20.30.5;",
            "peer address 10.20.30.6;",
            "mclt 3600;",
            "split 128;"
        ]
    );
    assert_eq!(
        only(&other, &one),
        [
            "secondary;",
            "address 10.20.30.6;",
            "peer address 10.20.30.5;"
        ]
    );
}

#[test]
fn failover_is_by_the_settings() {
    let settings = json!({
        "failover-port": 847, "mclt-seconds": 1800, "split": 256, "max-response-delay-seconds": 30,
        "max-unacked-updates": 20, "load-balance-max-seconds": 5
    });
    let resources = IscDhcpd::desired(&pair("dhcp1"), &target(&settings)).unwrap();
    assert_eq!(
        by_address(&resources)["failover/dhcp-hq"],
        json!({
            "name": "dhcp-hq", "role": "primary", "address": "10.20.30.5", "peer-address": "10.20.30.6",
            "port": 847, "peer-port": 847, "max-response-delay": 30, "max-unacked-updates": 20, "mclt": 1800,
            "split": 256, "load-balance-max-seconds": 5
        })
    );
}

#[test]
fn failover_needs_two_servers_with_targets_and_a_pool() {
    let mut without_pool = pair("dhcp1");
    without_pool.networks[0].pool = None;
    let mut three = pair("dhcp1");
    three.dhcp[0].servers.push(switchover_sdk::Server {
        target: Some("third".into()),
        ..server("dhcp3", "10.20.30.7", ServerRole::Standby)
    });
    let mut spare = pair("dhcp1");
    spare.dhcp[0].servers[1].target = None;
    for view in [view(), without_pool, three, spare] {
        assert!(!rendered(&view).contains("failover"));
    }
}

#[test]
fn two_networks_keep_their_options_apart() {
    let mut view = view();
    view.devices.clear();
    let mut guests = network("guests", "10.8.7.6/16");
    guests.options = vec![option(66, text("general"))];
    guests.phone_options = vec![
        option(66, text("special")),
        option(120, OptionValue::SipAddresses(addresses(&["10.0.0.1"]))),
    ];
    guests.phone_ouis = vec!["9C:75:14".into()];
    view.networks = vec![network("empty", "10.9.0.0/24"), guests];
    insta::assert_snapshot!(rendered(&view));
}

#[test]
fn nothing_gets_out_of_its_statement() {
    type Edit = fn(&mut View);
    let edits: [Edit; 6] = [
        |view| view.networks[0].pool.as_mut().unwrap().last = "1.1.1.1; x".into(),
        |view| view.networks[0].phone_options[0].value = text("a\0b"),
        |view| {
            view.networks[0].options[0].value = OptionValue::Addresses(vec!["1.1.1.1\n#".into()]);
        },
        |view| view.networks[0].phone_ouis = vec!["9c:75:14 or known".into()],
        |view| view.dhcp[0].servers[1].address = "10.0.0.1; port 1".into(),
        |view| view.devices[0].mac = Some("9c:75:14:00:01:01; }".into()),
    ];
    for edit in edits {
        let mut view = pair("dhcp1");
        edit(&mut view);
        let failure = IscDhcpd::desired(&view, &target(&json!({}))).unwrap_err();
        assert_eq!(failure.code, "not-writable");
        assert!(!failure.message.contains('\n'), "{}", failure.message);
    }
}

#[test]
fn a_server_without_networks_has_nothing() {
    let mut view = view();
    view.roles = vec![Role::Pbx("pbx1".into())];
    assert!(desired(&view).is_empty());
}
