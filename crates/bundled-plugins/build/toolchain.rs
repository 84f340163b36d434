//! Finding a compiler for `wasm32-unknown-unknown`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests are compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Environment variable that forces one kind of toolchain: `rustup` (the active one) or `debian`.
pub(crate) const VARIABLE: &str = "SWITCHOVER_WASM_TOOLCHAIN";

/// Oldest compiler that the guests' `rust-version` allows.
const OLDEST: (u32, u32) = (1, 95);

const DEBIAN: &str = "/usr/bin/rustc";

/// A compiler that can make guests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    /// The compiler.
    pub(crate) rustc: PathBuf,
    /// Its sysroot.
    pub(crate) sysroot: PathBuf,
    /// Whether the standard library has to be compiled too.
    pub(crate) build_std: bool,
    /// The linker, where the compiler does not bring its own.
    pub(crate) linker: Option<PathBuf>,
}

/// What one compiler brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// The compiler.
    pub(crate) rustc: PathBuf,
    /// Its sysroot.
    pub(crate) sysroot: PathBuf,
    /// Major and minor version.
    pub(crate) version: (u32, u32),
    /// Whether its sysroot has the compiled standard library.
    pub(crate) has_target: bool,
    /// Whether its sysroot has the source of the standard library.
    pub(crate) has_source: bool,
    /// `rust-lld` in its sysroot.
    pub(crate) linker: Option<PathBuf>,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    /// The compiler of the outer build.
    pub(crate) active: Option<Compiler>,
    /// Debian's.
    pub(crate) debian: Option<Compiler>,
    /// A linker for WebAssembly on the search path.
    pub(crate) linker: Option<PathBuf>,
}

impl Machine {
    /// Looks at this machine.
    pub(crate) fn look() -> Result<Self, String> {
        let active = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        Ok(Self {
            active: Compiler::ask(&PathBuf::from(active)),
            debian: Path::new(DEBIAN)
                .exists()
                .then(|| Compiler::ask(Path::new(DEBIAN)))
                .flatten(),
            linker: linker_on_path(env::var_os("PATH")),
        })
    }
}

impl Compiler {
    fn ask(rustc: &Path) -> Option<Self> {
        let answer = |arguments: &[&str]| {
            let output = Command::new(rustc).args(arguments).output().ok()?;
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let sysroot = PathBuf::from(answer(&["--print", "sysroot"])?);
        let version = answer(&["--version"])?;
        let mut numbers = version
            .split_whitespace()
            .nth(1)?
            .split('.')
            .map(str::parse);
        let rustlib = sysroot.join("lib/rustlib");
        Some(Self {
            rustc: rustc.to_owned(),
            version: (numbers.next()?.ok()?, numbers.next()?.ok()?),
            has_target: rustlib.join(TARGET).join("lib").is_dir(),
            has_source: rustlib.join("src/rust/library/Cargo.lock").is_file(),
            linker: std::fs::read_dir(&rustlib)
                .ok()?
                .filter_map(Result::ok)
                .map(|entry| entry.path().join("bin/rust-lld"))
                .find(|path| path.is_file()),
            sysroot,
        })
    }

    fn toolchain(&self, machine: &Machine) -> Option<Toolchain> {
        if self.version < OLDEST || !(self.has_target || self.has_source) {
            return None;
        }
        let own = self.linker.is_some();
        let other = || {
            machine
                .active
                .as_ref()
                .and_then(|active| active.linker.clone())
                .or(machine.linker.clone())
        };
        let linker = if own { None } else { Some(other()?) };
        Some(Toolchain {
            rustc: self.rustc.clone(),
            sysroot: self.sysroot.clone(),
            build_std: !self.has_target,
            linker,
        })
    }
}

/// `wasm-ld`, also with a version as Debian calls it.
fn linker_on_path(path: Option<OsString>) -> Option<PathBuf> {
    let path = path?;
    let names = ["wasm-ld".to_owned(), "rust-lld".to_owned()];
    let names = names
        .into_iter()
        .chain((14..40).rev().map(|version| format!("wasm-ld-{version}")));
    names
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(&name)))
        .find(|file| file.is_file())
}

/// The first that can do it: the active toolchain with the target, Debian's, the active one with its source.
pub(crate) fn find(machine: &Machine, forced: Option<&str>) -> Result<Toolchain, String> {
    let active = machine
        .active
        .as_ref()
        .and_then(|compiler| compiler.toolchain(machine));
    let debian = machine
        .debian
        .as_ref()
        .and_then(|compiler| compiler.toolchain(machine));
    let found = match forced {
        None | Some("") => match active {
            Some(active) if !active.build_std => Some(active),
            active => debian.or(active),
        },
        Some("rustup") => active,
        Some("debian") => debian,
        Some(other) => {
            return Err(format!(
                "{VARIABLE} is `{other}`; it can be `rustup` or `debian`"
            ));
        }
    };
    found.ok_or_else(|| {
        let (major, minor) = OLDEST;
        format!(
            "no Rust compiler of version {major}.{minor} or later can compile the plugins to {TARGET}; one of these helps:\n\
             rustup: rustup target add {TARGET}\n\
             Debian: apt-get install rustc-web rust-web-src lld\n\
             Nix:    nix develop"
        )
    })
}
