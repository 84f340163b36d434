//! `cargo xtask generate`: the references that come from code — rules, command line, plugins, and the schema of a
//! topology. `switchover generate-reference` makes them; this compares them or puts them in place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::conformance;
use crate::run::{self, Failure, cargo};

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// Writes everything, and the page about conformance where the tests have run.
pub(crate) fn all() -> Result<(), Failure> {
    run(Mode::Write)?;
    conformance::run(Mode::Write)
}

pub(crate) fn run(mode: Mode) -> Result<(), Failure> {
    let made = tempfile::tempdir().map_err(|problem| Failure::of("make a folder", problem))?;
    // As the tests build it: any other selection of packages has other features, and compiles wasmtime once more.
    run::run(cargo(["test", "--quiet", "--no-run", "--workspace"]))?;
    let mut generator = Command::new(crate::target().join("debug/switchover"));
    generator.arg("generate-reference").arg(made.path());
    run::run(generator)?;
    let files = files_below(made.path(), Path::new(""))
        .map_err(|problem| Failure::of("read what was generated", problem))?;
    if files.is_empty() {
        return Err(Failure("nothing was generated".to_owned()));
    }
    let mut stale = Vec::new();
    for file in files {
        let (new, place) = (made.path().join(&file), crate::root().join(&file));
        let text = fs::read(&new)
            .map_err(|problem| Failure::of(format!("read {}", new.display()), problem))?;
        if fs::read(&place).is_ok_and(|old| old == text) {
            continue;
        }
        match mode {
            Mode::Check => stale.push(file.display().to_string()),
            Mode::Write => {
                write(&place, &text).map_err(|problem| {
                    Failure::of(format!("write {}", place.display()), problem)
                })?;
                eprintln!("wrote {}", file.display());
            }
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "out of date: {}. Run `cargo xtask generate`",
        stale.join(", ")
    )))
}

fn write(place: &Path, text: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(place, text)
}

/// Every file below `top`, relative to it, in a fixed order.
fn files_below(top: &Path, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(top.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(files_below(top, &path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
