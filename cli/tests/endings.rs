//! How commands that change a site ended, for programs: one document, also where they failed.

use std::fs;

use serde_json::{Value, json};

use crate::environment::{Output, TestEnvironment};
use crate::interactive::Person;
use crate::plan_and_apply::{GOOD, site};
use crate::schemas::{assert_describes_all, assert_fits, schema};

const RELOAD: &str = "root \"dnsmasq.d\"\n    command \"reload\" \"false\"";

/// What was printed, which fits its schema and says how the command ended.
fn ended(output: &Output, name: &str) -> Value {
    let document: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|problem| panic!("{problem}: {output}"));
    assert_fits(&schema(&format!("{name}.schema.json")), &document);
    assert_eq!(document["exit_code"], json!(output.code), "{output}");
    assert_eq!(
        document["error"].is_null(),
        output.code == Some(0),
        "{output}"
    );
    document
}

fn outcomes(document: &Value) -> Vec<(&str, &str)> {
    let targets = document["targets"].as_array().unwrap().iter();
    targets
        .map(|target| {
            let of = |name: &str| target[name].as_str().unwrap();
            (of("name"), of("outcome"))
        })
        .collect()
}

fn applied(test: &TestEnvironment, more: &[&str]) -> Value {
    let arguments = [&["apply", "--yes", "--format", "json"], more].concat();
    ended(&test.run(arguments), "apply")
}

#[test]
fn an_apply() {
    let test = site();
    let kept = test.run(["plan", "--out", "kept.plan", "--format", "json"]);
    let kept: Value = serde_json::from_str(&kept.stdout).unwrap();
    let output = test.run(["apply", "kept.plan", "--yes", "--format", "json"]);
    let document = ended(&output, "apply");
    assert_describes_all(&schema("apply.schema.json"), &document, &[], &[]);
    assert_eq!(document["plan"], kept["digest"]);
    assert_eq!(
        [&document["outcome"], &document["generation"]],
        [&json!("applied"), &json!(1)]
    );
    assert_eq!(
        outcomes(&document),
        [("files", "applied"), ("services", "applied")]
    );
    let again = applied(&test, &[]);
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(
        outcomes(&again),
        [("files", "unchanged"), ("services", "unchanged")]
    );
}

#[test]
fn an_apply_that_fails() {
    let test = site();
    test.write(
        "switchover.kdl",
        &GOOD.replace("root \"dnsmasq.d\"", RELOAD),
    );
    let document = applied(&test, &[]);
    // The way back fails as well: the command never succeeds.
    assert_eq!(document["exit_code"], 7, "{document:#}");
    assert_eq!(document["outcome"], "partial");
    assert_eq!(document["failed_at"], "services");
    assert_eq!(
        outcomes(&document),
        [("files", "rolled-back"), ("services", "partial")]
    );
    assert_eq!(document["error"]["code"], "switchover::apply::partial");
    let unfinished = applied(&test, &[]);
    assert_eq!(unfinished["exit_code"], 7, "{unfinished:#}");
    assert_eq!(
        outcomes(&unfinished)
            .iter()
            .map(|(_, outcome)| *outcome)
            .collect::<Vec<_>>(),
        ["untouched", "untouched"]
    );
}

#[test]
fn an_apply_that_is_refused() {
    let test = site();
    assert_eq!(applied(&test, &[])["generation"], 1);
    let first = "site \"acme-hq\" mode=\"hot-standby\" {";
    let large = format!("{first}\n    large-change percent=100 removals=0");
    test.write(
        "switchover.kdl",
        &GOOD
            .replace(first, &large)
            .replace("9c:75:14:00:01:02", "9c:75:14:00:01:09"),
    );
    let refused = applied(&test, &[]);
    assert_eq!(refused["exit_code"], 9, "{refused:#}");
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(refused["error"]["code"], "switchover::apply::large_change");

    assert_eq!(test.run(["plan", "--out", "kept.plan"]).code, Some(0));
    test.write("switchover.kdl", &GOOD.replace("8h", "7h"));
    let document = ended(
        &test.run(["apply", "kept.plan", "--yes", "--format", "json"]),
        "apply",
    );
    assert_eq!(document["outcome"], "refused");
    assert_eq!(document["exit_code"], 9);
}

#[test]
fn a_rollback() {
    let test = site();
    applied(&test, &[]);
    test.write("switchover.kdl", &GOOD.replace("8h", "9h"));
    applied(&test, &[]);
    let back = test.run(["rollback", "--yes", "--format", "json"]);
    let document = ended(&back, "apply");
    assert_eq!(document["operation"], "rollback");
    assert_eq!(document["rollback_of"], 1);
    assert_eq!(document["generation"], 3);

    // It records by which topology targets were reached, and that is not the one that wanted what is there.
    let shown = test.run(["generations", "show", "3"]);
    assert!(shown.stdout.contains("rollback to"), "{shown}");
    assert!(shown.stdout.contains("reached by"), "{shown}");
    let listed = test.run(["generations"]);
    let lines: Vec<&str> = listed.stdout.lines().collect();
    let topology = |line: &str| {
        let is_digest =
            |word: &&str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        line.split(' ').find(is_digest).map(str::to_owned)
    };
    assert!(topology(lines[1]).is_some(), "{listed}");
    assert_eq!(topology(lines[1]), topology(lines[3]), "{listed}");
    assert_ne!(topology(lines[2]), topology(lines[3]), "{listed}");
}

#[test]
fn a_recovery_and_a_confirmation() {
    let test = site();
    let recover = ["recover", "--back", "--yes", "--format", "json"];
    let nothing = ended(&test.run(recover), "recover");
    assert_eq!(nothing["outcome"], "nothing");
    assert_eq!(nothing["run"], Value::Null);
    let confirm = ["confirm", "--format", "json"];
    let nothing = ended(&test.run(confirm), "confirm");
    assert_eq!(nothing["error"]["code"], "switchover::confirm::nothing");

    let wait = ["apply", "--yes", "--confirm-within", "1h"];
    let (mut person, mut child) = Person::start(&test, &wait);
    person.sees("switchover confirm");
    let locked = ended(&test.run(recover), "recover");
    assert_eq!(locked["outcome"], "locked");
    let document = ended(&test.run(confirm), "confirm");
    assert_eq!(document["outcome"], "confirmed");
    assert_describes_all(&schema("confirm.schema.json"), &document, &[], &[]);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let both = GOOD
        .replace("8h", "9h")
        .replace("\"Reception\"", "\"Desk\"");
    test.write("switchover.kdl", &both);
    let (mut person, mut child) = Person::start(&test, &wait);
    person.sees("switchover confirm");
    child.kill().unwrap();
    child.wait().unwrap();
    let files = fs::read_dir(test.work().join("dnsmasq.d")).unwrap();
    let file = files
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    let wanted = fs::read(&file).unwrap();
    fs::write(&file, "by hand\n").unwrap();
    let stuck = ended(&test.run(recover), "recover");
    assert_eq!(stuck["outcome"], "partial");
    assert_eq!(stuck["run"]["operation"], "apply");
    fs::write(&file, wanted).unwrap();
    let document = ended(&test.run(recover), "recover");
    assert_eq!(document["outcome"], "back");
    assert_describes_all(&schema("recover.schema.json"), &document, &[], &[]);
}
