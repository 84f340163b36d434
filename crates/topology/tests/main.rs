//! What people write, and what they are told.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod files;
mod fixtures;
mod language;
mod properties;
mod resolved;
mod support;
