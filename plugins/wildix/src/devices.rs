//! Adding, changing, connecting and deleting devices.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use switchover_sdk::{Action, Change, Effect, Failure, Sign, Step, UndoStep};

use crate::evidence;
use crate::manifest::{Settings, path};
use crate::procedure::{delete, member, plain, send, unexpected};
use crate::records::Records;
use crate::shape::{kind, name};

/// What changes about one device.
#[derive(Default)]
struct DeviceChange<'a> {
    device: Option<&'a Change>,
    connection: Option<&'a Change>,
}

impl DeviceChange<'_> {
    fn is(&self, action: Action) -> bool {
        self.device.is_some_and(|device| device.action == action)
    }
}

/// Changes by hardware address.
pub(crate) struct DeviceChanges<'a>(BTreeMap<&'a str, DeviceChange<'a>>);

fn at(mac: &str) -> String {
    format!("{}/{mac}", path::DEVICES)
}

fn connect(mac: &str, extension: &str) -> Effect {
    let path = format!("{}/{mac}/connect/", path::CONNECT);
    send("POST", path, &json!({ "extension": extension }))
}

fn disconnect(mac: &str) -> Effect {
    send("DELETE", path::DISCONNECT, &json!({ "mac": mac }))
}

fn add(macs: &[&str]) -> Effect {
    send("POST", path::DEVICES, &json!({ "macs": macs }))
}

/// The flags that every device gets, beside its description.
fn describe(settings: &Settings, mac: &str, description: &str) -> Effect {
    let mut fields = Map::from_iter([("description".to_owned(), json!(description))]);
    if let Some(provision) = settings.provision {
        fields.insert("provision".to_owned(), json!(provision));
    }
    if let Some(port) = settings.alternate_port {
        fields.insert("alternatePort".to_owned(), json!(port.to_string()));
    }
    send("PUT", at(mac), &Value::Object(fields))
}

impl<'a> DeviceChanges<'a> {
    /// # Errors
    /// An address does not fit its kind.
    pub(crate) fn of(changes: &'a [Change]) -> Result<Self, Failure> {
        let mut found: BTreeMap<&str, DeviceChange<'_>> = BTreeMap::new();
        for change in changes {
            let kind = change.kind.as_str();
            if ![kind::DEVICE, kind::CONNECTION].contains(&kind) {
                continue;
            }
            let mac = name(&change.address, kind)
                .ok_or_else(|| unexpected(change, "its address does not fit its kind"))?;
            let device = found.entry(mac).or_default();
            match kind {
                kind::DEVICE => device.device = Some(change),
                _ => device.connection = Some(change),
            }
        }
        Ok(Self(found))
    }

    /// Everything but what is about users.
    ///
    /// # Errors
    /// A change does not fit what was read.
    pub(crate) fn write(
        &self,
        settings: &Settings,
        records: &Records,
    ) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        steps.extend(self.add(settings, records));
        for (mac, change) in &self.0 {
            if let Some(device) = change.device.filter(|device| device.is_wanted()) {
                let description = member(device, device.after.as_ref(), "description")?;
                let step = Step::new(
                    format!("describe-{mac}"),
                    format!("describe device {mac}"),
                    describe(settings, mac, &description),
                );
                // A device that was just added goes away as a whole.
                let before = records.devices.get(*mac);
                let undo = before.map(|before| {
                    UndoStep::new(
                        format!("describe device {mac} as before"),
                        describe(settings, mac, &before.description),
                    )
                });
                steps.push(undo.into_iter().fold(step, Step::undo));
            }
        }
        for (mac, change) in &self.0 {
            if let Some(connection) = change.connection
                && !change.is(Action::Delete)
            {
                steps.push(connected(settings, mac, connection, records)?);
            }
        }
        for (mac, change) in &self.0 {
            if change.is(Action::Delete) {
                steps.push(gone(settings, mac, records));
            }
        }
        Ok(steps)
    }

    /// Adds all new devices at once.
    fn add(&self, own: &Settings, records: &Records) -> Option<Step> {
        let new = self
            .0
            .iter()
            .filter(|(_, change)| change.is(Action::Create));
        let macs: Vec<&str> = new.map(|(mac, _)| *mac).collect();
        if macs.is_empty() {
            return None;
        }
        let added = Step::new("add-devices", "add the new devices", add(&macs));
        // Some of them may be there and others not, so each undo looks for its own.
        let remove = |mac: &&str| {
            UndoStep::new(format!("delete device {mac}"), delete(at(mac)))
                .evidence(evidence::device(own, records, mac, Sign::Absent))
        };
        let undo = macs.iter().map(remove);
        Some(undo.fold(added.evidence(evidence::more_devices(records)), Step::undo))
    }
}

fn connected(
    own: &Settings,
    mac: &str,
    change: &Change,
    records: &Records,
) -> Result<Step, Failure> {
    let device = records.devices.get(mac);
    let before = device.and_then(|device| device.user.as_deref());
    let has = |user: &str, sign| evidence::connection(own, records, mac, user, sign);
    if !change.is_wanted() {
        let step = Step::new(
            format!("disconnect-{mac}"),
            format!("disconnect device {mac}"),
            disconnect(mac),
        );
        return Ok(match before {
            Some(user) => step
                .evidence(has(user, Sign::Absent))
                .undo(connected_again(mac, user)),
            None => step,
        });
    }
    let extension = member(change, change.after.as_ref(), "extension")?;
    let step = Step::new(
        format!("connect-{mac}"),
        format!("connect device {mac} to {extension}"),
        connect(mac, &extension),
    );
    Ok(match (device, before) {
        (_, Some(user)) => step.undo(connected_again(mac, user)),
        // Connected for the first time.
        (Some(_), None) => {
            let back = UndoStep::new(format!("disconnect device {mac}"), disconnect(mac));
            step.evidence(has(&extension, Sign::Present))
                .undo(back.evidence(has(&extension, Sign::Absent)))
        }
        // A device that was just added goes away as a whole.
        (None, None) => step,
    })
}

fn connected_again(mac: &str, user: &str) -> UndoStep {
    UndoStep::new(
        format!("connect device {mac} to {user} again"),
        connect(mac, user),
    )
}

fn gone(own: &Settings, mac: &str, records: &Records) -> Step {
    let mac = plain(mac);
    let there = |sign| evidence::device(own, records, &mac, sign);
    let mut step = Step::new(
        format!("delete-{mac}"),
        format!("delete device {mac}"),
        delete(at(&mac)),
    )
    .evidence(there(Sign::Absent));
    let again = UndoStep::new(format!("add device {mac} again"), add(&[&mac]));
    step = step.undo(again.evidence(there(Sign::Present)));
    if let Some(before) = records.devices.get(mac.as_str()) {
        step = step.undo(UndoStep::new(
            format!("describe device {mac} as before"),
            describe(own, &mac, &before.description),
        ));
        if let Some(user) = &before.user {
            step = step.undo(connected_again(&mac, user));
        }
    }
    step
}
