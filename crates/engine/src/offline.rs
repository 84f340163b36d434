//! What is wrong with the targets of a topology, found without asking any server: declarations against the manifests of
//! their plugins, and what the plugins say of the topology. Placeholders stand for secrets, so none is resolved.

use std::collections::{BTreeMap, BTreeSet};

use switchover_plugin_host::{Plugin, Problem};
use switchover_topology::model::Target;
use switchover_topology::{Diagnostic, Span, in_report_order};

use crate::context::Context;
use crate::convert;
use crate::declared;
use crate::diff::{self, Resource};
use crate::error::{Cause, TargetError};
use crate::planner::{described, located, templates};
use crate::render::RenderError;
use crate::secrets::RunSecrets;
use crate::settings;
use crate::view::Scope;

/// How much of a topology can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soundness {
    /// All of it was understood: plugins can say what they make of it.
    Whole,
    /// Parts were not understood: only what targets declare can be judged.
    InParts,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// In report order.
    pub findings: Vec<Diagnostic>,
    /// Targets that could not be judged, since their plugin could not be used.
    pub errors: Vec<TargetError>,
    /// Plugins that have judged every target of theirs.
    pub judged: BTreeMap<String, Plugin>,
    /// Names of plugins that have not.
    pub not_judged: BTreeSet<String>,
}

/// Lets the plugins of all targets look at a topology. No server is asked, nothing is written.
#[must_use]
pub fn check(context: &Context<'_>, soundness: Soundness) -> Checked {
    let secrets = RunSecrets::unresolved(context);
    let mut checked = Checked::default();
    let targets = context.topology.targets.iter();
    for target in targets.filter(|target| context.selection.takes(&target.name.value)) {
        match judge(context, target, soundness, &secrets, &mut checked.findings) {
            Ok(Some(plugin)) => drop(checked.judged.insert(plugin.name().to_owned(), plugin)),
            Ok(None) => drop(checked.not_judged.insert(target.plugin.value.clone())),
            Err(cause) => {
                checked.not_judged.insert(target.plugin.value.clone());
                let error = TargetError::new(&target.name, "check", cause);
                checked.errors.push(error);
            }
        }
    }
    let not_judged = &checked.not_judged;
    checked.judged.retain(|name, _| !not_judged.contains(name));
    checked.findings = in_report_order(checked.findings);
    checked
}

/// The plugin, if it has looked at all that bears on the target.
fn judge(
    context: &Context<'_>,
    target: &Target,
    soundness: Soundness,
    secrets: &RunSecrets,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<Plugin>, Cause> {
    let Some(plugin) = declared::plugin(context, target, findings)? else {
        return Ok(None);
    };
    let missing = settings::missing_files(context, target, &plugin);
    if !missing.is_empty() {
        findings.extend(missing);
        return Ok(None);
    }
    let scope = Scope::of(context.topology, target);
    // One that nothing names has no part of the topology to look at.
    if soundness == Soundness::InParts || scope.is_empty() {
        return Ok(None);
    }
    match wanted(context, target, &scope, &plugin, secrets, findings) {
        Ok(resources) => Ok(resources.map(|_| plugin)),
        // The site's own templates stand in for the plugin's: a fault in them is the topology's.
        Err(Cause::Render(error)) if target.templates.is_some() => {
            findings.push(bad_template(target, &error));
            Ok(None)
        }
        // The schema lets some values pass that the plugin cannot use.
        Err(Cause::Plugin(error)) => match error.problem() {
            Problem::Failure { message, help, .. } => {
                let finding = bad_value(target, target.name.span, message, help.clone());
                findings.push(finding);
                Ok(None)
            }
            _ => Err(Cause::Plugin(error)),
        },
        Err(cause) => Err(cause),
    }
}

/// What the topology wants of a target, as its plugin says; none where the topology cannot be put to the plugin.
pub(crate) fn wanted(
    context: &Context<'_>,
    target: &Target,
    scope: &Scope<'_>,
    plugin: &Plugin,
    secrets: &RunSecrets,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<Vec<Resource>>, Cause> {
    let contract = |problem: String| Cause::Contract {
        plugin: plugin.name().to_owned(),
        export: "desired",
        problem,
    };
    let view = match scope.view(secrets) {
        Ok(view) => view,
        Err(faults) => {
            findings.extend(faults);
            return Ok(None);
        }
    };
    let templates = templates(context, target, plugin)?;
    let told = described(context, target, plugin, Vec::new());
    let mut session = plugin.start()?;
    let found = session.check(&view, &told)?;
    let refused = found
        .iter()
        .any(|finding| finding.severity == switchover_plugin_host::wit::Severity::Error);
    findings.extend(
        found
            .into_iter()
            .map(|finding| located(context, target, finding)),
    );
    // What the plugin refuses it need not be able to render.
    if refused {
        return Ok(None);
    }
    let desired = session.desired(&view, &told)?;
    let resources = convert::desired(desired, &templates).map_err(|error| match error {
        convert::ConvertError::Render(error) => Cause::Render(error),
        other => contract(other.to_string()),
    })?;
    // What contradicts itself is found here, where it can be told whose it is.
    diff::compare(&resources, &[], &BTreeMap::new(), &BTreeSet::new())
        .map_err(|error| contract(error.to_string()))?;
    Ok(Some(resources))
}

fn bad_template(target: &Target, error: &RenderError) -> Diagnostic {
    let source = std::error::Error::source(error);
    let cause = source.map_or_else(String::new, |source| format!(": {source}"));
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    let place = target.templates.as_ref().map(|folder| folder.span);
    let place = place.unwrap_or(target.name.span);
    bad_value(target, place, &format!("failed to {error}{cause}"), help)
}

fn bad_value(target: &Target, place: Span, message: &str, help: Option<String>) -> Diagnostic {
    settings::finding(target, ("SW003", "bad-value"), place, message, help)
}
