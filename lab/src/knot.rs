//! Knot DNS, as the primary of one zone.

use std::net::Ipv4Addr;

use crate::nameserver::{DnsKey, DnsZone, NameServer, write};
use crate::{Lab, LabError};

impl NameServer {
    /// Starts Knot DNS as the primary of a zone.
    ///
    /// # Errors
    /// When the program is missing or does not come to answer.
    pub fn knot(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<Self, LabError> {
        let own = lab.folder("knot")?;
        write(&own.join("zone"), &zone.file(address))?;
        let key = |key: DnsKey| {
            format!(
                "  - id: {}\n    algorithm: {}\n    secret: {}\n",
                key.name, key.algorithm, key.secret
            )
        };
        let keys = DnsKey::ALL.map(key).concat();
        let names = DnsKey::ALL.map(|key| key.name).join(", ");
        let actions = if zone.dynamic {
            "transfer, update"
        } else {
            "transfer"
        };
        let folder = own.display();
        let name = zone.name;
        let (remote, secondary) = match zone.secondary {
            Some(secondary) => (
                format!(
                    "  - id: secondary\n    address: {secondary}\n    action: transfer\nremote:\n  - id: secondary\n    \
                     address: {secondary}@53\n    via: {address}\n"
                ),
                "    notify: secondary\n",
            ),
            None => (String::new(), ""),
        };
        let also = if secondary.is_empty() {
            ""
        } else {
            ", secondary"
        };
        let text = format!(
            "server:\n    listen: {address}@53\n    rundir: {folder}\n    user: root:root\n\
             database:\n    storage: {folder}\n\
             log:\n  - target: stderr\n    any: info\n\
             key:\n{keys}\
             acl:\n  - id: ours\n    key: [{names}]\n    action: [{actions}]\n{remote}\
             zone:\n  - domain: {name}\n    storage: {folder}\n    file: zone\n    acl: [ours{also}]\n{secondary}    \
             zonefile-sync: -1\n    zonefile-load: difference\n    journal-content: changes\n"
        );
        write(&own.join("knot.conf"), &text)?;
        Self::start(lab, "knotd", &["-c", "knot.conf"], &own, address, name)
    }
}
