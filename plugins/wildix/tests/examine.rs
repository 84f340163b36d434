//! Contradictions that answers tell, and tasks for people with their states.

use serde_json::{Value, json};
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Examination, Plugin, Severity, Target, Task, TaskState, View};

use crate::model::{Model, plan};
use crate::topology::{plain_target, target, view, view_of};

fn examined(model: &mut Model, view: &View, target: &Target) -> Examination {
    let planned = plan(model, view, target, &[]);
    Wildix::examine(view, target, &planned.answers).unwrap()
}

fn codes(examination: &Examination) -> Vec<&str> {
    let findings = examination.findings.iter();
    findings.map(|finding| finding.code.as_str()).collect()
}

/// `[x] id: what was seen`
fn shown(tasks: &[Task]) -> Vec<String> {
    let shown = |task: &Task| {
        let (mark, seen) = match &task.state {
            TaskState::Done(seen) => ("x", seen),
            TaskState::Open(seen) => (" ", seen),
            TaskState::Unknown(why) => ("?", why),
        };
        format!("[{mark}] {}: {seen}", task.id)
    };
    tasks.iter().map(shown).collect()
}

#[test]
fn a_pbx_that_is_as_declared() {
    let found = examined(&mut Model::new(), &view(), &plain_target());
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(
        shown(&found.tasks),
        [
            "[x] wms-network: pbx1 lists pbx2.acme.example, PBX.Rome.acme.example",
            "[x] trunk-telco-a: pbx1 has a SIP trunk of this title",
            "[x] call-group-sales: pbx1 has it with the strategy linear",
        ]
    );
}

#[test]
fn versions_fit_as_far_as_they_are_declared() {
    for (declared, told, fits) in [
        ("3.86.30011", "3.86.30011", true),
        ("3.86", "3.86.30011", true),
        ("3.86.30011", "3.86.30012", false),
        ("3.86.3", "3.86.30011", false),
        ("5.01", "5.1.20200901.2", true),
        ("5.01", "5.1.20200901-rc1", true),
        ("5.01", "", false),
    ] {
        for told in [json!(told), json!({ "version": told })] {
            let mut model = Model::new();
            model.others.insert("/api/v1/PBX/version", told.clone());
            let mut view = view();
            view.pbxs[0].wms = declared.into();
            let found = examined(&mut model, &view, &plain_target());
            assert_eq!(found.findings.is_empty(), fits, "{declared} {told}");
        }
    }
    let mut model = Model::new();
    model
        .others
        .insert("/api/v1/PBX/version", json!("5.01.20200901"));
    let found = examined(&mut model, &view(), &plain_target());
    assert_eq!(codes(&found), ["WILDIX101"]);
    let finding = &found.findings[0];
    assert_eq!(
        (finding.severity, finding.path.as_str()),
        (Severity::Error, "pbx/pbx1/wms")
    );
    assert_eq!(
        finding.message,
        "`pbx1` runs WMS 5.01.20200901, and the topology declares 3.86.30011"
    );
}

fn bare() -> Model {
    let mut model = Model::new();
    let none = json!({ "records": [], "total": 0 });
    for path in ["/api/v1/Trunks/Sip", "/api/v1/network/pbxes"] {
        model.others.insert(path, none.clone());
    }
    let groups = json!({ "records": [{ "title": "sales", "settings": { "strategy": "call all" } }], "total": 1 });
    model.others.insert("/api/v1/Dialplan/CallGroups", groups);
    model
}

#[test]
fn everything_that_differs_is_told_at_once() {
    let found = examined(&mut bare(), &view(), &plain_target());
    insta::assert_debug_snapshot!(found);
    let lenient = json!({ "trunks": "ignored", "call-groups": "ignored", "members": "ignored" });
    let found = examined(&mut bare(), &view(), &target(&lenient));
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(
        shown(&found.tasks),
        ["[?] wms-network: the target says `members \"ignored\"`"]
    );
    let mut model = bare();
    model.others.insert(
        "/api/v1/Dialplan/CallGroups",
        json!({ "records": [], "total": 0 }),
    );
    let found = examined(&mut model, &view(), &plain_target());
    assert_eq!(
        found.findings[3].message,
        "`pbx1` has no call group `sales`"
    );
}

#[test]
fn a_destination_shows_whether_it_is_synchronised_and_used() {
    let mut model = Model::new();
    let members = json!([{ "host": "pbx1.acme.example" }, { "host": "pbx.rome.acme.example" }]);
    model.others.insert(
        "/api/v1/network/pbxes",
        json!({ "records": members, "total": 2 }),
    );
    // Whether the target says `verify-registrations` or not.
    let states = |model: &mut Model| {
        let found = examined(model, &view_of("pbx2"), &plain_target());
        assert_eq!(codes(&found), [""; 0]);
        shown(&found.tasks)
    };
    assert_eq!(
        states(&mut model),
        [
            "[ ] sync: 2 of 2 declared users are not on pbx2, such as 101",
            "[?] failover: none of 2 extensions with a device is registered on pbx2, which does not tell why",
        ]
    );
    model.add_user(&json!({ "name": "Reception", "extension": "101" }));
    model.add_user(&json!({ "name": "Sales", "extension": "102" }));
    let registered = |list: &[&str]| -> Value {
        let one = |extension: &&str| {
            (
                (*extension).to_owned(),
                json!({ "registrations": [{ "online": true }] }),
            )
        };
        list.iter().map(one).collect()
    };
    let path = "/api/v1/PBX/Users/Sip/Registrations";
    model.others.insert(path, registered(&["101"]));
    assert_eq!(
        states(&mut model),
        [
            "[x] sync: all 2 declared users are on pbx2",
            "[ ] failover: 1 of 2 extensions with a device are not registered on pbx2, such as 102",
        ]
    );
    model.others.insert(path, registered(&["102", "101", "7"]));
    assert_eq!(
        states(&mut model)[1],
        "[x] failover: all 2 extensions with a device are registered on pbx2"
    );
    let mut nobodys = view_of("pbx2");
    nobodys.devices.clear();
    assert_eq!(
        shown(&examined(&mut model, &nobodys, &plain_target()).tasks)[1],
        "[?] failover: no user has a device that could register"
    );
}

#[test]
fn without_answers_the_tasks_are_the_same_and_nothing_is_known_of_them() {
    for name in ["pbx1", "pbx2"] {
        let view = view_of(name);
        let offline = Wildix::examine(&view, &plain_target(), &[]).unwrap();
        let live = examined(&mut Model::new(), &view, &plain_target());
        let titles = |tasks: &[Task]| -> Vec<(String, String)> {
            tasks
                .iter()
                .map(|task| (task.id.clone(), task.title.clone()))
                .collect()
        };
        assert_eq!(titles(&offline.tasks), titles(&live.tasks));
        assert!(offline.findings.is_empty() && !offline.tasks.is_empty());
        let unknown = |task: &Task| task.state == TaskState::Unknown("the PBX was not read".into());
        assert!(
            offline.tasks.iter().all(unknown),
            "{:?}",
            shown(&offline.tasks)
        );
    }
    let mut nowhere = view();
    nowhere.roles.clear();
    assert_eq!(
        Wildix::examine(&nowhere, &plain_target(), &[])
            .unwrap()
            .tasks,
        []
    );
}

#[test]
fn tasks_say_how_and_where_it_is_documented() {
    for name in ["pbx1", "pbx2"] {
        for task in Wildix::examine(&view_of(name), &plain_target(), &[])
            .unwrap()
            .tasks
        {
            assert!(task.instructions.contains("It is done when"), "{task:?}");
            assert!(task.source.contains("failover guide"), "{task:?}");
        }
    }
    let mut view = view_of("pbx2");
    for (seconds, spoken) in [
        (7200, "every 2 hours."),
        (3600, "every hour."),
        (90 * 60, "every 90 minutes."),
        (45, "every 45 seconds."),
    ] {
        view.sync.as_mut().unwrap().every_seconds = seconds;
        let tasks = Wildix::examine(&view, &plain_target(), &[]).unwrap().tasks;
        assert!(
            tasks[0].instructions.contains(spoken),
            "{}",
            tasks[0].instructions
        );
    }
}

#[test]
fn passwords_that_are_never_told_cannot_be_compared() {
    let mut model = Model::new();
    model.users[0]
        .as_object_mut()
        .unwrap()
        .remove("sipPassword");
    let found = examined(&mut model, &view(), &plain_target());
    assert_eq!(codes(&found), ["WILDIX105"]);
    let help = found.findings[0].help.as_deref().unwrap();
    assert!(help.contains("sip-passwords \"ignored\""));
    let ignored = target(&json!({ "sip-passwords": "ignored" }));
    assert_eq!(codes(&examined(&mut model, &view(), &ignored)), [""; 0]);
    let mut none = view();
    none.users[0].sip_password = None;
    assert_eq!(
        codes(&examined(&mut model, &none, &plain_target())),
        [""; 0]
    );
}
