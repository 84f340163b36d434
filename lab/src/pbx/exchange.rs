//! The SIP side of a PBX: it serves what the API was given, and knows who is registered.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::wms::{Behind, Served};
use crate::{Kamailio, Lab, LabError};

const ROUTES: &str = include_str!("kamailio.cfg");

/// Where SIP is spoken; the secure port is shared with others and leads here.
pub(super) const CLEAR_PORT: u16 = 5060;
pub(super) const TLS_PORT: u16 = 5061;

/// A Kamailio that serves what a WMS knows, while the machine is on.
#[derive(Debug)]
pub(super) struct Exchange {
    address: Ipv4Addr,
    hostname: String,
    folder: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    kamailio: Kamailio,
    tables: Tables,
}

/// The tables of the routing by name, each with values by key.
type Tables = BTreeMap<&'static str, BTreeMap<String, String>>;

impl Exchange {
    /// Prepares one that is off.
    pub(super) fn new(lab: &Lab, address: Ipv4Addr, hostname: &str) -> Result<Self, LabError> {
        let folder = lab.folder("pbx")?;
        let (certificate, key) =
            Kamailio::write_certificate(&folder, &[hostname, &address.to_string()])?;
        Ok(Self {
            address,
            hostname: hostname.to_owned(),
            folder,
            certificate,
            key,
            running: Mutex::new(None),
        })
    }

    /// Certificate and key of the machine.
    pub(super) fn identity(&self) -> (&Path, &Path) {
        (&self.certificate, &self.key)
    }

    /// Starts Kamailio with these users, trunks and groups: nobody is ever refused because they come a moment later.
    pub(super) fn start(&self, lab: &Lab, served: &Served) -> Result<(), LabError> {
        let tables = tables(served);
        fs::write(
            self.folder.join("kamailio.cfg"),
            self.configuration(&tables),
        )
        .map_err(|source| LabError::io("write kamailio.cfg of a PBX", source))?;
        let kamailio = Kamailio::start(lab, &self.folder)?;
        *self.running() = Some(Running { kamailio, tables });
        Ok(())
    }

    /// Ends it at once, with all its registrations.
    pub(super) fn kill(&self) {
        if let Some(mut running) = self.running().take() {
            running.kamailio.kill();
        }
    }

    /// The contacts that an extension has registered; nobody has any while it is off.
    pub(super) fn contacts(&self, extension: &str) -> Result<Vec<String>, LabError> {
        self.running().as_ref().map_or_else(
            || Ok(Vec::new()),
            |running| running.kamailio.contacts(extension),
        )
    }

    /// What Kamailio has printed since it was started last.
    pub(super) fn log(&self) -> String {
        let running = self.running();
        running
            .as_ref()
            .map_or_else(String::new, |running| running.kamailio.log())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configuration(&self, tables: &Tables) -> String {
        let Self {
            address, hostname, ..
        } = self;
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let mut text = format!(
            "#!KAMAILIO\n#!define CERTIFICATE \"{certificate}\"\n#!define PRIVATE_KEY \"{key}\"\n\
             listen=udp:{address}:{CLEAR_PORT}\nlisten=tcp:{address}:{CLEAR_PORT}\nlisten=tls:{address}:{TLS_PORT}\n\
             alias=\"{hostname}\"\n"
        );
        text.push_str(ROUTES);
        text.push_str("\nevent_route[htable:mod-init] {\n");
        for (table, entries) in tables {
            for (key, value) in entries {
                text.push_str(&format!("    $sht({table}=>{key}) = '{value}';\n"));
            }
        }
        text.push_str("    return;\n}\n");
        text
    }
}

impl Behind for Exchange {
    fn serve(&self, served: &Served) {
        let wanted = tables(served);
        let mut running = self.running();
        let Some(Running { kamailio, tables }) = running.as_mut() else {
            return;
        };
        for (table, entries) in &wanted {
            let had = tables.remove(table).unwrap_or_default();
            for key in had.keys().filter(|key| !entries.contains_key(*key)) {
                tell(kamailio, "htable.delete", &json!([table, key]));
            }
            for (key, value) in entries {
                if had.get(key) != Some(value) {
                    tell(kamailio, "htable.sets", &json!([table, key, value]));
                }
            }
        }
        *tables = wanted;
    }

    fn registrations(&self, extensions: &[String]) -> Map<String, Value> {
        let mut found = Map::new();
        for extension in extensions {
            let contacts = self.contacts(extension).unwrap_or_default();
            if contacts.is_empty() {
                continue;
            }
            let registrations: Vec<Value> = contacts
                .into_iter()
                .map(|contact| json!({ "online": true, "contact": contact, "useragent": "" }))
                .collect();
            found.insert(extension.clone(), json!({ "registrations": registrations }));
        }
        found
    }
}

/// A Kamailio that does not answer is one that just ended: when it comes back it begins with everything.
fn tell(kamailio: &Kamailio, method: &str, params: &Value) {
    let _ = kamailio.rpc(method, params);
}

fn tables(served: &Served) -> Tables {
    let trunks = served
        .trunks
        .iter()
        .map(|provider| (provider.clone(), "1".to_owned()));
    let groups = served
        .groups
        .iter()
        .map(|(name, members)| (name.clone(), members.join(",")));
    Tables::from([
        ("groups", groups.collect()),
        ("trunks", trunks.collect()),
        ("users", served.users.iter().cloned().collect()),
    ])
}
