//! `switchover generations`

use clap::{Args, Subcommand, ValueEnum};
use switchover_engine::StateError;

use crate::arguments::{SiteArgument, SiteOption, generation};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::checked::{self, Damaged};
use crate::render::comparison::{self, Named, Side};
use crate::render::generations;
use crate::render::outline::Extent;
use crate::session::{bundled, host, runtime};
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without a command it lists. Where the topology is gone, what is kept beside it in `.switchover` is used, or \
                  what `--state` names."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what was applied, the last at the end.
    List(ListArguments),
    /// Show everything that a generation holds.
    Show(ShowArguments),
    /// Show what differs from one generation to another, as a plan does; asks no target and needs no secret.
    Diff(DiffArguments),
    /// Read everything that is kept of the site, and name what is damaged or gone; fails where anything is.
    ///
    /// Every generation and every content is held against its digest, each generation against the one before it, and the
    /// audit log against itself. The exit code is 1 where anything is not as it was written. Nothing is changed.
    Check(ListArguments),
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    site: SiteArgument,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The generation.
    #[arg(value_name = "N", value_parser = generation, allow_negative_numbers = true)]
    number: u64,
    #[command(flatten)]
    site: SiteOption,
    /// How the generation is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
struct DiffArguments {
    /// The earlier generation.
    #[arg(value_name = "A", value_parser = generation, allow_negative_numbers = true)]
    earlier: u64,
    /// The later generation; the last one if none is named.
    #[arg(value_name = "B", value_parser = generation, allow_negative_numbers = true)]
    later: Option<u64>,
    #[command(flatten)]
    site: SiteOption,
    /// How the differences are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show every difference in full.
    #[arg(long)]
    full: bool,
    /// End with exit code 4 where anything differs.
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// For a comment or an issue.
    Markdown,
}

/// Lists generations, shows one, or what differs between two.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    match &arguments.command {
        None => list(&arguments.list, terminal),
        Some(Command::List(arguments)) => list(arguments, terminal),
        Some(Command::Show(arguments)) => show(arguments, terminal),
        Some(Command::Diff(arguments)) => diff(arguments, terminal),
        Some(Command::Check(arguments)) => check(arguments, terminal),
    }
}

fn failed(error: StateError) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// One that cannot be read does not keep the others from being listed.
fn list(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let found = runtime()?.block_on(place.state.generations());
    let found = found.map_err(failed)?;
    terminal.data(&match arguments.format {
        Format::Human => generations::list_human(&found),
        Format::Json => generations::list_json(&found).map_err(Failure::json)?,
        Format::Markdown => generations::list_markdown(&found),
    })?;
    let mut exit = Exit::Done;
    for error in found.into_iter().filter_map(|(_, read)| read.err()) {
        let failure = failed(error);
        failure.show(terminal);
        exit = failure.exit;
    }
    Ok(exit)
}

fn show(arguments: &ShowArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let read = runtime()?.block_on(place.state.generation(arguments.number));
    let generation = read.map_err(failed)?;
    terminal.data(&match arguments.format {
        Format::Human => generations::show_human(&generation, terminal.out),
        Format::Json => generations::show_json(&generation).map_err(Failure::json)?,
        Format::Markdown => generations::show_markdown(&generation),
    })?;
    Ok(Exit::Done)
}

fn diff(arguments: &DiffArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let read = async {
        let later = match arguments.later {
            Some(number) => number,
            // Where there is none, the earlier one is none, either.
            None => place
                .state
                .numbers()
                .await?
                .pop()
                .unwrap_or(arguments.earlier),
        };
        let before = switchover_engine::recorded(&place.state, arguments.earlier).await?;
        let after = switchover_engine::recorded(&place.state, later).await?;
        Ok((before, after, later))
    };
    let (mut before, mut after, later) = runtime()?.block_on(read).map_err(failed)?;
    let (host, plugins) = (host()?, bundled());
    before.read_by(&host, &plugins);
    after.read_by(&host, &plugins);
    let compared = switchover_engine::compare(&before, &after)
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let named = Named {
        earlier: Side::Generation(arguments.earlier),
        later: Side::Generation(later),
        comparison: &compared,
    };
    let extent = if arguments.full {
        Extent::Full
    } else {
        Extent::Brief
    };
    terminal.data(&match arguments.format {
        Format::Human => comparison::human(&named, extent, terminal.out),
        Format::Json => comparison::json(&named).map_err(Failure::json)?,
        Format::Markdown => comparison::markdown(&named, extent),
    })?;
    Ok(if compared.differs() && arguments.detailed_exitcode {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

/// Each damage is an error of its own, told with its way out.
fn check(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let mut found = runtime()?.block_on(place.state.check()).map_err(failed)?;
    let damage = std::mem::take(&mut found.damage).into_iter();
    let damaged: Vec<Damaged> = damage
        .map(|damage| Damaged {
            place: damage.place().map(str::to_owned),
            generations: damage.generations(),
            failure: Failure::new(Exit::Failed, damage),
        })
        .collect();
    terminal.data(&match arguments.format {
        Format::Human => checked::human(&found, &damaged),
        Format::Json => checked::json(&found, &damaged).map_err(Failure::json)?,
        Format::Markdown => checked::markdown(&found, &damaged),
    })?;
    let mut exit = Exit::Done;
    for damaged in damaged {
        damaged.failure.show(terminal);
        exit = damaged.failure.exit;
    }
    Ok(exit)
}
