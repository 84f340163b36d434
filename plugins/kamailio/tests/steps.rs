//! The steps of a procedure and its undo.

use serde_json::{Value, json};
use switchover_plugin_kamailio::Kamailio;
use switchover_sdk::{
    Action, Change, Effect, HttpBody, Plugin, Procedure, ReadRequest, Resource, RunCommand, Step,
    Target, View,
};

use crate::harness::{after, changes, desired, with_main};
use crate::topology::{group, plain_target, target, user, view};

const MAIN: &str = "import_file \"switchover.cfg\"\nrequest_route { route(SWITCHOVER); }\n";

fn with_commands(names: &[&str]) -> Target {
    Target {
        commands: names.iter().map(ToString::to_string).collect(),
        ..plain_target()
    }
}

fn procedure(
    target: &Target,
    file: Option<&str>,
    main: Option<&str>,
    changes: &[Change],
) -> Procedure {
    Kamailio::procedure(target, &with_main(file, main), changes).unwrap()
}

fn first() -> (String, Vec<Resource>) {
    let wanted = desired(&view());
    (after(None, &changes(None, &wanted, &[])), wanted)
}

fn ids(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

/// Method and parameters of a request.
fn call(effect: &Effect) -> (String, Value) {
    let Effect::Http(request) = effect else {
        panic!("{effect:?} is no request")
    };
    let HttpBody::Json(body) = &request.body else {
        panic!("{request:?} has no body")
    };
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/RPC")
    );
    (
        body["method"].as_str().unwrap().to_owned(),
        body["params"].clone(),
    )
}

fn calls<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> Vec<(String, Value)> {
    effects.into_iter().map(call).collect()
}

fn run(name: &str, file: Option<&str>) -> Effect {
    Effect::Run(RunCommand {
        name: name.into(),
        file: file.map(Into::into),
    })
}

#[test]
fn only_declared_commands_are_asked_for() {
    let all = changes(None, &desired(&view()), &[]);
    for (commands, main, stage, commit) in [
        (&[][..], Some(MAIN), &[][..], &["write"][..]),
        (&["test"], None, &["test"], &["write"]),
        (&["test"], Some(MAIN), &["test"], &["write", "test-all"]),
        (&["restart"], Some(MAIN), &[], &["write", "restart", "wait"]),
        (
            &["restart", "test"],
            Some(MAIN),
            &["test"],
            &["write", "test-all", "restart", "wait"],
        ),
    ] {
        let procedure = procedure(&with_commands(commands), None, main, &all);
        assert_eq!(
            (
                ids(&procedure.stage).as_slice(),
                ids(&procedure.commit).as_slice()
            ),
            (stage, commit)
        );
    }
}

#[test]
fn a_new_listener_is_tested_and_restarts() {
    let (file, _) = first();
    let mut view = view();
    view.devices[2].port = 5062;
    let target = with_commands(&["test", "restart"]);
    let changes = changes(Some(&file), &desired(&view), &[]);
    let Procedure { stage, commit, .. } = procedure(&target, Some(&file), Some(MAIN), &changes);
    assert_eq!(stage[0].effect, run("test", Some("switchover.cfg")));
    assert_eq!(commit[1].effect, run("test", Some("kamailio.cfg")));
    assert_eq!(commit[2].effect, run("restart", None));
    assert!(matches!(commit[3].effect, Effect::Probe(_)));
    // A failed check must not restart anything, and a failed restart must be followed by another one.
    let undone: Vec<usize> = commit.iter().map(|step| step.undo.len()).collect();
    assert_eq!(undone, [0, 1, 0, 0]);
    assert_eq!(commit[1].undo[0].effect, run("restart", None));
}

#[test]
fn rows_are_changed_while_kamailio_runs() {
    let (file, wanted) = first();
    let mut view = view();
    view.users.remove(1);
    view.users.push(user("103"));
    view.call_groups[0] = group("sales", "all", &["103"]);
    view.trunks[0].provider = "203.0.113.11".into();
    let changes = changes(Some(&file), &desired(&view), &wanted);
    let commit = procedure(&with_commands(&["restart"]), Some(&file), None, &changes).commit;
    insta::assert_debug_snapshot!("rows", calls(commit[1..].iter().map(|step| &step.effect)));
    assert!(commit[1..].iter().all(|step| step.undo.is_empty()));
    insta::assert_debug_snapshot!(
        "rows_undone",
        calls(commit[0].undo.iter().map(|step| &step.effect))
    );
}

#[test]
fn a_password_that_is_no_reference_is_never_sent() {
    let (file, _) = first();
    let old = file.replace("${secret:user/101/sip-password}", "what somebody set");
    let wanted = desired(&view());
    let changes = changes(Some(&old), &wanted, &[]);
    assert_eq!(changes.len(), 1);
    for (commands, undo) in [
        (&["restart"][..], vec![run("restart", None)]),
        (&[], vec![]),
    ] {
        let procedure = procedure(&with_commands(commands), Some(&old), None, &changes);
        let undone: Vec<_> = procedure.commit[0]
            .undo
            .iter()
            .map(|step| step.effect.clone())
            .collect();
        assert_eq!(undone, undo);
        assert!(!format!("{procedure:?}").contains("what somebody set"));
    }
}

#[test]
fn every_request_is_one_of_the_manifest() {
    let manifest = Kamailio::describe();
    let permitted = format!("{:?}", manifest.writes);
    let (file, wanted) = first();
    let all = changes(Some(&file), &desired(&View::empty("nothing")), &wanted);
    let target = with_commands(&["restart"]);
    for (file, changes) in [
        (None, changes(None, &wanted, &[])),
        (
            Some(file.as_str()),
            all.into_iter()
                .filter(|change| change.kind == "user")
                .collect(),
        ),
    ] {
        for step in procedure(&target, file, None, &changes).commit {
            if let Effect::Http(_) = &step.effect {
                assert!(permitted.contains(&call(&step.effect).0));
            }
        }
    }
}

#[test]
fn a_change_that_is_none_of_ours_is_refused() {
    let change = |kind: &str, after: Option<&str>| Change {
        address: format!("{kind}/x"),
        kind: kind.into(),
        action: Action::Update,
        before: None,
        after: after.map(Into::into),
        hint: None,
    };
    for change in [
        change("host", Some("{}")),
        change("user", Some("{}")),
        change("user", None),
    ] {
        let failure =
            Kamailio::procedure(&plain_target(), &with_main(None, None), &[change]).unwrap_err();
        assert_eq!(failure.code, "change");
    }
}

#[test]
fn the_files_are_named_by_the_target() {
    let target = target(&json!({"file": "hq.cfg", "main": "site.cfg"}));
    let queries = Kamailio::queries(&target, &[], 0, &[]).unwrap();
    let asked: Vec<_> = queries.into_iter().map(|query| query.request).collect();
    assert_eq!(
        asked,
        [
            ReadRequest::File("hq.cfg".into()),
            ReadRequest::File("site.cfg".into())
        ]
    );
    assert_eq!(Kamailio::queries(&target, &[], 1, &[]).unwrap(), []);
}

#[test]
fn the_manifest() {
    let mut manifest = Kamailio::describe();
    // `docs/plugins.md` shows them, and is held against the manifests.
    manifest.findings.clear();
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    insta::assert_debug_snapshot!(manifest);
}
