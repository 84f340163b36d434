//! What is wanted of which PBX.

use serde_json::json;
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Plugin, Resource, Target, View};

use crate::model::by_address;
use crate::topology::{plain_target, target, view, view_of};

fn addresses(view: &View, target: &Target) -> Vec<String> {
    let resources: Vec<Resource> = Wildix::desired(view, target).unwrap();
    resources.into_iter().map(|one| one.address).collect()
}

#[test]
fn everything_on_the_source() {
    let resources = Wildix::desired(&view(), &plain_target()).unwrap();
    insta::assert_json_snapshot!(by_address(&resources));
}

#[test]
fn what_a_sync_does_not_carry_on_the_destination() {
    assert_eq!(
        addresses(&view_of("pbx2"), &plain_target()),
        ["locale/settings", "ntp/settings", "part/destination",]
    );
}

#[test]
fn a_pbx_without_a_sync_has_its_own_users() {
    let mut view = view_of("pbx2");
    view.sync = None;
    view.users[1].pbx = "pbx2".into();
    let found = addresses(&view, &plain_target());
    assert!(found.contains(&"part/alone".to_owned()));
    assert!(found.contains(&"user/102".to_owned()) && !found.contains(&"user/101".to_owned()));
    assert!(found.contains(&"connection/9c7514000102".to_owned()));
    assert!(!found.contains(&"device/9c7514000101".to_owned()));
}

#[test]
fn a_pbx_is_not_its_own_clock() {
    let server = |name: &str| {
        by_address(&Wildix::desired(&view_of(name), &plain_target()).unwrap())["ntp/settings"]
            .clone()
    };
    assert_eq!(server("pbx1"), json!({ "server": "10.20.0.1" }));
    assert_eq!(server("pbx2"), json!({ "server": "10.20.0.10" }));
}

#[test]
fn settings_leave_things_out_or_add_them() {
    let all = addresses(&view(), &plain_target());
    assert!(all.contains(&"sip-password/101".to_owned()));
    let ignored = addresses(&view(), &target(&json!({ "sip-passwords": "ignored" })));
    assert_eq!(ignored.len(), all.len() - 1);
    assert!(!ignored.contains(&"sip-password/101".to_owned()));
    let server = target(&json!({ "ntp": "ntp.acme.example" }));
    let wanted = by_address(&Wildix::desired(&view(), &server).unwrap());
    assert_eq!(
        wanted["ntp/settings"],
        json!({ "server": "ntp.acme.example" })
    );
    for name in ["pbx1", "pbx2"] {
        let verified = addresses(
            &view_of(name),
            &target(&json!({ "verify-registrations": true })),
        );
        let registrations: Vec<&String> = verified
            .iter()
            .filter(|one| one.starts_with("registration/"))
            .collect();
        assert_eq!(registrations, ["registration/101", "registration/102"]);
    }
}

#[test]
fn a_target_that_no_pbx_names() {
    let mut view = view();
    view.roles.clear();
    assert_eq!(
        Wildix::desired(&view, &plain_target()).unwrap_err().code,
        "no-pbx"
    );
}
