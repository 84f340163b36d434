//! `cli → engine → {plugin-host, effects, rules} → topology → catalogue`: a crate never reaches up, and those in braces do
//! not know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// What each crate of the host's workspace may use of the others, tests aside. The bundled plugins are bytes: they know
/// nobody, and only the command that embeds them knows them.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("switchover-catalogue", &[]),
    ("switchover-topology", &["switchover-catalogue"]),
    (
        "switchover-rules",
        &["switchover-topology", "switchover-catalogue"],
    ),
    (
        "switchover-plugin-host",
        &["switchover-topology", "switchover-catalogue"],
    ),
    (
        "switchover-effects",
        &["switchover-topology", "switchover-catalogue"],
    ),
    (
        "switchover-engine",
        &[
            "switchover-rules",
            "switchover-plugin-host",
            "switchover-effects",
            "switchover-topology",
            "switchover-catalogue",
        ],
    ),
    ("switchover-bundled-plugins", &[]),
    (
        "switchover",
        &[
            "switchover-engine",
            "switchover-rules",
            "switchover-plugin-host",
            "switchover-effects",
            "switchover-bundled-plugins",
            "switchover-topology",
            "switchover-catalogue",
        ],
    ),
    ("switchover-lab", &[]),
    ("xtask", &[]),
];

/// Crates through which a program reaches the network or the files of targets, or runs a plugin; and the only crate that
/// may ship with each.
const ONLY_IN: [(&str, &str); 5] = [
    ("reqwest", "switchover-effects"),
    ("rustls", "switchover-effects"),
    ("cap-std", "switchover-effects"),
    ("opentelemetry-otlp", "switchover-effects"),
    ("wasmtime", "switchover-plugin-host"),
];

/// The same reached through the standard library or tokio, as their sources would write it.
const WORLD: [&str; 6] = [
    "std::process::Command",
    "process::Command::",
    "tokio::process",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

/// What of `cargo metadata` is asked here. The crate that reads all of it asks for features of others, with which the
/// whole workspace would be compiled once more for tests than for running.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None for what is neither for tests nor for the build script.
    kind: Option<String>,
}

fn metadata() -> Metadata {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// For each crate of the workspace the crates that it uses when it ships.
fn shipped(metadata: &Metadata) -> BTreeMap<&str, BTreeSet<&str>> {
    let shipped = |kind: Option<&str>| matches!(kind, None | Some("build"));
    metadata
        .packages
        .iter()
        .map(|package| {
            let used = package
                .dependencies
                .iter()
                .filter(|dependency| shipped(dependency.kind.as_deref()));
            (
                package.name.as_str(),
                used.map(|dependency| dependency.name.as_str()).collect(),
            )
        })
        .collect()
}

#[test]
fn no_crate_reaches_up_or_sideways() {
    let metadata = metadata();
    let crates = shipped(&metadata);
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for (name, used) in &crates {
        let may_use = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no place in the order of crates yet"));
        let ours = used.iter().filter(|used| crates.contains_key(*used));
        let wrong: Vec<_> = ours.filter(|used| !may_use.contains(used)).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
    assert_eq!(
        crates.len(),
        MAY_USE.len(),
        "a crate in the order is not there any more"
    );
}

#[test]
fn the_world_is_reached_through_one_crate() {
    let metadata = metadata();
    let crates = shipped(&metadata);
    for (dependency, owner) in ONLY_IN {
        let users: Vec<_> = crates
            .iter()
            .filter(|(_, used)| used.contains(dependency))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(users, [owner], "{dependency} is for {owner} only");
    }
}

#[test]
fn no_other_crate_opens_a_socket_or_starts_a_program() {
    const MAY: [&str; 3] = ["switchover-effects", "switchover-lab", "xtask"];
    for package in metadata()
        .packages
        .iter()
        .filter(|package| !MAY.contains(&package.name.as_str()))
    {
        let sources = package.manifest_path.parent().unwrap().join("src");
        // What is for tests only does not ship.
        let shipped = rust_files(&sources)
            .into_iter()
            .filter(|file| !file.ends_with("tests.rs"));
        for file in shipped {
            let text = fs::read_to_string(&file).unwrap();
            let found: Vec<_> = WORLD.iter().filter(|word| text.contains(*word)).collect();
            assert!(
                found.is_empty(),
                "{} must leave {found:?} to the effects",
                file.display()
            );
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_lab_is_for_tests_only() {
    let metadata = metadata();
    for (name, used) in shipped(&metadata) {
        assert!(
            !used.contains("switchover-lab"),
            "{name} would ship with the lab"
        );
    }
}
