//! `switchover drift`

use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{self, Facts, Sites, Style, Which};
use crate::render::drift;
use crate::render::outline::Extent;
use crate::render::state::StateFound;
use crate::session::Session;
use crate::targets::TargetArguments;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sites: Sites,
    /// How what drifted is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show every difference in full.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    targets: TargetArguments,
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

/// Shows what somebody else changed since the last generation.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let fleet = match arguments.sites.which()? {
        Which::One(file) => {
            return match Session::open(&file, terminal)? {
                Some(session) => one(session, arguments, terminal, &mut Facts::default()),
                None => Ok(Exit::Findings),
            };
        }
        Which::Many(fleet) => fleet,
    };
    let style = match arguments.format {
        Format::Human => Style::Human,
        Format::Json => Style::Json,
        Format::Markdown => Style::Markdown,
    };
    fleet::each_session(&fleet, style, terminal, |session, terminal, facts| {
        one(session, arguments, terminal, facts)
    })
}

/// What drifted at one site.
fn one(
    mut session: Session<'_>,
    arguments: &Arguments,
    terminal: &Terminal,
    facts: &mut Facts,
) -> Result<Exit, Failure> {
    session.select(&arguments.targets)?;
    let Some(found) = session.drift()? else {
        return Ok(Exit::Findings);
    };
    let extent = if arguments.full {
        Extent::Full
    } else {
        Extent::Brief
    };
    let state = StateFound::new(session.state(), found.generation);
    let text = match arguments.format {
        Format::Human => drift::human(&found, state, extent, terminal.out),
        Format::Json => drift::json(&found, state).map_err(Failure::json)?,
        Format::Markdown => drift::markdown(&found, state, extent),
    };
    terminal.data(&text)?;
    facts.state_found = Some(state.found);
    Ok(if facts.drifted(found.count()) {
        Exit::Drift
    } else {
        Exit::Done
    })
}
