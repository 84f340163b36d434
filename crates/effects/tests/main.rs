//! Effects on real sockets, files and processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;
mod folder;
mod folder_attacks;
mod folder_mounts;
mod http;
mod http_path;
mod http_tls;
mod mask;
mod namespace;
mod placeholder;
mod recorder;
mod secrets;
mod server;
