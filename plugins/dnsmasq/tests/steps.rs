//! The steps of a procedure and its undo.

use serde_json::{Value, json};
use switchover_plugin_dnsmasq::Dnsmasq;
use switchover_sdk::{Effect, Plugin, Procedure, ReadRequest, RunCommand, Step, Target};

use crate::harness::{answers, changes, desired, written};
use crate::topology::{plain_target, target, view};

fn procedure(target: &Target) -> Procedure {
    let changes = changes(None, &desired(&view()), &[]);
    Dnsmasq::procedure(target, &answers(None), &changes).unwrap()
}

fn with_commands(names: &[&str]) -> Target {
    Target {
        commands: names.iter().map(ToString::to_string).collect(),
        ..plain_target()
    }
}

fn ids(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn only_declared_commands_are_asked_for() {
    for (commands, stage, commit) in [
        (&[][..], &[][..], &["write"][..]),
        (&["test"], &["test"], &["write"]),
        (&["reload"], &[], &["write", "reload"]),
        (&["reload", "test"], &["test"], &["write", "reload"]),
    ] {
        let procedure = procedure(&with_commands(commands));
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
fn the_file_is_tested_before_and_dnsmasq_restarted_after_and_when_it_is_back() {
    let Procedure { stage, commit, .. } = procedure(&with_commands(&["test", "reload"]));
    let run = |name: &str, file: Option<&str>| {
        Effect::Run(RunCommand {
            name: name.into(),
            file: file.map(Into::into),
        })
    };
    assert_eq!(stage[0].effect, run("test", Some("switchover.conf")));
    assert_eq!(commit[1].effect, run("reload", None));
    assert_eq!(commit[1].undo, []);
    assert_eq!(commit[0].undo.len(), 1);
    assert_eq!(commit[0].undo[0].effect, run("reload", None));
}

#[test]
fn the_file_is_named_by_the_target() {
    let target = target(&json!({"file": "hq.conf"}));
    assert_eq!(written(&procedure(&target)).0, "hq.conf");
    let queries = Dnsmasq::queries(&target, &[], 0, &[]).unwrap();
    assert_eq!(queries[0].request, ReadRequest::File("hq.conf".into()));
    assert_eq!(Dnsmasq::queries(&target, &[], 1, &[]).unwrap(), []);
    let odd = crate::topology::target(&json!({"file": 7}));
    assert_eq!(
        Dnsmasq::desired(&view(), &odd).unwrap_err().code,
        "settings"
    );
}

#[test]
fn the_manifest() {
    let mut manifest = Dnsmasq::describe();
    // `docs/plugins.md` shows them, and is held against the manifests.
    manifest.findings.clear();
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    insta::assert_debug_snapshot!(manifest);
}
