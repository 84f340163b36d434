//! ISC dhcpd, on a machine of its own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::namespace::Namespace;
use crate::process::{Server, copy_program, poll, program, run, write_script};
use crate::{Lab, LabError};

/// A running dhcpd. It has a network namespace to itself, since it takes every packet of an interface, whoever else is
/// there. What it serves is in `dhcpd.conf` in the folder it was started with.
#[derive(Debug)]
pub struct IscDhcpd {
    server: Server,
    restart: PathBuf,
    program: PathBuf,
    folder: PathBuf,
    _namespace: Namespace,
    _lab: Lab,
}

/// The part of a service manager: starts dhcpd again when it was asked to end, and waits to be told when it failed.
/// Its folder is `$0`.
const SUPERVISE: &str = r#"
cd "$0" || exit 1
while :; do
    "$@"
    status=$?
    case $status in 0 | 143) continue ;; esac
    echo "$status" >failed
    read -r _ <go
done
"#;

impl IscDhcpd {
    /// The machine's address in a second network, where nobody is. dhcpd does not start without anything to serve, and
    /// this is something that can be there before the first telephone.
    pub const OTHER_ADDRESS: &'static str = "192.0.2.5/24";

    /// Starts dhcpd with `folder`'s `dhcpd.conf` at an address that is not one of the lab's (`10.20.30.6/24`).
    ///
    /// # Errors
    /// When the program is missing, refuses its configuration, or is not ready in time.
    pub fn start(lab: &Lab, address: &str, folder: &Path) -> Result<Self, LabError> {
        let mut dhcpd = Self::machine(lab, address, folder)?;
        let mut refused = false;
        let log = dhcpd.folder.join("log");
        let failed = dhcpd.folder.join("failed");
        dhcpd.server.wait_until(|| {
            refused = failed.exists();
            let said = fs::read_to_string(&log).unwrap_or_default();
            refused || said.contains("Server starting service.")
        })?;
        if refused {
            return Err(LabError::Ended {
                name: "dhcpd".to_owned(),
                status: "a failure".to_owned(),
                log: dhcpd.log(),
            });
        }
        Ok(dhcpd)
    }

    fn machine(lab: &Lab, address: &str, folder: &Path) -> Result<Self, LabError> {
        let own = lab.folder("dhcpd")?;
        let write = |name: &str| {
            let path = own.join(name);
            fs::write(&path, "")
                .map_err(|source| LabError::io(format!("write {}", path.display()), source))
                .map(|()| path)
        };
        let leases = write("leases")?;
        let (resolver, services) = (write("resolv.conf")?, write("nsswitch.conf")?);
        // Distributions confine dhcpd by the path of its program to its usual folders; a copy may use the lab's.
        let copy = own.join("dhcpd");
        copy_program(&program("dhcpd")?, &copy)?;
        let mut mkfifo = lab.command(program("mkfifo")?);
        mkfifo.arg(own.join("go"));
        run(mkfifo)?;

        let namespace = lab.servers().neighbour(&resolver, &services)?;
        let (number, servers) = (lab.number(), lab.servers().pid());
        namespace.ip(&format!(
            "link add eth0 type veth peer name dhcpd{number} netns {servers}\naddress add {address} dev eth0\n\
             link set eth0 up\nlink add eth1 type veth peer name nowhere\naddress add {other} dev eth1\n\
             link set eth1 up\nlink set nowhere up\n",
            other = Self::OTHER_ADDRESS
        ))?;
        let bridge = Lab::INTERFACE;
        lab.servers()
            .ip(&format!("link set dhcpd{number} master {bridge} up\n"))?;

        let pid = own.join("pid");
        let mut command = namespace.command(&program("sh")?);
        command
            .args(["-c", SUPERVISE])
            .arg(&own)
            .args(["setpriv", "--pdeathsig", "KILL", "--"])
            .arg(&copy)
            .args(["-4", "-f", "-d", "-cf"])
            .arg(folder.join("dhcpd.conf"))
            .arg("-lf")
            .arg(leases)
            .arg("-pf")
            .arg(&pid)
            .args(["eth0", "eth1"]);
        let restart = write_restart(&own, &pid)?;
        let server = Server::start("dhcpd", command, &own.join("log"))?;
        Ok(Self {
            server,
            restart,
            program: copy,
            folder: own,
            _namespace: namespace,
            _lab: lab.clone(),
        })
    }

    /// A program that restarts dhcpd and fails if it does not come back: what `systemctl restart isc-dhcp-server` is
    /// elsewhere. It also starts one that failed.
    #[must_use]
    pub fn restart_command(&self) -> &Path {
        &self.restart
    }

    /// The program itself, to check a configuration with (`-t -cf FILE`).
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The state that this server has last entered towards its failover peer, such as `normal`.
    #[must_use]
    pub fn failover_state(&self) -> Option<String> {
        let log = self.server.log();
        let moved = log
            .lines()
            .rev()
            .find_map(|line| line.split_once(": I move from "))?;
        Some(moved.1.rsplit(' ').next()?.to_owned())
    }

    /// Waits until this server is in the state towards its failover peer.
    ///
    /// # Errors
    /// When it does not come to be in time; the error holds its log.
    pub fn wait_for_failover(&self, state: &str) -> Result<(), LabError> {
        poll(|| (self.failover_state().as_deref() == Some(state)).then_some(())).ok_or_else(|| {
            LabError::NotReady {
                name: format!("failover state {state}"),
                log: self.log(),
            }
        })
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Everything dhcpd has printed.
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
old=$(cat '{pid}')
if [ -e '{own}/failed' ]; then
    rm '{own}/failed'
    echo >'{own}/go'
else
    kill "$old" || exit 1
fi
tries=0
while now=$(cat '{pid}' 2>/dev/null); [ -z "$now" ] || [ "$now" = "$old" ]; do
    if [ -e '{own}/failed' ]; then
        echo "dhcpd ended with a failure" >&2
        exit 1
    fi
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || {{ echo "dhcpd did not come back" >&2; exit 1; }}
    sleep 0.02
done
"#,
        pid = pid.display(),
        own = own.display()
    );
    write_script(&script, &text)?;
    Ok(script)
}
