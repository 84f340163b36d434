//! Whether a plugin's manifest says of its findings what its sources say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use switchover_sdk::Manifest;

/// Where a plugin declares its rules.
const RULES: &str = "rules.rs";

/// Holds that each rule is in the manifest under the name of its constant, that it is raised somewhere, and that its
/// texts say when, and what to do. `folder` is the plugin's crate.
///
/// # Panics
/// Where that is not so.
pub fn every_finding_is_declared(manifest: &Manifest, folder: &str) {
    let mut sources = BTreeMap::new();
    read(&Path::new(folder).join("src"), &mut sources);
    let declared: Vec<&str> = manifest
        .findings
        .iter()
        .map(|kind| kind.code.as_str())
        .collect();
    let rules = sources.remove(RULES).unwrap();
    let constants: Vec<&str> = rules
        .split("const ")
        .filter_map(|rest| rest.split_once(": Rule =").map(|(name, _)| name))
        .collect();
    assert_eq!(
        declared, constants,
        "declared in the manifest, and constants"
    );

    let words: BTreeSet<&str> = sources.values().flat_map(|text| used(text)).collect();
    let idle: Vec<&&str> = declared
        .iter()
        .filter(|code| !words.contains(**code))
        .collect();
    assert_eq!(idle, [] as [&&str; 0], "declared and never raised");

    for kind in &manifest.findings {
        let (code, text) = (&kind.code, &kind.explanation);
        assert!(
            !kind.summary.ends_with('.') && !kind.summary.starts_with("when "),
            "{code}: a phrase that completes `raised when`"
        );
        assert!(!text.starts_with('#'), "{code}: without a heading");
        assert!(
            text.contains("\n\nTo fix it, ") || text.contains("\n\nNothing has to be done"),
            "{code}: says what to do"
        );
    }
}

fn read(folder: &Path, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Words of the code: what is only imported, or named in a comment, is not used.
fn used(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut importing = false;
    let code = code.filter(move |line| {
        let import = importing || line.starts_with("use ");
        importing = import && !line.ends_with(';');
        !import
    });
    code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
}
