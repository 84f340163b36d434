//! `docs/conformance.md`: how each plugin fared with its real server, from what the last run of the tests wrote down.

use std::fs;
use std::path::{Path, PathBuf};

use crate::generate::Mode;
use crate::run::Failure;

const PAGE: &str = "docs/conformance.md";

const INTRODUCTION: &str = "\
# Conformance

Every plugin makes the same transitions, through the command itself and against its real server. A mark means, of that
transition: an apply that fails at a later target leaves the server's configuration byte for byte as it was; then it is
applied, the server accepts what it has, and a second plan is empty.

";

const END: &str = "
Written by `cargo xtask generate` from the results of the tests in `cli/tests/conformance/`. A transition that a plugin
cannot make has the reason in place of a mark.
";

fn folder() -> PathBuf {
    crate::target().join("tmp/conformance")
}

/// Forgets what earlier runs wrote down.
pub(crate) fn forget() -> Result<(), Failure> {
    match fs::remove_dir_all(folder()) {
        Err(problem) if problem.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::of("remove old results", problem))
        }
        _ => Ok(()),
    }
}

/// Compares the page with the results, or writes it. Versions of servers are this machine's, and are not compared.
pub(crate) fn run(mode: Mode) -> Result<(), Failure> {
    let new = page(&folder())?;
    let path = crate::root().join(PAGE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    let compared = |page: &str| -> Vec<String> {
        let lines = page.lines().filter(|line| !line.starts_with("| server |"));
        lines.map(str::to_owned).collect()
    };
    if compared(&old) == compared(&new) {
        return Ok(());
    }
    match mode {
        Mode::Check => Err(Failure(format!(
            "{PAGE} is not what the tests found. Run `cargo xtask generate`"
        ))),
        Mode::Write => {
            fs::write(&path, new)
                .map_err(|problem| Failure::of(format!("write {PAGE}"), problem))?;
            eprintln!("wrote {PAGE}");
            Ok(())
        }
    }
}

fn page(folder: &Path) -> Result<String, Failure> {
    let columns = results(folder)?;
    let Some(first) = columns.first() else {
        return Err(Failure(
            "no results of the conformance tests: run `cargo xtask test` first".to_owned(),
        ));
    };
    let rows = first.iter().map(|(title, _)| {
        let cells = columns.iter().map(|column| {
            let found = column.iter().find(|(of, _)| of == title);
            found.map_or("?", |(_, result)| result)
        });
        let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
        format!("| {title} |{cells}\n")
    });
    let mut rows: Vec<String> = rows.collect();
    rows.insert(1, format!("|{}\n", " --- |".repeat(columns.len() + 1)));
    Ok(format!("{INTRODUCTION}{}{END}", rows.concat()))
}

/// Of each plugin: titles and results, plugin and server first.
type Column = Vec<(String, String)>;

fn results(folder: &Path) -> Result<Vec<Column>, Failure> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path)
            .map_err(|problem| Failure::of(format!("read {}", path.display()), problem))?;
        let cells = text.lines().filter_map(|line| line.split_once('\t'));
        Ok(cells
            .map(|(title, result)| (title.to_owned(), result.to_owned()))
            .collect())
    };
    paths.iter().map(read).collect()
}
