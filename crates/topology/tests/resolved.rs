//! The resolved forms.

use std::path::Path;

use switchover_topology::{load, schema, to_json, to_kdl};

use crate::support::{fixture, plain, read};

#[test]
fn the_written_schema_is_the_one_that_the_code_describes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/topology.schema.json");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(written, schema(), "regenerate schemas/topology.schema.json");
}

#[test]
fn resolved_forms_satisfy_the_schema() {
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema())
        .unwrap();
    for name in [
        "whole.kdl",
        "SW003-good.kdl",
        "SW008-good.kdl",
        "SW009-good.kdl",
    ] {
        let resolved = to_json(&load(&fixture(name)).topology);
        let errors: Vec<_> = validator
            .iter_errors(&resolved)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
    let mut wrong = to_json(&load(&fixture("whole.kdl")).topology);
    wrong["pbx"][0]["address"] = "10.20.0.300".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_whole_example_resolved() {
    let loaded = load(&fixture("whole.kdl"));
    insta::assert_json_snapshot!("whole-json", to_json(&loaded.topology));
    insta::assert_snapshot!("whole-kdl", to_kdl(&loaded.topology));
}

#[test]
fn the_resolved_form_means_the_same() {
    for name in [
        "whole.kdl",
        "SW003-good.kdl",
        "SW008-good.kdl",
        "SW009-good.kdl",
    ] {
        let first = load(&fixture(name));
        let again = read(&to_kdl(&first.topology));
        assert_eq!(
            to_json(&again.topology),
            to_json(&first.topology),
            "{name}: {}",
            plain(&again)
        );
        assert!(
            again.diagnostics.iter().all(|found| found.code == "SW009"),
            "{name}: {}",
            plain(&again)
        );
    }
}

#[test]
fn origins_satisfy_the_schema_too() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let resolved = switchover_topology::to_json_with_origins(&load(&fixture("whole.kdl")));
    assert!(validator.is_valid(&resolved));
    let mut wrong = resolved;
    wrong["origins"]["/site/name"]["line"] = "one".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_written_kdl_schema_is_the_one_that_the_code_describes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/topology.kdl-schema.kdl");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        switchover_topology::kdl_schema(),
        "regenerate schemas/topology.kdl-schema.kdl"
    );
}

/// The example against the schema, read by nothing that wrote it: every node, property and word must be in it.
#[test]
fn the_kdl_schema_knows_the_whole_example() {
    let schema: kdl::KdlDocument = switchover_topology::kdl_schema().parse().unwrap();
    let text = std::fs::read_to_string(fixture("whole.kdl")).unwrap();
    let whole: kdl::KdlDocument = text.parse().unwrap();
    let document = schema.get("document").unwrap().children().unwrap();
    let unknown = unknown_to(document, whole.nodes(), false);
    assert_eq!(unknown, Vec::<String>::new());
    let wrong: kdl::KdlDocument =
        "pbx \"a\" rule=\"main\" role=\"chief\" {\n colour 5\n users \"many\"\n}\nnetwork \"n\" vlan=5000\nnonsense"
            .parse()
            .unwrap();
    insta::assert_debug_snapshot!("kdl-schema", unknown_to(document, wrong.nodes(), false));
}

fn first(document: &kdl::KdlDocument, name: &str) -> Option<kdl::KdlValue> {
    document.get_arg(name).cloned()
}

fn named<'a>(
    document: &'a kdl::KdlDocument,
    kind: &str,
    name: &str,
) -> Option<&'a kdl::KdlDocument> {
    let wanted = |node: &&kdl::KdlNode| {
        node.name().value() == kind && node.get(0).and_then(kdl::KdlValue::as_string) == Some(name)
    };
    document
        .nodes()
        .iter()
        .find(wanted)
        .and_then(kdl::KdlNode::children)
}

fn refused(rules: &kdl::KdlDocument, value: &kdl::KdlValue) -> bool {
    let words: Vec<&kdl::KdlValue> = rules.iter_args("enum").collect();
    let wrong_type = match first(rules, "type")
        .as_ref()
        .and_then(kdl::KdlValue::as_string)
    {
        Some("string") => !value.is_string(),
        Some("number") => !value.is_integer(),
        Some("boolean") => !value.is_bool(),
        _ => false,
    };
    let most = first(rules, "<=").and_then(|most| most.as_integer());
    let more = most
        .zip(value.as_integer())
        .is_some_and(|(most, value)| value > most);
    wrong_type || more || (!words.is_empty() && !words.contains(&value))
}

fn unknown_to(rules: &kdl::KdlDocument, nodes: &[kdl::KdlNode], open: bool) -> Vec<String> {
    let mut found = Vec::new();
    for node in nodes {
        let name = node.name().value();
        let Some(rules) = named(rules, "node", name) else {
            if !open {
                found.push(format!("node {name}"));
            }
            continue;
        };
        let open = rules.get("other-props-allowed").is_some();
        for entry in node.entries() {
            let of = match entry.name() {
                Some(key) => {
                    let rules = named(rules, "prop", key.value());
                    if rules.is_none() && !open {
                        found.push(format!("{name} property {}", key.value()));
                    }
                    rules
                }
                None => rules.get("value").and_then(kdl::KdlNode::children),
            };
            if of.is_some_and(|rules| refused(rules, entry.value())) {
                found.push(format!("{name} value {}", entry.value()));
            }
        }
        let children = rules.get("children").and_then(kdl::KdlNode::children);
        let inner = node.children().map_or(&[][..], kdl::KdlDocument::nodes);
        match children {
            Some(children) => {
                let open = children.get("other-nodes-allowed").is_some();
                found.extend(unknown_to(children, inner, open));
            }
            None => found.extend(
                inner
                    .iter()
                    .map(|child| format!("{name} child {}", child.name())),
            ),
        }
    }
    found
}
