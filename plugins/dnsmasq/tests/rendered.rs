//! The file that is made of a topology. dnsmasq 2.90 accepts what these snapshots hold and answers accordingly.

use serde_json::json;
use switchover_plugin_dnsmasq::Dnsmasq;
use switchover_sdk::{OptionValue, Plugin, RecordData, Role, View};

use crate::harness::{after, by_address, changes, desired};
use crate::topology::{addresses, network, option, record, srv, target, text, view};

fn rendered(view: &View) -> String {
    after(None, &changes(None, &desired(view), &[]))
}

#[test]
fn dhcp_and_dns() {
    insta::assert_snapshot!(rendered(&view()));
}

#[test]
fn the_resources() {
    insta::assert_json_snapshot!(by_address(&desired(&view())));
}

#[test]
fn only_what_the_target_is_a_server_of() {
    let mut dhcp = view();
    dhcp.roles.truncate(1);
    let dhcp = rendered(&dhcp);
    assert!(
        dhcp.contains("dhcp-range=")
            && !dhcp.contains("host-record=")
            && !dhcp.contains("local-ttl=")
    );
    let mut dns = view();
    dns.roles.remove(0);
    let dns = rendered(&dns);
    assert!(
        !dns.contains("dhcp-") && dns.contains("host-record=") && dns.contains("local-ttl=60\n")
    );
}

#[test]
fn two_networks_keep_their_options_apart() {
    let mut view = view();
    view.roles.truncate(1);
    view.devices.clear();
    let mut guests = network("guests", "10.8.7.6/16");
    guests.options = vec![option(66, text("general"))];
    guests.phone_options = vec![
        option(66, text("special")),
        option(
            120,
            OptionValue::SipNames(addresses(&["a.example", "b.example"])),
        ),
    ];
    guests.phone_ouis = vec!["9C:75:14".into()];
    view.networks = vec![network("empty", "10.9.0.0/24"), guests];
    insta::assert_snapshot!(rendered(&view));
}

#[test]
fn local_ttl_is_the_smallest_and_can_be_left_to_others() {
    let mut view = view();
    let mut short = record("_sip._udp.acme.example", srv(1, "pbx1.acme.example"));
    short.ttl_seconds = 5;
    view.zones[0].records.push(short);
    assert!(rendered(&view).contains("local-ttl=5\n"));
    let without = Dnsmasq::desired(&view, &target(&json!({"local-ttl": false}))).unwrap();
    assert!(!by_address(&without).contains_key("server/local-ttl"));
    // Records that carry their own need none.
    view.zones[0]
        .records
        .retain(|record| matches!(record.data, RecordData::A(_)));
    assert!(!by_address(&desired(&view)).contains_key("server/local-ttl"));
}

#[test]
fn nothing_gets_out_of_its_line() {
    type Edit = fn(&mut View);
    let edits: [Edit; 6] = [
        |view| view.networks[0].name = "a,b".into(),
        |view| view.networks[0].phone_options[0].value = text("a\ndhcp-script=/bin/sh"),
        |view| {
            view.networks[0].options[0].value = OptionValue::Addresses(vec!["1.1.1.1\n#".into()]);
        },
        |view| view.zones[0].records[0].owner = "a\nb".into(),
        |view| {
            view.zones[0]
                .records
                .push(record("a.example", RecordData::A("1.1.1.1,x".into())));
        },
        |view| {
            view.zones[0]
                .records
                .push(record("a.example", RecordData::Txt(vec!["a\u{1b}".into()])));
        },
    ];
    for edit in edits {
        let mut view = view();
        edit(&mut view);
        for device in &mut view.devices {
            device.network = Some(view.networks[0].name.clone());
        }
        let failure = Dnsmasq::desired(&view, &target(&json!({}))).unwrap_err();
        assert_eq!(failure.code, "not-writable");
        assert!(!failure.message.contains('\n'), "{}", failure.message);
    }
}

#[test]
fn a_server_without_networks_and_zones_has_nothing() {
    let mut view = view();
    view.roles = vec![Role::Pbx("pbx1".into())];
    assert!(desired(&view).is_empty());
}
