//! The schemas in `schemas/` say what is written: all of it, and nothing else.

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::environment::TestEnvironment;

const GOOD: &str = include_str!("topologies/good.kdl");
const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

pub(crate) fn schema(name: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../schemas")
        .join(name);
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

pub(crate) fn assert_fits(schema: &Validator, document: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{document:#}", errors.join("\n"));
}

/// With a member less, or one more, it must not fit: otherwise the schema is about less than what is written. `optional`
/// are names of members that may be missing, `free` those whose content is not described.
pub(crate) fn assert_describes_all(
    schema: &Validator,
    document: &Value,
    optional: &[&str],
    free: &[&str],
) {
    assert_fits(schema, document);
    let mut objects = Vec::new();
    collect_objects(document, String::new(), free, &mut objects);
    assert!(objects.len() > 3, "{document:#}");
    for pointer in objects {
        let mut more = document.clone();
        let object = more.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        let names: Vec<String> = object.keys().cloned().collect();
        object.insert("surprise".to_owned(), json!("x"));
        assert!(
            !schema.is_valid(&more),
            "one more member fits at {pointer:?}"
        );
        for name in names
            .iter()
            .filter(|name| !optional.contains(&name.as_str()))
        {
            let mut less = document.clone();
            let object = less.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
            object.remove(name);
            assert!(
                !schema.is_valid(&less),
                "without {name} it fits at {pointer:?}"
            );
        }
    }
}

/// JSON pointers of all objects that are described member by member.
fn collect_objects(value: &Value, pointer: String, free: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members
                .iter()
                .filter(|(name, _)| !free.contains(&name.as_str()))
            {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_objects(member, format!("{pointer}/{name}"), free, found);
            }
            found.push(pointer);
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect_objects(item, format!("{pointer}/{at}"), free, found);
            }
        }
        _ => {}
    }
}

fn printed(test: &TestEnvironment, arguments: &[&str]) -> Value {
    let output = test.run(arguments);
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

#[test]
fn findings() {
    let schema = schema("findings.schema.json");
    let test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    let findings = printed(&test, &["validate", "--format", "json"]);
    assert_describes_all(&schema, &findings, &[], &[]);

    let mut place_lost = findings.clone();
    place_lost["diagnostics"][0]["line"] = Value::Null;
    assert!(!schema.is_valid(&place_lost), "half a place fits");
    let mut unknown = findings;
    unknown["diagnostics"][0]["severity"] = json!("fatal");
    assert!(!schema.is_valid(&unknown), "an unknown severity fits");

    test.write("switchover.kdl", GOOD);
    assert_fits(&schema, &printed(&test, &["validate", "--format", "json"]));
}

#[test]
fn findings_without_a_place() {
    let test = TestEnvironment::new();
    std::fs::write(test.work().join("switchover.kdl"), b"site \"\xff\"\n").unwrap();
    let findings = printed(&test, &["validate", "--format", "json"]);
    assert_eq!(findings["diagnostics"][0]["line"], Value::Null);
    assert_fits(&schema("findings.schema.json"), &findings);
}

#[test]
fn plans() {
    let schema = schema("plan.schema.json");
    let mut test = TestEnvironment::new();
    test.set("RECEPTION_SIP", "s3cr3t");
    test.write("switchover.kdl", GOOD);
    for folder in ["dnsmasq.d", "provisioning"] {
        std::fs::create_dir(test.work().join(folder)).unwrap();
    }
    let optional = [
        "summary",
        "state",
        "diagnostics",
        "digest",
        "reason",
        "adopted",
        "secret",
        "expect",
        "capture",
        "undo",
        "before_line",
        "after_line",
        "more",
    ];
    // What a server's resource looks like is the server's affair; resources are named by their addresses.
    let free = ["object", "resources"];
    let first = printed(&test, &["plan", "--format", "json", "--out", "plan.json"]);
    assert_describes_all(&schema, &first, &optional, &free);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(test.work().join("plan.json")).unwrap()).unwrap();
    assert_fits(&schema, &kept);

    // Drift, a change and a removal, over what is there.
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    for entry in std::fs::read_dir(test.work().join("provisioning")).unwrap() {
        std::fs::write(entry.unwrap().path(), "changed by hand\n").unwrap();
    }
    test.write(
        "switchover.kdl",
        &GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09"),
    );
    let drift = printed(&test, &["drift", "--format", "json"]);
    let may_lack = ["reason", "before_line", "after_line", "more"];
    assert_describes_all(&self::schema("drift.schema.json"), &drift, &may_lack, &free);
    let second = printed(&test, &["plan", "--format", "json"]);
    assert_ne!(second["summary"]["drifted"], 0, "{second:#}");
    assert_ne!(second["summary"]["delete"], 0, "{second:#}");
    assert_describes_all(&schema, &second, &optional, &free);
}
