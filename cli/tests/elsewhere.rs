//! Where the state is can be said on the command line: then no topology is needed, and what one says does not count.

use std::fs;
use std::path::PathBuf;

use crate::environment::{Output, TestEnvironment, files_below};
use crate::interactive::Person;
use crate::plan_and_apply::{GOOD, site};

const STATE: &str = "states/acme";

fn topology(mac: &str) -> String {
    let description = "    description \"Acme headquarters, Udine\"\n";
    let state = format!("{description}    state {STATE:?}\n");
    GOOD.replace(description, &state)
        .replace("9c:75:14:00:01:02", mac)
}

fn configured(test: &TestEnvironment) -> Vec<(PathBuf, Vec<u8>)> {
    let folders = ["dnsmasq.d", "provisioning"];
    let files = folders
        .iter()
        .flat_map(|folder| files_below(&test.work().join(folder)));
    let staged = |path: &PathBuf| path.display().to_string().contains("/.switchover-stage-");
    files
        .filter(|path| !staged(path))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

/// Two generations in a state that only the topology knew of, and no topology any more.
fn lost() -> TestEnvironment {
    let test = site();
    for mac in ["9c:75:14:00:01:02", "9c:75:14:00:01:09"] {
        test.write("switchover.kdl", &topology(mac));
        let applied = test.run(["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}");
    }
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    test
}

fn succeeds(test: &TestEnvironment, arguments: &[&str]) -> Output {
    let output = test.run(arguments);
    assert_eq!(output.code, Some(0), "{arguments:?}: {output}");
    output
}

#[test]
fn every_command_that_asks_the_state_finds_it() {
    let test = lost();
    for arguments in [
        &["generations"][..],
        &["generations", "list"],
        &["generations", "check"],
        &["generations", "show", "1"],
        &["generations", "diff", "1"],
        &["audit", "--verify"],
        &["lock", "list"],
        &["lock", "break"],
        &["gc", "--keep", "5"],
        &["rollback", "--dry-run"],
        &["recover", "--back", "--yes"],
    ] {
        let without = test.run(arguments);
        assert_eq!(without.code, Some(1), "{arguments:?}: {without}");
        assert!(
            without.stderr.contains("--state"),
            "{arguments:?}: {without}"
        );
        succeeds(&test, &[arguments, &["--state", STATE]].concat());
    }
    let back = succeeds(&test, &["rollback", "--yes", "--state", STATE]);
    assert!(
        back.stdout.starts_with("applied as generation 3: "),
        "{back}"
    );
    let whole = test.work().join(STATE).display().to_string();
    let listed = succeeds(&test, &["generations", "--state", &whole]);
    assert!(listed.stdout.contains("\n3 generations, "), "{listed}");
    assert!(!test.work().join(".switchover").exists());
}

#[test]
fn a_run_is_recovered_without_its_topology() {
    let test = lost();
    let before = configured(&test);
    test.write("switchover.kdl", &topology("9c:75:14:00:01:0a"));
    let (mut person, mut child) =
        Person::start(&test, &["apply", "--yes", "--confirm-within", "1h"]);
    person.sees("switchover confirm");
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    assert_ne!(configured(&test), before);
    let recovered = succeeds(&test, &["recover", "--back", "--yes", "--state", STATE]);
    assert!(recovered.stdout.starts_with("taken back"), "{recovered}");
    assert_eq!(configured(&test), before);
    let again = succeeds(&test, &["recover", "--back", "--yes", "--state", STATE]);
    assert_eq!(again.stdout, "nothing to recover\n");
}

/// A name that is wrong by a letter must not pass for a site of which nothing is kept.
#[test]
fn a_place_without_a_state_is_refused() {
    let test = lost();
    let wrong = test.run(["recover", "--back", "--yes", "--state", "states/acne"]);
    assert_eq!(wrong.code, Some(1), "{wrong}");
    assert!(
        wrong.stderr.contains("switchover::state::not_there"),
        "{wrong}"
    );
    assert!(!test.work().join("states/acne").exists());

    // Whoever names the folder of the site is told where its state is.
    test.write("switchover.kdl", GOOD);
    succeeds(&test, &["apply", "--yes"]);
    let beside = test.run(["generations", "--state", "."]);
    assert_eq!(beside.code, Some(1), "{beside}");
    assert!(beside.stderr.contains("`./.switchover` meant?"), "{beside}");

    let nowhere = test.run(["generations", "gone/switchover.kdl", "--state", STATE]);
    assert_eq!(nowhere.code, Some(1), "{nowhere}");
    assert!(
        nowhere.stderr.contains("switchover::state::no_root"),
        "{nowhere}"
    );
    let ftp = test.run(["generations", "--state", "ftp://example.com/acme"]);
    assert_eq!(ftp.code, Some(1), "{ftp}");
}

/// What a topology that was recorded says of the state may be what was so once: everything goes to where the state is now.
#[test]
fn a_state_that_was_moved_stays_where_it_is() {
    let test = lost();
    fs::rename(test.work().join("states"), test.work().join("moved")).unwrap();
    let moved = topology("9c:75:14:00:01:09").replace(STATE, "moved/acme");
    test.write("switchover.kdl", &moved);
    let back = succeeds(&test, &["rollback", "--yes"]);
    assert!(
        back.stdout.starts_with("applied as generation 3: "),
        "{back}"
    );
    assert!(!test.work().join("states").exists());
}

/// Without a topology nobody knows what is to stay.
#[test]
fn nothing_is_removed_that_a_topology_may_keep() {
    let test = lost();
    let refused = test.run(["gc", "--state", STATE]);
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains("gc::no_retention"), "{refused}");
    let removed = succeeds(&test, &["gc", "--state", STATE, "--keep", "1"]);
    assert!(
        removed.stdout.starts_with("1 generation (1) and "),
        "{removed}"
    );
}

/// One way to name the topology works with every command that asks the state.
#[test]
fn the_topology_is_named_in_one_way() {
    let test = site();
    fs::rename(
        test.work().join("switchover.kdl"),
        test.work().join("hq.kdl"),
    )
    .unwrap();
    succeeds(&test, &["apply", "hq.kdl", "--yes"]);
    for arguments in [
        &["generations"][..],
        &["generations", "list"],
        &["generations", "check"],
        &["audit"],
        &["lock", "list"],
        &["lock", "break"],
        &["gc"],
        &["recover", "--back", "--yes"],
    ] {
        succeeds(&test, &[arguments, &["--topology", "hq.kdl"]].concat());
        succeeds(&test, &[arguments, &["hq.kdl"]].concat());
    }
    succeeds(&test, &["generations", "show", "1", "--topology", "hq.kdl"]);
    for arguments in [
        &["generations", "show", "hq.kdl"][..],
        &["generations", "diff", "hq.kdl"],
        &["rollback", "hq.kdl"],
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(
            refused.stderr.contains("named with `--topology`"),
            "{refused}"
        );
    }
    let none = test.run(["rollback", "0"]);
    assert_eq!(none.code, Some(2), "{none}");
}

/// A word that is neither a file nor a command is no lost topology, and a state of others is not that of a lost one.
#[test]
fn what_is_beside_a_lost_topology_has_to_be_its_state() {
    let test = site();
    succeeds(&test, &["apply", "--yes"]);
    let typo = test.run(["generations", "lsit"]);
    assert_eq!(typo.code, Some(1), "{typo}");
    assert!(
        typo.stderr.contains("there is no topology `lsit`"),
        "{typo}"
    );
    let lost = succeeds(&test, &["generations", "lost.kdl"]);
    assert!(lost.stderr.contains("beside it"), "{lost}");

    let work = test.work();
    fs::create_dir(work.join("others")).unwrap();
    fs::rename(work.join(".switchover"), work.join("others/site")).unwrap();
    fs::rename(work.join("others"), work.join(".switchover")).unwrap();
    let others = test.run(["generations", "lost.kdl"]);
    assert_eq!(others.code, Some(1), "{others}");
    assert!(others.stderr.contains("--state"), "{others}");
}
