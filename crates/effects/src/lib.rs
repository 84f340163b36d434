//! The only code that touches the world: HTTP and DNS requests, questions over DHCP and SIP, files below a root, commands,
//! secrets.
//!
//! What for: the engine decides *what* is done; this crate does it, bounded in time and size, and says plainly what
//! went wrong. It knows neither topologies nor plugins, so every type here is its own.
//!
//! What it must never do: follow a redirect or leave the endpoint it was given; follow a symbolic link to or out of
//! a root; run a shell; let a secret's value into an error, a trace event or a `Debug` output.
//!
//! Read [`Reporting`] first: every effect takes one, and it holds all that decides what may be told and to whom.

pub mod command;
pub mod dhcp;
pub mod dns;
pub mod folder;
pub mod git;
pub mod http;
mod mask;
pub mod placeholder;
pub mod process;
pub mod secrets;
pub mod sip;
pub mod ssh;
pub mod store;
#[cfg(feature = "otlp")]
pub mod telemetry;
mod trace;

pub use mask::Masker;
pub use trace::{Event, Reporting, Trace};
