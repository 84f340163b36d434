//! The lab itself, tried: one file for each thing it promises.

#![expect(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod cleanup;
mod dnsmasq;
mod forward;
mod isc_dhcpd;
mod kamailio;
mod kea;
mod pbx;
mod phones;
mod proxy;
mod unprivileged;
mod wms;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab};

const PHONE: &str = "9c:75:14:00:01:01";

fn lab() -> Lab {
    Lab::start(&["10.20.30.1/24", "10.20.30.5/24", "10.20.30.6/24"]).unwrap()
}

fn voice_subnet() -> Value {
    json!({
        "id": 1,
        "subnet": "10.20.30.0/24",
        "pools": [{ "pool": "10.20.30.100-10.20.30.100" }],
        "option-data": [
            { "name": "routers", "data": "10.20.30.1" },
            { "name": "domain-name-servers", "data": "10.20.0.53, 10.20.0.54" },
            { "name": "tftp-server-name", "data": "http://10.20.30.1/" },
            { "name": "sip-servers", "data": "1, 10.20.0.10, 10.20.1.10" },
        ],
    })
}

fn kea(lab: &Lab, password: Option<&str>) -> Kea {
    let sip_servers = json!({
        "name": "sip-servers", "code": 120, "space": "dhcp4", "type": "record",
        "record-types": "uint8, ipv4-address", "array": true,
    });
    let dhcp4 = json!({ "option-def": [sip_servers], "subnet4": [voice_subnet()] });
    let password = password.map(str::to_owned);
    Kea::start(
        lab,
        KeaSettings {
            password,
            dhcp4,
            ..KeaSettings::default()
        },
    )
    .unwrap()
}

/// Posts a command to a control agent from inside the lab. Gives whether it was answered with success, and the answer or
/// else what is wrong.
fn post(lab: &Lab, url: &str, command: &str) -> (bool, String) {
    let body = json!({ "command": command, "service": ["dhcp4"] }).to_string();
    let output = lab
        .command("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "2",
        ])
        .args([
            "--header",
            "Content-Type: application/json",
            "--data",
            &body,
            url,
        ])
        .output()
        .unwrap();
    let text = if output.status.success() {
        output.stdout
    } else {
        output.stderr
    };
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Polls until it holds, or gives up.
fn until(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
