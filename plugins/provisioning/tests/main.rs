//! The plugin as a table of inputs and outputs, and its templates as the host renders them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changing;
mod findings;
mod reading;
mod rendering;
mod topology;
mod wanting;
