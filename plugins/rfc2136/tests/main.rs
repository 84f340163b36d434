//! The plugin as a table of inputs and outputs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checks;
mod harness;
mod reading;
mod steps;
mod transitions;
