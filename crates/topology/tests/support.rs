use std::fmt::Write;
use std::path::{Path, PathBuf};

use switchover_topology::{Loaded, Severity, load_text};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Loads a text that includes nothing.
pub(crate) fn read(text: &str) -> Loaded {
    load_text("test.kdl", text.to_owned(), Path::new("/nowhere"))
}

/// `file:line:column code severity message`, then what helps, one finding after the other.
pub(crate) fn plain(loaded: &Loaded) -> String {
    let mut text = String::new();
    for found in &loaded.diagnostics {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let at = |span| {
            let (start, end) = loaded.sources.range(span);
            let name = Path::new(&loaded.sources.file(span.file).name);
            let name = name
                .file_name()
                .map(|name| name.to_string_lossy())
                .unwrap_or_default();
            format!(
                "{name}:{}:{}-{}:{}",
                start.line, start.column, end.line, end.column
            )
        };
        let place = found.span.map_or_else(|| "-".to_owned(), at);
        writeln!(
            text,
            "{place} {} {} {severity}: {}",
            found.code, found.name, found.message
        )
        .unwrap();
        if let Some(label) = &found.label {
            writeln!(text, "    label: {label}").unwrap();
        }
        if let Some(help) = &found.help {
            writeln!(text, "    help: {help}").unwrap();
        }
        for related in &found.related {
            writeln!(text, "    {}: {}", at(related.span), related.message).unwrap();
        }
    }
    text
}

pub(crate) fn codes(loaded: &Loaded) -> Vec<&str> {
    loaded
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect()
}
