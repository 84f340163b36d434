//! Tests of the plugin host. Hostile guests are written as text and built when a test runs; none is kept.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cache;
mod guest;
mod hostile;
mod locking;
mod manifests;
mod mutated;
mod permits;
