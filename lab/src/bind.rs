//! BIND, as the primary or a secondary of one zone.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::nameserver::{DnsKey, DnsZone, NameServer, write};
use crate::process::{program, run};
use crate::{Lab, LabError};

impl NameServer {
    /// Starts BIND as the primary of a zone.
    ///
    /// # Errors
    /// When the program is missing or does not come to answer.
    pub fn bind(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<Self, LabError> {
        let own = lab.folder("bind")?;
        write(&own.join("zone"), &zone.file(address))?;
        let grants: String = DnsKey::ALL
            .map(|key| format!("grant {} zonesub any; ", key.name))
            .concat();
        let updates = match zone.dynamic {
            true => format!("update-policy {{ {grants}}};"),
            false => String::new(),
        };
        let (transfer, notify) = match zone.secondary {
            Some(secondary) => (
                format!(" {secondary};"),
                format!("notify explicit; also-notify {{ {secondary}; }};"),
            ),
            None => (String::new(), "notify no;".to_owned()),
        };
        let keys: String = DnsKey::ALL
            .map(|key| format!("key {}; ", key.name))
            .concat();
        let control = DnsKey::EDITOR.statement();
        write(&own.join("rndc.key"), &control)?;
        let text = format!(
            "{}zone \"{}\" {{ type primary; file \"zone\"; {updates} allow-transfer {{ {keys}{transfer} }}; {notify} }};\n",
            common(&own, address),
            zone.name
        );
        start(lab, address, zone.name, &own, &text)
    }

    /// Freezes a zone of a [`bind`](Self::bind), as somebody does who edits its file: updates are refused until it
    /// thaws.
    ///
    /// # Errors
    /// When `rndc` is missing or BIND refuses.
    pub fn freeze(&self, zone: &str) -> Result<(), LabError> {
        self.control(&["freeze", zone])
    }

    /// Lets updates in again.
    ///
    /// # Errors
    /// When `rndc` is missing or BIND refuses.
    pub fn thaw(&self, zone: &str) -> Result<(), LabError> {
        self.control(&["thaw", zone])
    }

    fn control(&self, words: &[&str]) -> Result<(), LabError> {
        let mut command = self.lab.command(program("rndc")?);
        let address = self.address.to_string();
        command
            .args(["-s", &address, "-y", DnsKey::EDITOR.name, "-k"])
            .arg(self.folder.join("rndc.key"))
            .args(words);
        run(command).map(drop)
    }

    /// Starts BIND as a secondary, and waits until it has the zone.
    ///
    /// # Errors
    /// When the program is missing or does not come to have the zone.
    pub fn bind_secondary(
        lab: &Lab,
        address: Ipv4Addr,
        zone: &str,
        primary: Ipv4Addr,
    ) -> Result<Self, LabError> {
        Self::secondary(lab, address, zone, primary, "any;")
    }

    /// The same, which answers only those with a key.
    ///
    /// # Errors
    /// When the program is missing or does not come to have the zone.
    pub fn bind_secondary_with_keys(
        lab: &Lab,
        address: Ipv4Addr,
        zone: &str,
        primary: Ipv4Addr,
    ) -> Result<Self, LabError> {
        let keys = DnsKey::ALL.map(|key| format!("key {}; ", key.name));
        Self::secondary(lab, address, zone, primary, &keys.concat())
    }

    fn secondary(
        lab: &Lab,
        address: Ipv4Addr,
        zone: &str,
        primary: Ipv4Addr,
        clients: &str,
    ) -> Result<Self, LabError> {
        let own = lab.folder("bind")?;
        let text = format!(
            "{}zone \"{zone}\" {{ type secondary; file \"zone\"; primaries {{ {primary}; }}; notify no; \
             transfer-source {address}; allow-query {{ {clients} }}; }};\n",
            common(&own, address)
        );
        start(lab, address, zone, &own, &text)
    }
}

fn start(
    lab: &Lab,
    address: Ipv4Addr,
    zone: &str,
    own: &Path,
    text: &str,
) -> Result<NameServer, LabError> {
    write(&own.join("named.conf"), text)?;
    NameServer::start(
        lab,
        "named",
        &["-g", "-n", "1", "-c", "named.conf"],
        own,
        address,
        zone,
    )
}

/// Notifies go out at once: nobody waits here for more changes to come.
fn common(own: &Path, address: Ipv4Addr) -> String {
    let keys = DnsKey::ALL.map(|key| key.statement()).concat();
    let editor = DnsKey::EDITOR.name;
    let own = own.display();
    format!(
        "{keys}controls {{ inet {address} allow {{ any; }} keys {{ {editor}; }}; }};\noptions {{ directory \"{own}\"; pid-file \"{own}/pid\"; session-keyfile \
         \"{own}/session.key\"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; \
         dnssec-validation no; managed-keys-directory \"{own}\"; notify-delay 0; notify-source {address}; }};\n"
    )
}
