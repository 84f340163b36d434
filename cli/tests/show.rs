use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::{TestEnvironment, assert_no_secret};

const GOOD: &str = include_str!("topologies/good.kdl");

#[test]
fn resolved_as_kdl() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    assert_snapshot!(test.run(["show"]));
}

#[test]
fn resolved_as_json() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    assert_snapshot!(test.run(["show", "--format", "json"]));
}

#[test]
fn what_is_shown_is_a_topology_of_the_same_meaning() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    let shown = test.run(["show"]).stdout;
    let again = test.run_with_input(["show", "-"], shown.as_bytes());
    assert_eq!(again.stdout, shown);
    let json = |output: &str| serde_json::from_str::<Value>(output).unwrap();
    assert_eq!(
        json(
            &test
                .run_with_input(["show", "-", "--format", "json"], shown.as_bytes())
                .stdout
        ),
        json(&test.run(["show", "--format", "json"]).stdout)
    );
}

#[test]
fn a_topology_with_errors_is_not_shown() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", &GOOD.replace("vlan 130", "vlan 5000"));
    assert_snapshot!(test.run(["show"]));
}

#[test]
fn secrets_are_shown_as_references() {
    let mut test = TestEnvironment::new();
    test.set("RECEPTION_SIP", "s3cr3t-of-reception");
    test.write("switchover.kdl", GOOD);
    for format in ["kdl", "json"] {
        let output = test.run(["show", "-vv", "--format", format]);
        assert_eq!(output.code, Some(0), "{output}");
        assert!(output.stdout.contains("env:RECEPTION_SIP"), "{output}");
        assert_no_secret(
            &["s3cr3t-of-reception"],
            &[&output.everything()],
            &test.work(),
        );
    }
}

#[test]
fn a_secret_in_clear_text_is_not_repeated() {
    let test = TestEnvironment::new();
    test.write(
        "switchover.kdl",
        &GOOD.replace("(secret)\"env:RECEPTION_SIP\"", "\"hunter2-in-clear-text\""),
    );
    for format in [
        &["validate"][..],
        &["validate", "--format", "json"],
        &["show"],
        &["plan", "-vv"],
    ] {
        let output = test.run(format);
        assert_eq!(output.code, Some(3), "{output}");
        assert!(!output.everything().contains("hunter2"), "{output}");
    }
}

/// One site of several: a base, a table, defaults, a parameter.
fn several_files(test: &TestEnvironment) {
    test.write(
        "switchover.kdl",
        "extends \"base.kdl\" octet=21\nsite \"udine\" mode=\"hot-standby\"\n\
         network \"voice\" {\n    vlan 130\n}\n\
         defaults \"device\" network=\"voice\"\nimport \"phones.csv\" as=\"device\"\n",
    );
    test.write(
        "base.kdl",
        "param \"octet\"\nnetwork \"voice\" subnet=\"10.${octet}.30.0/24\" vlan=1 {\n    dns \"10.0.0.1\" \"10.${octet}.0.1\"\n    \
         pool \"10.${octet}.30.100\" \"10.${octet}.30.200\"\n}\n\
         target \"t\" plugin=\"kea\" {\n    endpoint \"http://kea/\"\n    auth \"bearer\" token=(secret)\"env:T\"\n    subnets \"${octet}\"\n}\n",
    );
    test.write("phones.csv", "name,model\none,WP480\ntwo,WP600A\n");
}

#[test]
fn origins_in_kdl_are_comments() {
    let test = TestEnvironment::new();
    several_files(&test);
    let output = test.run(["show", "--origins"]);
    assert_snapshot!(output);
    let plain = test.run(["show"]).stdout;
    let again = test.run_with_input(["show", "-"], output.stdout.as_bytes());
    assert_eq!(again.stdout, plain);
}

#[test]
fn origins_in_json_are_a_key_of_their_own() {
    let test = TestEnvironment::new();
    several_files(&test);
    let output = test.run(["show", "--origins", "--format", "json"]);
    assert_snapshot!(output);
    let mut with: Value = serde_json::from_str(&output.stdout).unwrap();
    let origins = with.as_object_mut().unwrap().remove("origins").unwrap();
    let without: Value =
        serde_json::from_str(&test.run(["show", "--format", "json"]).stdout).unwrap();
    assert_eq!(with, without);
    for pointer in origins.as_object().unwrap().keys() {
        assert!(without.pointer(pointer).is_some(), "{pointer}");
    }
}
