//! `--log-format json`: what a program reads on the standard error, whatever happens.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::environment::{Output, TestEnvironment};
use crate::plan_and_apply::site;
use crate::schemas::{assert_fits, schema};

const JSON: [&str; 2] = ["--log-format", "json"];

/// The lines of a log, each of which fits the schema, the last of which says how the command ended.
fn logged(output: &Output) -> Vec<Value> {
    let schema = schema("log.schema.json");
    let mut lines = Vec::new();
    for line in output.stderr.lines() {
        let line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_fits(&schema, &line);
        lines.push(line);
    }
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "ended", "{output}");
    assert_eq!(last["exit_code"].as_i64(), output.code.map(i64::from));
    lines
}

fn run(test: &TestEnvironment, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = arguments.iter().copied().chain(JSON).collect();
    logged(&test.run(&arguments))
}

fn events(lines: &[Value]) -> Vec<&str> {
    let events = lines.iter().map(|line| line["event"].as_str().unwrap());
    events.collect()
}

#[test]
fn every_command_that_works_on_a_site_keeps_to_it() {
    let test = site();
    for arguments in [
        &["validate"][..],
        &["plan", "-v"],
        &["plan", "--out", "plan.json"],
        &["apply", "plan.json", "--yes", "-v"],
        &["apply", "plan.json", "--yes"],
        &["drift", "-v"],
        &["generations"],
        &["rollback", "1", "--yes"],
        &["gc", "--keep", "1"],
        &["audit", "--verify"],
        &["lock", "list"],
        &["recover", "--back", "--yes"],
        &["confirm"],
        &["runbook"],
        &["show"],
        &["fmt", "--check", "switchover.kdl"],
        &["plugin", "lock"],
        &["explain", "SW104"],
    ] {
        run(&test, arguments);
    }
}

#[test]
fn nobody_is_asked() {
    let test = site();
    let lines = run(&test, &["apply"]);
    let error = &lines[lines.len() - 2];
    assert_eq!(error["event"], "error", "{error}");
    assert!(error["help"].as_str().unwrap().contains("--yes"), "{error}");
}

#[test]
fn what_is_taken_back_is_told_step_by_step() {
    let test = site();
    let lines = run(&test, &["apply", "--yes", "-v", "--confirm-within", "1s"]);
    let events = events(&lines);
    let at = |event: &str| {
        let at = events.iter().position(|found| *found == event);
        at.unwrap_or_else(|| panic!("no {event}: {events:?}"))
    };
    assert!(at("step") < at("committed") && at("committed") < at("verified"));
    assert!(at("verified") < at("waiting") && at("waiting") < at("error"));
    let error = &lines[at("error")];
    assert_eq!(error["code"], "switchover::apply::rolled_back");
    assert_eq!(error["exit_code"], 6);
    let causes = error["causes"].as_array().unwrap();
    assert!(
        causes
            .last()
            .unwrap()
            .as_str()
            .unwrap()
            .contains("nobody confirmed it")
    );
}

#[test]
fn a_run_that_is_killed_is_told_of_and_recovered() {
    let test = site();
    let mut killed = test
        .command(["apply", "--yes", "--confirm-within", "1h"])
        .args(JSON)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // A log can be followed: a line is there as soon as it is true.
    let waits = BufReader::new(killed.stderr.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .any(|line| line["event"] == "waiting");
    assert!(waits);
    killed.kill().unwrap();
    killed.wait().unwrap();

    let planned = run(&test, &["plan"]);
    let told = |line: &Value| {
        let text = line["text"].as_str();
        text.is_some_and(|text| text.contains("was interrupted"))
    };
    assert!(planned.iter().any(told), "{planned:?}");
    let refused = run(&test, &["apply", "--yes"]);
    let error = refused.iter().find(|line| line["event"] == "error");
    assert_eq!(error.unwrap()["code"], "switchover::apply::unfinished");
    let undecided = run(&test, &["recover"]);
    assert_eq!(undecided.last().unwrap()["exit_code"], 2);
    let recovered = run(&test, &["recover", "--back", "--yes", "-vv"]);
    assert_eq!(recovered.last().unwrap()["exit_code"], 0);
    assert!(
        events(&recovered).contains(&"file-restored"),
        "{recovered:?}"
    );
}
