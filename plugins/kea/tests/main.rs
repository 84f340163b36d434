//! The plugin as a table of inputs and outputs. The configurations in `fixtures` are what Kea 2.2.0 answered.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adopt;
mod checks;
mod desired;
mod harness;
mod high_availability;
mod refusals;
mod steps;
mod topology;
mod transitions;
