//! A pair that misbehaves while it is changed: one clear error, and both are as they were.

use std::net::Ipv4Addr;
use std::process::Stdio;

use switchover_lab::{Fault, Kamailio, Proxy, WebServer};

use super::{ADDRESSES, OTHER_PHONE, PHONE, Pair, RIGHT};
use crate::environment::Output;

const MAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);
/// What is changed: it goes to the running servers, the standby first.
const USER: &str = "user \"103\" name=\"Lab\" pbx=\"pbx1\" sip-password=(secret)\"env:SIP_103\"";

/// A pair with a telephone on both, and a proxy before JSON-RPC of the main PBX.
fn pair() -> (Pair, Proxy) {
    let pair = Pair::new();
    pair.apply();
    for number in [0, 1] {
        assert!(pair.registers(number, PHONE, "101", RIGHT));
    }
    let proxy = Proxy::start(&pair.lab, (MAIN, 5066), (MAIN, 5065)).unwrap();
    pair.edit("http://10.20.0.10:5065/", &proxy.url());
    pair.edit("// more users", USER);
    (pair, proxy)
}

/// One error about the main PBX with these parts.
#[track_caller]
fn assert_one_error(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    let flat = output.stderr.replace(['│', '\n'], " ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts.iter().chain(&["`sip1`"]) {
        assert!(flat.contains(part), "`{part}` is not told:\n{output}");
    }
    assert_eq!(flat.matches("switchover::apply::").count(), 1, "{output}");
    assert!(!output.everything().contains("secret10"), "{output}");
    assert!(!output.stderr.contains("panicked"), "{output}");
}

#[test]
fn json_rpc_that_fails_after_the_files_are_written_is_undone_on_both() {
    let (pair, proxy) = pair();
    let before = pair.files();
    let faults: [(Fault, &[&str]); 4] = [
        (Fault::Status(503), &["503"]),
        (Fault::Body("it works".to_owned()), &["is not JSON"]),
        (Fault::Close, &["POST http://10.20.0.10:5066/RPC"]),
        // The user is there already when the answer gets lost.
        (Fault::LoseAnswer, &["POST http://10.20.0.10:5066/RPC"]),
    ];
    for (fault, parts) in faults {
        proxy.fail_command_once("htable.sets", fault);
        let failed = pair.run(&["apply", "--yes"]);
        assert_one_error(&failed, 6, parts);
        assert!(failed.stderr.contains("rolled back"), "{failed}");
        assert_eq!(pair.files(), before);
        for number in [0, 1] {
            assert!(!pair.registers(number, OTHER_PHONE, "103", "secret103"));
        }
        assert_eq!(pair.contacts("101"), [1, 1], "no registration is lost");
    }
    pair.apply();
    for number in [0, 1] {
        assert!(pair.registers(number, OTHER_PHONE, "103", "secret103"));
    }
}

#[test]
fn a_main_pbx_that_dies_in_the_middle_of_an_apply_is_told_and_the_standby_is_undone() {
    let (mut pair, proxy) = pair();
    let before = pair.files();
    proxy.fail_command("htable.sets", Fault::Hang);
    let command = pair.environment.command(["apply", "--yes"]);
    let mut apply = pair.environment.moved(&pair.lab, &command);
    let mut running = apply
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The standby has the new user by now, and so has the main PBX's file.
    let asked = || {
        proxy
            .commands()
            .iter()
            .any(|command| command == "htable.sets")
    };
    while !asked() {
        assert!(running.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    assert_ne!(pair.files(), before);
    pair.servers[0].kill();
    drop(proxy);
    let failed = pair.environment.shown(&running.wait_with_output().unwrap());
    assert_one_error(&failed, 7, &["could not be rolled back"]);
    assert_eq!(pair.files(), before);
    assert!(!pair.registers(1, OTHER_PHONE, "103", "secret103"));
    assert_eq!(pair.servers[1].contacts("101").unwrap().len(), 1);

    // It comes back with its old file, what was begun is taken back, and the same apply goes through.
    let folder = pair.servers[0].folder().to_owned();
    pair.servers[0] = Kamailio::start(&pair.lab, &folder).unwrap();
    assert!(!pair.registers(0, OTHER_PHONE, "103", "secret103"));
    let _proxy = Proxy::start(&pair.lab, (MAIN, 5066), (MAIN, 5065)).unwrap();
    let recovered = pair.run(&["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(pair.files(), before);
    pair.apply();
    for number in [0, 1] {
        assert!(pair.registers(number, OTHER_PHONE, "103", "secret103"));
    }
}

#[test]
fn a_restart_that_fails_though_the_check_was_passed_is_undone_on_both() {
    let pair = Pair::new();
    pair.apply();
    let before = pair.files();
    // Something else listens where the main PBX is to listen, which `kamailio -c` does not try.
    let folder = pair.lab.folder("web").unwrap();
    let _taken = WebServer::start(&pair.lab, MAIN, 5070, &folder).unwrap();
    pair.edit(
        "user=\"102\" year=2017 {",
        "user=\"102\" year=2017 port=5070 {",
    );
    let failed = pair.run(&["apply", "--yes"]);
    assert_one_error(
        &failed,
        6,
        &["restart Kamailio with the new switchover.cfg"],
    );
    assert_eq!(pair.files(), before);
    for (number, address) in ADDRESSES.iter().enumerate() {
        let address = address.parse().unwrap();
        assert!(pair.lab.listens(address, 443), "{}", pair.logs());
        assert!(pair.registers(number, PHONE, "101", RIGHT));
    }
    assert!(!pair.lab.listens(Ipv4Addr::new(10, 20, 1, 10), 5070));
}
