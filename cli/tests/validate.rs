use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::TestEnvironment;

const GOOD: &str = include_str!("topologies/good.kdl");
const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

#[test]
fn a_good_topology_has_no_findings() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    // What the other rules say of it is accepted.
    assert_snapshot!(test.run(["validate", "--only", "SW0,SW1"]), @r"
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
fn each_mistake_is_told_once_in_file_order_and_with_a_way_out() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    let output = test.run(["validate", "--format", "json"]);
    let found: Value = serde_json::from_str(&output.stdout).unwrap();
    let found = found["diagnostics"].as_array().unwrap();
    let places: Vec<_> = found
        .iter()
        .map(|finding| {
            assert!(finding["help"].is_string(), "no help: {finding}");
            let number = |key: &str| finding[key].as_u64().unwrap();
            (number("line"), number("column"), finding["code"].as_str())
        })
        .collect();
    assert!(places.len() > 10 && places.is_sorted(), "{places:?}");
    let distinct: std::collections::BTreeSet<_> = places.iter().collect();
    assert_eq!(distinct.len(), places.len(), "{places:?}");
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
    let found = report["diagnostics"].as_array().unwrap();
    let finding = found.iter().find(|found| found["code"] == "SW005").unwrap();
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
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let reasons: Vec<&Value> = diagnostics
        .iter()
        .map(|found| &found["acknowledged"])
        .collect();
    assert!(
        reasons.contains(&&Value::from("replaced in June")),
        "{reasons:?}"
    );
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

fn codes(test: &TestEnvironment, arguments: &[&str]) -> Vec<String> {
    let all = ["validate", "--format", "json"].iter().chain(arguments);
    let report: Value = serde_json::from_str(&test.run(all).stdout).unwrap();
    let found = report["diagnostics"].as_array().unwrap();
    let codes = found
        .iter()
        .map(|found| found["code"].as_str().unwrap().to_owned());
    codes.collect()
}

#[test]
fn what_is_left_out_is_neither_shown_nor_counted() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", &accepted("2001-12-31"));
    let only = codes(&test, &["--only", "sw1"]);
    assert!(only.iter().all(|code| code.starts_with("SW1")), "{only:?}");
    assert!(only.contains(&"SW101".to_owned()), "{only:?}");
    assert_eq!(test.run(["validate", "--only", "SW1"]).code, Some(3));
    let skipped = codes(&test, &["--skip", "SW101"]);
    assert!(!skipped.contains(&"SW101".to_owned()), "{skipped:?}");
    assert_eq!(test.run(["validate", "--skip", "SW101"]).code, Some(0));
}

#[test]
fn what_cannot_be_understood_is_never_left_out() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    for arguments in [["--only", "SW101"], ["--skip", "SW"]] {
        assert!(codes(&test, &arguments).contains(&"SW003".to_owned()));
    }
    assert_snapshot!(test.run(["validate", "--skip", "SW003"]));
}

#[test]
fn an_unknown_code_to_choose_names_the_nearest() {
    assert_snapshot!(TestEnvironment::new().run(["validate", "--only", "SW1,SW140"]));
}

#[test]
fn codes_of_plugins_can_be_chosen() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", &accepted("2999-12-31"));
    let found = codes(&test, &["--only", "PROV,kea0", "--skip", "KEA003,prov001"]);
    assert_eq!(found, ["PROV004"]);
    let found = codes(&test, &["--only", "PROV,SW101", "--skip", "PROV004"]);
    assert!(
        found.iter().all(|code| code == "SW101") && !found.is_empty(),
        "{found:?}"
    );
    assert!(codes(&test, &["--skip", "KEA"]).contains(&"SW101".to_owned()));
}

#[test]
fn what_is_no_code_of_a_plugin_is_refused() {
    let test = TestEnvironment::new();
    for written in [
        "",
        " ",
        "é",
        "S\u{301}W",
        "wms-too-old",
        "no-template",
        "PROV999",
        "PROVE",
        "KEA0011",
        "KEA 001",
    ] {
        for option in ["--only", "--skip"] {
            let output = test.run(["validate", option, written]);
            assert_eq!(output.code, Some(2), "{written:?}");
            assert!(
                output.stderr.contains("switchover::validate::unknown_code"),
                "{written:?}: {}",
                output.stderr
            );
        }
    }
    assert_snapshot!(test.run(["validate", "--only", "PROV0033"]));
}

#[test]
fn findings_do_not_fail_where_that_is_said() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    assert_eq!(test.run(["validate", "--exit-zero"]).code, Some(0));
    assert_eq!(
        test.run(["validate", "nowhere.kdl", "--exit-zero"]).code,
        Some(1)
    );
    assert_eq!(
        test.run(["validate", "--exit-zero", "--deny-warnings"])
            .code,
        Some(2)
    );
}
