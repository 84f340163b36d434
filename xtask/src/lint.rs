//! `cargo xtask lint`: format, clippy and dependencies, for the host's workspace and the plugins'.

use std::process::Command;
use std::time::Duration;

use crate::run::{Failure, Step, cargo, succeeds_within};
use crate::setup;

/// The manifests of both workspaces, and what people call them.
pub(crate) const WORKSPACES: [(&str, &str); 2] =
    [("host", "Cargo.toml"), ("plugins", "plugins/Cargo.toml")];

pub(crate) fn run() -> Result<(), Failure> {
    for (name, manifest) in WORKSPACES {
        Step::run(
            &format!("format of {name}"),
            cargo(["fmt", "--manifest-path", manifest, "--all", "--check"]),
        )?;
    }
    for (name, manifest) in WORKSPACES {
        Step::run(&format!("clippy on {name}"), clippy(manifest))?;
    }
    let Some(program) = setup::cargo_deny() else {
        return Err(Failure(
            "cargo-deny is not there: run `cargo xtask setup`".to_owned(),
        ));
    };
    let deny = |manifest: &str| {
        let mut command = Command::new(&program);
        command
            .args(["--manifest-path", manifest, "--all-features"])
            .current_dir(crate::root());
        command
    };
    for (name, manifest) in WORKSPACES {
        let mut check = deny(manifest);
        check.args([
            "--log-level",
            "error",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]);
        Step::run(&format!("licences and sources of {name}"), check)?;
    }
    let mut fetch = deny(WORKSPACES[0].1);
    fetch.args(["fetch", "db"]);
    if !succeeds_within(fetch, Duration::from_secs(60)) {
        eprintln!(
            "── known vulnerabilities: not checked, the advisory database cannot be fetched from here"
        );
        return Ok(());
    }
    for (name, manifest) in WORKSPACES {
        let mut check = deny(manifest);
        check.args(["check", "--disable-fetch", "advisories"]);
        Step::run(&format!("known vulnerabilities of {name}"), check)?;
    }
    Ok(())
}

fn clippy(manifest: &str) -> Command {
    let mut command = cargo(["clippy", "--quiet", "--locked", "--manifest-path", manifest]);
    command.arg("--target-dir").arg(target_of(manifest));
    command.args(["--workspace", "--all-targets", "--", "-D", "warnings"]);
    command
}

/// Each workspace builds into a folder of its own, so that neither waits for the other's lock.
pub(crate) fn target_of(manifest: &str) -> std::path::PathBuf {
    if manifest == WORKSPACES[0].1 {
        crate::target()
    } else {
        crate::target().join("plugins")
    }
}
