//! BIND, as the primary or a secondary of one zone.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::nameserver::{DnsKey, DnsZone, NameServer, write};
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
        let text = format!(
            "{}zone \"{}\" {{ type primary; file \"zone\"; {updates} allow-transfer {{ {keys}{transfer} }}; {notify} }};\n",
            common(&own, address),
            zone.name
        );
        start(lab, address, zone.name, &own, &text)
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
        let own = lab.folder("bind")?;
        let text = format!(
            "{}zone \"{zone}\" {{ type secondary; file \"zone\"; primaries {{ {primary}; }}; notify no; \
             transfer-source {address}; }};\n",
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
    let key = |key: DnsKey| {
        format!(
            "key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n",
            key.name, key.algorithm, key.secret
        )
    };
    let keys = DnsKey::ALL.map(key).concat();
    let own = own.display();
    format!(
        "{keys}controls {{}};\noptions {{ directory \"{own}\"; pid-file \"{own}/pid\"; session-keyfile \
         \"{own}/session.key\"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; \
         dnssec-validation no; managed-keys-directory \"{own}\"; notify-delay 0; notify-source {address}; }};\n"
    )
}
