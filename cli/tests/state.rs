//! Generations, going back to one of them, and who may change a site.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::environment::{TestEnvironment, assert_no_secret, files_below};
use crate::interactive::Person;
use crate::plan_and_apply::{GOOD, site};

/// Files with what is in them.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// What is configured: everything below the two targets' folders.
fn configured(test: &TestEnvironment) -> Files {
    let folders = ["dnsmasq.d", "provisioning"];
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| files_below(&test.work().join(folder)))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn changed() -> String {
    GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09")
}

/// A site with two generations, and what was configured by each.
fn two_generations() -> (TestEnvironment, Files, Files) {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let first = configured(&test);
    test.write("switchover.kdl", &changed());
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let second = configured(&test);
    assert_ne!(first, second);
    (test, first, second)
}

/// The bytes on the servers are those of the generation, and no topology is needed for that.
#[test]
fn a_rollback_brings_back_what_was_there() {
    let (test, first, second) = two_generations();
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    let back = test.run(["rollback", "--yes"]);
    assert_eq!(back.code, Some(0), "{back}");
    assert!(
        back.stdout.starts_with("applied as generation 3: "),
        "{back}"
    );
    assert_eq!(configured(&test), first);
    assert_eq!(test.run(["rollback", "1", "--yes"]).stdout, "no changes\n");
    let forth = test.run(["rollback", "2", "--yes"]);
    assert_eq!(forth.code, Some(0), "{forth}");
    assert_eq!(configured(&test), second);

    test.write("switchover.kdl", &changed());
    let plan = test.run(["plan"]);
    assert_eq!(plan.stdout, "no changes\n", "{plan}");
    let listed = test.run(["generations"]);
    assert!(
        listed
            .stdout
            .lines()
            .nth(3)
            .unwrap()
            .ends_with("rollback to 1"),
        "{listed}"
    );
    assert_no_secret(
        &["s3cr3t-of-reception"],
        &[&listed.stdout],
        &test.work().join(".switchover"),
    );
}

/// A topology that was rolled back is still there: applying it would do again what was undone.
#[test]
fn a_plan_after_a_rollback_says_what_it_would_do_again() {
    const SAID: &str = "this topology was rolled back to generation 1";
    let (test, _, _) = two_generations();
    assert!(!test.run(["plan"]).stdout.contains(SAID));
    assert_eq!(test.run(["rollback", "--yes"]).code, Some(0));
    let plan = test.run(["plan"]);
    assert!(plan.stdout.contains(SAID), "{plan}");
    let json = test.run(["plan", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["rolled_back_to"], 1, "{json:#}");
    crate::schemas::assert_fits(&crate::schemas::schema("plan.schema.json"), &json);
    // Another topology is another matter.
    test.write("switchover.kdl", &changed().replace("8h", "10h"));
    let plan = test.run(["plan"]);
    assert!(!plan.stdout.contains(SAID), "{plan}");
}

/// Where somebody changed something by hand, going back to the present generation mends it.
#[test]
fn a_rollback_to_the_last_generation_mends_drift() {
    let (test, _, second) = two_generations();
    let (path, _) = second
        .iter()
        .find(|(path, _)| path.ends_with("9c7514000101.cfg"))
        .unwrap_or(&second[0]);
    fs::write(path, "by hand\n").unwrap();
    let back = test.run(["rollback", "2", "--yes"]);
    assert_eq!(back.code, Some(0), "{back}");
    assert_eq!(configured(&test), second);
}

#[test]
fn what_cannot_be_brought_back_is_said() {
    let test = site();
    let none = test.run(["rollback", "--yes"]);
    assert_eq!(none.code, Some(1), "{none}");
    assert!(
        none.stderr.contains("switchover::rollback::no_earlier"),
        "{none}"
    );
    assert_eq!(test.run(["rollback"]).code, Some(2));
    let (test, _, second) = two_generations();
    let blobs = test.work().join(".switchover/blobs");
    for blob in files_below(&blobs) {
        let mut bytes = fs::read(&blob).unwrap();
        bytes[10] ^= 1;
        fs::write(&blob, bytes).unwrap();
    }
    let damaged = test.run(["rollback", "--yes"]);
    assert_eq!(damaged.code, Some(1), "{damaged}");
    assert!(
        damaged.stderr.contains("switchover::state::blob"),
        "{damaged}"
    );
    assert!(damaged.stderr.contains("generation 1"), "{damaged}");
    assert_eq!(configured(&test), second);
}

/// Of many at once, one applies; the others leave cleanly, and nothing is left of any of them.
#[test]
fn of_twenty_that_apply_at_once_one_does() {
    let test = site();
    let start = || {
        let mut command = test.command(["apply", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let runs: Vec<Child> = (0..20).map(|_| start()).collect();
    let mut applied = 0;
    for run in runs {
        let output = test.shown(&run.wait_with_output().unwrap());
        match output.code {
            Some(0) if output.stdout.starts_with("applied as generation 1: ") => applied += 1,
            // It came after the one that did: there was nothing left to do.
            Some(0) => assert_eq!(output.stdout, "no changes\n", "{output}"),
            Some(8) => assert!(output.stderr.contains("switchover::"), "{output}"),
            // Its plan was made before the one that did was done.
            Some(9) => assert!(
                output.stderr.contains("something was applied since"),
                "{output}"
            ),
            _ => panic!("{output}"),
        }
    }
    assert_eq!(applied, 1);
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    let listed = test.run(["generations"]);
    assert!(listed.stdout.contains("\n1 generation, "), "{listed}");
    let lock = test.run(["lock", "list"]);
    assert_eq!(lock.stdout, "nobody is changing the site\n", "{lock}");
}

/// A run that waits to be confirmed, which holds the site for as long as a test likes.
fn holding(test: &TestEnvironment) -> (Person, Child) {
    let (mut person, child) = Person::start(test, &["apply", "--yes", "--confirm-within", "1h"]);
    person.sees("switchover confirm");
    (person, child)
}

#[test]
fn a_held_site_is_refused_and_one_whose_holder_was_killed_is_not() {
    let test = site();
    let (_person, mut child) = holding(&test);
    for arguments in [
        &["apply", "--yes"][..],
        &["apply", "--yes", "--lock-timeout", "1s"],
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(8), "{refused}");
    }
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let listed = test.run(["lock", "list"]);
    assert!(listed.stdout.contains("whose process is gone"), "{listed}");
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert!(configured(&test).is_empty());
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
}

#[test]
fn a_lock_is_broken_with_a_reason() {
    let test = site();
    let nobody = test.run(["lock", "break"]);
    assert_eq!(nobody.stdout, "nobody was changing the site\n", "{nobody}");
    let (_person, mut child) = holding(&test);
    let broken = test.run(["lock", "break", "--reason", "it hangs"]);
    assert_eq!(broken.code, Some(0), "{broken}");
    assert!(broken.stdout.starts_with("freed from "), "{broken}");
    let listed = test.run(["lock", "list"]);
    assert!(listed.stdout.contains("it hangs"), "{listed}");
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
}
