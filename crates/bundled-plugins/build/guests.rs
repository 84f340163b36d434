//! The guests of the `plugins` workspace and how they are compiled.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::{TARGET, Toolchain};

/// A crate of the workspace that becomes a plugin.
pub(crate) struct Guest {
    /// Name of the plugin and of its folder.
    pub(crate) name: String,
}

impl Guest {
    fn package(&self) -> String {
        format!("switchover-plugin-{}", self.name)
    }
}

/// Crates of the workspace that are plugins, by ascending name.
pub(crate) fn find(workspace: &Path) -> Result<Vec<Guest>, String> {
    let mut guests: Vec<Guest> = folders(workspace)?
        .into_iter()
        .filter_map(|folder| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            let guest = Guest {
                name: folder.file_name()?.to_str()?.to_owned(),
            };
            manifest
                .contains(&format!("name = \"{}\"", guest.package()))
                .then_some(guest)
        })
        .collect();
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// Everything that the guests are made of: files of the workspace, and each crate's folder as a whole.
pub(crate) fn sources(workspace: &Path) -> Result<Vec<PathBuf>, String> {
    let crates = folders(workspace)?
        .into_iter()
        .filter(|folder| folder.join("Cargo.toml").exists());
    Ok([workspace.join("Cargo.toml"), workspace.join("Cargo.lock")]
        .into_iter()
        .chain(crates)
        .collect())
}

fn folders(workspace: &Path) -> Result<Vec<PathBuf>, String> {
    let error = |error: std::io::Error| format!("read {}: {error}", workspace.display());
    let entries = fs::read_dir(workspace)
        .map_err(error)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(error)?;
    Ok(entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect())
}

/// Compiles the guests to core modules, in the order in which they are given.
pub(crate) fn compile(
    workspace: &Path,
    guests: &[Guest],
    toolchain: &Toolchain,
    target_dir: &Path,
) -> Result<Vec<Vec<u8>>, String> {
    fs::create_dir_all(target_dir)
        .map_err(|error| format!("create {}: {error}", target_dir.display()))?;
    // Cargo's own lock ends before the modules are read; two profiles may be built side by side.
    let lock = File::create(target_dir.join(".read-lock"))
        .map_err(|error| format!("lock the guests: {error}"))?;
    lock.lock()
        .map_err(|error| format!("lock the guests: {error}"))?;

    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace)
        .args(["build", "--release", "--locked", "--target", TARGET]);
    for guest in guests {
        command.args(["--package", &guest.package()]);
    }
    clean_environment(&mut command);
    command
        .env("CARGO_TARGET_DIR", target_dir)
        .env("RUSTC", &toolchain.rustc);
    if toolchain.build_std {
        command
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC_BOOTSTRAP", "1");
    }
    if let Some(linker) = &toolchain.linker {
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        remapped(workspace, toolchain, target_dir).join("\u{1f}"),
    );

    let output = command
        .output()
        .map_err(|error| format!("start cargo for the guests: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the plugins could not be compiled with {}:\n{}",
            toolchain.rustc.display(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    guests
        .iter()
        .map(|guest| {
            let file = format!("{}.wasm", guest.package().replace('-', "_"));
            let path = target_dir.join(TARGET).join("release").join(file);
            fs::read(&path).map_err(|error| format!("read {}: {error}", path.display()))
        })
        .collect()
}

/// Leaves out what the outer build says to its own compiler. How cargo reaches its registry stays.
fn clean_environment(command: &mut Command) {
    const KEPT: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_MAKEFLAGS",
    ];
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let outer = name.starts_with("CARGO_")
            || name.starts_with("RUSTC")
            || name.starts_with("RUSTFLAGS")
            || name.starts_with("RUSTDOC")
            || name.starts_with("CLIPPY_")
            || name == "__CARGO_DEFAULT_LIB_METADATA";
        if outer && !KEPT.iter().any(|kept| name.starts_with(kept)) {
            command.env_remove(name);
        }
    }
}

/// No path of this machine gets into a guest: the same sources and compiler give the same bytes everywhere.
fn remapped(workspace: &Path, toolchain: &Toolchain, target_dir: &Path) -> Vec<String> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let mut places = vec![
        (workspace.to_owned(), "/plugins"),
        (target_dir.to_owned(), "/target"),
        (toolchain.sysroot.join("lib/rustlib/src/rust"), "/rust"),
    ];
    places.extend(home.map(|home| (home.join("registry/src"), "/crates")));
    places
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect()
}
