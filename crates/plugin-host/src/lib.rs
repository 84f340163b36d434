//! Runs plugins: WebAssembly components that import nothing.
//!
//! A plugin is foreign code. This crate loads it, holds it to its limits (memory, time, size of an answer), calls it
//! and turns everything that can go wrong into one error that names the plugin, its version and the export. It also
//! decides what a plugin may ask the engine to do ([`permit`]) and whether it is still the plugin that was reviewed
//! ([`lock`]).
//!
//! It must never perform an effect that a plugin asks for, give a plugin anything to import, or load compiled code
//! that this user's own cache does not vouch for.
//!
//! Read [`Host`] first.

mod cache;
mod digest;
mod error;
mod finding;
mod host;
mod limits;
mod line;
pub mod lock;
mod manifest;
pub mod pattern;
pub mod permit;
mod plugin;
pub mod settings;
mod ticker;
pub mod wit;

pub use cache::default_cache;
pub use digest::{Digest, NotADigest};
pub use error::{Export, HostError, PluginError, Problem};
pub use finding::{FindingFault, KindFault};
pub use host::{Host, HostConfig, Source};
pub use limits::Limits;
pub use lock::{Lock, LockError, LockMismatch};
pub use manifest::ManifestFault;
pub use permit::Refusal;
pub use plugin::{Plugin, Session};

/// Version of the contract that this host speaks: that of the package in `schemas/plugin.wit`.
pub const WIT_VERSION: &str = "0.1.0";
