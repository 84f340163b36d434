//! `switchover show`

use clap::{Args, ValueEnum};
use switchover_topology::{to_json, to_json_with_origins, to_kdl, to_kdl_with_origins};

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
    /// Say of each value where it came from: its file, line and column, and whether a base, defaults, a table or a
    /// parameter supplied it.
    #[arg(long)]
    origins: bool,
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
        report::tell(&loaded.diagnostics, &loaded.sources, terminal);
        return Ok(Exit::Findings);
    }
    let json = |value| serde_json::to_string_pretty(&value).map_err(Failure::json);
    let text = match (arguments.format, arguments.origins) {
        (Format::Kdl, false) => to_kdl(&loaded.topology),
        (Format::Kdl, true) => to_kdl_with_origins(&loaded),
        (Format::Json, false) => json(to_json(&loaded.topology))? + "\n",
        (Format::Json, true) => json(to_json_with_origins(&loaded))? + "\n",
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}
