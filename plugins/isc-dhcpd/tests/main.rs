//! The plugin as a table of inputs and outputs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accepted;
mod adopt;
mod checks;
mod harness;
mod main_file;
mod rendered;
mod steps;
mod topology;
mod transitions;
