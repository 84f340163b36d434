//! The steps of a procedure and its undo.

use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_sdk::{HttpRequest, Pattern, Plugin, Procedure, Step};

use crate::harness::{
    answers, body, changes, desired, empty, foreign, procedure, request, undo_request,
};
use crate::topology::{plain_target, target, view};

fn commands(steps: &[Step]) -> Vec<Value> {
    steps
        .iter()
        .map(|step| body(request(step))["command"].clone())
        .collect()
}

fn undo_commands(step: &Step) -> Vec<Value> {
    step.undo
        .iter()
        .map(|undo| body(undo_request(undo))["command"].clone())
        .collect()
}

#[test]
fn test_then_set_then_write_and_back() {
    let start = foreign();
    let procedure = procedure(&start, &changes(&start, &desired(&view()), &[]));
    assert_eq!(commands(&procedure.stage), ["config-test"]);
    assert_eq!(commands(&procedure.commit), ["config-set", "config-write"]);
    let [set, write] = procedure.commit.as_slice() else {
        panic!()
    };
    assert_eq!(undo_commands(set), ["config-set"]);
    // Undone first, so it has to restore before it writes.
    assert_eq!(undo_commands(write), ["config-set", "config-write"]);
    assert_eq!(
        body(request(&procedure.stage[0]))["arguments"],
        body(request(set))["arguments"]
    );
    for step in procedure.stage.iter().chain(&procedure.commit) {
        assert_eq!(request(step).path, "/");
        assert_eq!(request(step).reason.as_deref(), Some("/0/text"));
        assert_eq!(
            (
                step.expect[0].pointer.as_str(),
                step.expect[0].equals.as_str()
            ),
            ("/0/result", "0")
        );
        assert_eq!(body(request(step))["service"], json!(["dhcp4"]));
    }
    let old = &body(undo_request(&set.undo[0]))["arguments"];
    // Kea's bytes-as-characters are put together again; everything else is what it answered.
    let comment = "/Dhcp4/subnet4/0/user-context/comment";
    assert_eq!(old.pointer(comment).unwrap(), "Büro €");
    let mut expected = start.pointer("/0/arguments").unwrap().clone();
    *expected.pointer_mut(comment).unwrap() = json!("Büro €");
    assert_eq!(*old, expected);
}

#[test]
fn the_file_is_left_alone_where_the_target_says_so() {
    let start = empty();
    let changes = changes(&start, &desired(&view()), &[]);
    let procedure = Kea::procedure(
        &target(&json!({"persist": false})),
        &answers(&start, "2.2.0"),
        &changes,
    );
    assert_eq!(commands(&procedure.unwrap().commit), ["config-set"]);
}

#[test]
fn a_direct_socket_names_no_service_and_may_answer_one_object() {
    let start = empty();
    let changes = changes(&start, &desired(&view()), &[]);
    let direct = target(&json!({"control": "direct"}));
    for (answer, pointer) in [(start.clone(), "/0/result"), (start[0].clone(), "/result")] {
        let procedure = Kea::procedure(&direct, &answers(&answer, "3.0.1"), &changes).unwrap();
        assert_eq!(procedure.commit[0].expect[0].pointer, pointer);
        assert!(body(request(&procedure.commit[0])).get("service").is_none());
    }
}

#[test]
fn keys_are_spelled_as_the_server_does() {
    let start = empty();
    let changes = changes(&start, &desired(&view()), &[]);
    for (version, only, require) in [
        ("2.2.0", "only-if-required", "require-client-classes"),
        ("2.7.3", "only-if-required", "require-client-classes"),
        (
            "2.7.4-git",
            "only-in-additional-list",
            "evaluate-additional-classes",
        ),
        (
            "3.0.1",
            "only-in-additional-list",
            "evaluate-additional-classes",
        ),
    ] {
        let procedure =
            Kea::procedure(&plain_target(), &answers(&start, version), &changes).unwrap();
        let dhcp4 = &body(request(&procedure.commit[0]))["arguments"]["Dhcp4"];
        assert_eq!(dhcp4["client-classes"][0][only], true, "{version}");
        assert_eq!(
            dhcp4["subnet4"][0][require],
            json!(["phones-voice"]),
            "{version}"
        );
    }
}

#[test]
fn the_hash_of_newer_servers_is_not_sent_back() {
    let mut start = empty();
    start[0]["arguments"]["hash"] = json!("5C3C90EF");
    let procedure = Kea::procedure(&plain_target(), &answers(&start, "2.4.0"), &[]).unwrap();
    let arguments = &body(request(&procedure.commit[0]))["arguments"];
    assert_eq!(
        arguments.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["Dhcp4"]
    );
}

fn matches(pattern: &Pattern, request: &HttpRequest) -> bool {
    let Pattern::Http(pattern) = pattern else {
        return false;
    };
    let body = body(request);
    pattern.method == request.method
        && pattern.path == request.path
        && pattern.body.iter().all(|wanted| {
            let value = body.pointer(&wanted.pointer).map(ToString::to_string);
            value.is_some_and(|value| wanted.one_of.contains(&value))
        })
}

#[test]
fn nothing_is_asked_for_that_the_manifest_does_not_name() {
    let manifest = Kea::describe();
    let read = |request: &HttpRequest| {
        manifest
            .reads
            .iter()
            .any(|pattern| matches(pattern, request))
    };
    let write = |request: &HttpRequest| {
        manifest
            .writes
            .iter()
            .any(|pattern| matches(pattern, request))
    };
    for query in Kea::queries(&plain_target(), &[], 0, &[]).unwrap() {
        let switchover_sdk::ReadRequest::Http(request) = query.request else {
            panic!()
        };
        assert!(read(&request) && !write(&request));
    }
    assert_eq!(Kea::queries(&plain_target(), &[], 1, &[]).unwrap(), []);
    let start = foreign();
    let Procedure { stage, commit, .. } =
        procedure(&start, &changes(&start, &desired(&view()), &[]));
    for step in stage.iter().chain(&commit) {
        assert!(write(request(step)) && !read(request(step)), "{}", step.id);
        for undo in &step.undo {
            assert!(write(undo_request(undo)), "{}", undo.title);
        }
    }
}

#[test]
fn the_manifest() {
    let mut manifest = Kea::describe();
    // `docs/plugins.md` shows them, and is held against the manifests.
    manifest.findings.clear();
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    insta::assert_debug_snapshot!(manifest);
}
