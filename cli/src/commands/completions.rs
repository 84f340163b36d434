//! `switchover completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell that will read them.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints completions.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "switchover",
        &mut script,
    );
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
