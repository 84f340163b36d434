//! `switchover show`

use clap::{Args, ValueEnum};
use switchover_topology::{to_json, to_kdl};

use crate::arguments::TopologyOrStdin;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, Tally};
use crate::terminal::Terminal;
use crate::topology_file;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    topology: TopologyOrStdin,
    /// How the topology is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// A topology again.
    #[default]
    Kdl,
    /// The form that `schemas/topology.schema.json` describes.
    Json,
}

/// Prints the resolved topology. One with errors has no resolved form.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = topology_file::read(&arguments.topology.file)?;
    let tally = Tally::of(&loaded.diagnostics);
    if tally.errors > 0 {
        terminal.error(&report::human(
            &loaded.diagnostics,
            &loaded.sources,
            terminal.err,
        ));
        return Ok(Exit::Findings);
    }
    let text = match arguments.format {
        Format::Kdl => to_kdl(&loaded.topology),
        Format::Json => {
            serde_json::to_string_pretty(&to_json(&loaded.topology)).map_err(Failure::json)? + "\n"
        }
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}
