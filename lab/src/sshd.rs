//! OpenSSH's own server, for one user: whoever runs this.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::lab::own_folder;
use crate::process::{Server, program, run};
use crate::{Lab, LabError};

/// The name that its key is known by, at whatever address.
const ALIAS: &str = "sshd.lab";

/// Ports may be taken by others between choosing and listening.
const ATTEMPTS: usize = 5;

/// A running `sshd` with keys and a configuration of its own, and configurations of clients that know it or do not.
#[derive(Debug)]
pub struct Sshd {
    server: Server,
    folder: TempDir,
    _alive: File,
    address: SocketAddrV4,
    user: String,
}

/// What a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Commands and files, as Debian installs it.
    Everything,
    /// Commands only: no SFTP.
    Commands,
    /// Files only: every command is answered by SFTP.
    Files,
}

impl Sshd {
    /// Starts it on this machine's loopback interface, at a free port.
    ///
    /// # Errors
    /// When the program is missing or does not come to listen.
    pub fn on_loopback(offer: Offer) -> Result<Self, LabError> {
        Self::at_free_port(offer, Command::new)
    }

    /// The same, and for it alone `folder` is an empty file system of so many bytes.
    ///
    /// # Errors
    /// When the program is missing, does not come to listen, or the kernel refuses to mount.
    pub fn on_small_disk(folder: &Path, bytes: u32) -> Result<Self, LabError> {
        let unshare = program("unshare")?;
        Self::at_free_port(Offer::Everything, |sshd| {
            let mut command = Command::new(&unshare);
            command.args(["--mount", "--propagation", "private"]);
            if !rustix::process::geteuid().is_root() {
                command.args(["--map-current-user", "--keep-caps"]);
            }
            let mount =
                "mount -t tmpfs -o size=\"$1\",mode=755 none \"$2\" && shift 2 && exec \"$@\"";
            command
                .args(["sh", "-c", mount, "sh"])
                .arg(bytes.to_string())
                .arg(folder)
                .arg(sshd);
            command
        })
    }

    fn at_free_port(offer: Offer, command: impl Fn(PathBuf) -> Command) -> Result<Self, LabError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port()?);
            match Self::start(&command, address, offer) {
                Ok(sshd) => return Ok(sshd),
                Err(error @ LabError::Ended { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            LabError::io("find a free port", std::io::ErrorKind::AddrInUse.into())
        }))
    }

    /// Starts it among the servers of a lab. Only root may: a user who is root in a namespace of their own cannot
    /// become the unprivileged user that OpenSSH's server lets strangers talk to.
    ///
    /// # Errors
    /// When the program is missing or does not come to listen.
    pub fn in_lab(lab: &Lab, address: Ipv4Addr, port: u16) -> Result<Self, LabError> {
        let command = |program: PathBuf| lab.command(program);
        Self::start(command, SocketAddrV4::new(address, port), Offer::Everything)
    }

    fn start(
        command: impl FnOnce(PathBuf) -> Command,
        address: SocketAddrV4,
        offer: Offer,
    ) -> Result<Self, LabError> {
        let sshd = program("sshd")?;
        let user = String::from_utf8_lossy(&run(in_path("id", &["-un"])?)?)
            .trim()
            .to_owned();
        if rustix::process::geteuid().is_root() {
            // Debian makes it when the service starts, and the program insists on it.
            fs::create_dir_all("/run/sshd")
                .map_err(|source| LabError::io("create /run/sshd", source))?;
        }
        let (folder, alive) = own_folder()?;
        let own = folder.path();
        for key in ["host", "other-host", "user", "other-user"] {
            let mut make = in_path(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"],
            )?;
            make.arg(own.join(key));
            run(make)?;
        }
        copy(&own.join("user.pub"), &own.join("authorized"))?;
        write_clients(own)?;
        write(&own.join("config"), &config(own, address, offer))?;
        let mut command = command(program("setpriv")?);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(sshd)
            .args(["-D", "-e", "-f"])
            .arg(own.join("config"));
        let mut server = Server::start("sshd", command, &own.join("log"))?;
        let log = own.join("log");
        server.wait_until(|| {
            fs::read_to_string(&log).is_ok_and(|log| log.contains("Server listening on"))
        })?;
        Ok(Self {
            server,
            folder,
            _alive: alive,
            address,
            user,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// A folder of this machine as seen through it.
    #[must_use]
    pub fn url(&self, folder: &Path) -> String {
        self.url_at(self.address, folder)
    }

    /// The same through another address that leads here.
    #[must_use]
    pub fn url_at(&self, address: SocketAddrV4, folder: &Path) -> String {
        format!("ssh://{}@{address}{}", self.user, folder.display())
    }

    /// `ssh` with a configuration that knows the server's key, and a key that the server accepts.
    #[must_use]
    pub fn client(&self) -> Vec<String> {
        self.with_configuration("client")
    }

    /// The same with a key that the server does not accept.
    #[must_use]
    pub fn client_that_is_refused(&self) -> Vec<String> {
        self.with_configuration("client-refused")
    }

    /// The same where no key of a server is known.
    #[must_use]
    pub fn client_that_knows_nobody(&self) -> Vec<String> {
        self.with_configuration("client-knows-nobody")
    }

    /// The same where another key of the server is known.
    #[must_use]
    pub fn client_that_knows_another_key(&self) -> Vec<String> {
        self.with_configuration("client-knows-another")
    }

    fn with_configuration(&self, name: &str) -> Vec<String> {
        let file = self.folder.path().join(name);
        vec!["ssh".into(), "-F".into(), file.display().to_string()]
    }

    /// Breaks every connection off, as a network or a crash would. New ones are welcome. Gives how many there were.
    pub fn cut(&self) -> usize {
        let connections = children_of(self.server.pid());
        end(&connections);
        connections.len()
    }

    /// Ends it, and every connection with it.
    pub fn stop(&mut self) {
        // Without their parent, connections could not be found.
        let connections = children_of(self.server.pid());
        self.server.kill();
        end(&connections);
    }

    /// The process that listens.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Everything it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Connections are processes of their own.
        self.stop();
    }
}

fn config(own: &Path, address: SocketAddrV4, offer: Offer) -> String {
    let own = own.display();
    let mut text = format!(
        "Port {}\nListenAddress {}\nHostKey {own}/host\nAuthorizedKeysFile {own}/authorized\nPidFile none\n\
         UsePAM no\nUseDNS no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nMaxStartups 500\nMaxSessions 100\nPrintMotd no\nPrintLastLog no\n",
        address.port(),
        address.ip()
    );
    if offer != Offer::Commands {
        text.push_str("Subsystem sftp internal-sftp\n");
    }
    if offer == Offer::Files {
        text.push_str("ForceCommand internal-sftp\n");
    }
    text
}

fn write_clients(own: &Path) -> Result<(), LabError> {
    let known = |key: &str| -> Result<String, LabError> {
        let path = own.join(key);
        let key = fs::read_to_string(&path)
            .map_err(|source| LabError::io(format!("read {}", path.display()), source))?;
        Ok(format!("{ALIAS} {key}"))
    };
    write(&own.join("known"), &known("host.pub")?)?;
    write(&own.join("known-another"), &known("other-host.pub")?)?;
    write(&own.join("known-nobody"), "")?;
    for (name, key, known) in [
        ("client", "user", "known"),
        ("client-refused", "other-user", "known"),
        ("client-knows-nobody", "user", "known-nobody"),
        ("client-knows-another", "user", "known-another"),
    ] {
        let own_path = own.display();
        let text = format!(
            "Host *\n    IdentityFile {own_path}/{key}\n    IdentitiesOnly yes\n    IdentityAgent none\n    \
             UserKnownHostsFile {own_path}/{known}\n    GlobalKnownHostsFile /dev/null\n    HostKeyAlias {ALIAS}\n"
        );
        write(&own.join(name), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o600)))
        .map_err(|source| LabError::io(format!("write {}", path.display()), source))
}

fn copy(from: &Path, to: &Path) -> Result<(), LabError> {
    fs::copy(from, to)
        .map(drop)
        .map_err(|source| LabError::io(format!("copy {}", from.display()), source))
}

fn in_path(name: &str, arguments: &[&str]) -> Result<Command, LabError> {
    let mut command = Command::new(program(name)?);
    command.args(arguments);
    Ok(command)
}

fn free_port() -> Result<u16, LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|source| LabError::io("find a free port", source))?;
    let address = listener
        .local_addr()
        .map_err(|source| LabError::io("find a free port", source))?;
    Ok(address.port())
}

/// Kills processes.
fn end(processes: &[u32]) {
    for &id in processes {
        if let Some(id) = i32::try_from(id)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

/// Processes that this one started.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id: &u32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
            fields.split_whitespace().nth(1) == Some(parent.to_string().as_str())
        })
        .collect()
}
