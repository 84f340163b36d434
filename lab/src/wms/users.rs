//! Users: what WMS calls colleagues.

use serde_json::{Map, Value, json};

use super::reply::{Page, Reply, fields, required};
use super::state::State;

/// Fields of a user that a client may write.
const WRITABLE: [&str; 15] = [
    "department",
    "dialplan",
    "email",
    "extension",
    "faxDialplan",
    "faxNumber",
    "language",
    "licenseType",
    "login",
    "mobilePhone",
    "name",
    "officePhone",
    "password",
    "role",
    "sipPassword",
];

const ROLES: [&str; 5] = ["admin", "fax", "park_orbit", "room", "user"];

fn writable(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    let fields = fields(body, &WRITABLE)?;
    if let Some((name, _)) = fields.iter().find(|(_, value)| !value.is_string()) {
        return Err(Reply::error(400, format!("`{name}` must be a text")));
    }
    match fields.get("role").and_then(Value::as_str) {
        Some(role) if !ROLES.contains(&role) => {
            Err(Reply::error(400, format!("unknown role `{role}`")))
        }
        _ => Ok(fields),
    }
}

impl State {
    pub(super) fn list_users(&self, query: Vec<(String, String)>) -> Result<Reply, Reply> {
        let mut query = query;
        let page = Page::take(&mut query)?;
        let mut searched: Option<String> = None;
        let mut search_fields: Vec<String> = Vec::new();
        for (name, value) in query {
            match name.as_str() {
                "search" => searched = Some(value.to_lowercase()),
                "searchFields" => search_fields = value.split(',').map(str::to_owned).collect(),
                _ => return Err(Reply::error(400, format!("unknown parameter `{name}`"))),
            }
        }
        let found = |user: &&Map<String, Value>| {
            let Some(text) = &searched else { return true };
            let holds = |value: &Value| {
                value
                    .as_str()
                    .is_some_and(|value| value.to_lowercase().contains(text))
            };
            user.iter().any(|(name, value)| {
                (search_fields.is_empty() || search_fields.contains(name)) && holds(value)
            })
        };
        let shown = |user: &Map<String, Value>| {
            let mut user = user.clone();
            user.remove("password");
            if !self.tells_sip_passwords {
                user.remove("sipPassword");
            }
            Value::Object(user)
        };
        Ok(page.of(self.users.iter().filter(found).map(shown).collect()))
    }

    pub(super) fn create_user(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let given = writable(body)?;
        required(&given, "name")?;
        let extension = required(&given, "extension")?.to_owned();
        self.free_extension(&extension, None)?;
        let id = self.next_id();
        let mut user = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("role".to_owned(), json!("user")),
            ("licenseType".to_owned(), json!("basic")),
            ("dialplan".to_owned(), json!("users")),
            ("email".to_owned(), json!("")),
            (
                "sipPassword".to_owned(),
                json!(format!("generated-{id}-{extension}")),
            ),
        ]);
        user.extend(given);
        self.users.push(user);
        Ok(Reply::success())
    }

    pub(super) fn update_user(&mut self, id: &str, body: &[u8]) -> Result<Reply, Reply> {
        let given = writable(body)?;
        for name in ["name", "extension"] {
            if given.contains_key(name) {
                required(&given, name)?;
            }
        }
        if let Some(extension) = given.get("extension").and_then(Value::as_str) {
            self.free_extension(extension, Some(id))?;
        }
        self.user_mut(id)?.extend(given);
        Ok(Reply::success())
    }

    pub(super) fn delete_user(&mut self, id: &str) -> Result<Reply, Reply> {
        let extension = self.user_mut(id)?.get("extension").cloned();
        self.users.retain(|user| user.get("id") != Some(&json!(id)));
        if let Some(extension) = extension.as_ref().and_then(Value::as_str) {
            self.registrations.remove(extension);
            for device in &mut self.devices {
                if device.get("user").and_then(Value::as_str) == Some(extension) {
                    device.insert("user".to_owned(), Value::Null);
                }
            }
        }
        Ok(Reply::success())
    }

    fn user_mut(&mut self, id: &str) -> Result<&mut Map<String, Value>, Reply> {
        self.users
            .iter_mut()
            .find(|user| user.get("id") == Some(&json!(id)))
            .ok_or_else(|| Reply::error(404, format!("no colleague has the id `{id}`")))
    }

    fn free_extension(&self, extension: &str, except: Option<&str>) -> Result<(), Reply> {
        let taken = self.users.iter().any(|user| {
            user.get("extension").and_then(Value::as_str) == Some(extension)
                && user.get("id").and_then(Value::as_str) != except
        });
        match taken {
            true => Err(Reply::error(
                409,
                format!("extension `{extension}` is in use"),
            )),
            false => Ok(()),
        }
    }
}
