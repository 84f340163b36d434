//! What BIND, Knot DNS and PowerDNS have in common: an address, keys, and a zone that is changed by updates.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::process::{Server, program, run, spawn};
use crate::{Lab, LabError};

/// A TSIG key: name, algorithm, and secret in base64.
#[derive(Debug, Clone, Copy)]
pub struct DnsKey {
    /// A domain name of one label.
    pub name: &'static str,
    /// Such as `hmac-sha256`.
    pub algorithm: &'static str,
    /// In base64.
    pub secret: &'static str,
}

impl DnsKey {
    /// The key of the program under test.
    pub const SWITCHOVER: Self = Self {
        name: "switchover",
        algorithm: "hmac-sha256",
        secret: "c3dpdGNob3Zlci1zZWNyZXQtZm9yLXRlc3Rz",
    };

    /// The key of somebody else who may change the same zone.
    pub const EDITOR: Self = Self {
        name: "editor",
        algorithm: "hmac-sha512",
        secret: "ZWRpdG9yLXNlY3JldC1mb3ItdGVzdHM=",
    };

    /// Both, which every server here knows.
    pub(crate) const ALL: [Self; 2] = [Self::SWITCHOVER, Self::EDITOR];

    /// As it stands in BIND's configuration.
    pub(crate) fn statement(&self) -> String {
        format!(
            "key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n",
            self.name, self.algorithm, self.secret
        )
    }

    fn argument(&self) -> String {
        format!("{}:{}:{}", self.algorithm, self.name, self.secret)
    }
}

/// A zone as a server begins with it.
#[derive(Debug, Clone, Copy)]
pub struct DnsZone<'a> {
    /// Without the final dot.
    pub name: &'a str,
    /// Lines of a zone file behind SOA and NS, names relative to the zone.
    pub records: &'a str,
    /// Whether updates are allowed.
    pub dynamic: bool,
    /// A server that gets the zone by NOTIFY and transfer.
    pub secondary: Option<Ipv4Addr>,
}

impl DnsZone<'_> {
    /// The zone as a file.
    pub(crate) fn file(&self, address: Ipv4Addr) -> String {
        let records = self.records;
        format!(
            "$ORIGIN {}.\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A {address}\n{records}\n",
            self.name
        )
    }
}

/// A running DNS server of a lab.
#[derive(Debug)]
pub struct NameServer {
    pub(crate) server: Server,
    pub(crate) lab: Lab,
    pub(crate) address: Ipv4Addr,
    /// Its own, with its configuration.
    pub(crate) folder: PathBuf,
    program: NameProgram,
}

/// How it is started.
#[derive(Debug)]
struct NameProgram {
    name: String,
    arguments: Vec<String>,
    /// It answers for it once it is ready.
    zone: String,
}

/// DNS has one port, and the servers of a lab have addresses of their own.
pub(crate) const PORT: u16 = 53;

impl NameServer {
    /// Starts the program and waits until it answers for the zone.
    pub(crate) fn start(
        lab: &Lab,
        name: &str,
        arguments: &[&str],
        own: &Path,
        address: Ipv4Addr,
        zone: &str,
    ) -> Result<Self, LabError> {
        let program = NameProgram {
            name: name.to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            zone: zone.to_owned(),
        };
        Ok(Self {
            server: program.start(lab, own, address)?,
            lab: lab.clone(),
            address,
            folder: own.to_owned(),
            program,
        })
    }

    /// Ends it at once, as a crash would, and starts it again with what it has kept.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.server.kill();
        self.server = self.program.start(&self.lab, &self.folder, self.address)?;
        Ok(())
    }

    /// Where it answers.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// What it answers to a question, one record's data a line, sorted. Asked with `dig`.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn lookup(&self, name: &str, rtype: &str) -> Result<Vec<String>, LabError> {
        dig(&self.lab, self.address, &["+short", name, rtype])
    }

    /// All records of a zone as `dig` shows them, sorted, without the SOA; what DNSSEC adds is left out, too.
    ///
    /// # Errors
    /// When it does not give the zone.
    pub fn records(&self, zone: &str) -> Result<Vec<String>, LabError> {
        let key = DnsKey::EDITOR.argument();
        let arguments = ["-y", &key, zone, "AXFR", "+noall", "+answer"];
        let lines = dig(&self.lab, self.address, &arguments)?;
        let records = lines
            .into_iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut records: Vec<String> = records
            .filter(|line| !line.starts_with(';') && line.split(' ').nth(3) != Some("SOA"))
            .collect();
        records.sort();
        Ok(records)
    }

    /// Whether the zone that it gives is one that BIND would load.
    ///
    /// # Errors
    /// When `named-checkzone` objects.
    pub fn check(&self, zone: &str) -> Result<(), LabError> {
        let key = DnsKey::EDITOR.argument();
        let mut transfer = self.lab.command(program("dig")?);
        transfer
            .arg(format!("@{}", self.address))
            .args(["-y", &key, zone, "AXFR", "+noall", "+answer", "+onesoa"]);
        let file = self.lab.path().join(format!("zone-{}", self.lab.number()));
        write(&file, &String::from_utf8_lossy(&run(transfer)?))?;
        let mut check = self.lab.command(program("named-checkzone")?);
        check.args(["-i", "local", zone]).arg(file);
        run(check).map(drop)
    }

    /// The serial of a zone; none while the server does not have it.
    #[must_use]
    pub fn serial(&self, zone: &str) -> Option<u32> {
        serial(&self.lab, self.address, zone)
    }

    /// Somebody else changes the zone: lines for `nsupdate`, such as `update add a.acme.example 60 A 10.0.0.1`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn edit(&self, zone: &str, lines: &[&str]) -> Result<(), LabError> {
        edit(&self.lab, self.address, zone, lines)
    }

    /// Everything it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(&mut self) -> Result<(), LabError> {
        self.server.stop()
    }
}

impl NameProgram {
    /// Starts it in its folder, and waits until it answers.
    fn start(&self, lab: &Lab, own: &Path, address: Ipv4Addr) -> Result<Server, LabError> {
        let mut command = lab.command(program("setpriv")?);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program(&self.name)?)
            .args(&self.arguments)
            .current_dir(own);
        let mut server = Server::start(&self.name, command, &own.join("log"))?;
        let socket = SocketAddrV4::new(address, PORT);
        server.wait_until(|| {
            lab.servers().listens(socket) && serial(lab, address, &self.zone).is_some()
        })?;
        Ok(server)
    }
}

pub(crate) fn edit(
    lab: &Lab,
    address: Ipv4Addr,
    zone: &str,
    lines: &[&str],
) -> Result<(), LabError> {
    let mut command = lab.command(program("nsupdate")?);
    command
        .args(["-v", "-y", &DnsKey::EDITOR.argument()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failed = |source| LabError::io("run nsupdate", source);
    let mut child = spawn(command).map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        let script = format!(
            "server {address}\nzone {zone}\n{}\nsend\n",
            lines.join("\n")
        );
        input.write_all(script.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    Err(LabError::Command {
        command: "nsupdate".to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    })
}

fn dig(lab: &Lab, address: Ipv4Addr, arguments: &[&str]) -> Result<Vec<String>, LabError> {
    let mut command = lab.command(program("dig")?);
    command
        .arg(format!("@{address}"))
        .args(["+tcp", "+time=5", "+tries=1"])
        .args(arguments);
    let output = String::from_utf8_lossy(&run(command)?).into_owned();
    let mut lines: Vec<String> = output
        .lines()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort();
    Ok(lines)
}

fn serial(lab: &Lab, address: Ipv4Addr, zone: &str) -> Option<u32> {
    let asked = |arguments: &[&str]| -> Option<u32> {
        let lines = dig(lab, address, arguments).ok()?;
        lines.first()?.split(' ').nth(2)?.parse().ok()
    };
    // Some answer only those with a key.
    let key = DnsKey::EDITOR.argument();
    asked(&["+short", zone, "SOA"]).or_else(|| asked(&["-y", &key, "+short", zone, "SOA"]))
}

/// Writes a file of a server's own folder.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), LabError> {
    fs::write(path, text)
        .map_err(|source| LabError::io(format!("write {}", path.display()), source))
}
