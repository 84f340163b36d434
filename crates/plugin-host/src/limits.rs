//! What a plugin may use, and the count of what it does use.

use std::time::{Duration, Instant};

use wasmtime::{Error, ResourceLimiter};

/// Limits of every plugin. Memory is counted over all memories of an instance; time and output for each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of memory of one instance.
    pub memory: usize,
    /// Longest that one call may take.
    pub deadline: Duration,
    /// Most bytes that the host allocates for what one call gives back.
    pub output: usize,
    /// Most bytes of a component.
    pub component: usize,
}

impl Default for Limits {
    /// 256 MiB of memory, 10 seconds, 64 MiB of output, 64 MiB of component.
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            deadline: Duration::from_secs(10),
            output: 64 << 20,
            component: 64 << 20,
        }
    }
}

/// A limit that a plugin ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("the memory limit was reached")]
    Memory,
    #[error("the table limit was reached")]
    Table,
    #[error("the deadline passed")]
    Deadline,
}

// A component is a few core instances: the module itself and the glue between it and the canonical ABI.
const INSTANCES: usize = 32;
const TABLES: usize = 32;
const MEMORIES: usize = 8;
const TABLE_ELEMENTS: usize = 200_000;

/// What one instance uses.
#[derive(Debug)]
pub(crate) struct Usage {
    limit: usize,
    memory: usize,
    elements: usize,
    /// When the running call has to be over.
    pub(crate) deadline: Option<Instant>,
    /// What the running call ran into first.
    pub(crate) exceeded: Option<Exceeded>,
}

impl Usage {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.memory,
            memory: 0,
            elements: 0,
            deadline: None,
            exceeded: None,
        }
    }

    pub(crate) fn exceed(&mut self, limit: Exceeded) -> Error {
        self.exceeded.get_or_insert(limit);
        Error::new(limit)
    }
}

/// Refusals are errors, not `Ok(false)`: that traps at once, where a guest that is told `-1` would abort with a
/// message nobody hears.
impl ResourceLimiter for Usage {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            return Err(self.exceed(Exceeded::Memory));
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            return Err(self.exceed(Exceeded::Table));
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}
