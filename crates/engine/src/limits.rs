//! How large a change may be before somebody has to say that it is meant: the wrong file, the wrong branch or an empty
//! table make a plan that is right in every step.

use std::collections::BTreeMap;

use switchover_topology::Topology;
use switchover_topology::model::LargeChange as Declared;

use crate::context::Context;
use crate::error::ApplyError;
use crate::plan::{Action, Change, LargeChange, Plan, Reason, TargetPlan};
use crate::state::Generation;

/// Where neither the site nor the target says anything else: so much of a target, in percent.
const PERCENT: u32 = 30;
/// So many removals.
const REMOVALS: u32 = 10;
/// A target with no more resources than this has no share worth counting: one of three is a third.
const HANDFUL: usize = 10;

/// Every part of a plan that is larger than the topology lets pass.
pub(crate) fn large(
    topology: &Topology,
    targets: &[TargetPlan],
    last: Option<&Generation>,
) -> Vec<LargeChange> {
    judge(topology, targets, |target| {
        last.and_then(|last| last.targets.get(target))
            .map_or(0, |record| record.resources.len())
    })
}

/// The same, told how many resources of ours each target has.
fn judge(
    topology: &Topology,
    targets: &[TargetPlan],
    held: impl Fn(&str) -> usize,
) -> Vec<LargeChange> {
    let of_site = topology
        .site
        .as_ref()
        .and_then(|site| site.large_change.as_ref());
    let mut found = Vec::new();
    // Removals at targets without a limit of their own count together: ten here and ten there are twenty.
    let mut together: BTreeMap<&str, usize> = BTreeMap::new();
    for part in targets {
        let declared = topology
            .targets
            .get(&part.name)
            .and_then(|target| target.large_change.as_ref());
        let removed = count(part, Action::Delete);
        let own = held(&part.name);
        let limit = limit(declared, of_site, |of| {
            of.percent.as_ref().map(|it| it.value)
        });
        let limit = limit.unwrap_or(PERCENT);
        // What is new leaves everything else as it is.
        let touched = count(part, Action::Update) + removed;
        if own > HANDFUL && limit < 100 && touched * 100 > own * limit as usize {
            found.push(LargeChange::Share {
                target: part.name.clone(),
                touched,
                of: own,
                percent: limit,
            });
        }
        match declared.and_then(|declared| declared.removals.as_ref()) {
            Some(limit) if removed > limit.value as usize => found.push(LargeChange::Removals {
                targets: vec![part.name.clone()],
                removed,
                limit: limit.value,
            }),
            None if removed > 0 => {
                together.insert(&part.name, removed);
            }
            _ => {}
        }
    }
    let limit = of_site
        .and_then(|of| of.removals.as_ref())
        .map_or(REMOVALS, |limit| limit.value);
    let removed: usize = together.values().sum();
    if removed > limit as usize {
        found.push(LargeChange::Removals {
            targets: together.into_keys().map(str::to_owned).collect(),
            removed,
            limit,
        });
    }
    found
}

/// What the target says, else its site.
fn limit(
    target: Option<&Declared>,
    site: Option<&Declared>,
    of: impl Fn(&Declared) -> Option<u32>,
) -> Option<u32> {
    target.and_then(&of).or_else(|| site.and_then(&of))
}

/// Without what only brings back drift: that was wanted before, and is still.
fn count(part: &TargetPlan, action: Action) -> usize {
    let changes = part.changes.iter();
    let counts = |change: &&Change| change.action == action && change.reason != Reason::Drift;
    changes.filter(counts).count()
}

/// A large change is refused unless it was asked for. What the plan itself says of that is not taken on trust.
pub(crate) fn refuse(
    context: &Context<'_>,
    plan: &Plan,
    last: Option<&Generation>,
) -> Result<(), ApplyError> {
    let large = large(context.topology, &plan.targets, last);
    if large.is_empty() || context.permits.large_change {
        return Ok(());
    }
    Err(ApplyError::large_change(&large))
}

#[cfg(test)]
mod tests;
