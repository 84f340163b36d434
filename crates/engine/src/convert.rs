//! Between the plugin contract's types and the plan's.

use std::collections::HashMap;

use serde_json::Value;
use switchover_effects::placeholder::is_name;
use switchover_plugin_host::wit;

use crate::diff::{Body, Resource};
use crate::plan::{
    Action, Capture, Change, DhcpDiscover, DhcpOption, DnsUpdate, Effect, Evidence, Expectation,
    FileContent, HttpBody, HttpRequest, OptionValue, Paging, Procedure, Rrset, Sign, Step,
    Transport, Undo, UndoStep,
};
use crate::render::{RenderError, Templates};
use crate::runbook::{Task, TaskState};

/// A plugin gave something that is not what the contract says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    #[error("{place} is not JSON: {source}")]
    Json {
        place: String,
        source: serde_json::Error,
    },
    #[error("`{address}` refers to the answer `{query}`, which is not a file that was read")]
    Answer { address: String, query: String },
    #[error("`{address}` is a file in `desired` that refers to an answer")]
    AnswerWanted { address: String },
    #[error("{name:?} cannot be the name of what the step `{step}` captures")]
    Capture { step: String, name: String },
    #[error(transparent)]
    Render(#[from] RenderError),
}

fn json(text: &str, place: impl FnOnce() -> String) -> Result<Value, ConvertError> {
    serde_json::from_str(text).map_err(|source| ConvertError::Json {
        place: place(),
        source,
    })
}

/// A task as a runbook has it.
pub(crate) fn task(task: wit::Task) -> Task {
    Task {
        id: task.id,
        title: task.title,
        instructions: task.instructions,
        source: task.source,
        state: match task.state {
            wit::TaskState::Done(seen) => TaskState::Done(seen),
            wit::TaskState::Open(seen) => TaskState::Open(seen),
            wit::TaskState::Unknown(why) => TaskState::Unknown(why),
        },
    }
}

/// Resources as a plugin wants them, files rendered.
pub(crate) fn desired(
    resources: Vec<wit::Resource>,
    templates: &Templates,
) -> Result<Vec<Resource>, ConvertError> {
    let answered = |address: &str, _| {
        Err(ConvertError::AnswerWanted {
            address: address.to_owned(),
        })
    };
    convert(resources, templates, answered)
}

/// Resources as a plugin found them in the answers.
pub(crate) fn current(
    resources: Vec<wit::Resource>,
    files: &HashMap<String, Vec<u8>>,
    templates: &Templates,
) -> Result<Vec<Resource>, ConvertError> {
    let answered = |address: &str, query: String| match files.get(&query) {
        Some(bytes) => Ok(bytes.clone()),
        None => Err(ConvertError::Answer {
            address: address.to_owned(),
            query,
        }),
    };
    convert(resources, templates, answered)
}

/// `answered` gives the file that a resource refers to, by the resource's address and the query's id.
fn convert(
    resources: Vec<wit::Resource>,
    templates: &Templates,
    answered: impl Fn(&str, String) -> Result<Vec<u8>, ConvertError>,
) -> Result<Vec<Resource>, ConvertError> {
    let body = |address: &str, content: wit::Content| match content {
        wit::Content::Object(text) => {
            json(&text, || format!("the object of `{address}`")).map(Body::Object)
        }
        wit::Content::Text(text) => Ok(Body::File(text.into_bytes())),
        wit::Content::Template(call) => {
            let context = json(&call.context, || format!("the context of `{address}`"))?;
            let text = templates.render(&call.name, &context, address)?;
            Ok(Body::File(text.into_bytes()))
        }
        wit::Content::Answer(query) => answered(address, query).map(Body::File),
    };
    let resource = |resource: wit::Resource| {
        Ok(Resource {
            body: body(&resource.address, resource.content)?,
            address: resource.address,
            kind: resource.kind,
            sensitive: resource.sensitive,
            depends_on: resource.depends_on,
            hint: resource.hint,
        })
    };
    resources.into_iter().map(resource).collect()
}

/// Changes as a plugin reads them: objects as JSON with nothing hidden, files by their address alone.
pub(crate) fn changes(
    changes: &[Change],
    desired: &[Resource],
    current: &[Resource],
) -> Vec<wit::Change> {
    let index = |resources: &[Resource]| -> HashMap<String, String> {
        let object = |resource: &Resource| match &resource.body {
            Body::Object(value) => Some((resource.address.clone(), value.to_string())),
            Body::File(_) => None,
        };
        resources.iter().filter_map(object).collect()
    };
    let (mut wanted, mut there) = (index(desired), index(current));
    let hint = |resource: &Resource| Some((resource.address.clone(), resource.hint.clone()?));
    let mut hints: HashMap<String, String> = desired.iter().filter_map(hint).collect();
    let mut convert = |change: &Change| wit::Change {
        address: change.address.clone(),
        kind: change.kind.clone(),
        action: match change.action {
            Action::Create => wit::Action::Create,
            Action::Update => wit::Action::Update,
            Action::Delete => wit::Action::Delete,
        },
        before: there.remove(&change.address),
        after: if change.action == Action::Delete {
            None
        } else {
            wanted.remove(&change.address)
        },
        hint: hints.remove(&change.address),
    };
    changes.iter().map(&mut convert).collect()
}

/// A procedure as the plan keeps it.
pub(crate) fn procedure(procedure: wit::Procedure) -> Result<Procedure, ConvertError> {
    let steps = |steps: Vec<wit::Step>| steps.into_iter().map(step).collect::<Result<Vec<_>, _>>();
    Ok(Procedure {
        stage: steps(procedure.stage)?,
        commit: steps(procedure.commit)?,
        verify: steps(procedure.verify)?,
    })
}

fn step(step: wit::Step) -> Result<Step, ConvertError> {
    Ok(Step {
        effect: effect(step.effect, &step.id)?,
        expect: expectations(step.expect, &step.id)?,
        capture: captures(step.capture, &step.id)?,
        evidence: step
            .evidence
            .map(|found| evidence(found, &step.id))
            .transpose()?,
        undo: step
            .undo
            .into_iter()
            .map(|undo| undo_step(undo, &step.id))
            .collect::<Result<_, _>>()?,
        id: step.id,
        title: step.title,
    })
}

fn undo_step(undo: wit::UndoStep, step: &str) -> Result<UndoStep, ConvertError> {
    Ok(UndoStep {
        title: undo.title,
        effect: effect(undo.effect, step)?,
        expect: expectations(undo.expect, step)?,
        evidence: undo
            .evidence
            .map(|found| evidence(found, step))
            .transpose()?,
    })
}

fn evidence(evidence: wit::Evidence, step: &str) -> Result<Evidence, ConvertError> {
    Ok(Evidence {
        request: http_request(evidence.request, step)?,
        among: evidence.among,
        paging: evidence.paging.map(|paging| Paging {
            parameter: paging.parameter,
            total: paging.total,
        }),
        expect: expectations(evidence.expect, step)?,
        sign: match evidence.sign {
            wit::Sign::Present => Sign::Present,
            wit::Sign::Absent => Sign::Absent,
        },
        capture: captures(evidence.capture, step)?,
    })
}

fn captures(captures: Vec<wit::Capture>, step: &str) -> Result<Vec<Capture>, ConvertError> {
    let convert = |capture: wit::Capture| match is_name(&capture.name) {
        true => Ok(Capture {
            name: capture.name,
            pointer: capture.pointer,
        }),
        false => Err(ConvertError::Capture {
            step: step.to_owned(),
            name: capture.name,
        }),
    };
    captures.into_iter().map(convert).collect()
}

fn expectations(
    expectations: Vec<wit::Expectation>,
    step: &str,
) -> Result<Vec<Expectation>, ConvertError> {
    let convert = |expectation: wit::Expectation| {
        let equals = json(&expectation.equals, || {
            format!("an expectation of the step `{step}`")
        })?;
        Ok(Expectation {
            pointer: expectation.pointer,
            equals,
        })
    };
    expectations.into_iter().map(convert).collect()
}

fn effect(effect: wit::Effect, step: &str) -> Result<Effect, ConvertError> {
    Ok(match effect {
        wit::Effect::Http(request) => Effect::Http(http_request(request, step)?),
        wit::Effect::WriteFile(file) => Effect::WriteFile {
            path: file.path,
            content: match file.content {
                wit::FileContent::Text(text) => FileContent::Text(text),
                wit::FileContent::Resource(address) => FileContent::Resource(address),
            },
        },
        wit::Effect::RemoveFile(path) => Effect::RemoveFile { path },
        wit::Effect::Run(run) => Effect::Run {
            name: run.name,
            file: run.file,
        },
        wit::Effect::Probe(probe) => Effect::Probe {
            request: http_request(probe.request, step)?,
            deadline_ms: probe.deadline_ms,
            every_ms: probe.every_ms,
        },
        wit::Effect::DnsUpdate(update) => Effect::DnsUpdate(DnsUpdate {
            zone: update.zone,
            require: update.require.into_iter().map(rrset).collect(),
            replace: update.replace.into_iter().map(rrset).collect(),
        }),
        wit::Effect::DnsProbe(probe) => Effect::DnsProbe {
            zone: probe.zone,
            server: probe.server,
            deadline_ms: probe.deadline_ms,
            every_ms: probe.every_ms,
        },
        wit::Effect::DnsQuery(query) => Effect::DnsQuery {
            zone: query.zone,
            server: query.server,
            expect: query.expect.into_iter().map(rrset).collect(),
            deadline_ms: query.deadline_ms,
            every_ms: query.every_ms,
        },
        wit::Effect::SipOptions(options) => Effect::SipOptions {
            transport: match options.transport {
                wit::Transport::Udp => Transport::Udp,
                wit::Transport::Tcp => Transport::Tcp,
                wit::Transport::Tls => Transport::Tls,
            },
            port: options.port,
            deadline_ms: options.deadline_ms,
            every_ms: options.every_ms,
        },
        wit::Effect::DhcpDiscover(discover) => Effect::DhcpDiscover(DhcpDiscover {
            service: discover.service,
            mac: discover.mac,
            address: discover.address,
            options: discover.options.into_iter().map(dhcp_option).collect(),
            deadline_ms: discover.deadline_ms,
            every_ms: discover.every_ms,
        }),
    })
}

fn dhcp_option(option: wit::DhcpOption) -> DhcpOption {
    DhcpOption {
        code: option.code,
        name: option.name,
        value: match option.value {
            wit::OptionValue::Text(text) => OptionValue::Text(text),
            wit::OptionValue::Addresses(list) => OptionValue::Addresses(list),
            wit::OptionValue::SipAddresses(list) => OptionValue::SipAddresses(list),
            wit::OptionValue::SipNames(list) => OptionValue::SipNames(list),
            wit::OptionValue::Uint8(number) => OptionValue::Uint8(number),
            wit::OptionValue::Uint16(number) => OptionValue::Uint16(number),
            wit::OptionValue::Uint32(number) => OptionValue::Uint32(number),
            wit::OptionValue::Hex(digits) => OptionValue::Hex(digits),
        },
    }
}

fn dhcp_option_to_wit(option: &DhcpOption) -> wit::DhcpOption {
    wit::DhcpOption {
        code: option.code,
        name: option.name.clone(),
        value: match &option.value {
            OptionValue::Text(text) => wit::OptionValue::Text(text.clone()),
            OptionValue::Addresses(list) => wit::OptionValue::Addresses(list.clone()),
            OptionValue::SipAddresses(list) => wit::OptionValue::SipAddresses(list.clone()),
            OptionValue::SipNames(list) => wit::OptionValue::SipNames(list.clone()),
            OptionValue::Uint8(number) => wit::OptionValue::Uint8(*number),
            OptionValue::Uint16(number) => wit::OptionValue::Uint16(*number),
            OptionValue::Uint32(number) => wit::OptionValue::Uint32(*number),
            OptionValue::Hex(digits) => wit::OptionValue::Hex(digits.clone()),
        },
    }
}

fn rrset(rrset: wit::Rrset) -> Rrset {
    Rrset {
        owner: rrset.owner,
        rtype: rrset.type_,
        ttl: rrset.ttl_seconds,
        data: rrset.rdata,
    }
}

fn rrset_to_wit(rrset: &Rrset) -> wit::Rrset {
    wit::Rrset {
        owner: rrset.owner.clone(),
        type_: rrset.rtype.clone(),
        ttl_seconds: rrset.ttl,
        rdata: rrset.data.clone(),
    }
}

/// `place` is the step's or the query's id.
pub(crate) fn http_request(
    request: wit::HttpRequest,
    place: &str,
) -> Result<HttpRequest, ConvertError> {
    Ok(HttpRequest {
        body: match request.body {
            wit::HttpBody::Empty => HttpBody::Empty,
            wit::HttpBody::Json(text) => {
                HttpBody::Json(json(&text, || format!("the body of `{place}`"))?)
            }
            wit::HttpBody::Bytes(bytes) => HttpBody::Bytes(bytes),
        },
        method: request.method,
        path: request.path,
        headers: request
            .headers
            .into_iter()
            .map(|header| (header.name, header.value))
            .collect(),
        reason: request.reason,
    })
}

/// The way in which a plugin's changes can be taken back.
pub(crate) const fn undo(support: wit::UndoSupport) -> Undo {
    match support {
        wit::UndoSupport::Native => Undo::Native,
        wit::UndoSupport::Plugin => Undo::Plugin,
        wit::UndoSupport::None => Undo::None,
    }
}

/// An effect in the contract's types, to be held against a manifest.
pub(crate) fn effect_to_wit(effect: &Effect) -> wit::Effect {
    match effect {
        Effect::Http(request) => wit::Effect::Http(request_to_wit(request)),
        Effect::WriteFile { path, content } => wit::Effect::WriteFile(wit::WriteFile {
            path: path.clone(),
            content: match content {
                FileContent::Text(text) => wit::FileContent::Text(text.clone()),
                FileContent::Resource(address) => wit::FileContent::Resource(address.clone()),
            },
        }),
        Effect::RemoveFile { path } => wit::Effect::RemoveFile(path.clone()),
        Effect::Run { name, file } => wit::Effect::Run(wit::RunCommand {
            name: name.clone(),
            file: file.clone(),
        }),
        Effect::Probe {
            request,
            deadline_ms,
            every_ms,
        } => wit::Effect::Probe(wit::Probe {
            request: request_to_wit(request),
            deadline_ms: *deadline_ms,
            every_ms: *every_ms,
        }),
        Effect::DnsUpdate(update) => wit::Effect::DnsUpdate(wit::DnsUpdate {
            zone: update.zone.clone(),
            require: update.require.iter().map(rrset_to_wit).collect(),
            replace: update.replace.iter().map(rrset_to_wit).collect(),
        }),
        Effect::DnsProbe {
            zone,
            server,
            deadline_ms,
            every_ms,
        } => wit::Effect::DnsProbe(wit::DnsProbe {
            zone: zone.clone(),
            server: server.clone(),
            deadline_ms: *deadline_ms,
            every_ms: *every_ms,
        }),
        Effect::DnsQuery {
            zone,
            server,
            expect,
            deadline_ms,
            every_ms,
        } => wit::Effect::DnsQuery(wit::DnsQuery {
            zone: zone.clone(),
            server: server.clone(),
            expect: expect.iter().map(rrset_to_wit).collect(),
            deadline_ms: *deadline_ms,
            every_ms: *every_ms,
        }),
        Effect::SipOptions {
            transport,
            port,
            deadline_ms,
            every_ms,
        } => wit::Effect::SipOptions(wit::SipOptions {
            transport: match transport {
                Transport::Udp => wit::Transport::Udp,
                Transport::Tcp => wit::Transport::Tcp,
                Transport::Tls => wit::Transport::Tls,
            },
            port: *port,
            deadline_ms: *deadline_ms,
            every_ms: *every_ms,
        }),
        Effect::DhcpDiscover(discover) => wit::Effect::DhcpDiscover(wit::DhcpDiscover {
            service: discover.service.clone(),
            mac: discover.mac.clone(),
            address: discover.address.clone(),
            options: discover.options.iter().map(dhcp_option_to_wit).collect(),
            deadline_ms: discover.deadline_ms,
            every_ms: discover.every_ms,
        }),
    }
}

/// An effect whose path is plain where it will hold a value that an earlier step captures: what can be held against a
/// manifest before the value is known. The path itself is held against it right before it is sent.
pub(crate) fn without_captures(effect: wit::Effect) -> wit::Effect {
    let wit::Effect::Http(mut request) = effect else {
        return effect;
    };
    const OPEN: &str = "${step.";
    while let Some(at) = request.path.find(OPEN) {
        let Some(length) = request.path[at..].find('}') else {
            break;
        };
        request.path.replace_range(at..=at + length, "0");
    }
    wit::Effect::Http(request)
}

pub(crate) fn request_to_wit(request: &HttpRequest) -> wit::HttpRequest {
    wit::HttpRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| wit::Header {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        body: match &request.body {
            HttpBody::Empty => wit::HttpBody::Empty,
            HttpBody::Json(value) => wit::HttpBody::Json(value.to_string()),
            HttpBody::Bytes(bytes) => wit::HttpBody::Bytes(bytes.clone()),
        },
        reason: request.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(path: &str) -> String {
        let request = HttpRequest {
            method: "DELETE".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            reason: None,
        };
        match without_captures(wit::Effect::Http(request_to_wit(&request))) {
            wit::Effect::Http(request) => request.path,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_captured_values_become_plain_in_a_path() {
        assert_eq!(plain("/users/${step.user-101}"), "/users/0");
        assert_eq!(plain("/${step.a}/x/${step.b}?y=1"), "/0/x/0?y=1");
        for path in [
            "/users/7",
            "/users/${secret:x}",
            "/${observed:q#/a}",
            "/${step.open",
        ] {
            assert_eq!(plain(path), path);
        }
    }
}
