//! Which process this is, so that another one on the same machine can tell whether it still lives.

use std::{fs, io};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
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
            started: match life(pid) {
                Life::Since(started) => started,
                Life::Ended | Life::Unknown => String::new(),
            },
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

    /// Whether the process ran here and is no more, for certain.
    pub(super) fn is_gone(&self) -> bool {
        let is_here = !self.started.is_empty()
            && !self.boot.is_empty()
            && machine() == (self.boot.clone(), self.namespace.clone());
        is_here
            && match life(self.pid) {
                // The number is another process's by now.
                Life::Since(started) => started != self.started,
                Life::Ended => true,
                Life::Unknown => false,
            }
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

/// What the system tells of a process.
#[derive(Debug, PartialEq, Eq)]
enum Life {
    /// It lives, and began then.
    Since(String),
    /// It ended, even where nobody has taken notice of that yet.
    Ended,
    /// It may live.
    Unknown,
}

fn life(pid: u32) -> Life {
    life_by(pid, fs::read_to_string(format!("/proc/{pid}/stat")))
}

/// By what could be read of a process. Its file may be hidden from other users, or not be opened for want of
/// descriptors: then the process itself is asked for.
fn life_by(pid: u32, stat: io::Result<String>) -> Life {
    let Ok(stat) = stat else {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        return match number.map(test_kill_process) {
            Some(Err(Errno::SRCH)) => Life::Ended,
            _ => Life::Unknown,
        };
    };
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_whitespace();
    match (fields.next(), fields.nth(18)) {
        (Some("Z" | "X"), _) => Life::Ended,
        (Some(_), Some(started)) => Life::Since(started.to_owned()),
        _ => Life::Unknown,
    }
}

#[cfg(test)]
mod tests;
