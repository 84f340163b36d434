//! `cargo xtask test`: everything that must hold.

use std::process::Command;

use crate::lint::{WORKSPACES, target_of};
use crate::run::{Failure, Step, cargo};
use crate::{conformance, generate, lint, setup};

pub(crate) fn run() -> Result<(), Failure> {
    let all = Step::start("everything");
    setup::run()?;
    lint::run()?;
    let references = Step::start("generated references");
    generate::run(generate::Mode::Check)?;
    references.done();
    conformance::forget()?;
    for (name, manifest) in WORKSPACES {
        Step::run(&format!("tests of {name}"), tests(manifest))?;
    }
    conformance::run(generate::Mode::Check)?;
    all.done();
    Ok(())
}

fn tests(manifest: &str) -> Command {
    let mut command = cargo([
        "test",
        "--quiet",
        "--locked",
        "--workspace",
        "--manifest-path",
        manifest,
    ]);
    command.arg("--target-dir").arg(target_of(manifest));
    command
}
