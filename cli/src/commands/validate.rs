//! `switchover validate`

use clap::{Args, ValueEnum};
use switchover_rules::judge;

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
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Let warnings fail, too.
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people: each finding drawn into its file.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// Prints all findings of a run.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = topology_file::read(&arguments.topology.file)?;
    let findings = judge(&loaded.topology, loaded.diagnostics, topology_file::today());
    let text = match arguments.format {
        Format::Human => report::human(&findings, &loaded.sources, terminal.out),
        Format::Json => report::json(&findings, &loaded.sources).map_err(Failure::json)?,
    };
    terminal.data(&text)?;
    let tally = Tally::of(&findings);
    let failed = tally.errors > 0 || (arguments.deny_warnings && tally.warnings > 0);
    Ok(if failed { Exit::Findings } else { Exit::Done })
}
