//! What people see of the command: one binary of integration tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod causes;
mod check;
mod checkers;
mod commands;
mod configuration;
mod conformance;
mod declarations;
mod diff;
mod elsewhere;
mod endings;
mod environment;
mod errors;
mod explain;
mod fleet;
mod fmt;
mod generations;
mod gitops;
mod help;
mod import;
mod init;
mod interactive;
mod lines;
mod log;
mod no_state;
mod plan_and_apply;
mod plan_files;
mod plan_folders;
mod real_servers;
mod recover;
mod recover_commands;
mod reports;
mod retention;
mod schemas;
mod shared_state;
mod show;
mod state;
mod streams;
mod taken_over;
#[cfg(feature = "otlp")]
mod telemetry;
mod trust;
mod validate;
