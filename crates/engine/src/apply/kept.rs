//! What an apply brings about, kept before its first step: so a later run can bring it about again, and whoever finds
//! this one interrupted can finish it without the topology.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::{Context, Wanted};
use crate::error::Cause;
use crate::plan::{Plan, TargetPlan};
use crate::planner::{draft, scopes};
use crate::secrets::RunSecrets;
use crate::state::{BlobRef, Generation, State};

/// Where what a run wants is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// The files of the topology by which its targets are reached.
    pub(crate) sources: BlobRef,
    /// What is wanted, by target.
    pub(crate) contents: BTreeMap<String, BlobRef>,
    /// What the last generation left is what is wanted once more: its topology stays in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) in_force: bool,
    /// The generation that is brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rollback_of: Option<u64>,
}

impl Kept {
    /// Everything that it refers to.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        self.contents.values().chain([&self.sources])
    }
}

/// Keeps what is wanted of every target of a plan.
pub(super) async fn keep(
    context: &Context<'_>,
    secrets: &RunSecrets,
    plan: &Plan,
    state: &State,
    last: Option<&Generation>,
) -> Result<Kept, Cause> {
    let mut contents = BTreeMap::new();
    for (target, scope) in scopes(context) {
        let name = &target.name.value;
        let Some(part) = plan.targets.iter().find(|part| part.name == *name) else {
            continue;
        };
        let plugin = context.plugin(target)?;
        let mut draft = draft(context, target, plugin, last, secrets)?;
        let view = scope.view(secrets).map_err(|_| Cause::NoContent {
            address: name.clone(),
        })?;
        let wanted = draft.desired(&context.wanted, &view)?;
        let digests = wanted
            .iter()
            .map(|resource| (&resource.address, resource.body.sha256()));
        if !is_of(part, digests) {
            let problem = "what it wants now is not what the plan holds";
            return Err(draft.world.contract("desired", &problem));
        }
        contents.insert(name.clone(), state.keep_contents(&wanted).await?);
    }
    let before = last.map(|last| last.number);
    let wanted = match &context.wanted {
        Wanted::Recorded(recorded) => Some(recorded.number),
        Wanted::Topology => None,
    };
    let in_force = wanted.is_some() && wanted == before;
    Ok(Kept {
        sources: state.keep_sources(&context.sources).await?,
        contents,
        in_force,
        // To bring back what the last one left is no way back.
        rollback_of: wanted.filter(|_| !in_force),
    })
}

/// Whether these are the resources that the plan says the target will hold.
fn is_of<'r>(
    part: &TargetPlan,
    wanted: impl ExactSizeIterator<Item = (&'r String, String)>,
) -> bool {
    let as_planned = |(address, sha256): (&String, String)| {
        let resource = part.resources.get(address);
        resource.is_some_and(|resource| resource.sha256 == sha256)
    };
    wanted.len() <= part.resources.len() && wanted.into_iter().all(as_planned)
}
