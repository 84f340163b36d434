//! A network namespace, kept alive by one small process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddrV4;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::LabError;
use crate::process::{self, program};

/// A network namespace without a name. It lives as long as its holder process, and that one ends with this process.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Child,
    /// The holder reads from this pipe, so it ends when this process does, however early that is.
    _lifeline: ChildStdin,
    user: bool,
    mount: bool,
}

impl Namespace {
    /// The namespace of the servers, with a user namespace around it where this process is not root.
    pub(crate) fn for_servers() -> Result<Self, LabError> {
        let user = !rustix::process::geteuid().is_root();
        let mut unshare = Command::new(program("unshare")?);
        unshare.arg("--net");
        if user {
            unshare.args(["--user", "--map-root-user"]);
        }
        Self::hold(unshare, "", user, false)
    }

    /// A namespace beside this one, with files of its own in place of `/etc/resolv.conf` and `/etc/nsswitch.conf`.
    pub(crate) fn neighbour(&self, resolver: &Path, services: &Path) -> Result<Self, LabError> {
        let mut unshare = self.command(&program("unshare")?);
        unshare.args(["--net", "--mount"]);
        let mut bind = String::new();
        for (own, system) in [
            (resolver, "/etc/resolv.conf"),
            (services, "/etc/nsswitch.conf"),
        ] {
            if Path::new(system).exists() {
                bind.push_str(&format!("mount --bind '{}' {system} && ", own.display()));
            }
        }
        Self::hold(unshare, &bind, self.user, true)
    }

    fn hold(mut unshare: Command, first: &str, user: bool, mount: bool) -> Result<Self, LabError> {
        unshare
            .arg(program("setpriv")?)
            .args(["--pdeathsig", "KILL", "sh", "-c"])
            .arg(format!(
                "{first} ip link set lo up && echo ready && exec cat >/dev/null"
            ))
            .env("PATH", search_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut holder =
            process::spawn(unshare).map_err(|source| LabError::io("start unshare", source))?;
        let (Some(lifeline), Some(output)) = (holder.stdin.take(), holder.stdout.take()) else {
            return Err(LabError::io(
                "start unshare",
                std::io::Error::other("its pipes are missing"),
            ));
        };
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        if read.is_ok() && line.trim() == "ready" {
            return Ok(Self {
                holder,
                _lifeline: lifeline,
                user,
                mount,
            });
        }
        drop(lifeline);
        let output = holder
            .wait_with_output()
            .map_err(|source| LabError::io("wait for unshare", source))?;
        Err(LabError::NoNamespace {
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// A command that will run in this namespace and be killed with the thread that starts it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg("--target")
            .arg(self.pid().to_string())
            .arg("--net");
        if self.user {
            command.args(["--user", "--preserve-credentials"]);
        }
        if self.mount {
            command.arg("--mount");
        }
        // Entering a user namespace clears the death signal, so it is set after that.
        command
            .args(["--", "setpriv", "--pdeathsig", "KILL", "--"])
            .arg(program);
        command
    }

    /// Runs lines of `ip` commands.
    pub(crate) fn ip(&self, lines: &str) -> Result<(), LabError> {
        let mut command = self.command(&program("ip")?);
        command
            .args(["-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|source| LabError::io("start ip", source))?;
        if let Some(mut input) = child.stdin.take() {
            // A failed write means that `ip` ended early; its message below says why.
            let _ = input.write_all(lines.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|source| LabError::io("wait for ip", source))?;
        if output.status.success() {
            return Ok(());
        }
        Err(LabError::Command {
            command: format!("ip -batch: {}", lines.trim()),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// Whether something in this namespace listens at a TCP address.
    pub(crate) fn listens(&self, address: SocketAddrV4) -> bool {
        const LISTEN: &str = "0A";
        self.sockets("tcp").lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            words.next().is_some_and(|local| is_bound(local, address))
                && words.nth(1) == Some(LISTEN)
        })
    }

    /// Whether something in this namespace has bound a UDP address.
    pub(crate) fn binds_udp(&self, address: SocketAddrV4) -> bool {
        self.sockets("udp").lines().any(|line| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|l| is_bound(l, address))
        })
    }

    fn sockets(&self, kind: &str) -> String {
        fs::read_to_string(format!("/proc/{}/net/{kind}", self.pid())).unwrap_or_default()
    }

    /// The process id of the holder, by which other programs name this namespace.
    pub(crate) fn pid(&self) -> u32 {
        self.holder.id()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Whether the kernel's hexadecimal `ADDRESS:PORT` is this address or the wildcard with this port.
fn is_bound(local: &str, address: SocketAddrV4) -> bool {
    let port = address.port();
    let exact = u32::from_ne_bytes(address.ip().octets());
    local == format!("{exact:08X}:{port:04X}") || local == format!("00000000:{port:04X}")
}

fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/usr/bin:/sbin:/bin")
}

#[cfg(test)]
mod tests {
    use super::is_bound;

    #[test]
    fn the_kernels_spelling_of_addresses() {
        let address = "10.20.30.5:67".parse().unwrap();
        assert!(is_bound("051E140A:0043", address));
        assert!(is_bound("00000000:0043", address));
        assert!(!is_bound("051E140A:0035", address));
        assert!(!is_bound("011E140A:0043", address));
    }
}
