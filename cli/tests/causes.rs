//! Findings of one cause are one entry for people, and one for each place for programs.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::TestEnvironment;

const GOOD: &str = include_str!("topologies/good.kdl");

/// Users of a PBX that is not there, all with the same mistake, and one with another.
fn same_mistake(users: usize) -> String {
    let mut text = GOOD.to_owned();
    for number in 0..users {
        let pbx = if number == 3 { "pbx11" } else { "nowhere" };
        writeln!(text, "user \"{}\" name=\"N\" pbx=\"{pbx}\"", 1_000 + number).unwrap();
    }
    text
}

fn validate(topology: &str, arguments: &[&str]) -> String {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", topology);
    let output = test.run(["validate"].iter().chain(arguments));
    assert_eq!(output.stderr, "", "{output}");
    output.stdout
}

#[test]
fn one_mistake_at_many_places_is_one_entry() {
    assert_snapshot!(validate(&same_mistake(9), &["-q"]));
}

#[test]
fn one_mistake_at_many_places_is_one_row_of_a_comment() {
    assert_snapshot!(validate(&same_mistake(9), &["--format", "markdown"]));
}

#[test]
fn all_shows_each() {
    let text = validate(&same_mistake(9), &["--all"]);
    assert_eq!(text.matches("\nSW005 ").count() + 1, 9, "{text}");
    assert!(!text.contains('×') || !text.contains("also:"), "{text}");
    // Accepted ones as well.
    assert!(
        text.contains("SW407 no-ntp accepted at switchover.kdl"),
        "{text}"
    );
}

#[test]
fn programs_are_told_of_each_place() {
    let topology = same_mistake(9);
    let json: Value = serde_json::from_str(&validate(&topology, &["--format", "json"])).unwrap();
    let found = json["diagnostics"].as_array().unwrap();
    let of = |code: &str| found.iter().filter(|found| found["code"] == code).count();
    assert_eq!(of("SW005"), 9);
    let github = validate(&topology, &["--format", "github"]);
    assert_eq!(github.matches("title=SW005").count(), 9, "{github}");
    let junit = validate(&topology, &["--format", "junit"]);
    assert_eq!(junit.matches("classname=\"SW005 ").count(), 9, "{junit}");
}

#[test]
fn places_scattered_over_a_file_are_listed_as_far_as_they_are_read() {
    let mut text = GOOD.to_owned();
    for number in 0..20 {
        writeln!(
            text,
            "user \"{}\" name=\"N\" pbx=\"nowhere\"\n",
            1_000 + number
        )
        .unwrap();
    }
    let shown = validate(&text, &[]);
    assert!(shown.contains("SW005 unresolved-reference ×20"), "{shown}");
    let also = shown.lines().find(|line| line.contains("also:")).unwrap();
    assert!(also.ends_with("and 13 more; `--all` shows each"), "{shown}");
}

/// Every one of them another cause, because the number that the rule gives is another.
#[test]
fn of_many_causes_of_one_rule_the_first_are_drawn() {
    let mut text = GOOD.to_owned();
    for number in 0..40 {
        writeln!(
            text,
            "device \"d{number}\" model=\"WP600A\" mac=\"9c:75:14:01:00:{number:02x}\" firmware=\"2.7.{number}\""
        )
        .unwrap();
    }
    let shown = validate(&text, &["-q"]);
    assert_eq!(
        shown.matches("SW202 firmware-too-old\n").count(),
        10,
        "{shown}"
    );
    let rest = shown.find("SW202 firmware-too-old ×30 more").unwrap();
    assert_snapshot!(&shown[rest..]);
}

#[test]
fn findings_at_one_place_are_told_once_with_names() {
    let mut text = GOOD.replace("defaults \"device\"", "defaults \"device\" model=\"W-AIR\"");
    assert_ne!(text, GOOD);
    for number in 0..9 {
        writeln!(
            text,
            "device \"d{number}\" mac=\"9c:75:14:01:00:{number:02x}\""
        )
        .unwrap();
    }
    assert_snapshot!(validate(&text, &["-q", "--only", "SW201"]));
}

#[test]
fn what_is_accepted_is_a_line_a_rule_and_none_where_quiet() {
    let mut text = GOOD.to_owned();
    for number in 0..3 {
        writeln!(
            text,
            "device \"d{number}\" model=\"W02FXSR2\" mac=\"9c:75:14:01:00:{number:02x}\" {{\n    \
             acknowledge \"SW205\" reason=\"analogue fax only, line {}\"\n}}",
            number / 2
        )
        .unwrap();
    }
    assert_snapshot!(validate(&text, &["--only", "SW2"]));
    let quiet = validate(&text, &["--only", "SW2", "-q"]);
    assert!(!quiet.contains("analogue"), "{quiet}");
    assert!(
        quiet.lines().last().unwrap().ends_with("accepted"),
        "{quiet}"
    );
}

/// The example of a site with 55 findings that people have accepted.
#[test]
fn a_clean_site_is_a_few_lines() {
    let test = TestEnvironment::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hq");
    let output = test.run([
        "validate".as_ref(),
        example.join("switchover.kdl").as_os_str(),
    ]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.lines().count() < 15, "{output}");
}

#[test]
fn lines_break_at_the_width_and_not_inside_of_what_is_quoted() {
    let mut test = TestEnvironment::new();
    test.write("switchover.kdl", &same_mistake(30));
    for width in ["40", "80", "120"] {
        test.set("COLUMNS", width);
        let shown = test.run(["validate"]).stdout;
        for line in shown.lines() {
            assert!(
                line.matches('`').count().is_multiple_of(2),
                "{line}\n{shown}"
            );
        }
    }
    let wide = test.run([
        "validate",
        "no such file, and a long name that needs room.kdl",
    ]);
    test.set("COLUMNS", "40");
    let narrow = test.run([
        "validate",
        "no such file, and a long name that needs room.kdl",
    ]);
    assert!(
        wide.stderr.lines().count() < narrow.stderr.lines().count(),
        "{wide}\n{narrow}"
    );
}

#[test]
fn nothing_but_ascii_is_drawn_where_the_locale_has_nothing_else() {
    let mut test = TestEnvironment::new();
    test.write("switchover.kdl", &same_mistake(9));
    test.set("LANG", "it_IT.UTF-8");
    assert!(!test.run(["validate"]).stdout.is_ascii());
    test.set("LC_ALL", "C");
    let shown = test.run(["validate"]).stdout;
    assert!(shown.is_ascii(), "{shown}");
    assert!(shown.contains("SW005 unresolved-reference x8"), "{shown}");
    let failed = test.run(["validate", "nowhere.kdl"]).stderr;
    assert!(failed.is_ascii(), "{failed}");
}

#[test]
fn a_place_in_another_file_is_a_note() {
    let test = TestEnvironment::new();
    test.write(
        "users.kdl",
        "user \"101\" name=\"Somebody else\" pbx=\"pbx1\"\n",
    );
    test.write("switchover.kdl", &format!("include \"users.kdl\"\n{GOOD}"));
    let shown = test.run(["validate"]).stdout;
    assert!(shown.contains("\n  note: first declared here\n"), "{shown}");
    assert!(!shown.contains('☞') && !shown.contains("Advice"), "{shown}");
}
