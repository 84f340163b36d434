//! Which generations stay, and what removes the others.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::environment::TestEnvironment;
use crate::plan_and_apply::{GOOD, site};
use crate::schemas::{assert_fits, schema};

/// The usual topology with a line more in its site, and a telephone that is another one each time.
fn topology(line: &str, time: usize) -> String {
    let first = "site \"acme-hq\" mode=\"hot-standby\" {";
    assert!(GOOD.contains(first));
    GOOD.replace(first, &format!("{first}\n    {line}"))
        .replace(
            "9c:75:14:00:01:02",
            &format!("9c:75:14:00:01:{:02x}", 16 + time),
        )
}

fn applied(test: &TestEnvironment, line: &str, times: usize) {
    for time in 0..times {
        test.write("switchover.kdl", &topology(line, time));
        let applied = test.run(["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}");
    }
}

fn numbers(test: &TestEnvironment) -> Vec<u64> {
    let listed = test.run(["generations", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let generations = listed["generations"].as_array().unwrap().iter();
    generations
        .map(|generation| generation["number"].as_u64().unwrap())
        .collect()
}

#[test]
fn options_say_what_stays() {
    let test = site();
    applied(&test, "", 4);
    let would = test.run(["gc", "--keep", "2", "--dry-run"]);
    assert!(
        would.stdout.starts_with("2 generations (1–2) and "),
        "{would}"
    );
    assert!(
        would
            .stdout
            .ends_with(" would be removed, 2 generations kept\n"),
        "{would}"
    );
    let would = test.run(["gc", "--keep", "2", "--dry-run", "--format", "json"]);
    let would: Value = serde_json::from_str(&would.stdout).unwrap();
    assert_fits(&schema("gc.schema.json"), &would);
    assert_eq!(
        (&would["generations"], &would["kept"]),
        (&json!([1, 2]), &json!(2))
    );
    let young = test.run(["gc", "--keep", "1", "--keep-younger-than", "1d"]);
    assert_eq!(
        young.stdout, "nothing to remove, 4 generations kept\n",
        "{young}"
    );
    let removed = test.run(["gc", "--keep", "2"]);
    assert_eq!(removed.code, Some(0), "{removed}");
    assert_eq!(numbers(&test), [3, 4]);
    // What is left can be used.
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    assert_eq!(test.run(["generations", "diff", "3", "4"]).code, Some(0));
    assert_eq!(test.run(["rollback", "--yes"]).code, Some(0));
    for keep in ["0", "-1", "many"] {
        assert_eq!(test.run(["gc", "--keep", keep]).code, Some(2), "{keep}");
    }
}

#[test]
fn every_apply_keeps_to_what_the_site_says() {
    let test = site();
    applied(&test, "retention generations=2", 4);
    assert_eq!(numbers(&test), [3, 4]);
    // `gc` without options does the same, and options go before.
    let none = test.run(["gc"]);
    assert_eq!(
        none.stdout, "nothing to remove, 2 generations kept\n",
        "{none}"
    );
    assert_eq!(test.run(["gc", "--keep", "1"]).code, Some(0));
    assert_eq!(numbers(&test), [4]);

    let test = site();
    applied(&test, "retention generations=1 younger-than=\"30d\"", 3);
    assert_eq!(numbers(&test), [1, 2, 3]);
}

/// Going back must not remove anything: who does that may want to go elsewhere next.
#[test]
fn a_rollback_removes_nothing() {
    let test = site();
    applied(&test, "retention generations=2", 2);
    assert_eq!(test.run(["rollback", "--yes"]).code, Some(0));
    assert_eq!(numbers(&test), [1, 2, 3]);
}

#[test]
fn a_topology_with_errors_says_nothing_of_what_stays() {
    let test = site();
    applied(&test, "retention generations=9", 3);
    let wrong = topology("retention generations=0", 2);
    test.write("switchover.kdl", &wrong);
    let refused = test.run(["gc", "--keep", "1"]);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.stderr.contains("generations"), "{refused}");
    test.write("switchover.kdl", &topology("retention generations=9", 2));
    assert_eq!(numbers(&test), [1, 2, 3]);
}

/// While somebody changes the site, and until an interrupted run is at its end, everything stays.
#[test]
fn nothing_is_removed_that_a_run_may_need() {
    let test = site();
    applied(&test, "", 3);
    test.write("switchover.kdl", &topology("", 7));
    let mut command = test.command(["apply", "--yes", "--confirm-within", "1h"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !test.run(["lock", "list"]).stdout.contains("`apply` since") {
        assert!(std::time::Instant::now() < deadline);
    }
    let held = test.run(["gc", "--keep", "1"]);
    assert_eq!(held.code, Some(8), "{held}");
    let lock = test.run(["lock", "list", "--format", "json"]);
    let lock: Value = serde_json::from_str(&lock.stdout).unwrap();
    assert_fits(&schema("lock.schema.json"), &lock);
    assert!(lock["holder"].is_object(), "{lock:#}");
    // Until it has a journal, a killed run leaves nothing that could be needed.
    let runs = test.work().join(".switchover/runs");
    while !runs.is_dir() || fs::read_dir(&runs).unwrap().next().is_none() {
        assert!(std::time::Instant::now() < deadline);
    }
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let refused = test.run(["gc", "--keep", "1"]);
    assert_eq!(refused.code, Some(7), "{refused}");
    assert!(
        refused.stderr.contains("switchover::gc::unfinished"),
        "{refused}"
    );
    assert_eq!(numbers(&test), [1, 2, 3]);
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(test.run(["gc", "--keep", "1"]).code, Some(0));
    assert_eq!(numbers(&test), [3]);
}

#[test]
fn locks_in_every_format() {
    let test = site();
    let schema = schema("lock.schema.json");
    let free = test.run(["lock", "list", "--format", "json"]);
    let free: Value = serde_json::from_str(&free.stdout).unwrap();
    assert_fits(&schema, &free);
    assert!(!schema.is_valid(&json!({ "format_version": "1.0", "holder": {}, "broken": null })));
    let markdown = test.run(["lock", "list", "--format", "markdown"]);
    assert_eq!(
        markdown.stdout, "### Lock\n\n- nobody is changing the site\n",
        "{markdown}"
    );
}
