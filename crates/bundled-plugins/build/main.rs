//! Compiles the guests, makes components of them and writes what `lib.rs` includes.

mod guests;
mod toolchain;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sha2::{Digest, Sha256};
use wit_component::ComponentEncoder;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = manifest_dir
        .ancestors()
        .nth(2)
        .ok_or("the crate is not in a workspace")?;
    let workspace = root.join("plugins");

    println!("cargo::rerun-if-env-changed={}", toolchain::VARIABLE);
    println!("cargo::rerun-if-env-changed=RUSTC");
    println!(
        "cargo::rerun-if-changed={}",
        root.join("schemas/plugin.wit").display()
    );
    println!("cargo::rerun-if-changed=build");
    let guests = guests::find(&workspace)?;
    for path in guests::sources(&workspace)? {
        println!("cargo::rerun-if-changed={}", path.display());
    }

    let toolchain = toolchain::find(
        &toolchain::Machine::look()?,
        env::var(toolchain::VARIABLE).ok().as_deref(),
    )?;
    let modules = guests::compile(
        &workspace,
        &guests,
        &toolchain,
        &shared_folder(&out).join("guests"),
    )?;

    let mut list = String::from("&[\n");
    for (guest, module) in guests.iter().zip(modules) {
        let component =
            component(&module).map_err(|error| format!("guest `{}`: {error}", guest.name))?;
        let file = out.join(format!("{}.wasm", guest.name));
        write(&file, &component)?;
        let _ = writeln!(
            list,
            "    Bundled {{ name: {:?}, sha256: {:?}, component: include_bytes!({:?}) }},",
            guest.name,
            Sha256::digest(&component).as_slice(),
            file
        );
    }
    list.push_str("]\n");
    write(&out.join("bundled.rs"), list.as_bytes())
}

/// Wraps a core module. There is no adapter: a guest that imports anything stays one that does, and is refused later.
fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode)
        .map_err(|error| format!("{error:#}"))
}

/// Cargo's target folder, so that all profiles share one build of the guests; cargo marks it with this file. Without
/// the mark the script's own folder, which is slower but never wrong.
fn shared_folder(out: &Path) -> &Path {
    out.ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists())
        .unwrap_or(out)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("write {}: {error}", path.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
