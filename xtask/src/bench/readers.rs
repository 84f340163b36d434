//! Others that read the same devices: the `kdl` crate by itself, and Nix where it is installed.

use std::fs;
use std::process::Command;

use super::measure::{self, median};
use super::topology::{self, Layout};
use super::{RUNS, line};
use crate::run::{Failure, find};

pub(super) fn compare(size: usize) -> Result<(), Failure> {
    let failed = |problem| Failure::of("write what others read", problem);
    let folder = tempfile::tempdir().map_err(failed)?;
    topology::write(folder.path(), size, Layout::OneFile).map_err(failed)?;
    let parse = crate::target().join("release/examples/parse-with-kdl");
    let cost = median(RUNS, || {
        let mut command = Command::new(&parse);
        command.arg(folder.path().join("switchover.kdl"));
        measure::once(command)
    })?;
    line(&format!("{size}: one KdlDocument::parse"), cost, None);

    let Some(program) = find("nix-instantiate") else {
        return Ok(());
    };
    let file = folder.path().join("devices.nix");
    fs::write(&file, topology::nix(size)).map_err(failed)?;
    let cost = median(RUNS, || {
        let mut command = Command::new(&program);
        command.args(["--eval", "--strict", "--json"]).arg(&file);
        // A store of its own: that of the system may not be ours to write.
        command.env("NIX_STATE_DIR", folder.path().join("state"));
        measure::once(command)
    })?;
    line(&format!("{size}: nix-instantiate --eval"), cost, None);
    Ok(())
}
