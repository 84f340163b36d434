//! Where a site is and what is kept of it, for commands that ask no target.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use switchover_engine::{RecoverError, Retention, State, Unfinished};
use switchover_topology::{Loaded, Spanned};

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
    /// Where the state is said to be: on the command line, else in the topology, where it does.
    location: Option<String>,
    pub(crate) state: State,
    /// What the topology says of generations that stay.
    pub(crate) retention: Option<Retention>,
}

/// What the command line says of a site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The topology.
    pub(crate) topology: &'a Path,
    /// Where the state is, where that is said.
    pub(crate) state: Option<&'a str>,
}

/// What is not there.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum PlaceError {
    #[error("there is no topology `{}`, which says where the state is", .0.display())]
    #[diagnostic(
        code(switchover::topology::not_found),
        help(
            "name the topology, or change to the folder that holds it; where it is gone, `--state PLACE` says where the \
             state is"
        )
    )]
    Topology(PathBuf),
    #[error("nothing is kept of a site in `{place}`")]
    #[diagnostic(code(switchover::state::not_there), help("{help}"))]
    State { place: String, help: String },
    #[error("there is no folder `{}`, where relative paths of targets begin", .0.display())]
    #[diagnostic(
        code(switchover::state::no_root),
        help(
            "name the topology as it was called, in a folder that is there: `--state` says only where the state is"
        )
    )]
    Root(PathBuf),
}

impl Place {
    /// The place of a site by its topology. Where that is gone, it is the folder that holds the state unless a topology says
    /// otherwise. None where the topology cannot tell, for its errors, which are shown.
    pub(crate) fn of(named: Named<'_>, terminal: &Terminal) -> Result<Option<Self>, Failure> {
        let topology = named.topology;
        if let Some(state) = named.state {
            return Self::said(topology, state, None).map(Some);
        }
        if let Some(place) = Self::left_behind(topology)? {
            terminal.say(format_args!(
                "there is no topology `{}`; what is kept of the site is in `{STATE}` beside it",
                topology.display()
            ));
            return Ok(Some(place));
        }
        there(topology)?;
        let loaded = topology_file::read(topology)?;
        if loaded.topology.site.is_none() && has_errors(&loaded) {
            report::tell(&loaded.diagnostics, &loaded.sources, terminal);
            return Ok(None);
        }
        Self::of_loaded(&loaded).map(Some)
    }

    /// The same, where what else the topology says counts as well: it has no errors. With the place of the state said, it
    /// may be gone, and says nothing then.
    pub(crate) fn sound(named: Named<'_>, terminal: &Terminal) -> Result<Option<Self>, Failure> {
        let topology = named.topology;
        if let Some(state) = named.state.filter(|_| !topology.exists()) {
            return Self::said(topology, state, None).map(Some);
        }
        there(topology)?;
        let loaded = topology_file::read(topology)?;
        if has_errors(&loaded) {
            report::tell(&loaded.diagnostics, &loaded.sources, terminal);
            return Ok(None);
        }
        match named.state {
            Some(state) => Self::said(topology, state, Retention::of(&loaded.topology)).map(Some),
            None => Self::of_loaded(&loaded).map(Some),
        }
    }

    /// The place that the command line says. Something has to be kept there: a name that is wrong by a letter must not pass
    /// for a site of which nothing is kept.
    fn said(topology: &Path, state: &str, retention: Option<Retention>) -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Failed, error);
        let folder = folder_of(topology);
        let Ok(root) = folder.canonicalize() else {
            return Err(failed(PlaceError::Root(folder.to_owned())));
        };
        let location = if state.contains("://") {
            state.to_owned()
        } else {
            let folder = std::path::absolute(state).unwrap_or_else(|_| PathBuf::from(state));
            folder.display().to_string()
        };
        let place = Self::at(root, Some(location), retention)?;
        let blank = session::runtime()?.block_on(place.state.is_blank());
        if blank.map_err(|error| Failure::new(Exit::Failed, error))? {
            return Err(failed(no_state(state)));
        }
        Ok(place)
    }

    /// The place of a topology that is gone while the state beside it is not. A state that has nothing in it is not that of
    /// the site: it may hold those of others, or be where no topology said that it is.
    fn left_behind(topology: &Path) -> Result<Option<Self>, Failure> {
        let is_named_so = topology.extension().is_some_and(|it| it == "kdl");
        if !is_named_so || topology.exists() {
            return Ok(None);
        }
        let root = folder_of(topology).canonicalize().ok();
        let Some(root) = root.filter(|root| root.join(STATE).is_dir()) else {
            return Ok(None);
        };
        let place = Self::at(root, None, None)?;
        let blank = session::runtime()?.block_on(place.state.is_blank());
        let blank = blank.map_err(|error| Failure::new(Exit::Failed, error))?;
        Ok((!blank).then_some(place))
    }

    /// Makes a topology be about the state of this place, whatever it says itself.
    pub(crate) fn put_into(&self, loaded: &mut Loaded) {
        if let Some(site) = &mut loaded.topology.site {
            let at = site.name.span;
            let location = self.location.clone();
            site.state = location.map(|location| Spanned::new(location, at));
        }
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

/// Who has lost the topology can still say where the state is.
fn there(topology: &Path) -> Result<(), Failure> {
    if topology == Path::new("-") || !matches!(topology.try_exists(), Ok(false)) {
        return Ok(());
    }
    let error = PlaceError::Topology(topology.to_owned());
    Err(Failure::new(Exit::Failed, error))
}

fn folder_of(topology: &Path) -> &Path {
    match topology.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Nothing is kept there; perhaps it is close by.
fn no_state(state: &str) -> PlaceError {
    let below = Path::new(state).join(STATE);
    let help = if below.is_dir() {
        format!("is `{}` meant?", below.display())
    } else {
        "name the place that the site's `state` named, such as `s3://BUCKET/FOLDER`; a folder of a state has \
         `generations` in it"
            .to_owned()
    };
    PlaceError::State {
        place: state.to_owned(),
        help,
    }
}

fn has_errors(loaded: &Loaded) -> bool {
    Tally::of(&loaded.diagnostics).errors > 0
}
