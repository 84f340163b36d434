//! What exists, in the shape of `desired`.

use serde_json::Value;
use switchover_sdk::Resource;

use crate::manifest::Settings;
use crate::place::Part;
use crate::records::Records;
use crate::shape;

/// A declared secret's value in an answer comes as this.
const SECRET: &str = "${secret:";

/// Everything, whoever made it.
pub(crate) fn current(settings: &Settings, records: &Records) -> Vec<Resource> {
    let mut resources = Vec::new();
    resources.extend(records.part.as_deref().map(shape::part));
    let field = |name: &str| records.settings.get(name).and_then(Value::as_str);
    if let (Some(language), Some(region)) = (
        field(&settings.language_field),
        field(&settings.region_field),
    ) {
        resources.push(shape::locale(language, region));
    }
    resources.extend(records.ntp.as_deref().map(shape::ntp));
    // What a synchronisation overwrites is not ours to change, and nobody's to compare.
    let users = records
        .users
        .iter()
        .filter(|_| records.part.as_deref() != Some(Part::Destination.word()));
    for (extension, user) in users {
        resources.push(shape::user(extension, user.text("name")));
        if !user.text("email").is_empty() {
            resources.push(shape::email(extension, user.text("email")));
        }
        // Any other password is the PBX's own affair, and is not shown.
        let password = user.text("sipPassword");
        if settings.sip_passwords.is_on() && password.starts_with(SECRET) {
            resources.push(shape::sip_password(extension, password));
        }
    }
    for (mac, device) in &records.devices {
        resources.push(shape::device(mac, &device.description));
        if let Some(extension) = &device.user {
            resources.push(shape::connection(mac, extension));
        }
    }
    let registered = records.registrations.iter().filter(|(_, online)| **online);
    resources.extend(registered.map(|(extension, _)| shape::registration(extension)));
    resources
}
