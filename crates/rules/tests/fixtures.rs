//! Every rule has an explanation, a source, a topology that breaks it and one that just passes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use switchover_rules::{Rule, all, judge, rule};
use switchover_topology::{Diagnostic, Sources, load};

use crate::showing::{TODAY, show};

/// Rules that are checked while the document is read have their fixtures where that is done.
fn folder(rule: &Rule) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read_there = rule.code.starts_with("SW0") && rule.code != "SW007";
    if read_there {
        root.join("../topology/tests/fixtures")
    } else {
        root.join("tests/fixtures")
    }
}

/// Rules that one topology can break. What several do together is in `across.rs`.
fn of_one_site() -> impl Iterator<Item = &'static Rule> {
    all().iter().filter(|rule| !rule.code.starts_with("SW6"))
}

fn fixture(rule: &Rule, kind: &str) -> (Sources, Vec<Diagnostic>) {
    let path = folder(rule).join(format!("{}-{kind}.kdl", rule.code));
    assert!(path.is_file(), "{} is missing", path.display());
    let loaded = load(&path);
    (
        loaded.sources,
        judge(&loaded.topology, loaded.diagnostics, TODAY),
    )
}

#[test]
fn bad_fixtures_raise_their_rule() {
    for rule in of_one_site() {
        let (_, found) = fixture(rule, "bad");
        assert!(
            found.iter().any(|found| found.code == rule.code),
            "{}-bad raises {found:#?}",
            rule.code
        );
    }
}

#[test]
fn good_fixtures_do_not_raise_their_rule() {
    for rule in of_one_site() {
        let (_, found) = fixture(rule, "good");
        let raised: Vec<_> = found
            .iter()
            .filter(|found| found.code == rule.code)
            .collect();
        assert!(raised.is_empty(), "{}-good raises {raised:#?}", rule.code);
    }
}

#[test]
fn findings_bear_the_name_and_weight_of_their_rule() {
    for (fixture_of, kind) in of_one_site().flat_map(|rule| [(rule, "bad"), (rule, "good")]) {
        for found in fixture(fixture_of, kind).1 {
            let rule = rule(&found.code).unwrap_or_else(|| panic!("no rule {}", found.code));
            assert_eq!(
                (found.name.as_str(), found.severity),
                (rule.name, rule.severity),
                "{}",
                found.code
            );
        }
    }
}

#[test]
fn golden_findings() {
    for rule in of_one_site().filter(|rule| folder(rule).ends_with("rules/tests/fixtures")) {
        for kind in ["bad", "good"] {
            let (sources, mut found) = fixture(rule, kind);
            // Fixtures are short and name no target: who configures them is the point of SW5xx alone.
            found.retain(|found| rule.code.starts_with("SW5") || !found.code.starts_with("SW5"));
            insta::assert_snapshot!(format!("{}-{kind}", rule.code), show(&sources, &found));
        }
    }
}

#[test]
fn no_fixture_is_without_a_rule() {
    let expected: BTreeSet<String> = of_one_site()
        .filter(|rule| folder(rule).ends_with("rules/tests/fixtures"))
        .flat_map(|rule| ["bad", "good"].map(|kind| format!("{}-{kind}.kdl", rule.code)))
        .collect();
    let present: BTreeSet<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    assert_eq!(present, expected);
}

#[test]
fn every_rule_is_explained_and_sourced() {
    assert!(
        all().is_sorted_by(|a, b| a.code < b.code),
        "codes ascend, none twice"
    );
    for rule in all() {
        let code = rule.code;
        assert!(
            !rule.sources.is_empty() && !rule.wms.is_empty() && !rule.summary.is_empty(),
            "{code}"
        );
        assert!(
            rule.explanation
                .starts_with(&format!("# {code} {}\n", rule.name)),
            "{code}"
        );
        let parts = [
            "## Why",
            "## How to fix it",
            "## Raises it",
            "## Passes",
            "## Source",
        ];
        let places: Vec<_> = parts
            .iter()
            .map(|part| rule.explanation.find(&format!("\n{part}\n\n")))
            .collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{code}: {places:?}"
        );
        assert!(
            rule.explanation
                .lines()
                .all(|line| line.chars().count() <= 120),
            "{code}"
        );
    }
}

#[test]
fn rules_are_found_in_any_letter_case() {
    assert_eq!(rule("sw104").map(|rule| rule.code), Some("SW104"));
    assert!(rule("SW999").is_none());
}
