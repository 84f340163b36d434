//! Which sites a command is about.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::thread;

use clap::Args;
use ignore::WalkBuilder;
use miette::Diagnostic;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::Shard;
use crate::plan_folder::EXTENSION;

/// The name by which a topology is found in a folder.
pub(crate) const TOPOLOGY: &str = "switchover.kdl";

/// The sites that a command is about.
#[derive(Debug, Args)]
pub(crate) struct Sites {
    /// Topologies; a folder stands for every `switchover.kdl` in it and below it, `-` alone is the standard input.
    ///
    /// Hidden folders and what `.gitignore` names are passed over, links to folders are not followed. With a folder or
    /// more than one file, every site is worked on whatever happens to the others, a table of all of them comes last, and
    /// the exit code is the worst of theirs.
    #[arg(value_name = "PATH", default_value = TOPOLOGY)]
    paths: Vec<PathBuf>,
    /// Work on so many sites at once; as many as there are processors, unless said otherwise.
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "Many sites")]
    jobs: Option<NonZeroUsize>,
    /// Only the sites of one part of several, such as `3/10`: a CI matrix shares a fleet so.
    ///
    /// Which part a site is in follows from its path below the folder that is named: a site that comes or goes moves no
    /// other.
    #[arg(long, value_name = "K/N", help_heading = "Many sites")]
    shard: Option<Shard>,
}

/// What a command line comes down to.
#[derive(Debug)]
pub(crate) enum Which {
    /// One file, named as such; `-` is the standard input.
    One(PathBuf),
    /// Any number of files, none more than once.
    Many(Fleet),
}

/// The files of a fleet, ascending: topologies, or plans that were kept of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) files: Vec<PathBuf>,
    /// The one folder that they were looked for in; empty where several were named.
    pub(crate) top: PathBuf,
    /// Sites to work on at once.
    pub(crate) jobs: NonZeroUsize,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum SitesError {
    #[error("the standard input is one topology and no other can be named beside it")]
    #[diagnostic(
        code(switchover::sites::stdin),
        help("name files or folders, or `-` alone")
    )]
    Stdin,
    #[error("there is no `{TOPOLOGY}` in or below `{}`", .0.display())]
    #[diagnostic(
        code(switchover::sites::none),
        help(
            "each site is a folder with a `{TOPOLOGY}`; files of other names are named on the command line"
        )
    )]
    NoSites(PathBuf),
    #[error("there is no `{TOPOLOGY}` in or below `{}`, and no kept plan", .0.display())]
    #[diagnostic(
        code(switchover::sites::none),
        help(
            "each site is a folder with a `{TOPOLOGY}`; files of other names are named on the command line. `switchover \
             plan SITES --out FOLDER` keeps a plan of each site"
        )
    )]
    NoSitesOrPlans(PathBuf),
    #[error("failed to look for sites in `{}`", path.display())]
    #[diagnostic(
        code(switchover::sites::search),
        help("check the owner and permissions of the folders")
    )]
    Search {
        path: PathBuf,
        #[source]
        source: ignore::Error,
    },
}

impl Sites {
    /// Looks for the sites.
    pub(crate) fn which(&self) -> Result<Which, Failure> {
        self.look(|folder| Err(SitesError::NoSites(folder.to_owned())))
    }

    /// The same for whoever takes plans as well: a folder without topologies stands for the plans in it and below it.
    pub(crate) fn which_or_plans(&self) -> Result<Which, Failure> {
        self.look(|folder| {
            let plans = plans_below(folder)?;
            if plans.is_empty() {
                return Err(SitesError::NoSitesOrPlans(folder.to_owned()));
            }
            Ok(plans)
        })
    }

    fn look(
        &self,
        without_sites: impl Fn(&Path) -> Result<Vec<PathBuf>, SitesError>,
    ) -> Result<Which, Failure> {
        let failed = |error| Failure::new(Exit::Failed, error);
        if let ([path], None) = (self.paths.as_slice(), self.shard)
            && !path.is_dir()
        {
            return Ok(Which::One(path.clone()));
        }
        let mut found = Vec::new();
        for path in &self.paths {
            if path == Path::new("-") {
                return Err(Failure::new(Exit::Usage, SitesError::Stdin));
            }
            if path.is_dir() {
                let mut below = sites_below(path).map_err(failed)?;
                if below.is_empty() {
                    below = without_sites(path).map_err(failed)?;
                }
                found.extend(below);
            } else {
                found.push(path.clone());
            }
        }
        // One folder is the fleet, wherever it is called from.
        let top = match self.paths.as_slice() {
            [folder] if folder.is_dir() => folder.strip_prefix(".").unwrap_or(folder),
            _ => Path::new(""),
        };
        if let Some(shard) = self.shard {
            found.retain(|path| shard.holds(&key_of(path.strip_prefix(top).unwrap_or(path))));
        }
        found.sort();
        // A file may be named and lie in a folder that is named, too.
        let mut seen = HashSet::new();
        found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
        Ok(Which::Many(Fleet {
            files: found,
            top: top.to_owned(),
            jobs: self.jobs.unwrap_or_else(processors),
        }))
    }
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "it is a number, 1 or more".to_owned())
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn sites_below(folder: &Path) -> Result<Vec<PathBuf>, SitesError> {
    let search = |source| SitesError::Search {
        path: folder.to_owned(),
        source,
    };
    // What a person has set up for all their repositories must not decide what is a site; what is in this one does.
    let walk = WalkBuilder::new(folder).git_global(false).build();
    let mut found = Vec::new();
    for entry in walk {
        let entry = entry.map_err(search)?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && entry.file_name() == TOPOLOGY {
            let path = entry.into_path();
            found.push(path.strip_prefix(".").map_or(path.clone(), Path::to_owned));
        }
    }
    Ok(found)
}

/// Every file in a folder that is named as plans are. What is none is told where it is read.
fn plans_below(folder: &Path) -> Result<Vec<PathBuf>, SitesError> {
    // Plans are made anew each time: who names their folder means them, even where `.gitignore` does.
    let walk = WalkBuilder::new(folder).standard_filters(false).build();
    let mut found = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|source| SitesError::Search {
            path: folder.to_owned(),
            source,
        })?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && entry.path().extension().is_some_and(|it| it == EXTENSION) {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

/// The names of a path with `/` between them, however it was written: `./a//b.kdl` is `a/b.kdl`.
fn key_of(path: &Path) -> String {
    let names: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    names.join("/")
}
