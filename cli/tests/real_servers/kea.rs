use std::fs;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use switchover_lab::akuvox_settings;

use super::{KEA_PASSWORD, PHONE, SIP_PASSWORD, Site};
use crate::environment::assert_no_secret;

#[test]
fn a_telephone_gets_lease_and_file_and_finds_both_pbxs() {
    let site = Site::new();
    let applied = site.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");

    let phone = site.lab.phone(PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));
    assert_eq!(
        lease.addresses(6),
        [Ipv4Addr::new(10, 20, 0, 53), Ipv4Addr::new(10, 20, 0, 54)]
    );
    assert_eq!(lease.addresses(42), [Ipv4Addr::new(10, 20, 30, 1)]);
    assert_eq!(
        lease.sip_servers(),
        [Ipv4Addr::new(10, 20, 0, 10), Ipv4Addr::new(10, 20, 1, 10)]
    );

    let file = phone.fetch("http://10.20.30.80/9c7514000101.cfg").unwrap();
    let settings = akuvox_settings(std::str::from_utf8(&file).unwrap());
    let setting = |name: &str| {
        settings
            .get(&format!("Config.Account1.{name}"))
            .map(String::as_str)
    };
    assert_eq!(setting("SIP.Server"), Some("pbx1.acme.example"));
    assert_eq!(setting("SIP.Server2"), Some("pbx2.acme.example"));
    assert_eq!(
        (setting("SIP.Port"), setting("SIP.Port2")),
        (Some("443"), Some("443"))
    );
    assert_eq!(
        setting("SIP.TransType"),
        Some("1"),
        "the guide's table: TCP"
    );
    assert_eq!(
        setting("GENERAL.Pwd"),
        Some(SIP_PASSWORD),
        "the file holds the secret itself"
    );

    let gateway =
        String::from_utf8(phone.fetch("http://10.20.30.80/9c7514000201.cfg").unwrap()).unwrap();
    for part in ["pbx1.acme.example", "pbx2.acme.example", "5060", "udp"] {
        assert!(
            gateway.contains(part),
            "no {part} in the gateway's file:\n{gateway}"
        );
    }

    let again = site.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");
    assert!(again.stdout.contains("no changes"), "{again}");
}

#[test]
fn what_is_not_ours_stays_as_it_is_and_what_is_ours_goes_without_a_trace() {
    let site = Site::new();
    assert_eq!(site.run(&["apply", "--yes"]).code, Some(0));
    let after = site.kea.config_get().unwrap();
    let foreign = |config: &Value| {
        let subnets = config["subnet4"].as_array().unwrap();
        let subnet = subnets
            .iter()
            .find(|subnet| subnet["subnet"] == "192.0.2.0/24")
            .unwrap();
        let classes = config["client-classes"].as_array().unwrap();
        let class = classes
            .iter()
            .find(|class| class["name"] == "printers")
            .unwrap();
        json!([subnet, class, config["option-data"]]).to_string()
    };
    assert_eq!(foreign(&after), foreign(&site.before));
    assert_ne!(after, site.before);

    site.edit(
        "    dhcp \"office\"\n    provisioning \"phones\"\n",
        "    dhcp \"office\"\n",
    );
    site.edit("address=\"10.20.30.11\"", "");
    let plan = site.run(&["plan"]);
    let changed = site.run(&["apply", "--yes"]);
    assert_eq!(changed.code, Some(0), "{plan}{changed}");
    assert_eq!(
        foreign(&site.kea.config_get().unwrap()),
        foreign(&site.before)
    );
}

#[test]
fn a_password_in_the_servers_own_configuration_crosses_unseen() {
    let site = Site::new();
    let mut config = site.kea.config_get().unwrap();
    config["subnet4"][0]["user-context"]["password"] = json!("database-secret-9999");
    let set = json!({ "command": "config-set", "arguments": { "Dhcp4": config } });
    assert_eq!(site.kea.command(&set).unwrap()["result"], 0);

    let plan = site.run(&["plan", "--out", "plan.json", "-vv"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    let applied = site.run(&["apply", "plan.json", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let now = site.kea.config_get().unwrap();
    let subnets = now["subnet4"].as_array().unwrap();
    let theirs = subnets
        .iter()
        .find(|subnet| subnet["subnet"] == "192.0.2.0/24")
        .unwrap();
    assert_eq!(theirs["user-context"]["password"], "database-secret-9999");
    assert_eq!(
        theirs["user-context"]["comment"],
        "not ours: ${secret:target/kea/auth}"
    );

    let files = site.environment.work().join("files");
    let kept: Vec<_> = site
        .files()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(
        kept.iter().any(|text| text.contains(SIP_PASSWORD)),
        "the telephone's file needs it"
    );
    fs::remove_dir_all(files).unwrap();
    let told = [plan.everything(), applied.everything()];
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_no_secret(
        &["database-secret-9999", KEA_PASSWORD, SIP_PASSWORD],
        &told,
        &site.environment.work(),
    );
}

#[test]
fn a_plan_is_stale_once_the_server_has_changed() {
    let site = Site::new();
    assert_eq!(site.run(&["plan", "--out", "plan.json"]).code, Some(0));
    let mut config = site.kea.config_get().unwrap();
    config["valid-lifetime"] = json!(1234);
    let set = json!({ "command": "config-set", "arguments": { "Dhcp4": config } });
    assert_eq!(site.kea.command(&set).unwrap()["result"], 0);
    let before = site.kea.config_get().unwrap();

    let applied = site.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(9), "{applied}");
    assert!(
        applied.stderr.contains("the state of target `kea` changed"),
        "{applied}"
    );
    assert_eq!(site.kea.config_get().unwrap(), before);
    assert!(site.files().is_empty());
}
