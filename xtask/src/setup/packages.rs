//! Programs of the operating system: the servers and tools that `lab/` runs.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::Command;

use crate::run::{self, find};

/// A program, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 26] = [
    ("kea-dhcp4", "kea-dhcp4-server"),
    ("kea-ctrl-agent", "kea-ctrl-agent"),
    ("dnsmasq", "dnsmasq-base"),
    ("dhcpd", "isc-dhcp-server"),
    ("kamailio", "kamailio"),
    ("sipp", "sip-tester"),
    ("busybox", "busybox"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("socat", "socat"),
    ("dig", "bind9-dnsutils"),
    ("nsupdate", "bind9-dnsutils"),
    ("named", "bind9"),
    ("named-checkzone", "bind9-utils"),
    ("rndc", "bind9-utils"),
    ("faketime", "faketime"),
    ("knotd", "knot"),
    // It brings the server, too.
    ("pdnsutil", "pdns-backend-sqlite3"),
    ("sqlite3", "sqlite3"),
    ("ssh", "openssh-client"),
    ("sshd", "openssh-server"),
    ("curl", "curl"),
    ("strace", "strace"),
    ("jq", "jq"),
];

/// Debian packages that bring modules for one of the programs and no program of their own.
const MODULES: [&str; 1] = ["kamailio-tls-modules"];

/// Services that come with packages and must not begin to serve this machine's network.
const SERVICES: [(&str, &str); 9] = [
    ("kea-dhcp4-server", "kea-dhcp4-server.service"),
    ("kea-ctrl-agent", "kea-ctrl-agent.service"),
    ("isc-dhcp-server", "isc-dhcp-server.service"),
    ("isc-dhcp-server", "isc-dhcp-server6.service"),
    ("kamailio", "kamailio.service"),
    ("bind9", "named.service"),
    ("knot", "knot.service"),
    ("pdns-backend-sqlite3", "pdns.service"),
    ("openssh-server", "ssh.service"),
];

pub(super) fn ensure() -> Result<(), String> {
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| find(program).is_none())
        .collect();
    let modules: Vec<&str> = MODULES
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() && modules.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    packages.extend(&modules);
    let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    if find("apt-get").is_none() {
        let names = [programs, modules].concat().join(", ");
        return Err(format!(
            "not installed: {names}. `nix develop` has them all; else install them with this system's tool"
        ));
    }
    install(&packages).map_err(|why| {
        format!(
            "{why}. Not installed: {0}. Try: apt-get install {0}",
            packages.join(" ")
        )
    })
}

/// Whether Debian's package manager has this package installed. Another system's modules cannot be asked for this way: they
/// are taken to be where the program is.
fn is_installed(package: &str) -> bool {
    let Some(query) = find("dpkg-query") else {
        return true;
    };
    let status = Command::new(query)
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output();
    status.is_ok_and(|output| output.stdout == b"installed")
}

/// Installs Debian packages, as root or through `sudo`.
pub(super) fn install(packages: &[&str]) -> Result<(), String> {
    eprintln!("setup: installing {}", packages.join(" "));
    // Only what is installed now: what was there before may be meant to run, above all the way into this machine.
    let services: Vec<&str> = SERVICES
        .iter()
        .filter(|(package, _)| packages.contains(package))
        .map(|(_, service)| *service)
        .collect();
    if Path::new("/run/systemd/system").is_dir() && !services.is_empty() {
        // A package starts its service at once and at every boot, unless it is masked before.
        eprintln!(
            "setup: masking {0} so that no server starts here (systemctl unmask {0} undoes it)",
            services.join(" ")
        );
        let mut mask = as_root("systemctl")?;
        mask.arg("mask").args(services);
        run::run(mask).map_err(|failure| failure.0)?;
    }
    // A fresh machine has no list of packages, and an old list has old packages. Where one of several archives cannot
    // be reached, what is known of the others will do.
    if let Err(why) = apt(&["update"], &[]) {
        eprintln!("setup: {why}; going on with the lists that are there");
    }
    apt(&["install"], packages)
}

fn apt(action: &[&str], packages: &[&str]) -> Result<(), String> {
    let mut command = as_root("env")?;
    // RUNLEVEL=1 keeps services from being started where there is no systemd.
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "RUNLEVEL=1",
        "apt-get",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
    ]);
    command.args(action).args(packages);
    command.stdout(io::stderr());
    run::run(command).map_err(|failure| failure.0)
}

fn as_root(program: &str) -> Result<Command, String> {
    if is_root() {
        return Ok(Command::new(program));
    }
    if find("sudo").is_none() {
        return Err("this needs root, and there is no sudo".to_owned());
    }
    let mut command = Command::new("sudo");
    if !io::stdin().is_terminal() {
        command.arg("--non-interactive");
    }
    command.arg(program);
    Ok(command)
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    user.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}
