//! Effects on real sockets, files and processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;
mod dns;
mod folder;
mod folder_attacks;
mod folder_mounts;
mod folder_properties;
mod folder_reopen;
mod http;
mod http_later;
mod http_path;
mod http_tls;
mod losing_answers;
mod mask;
mod namespace;
mod on;
mod placeholder;
mod recorder;
mod secrets;
mod server;
mod sip;
mod ssh;
mod store;
mod store_objects;
mod store_processes;
