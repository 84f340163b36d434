//! `switchover apply`

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::plan::Summary;
use switchover_engine::{Applied, ApplyError, Plan};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::outline::Extent;
use crate::render::plan_human;
use crate::render::text::count;
use crate::session::Session;
use crate::terminal::{Terminal, Verbosity};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The topology, or a plan that `plan --out` wrote.
    #[arg(value_name = "FILE", default_value = "switchover.kdl")]
    file: PathBuf,
    /// Apply without asking.
    #[arg(long, short)]
    yes: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("nobody is there to confirm: the standard input is no terminal")]
    #[diagnostic(
        code(switchover::apply::unconfirmed),
        help("review the plan with `switchover plan`, then pass `--yes`")
    )]
    NobodyToAsk,
    #[error("not confirmed: nothing was changed")]
    #[diagnostic(code(switchover::apply::declined), help("only `yes` confirms"))]
    Declined,
    #[error("failed to read the plan `{}`", path.display())]
    #[diagnostic(
        code(switchover::plan::read),
        help("check the file's owner and permissions")
    )]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("there is no topology `{topology}`, which the plan `{}` was made from", plan.display())]
    #[diagnostic(
        code(switchover::plan::topology_not_found),
        help(
            "a plan names its topology as `plan` was told it: change to the folder in which the plan was made"
        )
    )]
    TopologyGone { plan: PathBuf, topology: String },
}

/// Confirms or plans, then applies.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if !arguments.yes && !terminal.can_ask() {
        return Err(Failure::new(Exit::Usage, CommandError::NobodyToAsk));
    }
    let file = &arguments.file;
    let kept = read_plan(file)?;
    let topology = kept
        .as_ref()
        .map_or(file.as_path(), |plan| Path::new(&plan.topology.path));
    if kept.is_some() && !topology.exists() {
        let topology = topology.display().to_string();
        return Err(Failure::new(
            Exit::Failed,
            CommandError::TopologyGone {
                plan: file.clone(),
                topology,
            },
        ));
    }
    let Some(session) = Session::open(topology, terminal)? else {
        return Ok(Exit::Findings);
    };
    let plan = match kept {
        Some(plan) => plan,
        None => match session.plan()? {
            Some(plan) => plan,
            None => return Ok(Exit::Findings),
        },
    };
    if !plan.summary().is_empty() {
        show(&plan, terminal);
        if !arguments.yes && !confirmed(terminal)? {
            return Err(Failure::new(Exit::Failed, CommandError::Declined));
        }
    }
    let applied = session
        .run_stoppable(async |context| switchover_engine::apply(context, &plan).await)
        .map_err(|error| Failure::new(exit_of(&error), error))?;
    let text = match arguments.format {
        Format::Human => human(&applied),
        Format::Json => json(&applied).map_err(Failure::json)?,
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}

const fn exit_of(error: &ApplyError) -> Exit {
    match error {
        ApplyError::Stale { .. } => Exit::Stale,
        ApplyError::NothingChanged(_) | ApplyError::Secret(_) => Exit::Failed,
        ApplyError::RolledBack(_) => Exit::RolledBack,
        ApplyError::Partial { .. } => Exit::Partial,
    }
}

/// The plan that a file holds; none where it is a topology. JSON begins with a brace, KDL never does.
fn read_plan(path: &Path) -> Result<Option<Plan>, Failure> {
    // That a topology cannot be read is told where topologies are read.
    let Ok(file) = File::open(path) else {
        return Ok(None);
    };
    let first = BufReader::new(file)
        .bytes()
        .map_while(Result::ok)
        .find(|byte| !byte.is_ascii_whitespace());
    if first != Some(b'{') {
        return Ok(None);
    }
    let bytes = fs::read(path).map_err(|source| {
        Failure::new(
            Exit::Failed,
            CommandError::Read {
                path: path.to_owned(),
                source,
            },
        )
    })?;
    Plan::from_json(&bytes)
        .map(Some)
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// What is confirmed is shown where the question is asked.
fn show(plan: &Plan, terminal: &Terminal) {
    if terminal.verbosity > Verbosity::Quiet || terminal.can_ask() {
        terminal.error(&plan_human::render(plan, Extent::Brief, terminal.err));
    }
}

fn confirmed(terminal: &Terminal) -> Result<bool, Failure> {
    let answer = terminal
        .ask("\nApply these changes? Only `yes` is accepted: ")
        .map_err(Failure::stdin)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    answer.trim() == "yes"
}

fn human(applied: &Applied) -> String {
    let Summary {
        create,
        update,
        delete,
        ..
    } = applied.summary;
    match applied.generation {
        None => "no changes\n".to_owned(),
        Some(generation) => format!(
            "applied as generation {generation}: {} added, {} changed, {} removed\n",
            count(create),
            count(update),
            count(delete)
        ),
    }
}

#[derive(Serialize)]
struct JsonApplied {
    format_version: &'static str,
    /// Null where there was nothing to do.
    generation: Option<u64>,
    summary: Summary,
}

fn json(applied: &Applied) -> Result<String, serde_json::Error> {
    let applied = JsonApplied {
        format_version: "1.0",
        generation: applied.generation,
        summary: applied.summary,
    };
    Ok(serde_json::to_string_pretty(&applied)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        assert!(is_yes("yes\n") && is_yes(" yes\r\n"));
        for answer in ["", "\n", "y\n", "YES\n", "yes please\n", "no\n"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
