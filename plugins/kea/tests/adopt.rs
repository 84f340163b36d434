//! What a server holds, as parts of a topology, and held against what would be wanted then.

use insta::assert_debug_snapshot;
use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_testing::{adoption, handed_over, view_of};

use crate::harness::{after, answers, changes, desired, empty, foreign};
use crate::topology::{plain_target, target, view};

fn adopted(config_get: &Value) -> switchover_sdk::Adoption {
    adoption::<Kea>(&plain_target(), &answers(config_get, "2.2.0"))
}

#[test]
fn a_server_with_everything() {
    assert_debug_snapshot!(adopted(&foreign()));
}

#[test]
fn a_server_with_nothing() {
    let adoption = adopted(&empty());
    assert!(
        adoption.networks.is_empty() && adoption.devices.is_empty(),
        "{adoption:?}"
    );
    assert_eq!(adoption.settings, "{}");
}

/// What this plugin configures without telephones is what it finds again, all of it.
#[test]
fn what_was_applied_is_found_again() {
    let mut view = view();
    view.networks[0].phone_options.clear();
    let before = empty();
    let config = after(&before, &changes(&before, &desired(&view), &[]));
    let found = adopted(&config);
    assert!(found.left.is_empty(), "{:?}", found.left);
    // The network's name is only in the topology; nothing that Kea holds depends on it.
    let again = handed_over::<Kea>(&plain_target(), &answers(&config, "2.2.0"));
    let wanted: Vec<String> = switchover_testing::by_address(&desired(&view))
        .into_keys()
        .collect();
    assert_eq!(again, wanted);
    assert_eq!(view_of(&found).devices.len(), 2, "those with a reservation");
}

/// What a network and its devices cannot say is seen as a change, so that it is not handed over.
#[test]
fn what_a_topology_cannot_say_would_be_a_change() {
    let with = |subnet: Value| {
        let mut config = empty();
        config[0]["arguments"]["Dhcp4"]["subnet4"] = json!([subnet]);
        handed_over::<Kea>(&plain_target(), &answers(&config, "2.2.0"))
    };
    let subnet = "subnet/10.0.0.0/24";
    for (config, expected) in [
        (
            json!({ "subnet": "10.0.0.0/24", "valid-lifetime": 60 }),
            vec![subnet.to_owned()],
        ),
        (
            json!({ "subnet": "10.0.0.0/24", "valid-lifetime": 60, "require-client-classes": ["x"] }),
            vec![format!("!{subnet}")],
        ),
        // Two pools are told by the plugin itself.
        (
            json!({
                "subnet": "10.0.0.0/24", "valid-lifetime": 60,
                "pools": [{ "pool": "10.0.0.1-10.0.0.2" }, { "pool": "10.0.0.4-10.0.0.5" }],
            }),
            vec![],
        ),
        (
            json!({
                "subnet": "10.0.0.0/24", "valid-lifetime": 60,
                "reservations": [
                    { "hw-address": "9c:75:14:00:00:01", "ip-address": "10.0.0.9", "hostname": "a" },
                    { "hw-address": "9c:75:14:00:00:02", "ip-address": "10.0.0.10" },
                    { "hw-address": "9c:75:14:00:00:03", "ip-address": "10.0.0.11", "hostname": "A" },
                    { "hw-address": "9c:75:14:00:00:04", "hostname": "b" },
                ],
            }),
            vec![
                "reservation/10.0.0.0/24/9c:75:14:00:00:01".to_owned(),
                "reservation/10.0.0.0/24/9c:75:14:00:00:02".to_owned(),
                "!reservation/10.0.0.0/24/9c:75:14:00:00:03".to_owned(),
                subnet.to_owned(),
            ],
        ),
    ] {
        assert_eq!(with(config.clone()), expected, "{config}");
    }
}

#[test]
fn a_pair_is_told_with_both_servers() {
    let adoption = adopted(&foreign());
    let settings: Value = serde_json::from_str(&adoption.settings).unwrap();
    assert_eq!(settings, json!({ "high-availability": "present" }));
    assert_eq!(adoption.partners.len(), 1);
    assert!(
        adoption.itself.name.is_some() && adoption.itself.address.is_some(),
        "{adoption:?}"
    );
    // It holds with the settings that it asks for.
    let held = handed_over::<Kea>(&target(&settings), &answers(&foreign(), "2.2.0"));
    assert!(
        !held
            .iter()
            .any(|address| address.contains("high-availability")),
        "{held:?}"
    );
}
