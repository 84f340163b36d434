//! A site whose state is not where it is looked for: a fresh checkout plans as if nothing had ever been applied, and says so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::environment::{Output, TestEnvironment};
use crate::plan_and_apply::{GOOD, site};
use crate::schemas::{assert_fits, schema};
use crate::shared_state::{started, trusted};

const CONSEQUENCE: &str = "nothing counts as ours, so nothing can be removed";

fn line(place: &str) -> String {
    format!("no state found at {place}: {CONSEQUENCE}\n")
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

/// Said by `plan` and `drift` in every format, or by neither in any.
fn assert_said(test: &TestEnvironment, place: &str, found: bool) {
    for command in ["plan", "drift"] {
        let human = test.run([command]);
        assert_eq!(human.code, Some(0), "{human}");
        assert_eq!(human.stdout.starts_with(&line(place)), !found, "{human}");
        assert_eq!(human.stdout.contains(CONSEQUENCE), !found, "{human}");
        let markdown = test.run([command, "--format", "markdown"]).stdout;
        let first: Vec<&str> = markdown.lines().take(3).collect();
        let said = first
            .iter()
            .any(|line| line.starts_with("**no state found at "));
        assert_eq!(said, !found, "{markdown}");
        let json = document(&test.run([command, "--format", "json"]));
        assert_fits(&schema(&format!("{command}.schema.json")), &json);
        assert_eq!(json["state"], json!({ "place": place, "found": found }));
    }
}

#[test]
fn a_checkout_without_the_state_says_so() {
    let test = site();
    assert_said(&test, ".switchover", false);
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(applied.stderr.contains(&line(".switchover")), "{applied}");
    assert_said(&test, ".switchover", true);

    fs::rename(test.work().join(".switchover"), test.work().join("aside")).unwrap();
    assert_said(&test, ".switchover", false);
    test.write(
        "switchover.kdl",
        &GOOD.replace("    description", "    state \"aside\"\n    description"),
    );
    assert_said(&test, "aside", true);
    test.write(
        "switchover.kdl",
        &GOOD.replace(
            "    description",
            "    state \"../nowhere\"\n    description",
        ),
    );
    assert_said(&test, "../nowhere", false);
}

/// What was tried and rolled back is in a state, and still nothing there is ours.
#[test]
fn a_state_without_a_generation_is_none() {
    let test = site();
    let rolled_back = test.run(["apply", "--yes", "--confirm-within", "1s"]);
    assert_eq!(rolled_back.code, Some(6), "{rolled_back}");
    assert!(test.work().join(".switchover/audit").exists());
    assert_said(&test, ".switchover", false);
}

#[test]
fn a_kept_plan_names_no_place() {
    let test = site();
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let kept = fs::read(test.work().join("plan.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept.get("state"), None, "{kept:#}");
    let applied = test.run(["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(applied.stderr.contains(&line(".switchover")), "{applied}");
}

#[test]
fn an_object_store_that_holds_none_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    let test = trusted(&server);
    let text = fs::read_to_string(test.work().join("switchover.kdl")).unwrap();
    let (_, rest) = text.split_once("state \"").unwrap();
    let (place, _) = rest.split_once('"').unwrap();
    assert!(place.starts_with("s3://"), "{place}");
    assert_said(&test, place, false);
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_said(&test, place, true);
}

#[test]
fn each_of_many_sites_says_it_and_the_summary_counts_them() {
    let test = crate::fleet::fleet(&["berlin", "rome"]);
    let applied = test.run(["apply", "sites", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    // Nothing is to be done there, and yet there is something to say.
    fs::remove_dir_all(test.work().join("sites/berlin/.switchover")).unwrap();
    for command in ["plan", "drift"] {
        let human = test.run([command, "sites"]);
        assert!(human.stdout.contains(&line(".switchover")), "{human}");
        assert!(
            human.stdout.ends_with(
                "no state found for 1 site: nothing counts as ours there, so nothing can be removed\n"
            ),
            "{human}"
        );
        let markdown = test.run([command, "sites", "--format", "markdown"]);
        let summary = markdown.stdout.lines().take(5);
        assert!(
            summary
                .into_iter()
                .any(|line| line.starts_with("no state found for 1 site")),
            "{markdown}"
        );
        let json = document(&test.run([command, "sites", "--format", "json"]));
        let found = |at: usize| json["sites"][at]["report"]["state"]["found"].clone();
        assert_eq!([found(0), found(1)], [json!(false), json!(true)]);
    }
}

#[test]
fn a_file_in_the_place_of_a_state_is_no_missing_state() {
    let test = site();
    test.write(".switchover", "");
    for arguments in [
        &["plan"][..],
        &["drift"],
        &["generations"],
        &["apply", "--yes"],
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains("a state is a folder"), "{refused}");
        assert!(!refused.stdout.contains(CONSEQUENCE), "{refused}");
    }
}

/// What this user may not read may be whole: nobody is told to restore or to remove it.
#[test]
fn what_may_not_be_read_is_not_called_damaged() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let state = test.work().join(".switchover");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let top = test.work().parent().unwrap().to_owned();
    for folder in [
        &top,
        &test.work(),
        &state,
        &state.join("generations"),
        &state.join("blobs"),
    ] {
        mode(folder, 0o755);
    }
    for file in ["generations/000001.json", "audit", "lease.json"] {
        mode(&state.join(file), 0);
    }
    for arguments in [&["generations"][..], &["generations", "check"], &["audit"]] {
        let mut command = test.command(arguments);
        if rustix::process::getuid().is_root() {
            // Nothing is kept from root.
            command.uid(65534);
        }
        let output = test.shown(&command.output().unwrap());
        assert_eq!(output.code, Some(1), "{output}");
        assert!(
            output.stderr.contains("this user may not read it")
                || output.stderr.contains("make it readable for this user"),
            "{output}"
        );
        for wrong in ["restore", "remove `lease.json`"] {
            assert!(!output.stderr.contains(wrong), "{wrong}: {output}");
        }
        if arguments.len() == 1 {
            assert!(!output.everything().contains("damaged"), "{output}");
        }
    }
}
