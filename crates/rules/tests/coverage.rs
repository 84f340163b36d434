//! The page that traces every statement of the vendor's guide, held against the rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use switchover_rules::{all, rule};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide-coverage.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every word of the page that looks like a code: `SW` and digits.
fn codes_on(page: &str) -> BTreeSet<&str> {
    page.split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| {
            word.strip_prefix("SW").is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
            })
        })
        .collect()
}

/// The rows of the tables of statements: number, statement, where it is found again.
fn rows(page: &str) -> Vec<[&str; 3]> {
    page.lines()
        .filter(|line| line.starts_with("| G") || line.starts_with("| H"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells
                .try_into()
                .unwrap_or_else(|cells| panic!("not three cells: {cells:?}"))
        })
        .collect()
}

#[test]
fn every_code_on_the_page_is_a_rule() {
    let page = page();
    let unknown: Vec<&str> = codes_on(&page)
        .into_iter()
        .filter(|code| rule(code).is_none())
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_rule_of_the_guide_is_on_the_page() {
    let page = page();
    let named = codes_on(&page);
    let missing: Vec<&str> = all()
        .iter()
        .map(|rule| rule.code)
        .filter(|code| {
            ["SW1", "SW2", "SW3"]
                .iter()
                .any(|family| code.starts_with(family))
        })
        .filter(|code| !named.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn statements_are_numbered_and_each_is_accounted_for() {
    let page = page();
    let rows = rows(&page);
    for family in ["G", "H"] {
        let numbers: Vec<usize> = rows
            .iter()
            .filter_map(|[number, ..]| number.strip_prefix(family)?.parse().ok())
            .collect();
        assert!(
            !numbers.is_empty() && numbers.iter().copied().eq(1..=numbers.len()),
            "{family}: {numbers:?}"
        );
    }
    let kinds = [
        "rule ",
        "catalogue ",
        "rendered ",
        "language ",
        "impact report",
        "runbook",
        "engine ",
    ];
    for [number, statement, traced] in rows {
        assert!(!statement.is_empty(), "{number}");
        assert!(
            kinds.iter().any(|kind| traced.contains(kind)),
            "{number} leads nowhere: {traced}"
        );
    }
}

#[test]
fn what_is_named_in_the_source_tree_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = page();
    let paths: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('/') && word.ends_with(".rs"))
        .collect();
    assert!(!paths.is_empty());
    for path in paths {
        assert!(root.join(path).is_file(), "{path}");
    }
}
