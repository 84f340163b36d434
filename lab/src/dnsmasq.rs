//! dnsmasq, serving DHCP and DNS from a folder of configuration files.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use crate::process::{Server, program, write_script};
use crate::{Lab, LabError};

/// A running dnsmasq that reads every `*.conf` of a folder.
#[derive(Debug)]
pub struct Dnsmasq {
    server: Server,
    restart: PathBuf,
}

/// The part of a service manager: starts dnsmasq again when it ends well, gives up when it does not.
const SUPERVISE: &str = "while \"$@\"; do :; done";

impl Dnsmasq {
    /// Starts dnsmasq on the lab's interface with the configuration files in `folder`, answering DNS at `address`.
    ///
    /// # Errors
    /// When the program is missing, refuses its configuration, or does not come to listen.
    pub fn start(lab: &Lab, address: Ipv4Addr, folder: &Path) -> Result<Self, LabError> {
        let own = lab.folder("dnsmasq")?;
        let pid = own.join("pid");
        let mut command = lab.command(program("sh")?);
        command
            .args([
                "-c",
                SUPERVISE,
                "supervise",
                "setpriv",
                "--pdeathsig",
                "KILL",
                "--",
            ])
            .arg(program("dnsmasq")?)
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
            ])
            // Empty names keep the user it has, since in a user namespace there is no other.
            .args([
                "--user=",
                "--group=",
                "--no-ping",
                "--log-facility=-",
                "--log-dhcp",
            ])
            .arg(format!("--interface={}", Lab::INTERFACE))
            .arg(format!("--conf-dir={},*.conf", folder.display()))
            .arg(format!("--pid-file={}", pid.display()))
            .arg(format!("--dhcp-leasefile={}", own.join("leases").display()));
        let restart = write_restart(&own, &pid)?;
        let mut server = Server::start("dnsmasq", command, &own.join("log"))?;
        let dns = SocketAddrV4::new(address, 53);
        server.wait_until(|| {
            fs::metadata(&pid).is_ok_and(|file| file.len() > 0) && lab.servers().binds_udp(dns)
        })?;
        Ok(Self { server, restart })
    }

    /// A program that restarts dnsmasq and fails if it does not come back: what `systemctl restart dnsmasq` is elsewhere.
    /// To be run inside the lab.
    #[must_use]
    pub fn restart_command(&self) -> &Path {
        &self.restart
    }

    /// Everything dnsmasq has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}

fn write_restart(own: &Path, pid: &Path) -> Result<PathBuf, LabError> {
    let script = own.join("restart");
    let path = std::env::var("PATH").unwrap_or_default();
    let text = format!(
        r#"#!/bin/sh
PATH='{path}:/usr/sbin:/usr/bin:/sbin:/bin'
old=$(cat '{pid}') || exit 1
kill "$old" || exit 1
tries=0
while now=$(cat '{pid}' 2>/dev/null); [ -z "$now" ] || [ "$now" = "$old" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || {{ echo "dnsmasq did not come back" >&2; exit 1; }}
    sleep 0.02
done
"#,
        pid = pid.display()
    );
    write_script(&script, &text)?;
    Ok(script)
}
