//! `import` from servers that people configured by hand, and what `plan` says then.

mod dnsmasq;
mod isc_dhcpd;
mod kea;

use std::fs;

use serde_json::Value;

use crate::environment::{Output, TestEnvironment};

/// What is written is a topology as it should be laid out, and has no error that is not acknowledged.
#[track_caller]
fn assert_valid(environment: &TestEnvironment) {
    let validated = environment.run(["validate"]);
    assert_eq!(validated.code, Some(0), "{validated}");
    let laid_out = environment.run(["fmt", "--check"]);
    assert_eq!(laid_out.code, Some(0), "{laid_out}");
}

/// A plan changes nothing. Gives how many resources are as wanted.
#[track_caller]
fn unchanged(run: impl Fn(&[&str]) -> Output) -> u64 {
    let plan = run(&["plan", "--detailed-exitcode", "--format", "json"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let targets = plan["targets"].as_array().unwrap();
    targets
        .iter()
        .map(|target| target["unchanged"].as_u64().unwrap())
        .sum()
}

/// What a person does first: the models that nobody else knows.
fn fill_in_models(environment: &TestEnvironment) {
    let path = environment.work().join("switchover.kdl");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("/-device"), "{text}");
    let text = text
        .replace("/-device", "device")
        .replace("model=\"\"", "model=\"WP600A\"");
    fs::write(path, text).unwrap();
}
