//! What a WMS knows.

use serde_json::{Map, Value, json};

use super::reply::{Reply, fields};

/// Everything that the API reads and writes.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) version: String,
    pub(super) tells_sip_passwords: bool,
    pub(super) users: Vec<Map<String, Value>>,
    pub(super) devices: Vec<Map<String, Value>>,
    pub(super) sip_trunks: Vec<Value>,
    pub(super) call_groups: Vec<Value>,
    pub(super) members: Vec<Value>,
    pub(super) trusted: Vec<Value>,
    pub(super) settings: Map<String, Value>,
    pub(super) ntp: Map<String, Value>,
    /// Registrations by extension.
    pub(super) registrations: Map<String, Value>,
    pub(super) reboots: usize,
    last_id: u64,
}

/// Settings of the PBX that a client may write.
const SETTINGS: [&str; 3] = ["language", "region", "timezone"];

impl State {
    pub(super) fn new(version: &str, tells_sip_passwords: bool) -> Self {
        let settings = [("language", "en"), ("region", "US"), ("timezone", "UTC")];
        let mut state = Self {
            version: version.to_owned(),
            tells_sip_passwords,
            settings: settings
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into_iter()
                .collect(),
            ntp: Map::from_iter([("ntpServer".to_owned(), json!("pool.ntp.example"))]),
            ..Self::default()
        };
        // Whoever configures a PBX is a user of it.
        let id = state.next_id();
        state.users.push(Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("name".to_owned(), json!("System administrator")),
            ("extension".to_owned(), json!("admin")),
            ("email".to_owned(), json!("admin@pbx.example")),
            ("role".to_owned(), json!("admin")),
            ("licenseType".to_owned(), json!("basic")),
            ("dialplan".to_owned(), json!("users")),
            ("sipPassword".to_owned(), json!("administrators-own-4242")),
        ]));
        state
    }

    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        self.last_id.to_string()
    }

    pub(super) fn put_settings(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        self.settings.extend(fields(body, &SETTINGS)?);
        Ok(Reply::success())
    }

    pub(super) fn put_ntp(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        self.ntp.extend(fields(body, &["ntpServer"])?);
        Ok(Reply::success())
    }

    pub(super) fn put_trusted(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let mut given = fields(body, &["records"])?;
        match given.remove("records") {
            Some(Value::Array(records)) => {
                self.trusted = records;
                Ok(Reply::success())
            }
            _ => Err(Reply::error(400, "`records` must be a list")),
        }
    }

    /// What a synchronisation carries over: everything that is not the destination's own. Language and region stay,
    /// and so does what belongs to the machine: its clock, its place in the network, who is registered on it.
    pub(super) fn overwrite_with(&mut self, source: &Self) {
        self.users.clone_from(&source.users);
        self.devices.clone_from(&source.devices);
        self.sip_trunks.clone_from(&source.sip_trunks);
        self.call_groups.clone_from(&source.call_groups);
        self.trusted.clone_from(&source.trusted);
        self.last_id = self.last_id.max(source.last_id);
    }
}
