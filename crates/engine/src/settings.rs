//! What a target declares to its plugin – settings, how its server is reached, commands – checked against the manifest.

mod words;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use switchover_plugin_host::Plugin;
use switchover_plugin_host::settings::Values;
use switchover_plugin_host::wit::{Manifest, Reach};
use switchover_topology::model::{Kind, Setting, Target};
use switchover_topology::{Diagnostic, Severity, Span, nearest};

use crate::context::Context;
use crate::dns::Objection;
use crate::{dns, files};

use words::Words;

pub use words::of_target as settings_of_target;

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
    let engines = engines(manifest);
    target
        .settings
        .iter()
        .filter(move |(name, _)| !engines.contains(&name.as_str()))
}

/// Settings of a target that are the engine's, and no plugin's.
fn engines(manifest: &Manifest) -> Vec<&'static str> {
    let mut names = Vec::new();
    if manifest.reach.contains(&Reach::Dns) {
        names.extend(dns::SETTINGS);
    }
    if manifest.reach.contains(&Reach::Files) {
        names.extend(files::SETTINGS);
    }
    names
}

/// A manifest whose schema cannot be used: the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the schema of its settings does not hold: {0}")]
pub(crate) struct SchemaError(String);

/// The schema of a plugin's settings, ready to be used. To make it takes longer than everything else about the settings.
#[derive(Debug)]
pub(crate) struct Schema(Result<(jsonschema::Validator, Words), String>);

impl Schema {
    fn of(manifest: &Manifest) -> Self {
        let schema = serde_json::from_str::<Value>(&manifest.settings_schema);
        let schema = schema.map_err(|error| error.to_string());
        let validator = |schema| jsonschema::validator_for(&schema);
        let validator =
            schema.and_then(|schema| validator(schema).map_err(|error| error.to_string()));
        Self(validator.map(|validator| (validator, Words::of(manifest))))
    }
}

/// Everything in the declaration that the manifest does not allow, at the place where it is written; at the target's
/// name where something is missing.
pub(crate) fn check(
    context: &Context<'_>,
    target: &Target,
    plugin: &Plugin,
) -> Result<Vec<Diagnostic>, SchemaError> {
    let manifest = plugin.manifest();
    let prepared = context.prepared(plugin);
    let schema = prepared.settings.get_or_init(|| Schema::of(manifest));
    let (validator, words) = schema
        .0
        .as_ref()
        .map_err(|problem| SchemaError(problem.clone()))?;
    let mut findings = useless(target, manifest, words);
    // What was refused while reading is not missing.
    let whole = !context.topology.incomplete.contains(&Kind::Target);
    if whole {
        findings.extend(missing(target, manifest, words));
    }
    findings.extend(by_schema(target, manifest, validator, words));
    findings.extend(secrets(target, manifest, words));
    if manifest.reach.contains(&Reach::Files) {
        findings.extend(objections(target, files::check(target)));
    }
    if manifest.reach.contains(&Reach::Dns) {
        findings.extend(objections(target, dns::check(target)));
    }
    findings.extend(commands(target, manifest, words));
    Ok(findings)
}

/// Nodes of the language that this plugin has no use for.
fn useless(target: &Target, manifest: &Manifest, words: &Words) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let declared = [
        ("endpoint", target.endpoint.as_ref().map(|url| url.span)),
        ("auth", target.auth.as_ref().map(|auth| auth.secret().span)),
        ("ca", target.ca.as_ref().map(|path| path.span)),
        ("root", target.root.as_ref().map(|root| root.span)),
        (
            "templates",
            target.templates.as_ref().map(|folder| folder.span),
        ),
    ];
    for (name, place) in declared {
        if let Some(place) = place.filter(|_| !words.takes(name)) {
            let message = format!("plugin `{}` does not use `{name}`", manifest.name);
            let finding = unknown(target, place, &message);
            findings.push(Diagnostic {
                help: Some(words.reached(manifest)),
                ..finding
            });
        }
    }
    findings
}

/// What the target has to say and does not: how its server is reached, commands and settings without which nothing works.
fn missing(target: &Target, manifest: &Manifest, words: &Words) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let meant: Vec<&str> = target
        .settings
        .keys()
        .filter(|name| !words.takes(name))
        .filter_map(|name| words.nearest(name))
        .collect();
    let mut needs = |name: &str, what: String, add: String| {
        // One that is there under a wrong name is reported as that.
        if meant.contains(&name) {
            return;
        }
        let message = format!("has no {what}, and plugin `{}` needs it", manifest.name);
        let finding = bad(target, target.name.span, "", Some(add));
        findings.push(Diagnostic {
            message: format!("target `{}` {message}", target.name.value),
            ..finding
        });
    };
    if manifest.reach.contains(&Reach::Http) && target.endpoint.is_none() {
        let add = "add the URL below which the server takes requests: `endpoint \"http://10.20.30.5:8000/\"`";
        needs("endpoint", "`endpoint`".to_owned(), add.to_owned());
    }
    if manifest.reach.contains(&Reach::Files) && target.root.is_none() {
        let add = "add the folder in which the plugin writes: `root \"out\"`, or `root \"ssh://USER@HOST/FOLDER\"`";
        needs("root", "`root`".to_owned(), add.to_owned());
    }
    if manifest.reach.contains(&Reach::Dns) && !target.settings.contains_key(dns::SERVER) {
        let add = "add the server that takes the updates: `server \"10.20.0.53:53\"`";
        needs("server", "`server`".to_owned(), add.to_owned());
    }
    let declared = |name: &str| {
        let mut commands = target.commands.iter();
        commands.any(|command| command.name.value == name)
    };
    for command in &manifest.commands {
        if command.required && !declared(&command.name) {
            let (name, summary) = (&command.name, &command.summary);
            let add = format!("add `command \"{name}\" \"PROGRAM\" \"ARGUMENT\"`: {summary}");
            needs("command", format!("command `{name}`"), add);
        }
    }
    for setting in words.settings.iter().filter(|setting| setting.required) {
        if !target.settings.contains_key(&setting.name) {
            let add = format!("add `{}`: {}", setting.example(), setting.meaning);
            needs(&setting.name, format!("`{}`", setting.name), add);
        }
    }
    findings
}

/// What the plugin's schema objects to: one finding a setting.
fn by_schema(
    target: &Target,
    manifest: &Manifest,
    validator: &jsonschema::Validator,
    words: &Words,
) -> Vec<Diagnostic> {
    use jsonschema::error::ValidationErrorKind as Fault;
    let settings = object(target, manifest);
    let mut findings = Vec::new();
    let mut ill_typed: BTreeMap<String, String> = BTreeMap::new();
    for error in validator.iter_errors(&settings) {
        let path = error.instance_path().to_string();
        match (error.kind(), path.split('/').nth(1)) {
            (
                Fault::AdditionalProperties { unexpected }
                | Fault::UnevaluatedProperties { unexpected },
                None,
            ) => {
                for name in unexpected {
                    let place = target.settings.get(name).map(|setting| setting.name);
                    let message = format!("plugin `{}` has no setting `{name}`", manifest.name);
                    let finding = unknown(target, place.unwrap_or(target.name.span), &message);
                    findings.push(Diagnostic {
                        help: Some(words.meant(name, manifest)),
                        ..finding
                    });
                }
            }
            // Said as what is missing.
            (Fault::Required { .. }, None) => {}
            (_, setting) => {
                let setting = setting
                    .unwrap_or_default()
                    .replace("~1", "/")
                    .replace("~0", "~");
                ill_typed
                    .entry(setting)
                    .or_insert_with(|| words::objection(&error));
            }
        }
    }
    // In JSON Schema 1000.0 is a whole number, and plugins read none with a point.
    for described in &words.settings {
        let written = target.settings.get(&described.name);
        let whole = matches!(described.values, Values::Number { whole: true, .. });
        if whole && written.is_some_and(|setting| setting.value.is_f64()) {
            ill_typed.entry(described.name.clone()).or_default();
        }
    }
    for (name, problem) in ill_typed {
        let written = target.settings.get(&name);
        // Reported as a secret.
        if written.is_some_and(|setting| !setting.secrets.is_empty()) {
            continue;
        }
        let place = written.map_or(target.name.span, |setting| setting.span);
        let described = words.setting(&name).zip(written);
        let (message, help) = match described {
            Some((described, written)) => words::ill_typed(described, written, &problem),
            None => (problem, None),
        };
        findings.push(bad(target, place, &message, help));
    }
    findings
}

/// A setting crosses as it is written: a plugin would take the name of the secret for the secret.
fn secrets(target: &Target, manifest: &Manifest, words: &Words) -> Vec<Diagnostic> {
    // One that is unknown is reported as that.
    let known = own(target, manifest).filter(|(name, _)| words.takes(name));
    let secret = known.filter(|(_, setting)| !setting.secrets.is_empty());
    secret
        .map(|(name, setting)| {
            let message = format!("`{name}` cannot be a secret");
            let help = "secrets of a target stand in its `auth` or `tsig`".to_owned();
            bad(target, setting.span, &message, Some(help))
        })
        .collect()
}

fn objections(target: &Target, objections: Vec<Objection<'_>>) -> Vec<Diagnostic> {
    let finding =
        |objection: Objection<'_>| bad(target, objection.setting.span, &objection.message, None);
    objections.into_iter().map(finding).collect()
}

/// Files beside the topology that the target names and that are not there.
pub(crate) fn missing_files(
    context: &Context<'_>,
    target: &Target,
    plugin: &Plugin,
) -> Vec<Diagnostic> {
    let manifest = plugin.manifest();
    let mut findings = Vec::new();
    let ca = target
        .ca
        .as_ref()
        .filter(|_| manifest.reach.contains(&Reach::Http));
    let opened = ca.map(|ca| (ca, std::fs::File::open(context.root.join(ca.as_str()))));
    if let Some((ca, Err(error))) = opened {
        let message = format!("`ca` names `{}`, which cannot be read: {error}", ca.value);
        let help = "name a PEM file; a relative path starts at the topology's folder";
        findings.push(bad(target, ca.span, &message, Some(help.to_owned())));
    }
    let folder = target.templates.as_ref();
    if let Some(folder) = folder.filter(|_| !manifest.templates.is_empty()) {
        let own = || {
            manifest
                .templates
                .iter()
                .map(|template| template.name.as_str())
        };
        let names = || own().collect::<Vec<_>>().join("`, `");
        match std::fs::read_dir(context.root.join(folder.as_str())) {
            Err(error) => {
                let message = format!(
                    "`templates` names `{}`, which cannot be read: {error}",
                    folder.value
                );
                let help = format!(
                    "name a folder with one of `{}`; a relative path starts at the topology's folder",
                    names()
                );
                findings.push(bad(target, folder.span, &message, Some(help)));
            }
            // Other files may lie there; one whose name is nearly right would be passed over.
            Ok(entries) => {
                let mut files: Vec<String> = entries
                    .flatten()
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect();
                files.sort();
                for file in files.iter().filter(|file| own().all(|name| name != *file)) {
                    if let Some(meant) = nearest(file, own()) {
                        let message = format!(
                            "`{}/{file}` replaces no template of plugin `{}`",
                            folder.value, manifest.name
                        );
                        let help = format!("did you mean `{meant}`? Templates: `{}`", names());
                        let finding = unknown(target, folder.span, &message);
                        findings.push(Diagnostic {
                            help: Some(help),
                            ..finding
                        });
                    }
                }
            }
        }
    }
    findings
}

/// A command that no plugin asks for would never run, and nobody would know why.
fn commands(target: &Target, manifest: &Manifest, words: &Words) -> Vec<Diagnostic> {
    let asked = |name: &str| {
        let mut commands = manifest.commands.iter();
        commands.any(|command| command.name == name)
    };
    let mut findings = Vec::new();
    for command in &target.commands {
        if !asked(&command.name) {
            let (plugin, name) = (&manifest.name, &command.name.value);
            let message = format!("plugin `{plugin}` never asks for a command `{name}`");
            let finding = unknown(target, command.name.span, &message);
            findings.push(Diagnostic {
                help: Some(words.command_meant(name, manifest)),
                ..finding
            });
        }
    }
    findings
}

fn unknown(target: &Target, place: Span, message: &str) -> Diagnostic {
    finding(target, ("SW002", "unknown-name"), place, message, None)
}

fn bad(target: &Target, place: Span, message: &str, help: Option<String>) -> Diagnostic {
    let inspect = || {
        format!(
            "`switchover plugin inspect {}` lists what a target may say",
            target.plugin.value
        )
    };
    let help = Some(help.unwrap_or_else(inspect));
    finding(target, ("SW003", "bad-value"), place, message, help)
}

/// An error in the declaration of a target.
pub(crate) fn finding(
    target: &Target,
    (code, name): (&str, &str),
    place: Span,
    message: &str,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic {
        code: code.to_owned(),
        name: name.to_owned(),
        severity: Severity::Error,
        message: format!("target `{}`: {message}", target.name.value),
        help,
        span: Some(place),
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}
