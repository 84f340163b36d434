//! Everything that can go wrong with a plugin, as one error that says which plugin, which version and which export.

use std::fmt;
use std::time::Duration;

use miette::Diagnostic;
use wasmtime::{Trap, WasmBacktrace};

use crate::finding::FindingFault;
use crate::limits::{Exceeded, Limits};
use crate::manifest::ManifestFault;

/// WebAssembly cannot be run here at all.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum HostError {
    /// wasmtime refuses its settings on this machine.
    #[error("start the WebAssembly engine: {0}")]
    #[diagnostic(
        code(plugin::engine),
        help("switchover runs plugins on x86-64, AArch64, RISC-V 64 and s390x")
    )]
    Engine(String),
}

/// A function of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Export {
    /// What the plugin says of itself.
    Describe,
    /// Findings.
    Check,
    /// What should exist.
    Desired,
    /// What to read.
    Queries,
    /// What exists.
    Current,
    /// What the answers tell beside what exists.
    Examine,
    /// What exists, as parts of a topology.
    Adopt,
    /// How to change it.
    Procedure,
    /// How resources are shown.
    Lines,
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Describe => "describe",
            Self::Check => "check",
            Self::Desired => "desired",
            Self::Queries => "queries",
            Self::Current => "current",
            Self::Examine => "examine",
            Self::Adopt => "adopt",
            Self::Procedure => "procedure",
            Self::Lines => "lines",
        })
    }
}

/// A plugin that is no use, or that said that it cannot do what it was asked.
#[derive(Debug)]
pub struct PluginError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    plugin: String,
    version: Option<String>,
    export: Option<Export>,
    problem: Problem,
}

impl PluginError {
    pub(crate) fn new(
        plugin: &str,
        version: Option<&str>,
        export: Option<Export>,
        problem: Problem,
    ) -> Self {
        Self(Box::new(Inner {
            plugin: plugin.to_owned(),
            version: version.map(ToOwned::to_owned),
            export,
            problem,
        }))
    }

    /// Name under which the plugin was loaded.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.0.plugin
    }

    /// Its version, once it has said it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// The function that was called, if it got that far.
    #[must_use]
    pub fn export(&self) -> Option<Export> {
        self.0.export
    }

    /// What happened.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            plugin,
            version,
            export,
            problem,
        } = &*self.0;
        write!(f, "plugin `{}` ", printable(plugin))?;
        match version {
            Some(version) => f.write_str(version)?,
            None => f.write_str("(version unknown)")?,
        }
        if let Some(export) = export {
            write!(f, " in `{export}`")?;
        }
        write!(f, ": {problem}")
    }
}

impl std::error::Error for PluginError {}

impl Diagnostic for PluginError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let code = match &self.0.problem {
            Problem::Failure { code, .. } => format!("{}::{}", self.plugin(), printable(code)),
            problem => format!("plugin::{}", problem.code()),
        };
        Some(Box::new(code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help: Box<dyn fmt::Display + 'a> = match &self.0.problem {
            Problem::Failure { help, .. } => Box::new(printable(help.as_deref()?)),
            problem => Box::new(problem.help()),
        };
        Some(help)
    }
}

/// What happened to a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The component has too many bytes.
    #[error("the component has {size} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes it has.
        size: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// The bytes are no valid component.
    #[error("not a valid WebAssembly component: {0}")]
    Invalid(String),
    /// The component imports something.
    #[error("imports {}, but a plugin imports nothing", .0.iter().map(|name| format!("`{}`", printable(name))).collect::<Vec<_>>().join(", "))]
    Imports(Vec<String>),
    /// The component does not export the contract's interface, or not with its types.
    #[error("does not speak the contract: {0}")]
    World(String),
    /// The manifest is no use.
    #[error("the manifest is not acceptable: {0}")]
    Manifest(ManifestFault),
    /// Guest code trapped.
    #[error("trapped: {reason}{}", backtrace(.frames))]
    Trap {
        /// wasmtime's word for it.
        reason: String,
        /// Functions of the guest, innermost first, as far as they are known.
        frames: Vec<String>,
    },
    /// The call took too long.
    #[error("ran longer than {} and was stopped", seconds(.0))]
    Deadline(Duration),
    /// The instance wanted too much memory.
    #[error("wanted more than {} of memory and was stopped", mebibytes(.0))]
    Memory(usize),
    /// The instance wanted too many table elements.
    #[error("wanted larger tables than are allowed and was stopped")]
    Table,
    /// The call gave back too much.
    #[error("gave back more than {} and was refused", mebibytes(.0))]
    Output(usize),
    /// What the call gave back is not of the types that it promised.
    #[error("gave back a value that is not of its type: {0}")]
    Lie(String),
    /// A finding is not one that the manifest declares.
    #[error("{0}")]
    Finding(FindingFault),
    /// There is not one line for each resource.
    #[error("lines asked for: {resources}, given back: {given}")]
    Lines {
        /// Resources that it was asked about.
        resources: usize,
        /// Lines that it gave back.
        given: usize,
    },
    /// The session ended with an earlier error.
    #[error("cannot be called after it was stopped")]
    Ended,
    /// The plugin itself says that it cannot do what it was asked.
    #[error("{}", printable(message))]
    Failure {
        /// The plugin's own code.
        code: String,
        /// A lower-case fragment.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The host could not do its part.
    #[error("the host could not run it: {0}")]
    Host(String),
}

impl Problem {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::Invalid(_) => "invalid",
            Self::Imports(_) => "imports",
            Self::World(_) => "world",
            Self::Manifest(_) => "manifest",
            Self::Trap { .. } => "trap",
            Self::Deadline(_) => "deadline",
            Self::Memory(_) => "memory",
            Self::Table => "table",
            Self::Output(_) => "output",
            Self::Lie(_) => "lie",
            Self::Finding(_) => "finding",
            Self::Lines { .. } => "lines",
            Self::Ended => "ended",
            Self::Failure { .. } => "failure",
            Self::Host(_) => "host",
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Invalid(_) => {
                "get the component again from where it was built; `switchover.lock` pins its SHA-256"
            }
            Self::Imports(_) => {
                "build it without WASI: plugins are pure functions, the engine does all input and output"
            }
            Self::World(_) => "build it against `schemas/plugin.wit` of this version of switchover",
            Self::Host(_) => "this is not the plugin's fault; try again",
            Self::Ended => "look at the error before this one",
            Self::Manifest(_)
            | Self::Trap { .. }
            | Self::Deadline(_)
            | Self::Memory(_)
            | Self::Table
            | Self::Output(_)
            | Self::Lie(_)
            | Self::Finding(_)
            | Self::Lines { .. }
            | Self::Failure { .. } => {
                "this is a fault in the plugin, not in the topology; report it to its author"
            }
        }
    }

    /// Tells the ways apart in which a call can end badly.
    pub(crate) fn from_call(
        error: &wasmtime::Error,
        exceeded: Option<Exceeded>,
        limits: &Limits,
    ) -> Self {
        match exceeded {
            Some(Exceeded::Memory) => return Self::Memory(limits.memory),
            Some(Exceeded::Table) => return Self::Table,
            Some(Exceeded::Deadline) => return Self::Deadline(limits.deadline),
            None => {}
        }
        let frames = error
            .downcast_ref::<WasmBacktrace>()
            .map(frames)
            .unwrap_or_default();
        match error.downcast_ref::<Trap>() {
            Some(
                trap @ (Trap::InvalidDiscriminant
                | Trap::InvalidChar
                | Trap::StringOutOfBounds
                | Trap::ListOutOfBounds
                | Trap::UnalignedPointer),
            ) => Self::Lie(reason(trap)),
            Some(trap) => Self::Trap {
                reason: reason(trap),
                frames,
            },
            // Running out of what the host allocates for an answer has no type of its own in wasmtime.
            None if error
                .root_cause()
                .to_string()
                .contains("allocated for hostcalls") =>
            {
                Self::Output(limits.output)
            }
            None if frames.is_empty() => Self::Lie(error.root_cause().to_string()),
            None => Self::Trap {
                reason: error.root_cause().to_string(),
                frames,
            },
        }
    }
}

fn reason(trap: &Trap) -> String {
    let text = trap.to_string();
    text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned()
}

/// Innermost functions of the guest. A handful tells where it happened; recursion would fill the screen.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    const SHOWN: usize = 8;
    backtrace
        .frames()
        .iter()
        .take(SHOWN)
        .filter_map(|frame| {
            frame
                .symbols()
                .first()
                .and_then(|symbol| symbol.name())
                .or_else(|| frame.func_name())
                .map(printable)
        })
        .collect()
}

fn backtrace(frames: &[String]) -> String {
    frames
        .iter()
        .enumerate()
        .map(|(at, frame)| format!("{} `{frame}`", if at == 0 { " in" } else { ", called by" }))
        .collect()
}

/// Text of a plugin, made safe and short enough for a terminal.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 2000;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn mebibytes(bytes: &usize) -> String {
    format!("{} MiB", *bytes >> 20)
}
