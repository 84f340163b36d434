//! What a resource looks like, and where it is.

use serde_json::{Value, json};
use switchover_sdk::Resource;

/// Names of the kinds of resources. Each is the first part of its addresses.
pub(crate) mod kind {
    pub(crate) const PART: &str = "part";
    pub(crate) const LOCALE: &str = "locale";
    pub(crate) const NTP: &str = "ntp";
    pub(crate) const USER: &str = "user";
    pub(crate) const EMAIL: &str = "email";
    pub(crate) const SIP_PASSWORD: &str = "sip-password";
    pub(crate) const DEVICE: &str = "device";
    pub(crate) const CONNECTION: &str = "connection";
    pub(crate) const REGISTRATION: &str = "registration";
}

pub(crate) fn address(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

/// The name in an address of this kind.
pub(crate) fn name<'a>(address: &'a str, kind: &str) -> Option<&'a str> {
    address.strip_prefix(kind)?.strip_prefix('/')
}

fn resource(kind: &str, name: &str, value: &Value) -> Resource {
    Resource::object(address(kind, name), kind, value)
}

/// The PBX's part in the synchronisation.
pub(crate) fn part(part: &str) -> Resource {
    resource(kind::PART, part, &json!({ "part": part }))
}

pub(crate) fn locale(language: &str, region: &str) -> Resource {
    resource(
        kind::LOCALE,
        "settings",
        &json!({ "language": language, "region": region }),
    )
}

pub(crate) fn ntp(server: &str) -> Resource {
    resource(kind::NTP, "settings", &json!({ "server": server }))
}

pub(crate) fn user(extension: &str, name: &str) -> Resource {
    let value = json!({ "extension": extension, "name": name });
    resource(kind::USER, extension, &value)
}

pub(crate) fn email(extension: &str, email: &str) -> Resource {
    let value = json!({ "extension": extension, "email": email });
    resource(kind::EMAIL, extension, &value).depends_on([address(kind::USER, extension)])
}

/// `password` is a reference, never the password itself.
pub(crate) fn sip_password(extension: &str, password: &str) -> Resource {
    let value = json!({ "extension": extension, "password": password });
    resource(kind::SIP_PASSWORD, extension, &value)
        .depends_on([address(kind::USER, extension)])
        .sensitive(["/password"])
}

pub(crate) fn device(mac: &str, description: &str) -> Resource {
    let value = json!({ "mac": mac, "description": description });
    resource(kind::DEVICE, mac, &value)
}

pub(crate) fn connection(mac: &str, extension: &str) -> Resource {
    let value = json!({ "mac": mac, "extension": extension });
    resource(kind::CONNECTION, mac, &value).depends_on([address(kind::DEVICE, mac)])
}

pub(crate) fn registration(extension: &str) -> Resource {
    let value = json!({ "extension": extension, "online": true });
    resource(kind::REGISTRATION, extension, &value)
}

/// A hardware address as WMS writes it: twelve digits in lower case.
pub(crate) fn mac(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_hexdigit)
        .map(|digit| digit.to_ascii_lowercase())
        .collect()
}
