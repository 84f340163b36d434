//! `switchover runbook`

use clap::{Args, ValueEnum};
use switchover_engine::Reading;

use crate::arguments::TopologyArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::runbook;
use crate::session::Session;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    topology: TopologyArgument,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read no server: every task is listed, none is ticked.
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// A list of tasks, as GitHub and GitLab show them.
    #[default]
    Markdown,
    /// One page that needs nothing else, to be printed or mailed.
    Html,
}

/// Prints what people have to do.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(session) = Session::open(&arguments.topology.file, terminal)? else {
        return Ok(Exit::Findings);
    };
    let reading = match arguments.offline {
        true => Reading::Offline,
        false => Reading::Live,
    };
    let Some(tasks) = session.runbook(reading)? else {
        return Ok(Exit::Findings);
    };
    terminal.data(&match arguments.format {
        Format::Markdown => runbook::markdown(&tasks),
        Format::Html => runbook::html(&tasks),
    })?;
    Ok(Exit::Done)
}
