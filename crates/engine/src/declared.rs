//! Targets as the topology declares them, each with its plugin: what is wrong with a declaration is found here, before a
//! secret is resolved and before a server is asked.

use switchover_plugin_host::Plugin;
use switchover_topology::model::Target;
use switchover_topology::{Diagnostic, Severity, nearest};

use crate::context::Context;
use crate::error::{Cause, PlanError};
use crate::planner::{failed, refuse_errors, scopes};
use crate::settings;
use crate::view::Scope;

/// A target whose declaration holds.
pub(crate) struct Declared<'a> {
    pub(crate) target: &'a Target,
    pub(crate) scope: Scope<'a>,
    pub(crate) plugin: Plugin,
}

/// The targets that are asked for and that something in the topology names.
///
/// # Errors
/// Where a declaration does not hold, or a plugin cannot be loaded; all targets are looked at before that is said.
pub(crate) fn all<'a>(
    context: &Context<'a>,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<Declared<'a>>, PlanError> {
    let scopes = scopes(context);
    let of = scopes.len();
    let mut declared = Vec::with_capacity(of);
    let mut errors = Vec::new();
    for (target, scope) in scopes {
        match plugin(context, target, findings) {
            Ok(Some(plugin)) => declared.push(Declared {
                target,
                scope,
                plugin,
            }),
            Ok(None) => {}
            Err(cause) => errors.push(failed(target, cause)),
        }
    }
    refuse_errors(findings)?;
    if errors.is_empty() {
        Ok(declared)
    } else {
        Err(PlanError::Targets { errors, of })
    }
}

/// The plugin of a target. What is wrong with the declaration is added to the findings, and there is no plugin then.
pub(crate) fn plugin(
    context: &Context<'_>,
    target: &Target,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<Plugin>, Cause> {
    let plugin = match context.plugin(target) {
        Ok(plugin) => plugin,
        Err(Cause::NoPlugin { known, .. }) => {
            findings.push(unknown_plugin(target, &known));
            return Ok(None);
        }
        Err(cause) => return Err(cause),
    };
    let objections =
        settings::check(context, target, &plugin).map_err(|error| Cause::Contract {
            plugin: plugin.name().to_owned(),
            export: "describe",
            problem: error.to_string(),
        })?;
    let holds = objections.is_empty();
    findings.extend(objections);
    Ok(holds.then_some(plugin))
}

fn unknown_plugin(target: &Target, known: &[String]) -> Diagnostic {
    let written = &target.plugin;
    let list = known.join("`, `");
    let help = match nearest(written, known.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`? Plugins: `{list}`"),
        None => format!("plugins: `{list}`"),
    };
    Diagnostic {
        code: "SW005".to_owned(),
        name: "unresolved-reference".to_owned(),
        severity: Severity::Error,
        message: format!("no plugin is called `{}`", written.value),
        help: Some(help),
        span: Some(written.span),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}
