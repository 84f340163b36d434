//! The commands that a target's steps will run: looked up before anything is begun anywhere.

use std::collections::BTreeSet;
use std::path::Path;

use miette::Diagnostic as _;
use switchover_effects::command::{self, Command, CommandError};
use switchover_effects::folder::Folder;
use switchover_topology::model::Target;

use crate::context::Context;
use crate::error::Cause;
use crate::plan::{Effect, Procedure};
use crate::world::World;

/// Makes sure that every program is there that the steps, or what undoes them, will run.
pub(super) async fn look_up(
    context: &Context<'_>,
    target: &Target,
    procedure: &Procedure,
    world: &World,
) -> Result<(), Cause> {
    let mut faults = Vec::new();
    for name in names(procedure) {
        let argv = world.command(name)?;
        // A file that the run itself writes is not there yet.
        if argv
            .first()
            .is_some_and(|program| program.contains("{file}"))
        {
            continue;
        }
        match command::look_up(&of(world, name, argv), &world.reporting).await {
            Ok(()) => {}
            Err(
                error @ (CommandError::NotFound { .. }
                | CommandError::NotExecutable { .. }
                | CommandError::NoProgram { .. }),
            ) => faults.push((name, error)),
            Err(error) => return Err(error.into()),
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let place = |name: &str| {
        if context.instead(&target.name.value, name).is_some() {
            return None;
        }
        let mut declared = target.commands.iter();
        let declared = declared.find(|command| command.name.value == name)?;
        let place = context.place(declared.span)?;
        Some(format!(" ({place})"))
    };
    let what = faults.iter().map(|(name, error)| {
        let place = place(name).unwrap_or_default();
        format!("{error}{place}")
    });
    let help = faults.iter().filter_map(|(_, error)| error.help());
    Err(Cause::Commands {
        what: what.collect::<Vec<_>>().join("; "),
        help: help
            .map(|help| help.to_string())
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

/// As it is run: in the target's folder, on its host.
pub(super) fn of<'a>(world: &'a World, name: &'a str, argv: &'a [String]) -> Command<'a> {
    let folder = world.folder().ok();
    Command {
        name,
        argv,
        folder: folder.map_or(Path::new("."), Folder::root),
        host: folder.and_then(Folder::host),
        timeout: command::DEFAULT_TIMEOUT,
    }
}

/// The names that the steps ask for.
fn names(procedure: &Procedure) -> BTreeSet<&str> {
    let effects = procedure.steps().flat_map(|step| {
        let undo = step.undo.iter().map(|undo| &undo.effect);
        std::iter::once(&step.effect).chain(undo)
    });
    effects
        .filter_map(|effect| match effect {
            Effect::Run { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect()
}
