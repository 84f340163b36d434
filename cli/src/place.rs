//! Where a site is and what is kept of it, for commands that ask no target.

use std::path::{Path, PathBuf};

use switchover_engine::{RecoverError, Retention, State, Unfinished};
use switchover_topology::Loaded;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{self, Tally};
use crate::session::{self, STATE};
use crate::terminal::Terminal;
use crate::topology_file;

/// A site without its targets.
pub(crate) struct Place {
    /// The folder of the topology.
    pub(crate) root: PathBuf,
    /// Where the topology says that the state is, where it does.
    location: Option<String>,
    pub(crate) state: State,
    /// What the topology says of generations that stay.
    pub(crate) retention: Option<Retention>,
}

impl Place {
    /// The place of a site by its topology. Where that is gone, it is the folder that holds the state unless a topology says
    /// otherwise. None where the topology cannot tell, for its errors, which are shown.
    pub(crate) fn of(topology: &Path, terminal: &Terminal) -> Result<Option<Self>, Failure> {
        if let Some(root) = left_behind(topology) {
            terminal.say(format_args!(
                "there is no topology `{}`; what is kept of the site is in `{STATE}` beside it",
                topology.display()
            ));
            return Self::at(root, None, None).map(Some);
        }
        let loaded = topology_file::read(topology)?;
        if loaded.topology.site.is_none() && has_errors(&loaded) {
            report::tell(&loaded.diagnostics, &loaded.sources, terminal);
            return Ok(None);
        }
        Self::of_loaded(&loaded).map(Some)
    }

    /// The same, where what else the topology says counts as well: it must be there, and have no errors.
    pub(crate) fn sound(topology: &Path, terminal: &Terminal) -> Result<Option<Self>, Failure> {
        let loaded = topology_file::read(topology)?;
        if has_errors(&loaded) {
            report::tell(&loaded.diagnostics, &loaded.sources, terminal);
            return Ok(None);
        }
        Self::of_loaded(&loaded).map(Some)
    }

    /// The place that a topology tells of.
    pub(crate) fn of_loaded(loaded: &Loaded) -> Result<Self, Failure> {
        let location = session::state_of(loaded).map(str::to_owned);
        let retention = Retention::of(&loaded.topology);
        Self::at(loaded.root.clone(), location, retention)
    }

    fn at(
        root: PathBuf,
        location: Option<String>,
        retention: Option<Retention>,
    ) -> Result<Self, Failure> {
        let state = State::at(&root, location.as_deref());
        Ok(Self {
            state: state.map_err(|error| Failure::new(Exit::Failed, error))?,
            root,
            location,
            retention,
        })
    }

    /// The run of the site that is not at its end, if there is one.
    pub(crate) async fn unfinished(&self) -> Result<Option<Unfinished>, RecoverError> {
        switchover_engine::unfinished(&self.root, self.location.as_deref()).await
    }
}

/// The folder of a topology that is gone while its state is not.
fn left_behind(topology: &Path) -> Option<PathBuf> {
    if topology.exists() || topology == Path::new("-") {
        return None;
    }
    let folder = match topology.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().ok()?;
    folder.join(STATE).is_dir().then_some(folder)
}

fn has_errors(loaded: &Loaded) -> bool {
    Tally::of(&loaded.diagnostics).errors > 0
}
