//! What two topologies, or two generations, want of every target, held against each other. Nobody is asked and no secret
//! is needed: this is what a change means, whatever is there.

use std::collections::BTreeSet;

use serde::Serialize;
use switchover_plugin_host::{Host, Plugin};
use switchover_topology::Diagnostic;

use crate::context::{Context, PluginSet};
use crate::declared::{self, Declared};
use crate::diff::{self, Resource};
use crate::error::{Cause, PlanError, TargetError};
use crate::lines;
use crate::offline::wanted;
use crate::plan::{Change, Owned, PluginRef, Wave};
use crate::planner::{failed, in_commit_order, refuse_errors};
use crate::secrets::RunSecrets;
use crate::state::{State, StateError};

/// What a topology wants of every target, or a generation did.
#[derive(Debug, Default)]
pub struct Desired {
    /// Name of the site.
    pub site: String,
    targets: Vec<DesiredTarget>,
    /// Warnings and notes of plugins.
    pub findings: Vec<Diagnostic>,
}

#[derive(Debug)]
struct DesiredTarget {
    name: String,
    plugin: PluginRef,
    wave: Wave,
    resources: Vec<Resource>,
    /// Says how its resources read; none where it is not at hand.
    speaker: Option<Plugin>,
}

impl Desired {
    /// Lets the plugins of a set say how resources read whose plugin is not at hand. Another version may say it; where it
    /// does not understand them, they are shown by their addresses.
    pub fn read_by(&mut self, host: &Host, plugins: &PluginSet) {
        for target in self
            .targets
            .iter_mut()
            .filter(|target| target.speaker.is_none())
        {
            let loaded = plugins.load(host, &target.plugin.name);
            target.speaker = loaded.and_then(Result::ok);
        }
    }
}

/// What differs between two of them.
#[derive(Debug)]
pub struct Comparison {
    /// Name of the site, as the later one has it.
    pub site: String,
    /// The targets of both, in the order of their turns.
    pub targets: Vec<TargetComparison>,
}

/// What differs at one target.
#[derive(Debug, Serialize)]
pub struct TargetComparison {
    /// The `target` node's name.
    pub name: String,
    /// The plugin that says what is wanted; where the target is gone, the one that said it.
    pub plugin: PluginRef,
    /// When its turn would come.
    pub wave: Wave,
    /// From the earlier to the later.
    pub changes: Vec<Change>,
    /// How many resources are wanted alike by both.
    pub unchanged: usize,
}

impl Comparison {
    /// Whether anything differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| !target.changes.is_empty())
    }
}

/// What a generation recorded of every target.
///
/// # Errors
/// Where there is no such generation, something of it is gone or damaged, or it kept no more than digests.
pub async fn recorded(state: &State, number: u64) -> Result<Desired, StateError> {
    let generation = state.generation(number).await?;
    let mut contents = state.contents_of(&generation).await?;
    let mut targets = Vec::new();
    for (name, record) in generation.targets {
        let (Some(contents), Some(blob)) = (contents.remove(&name), &record.contents) else {
            // Nothing was wanted of it.
            continue;
        };
        let resources = match contents.resources() {
            Ok(resources) => resources,
            Err(error) => return Err(state.bad(blob, error.to_string()).await),
        };
        targets.push(DesiredTarget {
            name,
            plugin: record.plugin,
            // Whoever kept contents kept this, too.
            wave: record.wave.unwrap_or(Wave::Dhcp),
            resources,
            speaker: None,
        });
    }
    Ok(Desired {
        site: generation.site,
        targets,
        findings: Vec::new(),
    })
}

/// Lets the plugins say what a topology wants.
///
/// # Errors
/// Where a plugin finds errors in the topology, or misbehaves.
pub fn desired(context: &Context<'_>) -> Result<Desired, PlanError> {
    let secrets = RunSecrets::unresolved(context);
    let site = context.topology.site.as_ref();
    let mut found = Desired {
        site: site.map_or_else(String::new, |site| site.name.value.clone()),
        ..Desired::default()
    };
    let declared = declared::all(context, &mut found.findings)?;
    let mut errors = Vec::new();
    let of = declared.len();
    for Declared {
        target,
        scope,
        plugin,
    } in &declared
    {
        let wanted = wanted(
            context,
            target,
            scope,
            plugin,
            &secrets,
            &mut found.findings,
        );
        match wanted {
            Ok(resources) => found
                .targets
                .extend(resources.map(|resources| DesiredTarget {
                    name: target.name.value.clone(),
                    plugin: PluginRef {
                        name: plugin.name().to_owned(),
                        version: plugin.version().to_owned(),
                        sha256: plugin.digest().to_string(),
                    },
                    wave: scope.wave(),
                    resources,
                    speaker: Some(plugin.clone()),
                })),
            Err(cause) => errors.push(failed(target, cause)),
        }
    }
    refuse_errors(&mut found.findings)?;
    if errors.is_empty() {
        Ok(found)
    } else {
        Err(PlanError::Targets { errors, of })
    }
}

/// What differs from the earlier to the later.
///
/// # Errors
/// Where the resources of a target contradict themselves, which [`desired`] has found already, or a plugin misbehaves.
pub fn compare(earlier: &Desired, later: &Desired) -> Result<Comparison, TargetError> {
    let mut targets = Vec::new();
    for after in &later.targets {
        let before = earlier
            .targets
            .iter()
            .find(|before| before.name == after.name);
        let before = before.map_or(&[][..], |before| &before.resources);
        targets.push(difference(after, before, &after.resources)?);
    }
    for before in &earlier.targets {
        if !later.targets.iter().any(|after| after.name == before.name) {
            targets.push(difference(before, &before.resources, &[])?);
        }
    }
    in_commit_order(&mut targets, |target| (target.wave, &target.changes));
    let site = if later.site.is_empty() {
        &earlier.site
    } else {
        &later.site
    };
    Ok(Comparison {
        site: site.clone(),
        targets,
    })
}

fn difference(
    target: &DesiredTarget,
    before: &[Resource],
    after: &[Resource],
) -> Result<TargetComparison, TargetError> {
    // What the earlier one wants is taken for what is there, and for ours.
    let ours = before.iter().map(|resource| {
        let owned = Owned {
            sha256: resource.body.sha256(),
            adopted: false,
            secret: false,
        };
        (resource.address.clone(), owned)
    });
    let difference = diff::compare(after, before, &ours.collect(), &BTreeSet::new());
    let difference = difference.map_err(|error| {
        let cause = Cause::Contract {
            plugin: target.plugin.name.clone(),
            export: "desired",
            problem: error.to_string(),
        };
        TargetError::new(&target.name, "compare", cause)
    })?;
    let mut changes = difference.changes;
    if let Some(plugin) = target.speaker.as_ref().filter(|_| !changes.is_empty()) {
        let said = plugin.start().and_then(|mut session| {
            let hints = lines::hints(before.iter().chain(after));
            lines::put(&mut session, &mut changes, &hints)
        });
        said.map_err(|error| TargetError::new(&target.name, "compare", error.into()))?;
    }
    Ok(TargetComparison {
        name: target.name.clone(),
        plugin: target.plugin.clone(),
        wave: target.wave,
        changes,
        unchanged: difference.unchanged,
    })
}
