//! From one state to the next, as a plan would go: what was asked for is there, and nothing else moved.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchover_sdk::{Action, Change, View};

use crate::harness::{after, by_address, changes, current, desired, empty, foreign};
use crate::topology::{device, network, text, view};

fn apply(config_get: &Value, view: &View) -> Value {
    after(config_get, &changes(config_get, &desired(view), &[]))
}

fn addresses(changes: &[Change]) -> Vec<&str> {
    changes
        .iter()
        .map(|change| change.address.as_str())
        .collect()
}

#[test]
fn what_is_read_back_is_what_was_wanted() {
    for start in [empty(), foreign()] {
        let wanted = desired(&view());
        let after = after(&start, &changes(&start, &wanted, &[]));
        let have = by_address(&current(&after));
        for (address, value) in by_address(&wanted) {
            assert_eq!(have.get(&address), Some(&value), "{address}");
        }
        assert!(changes(&after, &wanted, &[]).is_empty());
    }
}

#[test]
fn applying_and_removing_gives_back_what_was_there() {
    for start in [empty(), foreign()] {
        let wanted = desired(&view());
        let applied = after(&start, &changes(&start, &wanted, &[]));
        let mut removed = after(&applied, &changes(&applied, &[], &wanted));
        // A list that Kea always gives is made where it was missing.
        let mut before = start.clone();
        for config in [&mut removed, &mut before] {
            let dhcp4 = config
                .pointer_mut("/0/arguments/Dhcp4")
                .unwrap()
                .as_object_mut()
                .unwrap();
            dhcp4.entry("client-classes").or_insert(json!([]));
        }
        assert_eq!(removed, before);
    }
}

#[test]
fn foreign_things_stay_as_they_are() {
    let start = foreign();
    let mut after = apply(&start, &view());
    let dhcp4 = after.pointer_mut("/0/arguments/Dhcp4").unwrap();
    let subnets = dhcp4["subnet4"].as_array_mut().unwrap();
    let own = subnets.pop().unwrap();
    assert_eq!(own["subnet"], "10.20.30.0/24");
    // 1 and 3 are taken, the latter in a shared network.
    assert_eq!(own["id"], 2);
    dhcp4["client-classes"].as_array_mut().unwrap().pop();
    let defs = dhcp4["option-def"].as_array_mut().unwrap();
    defs.retain(|def| {
        ![120, 132, 160].contains(&def["code"].as_i64().unwrap()) || def["space"] != "dhcp4"
    });
    assert_eq!(after, start);
}

#[test]
fn foreign_things_are_seen() {
    insta::assert_json_snapshot!(by_address(&current(&foreign())));
}

#[test]
fn one_device_is_one_change() {
    let applied = apply(&foreign(), &view());
    let mut view = view();
    view.devices[0].address = Some("10.20.30.21".into());
    let changes = changes(&applied, &desired(&view), &[]);
    assert_eq!(
        addresses(&changes),
        ["reservation/10.20.30.0/24/9c:75:14:00:01:01"]
    );
    let after = after(&applied, &changes);
    let reservations = |config: &Value| {
        let subnets = config
            .pointer("/0/arguments/Dhcp4/subnet4")
            .unwrap()
            .as_array()
            .unwrap();
        let own = subnets
            .iter()
            .find(|subnet| subnet["subnet"] == "10.20.30.0/24")
            .unwrap();
        own["reservations"].clone()
    };
    assert_eq!(reservations(&after)[0]["ip-address"], "10.20.30.21");
    assert_eq!(reservations(&after)[1], reservations(&applied)[1]);
}

#[test]
fn a_change_keeps_what_others_wrote_into_the_same_object() {
    let mut applied = apply(&foreign(), &view());
    let dhcp4 = applied.pointer_mut("/0/arguments/Dhcp4").unwrap();
    let own = dhcp4["subnet4"].as_array_mut().unwrap().last_mut().unwrap();
    own["user-context"] = json!({"owner": "somebody"});
    own["min-valid-lifetime"] = json!(28_800);
    own["max-valid-lifetime"] = json!(28_800);
    own["pools"][0]["option-data"] = json!([{"code": 42, "data": "10.0.0.9"}]);
    own["reservations"][0]["option-data"] = json!([{"code": 42, "data": "10.0.0.8"}]);
    own["option-data"][0]["always-send"] = json!(true);
    let mut view = view();
    view.dhcp[0].lease_seconds = 3600;
    view.devices[0].address = Some("10.20.30.21".into());
    view.networks[0].options[0].value =
        switchover_sdk::OptionValue::Addresses(vec!["10.20.30.2".into()]);
    let changes = changes(&applied, &desired(&view), &[]);
    assert_eq!(
        addresses(&changes),
        [
            "subnet/10.20.30.0/24",
            "option/10.20.30.0/24/3",
            "reservation/10.20.30.0/24/9c:75:14:00:01:01"
        ]
    );
    let after = after(&applied, &changes);
    let own = after.pointer("/0/arguments/Dhcp4/subnet4/1").unwrap();
    assert_eq!(own["user-context"], json!({"owner": "somebody"}));
    assert_eq!(own["pools"][0]["option-data"][0]["data"], "10.0.0.9");
    assert_eq!(own["reservations"][0]["option-data"][0]["data"], "10.0.0.8");
    assert_eq!(
        own["option-data"][0],
        json!({"always-send": true, "code": 3, "csv-format": true, "data": "10.20.30.2", "space": "dhcp4"})
    );
    // Kea gives both for a lifetime that was set alone, and would refuse the new one with them.
    assert_eq!(own["valid-lifetime"], 3600);
    assert!(own.get("min-valid-lifetime").is_none() && own.get("max-valid-lifetime").is_none());
}

#[test]
fn an_existing_subnet_keeps_its_number_wherever_it_is() {
    let mut view = view();
    view.networks = vec![network("floor2", "172.16.0.0/16")];
    view.devices.clear();
    let start = foreign();
    let changes = changes(&start, &desired(&view), &[]);
    assert_eq!(addresses(&changes), ["subnet/172.16.0.0/16"]);
    assert_eq!(changes[0].action, Action::Update);
    let after = after(&start, &changes);
    let pointer = "/0/arguments/Dhcp4/shared-networks/0/subnet4/0";
    assert_eq!(after.pointer(pointer).unwrap()["id"], 3);
    assert_eq!(after.pointer(pointer).unwrap()["valid-lifetime"], 28_800);
    assert_eq!(
        after.pointer("/0/arguments/Dhcp4/subnet4"),
        start.pointer("/0/arguments/Dhcp4/subnet4")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_topology_goes_to_any_other(first in some_view(), second in some_view()) {
        let start = foreign();
        let wanted = desired(&first);
        let one = after(&start, &changes(&start, &wanted, &[]));
        let there = desired(&second);
        let two = after(&one, &changes(&one, &there, &wanted));
        let have = by_address(&current(&two));
        let mut expected = by_address(&current(&start));
        expected.extend(by_address(&there));
        prop_assert_eq!(have, expected);
    }
}

fn some_view() -> impl Strategy<Value = View> {
    let devices = proptest::collection::btree_map(0u8..6, proptest::option::of(10u8..90), 0..6);
    let texts = proptest::collection::btree_map(
        prop_oneof![Just(66u8), Just(160), Just(200)],
        "[ -~é]{1,12}",
        0..3,
    );
    (devices, texts, any::<bool>(), 600u32..7200).prop_map(|(devices, texts, ouis, lease)| {
        let mut view = view();
        view.dhcp[0].lease_seconds = lease;
        view.devices = devices
            .into_iter()
            .map(|(n, host)| {
                let address = host.map(|host| format!("10.20.30.{host}"));
                device(
                    &format!("phone{n}"),
                    &format!("9c:75:14:00:00:0{n}"),
                    address.as_deref(),
                )
            })
            .collect();
        let network = &mut view.networks[0];
        network.phone_options = texts
            .into_iter()
            .map(|(code, value)| crate::topology::option(code, text(&value)))
            .collect();
        if !ouis {
            network.phone_ouis.clear();
        }
        view
    })
}
