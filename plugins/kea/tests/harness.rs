//! What the engine does with the plugin, as far as these tests need it.

use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_sdk::{
    Answer, Change, Effect, HttpBody, HttpRequest, Plugin, Procedure, Resource, Response, Step,
    UndoStep, View,
};
pub(crate) use switchover_testing::by_address;

use crate::topology::plain_target;

/// A server with other people's subnets, classes, options and a high-availability hook.
pub(crate) fn foreign() -> Value {
    serde_json::from_str(include_str!("fixtures/config-get.json")).unwrap()
}

/// A server that was just installed.
pub(crate) fn empty() -> Value {
    serde_json::from_str(include_str!("fixtures/config-get-empty.json")).unwrap()
}

pub(crate) fn answers(config_get: &Value, version: &str) -> Vec<Answer> {
    let version = json!([{"result": 0, "text": version, "arguments": {"extended": version}}]);
    [("config-get", config_get), ("version-get", &version)]
        .map(|(query, value)| Answer {
            query: query.into(),
            response: Response::Http(value.to_string().into_bytes()),
        })
        .into()
}

pub(crate) fn desired(view: &View) -> Vec<Resource> {
    Kea::desired(view, &plain_target()).unwrap()
}

pub(crate) fn current(config_get: &Value) -> Vec<Resource> {
    Kea::current(&plain_target(), &answers(config_get, "2.2.0")).unwrap()
}

/// What a plan holds that goes from what the server has to `wanted`, when `owned` is what earlier plans made.
pub(crate) fn changes(config_get: &Value, wanted: &[Resource], owned: &[Resource]) -> Vec<Change> {
    switchover_testing::changes(&current(config_get), wanted, owned)
}

pub(crate) fn procedure(config_get: &Value, changes: &[Change]) -> Procedure {
    Kea::procedure(&plain_target(), &answers(config_get, "2.2.0"), changes).unwrap()
}

/// What `config-get` answers after the procedure.
pub(crate) fn after(config_get: &Value, changes: &[Change]) -> Value {
    let procedure = procedure(config_get, changes);
    let set = procedure
        .commit
        .iter()
        .find(|step| step.id == "set")
        .unwrap();
    let body = body(request(set));
    assert_eq!(body["command"], "config-set");
    json!([{"result": 0, "arguments": as_kea_writes(body["arguments"].clone())}])
}

/// Kea writes each byte beyond ASCII as a character of its own.
fn as_kea_writes(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.bytes().map(char::from).collect()),
        Value::Array(items) => items.into_iter().map(as_kea_writes).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, as_kea_writes(value)))
            .collect(),
        other => other,
    }
}

pub(crate) fn request(step: &Step) -> &HttpRequest {
    http(&step.effect)
}

pub(crate) fn undo_request(step: &UndoStep) -> &HttpRequest {
    http(&step.effect)
}

fn http(effect: &Effect) -> &HttpRequest {
    match effect {
        Effect::Http(request) => request,
        other => panic!("not a request: {other:?}"),
    }
}

pub(crate) fn body(request: &HttpRequest) -> Value {
    match &request.body {
        HttpBody::Json(json) => serde_json::from_str(json).unwrap(),
        other => panic!("not JSON: {other:?}"),
    }
}
