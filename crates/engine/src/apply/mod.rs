//! Carrying out a plan: stage everywhere, commit in order, read back, and take everything back when something fails.

mod run;

use std::collections::{BTreeMap, BTreeSet};

use switchover_plugin_host::permit;
use switchover_topology::model::Target;

use crate::context::Context;
use crate::convert;
use crate::error::{ApplyError, Cause, TargetError};
use crate::event::{Event, Phase};
use crate::generation::{Generation, State, TargetRecord};
use crate::plan::{Effect, Evidence, FORMAT_VERSION, Plan, Procedure, Summary, TargetPlan};
use crate::planner::{draft, resolve_secrets, scopes};
use crate::secrets::RunSecrets;
use crate::view::Scope;
use crate::world::World;

use run::Running;

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The generation that records it; none where there was nothing to do.
    pub generation: Option<u64>,
    /// Counts over all targets.
    pub summary: Summary,
}

/// Carries out a plan, or leaves everything as it was.
///
/// # Errors
/// Says whether nothing was changed, everything was rolled back, or something could not be.
pub async fn apply(context: &Context<'_>, plan: &Plan) -> Result<Applied, ApplyError> {
    let summary = plan.summary();
    let site = context.topology.site.as_ref();
    let location = site
        .and_then(|site| site.state.as_ref())
        .map(|state| state.as_str());
    let unchanged = |cause: Cause| nothing_changed(&plan.site, "prepare", cause);
    let state = State::at(context.root, location).map_err(|error| unchanged(error.into()))?;
    let last = state.last().map_err(|error| unchanged(error.into()))?;
    fresh(context, plan, last.as_ref())?;
    if summary.is_empty() {
        return Ok(Applied {
            generation: None,
            summary,
        });
    }
    state
        .check_writable()
        .map_err(|error| unchanged(error.into()))?;

    let secrets = resolve_secrets(context).await.map_err(ApplyError::Secret)?;
    let mut running = Vec::new();
    let done = carry_out(context, plan, &state, last, &secrets, &mut running).await;
    for target in &mut running {
        target.end().await;
    }
    let number = done?;
    context.tell(Event::Generation { number });
    Ok(Applied {
        generation: Some(number),
        summary,
    })
}

/// Gives the number of the generation that records it.
async fn carry_out<'a>(
    context: &Context<'a>,
    plan: &'a Plan,
    state: &State,
    last: Option<Generation>,
    secrets: &'a RunSecrets,
    running: &mut Vec<Running<'a>>,
) -> Result<u64, ApplyError> {
    let scopes = scopes(context);
    for part in plan.targets.iter().filter(|part| !part.changes.is_empty()) {
        running.push(tokio::select! {
            prepared = prepare(context, &scopes, part, last.as_ref(), secrets) => prepared?,
            () = context.stop.asked() => {
                return Err(nothing_changed(&part.name, "read", Cause::Stopped));
            }
        });
    }

    for at in 0..running.len() {
        if let Err(error) = running[at].stage(context).await {
            // What the staged steps themselves did is cleaned up; files in waiting go away with their batch.
            let undo = undo(context, &mut running[..=at]).await;
            return Err(if undo.is_empty() {
                ApplyError::NothingChanged(error)
            } else {
                ApplyError::Partial { cause: error, undo }
            });
        }
    }

    for at in 0..running.len() {
        if let Err(error) = running[at].commit_and_verify(context, secrets).await {
            return Err(take_back(context, running, error).await);
        }
    }

    let number = last.as_ref().map_or(1, |last| last.number + 1);
    if let Err(error) = state.record(generation(context, plan, last, number)) {
        let error = TargetError::new(&plan.site, "record the generation of", error.into());
        return Err(take_back(context, running, error).await);
    }
    Ok(number)
}

fn nothing_changed(target: &str, doing: &str, cause: Cause) -> ApplyError {
    ApplyError::NothingChanged(TargetError::new(target, doing, cause))
}

/// The plan was made from what there is now, as far as can be told without asking the targets.
fn fresh(context: &Context<'_>, plan: &Plan, last: Option<&Generation>) -> Result<(), ApplyError> {
    let stale = |what: String| Err(ApplyError::Stale { what });
    let now = jiff::Timestamp::now();
    if now >= plan.expires {
        return stale(format!("it expired at {:.0}", plan.expires));
    }
    if plan.topology.sha256 != context.topology_digest {
        return stale(format!(
            "the topology {} changed since (sha256 {} then, {} now)",
            context.topology_path,
            short(&plan.topology.sha256),
            short(&context.topology_digest)
        ));
    }
    let number = last.map(|generation| generation.number);
    if plan.generation != number {
        let name = |number: Option<u64>| {
            number.map_or_else(|| "none".to_owned(), |number| number.to_string())
        };
        return stale(format!(
            "something was applied since (generation {} then, {} now)",
            name(plan.generation),
            name(number)
        ));
    }
    Ok(())
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Connects to a target and makes sure that it is as the plan saw it.
async fn prepare<'a>(
    context: &Context<'a>,
    scopes: &[(&'a Target, Scope<'a>)],
    part: &'a TargetPlan,
    last: Option<&Generation>,
    secrets: &'a RunSecrets,
) -> Result<Running<'a>, ApplyError> {
    let stale = |what: String| ApplyError::Stale { what };
    let (target, scope) = scopes
        .iter()
        .find(|(target, _)| target.name.value == part.name)
        .ok_or_else(|| {
            stale(format!(
                "target `{}` is no longer in the topology",
                part.name
            ))
        })?;
    let unchanged = |doing: &str, cause| nothing_changed(&part.name, doing, cause);
    let plugin = context
        .plugin(target)
        .map_err(|cause| unchanged("load the plugin of", cause))?;
    let digest = plugin.digest().to_string();
    if digest != part.plugin.sha256 {
        return Err(stale(format!(
            "plugin `{}` is another one (sha256 {} then, {} now)",
            part.plugin.name,
            short(&part.plugin.sha256),
            short(&digest)
        )));
    }
    let mut draft = draft(context, target, plugin, last, secrets)
        .map_err(|cause| unchanged("prepare", cause))?;
    // A plan may come from a file, so its steps are not taken on trust.
    permitted(&part.procedure, &draft.world)
        .map_err(|cause| unchanged("check the plan of", cause))?;
    context.tell(Event::Reading {
        target: part.name.clone(),
    });
    let wanted: Vec<String> = part.resources.keys().cloned().collect();
    let (observation, _) = draft
        .observe(&wanted, secrets)
        .await
        .map_err(|cause| unchanged("read", cause))?;
    context.tell(Event::Observed {
        target: part.name.clone(),
    });
    if observation.digest != part.observed {
        return Err(stale(format!(
            "the state of target `{}` changed since (sha256 {} then, {} now)",
            part.name,
            short(&part.observed),
            short(&observation.digest)
        )));
    }
    Ok(Running::new(
        part,
        draft,
        observation,
        wanted,
        usable(scope, secrets),
        secrets,
    ))
}

/// Names of secrets that this target's requests and files may hold.
fn usable(scope: &Scope<'_>, secrets: &RunSecrets) -> BTreeSet<String> {
    scope
        .secret_names()
        .into_iter()
        .map(|name| secrets.name_of(&name).to_owned())
        .collect()
}

fn permitted(procedure: &Procedure, world: &World) -> Result<(), Cause> {
    let manifest = world.plugin.manifest();
    let check = |effect: &Effect, verify: bool| {
        let effect = convert::effect_to_wit(effect);
        let verdict = if verify {
            permit::verify(manifest, &effect)
        } else {
            permit::write(manifest, &convert::without_captures(effect))
        };
        verdict.map_err(|refusal| world.refused(refusal))
    };
    let look = |evidence: &Option<Evidence>| match evidence {
        Some(evidence) => world.may_read(&evidence.request),
        None => Ok(()),
    };
    for step in procedure.stage.iter().chain(&procedure.commit) {
        check(&step.effect, false)?;
        look(&step.evidence)?;
        for undo in &step.undo {
            check(&undo.effect, false)?;
            look(&undo.evidence)?;
        }
    }
    for step in &procedure.verify {
        check(&step.effect, true)?;
    }
    Ok(())
}

/// Undoes everything after a failure in the commit, and says how that went.
async fn take_back(
    context: &Context<'_>,
    running: &mut [Running<'_>],
    error: TargetError,
) -> ApplyError {
    let undo = undo(context, running).await;
    if undo.is_empty() {
        ApplyError::RolledBack(error)
    } else {
        ApplyError::Partial { cause: error, undo }
    }
}

/// Takes back what was done at these targets, the last first. One that fails does not keep the others from theirs.
async fn undo(context: &Context<'_>, running: &mut [Running<'_>]) -> Vec<TargetError> {
    let mut errors = Vec::new();
    for target in running.iter_mut().rev() {
        errors.extend(target.undo(context).await);
    }
    errors
}

/// The record of what the targets hold of ours now.
fn generation(
    context: &Context<'_>,
    plan: &Plan,
    last: Option<Generation>,
    number: u64,
) -> Generation {
    // A target that left the topology keeps its record: should it come back, what it holds is still known as ours.
    let mut targets: BTreeMap<String, TargetRecord> =
        last.map(|last| last.targets).unwrap_or_default();
    for part in &plan.targets {
        let record = TargetRecord {
            plugin: part.plugin.clone(),
            resources: part.resources.clone(),
        };
        targets.insert(part.name.clone(), record);
    }
    Generation {
        format_version: FORMAT_VERSION.to_owned(),
        number,
        created: jiff::Timestamp::now(),
        site: plan.site.clone(),
        topology: context.topology_digest.clone(),
        targets,
    }
}

/// How a phase is called in an error: ``commit `apply the configuration` on``.
fn doing(phase: Phase, title: &str) -> String {
    let verb = match phase {
        Phase::Stage => "stage",
        Phase::Commit => "commit",
        Phase::Verify => "verify",
        Phase::Undo => "undo",
    };
    format!("{verb} \"{title}\" on")
}
