use std::net::Ipv4Addr;

use serde_json::json;
use switchover_lab::{Kea, KeaSettings, LabError};

use crate::{PHONE, kea, lab, post, voice_subnet};

#[test]
fn a_phone_gets_its_address_and_options() {
    let lab = lab();
    let _kea = kea(&lab, None);
    let phone = lab.phone(PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 100));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.1/"));
    assert_eq!(lease.addresses(3), [Ipv4Addr::new(10, 20, 30, 1)]);
    assert_eq!(
        lease.addresses(6),
        [Ipv4Addr::new(10, 20, 0, 53), Ipv4Addr::new(10, 20, 0, 54)]
    );
    assert_eq!(
        lease.sip_servers(),
        [Ipv4Addr::new(10, 20, 0, 10), Ipv4Addr::new(10, 20, 1, 10)]
    );
    assert_eq!(lease.option(160), None);
}

#[test]
fn a_reservation_is_for_one_hardware_address() {
    let lab = lab();
    let mut subnet = voice_subnet();
    subnet["reservations"] = json!([{ "hw-address": PHONE, "ip-address": "10.20.30.11" }]);
    let _kea = Kea::start(
        &lab,
        KeaSettings {
            dhcp4: without_sip_servers(subnet),
            ..KeaSettings::default()
        },
    )
    .unwrap();
    let reserved = lab.phone(PHONE).unwrap();
    let other = lab.phone("9c:75:14:00:01:02").unwrap();
    assert_eq!(
        reserved.dhcp().unwrap().address(),
        Ipv4Addr::new(10, 20, 30, 11)
    );
    assert_eq!(
        other.dhcp().unwrap().address(),
        Ipv4Addr::new(10, 20, 30, 100)
    );
}

#[test]
fn labs_with_the_same_addresses_do_not_meet() {
    let (first, second) = (lab(), lab());
    let mut subnet = voice_subnet();
    subnet["pools"] = json!([{ "pool": "10.20.30.200-10.20.30.200" }]);
    let _first = kea(&first, None);
    let dhcp4 = without_sip_servers(subnet);
    let _second = Kea::start(
        &second,
        KeaSettings {
            dhcp4,
            ..KeaSettings::default()
        },
    )
    .unwrap();
    assert_eq!(
        first.phone(PHONE).unwrap().dhcp().unwrap().address(),
        Ipv4Addr::new(10, 20, 30, 100)
    );
    assert_eq!(
        second.phone(PHONE).unwrap().dhcp().unwrap().address(),
        Ipv4Addr::new(10, 20, 30, 200)
    );
}

#[test]
fn the_control_agent_asks_for_the_password() {
    let lab = lab();
    let kea = kea(&lab, Some("horse"));
    for url in [kea.url().as_str(), "http://kea:donkey@10.20.30.5:8000/"] {
        let (accepted, answer) = post(&lab, url, "version-get");
        assert!(!accepted && answer.contains("401"), "{answer}");
    }
    let (accepted, answer) = post(&lab, "http://kea:horse@10.20.30.5:8000/", "version-get");
    assert!(accepted && answer.contains("\"result\": 0"), "{answer}");
}

#[test]
fn a_change_is_read_back_and_gone_after_a_restart() {
    let lab = lab();
    let mut kea = kea(&lab, None);
    let before = kea.config_get().unwrap();
    let mut changed = before.clone();
    changed["valid-lifetime"] = json!(1234);
    let set = kea
        .command(&json!({ "command": "config-set", "arguments": { "Dhcp4": changed } }))
        .unwrap();
    assert_eq!(set["result"], 0, "{set}");
    assert_eq!(kea.config_get().unwrap()["valid-lifetime"], 1234);
    kea.restart().unwrap();
    assert_eq!(
        kea.config_get().unwrap()["valid-lifetime"],
        before["valid-lifetime"]
    );
    kea.stop().unwrap();
    assert!(!lab.listens(kea.address().0, kea.address().1));
    assert!(kea.config_get().is_err());
}

#[test]
fn a_configuration_that_kea_refuses_is_told_with_its_log() {
    let lab = lab();
    let dhcp4 = json!({ "subnet4": [{ "subnet": "nonsense" }] });
    let problem = Kea::start(
        &lab,
        KeaSettings {
            dhcp4,
            ..KeaSettings::default()
        },
    )
    .unwrap_err();
    assert!(
        matches!(&problem, LabError::Ended { log, .. } if log.contains("nonsense")),
        "{problem}"
    );
}

fn without_sip_servers(mut subnet: serde_json::Value) -> serde_json::Value {
    if let Some(options) = subnet["option-data"].as_array_mut() {
        options.retain(|option| option["name"] != "sip-servers");
    }
    json!({ "subnet4": [subnet] })
}
