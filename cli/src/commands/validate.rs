//! `switchover validate`

use clap::{Args, ValueEnum};
use switchover_rules::judge;

use crate::arguments::TopologyOrStdin;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, Report, Selection};
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
    /// Report only rules whose codes are, or begin with, one of these: `SW104`, `SW1`.
    ///
    /// Whatever keeps the topology from being understood (SW001 to SW006, SW008) is reported in any case.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    only: Vec<String>,
    /// Report no rules whose codes are, or begin with, one of these; wins over `--only`.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    skip: Vec<String>,
    /// Let warnings fail, too.
    #[arg(long)]
    deny_warnings: bool,
    /// Let no finding fail: the exit code is 0 wherever findings could be printed.
    #[arg(long, conflicts_with = "deny_warnings")]
    exit_zero: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people: each finding drawn into its file.
    #[default]
    Human,
    /// One JSON document: `schemas/findings.schema.json`.
    Json,
    /// SARIF 2.1.0, for GitHub's code scanning and editors.
    Sarif,
    /// Workflow commands, which GitHub shows beside the changed lines.
    Github,
    /// A test report, for GitLab and Jenkins.
    Junit,
    /// For a comment on a change request; at most as long as GitHub takes.
    Markdown,
}

/// Prints all findings of a run.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let selection = Selection::new(&arguments.only, &arguments.skip)
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let loaded = topology_file::read(&arguments.topology.file)?;
    let findings = judge(&loaded.topology, loaded.diagnostics, topology_file::today());
    let findings = selection.of(loaded.origins.relate(findings));
    let report = Report {
        diagnostics: &findings,
        sources: &loaded.sources,
        rules: selection.rules(),
        topology: topology_file::shown(&arguments.topology.file),
        deny_warnings: arguments.deny_warnings,
    };
    let text = match arguments.format {
        Format::Human => report::human(&findings, &loaded.sources, terminal.out),
        Format::Json => report::json(&findings, &loaded.sources).map_err(Failure::json)?,
        Format::Sarif => report::sarif(&report).map_err(Failure::json)?,
        Format::Github => report::github(&report),
        Format::Junit => report::junit(&report).map_err(Failure::junit)?,
        Format::Markdown => report::markdown(&report),
    };
    terminal.data(&text)?;
    let failed = report.failed() && !arguments.exit_zero;
    // The process ends here: giving a large topology back piece by piece would only take time.
    std::mem::forget((loaded.topology, loaded.origins));
    Ok(if failed { Exit::Findings } else { Exit::Done })
}
