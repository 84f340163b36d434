//! The user's own configuration: for how long a lease is granted.

use std::process::Stdio;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::environment::TestEnvironment;
use crate::plan_and_apply::site;

fn configure(test: &TestEnvironment, text: &str) {
    test.write("../home/.config/switchover/config.kdl", text);
}

#[test]
fn a_lease_that_is_none_is_pointed_at() {
    let test = site();
    configure(&test, "ssh \"ssh\"\nlease \"30\"\n");
    assert_snapshot!(test.run(["apply", "--yes"]));
    for wrong in [
        "lease \"0s\"",
        "lease \"2h\"",
        "lease 30",
        "lease \"30s\" \"40s\"",
        "lease",
        "lease ttl=\"30s\"",
        "lease \"30s\"\nlease \"40s\"",
    ] {
        configure(&test, wrong);
        let refused = test.run(["apply", "--yes"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(
            refused
                .stderr
                .contains("switchover::configuration::content"),
            "{refused}"
        );
        // What takes no lease does not ask for it.
        assert_eq!(test.run(["plan"]).code, Some(0), "{wrong}");
    }
}

/// The time is what others see of a lease.
#[test]
fn a_lease_is_granted_for_so_long() {
    let test = site();
    configure(&test, "lease \"17m\"\n");
    let mut command = test.command(["apply", "--yes", "--confirm-within", "1h"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let holder = loop {
        let listed = test.run(["lock", "list", "--format", "json"]);
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        if listed["holder"].is_object() {
            break listed["holder"].clone();
        }
        assert!(std::time::Instant::now() < deadline);
    };
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let time = |name: &str| {
        holder[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    let granted = time("expires").duration_since(time("since"));
    assert_eq!(granted.as_mins(), 17, "{holder:#}");
}
