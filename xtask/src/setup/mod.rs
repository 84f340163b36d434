//! `cargo xtask setup`: what building and testing need besides a Rust toolchain. Quick where all is there.

mod deny;
mod guests;
mod packages;
mod python;

use crate::run::Failure;

/// The pinned cargo-deny, if it is there.
pub(crate) use deny::program as cargo_deny;

/// A part of the setup; why it failed is for people.
type Part = fn() -> Result<(), String>;

/// What building and running the servers needs.
const TO_RUN: &[Part] = &[packages::ensure, guests::ensure];

/// What checks the repository besides.
const TO_CHECK: &[Part] = &[python::ensure, deny::ensure];

/// Installs what is missing, and names what could not be installed together with what to do.
pub(crate) fn run() -> Result<(), Failure> {
    ensure(TO_RUN.iter().chain(TO_CHECK))
}

/// The same without what only checks need.
pub(crate) fn run_for_demo() -> Result<(), Failure> {
    ensure(TO_RUN.iter())
}

fn ensure<'a>(parts: impl Iterator<Item = &'a Part>) -> Result<(), Failure> {
    let problems: Vec<String> = parts.filter_map(|part| part().err()).collect();
    if problems.is_empty() {
        eprintln!("setup: everything is there");
        return Ok(());
    }
    Err(Failure(format!(
        "setup could not install everything\n  - {}",
        problems.join("\n  - ")
    )))
}
