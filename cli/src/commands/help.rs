//! `switchover help`

use clap::{Args, CommandFactory};
use miette::Diagnostic;

use crate::arguments::Cli;
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A command, such as `plan` or `plugin lock`, or `exit-codes`.
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("there is no help on `{0}`")]
#[diagnostic(
    code(switchover::help::unknown_topic),
    help("`switchover help` lists the commands; `exit-codes` is a topic, too")
)]
struct UnknownTopic(String);

/// Prints help on a topic.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.topic == ["exit-codes"] {
        terminal.data(&exit::table())?;
        return Ok(Exit::Done);
    }
    let mut command = Cli::command();
    // Fills in the full names and the global options of the subcommands.
    command.build();
    let mut found = &mut command;
    for name in &arguments.topic {
        found = match found.find_subcommand_mut(name) {
            Some(subcommand) => subcommand,
            None => {
                return Err(Failure::new(
                    Exit::Usage,
                    UnknownTopic(arguments.topic.join(" ")),
                ));
            }
        };
    }
    let help = found.render_long_help();
    let text = if terminal.out.color {
        help.ansi().to_string()
    } else {
        help.to_string()
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}
