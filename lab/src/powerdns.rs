//! PowerDNS with its SQLite backend, as the primary of one zone.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;

use crate::nameserver::{DnsKey, DnsZone, NameServer, write};
use crate::process::{program, run, spawn};
use crate::{Lab, LabError};

/// Where Debian keeps the tables that the backend expects.
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

impl NameServer {
    /// Starts PowerDNS as the primary of a zone.
    ///
    /// # Errors
    /// When a program is missing or the server does not come to answer.
    pub fn powerdns(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<Self, LabError> {
        let own = lab.folder("powerdns")?;
        write(&own.join("zone"), &zone.file(address))?;
        let folder = own.display();
        // What it knows is looked at anew for each question: tests change it behind its back.
        let text = format!(
            "launch=gsqlite3\ngsqlite3-database={folder}/database\nlocal-address={address}\nlocal-port=53\nquery-local-address={address}\n\
             socket-dir={folder}\ndnsupdate=yes\nallow-axfr-ips=\nmaster=yes\ncache-ttl=0\nquery-cache-ttl=0\n\
             negquery-cache-ttl=0\nzone-cache-refresh-interval=0\nzone-metadata-cache-ttl=0\nguardian=no\ndaemon=no\n\
             version-string=anonymous\nsecurity-poll-suffix=\nloglevel=6\n"
        );
        write(&own.join("pdns.conf"), &text)?;
        make_database(&own)?;
        let utility = |arguments: &[&str]| -> Result<(), LabError> {
            let mut command = lab.command(program("pdnsutil")?);
            command
                .arg(format!("--config-dir={folder}"))
                .args(arguments);
            run(command).map(drop)
        };
        utility(&["load-zone", zone.name, &own.join("zone").to_string_lossy()])?;
        utility(&["set-kind", zone.name, "master"])?;
        let names = DnsKey::ALL.map(|key| key.name);
        for key in DnsKey::ALL {
            utility(&["import-tsig-key", key.name, key.algorithm, key.secret])?;
        }
        let meta = |kind: &str, values: &[&str]| {
            let mut arguments = vec!["set-meta", zone.name, kind];
            arguments.extend(values);
            utility(&arguments)
        };
        meta("TSIG-ALLOW-AXFR", &names)?;
        if zone.dynamic {
            meta("TSIG-ALLOW-DNSUPDATE", &names)?;
            meta("ALLOW-DNSUPDATE-FROM", &["0.0.0.0/0"])?;
        }
        if let Some(secondary) = zone.secondary {
            let secondary = secondary.to_string();
            meta("ALLOW-AXFR-FROM", &[&secondary])?;
            meta("ALSO-NOTIFY", &[&secondary])?;
            meta("NOTIFY-DNSUPDATE", &["1"])?;
        }
        let config = format!("--config-dir={folder}");
        Self::start(lab, "pdns_server", &[&config], &own, address, zone.name)
    }
}

fn make_database(own: &Path) -> Result<(), LabError> {
    let failed = |source| LabError::io(format!("read {SCHEMA}"), source);
    let mut command = std::process::Command::new(program("sqlite3")?);
    command
        .arg(own.join("database"))
        .stdin(File::open(SCHEMA).map_err(failed)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = spawn(command)
        .and_then(std::process::Child::wait_with_output)
        .map_err(|source| LabError::io("run sqlite3", source))?;
    if output.status.success() {
        return Ok(());
    }
    Err(LabError::Command {
        command: "sqlite3".to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
