//! `procedure`: one step a file, and the command that a target may declare.

use switchover_sdk::{Action, Change, Effect, Failure, Plugin, Procedure, Target};

use crate::topology::target;
use switchover_plugin_provisioning::Provisioning;

fn change(address: &str, action: Action) -> Change {
    Change {
        address: address.into(),
        kind: "file".into(),
        action,
        before: None,
        after: None,
        hint: None,
    }
}

fn procedure(target: &Target) -> Procedure {
    let changes = [
        change("file/a.cfg", Action::Create),
        change("file/b.cfg", Action::Update),
        change("file/c.cfg", Action::Delete),
    ];
    Provisioning::procedure(target, &[], &changes).unwrap()
}

#[test]
fn every_change_is_one_step() {
    let procedure = procedure(&target());
    let effects: Vec<&Effect> = procedure.commit.iter().map(|step| &step.effect).collect();
    assert_eq!(
        effects,
        [
            &Effect::write_wanted("a.cfg"),
            &Effect::write_wanted("b.cfg"),
            &Effect::RemoveFile("c.cfg".into())
        ],
    );
    assert!(
        procedure.commit.iter().all(|step| step.undo.is_empty()),
        "the engine restores files"
    );
    assert_eq!((procedure.stage.len(), procedure.verify.len()), (0, 0));
}

#[test]
fn a_declared_reload_runs_once_after_the_files_and_again_when_they_are_back() {
    let reload = Effect::run("reload", None);
    let procedure = procedure(&Target {
        commands: vec!["reload".into()],
        ..target()
    });
    let [.., last] = procedure.commit.as_slice() else {
        panic!("{procedure:?}")
    };
    assert_eq!(procedure.commit.len(), 4);
    assert_eq!(last.effect, reload);
    let undo: Vec<&Effect> = procedure
        .commit
        .iter()
        .flat_map(|step| &step.undo)
        .map(|undo| &undo.effect)
        .collect();
    assert_eq!(undo, [&reload]);
    assert_eq!(
        last.undo.len(),
        1,
        "what was not reloaded needs no second reload"
    );
}

#[test]
fn nothing_to_change_is_nothing_to_do() {
    let target = Target {
        commands: vec!["reload".into()],
        ..target()
    };
    assert_eq!(
        Provisioning::procedure(&target, &[], &[]),
        Ok(Procedure::default())
    );
}

#[test]
fn steps_stay_within_what_the_manifest_declares() {
    let manifest = Provisioning::describe();
    assert_eq!(
        manifest.writes,
        [switchover_sdk::Pattern::File("*.cfg".into())]
    );
    assert_eq!(
        manifest
            .commands
            .iter()
            .map(|command| command.name.as_str())
            .collect::<Vec<_>>(),
        ["reload"]
    );
    serde_json::from_str::<serde_json::Value>(&manifest.settings_schema).unwrap();
}

#[test]
fn a_resource_that_is_no_file_is_a_failure() {
    let failed: Result<Procedure, Failure> = Provisioning::procedure(
        &target(),
        &[],
        &[change("subnet/10.0.0.0/8", Action::Create)],
    );
    assert_eq!(
        failed.map_err(|failure| failure.code),
        Err("not-a-file".into())
    );
}
