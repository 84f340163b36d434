//! The steps of a procedure, their undo, and what they may ask for.

use serde_json::{Value, json};
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{
    Device, Effect, Evidence, HttpRequest, Pattern, Plugin, Procedure, ReadRequest, SecondsRange,
    Step, Windows,
};

use crate::model::{Model, body, http, plan};
use crate::topology::{device, plain_target, target, user, view, view_of};

fn shown(request: &HttpRequest) -> String {
    let body = match body(request) {
        Value::Null => String::new(),
        body => format!(" {body}"),
    };
    format!("{} {}{body}", request.method, request.path)
}

fn procedure(
    model: &mut Model,
    settings: &Value,
    view: &switchover_sdk::View,
    owned: &[String],
) -> Procedure {
    let target = target(settings);
    let planned = plan(model, view, &target, owned);
    Wildix::procedure(&target, &planned.answers, &planned.changes).unwrap()
}

fn looked_at(evidence: &Evidence) -> String {
    let expect: Vec<String> = evidence
        .expect
        .iter()
        .map(|one| format!("{} is {}", one.pointer, one.equals))
        .collect();
    let capture: Vec<String> = evidence
        .capture
        .iter()
        .map(|one| format!(" ({} from {})", one.name, one.pointer))
        .collect();
    format!(
        "    carried out where {:?}: {}{} in {}{}",
        evidence.sign,
        evidence.among.as_deref().unwrap_or(""),
        expect.join(" and "),
        shown(&evidence.request),
        capture.concat()
    )
}

fn lines(steps: &[Step]) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps {
        lines.push(format!("{}: {}", step.title, shown(http(&step.effect))));
        lines.extend(
            step.expect
                .iter()
                .map(|one| format!("    {} is {}", one.pointer, one.equals)),
        );
        lines.extend(step.evidence.iter().map(looked_at));
        for undo in &step.undo {
            lines.push(format!(
                "  undo: {}: {}",
                undo.title,
                shown(http(&undo.effect))
            ));
            lines.extend(
                undo.expect
                    .iter()
                    .map(|one| format!("    {} is {}", one.pointer, one.equals)),
            );
            lines.extend(undo.evidence.iter().map(looked_at));
        }
    }
    lines
}

#[test]
fn from_nothing() {
    let all = json!({ "dialplan": "office", "license": "business", "provision": true, "alternate-port": 443 });
    let procedure = procedure(&mut Model::new(), &all, &view(), &[]);
    assert!(procedure.stage.is_empty() && procedure.verify.is_empty());
    insta::assert_snapshot!(lines(&procedure.commit).join("\n"));
}

#[test]
fn changes_and_deletions() {
    let mut model = Model::new();
    model.add_user(&json!({ "name": "Front", "extension": "101", "email": "old@acme.example" }));
    model.add_user(&json!({ "name": "Gone", "extension": "999", "email": "gone@acme.example" }));
    let macs = json!({ "macs": ["9c7514000101", "9c7514000102", "9c7514000999"] });
    model.send("POST", "/api/v1/devices", &macs).unwrap();
    for (mac, extension) in [("9c7514000101", "999"), ("9c7514000999", "999")] {
        let path = format!("/api/v1/Devices/{mac}/connect/");
        model
            .send("POST", &path, &json!({ "extension": extension }))
            .unwrap();
    }
    let owned = [
        "user/999",
        "email/999",
        "device/9c7514000999",
        "connection/9c7514000999",
    ]
    .map(str::to_owned);
    let procedure = procedure(&mut model, &json!({}), &view(), &owned);
    insta::assert_snapshot!(lines(&procedure.commit).join("\n"));
}

#[test]
fn a_user_is_told_from_others_with_a_part_of_its_extension() {
    let mut view = view();
    view.users[1].extension = "*10#".into();
    let mut model = Model::new();
    model.add_user(&json!({ "name": "x", "extension": 1010 }));
    let procedure = procedure(&mut model, &json!({}), &view, &[]);
    let evidence = |id: &str| {
        let step = procedure.commit.iter().find(|step| step.id == id).unwrap();
        let evidence = step.evidence.as_ref().unwrap();
        (
            evidence.request.path.as_str(),
            evidence.expect[0].equals.as_str(),
        )
    };
    assert_eq!(
        evidence("create-user-101"),
        (
            "/api/v1/PBX/Colleagues?count=100&start=0&searchFields=extension&search=101",
            "101"
        ),
        "as numbers, since others are"
    );
    // What cannot stand in a search is looked for among all.
    assert_eq!(
        evidence("create-user-*10^"),
        ("/api/v1/PBX/Colleagues?count=100&start=0", "\"*10#\"")
    );
}

#[test]
fn registrations_are_waited_for_as_long_as_is_documented() {
    let seconds = |max| Some(SecondsRange { min: 10, max });
    let windows = |switch, back| {
        Some(Windows {
            switch: seconds(switch),
            back: seconds(back),
        })
    };
    for (name, expected) in [("pbx1", [300, 60, 42]), ("pbx2", [45, 105, 42])] {
        let mut view = view_of(name);
        view.users.push(user("103", "Undocumented"));
        view.devices[0].windows = windows(30, 60);
        view.devices[1].windows = windows(105, 60);
        view.devices.push(Device {
            windows: windows(45, 300),
            ..device("fax", "9c:75:14:00:02:02", Some("101"))
        });
        view.devices.push(Device {
            windows: Some(Windows {
                switch: None,
                back: None,
            }),
            ..device("console", "9c:75:14:00:02:03", Some("103"))
        });
        let settings = json!({ "verify-registrations": true, "registration-patience": 42 });
        let procedure = procedure(&mut Model::new(), &settings, &view, &[]);
        let waits: Vec<(u32, &str)> = procedure
            .verify
            .iter()
            .map(|step| match &step.effect {
                Effect::Probe(probe) => (probe.deadline_ms / 1000, step.title.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            waits.iter().map(|(wait, _)| *wait).collect::<Vec<_>>(),
            expected
        );
        assert!(
            waits[0]
                .1
                .contains(&format!("up to {} s until 101", expected[0]))
        );
        assert_eq!(
            procedure.verify[0].expect[0].pointer,
            "/result/101/registrations/0/online"
        );
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .take_while(|&at| !text[..at].contains(['/', '&']))
                .any(|at| glob(rest, &text[at..]))
        }),
    }
}

fn fits(patterns: &[Pattern], method: &str, path: &str) -> bool {
    patterns.iter().any(|pattern| match pattern {
        Pattern::Http(pattern) => pattern.method == method && glob(&pattern.path, path),
        _ => false,
    })
}

#[test]
fn nothing_is_asked_for_that_the_manifest_does_not_name() {
    let manifest = Wildix::describe();
    let verified = target(&json!({ "verify-registrations": true, "page-size": 1 }));
    let mut model = Model::new();
    model.add_user(&json!({ "name": "x", "extension": "999" }));
    let planned = plan(&mut model, &view(), &verified, &["user/999".to_owned()]);
    for round in 0..2 {
        for query in Wildix::queries(&verified, &[], round, &planned.answers[..8]).unwrap() {
            let ReadRequest::Http(request) = query.request else {
                panic!()
            };
            assert!(
                fits(&manifest.reads, &request.method, &request.path),
                "{}",
                request.path
            );
        }
    }
    let Procedure {
        stage,
        commit,
        verify,
    } = Wildix::procedure(&verified, &planned.answers, &planned.changes).unwrap();
    for step in stage.iter().chain(&commit).chain(&verify) {
        let undo = step.undo.iter().filter_map(|undo| undo.evidence.as_ref());
        for evidence in step.evidence.iter().chain(undo) {
            let request = &evidence.request;
            assert!(
                fits(&manifest.reads, &request.method, &request.path),
                "{}",
                request.path
            );
        }
        for effect in std::iter::once(&step.effect).chain(step.undo.iter().map(|undo| &undo.effect))
        {
            let request = http(effect);
            let path = request
                .path
                .replace("${step.user-101}", "7")
                .replace("${step.user-102}", "8");
            let patterns = if request.method == "GET" {
                &manifest.reads
            } else {
                &manifest.writes
            };
            assert!(
                fits(patterns, &request.method, &path),
                "{} {path}",
                request.method
            );
        }
    }
}

#[test]
fn no_pattern_lets_a_reboot_or_a_key_through() {
    let manifest = Wildix::describe();
    for path in [
        "PBX/System/Reboot",
        "PBX/System/Reboot/",
        "pbx/system/reboot",
        "PBX/System/reboot",
    ] {
        let path = format!("/api/v1/{path}");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            assert!(
                !fits(&manifest.writes, method, &path) && !fits(&manifest.reads, method, &path),
                "{method} {path}"
            );
        }
    }
    for path in [
        "/rw2/etc/sf2",
        "/api/v1/rw2/etc/sf2",
        "/api/v1/PBX/Colleagues/1/password",
    ] {
        assert!(!fits(&manifest.reads, "GET", path), "{path}");
    }
    for pattern in &manifest.writes {
        let Pattern::Http(pattern) = pattern else {
            panic!()
        };
        assert!(
            !pattern.path.to_lowercase().contains("system"),
            "{}",
            pattern.path
        );
    }
}

#[test]
fn the_manifest() {
    let manifest = Wildix::describe();
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    // Every setting is documented and has a place in the type.
    let mut every: serde_json::Map<String, Value> = serde_json::Map::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property["description"].is_string(), "{name}");
        let value = match (property["type"].as_str(), property.get("default")) {
            (_, Some(default)) => default.clone(),
            (Some("boolean"), None) => json!(true),
            (Some("integer"), None) => json!(443),
            _ => json!("x"),
        };
        every.insert(name.clone(), value);
    }
    assert!(Wildix::desired(&view(), &target(&Value::Object(every))).is_ok());
    assert!(Wildix::desired(&view(), &plain_target()).is_ok());
    insta::assert_debug_snapshot!((
        manifest.resources,
        manifest.reads,
        manifest.writes,
        manifest.sensitive_keys
    ));
}
