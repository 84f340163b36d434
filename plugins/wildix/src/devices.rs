//! Adding, changing, connecting and deleting devices.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use switchover_sdk::{Action, Change, Effect, Failure, Step, UndoStep};

use crate::manifest::{Settings, path};
use crate::procedure::{delete, look, member, plain, send, unexpected, unless_carried_out};
use crate::reading::get;
use crate::records::{Device, List, Records};
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
        let mut total = records.devices_total;
        let mut steps = self.add(&mut total);
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
                steps.extend(connected(mac, connection, records)?);
            }
        }
        for (mac, change) in &self.0 {
            if change.is(Action::Delete) {
                let before = records.devices.get(*mac);
                steps.extend(gone(settings, mac, before, &mut total));
            }
        }
        Ok(steps)
    }

    /// Adds all new devices at once.
    fn add(&self, total: &mut usize) -> Vec<Step> {
        let new = self
            .0
            .iter()
            .filter(|(_, change)| change.is(Action::Create));
        let macs: Vec<&str> = new.map(|(mac, _)| *mac).collect();
        if macs.is_empty() {
            return Vec::new();
        }
        let unadded = unless_carried_out(List::Devices, "no device was added", *total);
        let added = Step::new("add-devices", "add the new devices", add(&macs));
        *total += macs.len();
        let mut found = look(
            "find-devices".into(),
            "see that the devices are there".into(),
            List::Devices,
            *total,
        );
        for mac in macs {
            found = found.undo(UndoStep::new(
                format!("delete device {mac}"),
                delete(at(mac)),
            ));
        }
        vec![added.undo(unadded), found]
    }
}

fn connected(mac: &str, change: &Change, records: &Records) -> Result<Vec<Step>, Failure> {
    let device = records.devices.get(mac);
    let before = device.and_then(|device| device.user.as_deref());
    if !change.is_wanted() {
        let step = Step::new(
            format!("disconnect-{mac}"),
            format!("disconnect device {mac}"),
            disconnect(mac),
        );
        let back = before.map(|user| connected_again(mac, user));
        return Ok(vec![back.into_iter().fold(step, Step::undo)]);
    }
    let extension = member(change, change.after.as_ref(), "extension")?;
    let step = Step::new(
        format!("connect-{mac}"),
        format!("connect device {mac} to {extension}"),
        connect(mac, &extension),
    );
    Ok(match (device, before) {
        (_, Some(user)) => vec![step.undo(connected_again(mac, user))],
        // Connected for the first time: disconnected again only where it was connected for sure.
        (Some(_), None) => {
            let alive = Step::new(
                format!("connected-{mac}"),
                format!("see that the PBX took the connection of {mac}"),
                Effect::Http(get(path::PING)),
            );
            let back = UndoStep::new(format!("disconnect device {mac}"), disconnect(mac));
            vec![step, alive.undo(back)]
        }
        (None, None) => vec![step],
    })
}

fn connected_again(mac: &str, user: &str) -> UndoStep {
    UndoStep::new(
        format!("connect device {mac} to {user} again"),
        connect(mac, user),
    )
}

fn gone(settings: &Settings, mac: &str, before: Option<&Device>, total: &mut usize) -> Vec<Step> {
    let mac = plain(mac);
    let step = Step::new(
        format!("delete-{mac}"),
        format!("delete device {mac}"),
        delete(at(&mac)),
    );
    let still = format!("device {mac} is still there");
    let step = step.undo(unless_carried_out(List::Devices, &still, *total));
    *total = total.saturating_sub(1);
    let mut look = look(
        format!("gone-{mac}"),
        format!("see that device {mac} is gone"),
        List::Devices,
        *total,
    );
    look = look.undo(UndoStep::new(
        format!("add device {mac} again"),
        add(&[&mac]),
    ));
    if let Some(before) = before {
        look = look.undo(UndoStep::new(
            format!("describe device {mac} as before"),
            describe(settings, &mac, &before.description),
        ));
        if let Some(user) = &before.user {
            look = look.undo(connected_again(&mac, user));
        }
    }
    vec![step, look]
}
