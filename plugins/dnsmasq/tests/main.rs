//! The plugin as a table of inputs and outputs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adopt;
mod checks;
mod harness;
mod rendered;
mod steps;
mod topology;
mod transitions;
