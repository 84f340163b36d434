//! What the plugin writes, held against the server's own checker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use proptest::prelude::*;
use switchover_sdk::{OptionValue, View};

use crate::harness::{after, changes, desired};
use crate::topology::{addresses, device, network, option, pair, text, view};

/// What `dhcpd -t` says to the file; none where it accepts it without a warning.
fn complaint(file: &str) -> Option<String> {
    let path = scratch(file);
    let told = Command::new(dhcpd())
        .args(["-t", "-4", "-cf"])
        .arg(&path)
        .output()
        .unwrap();
    fs::remove_file(path).unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    let warned = said.to_ascii_lowercase().contains("warning");
    (!told.status.success() || warned).then_some(said)
}

/// A copy of dhcpd: distributions confine it by the path of its program to its usual folders.
fn dhcpd() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        // It lives in `sbin`, which an ordinary user's `PATH` lacks on Debian.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .map(|folder| folder.join("dhcpd"))
            .find(|file| file.is_file())
            .expect("dhcpd is not installed: run `cargo xtask setup`");
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dhcpd");
        // By another program: what this one writes may still be open when it is run.
        let copied = Command::new("cp").arg(program).arg(&copy).status();
        assert!(copied.unwrap().success());
        copy
    })
}

fn scratch(text: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("switchover-dhcpd-{}-{number}.conf", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[track_caller]
fn assert_accepted(view: &View) {
    let file = after(None, &changes(None, &desired(view), &[]));
    assert_eq!(complaint(&file), None, "{file}");
}

#[test]
fn the_checker_can_refuse() {
    assert!(complaint("subnet 10.0.0.0 netmask 255.0.0.0 { pool { } }\n").is_some());
    assert!(complaint("failover peer \"x\" { primary; address 10.0.0.1; }\n").is_some());
}

#[test]
fn one_server_and_both_of_a_pair() {
    assert_accepted(&view());
    assert_accepted(&pair("dhcp1"));
    assert_accepted(&pair("dhcp2"));
}

#[test]
fn every_kind_of_value_for_every_code() {
    let values = [
        text("a \"b\" \\ é\n#{};"),
        OptionValue::Addresses(addresses(&["10.0.0.1"])),
        OptionValue::Addresses(addresses(&["10.0.0.1", "10.0.0.2"])),
        OptionValue::SipAddresses(addresses(&["10.0.0.1", "10.0.0.2"])),
        OptionValue::SipNames(addresses(&["a.example", "b.example"])),
        OptionValue::Uint8(255),
        OptionValue::Uint16(65_535),
        OptionValue::Uint32(u32::MAX),
        OptionValue::Hex("00".into()),
        OptionValue::Hex("0aff01".into()),
    ];
    for value in values {
        let mut view = view();
        view.networks[0].options.clear();
        // 0 and 255 are padding and end.
        let codes = 1..=254;
        view.networks[0].phone_options = codes
            .filter(|code| *code != 119)
            .map(|code| option(code, value.clone()))
            .collect();
        assert_accepted(&view);
    }
}

#[test]
fn odd_names() {
    let mut view = pair("dhcp1");
    view.dhcp[0].name = "Büro 1 {;#".into();
    for network in &mut view.networks {
        network.dhcp = Some(view.dhcp[0].name.clone());
    }
    view.roles = vec![switchover_sdk::Role::DhcpServer(
        switchover_sdk::ServerRef {
            service: view.dhcp[0].name.clone(),
            server: "dhcp1".into(),
        },
    )];
    view.devices = ["range", "pool", "101", "if", "a-b", "with space", "option"]
        .iter()
        .zip(1..)
        .map(|(name, n)| {
            let mac = format!("9c:75:14:00:00:0{n}");
            device(name, &mac, Some(&format!("10.20.30.{n}")))
        })
        .collect();
    let mut search = network("search", "10.9.0.0/16");
    search.dhcp = Some(view.dhcp[0].name.clone());
    search.options = vec![option(119, text("a.example b.example"))];
    view.networks.push(search);
    assert_accepted(&view);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text(value in "[ -~\n\té]{1,60}") {
        let mut view = view();
        view.networks[0].phone_options = vec![option(66, text(&value)), option(200, text(&value))];
        assert_accepted(&view);
    }
}
