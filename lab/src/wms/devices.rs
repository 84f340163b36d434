//! Telephones and gateways that WMS knows by their hardware addresses.

use serde_json::{Map, Value, json};

use super::reply::{Page, Reply, fields, required};
use super::state::State;

/// Fields of a device that a client may write. Of these only the description is told again.
const WRITABLE: [&str; 3] = ["alternatePort", "description", "provision"];
const NEVER_TOLD: [&str; 2] = ["alternatePort", "provision"];

/// Twelve hexadecimal digits in lower case, whatever stood between them.
fn hardware_address(text: &str) -> Result<String, Reply> {
    let digits: String = text
        .chars()
        .filter(|character| !matches!(character, ':' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect();
    let fits = digits.len() == 12
        && digits
            .chars()
            .all(|character| character.is_ascii_hexdigit());
    match fits {
        true => Ok(digits),
        false => Err(Reply::error(400, format!("`{text}` is no MAC address"))),
    }
}

impl State {
    pub(super) fn list_devices(&self, query: Vec<(String, String)>) -> Result<Reply, Reply> {
        let mut query = query;
        let page = Page::take(&mut query)?;
        if let Some((name, _)) = query.first() {
            return Err(Reply::error(400, format!("unknown parameter `{name}`")));
        }
        let shown = |device: &Map<String, Value>| {
            let mut device = device.clone();
            for name in NEVER_TOLD {
                device.remove(name);
            }
            Value::Object(device)
        };
        Ok(page.of(self.devices.iter().map(shown).collect()))
    }

    /// All of them or none.
    pub(super) fn add_devices(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let given = fields(body, &["macs"])?;
        let texts: Option<Vec<&str>> = given
            .get("macs")
            .and_then(Value::as_array)
            .and_then(|macs| macs.iter().map(Value::as_str).collect());
        let texts = texts
            .filter(|macs| !macs.is_empty())
            .ok_or_else(|| Reply::error(400, "`macs` must be a list of MAC addresses"))?;
        let mut macs: Vec<String> = Vec::new();
        for text in texts {
            let mac = hardware_address(text)?;
            if macs.contains(&mac) || self.device_mut(&mac).is_ok() {
                return Err(Reply::error(
                    409,
                    format!("device `{mac}` is known already"),
                ));
            }
            macs.push(mac);
        }
        for mac in macs {
            let id = self.next_id();
            let device = json!({
                "id": id, "mac": mac, "model": "", "description": "", "firmware": "", "user": null,
                "address": "", "state": "off", "vendor": { "name": "", "additional": "" },
            });
            if let Value::Object(device) = device {
                self.devices.push(device);
            }
        }
        Ok(Reply::success())
    }

    pub(super) fn update_device(&mut self, mac: &str, body: &[u8]) -> Result<Reply, Reply> {
        let mac = hardware_address(mac)?;
        let given = fields(body, &WRITABLE)?;
        let text = |name: &str| given.get(name).is_none_or(Value::is_string);
        if !text("description") || !text("alternatePort") {
            return Err(Reply::error(400, "a description or port must be a text"));
        }
        if !given.get("provision").is_none_or(Value::is_boolean) {
            return Err(Reply::error(400, "`provision` must be true or false"));
        }
        self.device_mut(&mac)?.extend(given);
        Ok(Reply::success())
    }

    pub(super) fn delete_device(&mut self, mac: &str) -> Result<Reply, Reply> {
        let mac = hardware_address(mac)?;
        self.device_mut(&mac)?;
        self.devices
            .retain(|device| device.get("mac") != Some(&json!(mac)));
        Ok(Reply::success())
    }

    pub(super) fn connect_device(&mut self, mac: &str, body: &[u8]) -> Result<Reply, Reply> {
        let mac = hardware_address(mac)?;
        let given = fields(body, &["extension"])?;
        let extension = required(&given, "extension")?.to_owned();
        let known = self
            .users
            .iter()
            .any(|user| user.get("extension").and_then(Value::as_str) == Some(&extension));
        if !known {
            return Err(Reply::error(404, format!("no user `{extension}`")));
        }
        self.device_mut(&mac)?
            .insert("user".to_owned(), json!(extension));
        Ok(Reply::success())
    }

    pub(super) fn disconnect_device(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let given = fields(body, &["mac"])?;
        let mac = hardware_address(required(&given, "mac")?)?;
        let device = self.device_mut(&mac)?;
        if device.get("user").is_none_or(Value::is_null) {
            return Err(Reply::error(400, format!("device `{mac}` has no user")));
        }
        device.insert("user".to_owned(), Value::Null);
        Ok(Reply::success())
    }

    fn device_mut(&mut self, mac: &str) -> Result<&mut Map<String, Value>, Reply> {
        self.devices
            .iter_mut()
            .find(|device| device.get("mac").and_then(Value::as_str) == Some(mac))
            .ok_or_else(|| Reply::error(404, format!("no device has the address `{mac}`")))
    }
}
