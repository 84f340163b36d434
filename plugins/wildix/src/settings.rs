//! Language, region and NTP server.

use serde_json::{Map, Value, json};
use switchover_sdk::{Change, Failure, Step, UndoStep};

use crate::manifest::{Settings, path};
use crate::procedure::{member, send};
use crate::records::Records;
use crate::shape::kind;

/// # Errors
/// A change has no value.
pub(crate) fn write(
    own: &Settings,
    records: &Records,
    changes: &[Change],
) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for change in changes.iter().filter(|change| change.is_wanted()) {
        let after = |name| member(change, change.after.as_ref(), name);
        match change.kind.as_str() {
            kind::LOCALE => {
                let fields = [
                    (own.language_field.clone(), json!(after("language")?)),
                    (own.region_field.clone(), json!(after("region")?)),
                ];
                let before = |name: &str| records.settings.get(name).cloned();
                steps.push(put(
                    "locale",
                    "language and region",
                    path::SETTINGS,
                    fields.into(),
                    before,
                ));
            }
            kind::NTP => {
                let fields = [("ntpServer".to_owned(), json!(after("server")?))];
                let before = |_: &str| records.ntp.as_ref().map(|server| json!(server));
                steps.push(put(
                    "ntp",
                    "the NTP server",
                    path::NTP,
                    fields.into(),
                    before,
                ));
            }
            _ => {}
        }
    }
    Ok(steps)
}

/// Sets fields; the undo gives back those that had a value.
fn put(
    id: &str,
    what: &str,
    path: &str,
    fields: Vec<(String, Value)>,
    before: impl Fn(&str) -> Option<Value>,
) -> Step {
    let old: Map<String, Value> = fields
        .iter()
        .filter_map(|(name, _)| Some((name.clone(), before(name)?)))
        .collect();
    let new: Map<String, Value> = fields.into_iter().collect();
    let step = Step::new(
        id,
        format!("set {what}"),
        send("PUT", path, &Value::Object(new)),
    );
    if old.is_empty() {
        return step;
    }
    step.undo(UndoStep::new(
        format!("set {what} back"),
        send("PUT", path, &Value::Object(old)),
    ))
}
