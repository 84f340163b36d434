//! `switchover diff`

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_effects::git::{GitError, Repository};
use switchover_effects::{Masker, Reporting};
use switchover_engine::Desired;

use crate::arguments::TopologyArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::comparison::{self, Named, Side};
use crate::render::outline::Extent;
use crate::session::Session;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Two revisions as Git names them: `A..B`; `A...B` is B against where the two parted; `A..`, or `A` alone, is the
    /// files as they are against A.
    #[arg(value_name = "REV..REV")]
    revisions: String,
    #[command(flatten)]
    topology: TopologyArgument,
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
    /// For a comment on a change request.
    Markdown,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum DiffError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Git(#[from] GitError),
    #[error("failed to find the topology `{}`", path.display())]
    #[diagnostic(
        code(switchover::diff::topology),
        help(
            "change to the folder that holds it: it is looked for at the same place in each revision"
        )
    )]
    Place {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to make room for the files of a revision")]
    #[diagnostic(
        code(switchover::diff::room),
        help("is the folder for temporary files writable, and is there room?")
    )]
    Room(#[source] io::Error),
    #[error("neither revision has the topology `{}`", .0.display())]
    #[diagnostic(
        code(switchover::diff::no_topology),
        help("name it as it is called in the repository")
    )]
    NoTopology(PathBuf),
}

/// The two sides.
#[derive(Debug, PartialEq, Eq)]
struct Sides<'a> {
    earlier: &'a str,
    /// None for the files as they are.
    later: Option<&'a str>,
    /// The earlier side is where the two parted.
    parted: bool,
}

fn sides(revisions: &str) -> Sides<'_> {
    let (earlier, later, parted) = match (revisions.split_once("..."), revisions.split_once("..")) {
        (Some((earlier, later)), _) => (earlier, later, true),
        (None, Some((earlier, later))) => (earlier, later, false),
        (None, None) => (revisions, "", false),
    };
    Sides {
        earlier: if earlier.is_empty() { "HEAD" } else { earlier },
        later: Some(later).filter(|later| !later.is_empty()),
        parted: parted && !later.is_empty(),
    }
}

/// Says what two revisions of a topology want differently.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let file = &arguments.topology.file;
    let sides = sides(&arguments.revisions);
    let room = tempfile::tempdir().map_err(|error| failed(DiffError::Room(error)))?;
    let work = async {
        let place = |source| DiffError::Place {
            path: file.clone(),
            source,
        };
        // The file itself may be gone by now, or not be there yet in this branch: its folder tells the repository.
        let name = file
            .file_name()
            .ok_or_else(|| place(io::ErrorKind::InvalidInput.into()))?;
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(place)?;
        let repository =
            Repository::around(&folder, &Reporting::new(Masker::default(), None)).await?;
        let within = folder
            .strip_prefix(repository.top())
            .unwrap_or(Path::new(""))
            .join(name);
        let mut earlier = repository.commit(sides.earlier).await?;
        let later = match sides.later {
            Some(later) => Some(repository.commit(later).await?),
            None => None,
        };
        if let (true, Some(later)) = (sides.parted, &later) {
            earlier = repository.merge_base(&earlier, later).await?;
        }
        let into = |name: &str| {
            let folder = room.path().join(name);
            std::fs::create_dir(&folder).map(|()| folder)
        };
        let before = into("earlier").map_err(DiffError::Room)?;
        repository.export(&earlier, &before).await?;
        let after = match &later {
            Some(later) => {
                let folder = into("later").map_err(DiffError::Room)?;
                repository.export(later, &folder).await?;
                folder.join(&within)
            }
            None => file.clone(),
        };
        Ok::<_, DiffError>((before.join(&within), after))
    };
    let (before, after) = crate::session::runtime()?.block_on(work).map_err(failed)?;
    if !before.exists() && !after.exists() {
        return Err(failed(DiffError::NoTopology(file.clone())));
    }
    let Some(before) = desired(&before, sides.earlier, terminal)? else {
        return Ok(Exit::Findings);
    };
    let now = sides.later.unwrap_or("the files as they are");
    let Some(after) = desired(&after, now, terminal)? else {
        return Ok(Exit::Findings);
    };
    let compared = switchover_engine::compare(&before, &after)
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    let named = Named {
        earlier: Side::Revision(sides.earlier),
        later: sides.later.map_or(Side::Files, Side::Revision),
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

fn failed(error: DiffError) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// What the topology of one side wants. A side that has no such file wants nothing: the site is new, or gone.
fn desired(file: &Path, side: &str, terminal: &Terminal) -> Result<Option<Desired>, Failure> {
    if !file.exists() {
        terminal.say(format_args!(
            "there is no such topology in {side}: everything of it is new or gone"
        ));
        return Ok(Some(Desired::default()));
    }
    let desired = match Session::open(file, terminal)? {
        Some(session) => session.desired()?,
        None => None,
    };
    if desired.is_none() {
        terminal.error(&format!("the topology has errors in {side}\n"));
    }
    Ok(desired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_named_as_git_names_them() {
        let told = |text| {
            let Sides {
                earlier,
                later,
                parted,
            } = sides(text);
            (earlier, later, parted)
        };
        assert_eq!(told("main..fix"), ("main", Some("fix"), false));
        assert_eq!(told("main...fix"), ("main", Some("fix"), true));
        assert_eq!(told("main.."), ("main", None, false));
        assert_eq!(told("main"), ("main", None, false));
        assert_eq!(told("..fix"), ("HEAD", Some("fix"), false));
        assert_eq!(told("v1.2..v1.3"), ("v1.2", Some("v1.3"), false));
    }
}
