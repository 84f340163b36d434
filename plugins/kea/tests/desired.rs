//! What should exist, and that addresses and dependencies hold together.

use std::collections::BTreeSet;

use serde_json::json;
use switchover_sdk::OptionValue;

use crate::harness::{by_address, desired};
use crate::topology::{network, option, text, view};

#[test]
fn the_whole_network() {
    insta::assert_json_snapshot!(by_address(&desired(&view())));
}

#[test]
fn dependencies_are_among_the_resources() {
    let resources = desired(&view());
    let addresses: BTreeSet<&str> = resources
        .iter()
        .map(|resource| resource.address.as_str())
        .collect();
    let of = |address: &str| {
        let resource = resources
            .iter()
            .find(|resource| resource.address == address)
            .unwrap();
        resource.depends_on.clone()
    };
    for resource in &resources {
        for needed in &resource.depends_on {
            assert!(addresses.contains(needed.as_str()), "{needed}");
        }
    }
    assert_eq!(of("subnet/10.20.30.0/24"), ["class/phones-voice"]);
    assert_eq!(of("option/10.20.30.0/24/6"), ["subnet/10.20.30.0/24"]);
    assert_eq!(
        of("class/phones-voice"),
        [
            "option-def/dhcp4/120",
            "option-def/dhcp4/132",
            "option-def/dhcp4/160"
        ]
    );
}

#[test]
fn a_network_without_telephones_has_no_class_and_no_types_for_their_options() {
    let mut view = view();
    view.networks[0].phone_ouis.clear();
    let resources = by_address(&desired(&view));
    assert_eq!(
        resources["subnet/10.20.30.0/24"]["require-client-classes"],
        json!([])
    );
    assert!(
        resources
            .keys()
            .all(|address| !address.starts_with("class/") && !address.starts_with("option-def/"))
    );
}

#[test]
fn only_networks_of_the_servers_own_service_are_served() {
    let mut view = view();
    view.networks.push(network("other", "10.9.0.0/16"));
    view.networks[1].dhcp = Some("elsewhere".into());
    view.networks.push(network("guests", "10.8.7.6/16"));
    view.networks[2].options = vec![
        option(160, text("x")),
        option(43, OptionValue::Hex("0104".into())),
    ];
    let resources = by_address(&desired(&view));
    assert!(!resources.contains_key("subnet/10.9.0.0/16"));
    // Host bits are no part of a subnet's name.
    assert!(resources.contains_key("subnet/10.8.0.0/16"));
    assert_eq!(
        resources["option/10.8.0.0/16/43"]["csv-format"],
        json!(false)
    );
}
