//! A WMS in memory, and what the engine does with the plugin, as far as these tests need it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{
    Action, Answer, Change, Content, Effect, Evidence, Expectation, HttpBody, HttpRequest, Plugin,
    Procedure, Query, ReadRequest, Resource, Response, Sign, Target, View,
};
pub(crate) use switchover_testing::by_address;

/// Secrets that the topology declares: references and values.
const DECLARED: [(&str, &str); 1] = [("${secret:user/101/sip-password}", "sip-secret-0815")];

/// Records by path, in the order in which they were made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) users: Vec<Value>,
    pub(crate) devices: Vec<Value>,
    pub(crate) others: BTreeMap<&'static str, Value>,
    pub(crate) largest_page: usize,
    /// A path that answers 500 to writes.
    pub(crate) broken: Option<&'static str>,
    /// Whether it carries them out nevertheless: the answer is lost.
    pub(crate) unanswered: bool,
    next_id: u64,
}

impl Model {
    /// A PBX that knows its administrator, the trunk, the call group and the network, but no user of ours.
    pub(crate) fn new() -> Self {
        let page = |records: Value| json!({ "total": records.as_array().unwrap().len(), "records": records });
        let members = json!([
            { "id": "1", "name": "pbx2", "host": "pbx2.acme.example" },
            { "id": "2", "name": "rome", "host": "pbx.rome.acme.example" },
        ]);
        let others = BTreeMap::from([
            ("/api/v1/PBX/version", json!({ "version": "3.86.30011" })),
            (
                "/api/v1/PBX/settings",
                json!({ "language": "en", "region": "US", "timezone": "UTC" }),
            ),
            (
                "/api/v1/PBX/settings/ntp",
                json!({ "ntpServer": "pool.ntp.example" }),
            ),
            (
                "/api/v1/Trunks/Sip",
                page(json!([{ "id": "1", "title": "telco-a" }])),
            ),
            (
                "/api/v1/Dialplan/CallGroups",
                page(
                    json!([{ "id": "1", "title": "sales", "settings": { "strategy": "linear" } }]),
                ),
            ),
            ("/api/v1/network/pbxes", page(members)),
            ("/api/v1/PBX/Users/Sip/Registrations", json!({})),
        ]);
        let admin = json!({
            "id": 1, "name": "Administrator", "extension": "admin", "email": "", "role": "admin",
            "sipPassword": "administrators-own",
        });
        Self {
            users: vec![admin],
            devices: Vec::new(),
            others,
            largest_page: 100,
            broken: None,
            unanswered: false,
            next_id: 2,
        }
    }

    pub(crate) fn add_user(&mut self, fields: &Value) {
        let mut user = json!({ "id": self.next_id, "email": "", "sipPassword": "generated", "dialplan": "users" });
        self.next_id += 1;
        for (name, value) in fields.as_object().unwrap() {
            user[name] = value.clone();
        }
        self.users.push(user);
    }

    pub(crate) fn user(&self, extension: &str) -> Option<&Value> {
        self.users
            .iter()
            .find(|user| user["extension"] == extension)
    }

    pub(crate) fn device(&self, mac: &str) -> Option<&Value> {
        self.devices.iter().find(|device| device["mac"] == mac)
    }

    /// Without ids: what is made again gets another.
    pub(crate) fn without_ids(&self) -> (Vec<Value>, Vec<Value>, BTreeMap<&'static str, Value>) {
        let strip = |records: &[Value]| {
            let mut records = records.to_vec();
            for record in &mut records {
                record.as_object_mut().unwrap().remove("id");
            }
            records.sort_by_key(ToString::to_string);
            records
        };
        (
            strip(&self.users),
            strip(&self.devices),
            self.others.clone(),
        )
    }

    /// The answer to a request: a body, or a status.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, u16> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.trim_end_matches('/');
        if method != "GET" && self.broken.is_some_and(|broken| path.starts_with(broken)) {
            if self.unanswered {
                self.broken = None;
                self.send(method, path, body)?;
            }
            return Err(500);
        }
        let parts: Vec<&str> = path.split('/').collect();
        let success = Ok(json!({ "result": "Success" }));
        match (method, &parts[3..]) {
            ("GET", ["PBX", "Colleagues"]) => Ok(self.page(self.users.clone(), query)),
            ("GET", ["devices"]) => Ok(self.page(self.devices.clone(), query)),
            ("GET", _) => match self.others.get(path) {
                Some(result) => Ok(json!({ "type": "result", "result": result })),
                None => Err(404),
            },
            ("POST", ["PBX", "Colleagues"]) => {
                if self.user(body["extension"].as_str().unwrap()).is_some() {
                    return Err(409);
                }
                self.add_user(body);
                success
            }
            ("PUT", ["PBX", "Colleagues", id]) => {
                let user = self.users.iter_mut().find(|user| has_id(user, id));
                merge(user.ok_or(404u16)?, body);
                success
            }
            ("DELETE", ["PBX", "Colleagues", id]) => {
                let before = self.users.len();
                self.users.retain(|user| !has_id(user, id));
                if self.users.len() == before {
                    Err(404)
                } else {
                    success
                }
            }
            ("POST", ["devices"]) => {
                for mac in body["macs"].as_array().unwrap() {
                    if self.device(mac.as_str().unwrap()).is_some() {
                        return Err(409);
                    }
                    let device =
                        json!({ "id": self.next_id, "mac": mac, "description": "", "user": null });
                    self.next_id += 1;
                    self.devices.push(device);
                }
                success
            }
            ("DELETE", ["devices", "disconnect"]) => {
                let device = self.device_mut(body["mac"].as_str().unwrap())?;
                if device["user"].is_null() {
                    return Err(400);
                }
                device["user"] = Value::Null;
                success
            }
            ("PUT", ["devices", mac]) => {
                merge(self.device_mut(mac)?, body);
                success
            }
            ("DELETE", ["devices", mac]) => {
                self.device_mut(mac)?;
                self.devices.retain(|device| device["mac"] != *mac);
                success
            }
            ("POST", ["Devices", mac, "connect"]) => {
                let extension = body["extension"].as_str().unwrap();
                self.user(extension).ok_or(404u16)?;
                self.device_mut(mac)?["user"] = json!(extension);
                success
            }
            ("PUT", ["PBX", "settings", ..]) => {
                merge(self.others.get_mut(path).ok_or(404u16)?, body);
                success
            }
            _ => Err(405),
        }
    }

    fn device_mut(&mut self, mac: &str) -> Result<&mut Value, u16> {
        let device = self.devices.iter_mut().find(|device| device["mac"] == mac);
        device.ok_or(404)
    }

    fn page(&self, mut records: Vec<Value>, query: &str) -> Value {
        let parameters: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        if let Some(text) = parameters.get("search") {
            let field = parameters["searchFields"];
            records.retain(|record| record[field].as_str().unwrap_or("").contains(text));
        }
        let number = |name, default| {
            parameters
                .get(name)
                .map_or(default, |text: &&str| text.parse().unwrap())
        };
        let total = records.len();
        let page: Vec<Value> = records
            .into_iter()
            .skip(number("start", 0))
            .take(number("count", 20).min(self.largest_page))
            .collect();
        json!({ "type": "result", "result": { "records": page, "total": total } })
    }

    /// Asks the plugin's queries, as the engine does: secrets become references.
    pub(crate) fn answers(&mut self, target: &Target, wanted: &[String]) -> Vec<Answer> {
        let mut answers: Vec<Answer> = Vec::new();
        for round in 0..8 {
            let queries = Wildix::queries(target, wanted, round, &answers).unwrap();
            if queries.is_empty() {
                return answers;
            }
            for Query { id, request, .. } in queries {
                assert!(
                    answers.iter().all(|answer| answer.query != id),
                    "{id} twice"
                );
                assert!(
                    id.len() <= 512 && !id.contains(['{', '}', '$', '#']),
                    "{id}"
                );
                let ReadRequest::Http(request) = request else {
                    panic!()
                };
                let mut body = self
                    .send(&request.method, &request.path, &Value::Null)
                    .unwrap();
                hide(&mut body, &id, "");
                answers.push(Answer {
                    query: id,
                    response: Response::Http(body.to_string().into_bytes()),
                });
            }
        }
        panic!("it asks on and on");
    }
}

fn has_id(record: &Value, id: &str) -> bool {
    record["id"].as_u64().map(|id| id.to_string()).as_deref() == Some(id)
}

fn merge(record: &mut Value, body: &Value) {
    for (name, value) in body.as_object().unwrap() {
        record[name] = value.clone();
    }
}

fn hide(value: &mut Value, query: &str, pointer: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let pointer = format!("{pointer}/{name}");
                if name == "sipPassword" {
                    let declared = DECLARED.iter().find(|(_, secret)| member == secret);
                    let hidden = format!("${{observed:{query}#{pointer}}}");
                    *member = json!(declared.map_or(hidden.as_str(), |(reference, _)| reference));
                } else {
                    hide(member, query, &pointer);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                hide(item, query, &format!("{pointer}/{index}"));
            }
        }
        _ => {}
    }
}

pub(crate) fn object(resource: &Resource) -> Value {
    let Content::Object(json) = &resource.content else {
        panic!("`{}` is no object", resource.address);
    };
    serde_json::from_str(json).unwrap()
}

/// What is wanted of a view, what there is, and the changes from one to the other. `owned` is what earlier plans made.
pub(crate) struct Planned {
    pub(crate) answers: Vec<Answer>,
    pub(crate) changes: Vec<Change>,
}

pub(crate) fn plan(model: &mut Model, view: &View, target: &Target, owned: &[String]) -> Planned {
    let wanted = Wildix::desired(view, target).unwrap();
    let addresses: Vec<String> = wanted.iter().map(|one| one.address.clone()).collect();
    let answers = model.answers(target, &addresses);
    let current = Wildix::current(target, &answers).unwrap();
    let (have, want) = (by_address(&current), by_address(&wanted));
    let text = |value: Option<&Value>| value.map(ToString::to_string);
    let change = |resource: &Resource, action| Change {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        action,
        before: text(have.get(&resource.address)),
        after: text(want.get(&resource.address)),
        hint: resource.hint.clone(),
    };
    let upserts = wanted
        .iter()
        .filter_map(|one| match have.get(&one.address) {
            None => Some(change(one, Action::Create)),
            Some(before) if *before != object(one) => Some(change(one, Action::Update)),
            Some(_) => None,
        });
    let deletes = current
        .iter()
        .filter(|one| owned.contains(&one.address) && !want.contains_key(&one.address))
        .map(|one| change(one, Action::Delete));
    let changes = upserts.chain(deletes).collect();
    Planned { answers, changes }
}

/// Runs a procedure, and undoes it when a step fails. Gives the step that failed.
pub(crate) fn run(model: &mut Model, procedure: &Procedure, before: &Model) -> Result<(), String> {
    let steps = procedure.stage.iter().chain(&procedure.commit);
    for (at, step) in steps.enumerate() {
        assert!(step.capture.is_empty(), "ids are looked for, not kept");
        if let Err(error) = perform(model, &step.effect, &step.expect, &BTreeMap::new(), before) {
            model.broken = None;
            undo(model, procedure, at, before);
            return Err(format!("{}: {error}", step.id));
        }
    }
    Ok(())
}

/// Undoes the commit steps up to and with this one: what evidence shows not to be there is not undone.
pub(crate) fn undo(model: &mut Model, procedure: &Procedure, last: usize, before: &Model) {
    for step in procedure.commit[..=last].iter().rev() {
        let mut captured = BTreeMap::new();
        if let Some(evidence) = &step.evidence
            && !was_carried_out(model, evidence, &mut captured)
        {
            continue;
        }
        for undo in &step.undo {
            let done = perform(model, &undo.effect, &undo.expect, &captured, before);
            let is_done = match &undo.evidence {
                Some(evidence) => was_carried_out(model, evidence, &mut BTreeMap::new()),
                None => done.is_ok(),
            };
            assert!(is_done, "{}: {done:?}", undo.title);
        }
    }
}

/// Undoes a whole run.
pub(crate) fn undo_all(model: &mut Model, procedure: &Procedure, before: &Model) {
    undo(model, procedure, procedure.commit.len() - 1, before);
}

/// Looks through every page.
pub(crate) fn was_carried_out(
    model: &mut Model,
    evidence: &Evidence,
    captured: &mut BTreeMap<String, Value>,
) -> bool {
    let meets = |value: &&Value| {
        evidence.expect.iter().all(|one| {
            let wanted: Value = serde_json::from_str(&one.equals).unwrap();
            value.pointer(&one.pointer) == Some(&wanted)
        })
    };
    let mut seen = 0;
    let found = loop {
        let path = evidence
            .request
            .path
            .replace("start=0", &format!("start={seen}"));
        let answer = model
            .send(&evidence.request.method, &path, &Value::Null)
            .unwrap();
        let Some(list) = &evidence.among else {
            break meets(&&answer).then_some(answer);
        };
        let members = answer.pointer(list).unwrap().as_array().unwrap().clone();
        if let Some(found) = members.iter().find(meets) {
            break Some(found.clone());
        }
        seen += members.len() as u64;
        let paging = evidence.paging.as_ref().unwrap();
        assert_eq!(paging.parameter, "start");
        if answer.pointer(&paging.total).unwrap().as_u64() <= Some(seen) {
            break None;
        }
    };
    for capture in &evidence.capture {
        if let Some(found) = &found {
            let value = found.pointer(&capture.pointer).unwrap().clone();
            captured.insert(capture.name.clone(), value);
        }
    }
    found.is_some() == (evidence.sign == Sign::Present)
}

fn perform(
    model: &mut Model,
    effect: &Effect,
    expect: &[Expectation],
    captured: &BTreeMap<String, Value>,
    before: &Model,
) -> Result<Value, String> {
    let request = http(effect);
    let mut path = request.path.clone();
    for (name, value) in captured {
        path = path.replace(&format!("${{step.{name}}}"), &value.to_string());
    }
    assert!(!path.contains("${"), "{path} was never captured");
    let body = expanded(&body(request), before);
    let answer = model
        .send(&request.method, &path, &body)
        .map_err(|status| format!("{} {path} answers {status}", request.method))?;
    for one in expect {
        let wanted: Value = serde_json::from_str(&one.equals).unwrap();
        let found = answer.pointer(&one.pointer);
        if found != Some(&wanted) {
            return Err(format!("{found:?} at {}, not {wanted}", one.pointer));
        }
    }
    Ok(answer)
}

/// With the values that references stand for.
fn expanded(body: &Value, before: &Model) -> Value {
    let mut body = body.clone();
    if let Some(password) = body.get_mut("sipPassword") {
        let text = password.as_str().unwrap().to_owned();
        let declared = DECLARED.iter().find(|(reference, _)| *reference == text);
        *password = match (declared, text.strip_prefix("${observed:users-from/")) {
            (Some((_, secret)), _) => json!(secret),
            (None, Some(place)) => {
                let (start, pointer) = place.trim_end_matches('}').split_once('#').unwrap();
                let index: usize = pointer.split('/').nth(3).unwrap().parse().unwrap();
                before.users[start.parse::<usize>().unwrap() + index]["sipPassword"].clone()
            }
            (None, None) => json!(text),
        };
    }
    body
}

pub(crate) fn http(effect: &Effect) -> &HttpRequest {
    match effect {
        Effect::Http(request) => request,
        Effect::Probe(probe) => &probe.request,
        other => panic!("not a request: {other:?}"),
    }
}

pub(crate) fn body(request: &HttpRequest) -> Value {
    match &request.body {
        HttpBody::Json(json) => serde_json::from_str(json).unwrap(),
        HttpBody::Empty => Value::Null,
        other => panic!("not JSON: {other:?}"),
    }
}
