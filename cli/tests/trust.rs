//! What `apply` does only when it is asked for: large changes, some targets only, what was rolled back before. And what
//! somebody else changed, told apart from what the topology changes.

use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::environment::{Output, TestEnvironment};
use crate::plan_and_apply::{GOOD, site};

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

/// What was printed, without the drawing and line breaks of an error.
fn told(output: &Output) -> String {
    let text = output.everything().replace(['│', '×', '╰', '─', '▶'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The usual site with this many more telephones.
fn with_phones(count: usize) -> String {
    (0..count).fold(GOOD.to_owned(), |text, at| {
        text + &format!("device \"p{at}\" model=\"WP600A\" mac=\"9c:75:14:00:02:{at:02x}\" firmware=\"2.8.30\"\n")
    })
}

#[test]
fn a_large_change_is_made_only_when_it_is_asked_for() {
    let test = site();
    test.write("switchover.kdl", &with_phones(30));
    let first = test.run(["apply", "--yes"]);
    assert_eq!(
        first.code,
        Some(0),
        "what is new is never too much: {first}"
    );

    test.write("switchover.kdl", &with_phones(15));
    let planned = test.run(["plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned
            .stdout
            .contains("large change: 15 of 32 resources of `files` change or go"),
        "{planned}"
    );
    assert!(
        planned
            .stdout
            .contains("`apply` needs `--allow-large-change`"),
        "{planned}"
    );
    let markdown = test.run(["plan", "--format", "markdown"]);
    assert!(
        markdown.stdout.contains("**large change**: 15 of 32"),
        "{markdown}"
    );
    let document = json(&test.run(["plan", "--format", "json"]));
    assert_eq!(document["large"][0]["share"]["touched"], 15, "{document:#}");

    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    for file in ["switchover.kdl", "plan.json"] {
        let refused = test.run(["apply", file, "--yes"]);
        assert_eq!(refused.code, Some(9), "{refused}");
        assert!(refused.stderr.contains("apply::large_change"), "{refused}");
    }
    let asked = test.run(["apply", "plan.json", "--yes", "--allow-large-change"]);
    assert_eq!(asked.code, Some(0), "{asked}");
}

#[test]
fn the_topology_says_what_is_large() {
    let test = site();
    let limits = |limits: &str, phones: usize| {
        let site = format!("site \"acme-hq\" mode=\"hot-standby\" {{\n    large-change {limits}");
        let text = with_phones(phones);
        let line = "site \"acme-hq\" mode=\"hot-standby\" {";
        assert!(text.contains(line));
        test.write("switchover.kdl", &text.replace(line, &site));
    };
    limits("percent=100 removals=1000", 30);
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    limits("percent=100 removals=14", 15);
    let refused = test.run(["apply", "--yes"]);
    assert_eq!(refused.code, Some(9), "{refused}");
    assert!(
        told(&refused).contains("(more than 14 are large)"),
        "{refused}"
    );
    limits("percent=100 removals=1000", 15);
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

#[test]
fn one_target_is_planned_and_applied() {
    let test = site();
    let planned = test.run(["plan", "--target", "services", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned.stdout.contains("partial: left out `files`"),
        "{planned}"
    );
    // The telephones would be pointed at files that are not there yet.
    assert!(
        planned
            .stdout
            .contains("out of turn: `files` would come first"),
        "{planned}"
    );
    let applied = test.run(["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let count = |folder: &str| fs::read_dir(test.work().join(folder)).unwrap().count();
    assert_eq!((count("dnsmasq.d") > 0, count("provisioning")), (true, 0));

    let others = test.run(["apply", "--yes", "--exclude", "services"]);
    assert_eq!(others.code, Some(0), "{others}");
    assert!(!others.everything().contains("out of turn"), "{others}");
    assert_eq!(count("provisioning"), 2);
    // The generation still knows what the target that was left out holds.
    let everything = test.run(["plan", "--detailed-exitcode"]);
    assert_eq!(everything.code, Some(0), "{everything}");
}

#[test]
fn targets_that_cannot_be_chosen() {
    let test = site();
    for (arguments, code, help) in [
        (
            &["plan", "--target", "file"][..],
            "target::unknown",
            "did you mean `files`?",
        ),
        (
            &["apply", "--yes", "--exclude", "nothing-like-it"],
            "target::unknown",
            "there are: services, files",
        ),
        (
            &["plan", "--target", "files", "--exclude", "files"],
            "target::none",
            "named by both",
        ),
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(
            refused.stderr.contains(code) && refused.stderr.contains(help),
            "{refused}"
        );
    }
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let refused = test.run(["apply", "plan.json", "--yes", "--target", "files"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(
        refused.stderr.contains("plan::targets_of_plan"),
        "{refused}"
    );
}

/// A site whose DHCP server cannot be restarted with what it is to hold, until there is a file `repaired`.
fn failing() -> TestEnvironment {
    let test = site();
    let work = test.work().display().to_string();
    let script = test.write(
        "reload",
        &format!("#!/bin/sh\ntest -e '{work}/repaired' || test -z \"$(ls '{work}/dnsmasq.d')\"\n"),
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!(
        "root \"dnsmasq.d\"\n    command \"reload\" \"{}\"",
        script.display()
    );
    test.write(
        "switchover.kdl",
        &GOOD.replace("root \"dnsmasq.d\"", &command),
    );
    test
}

#[test]
fn what_was_rolled_back_is_not_tried_again_by_itself() {
    let test = failing();
    let failed = test.run(["apply", "--yes"]);
    assert_eq!(failed.code, Some(6), "{failed}");
    // The same again, from the topology or from a new plan, fails the same way.
    let refused = test.run(["apply", "--yes"]);
    assert_eq!(refused.code, Some(9), "{refused}");
    assert!(refused.stderr.contains("apply::rejected"), "{refused}");
    assert!(
        told(&refused).contains("and it was rolled back"),
        "{refused}"
    );
    let planned = test.run(["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let words: Vec<&str> = planned.stdout.split_whitespace().collect();
    assert!(
        words.join(" ").contains("`apply` needs `--allow-rejected`"),
        "{planned}"
    );
    assert_eq!(test.run(["apply", "plan.json", "--yes"]).code, Some(9));
    let document = json(&test.run(["plan", "--format", "json"]));
    assert!(document["rejected"]["why"].is_string(), "{document:#}");

    // Another topology is another input; one target of it is, too.
    let text = fs::read_to_string(test.work().join("switchover.kdl")).unwrap();
    test.write(
        "switchover.kdl",
        &text.replace("lease \"8h\"", "lease \"7h\""),
    );
    assert_eq!(test.run(["apply", "--yes"]).code, Some(6));
    test.write("switchover.kdl", &text);
    assert_eq!(
        test.run(["apply", "--yes"]).code,
        Some(9),
        "it is still remembered"
    );

    test.write("repaired", "");
    let again = test.run(["apply", "--yes", "--allow-rejected"]);
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(test.run(["apply", "--yes"]).stdout, "no changes\n");
}

#[test]
fn what_failed_before_anything_was_changed_is_not_rejected() {
    let test = site();
    fs::create_dir(test.work().join("provisioning/9c7514000101.cfg")).unwrap();
    let failed = test.run(["apply", "--yes"]);
    assert_eq!(failed.code, Some(1), "{failed}");
    let again = test.run(["apply", "--yes"]);
    assert_eq!(again.code, Some(1), "{again}");
}

fn by_hand(test: &TestEnvironment, name: &str) {
    let path = test.work().join("provisioning").join(name);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}# by hand\n")).unwrap();
}

const FIRST: &str = "9c7514000101.cfg";
const SECOND: &str = "9c7514000102.cfg";

#[test]
fn drift_is_shown_apart_from_change() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    by_hand(&test, FIRST);
    test.write(
        "switchover.kdl",
        &GOOD.replace("name=\"Sales\"", "name=\"Buying\""),
    );
    let planned = test.run(["plan"]);
    let heading = planned
        .stdout
        .find("changed by somebody else, brought back")
        .unwrap();
    let (change, drift) = planned.stdout.split_at(heading);
    assert!(
        change.contains(SECOND) && !change.contains(FIRST),
        "{planned}"
    );
    assert!(
        drift.contains(FIRST) && !drift.contains(SECOND),
        "{planned}"
    );
    let markdown = test.run(["plan", "--format", "markdown"]).stdout;
    assert!(
        markdown.contains("# changed by somebody else"),
        "{markdown}"
    );
    let document = json(&test.run(["plan", "--format", "json"]));
    let targets = document["targets"].as_array().unwrap();
    let files = targets
        .iter()
        .find(|target| target["name"] == "files")
        .unwrap();
    let reason = |name: &str| {
        let changes = files["changes"].as_array().unwrap();
        let address = |change: &&Value| change["address"].as_str().unwrap().ends_with(name);
        changes.iter().find(address).unwrap()["reason"].clone()
    };
    assert_eq!(
        (reason(FIRST), reason(SECOND)),
        ("drift".into(), Value::Null)
    );

    // Both at one resource.
    by_hand(&test, SECOND);
    let both = test.run(["plan"]);
    let mut lines = both.stdout.lines();
    assert!(
        lines.any(|line| line.contains(SECOND) && line.ends_with(" (drifted)")),
        "{both}"
    );
    assert!(both.stdout.ends_with("2 drifted\n"), "{both}");
}

#[test]
fn drift_is_told_by_its_own_exit_code() {
    let test = site();
    let nothing = test.run(["drift"]);
    assert_eq!(
        (nothing.code, nothing.stdout.as_str()),
        (
            Some(0),
            "no state found at .switchover: nothing counts as ours, so nothing can be removed\n\
             no drift found: no apply is recorded\n"
        ),
        "{nothing}"
    );
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    assert_eq!(test.run(["drift"]).code, Some(0));
    // What the topology wants by now is no drift.
    test.write(
        "switchover.kdl",
        &GOOD.replace("name=\"Sales\"", "name=\"Buying\""),
    );
    let none = test.run(["drift"]);
    assert_eq!(none.code, Some(0), "{none}");
    assert!(none.stdout.starts_with("no drift, "), "{none}");

    by_hand(&test, FIRST);
    fs::remove_file(test.work().join("provisioning").join(SECOND)).unwrap();
    let before = crate::environment::files_below(&test.work());
    for format in ["human", "json", "markdown"] {
        let drifted = test.run(["drift", "--format", format]);
        assert_eq!(drifted.code, Some(5), "{drifted}");
        assert!(
            drifted.stdout.contains(FIRST) && drifted.stdout.contains(SECOND),
            "{drifted}"
        );
        assert!(!drifted.stdout.contains("s3cr3t"), "{drifted}");
    }
    let document = json(&test.run(["drift", "--format", "json"]));
    assert_eq!(document["summary"]["drifted"], 2, "{document:#}");
    assert_eq!(document["generation"], 1, "{document:#}");
    assert_eq!(crate::environment::files_below(&test.work()), before);
    assert_eq!(test.run(["drift", "--target", "services"]).code, Some(0));
}

/// A file that somebody deleted is not an addition, and a line that somebody added is not a removal.
#[test]
fn drift_is_told_as_it_happened() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let folder = test.work().join("provisioning");
    let path = folder.join(FIRST);
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().count();
    let mut edited: Vec<String> = text.lines().map(str::to_owned).collect();
    edited[1] = "edited = 1".to_owned();
    edited.push("added = 2".to_owned());
    fs::write(&path, edited.join("\n") + "\n").unwrap();
    fs::remove_file(folder.join(SECOND)).unwrap();

    let human = test.run(["drift"]);
    assert_snapshot!("drift_human", human.stdout);
    assert_snapshot!(
        "drift_markdown",
        test.run(["drift", "--format", "markdown"]).stdout
    );
    let document = json(&test.run(["drift", "--format", "json"]));
    let targets = document["targets"].as_array().unwrap();
    let files = targets.iter().find(|target| target["name"] == "files");
    let drifted = |name: &str| {
        let drifted = files.unwrap()["drifted"].as_array().unwrap();
        let ours = |one: &&Value| one["address"].as_str().unwrap().ends_with(name);
        drifted.iter().find(ours).unwrap().clone()
    };
    let (changed, deleted) = (drifted(FIRST), drifted(SECOND));
    assert_eq!(changed["happened"], "changed");
    assert_eq!(
        changed["differences"][1],
        serde_json::json!({
            "line": lines + 1, "change": "added", "before": null, "after": "added = 2"
        }),
        "{changed:#}"
    );
    assert_eq!(changed["differences"][0]["line"], 2, "{changed:#}");
    assert_eq!(deleted["happened"], "deleted");
    // The way back stays what it was.
    assert_eq!(
        (&deleted["action"], &deleted["before"]),
        (&"create".into(), &Value::Null)
    );

    let repaired = test.run(["apply", "--only-drift", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(test.run(["drift"]).code, Some(0));
}

#[test]
fn only_drift_is_brought_back() {
    let test = site();
    assert_eq!(
        test.run(["apply", "--yes", "--only-drift"]).stdout,
        "no changes\n"
    );
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let read =
        |name: &str| fs::read_to_string(test.work().join("provisioning").join(name)).unwrap();
    let left = [read(FIRST), read(SECOND)];
    // The topology wants something else of both, and a third telephone.
    let text = with_phones(1).replace("name=\"Sales\"", "name=\"Buying\"");
    test.write(
        "switchover.kdl",
        &text.replace("name=\"Reception\"", "name=\"Desk\""),
    );
    by_hand(&test, FIRST);
    assert_eq!(test.run(["drift"]).code, Some(5));
    let applied = test.run(["apply", "--yes", "--only-drift"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(
        applied.stdout.contains("0 added, 1 changed, 0 removed"),
        "{applied}"
    );
    assert_eq!([read(FIRST), read(SECOND)], left);
    assert_eq!(test.run(["drift"]).code, Some(0));
    let pending = test.run(["plan", "--detailed-exitcode"]);
    assert_eq!(pending.code, Some(4), "{pending}");
    assert!(!pending.stdout.contains("drifted"), "{pending}");
}

#[test]
fn known_drift_is_left_alone_until_it_expires() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    by_hand(&test, FIRST);
    let known = |until: &str| {
        let known = format!(
            "plugin=\"provisioning\" {{\n    known-drift \"file/{FIRST}\" reason=\"a test of the vendor\" until=\"{until}\""
        );
        test.write(
            "switchover.kdl",
            &GOOD.replace("plugin=\"provisioning\" {", &known),
        );
    };
    known("2999-12-31");
    let drift = test.run(["drift"]);
    assert_eq!(drift.code, Some(0), "{drift}");
    assert!(
        drift
            .stdout
            .contains("a test of the vendor, until 2999-12-31"),
        "{drift}"
    );
    let planned = test.run(["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    // Something else is changed, and the file stays as it is.
    let text = fs::read_to_string(test.work().join("switchover.kdl")).unwrap();
    test.write(
        "switchover.kdl",
        &text.replace("name=\"Sales\"", "name=\"Buying\""),
    );
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let file = fs::read_to_string(test.work().join("provisioning").join(FIRST)).unwrap();
    assert!(file.ends_with("# by hand\n"), "{file}");

    known("2020-01-01");
    let expired = test.run(["drift"]);
    assert_eq!(expired.code, Some(5), "{expired}");
    let judged = test.run(["validate"]);
    assert!(
        judged.everything().contains("expired on 2020-01-01"),
        "{judged}"
    );

    // What is as it was left needs nobody to accept it.
    known("2999-12-31");
    let path = test.work().join("provisioning").join(FIRST);
    fs::write(&path, file.strip_suffix("# by hand\n").unwrap()).unwrap();
    let idle = test.run(["drift"]);
    assert_eq!(idle.code, Some(0), "{idle}");
    assert!(told(&idle).contains("which is as it was left"), "{idle}");
}
