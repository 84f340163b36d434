//! `switchover fmt`

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use switchover_topology::{Formatted, Unformatted, format, format_text};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Access};
use crate::report;
use crate::terminal::Terminal;
use crate::topology_file;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files to lay out; `-` reads the standard input and prints the result. Files that these include are not touched.
    #[arg(value_name = "FILE", default_value = "switchover.kdl")]
    files: Vec<PathBuf>,
    /// Write nothing: name the files that are not laid out, and end with exit code 3 if there are any.
    #[arg(long)]
    check: bool,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to write `{}`", path.display())]
#[diagnostic(
    code(switchover::fmt::write),
    help("the file is as it was; its folder must be writable, too")
)]
struct WriteError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Lays out files. One that is not KDL is left as it is, and does not keep the others from being laid out.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for path in &arguments.files {
        let piped = path == Path::new("-");
        if !piped && let Err(failure) = topology_file::exists(path) {
            failure.show(terminal);
            exit = Exit::Findings;
            continue;
        }
        let read = if piped { piped_in()? } else { format(path) };
        let formatted = match read {
            Ok(formatted) => formatted,
            Err(Unformatted {
                diagnostics,
                sources,
            }) => {
                report::tell(&diagnostics, &sources, terminal);
                exit = Exit::Findings;
                continue;
            }
        };
        if arguments.check {
            if !formatted.is_same() {
                terminal.data(&format!("{}\n", path.display()))?;
                exit = Exit::Findings;
            }
        } else if piped {
            terminal.data(&formatted.after)?;
        } else if !formatted.is_same() {
            write(path, &formatted)?;
            terminal.say(format_args!("laid out {}", path.display()));
        }
    }
    Ok(exit)
}

fn piped_in() -> Result<Result<Formatted, Unformatted>, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(Failure::stdin)?;
    Ok(format_text("<stdin>", text))
}

fn write(path: &Path, formatted: &Formatted) -> Result<(), Failure> {
    let failed = |source| {
        Failure::new(
            Exit::Failed,
            WriteError {
                path: path.to_owned(),
                source,
            },
        )
    };
    // A link stays a link: what it leads to is replaced.
    let whole = path.canonicalize().map_err(failed)?;
    file::replace(&whole, &formatted.after, Access::Everybody).map_err(failed)
}
