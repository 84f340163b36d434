//! Runs that are interrupted, and runs that wait to be confirmed. That they can be killed at any moment is shown in
//! `conformance/faults/`; here they are killed where a person looks on: everything is done and not yet confirmed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::environment::{TestEnvironment, files_below};
use crate::interactive::Person;
use crate::plan_and_apply::site;

/// Texts by their paths.
type Files = BTreeMap<PathBuf, String>;

const WAITS: &str = "switchover confirm";

/// All files of the targets, without what waits beside them.
fn configured(test: &TestEnvironment) -> Files {
    let folders = ["dnsmasq.d", "provisioning"].map(|name| test.work().join(name));
    let files = folders.iter().flat_map(|folder| files_below(folder));
    files
        .filter(|path| !path.display().to_string().contains("/.switchover-stage-"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Nothing waits any more.
fn assert_tidy(test: &TestEnvironment) {
    for path in files_below(&test.work()) {
        let path = path.display().to_string();
        assert!(
            !path.contains("/.switchover-stage-") && !path.contains("/runs/"),
            "{path}"
        );
    }
}

fn waiting(test: &TestEnvironment, within: &str) -> (Person, Child) {
    let (mut person, child) = Person::start(test, &["apply", "--yes", "--confirm-within", within]);
    person.sees(WAITS);
    (person, child)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// A site with a generation, and a run after it that was killed when everything was done.
fn interrupted() -> (TestEnvironment, Files, Files) {
    let test = site();
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let before = configured(&test);
    let text = fs::read_to_string(test.work().join("switchover.kdl")).unwrap();
    test.write(
        "switchover.kdl",
        &text
            .replace("8h", "9h")
            .replace("\"Reception\"", "\"Front desk\""),
    );
    let (_person, mut child) = waiting(&test, "1h");
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let after = configured(&test);
    assert_ne!(before, after);
    (test, before, after)
}

#[test]
fn what_is_confirmed_stays() {
    let test = site();
    let (_person, child) = waiting(&test, "1h");
    let busy = test.run(["apply", "--yes"]);
    assert_eq!(busy.code, Some(8), "{busy}");
    assert!(busy.stderr.contains(WAITS), "{busy}");
    assert_eq!(test.run(["recover", "--back", "--yes"]).code, Some(8));
    let confirmed = test.run(["confirm"]);
    assert_eq!(confirmed.code, Some(0), "{confirmed}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    let again = test.run(["confirm"]);
    assert_eq!(again.code, Some(1), "{again}");
    assert!(again.stderr.contains("no run waits"), "{again}");
}

#[test]
fn what_nobody_confirms_is_taken_back() {
    let test = site();
    let taken_back = test.run(["apply", "--yes", "--confirm-within", "1s"]);
    assert_eq!(taken_back.code, Some(6), "{taken_back}");
    assert!(
        taken_back.stderr.contains("nobody confirmed it"),
        "{taken_back}"
    );
    assert!(configured(&test).is_empty());
    for arguments in [&["recover", "--back", "--yes"][..], &["recover"]] {
        // Nobody is asked where there is nothing to decide.
        let nothing = test.run(arguments);
        assert_eq!(
            (nothing.code, nothing.stdout.as_str()),
            (Some(0), "nothing to recover\n"),
            "{nothing}"
        );
    }
    // Nobody said no to it: it may be tried again as it is.
    let audit = test.run(["audit"]).stdout;
    assert!(audit.contains("not-confirmed (record 1)"), "{audit}");
    assert!(audit.contains("site `acme-hq`"), "{audit}");
    let again = test.run(["apply", "--yes"]);
    assert_eq!(again.code, Some(0), "{again}");
}

#[test]
fn a_lost_terminal_does_not_end_the_wait() {
    let test = site();
    let (person, child) = Person::start_alone(&test, &["apply", "--yes", "--confirm-within", "1h"]);
    let mut person = person;
    person.sees(WAITS);
    // The terminal goes away with our side of it, and the signal comes that the system sends then.
    drop(person);
    signal(&child, Signal::HUP);
    let plan = test.run(["plan"]);
    assert!(plan.stderr.contains("is at work on this site"), "{plan}");
    let confirmed = test.run(["confirm"]);
    assert_eq!(confirmed.code, Some(0), "{confirmed}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
}

#[test]
fn an_interrupted_run_is_told_of_and_nothing_is_applied_on_top() {
    let (test, _, after) = interrupted();
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let told = test.run(arguments);
        assert!(
            told.stderr
                .contains("was interrupted and is not at its end"),
            "{told}"
        );
        assert!(told.stderr.contains("switchover recover"), "{told}");
    }
    assert_eq!(test.run(["apply", "--yes"]).code, Some(7));
    let undecided = test.run(["recover"]);
    assert_eq!(undecided.code, Some(2), "{undecided}");
    assert_eq!(configured(&test), after);
}

#[test]
fn it_is_taken_back() {
    let (test, before, _) = interrupted();
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert!(
        recovered.stderr.contains("while it waited to be confirmed"),
        "{recovered}"
    );
    assert_eq!(configured(&test), before);
    assert_eq!(
        test.run(["recover", "--back", "--yes"]).stdout,
        "nothing to recover\n"
    );
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    assert_tidy(&test);
}

#[test]
fn it_is_finished() {
    let (test, _, after) = interrupted();
    let recovered = test.run(["recover", "--forward", "--yes", "--format", "json"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    let told: serde_json::Value = serde_json::from_str(&recovered.stdout).unwrap();
    assert_eq!(told["outcome"], "forward");
    assert_eq!(told["generation"], 2);
    // Both were read back already.
    for course in told["courses"].as_array().unwrap() {
        assert_eq!(course["course"], "kept", "{told:#}");
    }
    assert_eq!(told["courses"].as_array().unwrap().len(), 2, "{told:#}");
    assert_eq!(configured(&test), after);
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    assert_tidy(&test);
}

#[test]
fn it_is_left() {
    let (test, _, after) = interrupted();
    let recovered = test.run(["recover", "--leave", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), after);
    assert_eq!(
        test.run(["recover", "--back", "--yes"]).stdout,
        "nothing to recover\n"
    );
    assert_tidy(&test);
}

#[test]
fn a_file_that_somebody_changed_since_is_left_and_named() {
    let (test, before, _) = interrupted();
    let (path, bytes) = before.first_key_value().unwrap();
    fs::write(path, "by hand\n").unwrap();
    let stuck = test.run(["recover", "--back", "--yes"]);
    assert_eq!(stuck.code, Some(7), "{stuck}");
    assert!(stuck.stderr.contains("effects::folder::stuck"), "{stuck}");
    assert_eq!(fs::read_to_string(path).unwrap(), "by hand\n");
    assert_eq!(test.run(["apply", "--yes"]).code, Some(7));

    fs::write(path, bytes).unwrap();
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), before);
}

/// The run's own topology says how its targets are reached, whatever became of the file since.
#[test]
fn another_topology_changes_nothing_about_the_run() {
    let (test, before, _) = interrupted();
    let path = test.work().join("switchover.kdl");
    let text = fs::read_to_string(&path).unwrap();
    let elsewhere = text
        .replace("9h", "7h")
        .replace("provisioning\"\n}", "nowhere\"\n}");
    assert_ne!(text, elsewhere);
    fs::write(&path, elsewhere).unwrap();
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(configured(&test), before);
    assert!(!test.work().join("nowhere").exists());
}

#[test]
fn a_person_decides() {
    let (test, before, _) = interrupted();
    for (typed, code) in [("what\n", 1), ("back\n", 0)] {
        let (mut person, child) = Person::start(&test, &["recover"]);
        person.sees("or `leave` everything as it is? ");
        person.types(typed);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
    }
    assert_eq!(configured(&test), before);
}
