//! `desired`: which devices get a file, from which template, with which facts.

use serde_json::{Value, json};
use switchover_sdk::{Content, Mode, Plugin, Resource, Role, Target, View};

use crate::topology::{network, service, site, target};
use switchover_plugin_provisioning::Provisioning;

fn desired(view: &View) -> Vec<Resource> {
    Provisioning::desired(view, &target()).unwrap()
}

fn addresses(view: &View) -> Vec<String> {
    desired(view)
        .into_iter()
        .map(|resource| resource.address)
        .collect()
}

pub(crate) fn context(resource: &Resource) -> (String, Value) {
    let Content::Template(call) = &resource.content else {
        panic!("{resource:?} is not rendered")
    };
    (
        call.name.clone(),
        serde_json::from_str(&call.context).unwrap(),
    )
}

#[test]
fn one_file_for_each_device_with_a_mac() {
    assert_eq!(
        addresses(&site()),
        [
            "file/9c7514000101.cfg",
            "file/9c7514000102.cfg",
            "file/9c7514000103.cfg",
            "file/9c7514000201.cfg"
        ],
    );
    assert!(
        desired(&site())
            .iter()
            .all(|resource| resource.kind == "file" && resource.depends_on.is_empty())
    );
}

#[test]
fn only_devices_of_the_targets_own_service() {
    let mut view = site();
    view.provisioning.push(service("other"));
    view.networks[0].provisioning = Some("other".into());
    assert_eq!(addresses(&view), [""; 0]);

    view.roles.push(Role::Provisioning("other".into()));
    assert_eq!(addresses(&view).len(), 4);

    view.devices[0].network = Some("data".into());
    view.devices[1].network = None;
    assert_eq!(
        addresses(&view),
        ["file/9c7514000103.cfg", "file/9c7514000201.cfg"]
    );

    view.networks[1] = network("data", Some("prov"));
    assert_eq!(addresses(&view).len(), 3);
}

#[test]
fn a_device_without_a_mac_or_a_template_is_left_out() {
    let mut view = site();
    view.devices[0].mac = None;
    view.devices[1].template_family = "unheard-of".into();
    assert_eq!(
        addresses(&view),
        ["file/9c7514000103.cfg", "file/9c7514000201.cfg"]
    );
}

#[test]
fn the_family_chooses_the_template() {
    let names: Vec<String> = desired(&site())
        .iter()
        .map(|resource| context(resource).0)
        .collect();
    assert_eq!(
        names,
        [
            "akuvox.cfg.j2",
            "yealink.cfg.j2",
            "akuvox.cfg.j2",
            "gateway.cfg.j2"
        ]
    );
}

#[test]
fn the_site_may_know_better_than_the_catalogue() {
    let target = Target::new(
        "files",
        &json!({"families": ["WP600AXX=akuvox", "W02FXSR2=yealink"]}),
    );
    let resources = Provisioning::desired(&site(), &target).unwrap();
    let names: Vec<String> = resources
        .iter()
        .map(|resource| context(resource).0)
        .collect();
    assert_eq!(
        names,
        [
            "akuvox.cfg.j2",
            "akuvox.cfg.j2",
            "akuvox.cfg.j2",
            "yealink.cfg.j2"
        ]
    );
}

#[test]
fn the_context_holds_every_fact() {
    let resources = desired(&site());
    insta::assert_json_snapshot!("context_of_a_telephone", context(&resources[0]).1);
    let (_, gateway) = context(&resources[3]);
    assert_eq!(gateway["user"], Value::Null);
    assert_eq!(gateway["keepalive_seconds"], json!(24));
    assert_eq!(gateway["device"]["mac_hex"], json!("9c7514000201"));
}

#[test]
fn the_main_pbx_comes_first_unless_the_load_is_shared() {
    let first = |view: &View| context(&desired(view)[0]).1["pbxs"][0]["name"].clone();
    let mut view = site();
    assert_eq!(first(&view), json!("pbx1"));
    view.users[0].pbx = "pbx2".into();
    assert_eq!(first(&view), json!("pbx1"));
    view.site.mode = Mode::LoadSharing;
    assert_eq!(first(&view), json!("pbx2"));
    let (_, lobby) = context(&desired(&view)[2]);
    assert_eq!(
        lobby["pbxs"][0]["name"],
        json!("pbx1"),
        "a device of nobody prefers the main PBX"
    );
}

#[test]
fn options_for_telephones_win_over_those_for_everybody() {
    let mut view = site();
    let mut option = view.networks[0].options[0].clone();
    option.value = switchover_sdk::OptionValue::Addresses(vec!["10.9.9.9".into()]);
    view.networks[0].phone_options.push(option);
    assert_eq!(
        context(&desired(&view)[0]).1["network"]["dns"],
        json!(["10.9.9.9"])
    );
}

#[test]
fn settings_reach_the_context_and_unknown_ones_are_refused() {
    let with = |settings: Value| Provisioning::desired(&site(), &Target::new("files", &settings));
    let resources = with(json!({"register-seconds": 300})).unwrap();
    assert_eq!(context(&resources[0]).1["register_seconds"], json!(300));
    assert!(with(json!({"register": 300})).is_err());
}

#[test]
fn a_topology_without_pbx_is_a_failure() {
    let mut view = site();
    view.pbxs.clear();
    assert_eq!(
        Provisioning::desired(&view, &target()).map_err(|failure| failure.code),
        Err("no-pbx".into())
    );
    view.devices.clear();
    assert_eq!(Provisioning::desired(&view, &target()), Ok(Vec::new()));
}
