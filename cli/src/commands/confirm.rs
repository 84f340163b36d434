//! `switchover confirm`

use clap::{Args, ValueEnum};
use miette::Diagnostic;

use crate::arguments::SiteArgument;
use crate::commands::recover;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::ending;
use crate::session;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    site: SiteArgument,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document, also where it fails: `schemas/confirm.schema.json`.
    Json,
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
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let runtime = session::runtime()?;
    // Which one it is is told; it may be over before it is confirmed.
    let runs = runtime.block_on(switchover_engine::runs(&place.state));
    let mut runs = runs.map_err(recover::failed)?.into_iter();
    let run = runs.find(|run| run.waiting.is_some() && !run.over);
    let confirmed = runtime.block_on(switchover_engine::confirm(&place.state));
    let done = match confirmed {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(Exit::Failed, CommandError::Nothing)),
        Err(error) => Err(recover::failed(error)),
    };
    match (arguments.format, &done) {
        (Format::Human, Ok(())) => terminal.data("confirmed\n")?,
        (Format::Human, Err(_)) => {}
        (Format::Json, _) => {
            let text = ending::confirmed(done.as_ref().copied(), run.as_ref());
            terminal.data(&text.map_err(Failure::json)?)?;
        }
    }
    done.map(|()| Exit::Done)
}
