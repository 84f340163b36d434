//! The network of a lab and its folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use thiserror::Error;

use crate::namespace::Namespace;
use crate::phone::Phone;
use crate::process::program;

/// What can go wrong in a lab. The texts fit after "failed to start the lab: ".
#[derive(Debug, Error)]
pub enum LabError {
    /// A program that the lab needs is not installed.
    #[error("{program} is not installed: run `cargo xtask setup`")]
    Missing {
        /// Its name.
        program: String,
    },
    /// A program of this crate is not there.
    #[error("{program} is not built: run `cargo build -p switchover-lab --bins`")]
    NotBuilt {
        /// Its name.
        program: String,
    },
    /// The kernel does not let this user create a network namespace.
    #[error(
        "no network namespace could be made (run as root, or allow unprivileged user namespaces): {output}"
    )]
    NoNamespace {
        /// What `unshare` said.
        output: String,
    },
    /// Something of the operating system failed.
    #[error("failed to {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program ended with a failure.
    #[error("{command} ended with {status}: {output}")]
    Command {
        /// The command as run.
        command: String,
        /// How it ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A server ended by itself.
    #[error("{name} ended with {status}; its log:\n{log}")]
    Ended {
        /// Which server.
        name: String,
        /// How it ended.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server did not become ready in time.
    #[error("{name} is not ready; its log:\n{log}")]
    NotReady {
        /// Which server.
        name: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server gave an answer that is none.
    #[error("{name} answered {answer}")]
    Answer {
        /// Which server.
        name: String,
        /// What it said.
        answer: String,
    },
}

impl LabError {
    pub(crate) fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            action: action.into(),
            source,
        }
    }
}

/// A network of servers and phones. Cloning gives another handle on the same lab; the last one dropped ends it.
#[derive(Debug, Clone)]
pub struct Lab {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    servers: Namespace,
    folder: TempDir,
    /// Locked while this lab lives, so that a later lab can tell the folder of a killed one and remove it.
    _alive: File,
    names: AtomicUsize,
}

impl Lab {
    /// The interface of the servers' namespace to which every phone is connected.
    pub const INTERFACE: &'static str = "voice";

    /// Makes a network whose servers may use `addresses`, each with its prefix length (`10.20.30.5/24`).
    ///
    /// # Errors
    /// When a program is missing, the kernel refuses a namespace, or an address is wrong.
    pub fn start(addresses: &[&str]) -> Result<Self, LabError> {
        for needed in ["nsenter", "setpriv", "cat", "sh"] {
            program(needed)?;
        }
        let (folder, alive) = own_folder()?;
        let servers = Namespace::for_servers()?;
        let interface = Self::INTERFACE;
        // A bridge has the lowest address of those that are plugged in. Were it to change with a phone, all others would talk
        // to nobody until they ask again. (One that is given an address is down until something is plugged in.)
        let mut lines = format!(
            "link add {interface} type bridge\n\
             link add plug address {LOWEST} type veth peer name socket\n\
             link set plug master {interface} up\nlink set socket up\nlink set {interface} up\n"
        );
        for address in addresses {
            lines.push_str(&format!("address add {address} dev {interface}\n"));
        }
        servers.ip(&lines)?;
        Ok(Self {
            inner: Arc::new(Inner {
                servers,
                folder,
                _alive: alive,
                names: AtomicUsize::new(0),
            }),
        })
    }

    /// A command that will run where the servers are: it reaches them at their addresses and at `127.0.0.1`, and nothing
    /// outside the lab. It keeps the working directory and the environment it is given.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.servers().command(program.as_ref())
    }

    /// Connects a phone with this hardware address (`9c:75:14:00:01:01`).
    ///
    /// # Errors
    /// When the namespace or the link cannot be made.
    pub fn phone(&self, mac: &str) -> Result<Phone, LabError> {
        Phone::connect(self, mac)
    }

    /// The folder of the lab, removed with it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.inner.folder.path()
    }

    /// Makes an empty folder in the lab's own; a second one of the same name gets a number.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, LabError> {
        let mut path = self.path().join(name);
        while path.exists() {
            path = self.path().join(format!("{name}-{}", self.number()));
        }
        fs::create_dir_all(&path)
            .map_err(|source| LabError::io(format!("create {}", path.display()), source))?;
        Ok(path)
    }

    /// Whether a server of the lab listens at this TCP address.
    #[must_use]
    pub fn listens(&self, address: Ipv4Addr, port: u16) -> bool {
        self.servers().listens(SocketAddrV4::new(address, port))
    }

    pub(crate) fn servers(&self) -> &Namespace {
        &self.inner.servers
    }

    /// A number not given before in this lab.
    pub(crate) fn number(&self) -> usize {
        self.inner.names.fetch_add(1, Ordering::Relaxed)
    }
}

/// The hardware address of the servers: no kernel chooses a lower one.
const LOWEST: &str = "02:00:00:00:00:00";

const FOLDER_PREFIX: &str = "switchover-lab-";
const ALIVE: &str = "alive";

/// A folder that is removed with this, or by the next lab where this process is killed before; and the lock that tells
/// that it is in use.
pub(crate) fn own_folder() -> Result<(TempDir, File), LabError> {
    remove_folders_of_the_dead();
    let folder = tempfile::Builder::new()
        .prefix(FOLDER_PREFIX)
        .tempdir()
        .map_err(|source| LabError::io("create a folder for the lab", source))?;
    let alive = mark_alive(folder.path())
        .map_err(|source| LabError::io("lock the lab's folder", source))?;
    Ok((folder, alive))
}

/// Locks a file in the folder for as long as it is open. It gets its name when it is locked, never before.
fn mark_alive(folder: &Path) -> io::Result<File> {
    let unnamed = folder.join("starting");
    let alive = File::create(&unnamed)?;
    alive.lock()?;
    fs::rename(unnamed, folder.join(ALIVE))?;
    Ok(alive)
}

/// Removes what labs of killed processes left in the temporary folder. Best effort: a folder that stays harms nobody.
fn remove_folders_of_the_dead() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry
            .file_name()
            .to_string_lossy()
            .starts_with(FOLDER_PREFIX)
        {
            continue;
        }
        // A lab that is just starting has no lock file yet, and a living one holds its lock.
        let Ok(alive) = File::open(entry.path().join(ALIVE)) else {
            continue;
        };
        match alive.try_lock() {
            Ok(()) => drop(fs::remove_dir_all(entry.path())),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}
