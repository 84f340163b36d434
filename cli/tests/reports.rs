//! What `validate` writes for other programs, read by programs that are not ours.

use insta::assert_snapshot;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use crate::checkers::python;
use crate::environment::TestEnvironment;

const GOOD: &str = include_str!("topologies/good.kdl");
const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

/// Below the documented version, and accepted; the warning beside it is not.
fn accepted() -> String {
    let old = "    wms \"3.86.30011\"\n    platform \"vm\" cores=2 threads=4 cpu=\"xeon\"\n";
    assert!(GOOD.contains(old));
    let new = "    wms \"3.85.30011\"\n    platform \"vm\" cores=2 threads=4 cpu=\"xeon\"\n    \
               acknowledge \"SW101\" reason=\"replaced in June, says @ops | **[really](http://x)**\"\n";
    format!(
        "{}\nprovisioning \"spare\" url=\"https://spare.acme.example/\"\n",
        GOOD.replace(old, new)
    )
}

/// Findings that quote what nobody would write who means well.
const HOSTILE: &str = "site \"a|b\" mode=\"<script>alert(1)</script>\"\n\
    pbx \"`x` ::error::y%0A]](http://evil) @all\" role=\"|`*_~<br>\"\n\
    user \"101\" pbx=\"</code></td> ]]> & \\u{1b}[31m\"\n";

fn in_format(topology: &str, arguments: &[&str]) -> String {
    let test = TestEnvironment::new();
    test.write("site/switchover.kdl", topology);
    let command = ["validate", "site/switchover.kdl", "--format"];
    let output = test.run(command.iter().chain(arguments));
    assert_eq!(output.stderr, "");
    output.stdout
}

fn sarif(topology: &str) -> Value {
    serde_json::from_str(&in_format(topology, &["sarif"])).unwrap()
}

fn findings(topology: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(&in_format(topology, &["json"])).unwrap();
    report["diagnostics"].as_array().unwrap().clone()
}

/// With three lines of a site below each other, thousands of findings.
fn many_mistakes(count: usize) -> String {
    let users = (0..count).map(|number| format!("user \"{number}\" name=\"N\" pbx=\"nowhere\"\n"));
    GOOD.to_owned() + &users.collect::<String>()
}

#[test]
fn sarif_of_ten_mistakes() {
    assert_snapshot!(format!("{:#}", sarif(TEN_MISTAKES)["runs"][0]["results"]));
}

#[test]
fn sarif_of_no_findings_still_has_results() {
    let mut log = sarif(GOOD);
    // The rules have tests of their own.
    log["runs"][0]["tool"]["driver"]["rules"] = json!([]);
    let driver = &mut log["runs"][0]["tool"]["driver"];
    for version in ["version", "semanticVersion"] {
        assert_eq!(driver[version], env!("CARGO_PKG_VERSION"));
        driver[version] = json!("VERSION");
    }
    assert_snapshot!(format!("{log:#}"));
}

#[test]
fn sarif_describes_the_rules() {
    let log = sarif(TEN_MISTAKES);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "SW101").unwrap();
    assert_snapshot!(format!("{rule:#}"));
    for result in run["results"].as_array().unwrap() {
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"]);
    }
}

#[test]
fn sarif_is_what_the_standard_says() {
    // A pattern for what we do not write has a bracket too many: it is no regular expression.
    let text = include_str!("schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let schema = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    for topology in [GOOD, TEN_MISTAKES, HOSTILE, &accepted(), "{"] {
        let log = sarif(topology);
        let errors: Vec<String> = schema
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}\n{log:#}", errors.join("\n"));
    }
    let mut wrong = sarif(TEN_MISTAKES);
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] =
        json!(0);
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn sarif_is_read_by_microsofts_reader() {
    let test = TestEnvironment::new();
    let log = test.write("log.sarif", &in_format(TEN_MISTAKES, &["sarif"]));
    let read = python(
        "import json, sys\n\
         from sarif import loader\n\
         log = loader.load_sarif_file(sys.argv[1])\n\
         print(json.dumps([[r['Severity'], r['Code'], r['Location'], r['Line']] for r in log.get_records()]))\n",
        &[&log],
    );
    let mut read: Vec<Value> = serde_json::from_str(&read).unwrap();
    let mut written: Vec<Value> = findings(TEN_MISTAKES)
        .iter()
        .map(|found| {
            json!([
                found["severity"],
                found["code"],
                found["file"],
                found["line"]
            ])
        })
        .collect();
    // Theirs are in another order.
    for list in [&mut read, &mut written] {
        list.sort_by_key(ToString::to_string);
    }
    assert_eq!(read, written);
}

/// The fingerprints of a topology's findings, by code.
fn fingerprints(topology: &str) -> Vec<(String, String)> {
    let log = sarif(topology);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = results.iter().map(|result| {
        let fingerprints = &result["partialFingerprints"];
        (
            text(&result["ruleId"]),
            text(&fingerprints["switchoverFinding/v1"]),
        )
    });
    each.collect()
}

#[test]
fn fingerprints_follow_what_is_written_wherever_it_moves() {
    let before = fingerprints(TEN_MISTAKES);
    let moved = format!(
        "// a remark\n\n\n{}",
        TEN_MISTAKES.replace("\nuser", "\n\n    user")
    );
    assert_eq!(fingerprints(&moved), before);

    let mut distinct = before.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), before.len(), "{before:?}");

    let changed = fingerprints(&TEN_MISTAKES.replace("vlan 5000", "vlan 6000"));
    let different = before.iter().zip(&changed).filter(|(a, b)| a != b).count();
    assert_eq!(different, 1, "{before:?} {changed:?}");
}

#[test]
fn the_same_text_twice_has_two_fingerprints() {
    let twice = "site \"a\" mode=\"cold\"\nsite \"b\" mode=\"cold\"\n";
    let ends: Vec<String> = fingerprints(twice)
        .into_iter()
        .filter(|(code, _)| code == "SW003")
        .map(|(_, print)| print)
        .collect();
    let [first, second] = ends.as_slice() else {
        panic!("two values are wrong: {ends:?}");
    };
    assert_eq!(first.trim_end_matches(":1"), second.trim_end_matches(":2"));
    assert_ne!(first, second);
}

#[test]
fn sarif_says_what_is_accepted() {
    let log = sarif(&accepted());
    let results = log["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<&Value> = results
        .iter()
        .filter(|result| result["suppressions"] != json!([]))
        .collect();
    let open = findings(&accepted())
        .iter()
        .filter(|found| found["acknowledged"].is_null())
        .count();
    assert_eq!(results.len(), suppressed.len() + open);
    let accepted = suppressed
        .iter()
        .find(|result| result["ruleId"] == "SW101")
        .unwrap();
    assert_eq!(accepted["suppressions"][0]["status"], "accepted");
    let reason = &accepted["suppressions"][0]["justification"];
    assert!(
        reason.as_str().unwrap().starts_with("replaced in June"),
        "{reason}"
    );
    assert!(open > 0);
}

#[test]
fn a_finding_without_a_place_is_at_the_beginning() {
    let test = TestEnvironment::new();
    std::fs::write(test.work().join("a b.kdl"), b"site \"\xff\"\n").unwrap();
    let output = test.run(["validate", "a b.kdl", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&output.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.kdl");
    assert_eq!(place["region"]["startLine"], 1);
    for format in ["github", "junit", "markdown"] {
        let output = test.run(["validate", "a b.kdl", "--format", format]);
        assert!(output.stdout.contains("a b.kdl"), "{output}");
        assert_eq!(output.code, Some(3));
    }
}

#[test]
fn github_of_ten_mistakes() {
    assert_snapshot!(in_format(TEN_MISTAKES, &["github"]));
}

#[test]
fn github_of_no_findings() {
    let text = in_format(GOOD, &["github"]);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("::"), "{text}");
}

#[test]
fn github_commands_are_one_line_each() {
    let text = in_format(HOSTILE, &["github"]);
    let count = findings(HOSTILE).len();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), count + 1, "{text}");
    for line in &lines[..count] {
        let (properties, message) = line.trim_start_matches("::").split_once("::").unwrap();
        assert!(properties.starts_with("error title=SW"), "{line}");
        // title, file, line, endLine, col and endColumn: no comma of a value separates.
        assert_eq!(properties.split(',').count(), 6, "{line}");
        assert!(message.starts_with("site/switchover.kdl:"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn github_shows_nothing_of_what_is_accepted() {
    let text = in_format(&accepted(), &["github"]);
    assert!(!text.contains("SW101"), "{text}");
    assert!(
        text.contains("SW009") && text.ends_with(" accepted\n"),
        "{text}"
    );
}

#[test]
fn junit_of_ten_mistakes() {
    assert_snapshot!(in_format(
        TEN_MISTAKES,
        &["junit", "--only", "SW101,SW102,SW103,SW009"]
    ));
}

#[test]
fn junit_of_no_findings() {
    assert_snapshot!(in_format(GOOD, &["junit", "--only", "SW101"]));
}

/// `[tests, failures, errors, skipped, classes]`, and the files and lines of the findings, as read by junitparser.
fn as_junitparser_reads(text: &str) -> (Value, Vec<Value>) {
    let test = TestEnvironment::new();
    let file = test.write("report.xml", text);
    let read = python(
        "import json, sys\n\
         from junitparser import JUnitXml\n\
         report = JUnitXml.fromfile(sys.argv[1])\n\
         report.update_statistics()\n\
         cases = [case for suite in report for case in suite]\n\
         bad = [case for case in cases if case.result]\n\
         print(json.dumps([\n\
             [report.tests, report.failures, report.errors, report.skipped, len({c.classname for c in cases})],\n\
             [[c._elem.get('file'), int(c._elem.get('line')), c.classname.split()[0]] for c in bad],\n\
             len({(c.classname, c.name) for c in cases}),\n\
         ]))\n",
        &[&file],
    );
    let read: Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read[2], read[0][0], "two tests of one name: {text}");
    (read[0].clone(), read[1].as_array().unwrap().clone())
}

#[test]
fn junit_is_read_by_junitparser() {
    let (counts, found) = as_junitparser_reads(&in_format(TEN_MISTAKES, &["junit"]));
    let written = findings(TEN_MISTAKES);
    let errors = written
        .iter()
        .filter(|found| found["severity"] == "error")
        .count();
    assert_eq!(
        [&counts[1], &counts[2], &counts[3]],
        [&json!(errors), &json!(0), &json!(written.len() - errors)]
    );
    let expected: Vec<Value> = written
        .iter()
        .map(|found| json!([found["file"], found["line"], found["code"]]))
        .collect();
    assert_eq!(found, expected);

    // A rule without findings is a test that passes: there are as many classes as rules.
    let (clean, _) = as_junitparser_reads(&in_format(GOOD, &["junit", "--no-plugins"]));
    assert_eq!([&clean[1], &clean[4]], [&json!(0), &counts[4]]);
}

#[test]
fn junit_fails_where_the_run_does() {
    let topology = accepted();
    let found = findings(&topology);
    let warnings = found
        .iter()
        .filter(|found| found["severity"] == "warning" && found["acknowledged"].is_null())
        .count();
    assert!(warnings > 0);
    for (arguments, failures) in [
        (&["junit"][..], 0),
        (&["junit", "--deny-warnings"], warnings),
    ] {
        let (counts, _) = as_junitparser_reads(&in_format(&topology, arguments));
        assert_eq!([&counts[1], &counts[3]], [failures, found.len() - failures]);
    }
}

#[test]
fn junit_survives_anything_quoted() {
    let (counts, _) = as_junitparser_reads(&in_format(HOSTILE, &["junit"]));
    assert_eq!(counts[1], findings(HOSTILE).len());
}

#[test]
fn markdown_of_ten_mistakes() {
    assert_snapshot!(in_format(TEN_MISTAKES, &["markdown"]));
}

#[test]
fn markdown_of_no_findings() {
    assert_snapshot!(in_format(GOOD, &["markdown"]));
}

#[test]
fn markdown_folds_what_is_accepted() {
    assert_snapshot!(in_format(&accepted(), &["markdown"]));
}

/// Rows of tables, and what is neither text nor one of the tags that we write.
fn as_commonmark_reads(page: &str) -> (usize, Vec<String>) {
    let ours = ["<br>", "<code>", "</code>", "<em>", "</em>"];
    let (mut rows, mut foreign) = (0, Vec::new());
    for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::TableRow) => rows += 1,
            Event::InlineHtml(tag) if ours.contains(&&*tag) => {}
            Event::Html(tag) if tag.contains("details>") => {}
            Event::Start(
                Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough,
            )
            | Event::InlineHtml(_)
            | Event::Html(_)
            | Event::Code(_) => foreign.push(format!("{event:?}")),
            _ => {}
        }
    }
    (rows, foreign)
}

#[test]
fn markdown_means_nothing_but_what_we_mean() {
    for topology in [HOSTILE, TEN_MISTAKES, &accepted()] {
        let each = in_format(topology, &["markdown", "--all"]);
        let (rows, foreign) = as_commonmark_reads(&each);
        assert_eq!(rows, findings(topology).len(), "{each}");
        assert!(foreign.is_empty(), "{foreign:?}\n{each}");
        let page = in_format(topology, &["markdown"]);
        let (grouped, foreign) = as_commonmark_reads(&page);
        assert!(0 < grouped && grouped <= rows, "{page}");
        assert!(foreign.is_empty(), "{foreign:?}\n{page}");
    }
}

#[test]
fn markdown_is_no_longer_than_github_takes() {
    let count = 3_000;
    let page = in_format(&many_mistakes(count), &["markdown", "--all"]);
    let length = page.chars().count();
    assert!((60_000..=65_536).contains(&length), "{length}");
    let (rows, _) = as_commonmark_reads(&page);
    let last = page.lines().last().unwrap();
    let total = findings(&many_mistakes(count)).len();
    let more = last
        .strip_prefix("… and ")
        .and_then(|rest| rest.split_once(" more findings ("))
        .map_or_else(|| panic!("{last}"), |(more, _)| more.replace(' ', ""));
    assert_eq!(rows + more.parse::<usize>().unwrap(), total, "{last}");
}

#[test]
fn no_format_takes_long_for_many_findings() {
    // A look at the whole file for every finding takes minutes here.
    let topology = many_mistakes(5_000);
    for format in ["human", "json", "sarif", "github", "junit", "markdown"] {
        let started = std::time::Instant::now();
        in_format(&topology, &[format]);
        let took = started.elapsed();
        assert!(took.as_secs() < 60, "{format}: {took:?}");
    }
}

#[test]
fn names_of_files_are_encoded() {
    let test = TestEnvironment::new();
    test.write("süd/a,b:c.kdl", TEN_MISTAKES);
    let output = test.run(["validate", "süd/a,b:c.kdl", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&output.stdout).unwrap();
    let place =
        &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(
        place,
        &json!({"uri": "s%C3%BCd/a,b%3Ac.kdl", "uriBaseId": "%SRCROOT%"})
    );
    let output = test.run(["validate", "süd/a,b:c.kdl", "--format", "github"]);
    assert!(
        output.stdout.contains(",file=süd/a%2Cb%3Ac.kdl,"),
        "{output}"
    );
}
