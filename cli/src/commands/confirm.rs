//! `switchover confirm`

use clap::Args;
use miette::Diagnostic;

use crate::arguments::TopologyArgument;
use crate::commands::recover;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::session;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    topology: TopologyArgument,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("no run waits to be confirmed")]
    #[diagnostic(
        code(switchover::confirm::nothing),
        help("only `switchover apply --confirm-within TIME` waits, and only for so long")
    )]
    Nothing,
}

/// Confirms the run that waits for it.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(&arguments.topology.file, terminal)? else {
        return Ok(Exit::Findings);
    };
    let confirmed = session::runtime()?.block_on(switchover_engine::confirm(&place.state));
    if confirmed.map_err(recover::failed)? {
        terminal.data("confirmed\n")?;
        Ok(Exit::Done)
    } else {
        Err(Failure::new(Exit::Failed, CommandError::Nothing))
    }
}
