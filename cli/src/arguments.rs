//! The command line.

use std::path::{Path, PathBuf};

use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    apply, audit, completions, confirm, diff, drift, explain, fmt, gc, generate_reference,
    generations, help, import, init, lock, plan, plugin, recover, rollback, runbook, show,
    validate,
};
use crate::log::LogFormat;
use crate::place::Named;
use crate::terminal::ColorWhen;

/// Declare a PBX failover pair and everything around it; validate it, see what would change, apply it.
#[derive(Debug, Parser)]
#[command(
    name = "switchover",
    version,
    disable_help_subcommand = true,
    propagate_version = false,
    max_term_width = 100,
    after_help = "Exit codes are public API: `switchover help exit-codes`."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Reads the command line of this process; gives the command's name, such as `lock list`, beside it.
pub(crate) fn read() -> Result<(Cli, String), clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))?;
    Ok((cli, name(&matches)))
}

fn name(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut rest = matches.subcommand();
    while let Some((word, matches)) = rest {
        words.push(word);
        rest = matches.subcommand();
    }
    words.join(" ")
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to use colour; `NO_COLOR` turns it off, too.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Global options"
    )]
    pub(crate) color: ColorWhen,
    /// Tell on stderr what happens; twice: every request, without its secrets.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
    /// Tell nothing on stderr but errors.
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Global options"
    )]
    pub(crate) quiet: bool,
    /// How stderr is written.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub(crate) log_format: LogFormat,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a topology against the language and the documented requirements.
    Validate(validate::Arguments),
    /// Explain a rule by its code.
    Explain(explain::Arguments),
    /// Write a commented topology to start from.
    Init(init::Arguments),
    /// Write what runs today as a topology; what a server does not tell is marked.
    Import(Box<import::Arguments>),
    /// Lay out topology files the one way there is; comments stay.
    Fmt(fmt::Arguments),
    /// Print the resolved topology: bases, includes and tables read, defaults applied, secrets as references.
    Show(show::Arguments),
    /// Show what `apply` would do; never writes to a target.
    Plan(plan::Arguments),
    /// Bring every target to what the topology says.
    Apply(apply::Arguments),
    /// Show what two Git revisions of a topology want differently; asks no target and needs no secret.
    Diff(diff::Arguments),
    /// Show what somebody else changed since the last apply; never writes to a target.
    Drift(drift::Arguments),
    /// Keep what `apply --confirm-within` did, before its time is up.
    Confirm(confirm::Arguments),
    /// Bring a run to its end that was interrupted: take it back, or finish it.
    Recover(recover::Arguments),
    /// Show what was done to a site, by whom and with which outcome.
    Audit(audit::Arguments),
    /// List what was applied, show one of it, or what differs between two.
    Generations(generations::Arguments),
    /// Bring every target back to what an earlier generation wanted; needs no topology file.
    Rollback(rollback::Arguments),
    /// Remove old generations, and what none refers to any more.
    Gc(gc::Arguments),
    /// Show who is changing a site, or free it from a run that is gone.
    #[command(subcommand)]
    Lock(lock::Command),
    /// Write down what only people can do, ticked where a server shows that it is done.
    Runbook(runbook::Arguments),
    /// List, inspect and pin plugins.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Print completions for a shell.
    Completions(completions::Arguments),
    /// Print help on a command, or on `exit-codes`.
    Help(help::Arguments),
    /// Write the generated parts of the documentation.
    #[command(hide = true)]
    GenerateReference(generate_reference::Arguments),
}

/// The topology that a command is about.
#[derive(Debug, Args)]
pub(crate) struct TopologyArgument {
    /// The topology.
    #[arg(value_name = "FILE", default_value = "switchover.kdl")]
    pub(crate) file: PathBuf,
}

/// The site that a command is about, where the command takes nothing else.
#[derive(Debug, Args)]
pub(crate) struct SiteArgument {
    /// The topology, which says where the state is.
    #[arg(
        value_name = "FILE",
        default_value = "switchover.kdl",
        conflicts_with = "topology"
    )]
    file: PathBuf,
    /// The same as FILE, for whoever names it in one way with every command.
    #[arg(long, value_name = "FILE", help_heading = SITE)]
    topology: Option<PathBuf>,
    #[command(flatten)]
    state: StateOption,
}

impl SiteArgument {
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            topology: self.topology.as_deref().unwrap_or(&self.file),
            state: self.state.state.as_deref(),
        }
    }
}

/// The same where numbers of generations are what a command takes.
#[derive(Debug, Args)]
pub(crate) struct SiteOption {
    /// The topology, which says where the state is.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "switchover.kdl",
        help_heading = SITE
    )]
    topology: PathBuf,
    #[command(flatten)]
    state: StateOption,
}

impl SiteOption {
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            topology: &self.topology,
            state: self.state.state.as_deref(),
        }
    }
}

const SITE: &str = "The site";

#[derive(Debug, Args)]
struct StateOption {
    /// Where the state is, whatever the topology says: a folder, or `s3://BUCKET/FOLDER`.
    ///
    /// The topology is not read then and need not be there. Relative paths of targets still begin at the folder that it is
    /// in, or would be.
    #[arg(long, value_name = "PLACE", help_heading = SITE)]
    state: Option<String>,
}

/// The number of a generation.
pub(crate) fn generation(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ if Path::new(text).exists() => {
            Err("a generation is a number; the topology is named with `--topology`".to_owned())
        }
        _ => Err("a generation is a number, as `switchover generations` lists them".to_owned()),
    }
}

/// The topology that a command is about; it may come from a pipe.
#[derive(Debug, Args)]
pub(crate) struct TopologyOrStdin {
    /// The topology; `-` is the standard input.
    #[arg(value_name = "FILE", default_value = "switchover.kdl")]
    pub(crate) file: PathBuf,
}
