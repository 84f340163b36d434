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
