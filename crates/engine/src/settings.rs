//! A plugin's own settings of a target, checked by the schema in its manifest.

use serde_json::{Map, Value};
use switchover_plugin_host::Plugin;
use switchover_plugin_host::wit::{Manifest, Reach};
use switchover_topology::model::{Setting, Target};
use switchover_topology::{Diagnostic, Severity};

use crate::context::Context;
use crate::{dns, files};

/// The plugin's own settings as one JSON object.
pub(crate) fn object(target: &Target, manifest: &Manifest) -> Value {
    let members =
        own(target, manifest).map(|(name, setting)| (name.clone(), setting.value.clone()));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Without those that say how the engine reaches the server.
fn own<'a>(
    target: &'a Target,
    manifest: &Manifest,
) -> impl Iterator<Item = (&'a String, &'a Setting)> {
    let reaches_dns = manifest.reach.contains(&Reach::Dns);
    let reaches_files = manifest.reach.contains(&Reach::Files);
    let engines = move |name: &str| {
        reaches_dns && dns::SETTINGS.contains(&name)
            || reaches_files && files::SETTINGS.contains(&name)
    };
    target
        .settings
        .iter()
        .filter(move |(name, _)| !engines(name))
}

/// A manifest whose schema cannot be used: the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the schema of its settings does not hold: {0}")]
pub(crate) struct SchemaError(String);

/// The schema of a plugin's settings, ready to be used. To make it takes longer than everything else about the settings.
#[derive(Debug)]
pub(crate) struct Schema(Result<jsonschema::Validator, String>);

impl Schema {
    fn of(manifest: &Manifest) -> Self {
        let schema = serde_json::from_str::<Value>(&manifest.settings_schema);
        let schema = schema.map_err(|error| error.to_string());
        let validator = |schema| jsonschema::validator_for(&schema);
        Self(schema.and_then(|schema| validator(schema).map_err(|error| error.to_string())))
    }
}

/// What the schema objects to, at the place of the setting, or of the target where a setting is missing.
pub(crate) fn check(
    context: &Context<'_>,
    target: &Target,
    plugin: &Plugin,
) -> Result<Vec<Diagnostic>, SchemaError> {
    let manifest = plugin.manifest();
    let prepared = context.prepared(plugin);
    let schema = prepared.settings.get_or_init(|| Schema::of(manifest));
    let validator = schema
        .0
        .as_ref()
        .map_err(|problem| SchemaError(problem.clone()))?;
    let settings = object(target, manifest);
    let objection = |error: jsonschema::ValidationError<'_>| {
        let path = error.instance_path().to_string();
        let setting = path
            .split('/')
            .nth(1)
            .and_then(|name| target.settings.get(name));
        finding(target, setting, &error.to_string())
    };
    let mut findings: Vec<Diagnostic> = validator.iter_errors(&settings).map(objection).collect();
    // A setting crosses as it is written: a plugin would take the name of the secret for the secret.
    for (name, setting) in own(target, manifest) {
        if !setting.secrets.is_empty() {
            let message = format!(
                "`{name}` cannot be a secret: secrets of a target stand in its `auth` or `tsig`"
            );
            findings.push(finding(target, Some(setting), &message));
        }
    }
    if manifest.reach.contains(&Reach::Files) {
        let objections = files::check(target).into_iter();
        findings.extend(
            objections.map(|objection| finding(target, objection.setting, &objection.message)),
        );
    }
    if manifest.reach.contains(&Reach::Dns) {
        let objections = dns::check(target).into_iter();
        findings.extend(
            objections.map(|objection| finding(target, objection.setting, &objection.message)),
        );
    }
    Ok(findings)
}

fn finding(target: &Target, setting: Option<&Setting>, message: &str) -> Diagnostic {
    Diagnostic {
        code: "SW003".to_owned(),
        name: "bad-value".to_owned(),
        severity: Severity::Error,
        message: format!("target `{}`: {message}", target.name.value),
        help: Some(format!(
            "`switchover plugin inspect {}` shows the settings that the plugin knows",
            target.plugin.value
        )),
        span: Some(setting.map_or(target.name.span, |setting| setting.span)),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}
