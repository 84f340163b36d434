//! The file as it is written, and what is read from it.

use serde_json::json;
use switchover_plugin_kamailio::Kamailio;
use switchover_sdk::{Plugin, Role, Target, Transport, View};

use crate::harness::{after, answers, by_address, changes, desired, with_main};
use crate::topology::{device, plain_target, settings, target, view};

fn written(view: &View, target: &Target) -> String {
    let wanted = Kamailio::desired(view, target).unwrap();
    let file = after(None, &changes(None, &wanted, &[]));
    let routing = file.split("# -- routing").nth(1).unwrap();
    let routing = routing.split_once("# -- end of the routing").unwrap().0;
    file.replace(routing, "…\n\n")
}

#[test]
fn the_main_and_the_failover_pbx() {
    insta::assert_snapshot!(written(&view(), &plain_target()));
    let mut other = view();
    other.roles = vec![Role::Pbx("pbx2".into())];
    let (here, there) = (
        written(&view(), &plain_target()),
        written(&other, &plain_target()),
    );
    let differing: Vec<(&str, &str)> = here
        .lines()
        .zip(there.lines())
        .filter(|(a, b)| a != b)
        .collect();
    insta::assert_debug_snapshot!("what_differs", differing);
}

#[test]
fn every_setting() {
    insta::assert_snapshot!(written(&view(), &target(&settings())));
}

#[test]
fn resources_as_they_are_shown() {
    insta::assert_json_snapshot!(by_address(&desired(&view())));
    let hidden = desired(&view())
        .into_iter()
        .filter(|resource| !resource.sensitive.is_empty())
        .map(|resource| (resource.address, resource.sensitive.concat()));
    let hidden: Vec<_> = hidden.collect();
    assert_eq!(
        hidden,
        [("user/101", "/password"), ("user/102", "/password")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
}

#[test]
fn a_trunk_goes_only_where_it_registers_and_an_outgoing_one_nowhere() {
    let mut view = view();
    view.trunks[0].register_to = vec!["pbx2".into()];
    assert!(!by_address(&desired(&view)).contains_key("trunk/telco-a"));
    view.roles = vec![Role::Pbx("pbx2".into())];
    assert!(by_address(&desired(&view)).contains_key("trunk/telco-a"));
    view.trunks[0].direction = switchover_sdk::TrunkDirection::Outgoing;
    assert!(!by_address(&desired(&view)).contains_key("trunk/telco-a"));
}

#[test]
fn nothing_listens_for_a_device_whose_signalling_nobody_knows() {
    let mut with_one = view();
    with_one.devices.push(device("cordless", Transport::Udp, 0));
    assert_eq!(
        written(&with_one, &plain_target()),
        written(&view(), &plain_target())
    );
}

#[test]
fn a_target_of_no_pbx_or_of_both_wants_nothing() {
    let mut view = view();
    for roles in [
        vec![],
        vec![Role::Pbx("pbx1".into()), Role::Pbx("pbx2".into())],
    ] {
        view.roles = roles;
        assert_eq!(desired(&view), []);
    }
}

#[test]
fn a_file_that_is_cut_short_is_told() {
    let file = after(None, &changes(None, &desired(&view()), &[]));
    for end in ["# -- end of the routing\n", "\n}\n"] {
        let last = file.rfind(end).unwrap();
        let cut = &file[..last + 1];
        let failure = Kamailio::current(&plain_target(), &answers(Some(cut))).unwrap_err();
        assert_eq!(failure.code, "no-end", "{end}");
    }
}

#[test]
fn a_main_file_that_does_not_include_or_call_is_told() {
    for (main, code) in [
        ("request_route { exit; }\n", "not-included"),
        ("import_file \"switchover.cfg\"\n", "not-called"),
    ] {
        let answers = with_main(None, Some(main));
        let failure = Kamailio::current(&plain_target(), &answers).unwrap_err();
        assert_eq!(failure.code, code);
        assert!(failure.help.is_some());
    }
    let failure = Kamailio::current(&plain_target(), &[]).unwrap_err();
    assert_eq!(failure.code, "no-answer");
    let odd = target(&json!({"rpc": 7}));
    assert_eq!(
        Kamailio::desired(&view(), &odd).unwrap_err().code,
        "settings"
    );
}
