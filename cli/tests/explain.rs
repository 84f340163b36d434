use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::TestEnvironment;

#[test]
fn a_rule_in_the_terminal() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW104"]));
}

#[test]
fn letter_case_does_not_matter() {
    let test = TestEnvironment::new();
    assert_eq!(
        test.run(["explain", "sw104"]).stdout,
        test.run(["explain", "SW104"]).stdout
    );
}

#[test]
fn a_rule_as_json() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW101", "--format", "json"]));
}

#[test]
fn a_rule_as_markdown() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW101", "--format", "markdown"]));
}

#[test]
fn an_unknown_code_names_the_nearest() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW140"]));
}

#[test]
fn a_name_for_a_code_is_understood_as_such() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "failover-vm-to-small"]));
}

#[test]
fn nothing_near() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "everything"]));
}

#[test]
fn a_finding_of_a_plugin_in_the_terminal() {
    let test = TestEnvironment::new();
    assert_snapshot!(test.run(["explain", "PROV003"]));
    assert_eq!(
        test.run(["explain", "prov003"]).stdout,
        test.run(["explain", "PROV003"]).stdout
    );
}

#[test]
fn a_finding_that_only_the_server_shows() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "WILDIX103"]));
}

#[test]
fn a_finding_of_a_plugin_as_json() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "KEA011", "--format", "json"]));
}

#[test]
fn a_finding_of_a_plugin_as_markdown() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "KEA011", "--format", "markdown"]));
}

#[test]
fn an_unknown_code_of_a_plugin_names_the_nearest() {
    let test = TestEnvironment::new();
    let told = ["PROV33", "KAE002", "no-templates", "prov", "SW1"].map(|code| {
        let output = test.run(["explain", code]);
        assert_eq!(output.code, Some(2), "{code}");
        output.stderr
    });
    assert_snapshot!(told.join("\n"));
}

/// Of the bundled plugins, by their codes.
fn findings_of_plugins(test: &TestEnvironment) -> BTreeMap<String, (String, Value)> {
    let list = test.run(["plugin", "list", "--format", "json"]).stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let mut found = BTreeMap::new();
    for plugin in list["plugins"].as_array().unwrap() {
        let name = plugin["name"].as_str().unwrap();
        let manifest = test.run(["plugin", "inspect", name, "--format", "json"]);
        let manifest: Value = serde_json::from_str(&manifest.stdout).unwrap();
        for kind in manifest["findings"].as_array().unwrap() {
            let code = kind["code"].as_str().unwrap().to_owned();
            let before = found.insert(code, (name.to_owned(), kind.clone()));
            assert_eq!(before, None, "two plugins declare one code");
        }
    }
    found
}

#[test]
fn every_plugin_has_findings_and_no_two_have_one_code() {
    let test = TestEnvironment::new();
    let found = findings_of_plugins(&test);
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (code, (plugin, _)) in &found {
        first.entry(plugin).or_insert(code);
    }
    assert_eq!(first.len(), 7, "{first:?}");
    for (plugin, code) in first {
        let told = test.run(["explain", code, "--format", "json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told["plugin"]["name"], *plugin, "{code}");
        assert_eq!(told["summary"], found[code].1["summary"], "{code}");
    }
}

/// `docs/plugins.md` says of a finding what the terminal says.
#[test]
fn the_page_of_the_plugins_explains_each_finding() {
    let test = TestEnvironment::new();
    test.run(["generate-reference", "."]);
    let page = std::fs::read_to_string(test.work().join("docs/plugins.md")).unwrap();
    for (code, (_, kind)) in findings_of_plugins(&test) {
        let heading = format!("\n#### {code} {}\n", kind["name"].as_str().unwrap());
        let (_, rest) = page.split_once(&heading).expect("a heading");
        let (text, _) = rest.split_once("\n#").unwrap_or((rest, ""));
        assert!(
            text.contains(kind["explanation"].as_str().unwrap()),
            "{code}"
        );
    }
}
