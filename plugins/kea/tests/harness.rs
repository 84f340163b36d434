//! What the engine does with the plugin, as far as these tests need it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_sdk::{
    Action, Answer, Change, Content, Effect, HttpBody, HttpRequest, Plugin, Procedure, Resource,
    Response, Step, UndoStep, View,
};

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

pub(crate) fn object(resource: &Resource) -> Value {
    let Content::Object(json) = &resource.content else {
        panic!("`{}` is no object", resource.address);
    };
    serde_json::from_str(json).unwrap()
}

pub(crate) fn by_address(resources: &[Resource]) -> BTreeMap<String, Value> {
    let map: BTreeMap<_, _> = resources
        .iter()
        .map(|resource| (resource.address.clone(), object(resource)))
        .collect();
    assert_eq!(map.len(), resources.len(), "addresses are unique");
    map
}

pub(crate) fn desired(view: &View) -> Vec<Resource> {
    Kea::desired(view, &plain_target()).unwrap()
}

pub(crate) fn current(config_get: &Value) -> Vec<Resource> {
    Kea::current(&plain_target(), &answers(config_get, "2.2.0")).unwrap()
}

/// What a plan holds that goes from what the server has to `wanted`, when `owned` is what earlier plans made.
pub(crate) fn changes(config_get: &Value, wanted: &[Resource], owned: &[Resource]) -> Vec<Change> {
    let have = by_address(&current(config_get));
    let want = by_address(wanted);
    let text = |value: Option<&Value>| value.map(ToString::to_string);
    let change = |resource: &Resource, action| Change {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        action,
        before: text(have.get(&resource.address)),
        after: text(want.get(&resource.address)),
    };
    let upserts = wanted
        .iter()
        .filter_map(|resource| match have.get(&resource.address) {
            None => Some(change(resource, Action::Create)),
            Some(before) if *before != object(resource) => Some(change(resource, Action::Update)),
            Some(_) => None,
        });
    let deletes = owned
        .iter()
        .filter(|resource| {
            have.contains_key(&resource.address) && !want.contains_key(&resource.address)
        })
        .map(|resource| change(resource, Action::Delete));
    upserts.chain(deletes).collect()
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
