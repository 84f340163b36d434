//! The steps. Users come first, since devices are connected to them; deletions last, the other way round.
//!
//! What may not be sent twice has evidence: the engine looks before it undoes, and so finds what to undo.

use serde_json::{Value, json};
use switchover_sdk::{Change, Effect, Failure, HttpBody, HttpRequest, Probe, Procedure, Step};

use crate::devices;
use crate::manifest::{Settings, path};
use crate::reading::{REASON, get};
use crate::records::Records;
use crate::settings;
use crate::shape::{kind, name};
use crate::users;

/// Milliseconds between two looks at the registrations.
const LOOK_AGAIN: u32 = 1000;

/// # Errors
/// A change is not one of this plugin's.
pub(crate) fn procedure(
    own: &Settings,
    records: &Records,
    changes: &[Change],
) -> Result<Procedure, Failure> {
    let users = users::UserChanges::of(changes)?;
    let devices = devices::DeviceChanges::of(changes)?;
    let mut commit = Vec::new();
    commit.extend(users.write(own, records)?);
    commit.extend(devices.write(own, records)?);
    commit.extend(users.delete(own, records)?);
    commit.extend(settings::write(own, records, changes)?);
    let waited_for = changes.iter().filter(|change| change.is_wanted());
    let waited_for = waited_for.filter_map(|change| {
        let extension = name(&change.address, kind::REGISTRATION)?;
        let seconds = change.hint.as_deref().and_then(|hint| hint.parse().ok());
        Some(registered(
            extension,
            seconds.unwrap_or(own.registration_patience),
        ))
    });
    Ok(Procedure {
        stage: Vec::new(),
        commit,
        verify: waited_for.collect(),
    })
}

/// Waits until an extension is registered.
fn registered(extension: &str, seconds: u32) -> Step {
    let probe = Probe {
        request: get(path::REGISTRATIONS),
        deadline_ms: seconds.saturating_mul(1000),
        every_ms: LOOK_AGAIN,
    };
    let pointer =
        switchover_sdk::json::pointer(["result", extension, "registrations", "0", "online"]);
    Step::new(
        format!("registered-{extension}"),
        format!("wait up to {seconds} s until {extension} is registered"),
        Effect::Probe(probe),
    )
    .expect(pointer, &json!(true))
}

/// A request with a JSON body.
pub(crate) fn send(method: &str, path: impl Into<String>, body: &Value) -> Effect {
    Effect::Http(
        HttpRequest {
            body: HttpBody::Json(body.to_string()),
            ..HttpRequest::new(method, path)
        }
        .reason(REASON),
    )
}

pub(crate) fn delete(path: impl Into<String>) -> Effect {
    Effect::Http(HttpRequest::new("DELETE", path).reason(REASON))
}

/// An id of a step or a name of a capture: what these may not hold is replaced.
pub(crate) fn plain(text: &str) -> String {
    text.replace('#', "^")
}

/// A change that does not fit what was read.
pub(crate) fn unexpected(change: &Change, why: &str) -> Failure {
    let address = &change.address;
    Failure::new(
        "change",
        format!("cannot apply the change of `{address}`: {why}"),
    )
}

/// A member of a change's value before or after.
pub(crate) fn member(
    change: &Change,
    json: Option<&String>,
    name: &str,
) -> Result<String, Failure> {
    let json = json.ok_or_else(|| unexpected(change, "it has no value"))?;
    let value: Value =
        serde_json::from_str(json).map_err(|error| unexpected(change, &error.to_string()))?;
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| unexpected(change, &format!("its value has no `{name}`")))
}
