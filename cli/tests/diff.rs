//! `diff REV..REV`: what two revisions want, without asking anybody.

use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;

use crate::checkers::succeeded;
use crate::environment::TestEnvironment;
use crate::plan_and_apply::GOOD;

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args([
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.com",
        "-c",
        "init.defaultBranch=main",
    ])
    .args(arguments)
    .current_dir(folder)
    .env("GIT_CONFIG_GLOBAL", "/dev/null")
    .env("GIT_CONFIG_SYSTEM", "/dev/null");
    succeeded(&mut git);
}

fn commit(test: &TestEnvironment, message: &str) {
    git(&test.work(), &["add", "--all"]);
    git(&test.work(), &["commit", "--quiet", "--message", message]);
}

/// A repository with a site in a folder of it, in two revisions: `first`, and `main`. No secret is there, and no folder
/// of a target.
fn repository() -> TestEnvironment {
    let test = TestEnvironment::new();
    git(&test.work(), &["init", "--quiet"]);
    test.write("sites/base.kdl", GOOD);
    test.write("sites/hq.kdl", "extends \"base.kdl\"\n");
    commit(&test, "first");
    git(&test.work(), &["tag", "first"]);
    test.write(
        "sites/base.kdl",
        &GOOD.replace("name=\"Sales\"", "name=\"Buying\""),
    );
    commit(&test, "second");
    test
}

const HQ: &str = "sites/hq.kdl";

fn json(test: &TestEnvironment, revisions: &str) -> Value {
    let output = test.run(["diff", revisions, HQ, "--format", "json"]);
    assert_eq!(output.code, Some(0), "{output}");
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn two_revisions_in_every_format() {
    let test = repository();
    let human = test.run(["diff", "first..main", HQ]);
    assert_eq!(human.code, Some(0), "{human}");
    assert!(human.stdout.contains("9c7514000102.cfg"), "{human}");
    assert!(
        human
            .stdout
            .ends_with("0 to add, 1 to change, 0 to remove\n"),
        "{human}"
    );
    let markdown = test.run(["diff", "first..main", HQ, "--format", "markdown"]);
    assert!(
        markdown
            .stdout
            .starts_with("### acme-hq: first to main: 0 to add, 1 to change, 0 to remove\n"),
        "{markdown}"
    );
    let document = json(&test, "first..main");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/diff.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let schema: Validator = jsonschema::options().build(&schema).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(document["summary"]["update"], 1, "{document:#}");

    let pending = test.run(["diff", "first..main", HQ, "--detailed-exitcode"]);
    assert_eq!(pending.code, Some(4), "{pending}");
    let same = test.run(["diff", "main..main", HQ, "--detailed-exitcode"]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (Some(0), "no changes\n"),
        "{same}"
    );
    // The repository is as it was.
    let status = Command::new("git")
        .args(["status", "--porcelain"])
        .current_dir(test.work())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), "");
}

#[test]
fn the_files_as_they_are_are_a_side() {
    let test = repository();
    test.write("sites/base.kdl", GOOD);
    for revisions in ["main", "main.."] {
        assert_eq!(json(&test, revisions)["later"], Value::Null);
        assert_eq!(json(&test, revisions)["summary"]["update"], 1);
    }
    assert_eq!(json(&test, "first")["summary"]["update"], 0);
}

#[test]
fn a_branch_is_held_against_where_it_parted() {
    let test = repository();
    git(
        &test.work(),
        &["checkout", "--quiet", "-b", "branch", "first"],
    );
    test.write(
        "sites/base.kdl",
        &GOOD.replace("lease \"8h\"", "lease \"4h\""),
    );
    commit(&test, "branch");
    let two = json(&test, "main..branch")["summary"]["update"]
        .as_u64()
        .unwrap();
    let three = json(&test, "main...branch")["summary"]["update"]
        .as_u64()
        .unwrap();
    assert_eq!(two, three + 1, "what main did is not the branch's");
}

#[test]
fn a_site_that_is_new_is_new_as_a_whole() {
    let test = repository();
    test.write("sites/second.kdl", GOOD);
    commit(&test, "another site");
    let added = test.run(["diff", "first..main", "sites/second.kdl"]);
    assert_eq!(added.code, Some(0), "{added}");
    assert!(
        added
            .stdout
            .ends_with(" to add, 0 to change, 0 to remove\n"),
        "{added}"
    );
    assert!(
        added.stderr.contains("there is no such topology in first"),
        "{added}"
    );
}

#[test]
fn what_cannot_be_compared_is_told() {
    let test = repository();
    for (arguments, exit, told) in [
        (
            ["diff", "nothing..main", HQ],
            1,
            "effects::git::no_revision",
        ),
        (["diff", "--output=x..main", HQ], 2, "unexpected argument"),
        (
            ["diff", "first..main", "sites/none.kdl"],
            1,
            "switchover::diff::no_topology",
        ),
        (
            ["diff", "first..main", "none/hq.kdl"],
            1,
            "switchover::diff::topology",
        ),
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(exit), "{refused}");
        assert!(refused.stderr.contains(told), "{told}: {refused}");
    }
    test.write("sites/base.kdl", &GOOD.replace("vlan 130", "vlan 5000"));
    commit(&test, "a mistake");
    let wrong = test.run(["diff", "first..main", HQ]);
    assert_eq!(
        (wrong.code, wrong.stdout.as_str()),
        (Some(3), ""),
        "{wrong}"
    );
    assert!(
        wrong.stderr.contains("SW003") && wrong.stderr.contains("the topology has errors in main"),
        "{wrong}"
    );
    let nowhere = TestEnvironment::new();
    nowhere.write("switchover.kdl", GOOD);
    let refused = nowhere.run(["diff", "main"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("effects::git::no_repository"),
        "{refused}"
    );
}
