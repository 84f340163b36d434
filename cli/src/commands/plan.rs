//! `switchover plan`

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_engine::Plan;

use crate::arguments::TopologyArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Access};
use crate::render::outline::Extent;
use crate::render::{plan_human, plan_json, plan_markdown};
use crate::session::Session;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    topology: TopologyArgument,
    /// Keep the plan in a file that `apply` takes; it holds no secret.
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show every change in full, and every request that `apply` would send.
    #[arg(long)]
    full: bool,
    /// End with exit code 4 where changes are pending.
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document: the plan and its summary.
    Json,
    /// For a comment on a change request.
    Markdown,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to write the plan to `{}`", path.display())]
#[diagnostic(
    code(switchover::plan::write),
    help("the folder must exist and be writable")
)]
struct WriteError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Shows what apply would do.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(session) = Session::open(&arguments.topology.file, terminal)? else {
        return Ok(Exit::Findings);
    };
    let Some(plan) = session.plan()? else {
        return Ok(Exit::Findings);
    };
    if let Some(path) = &arguments.out {
        let text = plan.to_json().map_err(Failure::json)?;
        file::replace(path, &text, Access::Owner).map_err(|source| {
            Failure::new(
                Exit::Failed,
                WriteError {
                    path: path.clone(),
                    source,
                },
            )
        })?;
    }
    terminal.data(&rendered(&plan, arguments, terminal)?)?;
    let pending = !plan.summary().is_empty();
    Ok(if pending && arguments.detailed_exitcode {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

fn rendered(plan: &Plan, arguments: &Arguments, terminal: &Terminal) -> Result<String, Failure> {
    let extent = if arguments.full {
        Extent::Full
    } else {
        Extent::Brief
    };
    match arguments.format {
        Format::Human => Ok(plan_human::render(plan, extent, terminal.out)),
        Format::Json => plan_json::render(plan).map_err(Failure::json),
        Format::Markdown => Ok(plan_markdown::render(plan, extent)),
    }
}
