//! The plugin as a table of inputs and outputs, and against a model of the API that keeps its records in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checks;
mod desired;
mod examine;
mod model;
mod reading;
mod refusals;
mod steps;
mod topology;
mod transitions;
