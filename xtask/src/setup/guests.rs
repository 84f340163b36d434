//! A compiler that can build the plugins for `wasm32-unknown-unknown`: any that the build of the plugins takes.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::packages;
use crate::run::{self, find};

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler, from which it builds the target's standard library.
const DEBIAN: &str = "/usr/bin/rustc";
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
const PACKAGES_AND_LINKER: [&str; 3] = ["rustc-web", "rust-web-src", "lld"];

/// The oldest version that compiles the plugins: their `rust-version`.
const OLDEST: (u32, u32) = (1, 95);

/// How long rustup may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which way to get it, as `SWITCHOVER_WASM_TOOLCHAIN` says; the build of the plugins reads the same variable.
enum Way {
    Any,
    Rustup,
    Debian,
}

pub(super) fn ensure() -> Result<(), String> {
    let way = match env::var("SWITCHOVER_WASM_TOOLCHAIN").as_deref() {
        Ok("rustup") => Way::Rustup,
        Ok("debian") => Way::Debian,
        Ok(other) if !other.is_empty() => {
            return Err(format!(
                "SWITCHOVER_WASM_TOOLCHAIN is {other:?}: it may be rustup or debian"
            ));
        }
        _ => Way::Any,
    };
    let (rustup, debian) = (!matches!(way, Way::Debian), !matches!(way, Way::Rustup));
    let active = Sysroot::of(&env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let theirs = if Path::new(DEBIAN).is_file() && is_new_enough(DEBIAN) {
        Sysroot::of(DEBIAN.as_ref())
    } else {
        None
    };
    let linker = active.as_ref().is_some_and(Sysroot::has_linker) || find("wasm-ld").is_some();
    let active_serves = rustup
        && active.is_some_and(|sysroot| sysroot.has_target() || sysroot.has_source() && linker);
    let debian_serves = debian && linker && theirs.is_some_and(|sysroot| sysroot.has_source());
    if active_serves || debian_serves {
        return Ok(());
    }
    if rustup && find("rustup").is_some() {
        eprintln!("setup: rustup target add {TARGET}");
        let mut add = Command::new("rustup");
        add.args(["target", "add", TARGET])
            .current_dir(crate::root());
        if run::succeeds_within(add, PATIENCE) {
            return Ok(());
        }
        eprintln!("setup: rustup could not fetch it");
    }
    if debian && find("apt-get").is_some() {
        let packages: &[&str] = if linker {
            &PACKAGES
        } else {
            &PACKAGES_AND_LINKER
        };
        packages::install(packages)?;
        return match is_new_enough(DEBIAN) {
            true => Ok(()),
            false => Err(format!(
                "Debian's rustc-web is older than {}.{}: its security archive has a newer one",
                OLDEST.0, OLDEST.1
            )),
        };
    }
    Err(format!(
        "no compiler for {TARGET}: `rustup target add {TARGET}`, on Debian `apt-get install rustc-web rust-web-src`, \
         elsewhere `nix develop`"
    ))
}

/// Whether a compiler understands the plugins. One that does not answer does not.
fn is_new_enough(compiler: &str) -> bool {
    let mut ask = Command::new(compiler);
    ask.arg("--version").current_dir(crate::root());
    let version = run::output(ask).ok().and_then(|text| {
        let mut numbers = text.split_whitespace().nth(1)?.split('.');
        let mut number = || numbers.next()?.parse::<u32>().ok();
        Some((number()?, number()?))
    });
    version.is_some_and(|version| version >= OLDEST)
}

/// Where a compiler keeps its libraries, `lib/rustlib`.
struct Sysroot(PathBuf);

impl Sysroot {
    fn of(compiler: &OsStr) -> Option<Self> {
        let mut ask = Command::new(compiler);
        ask.args(["--print", "sysroot"]).current_dir(crate::root());
        run::output(ask)
            .ok()
            .map(|text| Self(Path::new(text.trim()).join("lib/rustlib")))
    }

    fn has_target(&self) -> bool {
        self.0.join(TARGET).join("lib").is_dir()
    }

    /// Whether the standard library can be built for the target.
    fn has_source(&self) -> bool {
        self.0.join("src/rust/library/Cargo.lock").is_file()
    }

    fn has_linker(&self) -> bool {
        let folders = fs::read_dir(&self.0).into_iter().flatten().flatten();
        folders
            .map(|entry| entry.path().join("bin/rust-lld"))
            .any(|file| file.is_file())
    }
}
