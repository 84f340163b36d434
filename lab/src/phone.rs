//! A simulated phone: a network namespace with a hardware address, a DHCP client and a web client.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::namespace::Namespace;
use crate::process::{Server, poll, program, run, write_script};
use crate::{Lab, LabError, packet};

/// A phone connected to a lab. It is unplugged when dropped.
#[derive(Debug)]
pub struct Phone {
    namespace: Namespace,
    mac: [u8; 6],
    folder: PathBuf,
    authority: Option<PathBuf>,
    _lab: Lab,
}

/// What a phone was given by DHCP.
#[derive(Debug, Clone)]
pub struct Lease {
    address: Ipv4Addr,
    options: BTreeMap<u8, Vec<u8>>,
}

/// Run by `udhcpc` with what it got in the environment: sets the phone's address, route and resolver.
const ON_LEASE: &str = r#"#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
set -e
ip address flush dev "$interface"
ip address add "$ip/${mask:-24}" dev "$interface"
if [ -n "$router" ]; then ip route replace default via "${router%% *}" dev "$interface"; fi
for server in $dns; do echo "nameserver $server"; done >"$RESOLVER"
printf %s "$ip" >"$ADDRESS"
"#;

/// The options a phone asks for besides what `udhcpc` asks for by itself.
const ASKED: [&str; 6] = ["42", "43", "66", "120", "150", "160"];

impl Phone {
    pub(crate) fn connect(lab: &Lab, mac: &str) -> Result<Self, LabError> {
        let number = lab.number();
        let folder = lab.folder(&format!("phone-{number}"))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text)
                .map_err(|source| LabError::io("write a file of the phone", source))
                .map(|()| path)
        };
        let resolver = write("resolv.conf", "")?;
        let services = write("nsswitch.conf", "hosts: files dns\n")?;
        write_script(&folder.join("on-lease"), ON_LEASE)?;
        let namespace = lab.servers().neighbour(&resolver, &services)?;
        let servers = lab.servers().pid();
        namespace.ip(&format!(
            "link add eth0 address {mac} type veth peer name phone{number} netns {servers}\nlink set eth0 up\n"
        ))?;
        lab.servers().ip(&format!(
            "link set phone{number} master {} up\n",
            Lab::INTERFACE
        ))?;
        let mac = parse_mac(mac).ok_or_else(|| LabError::Answer {
            name: "ip".to_owned(),
            answer: format!("that {mac} is an address"),
        })?;
        Ok(Self {
            namespace,
            mac,
            folder,
            authority: None,
            _lab: lab.clone(),
        })
    }

    /// Gives the phone the certificates that sign those of web servers (PEM).
    pub fn trust(&mut self, authority: &Path) {
        self.authority = Some(authority.to_owned());
    }

    /// A command that will run on the phone.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.namespace.command(program.as_ref())
    }

    /// Gets a lease with busybox `udhcpc` and configures the phone with it. The options are read from the wire,
    /// since `udhcpc` reports a URL in option 66 as `bad`.
    ///
    /// # Errors
    /// When no server gives a lease, or a program is missing.
    pub fn dhcp(&self) -> Result<Lease, LabError> {
        let capture = self.folder.join("frames");
        let log = self.folder.join("capture.log");
        let mut command = self.command(program("socat")?);
        command
            .args(["-d", "-d", "-u", "INTERFACE:eth0"])
            .arg(format!("OPEN:{},creat,trunc", capture.display()));
        let mut recorder = Server::start("socat", command, &log)?;
        recorder.wait_until(|| {
            fs::read_to_string(&log).is_ok_and(|text| text.contains("starting data transfer"))
        })?;

        let address = self.folder.join("address");
        let mut udhcpc = self.command(program("busybox")?);
        udhcpc.args([
            "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "5", "-T", "1",
        ]);
        for option in ASKED {
            udhcpc.args(["-O", option]);
        }
        udhcpc.arg("-s").arg(self.folder.join("on-lease"));
        udhcpc
            .env("RESOLVER", self.folder.join("resolv.conf"))
            .env("ADDRESS", &address);
        run(udhcpc)?;

        let text = fs::read_to_string(&address)
            .map_err(|source| LabError::io("read the phone's address", source))?;
        let bad = |answer: &str| LabError::Answer {
            name: "udhcpc".to_owned(),
            answer: answer.to_owned(),
        };
        let address = text.parse().map_err(|_| bad(&text))?;
        let options = poll(|| packet::last_ack(&fs::read(&capture).ok()?, self.mac))
            .ok_or_else(|| bad("a lease, but its packet was not captured"))?;
        Ok(Lease { address, options })
    }

    /// Fetches a URL from the phone, resolving names with the DNS servers of its lease.
    ///
    /// # Errors
    /// When the server cannot be reached or does not answer with 200.
    pub fn fetch(&self, url: &str) -> Result<Vec<u8>, LabError> {
        let mut curl = self.command(program("curl")?);
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "10",
            url,
        ]);
        if let Some(authority) = &self.authority {
            curl.arg("--cacert").arg(authority);
        }
        run(curl)
    }

    /// Fetches the phone's own file, `{mac}.cfg`, from where its lease says (option 66: an URL, or a server's name).
    ///
    /// # Errors
    /// When the lease says nothing, or the file cannot be fetched.
    pub fn device_file(&self, lease: &Lease) -> Result<String, LabError> {
        let place = lease.text(66).ok_or_else(|| LabError::Answer {
            name: "DHCP".to_owned(),
            answer: "without option 66".to_owned(),
        })?;
        let folder = if place.contains("://") {
            place
        } else {
            format!("http://{place}/")
        };
        let name: String = self.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.fetch(&format!("{}/{name}.cfg", folder.trim_end_matches('/')))?;
        Ok(String::from_utf8_lossy(&file).into_owned())
    }

    /// Asks the DNS servers of the phone's lease, as `dig +short` prints the answers: one a line, in any order.
    ///
    /// # Errors
    /// When `dig` is missing or no server answers.
    pub fn lookup(&self, name: &str, kind: &str) -> Result<Vec<String>, LabError> {
        let mut dig = self.command(program("dig")?);
        dig.args(["+short", "+tries=2", "+time=3", name, kind]);
        let answers = run(dig)?;
        Ok(String::from_utf8_lossy(&answers)
            .lines()
            .map(str::to_owned)
            .collect())
    }
}

impl Lease {
    /// The address given.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The bytes of an option, by number.
    #[must_use]
    pub fn option(&self, number: u8) -> Option<&[u8]> {
        self.options.get(&number).map(Vec::as_slice)
    }

    /// An option that is text, by number, without the zero that some servers end it with.
    #[must_use]
    pub fn text(&self, number: u8) -> Option<String> {
        let text = String::from_utf8_lossy(self.option(number)?);
        Some(text.trim_end_matches('\0').to_owned())
    }

    /// An option that is a list of addresses, by number: 3 routers, 6 DNS servers, 42 time servers.
    #[must_use]
    pub fn addresses(&self, number: u8) -> Vec<Ipv4Addr> {
        let (addresses, _) = self.option(number).unwrap_or_default().as_chunks::<4>();
        addresses.iter().copied().map(Ipv4Addr::from).collect()
    }

    /// The SIP servers of option 120 (RFC 3361) where it lists addresses.
    #[must_use]
    pub fn sip_servers(&self) -> Vec<Ipv4Addr> {
        match self.option(120) {
            Some([1, addresses @ ..]) => addresses
                .as_chunks::<4>()
                .0
                .iter()
                .copied()
                .map(Ipv4Addr::from)
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    bytes?.try_into().ok()
}
