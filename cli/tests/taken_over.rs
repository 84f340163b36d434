//! Runs that end in the middle of a target, while its server is being restarted: killed, or stopped and taken over by
//! somebody else. What they wanted is in the state, so that nobody needs the topology to bring them to an end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::environment::{Output, TestEnvironment, files_below};
use crate::plan_and_apply::{GOOD, site};

pub(crate) type Files = Vec<(PathBuf, Vec<u8>)>;

const DNSMASQ: &str = "root \"dnsmasq.d\";";

/// A server that takes as long to restart as the file `block` is there, and tells that it began by another one.
const RESTART: &str =
    "if [ -e block ]; then : > begun; while [ -e block ]; do sleep 0.05; done; fi";

pub(crate) fn restarting(test: &TestEnvironment, topology: &str) -> String {
    let script = format!("cd {} && {RESTART}", test.work().display());
    let restart = format!("{DNSMASQ} command \"reload\" \"sh\" \"-c\" {script:?};");
    assert!(topology.contains(DNSMASQ));
    topology.replace(DNSMASQ, &restart)
}

/// The same with another address, another name on a display, and one device less.
pub(crate) fn changed(test: &TestEnvironment) -> String {
    restarting(test, GOOD)
        .replace("8h", "9h")
        .replace("\"Reception\"", "\"Front desk\"")
        .replace("9c:75:14:00:01:02", "9c:75:14:00:01:09")
}

pub(crate) fn configured(test: &TestEnvironment) -> Files {
    let folders = ["dnsmasq.d", "provisioning"].map(|name| test.work().join(name));
    let files = folders.iter().flat_map(|folder| files_below(folder));
    let mut files: Files = files
        .filter(|path| !path.display().to_string().contains("/.switchover-stage-"))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

pub(crate) fn assert_tidy(test: &TestEnvironment) {
    for path in files_below(&test.work()) {
        let path = path.display().to_string();
        assert!(
            !path.contains("/.switchover-stage-") && !path.contains("/runs/"),
            "{path}"
        );
    }
}

fn generations(test: &TestEnvironment) -> Vec<Value> {
    let listed = test.run(["generations", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    listed["generations"].as_array().unwrap().clone()
}

/// A site with one generation, and what is configured then.
pub(crate) fn applied() -> (TestEnvironment, Files) {
    let test = site();
    test.write("switchover.kdl", &restarting(&test, GOOD));
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let before = configured(&test);
    (test, before)
}

/// Starts a command, which is then in the middle of restarting a server.
pub(crate) fn in_the_middle(test: &TestEnvironment, arguments: &[&str]) -> Child {
    test.write("block", "");
    let mut command = test.command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    appears(&test.work().join("begun"));
    fs::remove_file(test.work().join("begun")).unwrap();
    child
}

fn appears(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        std::thread::yield_now();
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

pub(crate) fn kill(test: &TestEnvironment, mut child: Child) {
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    fs::remove_file(test.work().join("block")).unwrap();
}

/// What the changed topology makes of the site.
pub(crate) fn wanted() -> Files {
    let (test, _) = applied();
    test.write("switchover.kdl", &changed(&test));
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    configured(&test)
}

/// Paths of two tests are not the same.
pub(crate) fn bytes(files: &Files) -> Vec<(&std::ffi::OsStr, &[u8])> {
    files
        .iter()
        .map(|(path, bytes)| (path.file_name().unwrap(), bytes.as_slice()))
        .collect()
}

fn interrupted_apply() -> (TestEnvironment, Files) {
    let (test, before) = applied();
    test.write("switchover.kdl", &changed(&test));
    let child = in_the_middle(&test, &["apply", "--yes"]);
    kill(&test, child);
    assert_ne!(configured(&test), before, "something was done");
    (test, before)
}

#[test]
fn an_apply_is_taken_back_without_its_topology() {
    let (test, before) = interrupted_apply();
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), before);
    assert_eq!(generations(&test).len(), 1);
    assert_tidy(&test);
}

#[test]
fn an_apply_is_finished_without_its_topology() {
    let (test, before) = interrupted_apply();
    let kept = test.run(["gc", "--keep", "1"]);
    assert!([Some(0), Some(7)].contains(&kept.code), "{kept}");
    // Somebody has begun to write another one.
    test.write("switchover.kdl", &GOOD.replace("vlan 130", "vlan 5000"));
    let recovered = test.run(["recover", "--forward", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    let after = configured(&test);
    assert_ne!(after, before);
    assert_eq!(bytes(&after), bytes(&wanted()));
    assert_eq!(generations(&test).len(), 2);
    test.write("switchover.kdl", &changed(&test));
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    assert_tidy(&test);
}

/// A site with two generations whose way back to the first was killed in the middle.
fn interrupted_rollback() -> (TestEnvironment, Files, Files) {
    let (test, first) = applied();
    test.write("switchover.kdl", &changed(&test));
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let second = configured(&test);
    let child = in_the_middle(&test, &["rollback", "--yes"]);
    kill(&test, child);
    assert_ne!(configured(&test), second);
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    (test, first, second)
}

#[test]
fn a_rollback_is_finished_where_it_went() {
    let (test, first, _) = interrupted_rollback();
    let recovered = test.run(["recover", "--forward", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert!(recovered.stderr.contains("the rollback of "), "{recovered}");
    assert_eq!(configured(&test), first);
    let generations = generations(&test);
    assert_eq!(generations.len(), 3);
    assert_eq!(generations[2]["rollback_of"], 1, "{:#}", generations[2]);
    assert_tidy(&test);
}

#[test]
fn a_rollback_is_taken_back() {
    let (test, _, second) = interrupted_rollback();
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), second);
    assert_eq!(generations(&test).len(), 2);
    assert_tidy(&test);
}

/// Recovering is killed as often as somebody likes, and goes on where it was.
#[test]
fn a_recovery_is_killed_and_begun_again() {
    for direction in ["--back", "--forward"] {
        let (test, before) = interrupted_apply();
        for _ in 0..3 {
            let child = in_the_middle(&test, &["recover", direction, "--yes"]);
            kill(&test, child);
        }
        let recovered = test.run(["recover", direction, "--yes"]);
        assert_eq!(recovered.code, Some(0), "{recovered}");
        let after = configured(&test);
        match direction {
            "--back" => assert_eq!(after, before),
            _ => assert_eq!(bytes(&after), bytes(&wanted())),
        }
        assert_tidy(&test);
    }
}

#[test]
fn every_command_of_the_site_tells_of_it() {
    let (test, _) = interrupted_apply();
    for (arguments, code) in [
        (&["validate"][..], 0),
        (&["plan"], 0),
        (&["drift"], 5),
        (&["apply", "--yes"], 7),
        (&["rollback", "1", "--yes"], 7),
    ] {
        let told = test.run(arguments);
        assert_eq!(told.code, Some(code), "{arguments:?}: {told}");
        let said = "was interrupted and is not at its end";
        assert!(told.stderr.contains(said), "{arguments:?}: {told}");
        assert!(told.stderr.contains("switchover recover"), "{told}");
    }
}

/// What a process did that was stopped, once somebody else had what it was at.
fn goes_on(test: &TestEnvironment, child: Child) -> Output {
    signal(&child, Signal::CONT);
    test.shown(&child.wait_with_output().unwrap())
}

/// A process is silent for longer than its lease, and comes back when somebody else has its run. What it has in waiting
/// beside files of the same machine is its own as long as it lives; it does nothing with it any more.
#[test]
fn a_run_that_was_taken_over_does_nothing_more() {
    let (test, before) = applied();
    test.write("../home/.config/switchover/config.kdl", "lease \"1s\"\n");
    test.write("switchover.kdl", &changed(&test));
    let child = in_the_middle(&test, &["apply", "--yes"]);
    signal(&child, Signal::STOP);
    fs::remove_file(test.work().join("block")).unwrap();
    let left = configured(&test);
    let recovered = test.run(["recover", "--back", "--yes", "--lock-timeout", "1m"]);
    assert_eq!(recovered.code, Some(7), "{recovered}");
    let told = recovered.stderr.replace(['│', '\n'], " ");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let id = child.id();
    for part in [
        "effects::folder::in-use".to_owned(),
        format!("process {id}, which is stopped, still uses"),
        format!("`kill -CONT {id}` lets it go on"),
    ] {
        assert!(told.contains(&part), "`{part}` is not told:\n{recovered}");
    }

    let late = goes_on(&test, child);
    assert_eq!(late.code, Some(8), "{late}");
    assert!(late.stderr.contains("switchover::apply::fenced"), "{late}");
    assert_eq!(
        configured(&test),
        left,
        "nothing is done and nothing taken back"
    );
    assert_eq!(generations(&test).len(), 1);
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), before);
    assert_tidy(&test);
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
}

/// Whoever frees a site from a run shuts that run out at once, though its lease would have lasted.
#[test]
fn a_run_whose_lock_was_broken_does_nothing_more() {
    let (test, before) = applied();
    test.write("switchover.kdl", &changed(&test));
    let child = in_the_middle(&test, &["apply", "--yes"]);
    signal(&child, Signal::STOP);
    let left = configured(&test);
    assert_eq!(
        test.run(["lock", "break", "--reason", "it hangs"]).code,
        Some(0)
    );
    fs::remove_file(test.work().join("block")).unwrap();
    let late = goes_on(&test, child);
    assert_eq!(late.code, Some(8), "{late}");
    assert!(late.stderr.contains("has taken this run over"), "{late}");
    assert_eq!(
        configured(&test),
        left,
        "nothing is done and nothing taken back"
    );
    let refused = test.run(["apply", "--yes"]);
    assert_eq!(refused.code, Some(7), "{refused}");
    assert_eq!(test.run(["recover", "--back", "--yes"]).code, Some(0));
    assert_eq!(configured(&test), before);
    assert_tidy(&test);
}
