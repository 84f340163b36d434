//! What people see of the command: one binary of integration tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checkers;
mod conformance;
mod environment;
mod errors;
mod explain;
mod fmt;
mod gitops;
mod help;
mod import;
mod init;
mod interactive;
mod plan_and_apply;
mod real_servers;
mod reports;
mod schemas;
mod show;
mod streams;
mod validate;
