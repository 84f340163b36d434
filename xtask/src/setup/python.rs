//! Programs of others, written in Python or shipped as its packages, that read what `switchover` writes: a virtual
//! environment below the target folder, in which the tests find them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::packages;
use crate::run::{self, find};

/// What is installed, each with its version.
const CHECKERS: &str = include_str!("checkers.txt");

/// Written last: what is in it is installed completely.
const DONE: &str = "checkers.txt";

pub(super) fn ensure() -> Result<(), String> {
    let folder = folder();
    if fs::read_to_string(folder.join(DONE)).is_ok_and(|installed| installed == CHECKERS) {
        return Ok(());
    }
    if !can_make_environments() {
        if find("apt-get").is_none() {
            return Err("python3 with its modules venv and ensurepip is not installed".to_owned());
        }
        packages::install(&["python3-venv"])?;
    }
    eprintln!("setup: fetching what checks reports and CI files");
    install().map_err(|why| {
        format!("{why}. Without it the tests of reports and of examples/gitops/ fail")
    })
}

/// Its Python, once it is there.
pub(super) fn interpreter() -> PathBuf {
    folder().join("bin/python")
}

fn folder() -> PathBuf {
    crate::target().join("tools/python")
}

/// Debian's `python3` alone lacks a part of it.
fn can_make_environments() -> bool {
    let mut ask = Command::new("python3");
    ask.args(["-c", "import ensurepip, venv"])
        .stderr(std::process::Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

fn install() -> Result<(), String> {
    let failed = |problem: std::io::Error| problem.to_string();
    let folder = folder();
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    run::run(make).map_err(|failure| failure.0)?;
    let list = tempfile::NamedTempFile::new().map_err(failed)?;
    fs::write(list.path(), CHECKERS).map_err(failed)?;
    let mut fetch = Command::new(interpreter());
    fetch
        .args([
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "install",
        ])
        // Nothing is built, and so nothing of a package runs while it is installed.
        .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
        .arg(list.path())
        .stdout(std::io::stderr());
    run::run(fetch).map_err(|failure| failure.0)?;
    fs::write(folder.join(DONE), CHECKERS).map_err(failed)
}
