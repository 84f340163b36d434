//! The steps of a procedure, their undo, and what they may ask for.

use serde_json::{Value, json};
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Effect, HttpRequest, Pattern, Plugin, Procedure, ReadRequest, Step};

use crate::model::{Model, body, http, plan};
use crate::topology::{plain_target, target, view};

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

fn lines(steps: &[Step]) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps {
        lines.push(format!("{}: {}", step.title, shown(http(&step.effect))));
        lines.extend(
            step.expect
                .iter()
                .map(|one| format!("    {} is {}", one.pointer, one.equals)),
        );
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
fn an_extension_inside_another_is_not_searched_for() {
    let mut model = Model::new();
    model.add_user(&json!({ "name": "x", "extension": "1010" }));
    let procedure = procedure(&mut model, &json!({}), &view(), &[]);
    let ids: Vec<&str> = procedure
        .commit
        .iter()
        .map(|step| step.id.as_str())
        .collect();
    assert!(ids.contains(&"create-user-101") && !ids.contains(&"find-user-101"));
    assert!(ids.contains(&"find-user-102"));
}

#[test]
fn registrations_are_waited_for_where_the_target_says_so() {
    let settings = json!({ "verify-registrations": true, "registration-patience": 90 });
    let procedure = procedure(&mut Model::new(), &settings, &view(), &[]);
    assert_eq!(procedure.verify.len(), 2);
    let Effect::Probe(probe) = &procedure.verify[0].effect else {
        panic!()
    };
    assert_eq!(
        (probe.deadline_ms, probe.request.path.as_str()),
        (90_000, "/api/v1/PBX/Users/Sip/Registrations")
    );
    assert_eq!(
        procedure.verify[0].expect[0].pointer,
        "/result/101/registrations/0/online"
    );
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
