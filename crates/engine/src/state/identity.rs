//! Which process this is, so that another one on the same machine can tell whether it still lives.

use serde::{Deserialize, Serialize};
use switchover_effects::process::{Life, life, machine};

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
