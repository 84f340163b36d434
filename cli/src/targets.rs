//! `--target` and `--exclude`: which targets a command is about.

use clap::Args;
use miette::Diagnostic;
use switchover_engine::Selection;
use switchover_topology::{Topology, nearest};

/// The options.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TargetArguments {
    /// Only this target; may be given more than once.
    #[arg(long = "target", value_name = "NAME", help_heading = "Targets")]
    only: Vec<String>,
    /// Every target but this one; may be given more than once.
    #[arg(long = "exclude", value_name = "NAME", help_heading = "Targets")]
    without: Vec<String>,
}

/// Targets that cannot be chosen.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum TargetsError {
    #[error("there is no target `{name}`")]
    #[diagnostic(code(switchover::target::unknown), help("{help}"))]
    Unknown { name: String, help: String },
    #[error("`--target` and `--exclude` leave no target")]
    #[diagnostic(
        code(switchover::target::none),
        help("a target that is named by both is left out")
    )]
    None,
}

impl TargetArguments {
    /// Whether any was given.
    pub(crate) fn are_given(&self) -> bool {
        !self.only.is_empty() || !self.without.is_empty()
    }

    /// The targets of a topology that are meant.
    pub(crate) fn select(&self, topology: &Topology) -> Result<Selection, TargetsError> {
        for name in self.only.iter().chain(&self.without) {
            if topology.targets.get(name).is_none() {
                return Err(unknown(name, topology));
            }
        }
        let selection = Selection::new(self.only.iter().cloned(), self.without.iter().cloned());
        let mut targets = topology.targets.iter();
        if self.are_given() && !targets.any(|target| selection.takes(&target.name.value)) {
            return Err(TargetsError::None);
        }
        Ok(selection)
    }
}

fn unknown(name: &str, topology: &Topology) -> TargetsError {
    let names = || {
        topology
            .targets
            .iter()
            .map(|target| target.name.value.as_str())
    };
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names().next().is_none() => "the topology declares no target".to_owned(),
        None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
    };
    TargetsError::Unknown {
        name: name.to_owned(),
        help,
    }
}
