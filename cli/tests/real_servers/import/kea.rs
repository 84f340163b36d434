use std::fs;
use std::net::Ipv4Addr;

use insta::assert_snapshot;
use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab};

use super::{assert_valid, fill_in_models, unchanged};
use crate::environment::{TestEnvironment, assert_no_secret};
use crate::real_servers::KEA_PASSWORD;

const IMPORT: [&str; 11] = [
    "import",
    "kea",
    "--endpoint",
    "http://10.20.30.5:8000/",
    "--auth",
    "basic",
    "--user",
    "kea",
    "--password",
    "env:KEA_PASSWORD",
    "--site=acme-hq",
];

/// An office as somebody has configured it over the years.
fn office() -> Value {
    json!({
        "valid-lifetime": 28800,
        "option-data": [{ "name": "time-offset", "data": "3600" }],
        "client-classes": [{
            "name": "printers",
            "test": "substring(pkt4.mac,0,3) == 0x001122",
            "option-data": [{ "name": "boot-file-name", "data": "hunter2" }]
        }],
        "option-def": [{ "name": "phone-url", "code": 160, "space": "dhcp4", "type": "string" }],
        "subnet4": [
            {
                "id": 1,
                "subnet": "10.20.30.0/24",
                "pools": [{ "pool": "10.20.30.100 - 10.20.30.220" }],
                "option-data": [
                    { "name": "routers", "data": "10.20.30.1" },
                    { "name": "domain-name-servers", "data": "10.20.0.53,10.20.0.54" },
                    { "name": "ntp-servers", "data": "10.20.30.1" },
                    { "name": "domain-name", "data": "acme.example" },
                    { "name": "tftp-server-name", "data": "https://prov.acme.example/" },
                    { "name": "phone-url", "data": "https://prov.acme.example/a\\,b" }
                ],
                "reservations": [
                    { "hw-address": "9c:75:14:00:01:01", "ip-address": "10.20.30.11", "hostname": "wp480-hall" },
                    { "hw-address": "9c:75:14:00:01:02", "ip-address": "10.20.30.12", "hostname": "sales" },
                    { "hw-address": "9c:75:14:00:01:03", "ip-address": "10.20.30.13" },
                    // Within the pool, and with a name that a topology would write otherwise.
                    { "hw-address": "00:11:22:33:44:55", "ip-address": "10.20.30.150", "hostname": "Printer.acme.example" },
                    { "client-id": "01020304", "ip-address": "10.20.30.14" }
                ]
            },
            {
                "id": 2,
                "subnet": "10.20.40.0/24",
                "valid-lifetime": 3600,
                "pools": [{ "pool": "10.20.40.0/25" }],
                "option-data": [{ "name": "routers", "data": "10.20.40.1" }],
                "next-server": "10.20.40.9"
            },
            {
                "id": 3,
                "subnet": "10.20.50.0/24",
                "pools": [{ "pool": "10.20.50.10-10.20.50.20" }, { "pool": "10.20.50.30-10.20.50.40" }],
                "reservations": [{ "hw-address": "9c:75:14:00:05:01", "ip-address": "10.20.50.5", "hostname": "wp600a-lab" }]
            },
            {
                "id": 4,
                "subnet": "10.20.60.0/24",
                "pools": [{ "pool": "10.20.60.10-10.20.60.20" }],
                "require-client-classes": ["printers"]
            }
        ]
    })
}

fn start(lab: &Lab, dhcp4: Value) -> Kea {
    let settings = KeaSettings {
        address: Ipv4Addr::new(10, 20, 30, 5),
        port: 8000,
        password: Some(KEA_PASSWORD.to_owned()),
        dhcp4,
    };
    Kea::start(lab, settings).unwrap()
}

fn environment() -> TestEnvironment {
    let mut environment = TestEnvironment::new();
    environment.set("KEA_PASSWORD", KEA_PASSWORD);
    environment
}

#[test]
fn an_office_is_written_down_and_a_plan_changes_nothing() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
    let environment = environment();
    let kea = start(&lab, office());
    let before = kea.config_get().unwrap();

    let imported = environment.run_in(&lab, &[&IMPORT[..], &["-o", "switchover.kdl"]].concat());
    assert_eq!(imported.code, Some(0), "{imported}");
    let text = fs::read_to_string(environment.work().join("switchover.kdl")).unwrap();
    assert_snapshot!("kea_topology", text);
    assert_snapshot!("kea_notes", imported);
    assert_valid(&environment);
    let run = |arguments: &[&str]| environment.run_in(&lab, arguments);
    let handed_over = unchanged(run);

    // With the models the rest of the devices is the target's as well, and still nothing changes.
    fill_in_models(&environment);
    assert_eq!(unchanged(run), handed_over + 2);
    assert_eq!(kea.config_get().unwrap().to_string(), before.to_string());
    assert_no_secret(
        &[KEA_PASSWORD, "hunter2"],
        &[&imported.everything()],
        &environment.work(),
    );

    // As data: the same to the standard output.
    let json = environment.run_in(&lab, &[&IMPORT[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["topology"], text);
    assert_eq!(json["unchanged"].as_u64(), Some(handed_over + 2));

    // Nothing is written over.
    let again = environment.run_in(&lab, &[&IMPORT[..], &["-o", "switchover.kdl"]].concat());
    assert_eq!(again.code, Some(1), "{again}");
    assert!(again.stderr.contains("is there already"), "{again}");
    let forced = [&IMPORT[..], &["-o", "switchover.kdl", "--force", "--quiet"]].concat();
    let forced = environment.run_in(&lab, &forced);
    assert_eq!((forced.code, forced.everything()), (Some(0), String::new()));
    assert_eq!(
        fs::read_to_string(environment.work().join("switchover.kdl")).unwrap(),
        text
    );
}

#[test]
fn a_pair_that_somebody_configured_is_described_and_kept() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24", "10.20.30.6/24"]).unwrap();
    let environment = environment();
    let hook = |name| json!(Kea::hooks().unwrap().join(name));
    let peer = |name, url, role| json!({ "name": name, "url": url, "role": role, "basic-auth-user": "kea", "basic-auth-password": KEA_PASSWORD });
    let pair = json!({
        "this-server-name": "dhcp1",
        "mode": "hot-standby",
        "peers": [
            peer("dhcp1", "http://10.20.30.5:8000/", "primary"),
            peer("dhcp2", "http://10.20.30.6:8000/", "standby"),
        ],
    });
    let mut dhcp4 = office();
    dhcp4["hooks-libraries"] = json!([
        { "library": hook("libdhcp_lease_cmds.so") },
        { "library": hook("libdhcp_ha.so"), "parameters": { "high-availability": [pair] } },
    ]);
    let _kea = start(&lab, dhcp4);
    let imported = environment.run_in(&lab, &[&IMPORT[..], &["-o", "switchover.kdl"]].concat());
    assert_eq!(imported.code, Some(0), "{imported}");
    let text = fs::read_to_string(environment.work().join("switchover.kdl")).unwrap();
    for part in [
        "server \"dhcp1\" address=\"10.20.30.5\" role=\"primary\" target=\"kea\"",
        "server \"dhcp2\" address=\"10.20.30.6\" role=\"standby\"",
        "high-availability \"present\"",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(
        imported
            .stderr
            .contains("\n  high-availability: it is kept"),
        "{imported}"
    );
    assert_valid(&environment);
    assert!(unchanged(|arguments| environment.run_in(&lab, arguments)) > 0);
    assert_no_secret(
        &[KEA_PASSWORD],
        &[&imported.everything()],
        &environment.work(),
    );
}

#[test]
fn a_server_that_cannot_be_read_leaves_no_file() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
    let mut environment = environment();
    let out = ["-o", "switchover.kdl"];
    let unreachable = environment.run_in(&lab, &[&IMPORT[..], &out].concat());
    assert_eq!(unreachable.code, Some(1), "{unreachable}");
    assert_snapshot!("kea_unreachable", unreachable);
    let _kea = start(&lab, json!({}));
    environment.set("KEA_PASSWORD", "wrong-password-0000");
    let refused = environment.run_in(&lab, &[&IMPORT[..], &out].concat());
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_snapshot!("kea_wrong_password", refused);
    environment.set("KEA_PASSWORD", KEA_PASSWORD);
    let nothing = environment.run_in(&lab, &[&IMPORT[..], &out].concat());
    assert_eq!(nothing.code, Some(1), "{nothing}");
    assert!(
        nothing.stderr.contains("there is nothing to import"),
        "{nothing}"
    );
    assert!(!environment.work().join("switchover.kdl").exists());
}
