//! `switchover init`

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Access};
use crate::terminal::Terminal;

/// A whole topology that has no findings, with a comment on whatever there is to decide.
const STARTER: &str = include_str!("init/starter.kdl");

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file to write.
    #[arg(value_name = "FILE", default_value = "switchover.kdl")]
    file: PathBuf,
    /// Replace the file where there is one.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum InitError {
    #[error("`{}` is there already", .0.display())]
    #[diagnostic(
        code(switchover::init::exists),
        help("name another file, or replace this one with `--force`")
    )]
    Exists(PathBuf),
    #[error("failed to write `{}`", path.display())]
    #[diagnostic(
        code(switchover::init::write),
        help("the folder must be there and be writable")
    )]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Writes the starter.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let written = if arguments.force {
        file::replace(path, STARTER, Access::Everybody)
    } else {
        create(path)
    };
    written.map_err(|source| {
        let error = match source.kind() {
            io::ErrorKind::AlreadyExists => InitError::Exists(path.clone()),
            _ => InitError::Write {
                path: path.clone(),
                source,
            },
        };
        Failure::new(Exit::Failed, error)
    })?;
    terminal.say(format_args!(
        "wrote {}: change its names and addresses, then `switchover validate`",
        path.display()
    ));
    Ok(Exit::Done)
}

/// Never over a file that somebody else wrote meanwhile.
fn create(path: &Path) -> io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(STARTER.as_bytes())?;
    file.sync_all()
}
