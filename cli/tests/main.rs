//! What people see of the command: one binary of integration tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod environment;
mod errors;
mod explain;
mod help;
mod interactive;
mod plan_and_apply;
mod real_servers;
mod show;
mod streams;
mod validate;
