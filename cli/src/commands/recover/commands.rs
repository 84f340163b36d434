//! Commands taken from a topology as it is now: the recorded one may be what stands in the way. Nobody gets another command run
//! without being shown both.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::Commands;
use switchover_topology::Topology;
use switchover_topology::model::{Command, Target};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::visible;
use crate::report::{self, Tally};
use crate::terminal::Terminal;
use crate::topology_file;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandsError {
    #[error("`{}` is the topology of site `{found}`, not of site `{site}`", path.display())]
    #[diagnostic(
        code(switchover::recover::other_site),
        help("name the topology of the same site; nothing was done")
    )]
    OtherSite {
        path: PathBuf,
        found: String,
        site: String,
    },
}

/// A command that is run instead of the recorded one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Replaced {
    target: String,
    name: String,
    /// The folder or host that it runs in, as recorded.
    root: Option<String>,
    recorded: Vec<String>,
    now: Vec<String>,
}

/// Commands that are other than recorded.
#[derive(Debug)]
pub(crate) struct Instead {
    /// Where they are from.
    path: PathBuf,
    pub(crate) replaced: Vec<Replaced>,
}

impl Instead {
    /// Compares what a topology declares now with what was recorded of these targets. None where the topology has errors, which
    /// are shown.
    pub(crate) fn read(
        path: &Path,
        recorded: &Topology,
        takes: impl Fn(&str) -> bool,
        terminal: &Terminal,
    ) -> Result<Option<Self>, Failure> {
        let loaded = topology_file::read(path)?;
        if Tally::of(&loaded.diagnostics).errors > 0 {
            report::tell(&loaded.diagnostics, &loaded.sources, terminal);
            return Ok(None);
        }
        let (found, site) = (site_of(&loaded.topology), site_of(recorded));
        if found != site {
            let error = CommandsError::OtherSite {
                path: path.to_owned(),
                found: found.to_owned(),
                site: site.to_owned(),
            };
            return Err(Failure::new(Exit::Failed, error));
        }
        let targets = recorded.targets.iter();
        let replaced = targets
            .filter(|target| takes(&target.name.value))
            .flat_map(|target| of_target(target, &loaded.topology))
            .collect();
        Ok(Some(Self {
            path: path.to_owned(),
            replaced,
        }))
    }

    /// For the engine.
    pub(crate) fn commands(&self) -> Commands {
        let mut commands = Commands::new();
        for Replaced {
            target, name, now, ..
        } in &self.replaced
        {
            let of_target = commands.entry(target.clone()).or_default();
            of_target.insert(name.clone(), now.clone());
        }
        commands
    }

    /// Both of each, for people.
    pub(crate) fn shown(&self) -> String {
        let path = self.path.display().to_string();
        let path = visible(&path);
        if self.replaced.is_empty() {
            return format!("the commands in `{path}` are the recorded ones\n");
        }
        let mut text = format!("commands from `{path}`, instead of the recorded ones:\n");
        for Replaced {
            target,
            name,
            root,
            recorded,
            now,
        } in &self.replaced
        {
            let root = root.as_ref().map(|root| format!(", run in {root}"));
            let line = format!("  {target}: {name}{}", root.unwrap_or_default());
            text += &format!("{}\n", visible(&line));
            for (when, argv) in [("recorded", recorded), ("now", now)] {
                let words: Vec<String> = argv.iter().map(|word| format!("{word:?}")).collect();
                text += &format!("    {when:<8}  {}\n", visible(&words.join(" ")));
            }
        }
        text
    }
}

fn site_of(topology: &Topology) -> &str {
    let site = topology.site.as_ref();
    site.map_or("", |site| site.name.value.as_str())
}

/// The commands of a target that are other ones now. Those that are gone stay as they were recorded.
fn of_target(recorded: &Target, now: &Topology) -> Vec<Replaced> {
    let mut targets = now.targets.iter();
    let Some(now) = targets.find(|target| target.name.value == recorded.name.value) else {
        return Vec::new();
    };
    let other = |command: &Command| {
        let mut declared = now.commands.iter();
        let declared = declared.find(|now| now.name.value == command.name.value)?;
        let (before, after) = (argv(command), argv(declared));
        (before != after).then(|| Replaced {
            target: recorded.name.value.clone(),
            name: command.name.value.clone(),
            root: recorded.root.as_ref().map(|root| root.value.clone()),
            recorded: before,
            now: after,
        })
    };
    recorded.commands.iter().filter_map(other).collect()
}

fn argv(command: &Command) -> Vec<String> {
    command.argv.iter().map(|word| word.value.clone()).collect()
}
