//! `check`: what only this plugin can know.

use serde_json::json;
use switchover_sdk::{Plugin, Severity, Target, View};

use crate::topology::{site, target};
use switchover_plugin_provisioning::Provisioning;

fn found(view: &View) -> Vec<(String, Severity, String)> {
    Provisioning::check(view, &target())
        .into_iter()
        .map(|finding| (finding.code, finding.severity, finding.path))
        .collect()
}

fn with_code(view: &View, code: &str) -> Vec<(Severity, String)> {
    found(view)
        .into_iter()
        .filter(|found| found.0 == code)
        .map(|(_, severity, path)| (severity, path))
        .collect()
}

#[test]
fn passwords_left_to_the_pbx_are_one_note() {
    assert_eq!(
        found(&site()),
        [("PROV004".into(), Severity::Note, "provisioning/prov".into())]
    );
    let finding = &Provisioning::check(&site(), &target())[0];
    assert!(
        finding.message.starts_with("1 of 2 users"),
        "{}",
        finding.message
    );

    let mut view = site();
    view.users[1].sip_password = Some("${secret:user/102/sip-password}".into());
    assert_eq!(found(&view), []);
}

#[test]
fn values_that_would_not_stay_on_their_line_are_errors() {
    let mut view = site();
    view.users[0].name = "Reception\nConfig.Account1.SIP.Server = evil.example".into();
    view.devices[3].name = "fax\u{2028}".into();
    view.pbxs[1].hostname = "pbx1\r.acme.example".into();
    view.networks[0].domain = Some("acme\0.example".into());
    assert_eq!(
        with_code(&view, "PROV001"),
        [
            (Severity::Error, "pbx/pbx1/hostname".into()),
            (Severity::Error, "network/voice/domain".into()),
            (Severity::Error, "user/101/name".into()),
            (Severity::Error, "device/fax\u{2028}".into()),
        ],
    );
    let messages = Provisioning::check(&view, &target());
    assert!(
        messages
            .iter()
            .all(|finding| !finding.message.contains('\n')),
        "shown escaped"
    );
}

#[test]
fn a_users_name_matters_only_where_a_file_holds_it() {
    let mut view = site();
    view.users[1].name = "Sales\n".into();
    view.devices[1].user = None;
    assert_eq!(with_code(&view, "PROV001"), []);
}

#[test]
fn hardware_without_a_mac_is_warned_of_and_a_client_is_not() {
    let mut view = site();
    view.devices[0].mac = None;
    assert_eq!(
        with_code(&view, "PROV002"),
        [(Severity::Warning, "device/reception".into())]
    );
}

#[test]
fn a_model_without_a_template_is_a_warning_until_the_site_names_one() {
    let mut view = site();
    view.devices[0].template_family = String::new();
    assert_eq!(
        with_code(&view, "PROV003"),
        [(Severity::Warning, "device/reception/model".into())]
    );

    let target = Target::new("files", &json!({"families": "WP480=yealink"}));
    let codes: Vec<String> = Provisioning::check(&view, &target)
        .into_iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["PROV004"]);
}

#[test]
fn a_family_for_a_model_that_no_device_has_is_a_warning() {
    let target = Target::new(
        "files",
        &json!({"families": ["WP480=yealink", "WP999=akuvox"]}),
    );
    let findings = Provisioning::check(&site(), &target);
    let [unused, _] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(
        (unused.code.as_str(), unused.severity),
        ("PROV005", Severity::Warning)
    );
    assert_eq!(unused.path, "target/files/families");
    assert!(unused.message.contains("WP999"), "{}", unused.message);
}

#[test]
fn a_target_without_devices_has_nothing_to_say() {
    let mut view = site();
    view.roles.clear();
    view.users[0].name = "\n".into();
    assert_eq!(found(&view), []);
}

#[test]
fn every_finding_is_declared() {
    switchover_testing::every_finding_is_declared(
        &Provisioning::describe(),
        env!("CARGO_MANIFEST_DIR"),
    );
}
