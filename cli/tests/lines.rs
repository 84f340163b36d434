//! Plans say what they configure in the words of its servers, and never more than their fields do.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::{TestEnvironment, assert_no_secret};

const QUICKSTART: &str = include_str!("../../examples/quickstart/switchover.kdl");
const KAMAILIO: &str = include_str!("../../examples/kamailio/switchover.kdl");

fn quickstart() -> TestEnvironment {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", QUICKSTART);
    test
}

#[test]
fn the_first_plan_of_the_quickstart_fits_on_a_screen() {
    let planned = quickstart().run(["plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(planned.stdout.lines().count() <= 45, "{planned}");
    assert!(
        planned
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 80),
        "{planned}"
    );
    assert_snapshot!(planned.stdout);
}

#[test]
fn a_change_stands_beside_what_is_there() {
    let test = quickstart();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let changed = QUICKSTART
        .replace("10.20.30.11", "10.20.30.12")
        .replace("lease \"8h\"", "lease \"1h\"")
        .replace("\"10.20.0.54\"  ", "\"10.20.0.55\"  ")
        .replace("name=\"Sales\"", "name=\"Sales Office\"");
    test.write("switchover.kdl", &changed);
    let planned = test.run(["plan"]);
    assert_snapshot!(planned.stdout);

    // What was kept says the same without asking a plugin again, and so does going back.
    let kept = test.run(["plan", "--out", "plan.json"]);
    assert_eq!(kept.code, Some(0), "{kept}");
    let applied = test.run(["apply", "plan.json", "--yes"]);
    assert!(
        applied
            .stderr
            .contains("~ host 9c:75:14:00:01:01 10.20.30.11 → 10.20.30.12 reception\n"),
        "{applied}"
    );
    let back = test.run(["rollback", "1", "--dry-run"]);
    assert!(
        back.stdout
            .contains("~ host 9c:75:14:00:01:01 10.20.30.12 → 10.20.30.11 reception\n"),
        "{back}"
    );
    let between = test.run(["generations", "diff", "1", "2"]);
    assert_eq!(between.stdout, planned.stdout, "{between}");
}

#[test]
fn a_terminal_that_is_wider_is_used() {
    let mut test = quickstart();
    let narrow = test.run(["plan"]).stdout;
    test.set("COLUMNS", "120");
    let wide = test.run(["plan"]).stdout;
    assert!(wide.lines().count() < narrow.lines().count(), "{wide}");
    assert!(
        wide.contains("IN NAPTR 10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example.\n"),
        "{wide}"
    );
}

#[test]
fn what_is_drawn_fits_the_locale() {
    let mut test = quickstart();
    test.set("LC_ALL", "C");
    let planned = test.run(["plan"]);
    assert!(planned.everything().is_ascii(), "{planned}");
    assert!(
        planned.stdout.contains("1. files - provisioning"),
        "{planned}"
    );
    let failed = test.run(["validate", "nowhere.kdl"]);
    assert!(failed.stderr.is_ascii(), "{failed}");
}

/// Two Kamailios with the telephones' passwords, in folders.
fn kamailio() -> TestEnvironment {
    let test = TestEnvironment::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/kamailio");
    for file in ["users.csv", "phones.csv"] {
        test.write(file, &std::fs::read_to_string(example.join(file)).unwrap());
    }
    let folders = KAMAILIO
        .replace("ssh://root@10.20.0.10/etc/kamailio", "sip1")
        .replace("ssh://root@10.20.1.10/etc/kamailio", "sip2")
        .replace("ssh://root@10.20.30.5/etc/dnsmasq.d", "dnsmasq")
        .replace("ssh://root@10.20.30.5/srv/provisioning", "files");
    test.write("switchover.kdl", &folders);
    for folder in ["sip1", "sip2", "dnsmasq", "files", "passwords"] {
        std::fs::create_dir(test.work().join(folder)).unwrap();
    }
    for extension in users(&test) {
        let file = test.write(&format!("passwords/{extension}"), SECRET);
        std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
    test
}

fn users(test: &TestEnvironment) -> Vec<String> {
    let table = std::fs::read_to_string(test.work().join("users.csv")).unwrap();
    let rows = table.lines().skip(1);
    rows.filter_map(|row| Some(row.split(',').next()?.to_owned()))
        .collect()
}

const SECRET: &str = "s3cr3t-of-a-telephone";
/// A password that somebody else wrote.
const OTHER: &str = "hunter2-by-hand";

/// Every place in which a plan shows lines.
fn every_format(test: &TestEnvironment) -> Vec<String> {
    let formats: [&[&str]; 4] = [
        &["plan"],
        &["plan", "--full"],
        &["plan", "--format", "markdown", "--full"],
        &["plan", "--format", "json", "--out", "plan.json"],
    ];
    let run = |arguments: &&[&str]| {
        let planned = test.run(*arguments);
        assert_eq!(planned.code, Some(0), "{planned}");
        planned.everything()
    };
    formats.iter().map(run).collect()
}

#[test]
fn no_line_tells_a_secret() {
    let test = kamailio();
    // Passwords of other hands are in the place of ours.
    let rows = format!(
        "event_route[htable:mod-init] {{\n    $sht(switchover_users=>201) = '{OTHER}';\n    return;\n}}\n"
    );
    test.write("sip1/switchover.cfg", &rows);
    test.write(
        "files/9c7514000101.cfg",
        &format!("Config.Account1.GENERAL.Pwd = {OTHER}\n"),
    );
    let told = every_format(&test);
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(test.work().join("plan.json")).unwrap())
            .unwrap();
    let changes: Vec<&Value> = document["targets"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|target| target["changes"].as_array().unwrap())
        .collect();
    assert!(
        changes
            .iter()
            .all(|change| change["after"].is_null() != change["after_line"].is_object()),
        "each change of these plugins has its line"
    );
    let changed = changes
        .iter()
        .find(|change| change["address"] == "user/201" && change["action"] == "update")
        .expect("the other password is in the place of ours");
    for side in ["before_line", "after_line"] {
        assert_eq!(
            changed[side]["columns"].to_string(),
            r#"["user 201","password (sensitive)"]"#
        );
    }
    assert!(
        told[0].contains(
            "~ user 201 password (sensitive)\n      only a value that is not shown changes\n"
        ),
        "{}",
        told[0]
    );
    std::fs::remove_dir_all(test.work().join("passwords")).unwrap();
    for folder in ["sip1", "files"] {
        std::fs::remove_dir_all(test.work().join(folder)).unwrap();
    }
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_no_secret(&[SECRET, OTHER], &told, &test.work());
}
