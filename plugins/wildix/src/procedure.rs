//! The steps. Users come first, since devices are connected to them; deletions last, the other way round.
//!
//! A request that makes or deletes something is followed by one that looks. The way back stands at the second: it is
//! gone only when the first was carried out for sure. At the first stands a look whether it was not carried out at all;
//! where that fails, the run ends as partly applied and says so.

use serde_json::{Value, json};
use switchover_sdk::{
    Change, Effect, Failure, HttpBody, HttpRequest, Probe, Procedure, Step, UndoStep,
};

use crate::devices;
use crate::manifest::{Settings, path};
use crate::reading::{REASON, get, page};
use crate::records::{List, Records};
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
    let mut total = records.users_total;
    commit.extend(users.write(own, records, &mut total)?);
    commit.extend(devices.write(own, records)?);
    commit.extend(users.delete(records, &mut total)?);
    commit.extend(settings::write(own, records, changes)?);
    let waited_for = changes.iter().filter(|change| change.is_wanted());
    let waited_for = waited_for.filter_map(|change| name(&change.address, kind::REGISTRATION));
    Ok(Procedure {
        stage: Vec::new(),
        commit,
        verify: waited_for
            .map(|extension| registered(extension, own.registration_patience))
            .collect(),
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
        format!("wait until {extension} is registered"),
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

/// A look at how many records a list has.
fn count(list: List) -> Effect {
    Effect::Http(page(list, 1, 0))
}

const TOTAL: &str = "/result/total";

/// Stands at a request that makes or deletes something: fine where nothing came of it.
pub(crate) fn unless_carried_out(list: List, what: &str, before: usize) -> UndoStep {
    UndoStep::new(format!("see that {what}"), count(list)).expect(TOTAL, &json!(before))
}

/// Follows a request that makes or deletes something.
pub(crate) fn look(id: String, title: String, list: List, after: usize) -> Step {
    Step::new(id, title, count(list)).expect(TOTAL, &json!(after))
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
