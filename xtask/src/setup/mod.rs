//! `cargo xtask setup`: what building and testing need besides a Rust toolchain. Quick where all is there.

mod deny;
mod guests;
mod packages;

use crate::run::Failure;

/// The pinned cargo-deny, if it is there.
pub(crate) use deny::program as cargo_deny;

/// Installs what is missing, and names what could not be installed together with what to do.
pub(crate) fn run() -> Result<(), Failure> {
    let problems: Vec<String> = [packages::ensure(), guests::ensure(), deny::ensure()]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if problems.is_empty() {
        eprintln!("setup: everything is there");
        return Ok(());
    }
    Err(Failure(format!(
        "setup could not install everything\n  - {}",
        problems.join("\n  - ")
    )))
}
