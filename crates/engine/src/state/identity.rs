//! Which process this is, so that another one on the same machine can tell whether it still lives.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process of one boot of one machine. Where the system does not tell, everything is empty, and it is never known to
/// be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Of the machine since it was started.
    boot: String,
    /// Containers number their processes on their own.
    namespace: String,
    pid: u32,
    /// When the process began, in ticks since the boot: numbers of processes are used again.
    started: String,
}

impl Identity {
    /// This process.
    pub(super) fn own() -> Self {
        Self::of(std::process::id())
    }

    /// Any process of this machine.
    pub(super) fn of(pid: u32) -> Self {
        let (boot, namespace) = machine();
        Self {
            boot,
            namespace,
            pid,
            started: started(pid).unwrap_or_default(),
        }
    }

    /// One of another machine.
    #[cfg(test)]
    pub(super) fn elsewhere() -> Self {
        Self {
            boot: "another".to_owned(),
            ..Self::own()
        }
    }

    /// Whether the process ran here and is no more.
    pub(super) fn is_gone(&self) -> bool {
        let is_here = !self.started.is_empty()
            && !self.boot.is_empty()
            && machine() == (self.boot.clone(), self.namespace.clone());
        is_here && started(self.pid).as_ref() != Some(&self.started)
    }
}

fn machine() -> (String, String) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    (
        boot.trim().to_owned(),
        namespace.to_string_lossy().into_owned(),
    )
}

/// When a process began; none where it ended, even where nobody has taken notice of that yet.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned))?
}
