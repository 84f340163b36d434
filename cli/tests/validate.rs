use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::TestEnvironment;

const GOOD: &str = include_str!("topologies/good.kdl");
const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

#[test]
fn a_good_topology_has_no_findings() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    assert_snapshot!(test.run(["validate"]), @r"
    exit code 0
    --- stdout
    no findings
    ");
}

#[test]
fn ten_mistakes_are_told_at_once() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    assert_snapshot!(test.run(["validate", "switchover.kdl"]));
}

#[test]
fn ten_mistakes_as_json() {
    let test = TestEnvironment::new();
    test.write("site/switchover.kdl", TEN_MISTAKES);
    assert_snapshot!(test.run(["validate", "site/switchover.kdl", "--format", "json"]));
}

#[test]
fn json_of_no_findings() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    assert_snapshot!(test.run(["validate", "--format", "json"]));
}

#[test]
fn json_columns_count_characters_and_end_is_exclusive() {
    let test = TestEnvironment::new();
    test.write(
        "switchover.kdl",
        &GOOD.replace(r#"name="Sales" pbx="pbx1""#, r#"name="Süße" pbx="nope""#),
    );
    let output = test.run(["validate", "--format", "json"]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let finding = &report["diagnostics"][0];
    assert_eq!(finding["code"], "SW005");
    let line = GOOD
        .lines()
        .position(|line| line.starts_with("user \"102\""))
        .unwrap()
        + 1;
    let column = r#"user "102" name="Süße" pbx="#.chars().count() + 1;
    assert_eq!(
        [
            &finding["line"],
            &finding["column"],
            &finding["end_line"],
            &finding["end_column"]
        ],
        [line, column, line, column + r#""nope""#.len()]
    );
    assert_eq!(finding["file"], "switchover.kdl");
}

#[test]
fn a_topology_from_the_standard_input() {
    let test = TestEnvironment::new();
    assert_snapshot!(test.run_with_input(["validate", "-"], b"site \"a\" mode=\"cold\"\n"));
}

#[test]
fn an_accepted_finding_is_one_line() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", &accepted("2999-12-31"));
    assert_snapshot!(test.run(["validate"]));
    let report: Value =
        serde_json::from_str(&test.run(["validate", "--format", "json"]).stdout).unwrap();
    assert_eq!(report["diagnostics"][0]["acknowledged"], "replaced in June");
    assert_eq!(report["summary"]["errors"], 0);
}

#[test]
fn an_expired_acknowledgement_brings_the_finding_back() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", &accepted("2001-12-31"));
    assert_snapshot!(test.run(["validate"]));
}

/// The failover PBX runs a version below the documented one, and says so.
fn accepted(until: &str) -> String {
    let old = "    wms \"3.86.30011\"\n    platform \"vm\" cores=2 threads=4 cpu=\"xeon\"\n";
    let new = format!(
        "    wms \"3.85.30011\"\n    platform \"vm\" cores=2 threads=4 cpu=\"xeon\"\n    \
         acknowledge \"SW101\" reason=\"replaced in June\" until=\"{until}\"\n"
    );
    assert!(GOOD.contains(old));
    GOOD.replace(old, &new)
}

#[test]
fn warnings_fail_where_denied() {
    let test = TestEnvironment::new();
    test.write(
        "switchover.kdl",
        &format!("{GOOD}\nprovisioning \"spare\" url=\"https://spare.acme.example/\"\n"),
    );
    assert_eq!(test.run(["validate"]).code, Some(0));
    assert_snapshot!(test.run(["validate", "--deny-warnings"]));
}

#[test]
fn places_in_other_files_are_shown_there() {
    let test = TestEnvironment::new();
    test.write(
        "users.kdl",
        "user \"101\" name=\"Somebody else\" pbx=\"pbx1\"\n",
    );
    test.write("switchover.kdl", &format!("include \"users.kdl\"\n{GOOD}"));
    assert_snapshot!(test.run(["validate"]));
}

#[test]
fn characters_that_steer_a_terminal_are_not_printed() {
    let test = TestEnvironment::new();
    test.write(
        "switchover.kdl",
        &GOOD.replace("Acme headquarters", "\u{202e}Acme \u{9b}31m"),
    );
    let output = test.run(["validate"]);
    assert!(
        !output
            .everything()
            .contains(['\u{202e}', '\u{9b}', '\u{1b}']),
        "{output}"
    );
    test.write(
        "switchover.kdl",
        "site \"\u{1b}[31mred\" mode=\"hot-standby\" surprise=1\n",
    );
    let output = test.run(["validate"]);
    assert_eq!(output.code, Some(3));
    assert!(!output.everything().contains('\u{1b}'), "{output}");
}
