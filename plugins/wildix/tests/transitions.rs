//! From one state to the next, as a plan would go: what was asked for is there, and nothing else moved.

use proptest::prelude::*;
use serde_json::json;
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Action, Plugin, Procedure, View};

use crate::model::{Model, plan, run, undo_all};
use crate::topology::{device, plain_target, user, view, view_of};

fn procedure(model: &mut Model, view: &View, owned: &[String]) -> Procedure {
    let planned = plan(model, view, &plain_target(), owned);
    Wildix::procedure(&plain_target(), &planned.answers, &planned.changes).unwrap()
}

/// Applies a view, and gives what is then owned.
fn apply(model: &mut Model, view: &View, owned: &[String]) -> Vec<String> {
    let there = plan(model, view, &plain_target(), owned);
    let there = Wildix::current(&plain_target(), &there.answers).unwrap();
    let procedure = procedure(model, view, owned);
    let before = model.clone();
    run(model, &procedure, &before).unwrap();
    let rest = plan(model, view, &plain_target(), owned);
    assert_eq!(rest.changes, [], "a second plan is empty");
    let wanted = Wildix::desired(view, &plain_target()).unwrap();
    // What was there before us is never ours.
    let ours = |address: &String| {
        owned.contains(address) || there.iter().all(|one| one.address != *address)
    };
    let addresses = wanted.into_iter().map(|one| one.address);
    addresses.filter(ours).collect()
}

fn foreign() -> Model {
    let mut model = Model::new();
    model.add_user(&json!({ "name": "Somebody", "extension": "300", "email": "x@else.example", "sipPassword": "theirs" }));
    let macs = json!({ "macs": ["001122334455"] });
    model.send("POST", "/api/v1/devices", &macs).unwrap();
    let somebody = json!({ "extension": "300" });
    model
        .send("POST", "/api/v1/Devices/001122334455/connect/", &somebody)
        .unwrap();
    model
}

#[test]
fn from_nothing_and_back() {
    for start in [Model::new(), foreign()] {
        let mut model = start.clone();
        apply(&mut model, &view(), &[]);
        let reception = model.user("101").unwrap();
        assert_eq!(reception["sipPassword"], "sip-secret-0815");
        assert_eq!(reception["email"], "reception@acme.example");
        assert_eq!(model.device("9c7514000101").unwrap()["user"], "101");
        assert_eq!(model.others["/api/v1/PBX/settings"]["language"], "it");
        assert_eq!(model.others["/api/v1/PBX/settings"]["timezone"], "UTC");

        let mut again = start.clone();
        let procedure = procedure(&mut again, &view(), &[]);
        let before = again.clone();
        run(&mut again, &procedure, &before).unwrap();
        undo_all(&mut again, &procedure, &before);
        assert_eq!(again.without_ids(), start.without_ids());
    }
}

#[test]
fn foreign_things_stay_as_they_are() {
    let start = foreign();
    let mut model = start.clone();
    let owned = apply(&mut model, &view(), &[]);
    let mut less = view();
    less.users.clear();
    less.devices.clear();
    less.call_groups.clear();
    apply(&mut model, &less, &owned);
    assert_eq!(model.users, start.users);
    assert_eq!(model.devices, start.devices);
}

#[test]
fn one_more_one_changed_a_hundred_more_one_less() {
    let mut model = foreign();
    let mut view = view();
    let mut owned = apply(&mut model, &view, &[]);
    view.users.push(user("103", "New"));
    view.devices
        .push(device("new", "9c:75:14:00:01:03", Some("103")));
    owned = apply(&mut model, &view, &owned);
    view.users[2].name = "Renamed".into();
    view.users[2].email = Some("new@acme.example".into());
    view.devices[3].user = Some("102".into());
    owned = apply(&mut model, &view, &owned);
    assert_eq!(model.user("103").unwrap()["name"], "Renamed");
    assert_eq!(model.device("9c7514000103").unwrap()["user"], "102");
    for number in 0..100 {
        view.users.push(user(&(2000 + number).to_string(), "Many"));
    }
    owned = apply(&mut model, &view, &owned);
    assert_eq!(model.users.len(), 2 + 3 + 100);
    view.users.remove(2);
    view.devices.remove(3);
    let planned = plan(&mut model, &view, &plain_target(), &owned);
    assert!(
        planned
            .changes
            .iter()
            .all(|change| change.action == Action::Delete)
    );
    apply(&mut model, &view, &owned);
    assert!(model.user("103").is_none() && model.device("9c7514000103").is_none());
}

#[test]
fn drift_is_repaired() {
    let mut model = foreign();
    let owned = apply(&mut model, &view(), &[]);
    let there = model.clone();
    for user in &mut model.users {
        if user["extension"] == "101" {
            user["name"] = json!("Somebody else");
            user["sipPassword"] = json!("changed by hand");
        }
    }
    model
        .devices
        .retain(|device| device["mac"] != "9c7514000102");
    apply(&mut model, &view(), &owned);
    assert_eq!(model.without_ids(), there.without_ids());
}

#[test]
fn a_destination_keeps_its_users() {
    let mut model = foreign();
    let mut members = model.others["/api/v1/network/pbxes"].clone();
    members["records"][0]["host"] = json!("pbx1.acme.example");
    model.others.insert("/api/v1/network/pbxes", members);
    let start = model.clone();
    // Even where it was the source before, and owns all of them.
    let owned = ["user/300", "device/001122334455"].map(str::to_owned);
    apply(&mut model, &view_of("pbx2"), &owned);
    assert_eq!(
        (&model.users, &model.devices),
        (&start.users, &start.devices)
    );
    assert_eq!(model.others["/api/v1/PBX/settings"]["language"], "it");
}

#[test]
fn whatever_breaks_is_undone() {
    for broken in [
        "/api/v1/PBX/Colleagues",
        "/api/v1/devices",
        "/api/v1/devices/9c7514000201",
        "/api/v1/Devices/9c7514000102",
        "/api/v1/PBX/settings",
        "/api/v1/PBX/settings/ntp",
    ] {
        for unanswered in [false, true] {
            let mut model = foreign();
            model.unanswered = unanswered;
            let before = model.clone();
            let procedure = procedure(&mut model, &view(), &[]);
            model.broken = Some(broken);
            let failed = run(&mut model, &procedure, &before).unwrap_err();
            assert!(failed.contains("500"), "{failed}");
            assert_eq!(model.without_ids(), before.without_ids(), "{failed}");
        }
    }
}

#[test]
fn what_was_not_carried_out_is_not_undone_whatever_stands_in_the_lists() {
    let mut model = foreign();
    // A search for 101 finds others before, and more than fit on a page.
    for number in 0..120 {
        model.add_user(&json!({ "name": "Other", "extension": format!("{}101", 200 + number) }));
    }
    let before = model.clone();
    let procedure = procedure(&mut model, &view(), &[]);
    undo_all(&mut model, &procedure, &before);
    assert_eq!(model.users, before.users);
    assert_eq!(model.devices, before.devices);
    run(&mut model, &procedure, &before).unwrap();
    assert!(model.user("101").is_some());
    undo_all(&mut model, &procedure, &before);
    // Once more: what is undone already stays so.
    undo_all(&mut model, &procedure, &before);
    assert_eq!(model.without_ids(), before.without_ids());
}

#[test]
fn a_deletion_whose_answer_is_lost_is_undone() {
    for broken in [
        "/api/v1/PBX/Colleagues",
        "/api/v1/devices/9c7514000102",
        "/api/v1/devices/disconnect",
    ] {
        for unanswered in [false, true] {
            let mut model = foreign();
            let mut view = view();
            let owned = apply(&mut model, &view, &[]);
            view.users.pop();
            view.devices[0].user = None;
            view.devices.remove(1);
            let before = model.clone();
            let procedure = procedure(&mut model, &view, &owned);
            model.broken = Some(broken);
            model.unanswered = unanswered;
            let failed = run(&mut model, &procedure, &before).unwrap_err();
            assert_eq!(model.without_ids(), before.without_ids(), "{failed}");
        }
    }
}

#[test]
fn deletions_are_undone() {
    let mut model = foreign();
    let mut view = view();
    let owned = apply(&mut model, &view, &[]);
    let before = model.clone();
    view.users.pop();
    view.devices.remove(1);
    view.call_groups.clear();
    let procedure = procedure(&mut model, &view, &owned);
    run(&mut model, &procedure, &before).unwrap();
    assert!(model.user("102").is_none() && model.device("9c7514000102").is_none());
    undo_all(&mut model, &procedure, &before);
    assert_eq!(model.without_ids(), before.without_ids());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_topology_goes_to_any_other(first in some_view(), second in some_view()) {
        let start = foreign();
        let mut model = start.clone();
        let owned = apply(&mut model, &first, &[]);
        apply(&mut model, &second, &owned);
        let mut direct = start;
        apply(&mut direct, &second, &[]);
        prop_assert_eq!(model.without_ids().1, direct.without_ids().1);
        let names = |model: &Model| {
            let mut names: Vec<_> = model.users.iter().map(|user| (user["extension"].to_string(), user["name"].clone())).collect();
            names.sort_by(|a, b| a.0.cmp(&b.0));
            names
        };
        prop_assert_eq!(names(&model), names(&direct));
    }
}

fn some_view() -> impl Strategy<Value = View> {
    let users = proptest::collection::btree_map(400u16..406, "[A-Z][a-z]{0,5}", 1..6);
    let devices = proptest::collection::btree_map(0u8..5, any::<prop::sample::Index>(), 0..5);
    (users, devices).prop_map(|(users, devices)| {
        let mut view = view();
        view.users = users
            .iter()
            .map(|(extension, name)| user(&extension.to_string(), name))
            .collect();
        view.devices = devices
            .iter()
            .map(|(number, index)| {
                let owner = &view.users[index.index(view.users.len())].extension;
                device(
                    &format!("phone{number}"),
                    &format!("9c:75:14:00:09:0{number}"),
                    Some(owner),
                )
            })
            .collect();
        view
    })
}
