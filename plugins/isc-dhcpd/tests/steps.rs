//! The steps of a procedure and its undo.

use serde_json::{Value, json};
use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{Effect, Plugin, Procedure, ReadRequest, RunCommand, Step, Target};

use crate::harness::{changes, desired, with_main, written};
use crate::topology::{plain_target, target, view};

fn procedure(target: &Target, main: Option<&str>) -> Procedure {
    let changes = changes(None, &desired(&view()), &[]);
    IscDhcpd::procedure(target, &with_main(None, main), &changes).unwrap()
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

const MAIN: &str = "include \"/etc/dhcp/switchover.conf\";\n";

#[test]
fn only_declared_commands_are_asked_for() {
    for (commands, main, stage, commit) in [
        (&[][..], Some(MAIN), &[][..], &["write"][..]),
        (&["test"], None, &["test"], &["write"]),
        (&["test"], Some(MAIN), &["test"], &["write", "test-all"]),
        (&["reload"], Some(MAIN), &[], &["write", "reload"]),
        (
            &["reload", "test"],
            Some(MAIN),
            &["test"],
            &["write", "test-all", "reload"],
        ),
    ] {
        let procedure = procedure(&with_commands(commands), main);
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
fn the_file_is_tested_before_and_all_of_it_after_and_dhcpd_restarted_when_it_is_back() {
    let target = with_commands(&["test", "reload"]);
    let Procedure { stage, commit, .. } = procedure(&target, Some(MAIN));
    let run = |name: &str, file: Option<&str>| {
        Effect::Run(RunCommand {
            name: name.into(),
            file: file.map(Into::into),
        })
    };
    assert_eq!(stage[0].effect, run("test", Some("switchover.conf")));
    assert_eq!(commit[1].effect, run("test", Some("dhcpd.conf")));
    assert_eq!(commit[2].effect, run("reload", None));
    // A failed check must not restart anything, and a failed restart must be followed by another one.
    let undone: Vec<usize> = commit.iter().map(|step| step.undo.len()).collect();
    assert_eq!(undone, [0, 0, 1]);
    assert_eq!(commit[2].undo[0].effect, run("reload", None));
}

#[test]
fn the_files_are_named_by_the_target() {
    let target = target(&json!({"file": "hq.conf", "main": "site.conf"}));
    assert_eq!(written(&procedure(&target, None)).0, "hq.conf");
    let queries = IscDhcpd::queries(&target, &[], 0, &[]).unwrap();
    let asked: Vec<_> = queries.into_iter().map(|query| query.request).collect();
    assert_eq!(
        asked,
        [
            ReadRequest::File("hq.conf".into()),
            ReadRequest::File("site.conf".into())
        ]
    );
    assert_eq!(IscDhcpd::queries(&target, &[], 1, &[]).unwrap(), []);
    let odd = crate::topology::target(&json!({"file": 7}));
    assert_eq!(
        IscDhcpd::desired(&view(), &odd).unwrap_err().code,
        "settings"
    );
}

#[test]
fn the_manifest() {
    let mut manifest = IscDhcpd::describe();
    // `docs/plugins.md` shows them, and is held against the manifests.
    manifest.findings.clear();
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    insta::assert_debug_snapshot!(manifest);
}
