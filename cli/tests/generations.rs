//! What was applied, as it is listed, shown and compared; and what is said where some of it is damaged.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::{Output, TestEnvironment, assert_no_secret, files_below};
use crate::plan_and_apply::{GOOD, SECRET, site};
use crate::schemas::{assert_describes_all, assert_fits, schema};

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

/// What was printed, without the drawing and line breaks of an error.
fn told(output: &Output) -> String {
    let text = output.everything().replace(['│', '×', '╰', '─', '▶'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn applied(test: &TestEnvironment, topology: &str) {
    test.write("switchover.kdl", topology);
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

/// A telephone is replaced, and a name changes.
fn changed() -> String {
    GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09")
        .replace("Reception", "Lobby")
}

/// A site with two generations.
fn two() -> TestEnvironment {
    let test = site();
    applied(&test, GOOD);
    applied(&test, &changed());
    test
}

/// Without what is another one every time: when, by whom, and digests of plugins.
fn timeless(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let words = words.iter().map(|word| match word {
            time if time.ends_with('Z') && time.contains('T') && time.len() == 20 => {
                "WHEN".to_owned()
            }
            who if who.contains('@') => "WHO".to_owned(),
            other => (*other).to_owned(),
        });
        let line = words.collect::<Vec<_>>().join(" ");
        // The widths of columns follow from them.
        shown += &line
            .split("  ")
            .filter(|cell| !cell.is_empty())
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" | ");
        shown.push('\n');
    }
    shown
}

#[test]
fn nothing_was_applied_yet() {
    let test = site();
    for format in ["human", "markdown"] {
        let none = test.run(["generations", "--format", format]);
        assert_eq!(none.code, Some(0), "{none}");
        assert!(none.stdout.contains("nothing was applied yet"), "{none}");
    }
    let none = json(&test.run(["generations", "--format", "json"]));
    assert_fits(&schema("generations.schema.json"), &none);
    for arguments in [
        &["generations", "show", "1"][..],
        &["generations", "diff", "1"],
    ] {
        let missing = test.run(arguments);
        assert_eq!(missing.code, Some(1), "{missing}");
        assert!(
            missing.stderr.contains("switchover::state::no_generation"),
            "{missing}"
        );
    }
}

#[test]
fn they_are_listed_in_every_format() {
    let test = two();
    assert_eq!(test.run(["rollback", "--yes"]).code, Some(0));
    let listed = test.run(["generations"]);
    assert_eq!(listed.code, Some(0), "{listed}");
    assert_snapshot!(timeless(&listed.stdout));
    assert_eq!(
        test.run(["generations", "list", "switchover.kdl"]).stdout,
        listed.stdout
    );
    let markdown = test.run(["generations", "list", "--format", "markdown"]);
    assert!(
        markdown.stdout.contains("| 3 | ") && markdown.stdout.contains(" | rollback to 1 |"),
        "{markdown}"
    );
    let listed = json(&test.run(["generations", "--format", "json"]));
    assert_describes_all(&schema("generations.schema.json"), &listed, &[], &[]);
    assert_eq!(listed["generations"][2]["rollback_of"], 1, "{listed:#}");
}

#[test]
fn one_is_shown_in_every_format() {
    let test = two();
    let shown = test.run(["generations", "show", "2"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_snapshot!(timeless(&shown.stdout));
    let markdown = test.run(["generations", "show", "2", "--format", "markdown"]);
    assert!(
        markdown.stdout.contains("<b>services</b> (DHCP · dnsmasq"),
        "{markdown}"
    );
    let shown = json(&test.run(["generations", "show", "2", "--format", "json"]));
    let optional = [
        "who",
        "sources",
        "parent",
        "rollback_of",
        "changes",
        "wave",
        "contents",
        "adopted",
        "secret",
        "files",
        "services",
    ];
    assert_describes_all(
        &schema("generation.schema.json"),
        &shown,
        &optional,
        &["resources"],
    );
    assert_eq!(
        shown["generation"]["targets"]["files"]["wave"],
        "provisioning"
    );
}

/// Neither a target nor a secret nor even the topology is needed.
#[test]
fn two_are_compared_in_every_format() {
    let test = two();
    for folder in ["dnsmasq.d", "provisioning"] {
        fs::remove_dir_all(test.work().join(folder)).unwrap();
    }
    let human = test.run(["generations", "diff", "1", "2"]);
    assert_eq!(human.code, Some(0), "{human}");
    assert_snapshot!(human.stdout);
    assert_eq!(test.run(["generations", "diff", "1"]).stdout, human.stdout);
    let markdown = test.run(["generations", "diff", "1", "2", "--format", "markdown"]);
    assert!(
        markdown
            .stdout
            .starts_with("### acme-hq: generation 1 to generation 2: 1 to add, "),
        "{markdown}"
    );
    let document = json(&test.run(["generations", "diff", "1", "2", "--format", "json"]));
    assert_describes_all(
        &schema("generations-diff.schema.json"),
        &document,
        &["reason", "before_line", "after_line", "more"],
        &["object"],
    );
    assert_eq!([&document["earlier"], &document["later"]], [1, 2]);
    let back = json(&test.run(["generations", "diff", "2", "1", "--format", "json"]));
    assert_eq!(back["summary"]["create"], document["summary"]["delete"]);
    for output in [&human, &markdown] {
        assert_no_secret(
            &[SECRET],
            &[&output.everything()],
            &test.work().join(".switchover"),
        );
    }

    let pending = test.run(["generations", "diff", "1", "2", "--detailed-exitcode"]);
    assert_eq!(pending.code, Some(4), "{pending}");
    let same = test.run(["generations", "diff", "2", "--detailed-exitcode"]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (Some(0), "no changes\n"),
        "{same}"
    );
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    let without = test.run(["generations", "diff", "1", "2"]);
    assert_eq!(without.stdout, human.stdout, "{without}");
    assert!(without.stderr.contains("there is no topology"), "{without}");
}

/// A topology that cannot say where the state is must not make another state be taken for it.
#[test]
fn a_topology_that_cannot_be_read_is_no_empty_state() {
    let test = two();
    test.write("switchover.kdl", &GOOD.replace("site \"acme-hq\"", "site"));
    for arguments in [
        &["generations"][..],
        &["generations", "diff", "1"],
        &["lock", "list"],
        &["rollback", "--yes"],
    ] {
        let refused = test.run(arguments);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (Some(3), ""),
            "{refused}"
        );
    }
    // Errors elsewhere do not keep anybody from going back.
    test.write("switchover.kdl", &GOOD.replace("vlan 130", "vlan 5000"));
    assert_eq!(test.run(["generations"]).code, Some(0));
}

/// What was brought back is what is in force: the topology that waits to be applied is no part of it.
#[test]
fn repairing_drift_records_what_is_in_force() {
    let test = site();
    applied(&test, GOOD);
    test.write("switchover.kdl", &changed());
    for path in files_below(&test.work().join("provisioning")) {
        fs::write(path, "by hand\n").unwrap();
    }
    let repaired = test.run(["apply", "--yes", "--only-drift"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    let show = |number: &str| json(&test.run(["generations", "show", number, "--format", "json"]));
    let (first, second) = (show("1"), show("2"));
    for what in ["topology", "sources"] {
        assert_eq!(
            first["generation"][what], second["generation"][what],
            "{what}"
        );
    }
    assert_eq!(second["generation"]["rollback_of"], Value::Null);
    assert_eq!(
        test.run(["generations", "diff", "1", "2"]).stdout,
        "no changes\n"
    );
    // What waits is still to be done, and then it is in force.
    applied(&test, &changed());
    assert_ne!(
        show("3")["generation"]["topology"],
        first["generation"]["topology"]
    );
}

/// So it is where what is in force was brought back.
#[test]
fn repairing_drift_after_a_rollback_is_still_of_what_was_brought_back() {
    let test = site();
    applied(&test, GOOD);
    applied(&test, &changed());
    let back = test.run(["rollback", "1", "--yes"]);
    assert_eq!(back.code, Some(0), "{back}");
    for path in files_below(&test.work().join("provisioning")) {
        fs::write(path, "by hand\n").unwrap();
    }
    let repaired = test.run(["apply", "--yes", "--only-drift"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    let shown = test.run(["generations", "show", "4", "--format", "json"]);
    assert_eq!(json(&shown)["generation"]["rollback_of"], 1, "{shown}");
}

fn generation_file(test: &TestEnvironment, number: u64) -> PathBuf {
    test.work()
        .join(format!(".switchover/generations/{number:06}.json"))
}

/// Where what was wanted of a target is kept.
fn contents(test: &TestEnvironment, number: u64, target: &str) -> PathBuf {
    let text = fs::read_to_string(generation_file(test, number)).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let name = document["generation"]["targets"][target]["contents"]
        .as_str()
        .unwrap();
    test.work().join(".switchover/blobs").join(name)
}

fn replaced(path: &PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Each kind of damage to a generation: what is named, and what can still be done.
#[test]
fn a_damaged_generation_is_named_with_a_way_out() {
    type Damage = fn(&PathBuf);
    let kinds: [(&str, &str, Damage); 4] = [
        ("it is cut short", "state::damaged", |path| {
            let whole = fs::read(path).unwrap();
            fs::write(path, &whole[..whole.len() - 40]).unwrap();
        }),
        ("it is empty", "state::damaged", |path| {
            fs::write(path, "").unwrap();
        }),
        (
            "its content does not have its digest",
            "state::damaged",
            |path| {
                replaced(path, "acme-hq", "acme-hp");
            },
        ),
        (
            "format 3.0 is not known to this version",
            "state::format",
            |path| {
                replaced(path, "\"2.0\"", "\"3.0\"");
            },
        ),
    ];
    let test = two();
    applied(&test, GOOD);
    let whole = [1, 2, 3].map(|number| fs::read(generation_file(&test, number)).unwrap());
    for (problem, code, damage) in kinds {
        let is_named = |output: &Output, number: u64| {
            assert_eq!(output.code, Some(1), "{output}");
            assert!(output.stderr.contains(code), "{output}");
            let told = told(output);
            assert!(told.contains(problem), "{told}");
            assert!(told.contains(&format!("generation {number} in")), "{told}");
            assert!(
                told.contains(&format!("generations/{number:06}.json")),
                "{told}"
            );
        };
        // An earlier one: it alone is lost.
        damage(&generation_file(&test, 2));
        let listed = test.run(["generations"]);
        is_named(&listed, 2);
        assert!(listed.stdout.contains("3 generations"), "{listed}");
        let document = json(&test.run(["generations", "--format", "json"]));
        assert_fits(&schema("generations.schema.json"), &document);
        assert!(
            document["generations"][1]["damaged"].is_string(),
            "{document:#}"
        );
        is_named(&test.run(["generations", "diff", "1", "2"]), 2);
        is_named(&test.run(["rollback", "2", "--yes"]), 2);
        for arguments in [&["plan"][..], &["drift"], &["rollback", "1", "--dry-run"]] {
            assert_eq!(test.run(arguments).code, Some(0), "{arguments:?}");
        }
        fs::write(generation_file(&test, 2), &whole[1]).unwrap();

        // The last one says what is ours: nothing is done without it.
        damage(&generation_file(&test, 3));
        for arguments in [
            &["plan"][..],
            &["drift"],
            &["apply", "--yes"],
            &["rollback", "1", "--yes"],
            &["gc", "--keep", "1"],
        ] {
            is_named(&test.run(arguments), 3);
        }
        fs::write(generation_file(&test, 3), &whole[2]).unwrap();
        assert_eq!(test.run(["generations"]).code, Some(0));
    }
    // The way out where there is no backup.
    fs::remove_file(generation_file(&test, 3)).unwrap();
    let again = test.run(["plan"]);
    assert_eq!(again.code, Some(0), "{again}");
}

/// A content that is changed or gone is named with the generations that need it; the others can be used.
#[test]
fn a_damaged_content_is_named_with_who_needs_it() {
    let test = two();
    applied(&test, GOOD);
    let of_second = contents(&test, 2, "files");
    let whole = fs::read(&of_second).unwrap();
    for (problem, change) in [
        ("it is gone", None),
        ("its content is not what its name says", Some("[]")),
    ] {
        match change {
            Some(text) => fs::write(&of_second, text).unwrap(),
            None => fs::remove_file(&of_second).unwrap(),
        }
        for arguments in [
            &["generations", "diff", "1", "2"][..],
            &["rollback", "2", "--yes"],
        ] {
            let damaged = test.run(arguments);
            assert_eq!(damaged.code, Some(1), "{damaged}");
            let told = told(&damaged);
            assert!(
                told.contains("state::blob") && told.contains(problem),
                "{told}"
            );
            assert!(told.contains("which generation 2 needs"), "{told}");
        }
        // Generations 1 and 3 share theirs, and plans need none of them.
        assert_eq!(
            test.run(["generations", "diff", "1", "3"]).stdout,
            "no changes\n"
        );
        for arguments in [&["plan"][..], &["drift"], &["generations"]] {
            assert_eq!(test.run(arguments).code, Some(0), "{arguments:?}");
        }
    }
    // Whoever wants the same again writes it anew.
    fs::write(&of_second, "[]").unwrap();
    applied(&test, &changed());
    assert_eq!(fs::read(&of_second).unwrap(), whole);
    assert_eq!(
        test.run(["generations", "diff", "2", "4"]).stdout,
        "no changes\n"
    );

    fs::write(contents(&test, 3, "files"), "[]").unwrap();
    let shared = test.run(["generations", "diff", "1", "2"]);
    assert!(
        told(&shared).contains("which generations 1, 3 need"),
        "{shared}"
    );
}
