//! What people write, and what they are told.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod extends;
mod files;
mod fixtures;
mod format;
mod import;
mod language;
mod mistakes;
mod properties;
mod readers;
mod resolved;
mod support;
