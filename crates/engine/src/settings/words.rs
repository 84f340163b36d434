//! What a target of a plugin may say, and what somebody probably meant who wrote something else.

use serde_json::Value;
use switchover_plugin_host::settings::{self, Values, written};
use switchover_plugin_host::wit::{Manifest, Reach};
use switchover_topology::model::Setting;
use switchover_topology::nearest;

use crate::{dns, files};

/// What people call things elsewhere, and what they are called here.
const SYNONYMS: [(&[&str], &str); 4] = [
    (
        &[
            "url", "uri", "address", "host", "hostname", "base-url", "api",
        ],
        "endpoint",
    ),
    (
        &[
            "folder",
            "path",
            "dir",
            "directory",
            "destination",
            "location",
        ],
        "root",
    ),
    (
        &[
            "username",
            "user",
            "password",
            "token",
            "credentials",
            "login",
            "api-key",
        ],
        "auth",
    ),
    (
        &["host", "address", "nameserver", "master", "primary"],
        "server",
    ),
];

/// What is said of a value where the schema's words are not known here.
const UNFIT: &str = "must be as the plugin's schema says";

/// The settings that a target of a plugin may have: how its server is reached, then the plugin's own. Commands are in
/// the manifest.
#[must_use]
pub fn of_target(manifest: &Manifest) -> Vec<settings::Setting> {
    let setting = |name: &str, required, values, meaning: &str| settings::Setting {
        name: name.to_owned(),
        values: Values::Described(values),
        several: false,
        default: None,
        required,
        meaning: meaning.to_owned(),
    };
    let reaches = |reach| manifest.reach.contains(&reach);
    let mut found = Vec::new();
    if reaches(Reach::Http) {
        let auth = "\"bearer\" token=SECRET, \"basic\" user=\"NAME\" password=SECRET, or \"s2s\" app-id=\"ID\" \
                    app-name=\"NAME\" secret=SECRET";
        found.extend([
            setting(
                "endpoint",
                true,
                "a URL",
                "URL below which the server takes requests",
            ),
            setting(
                "auth",
                false,
                auth,
                "credentials for the endpoint; a SECRET is written `(secret)\"env:NAME\"`",
            ),
            setting(
                "ca",
                false,
                "a path",
                "PEM file of certificates to trust at the endpoint, beside those of the system",
            ),
        ]);
    }
    if reaches(Reach::Files) {
        found.push(setting(
            "root",
            true,
            "a folder, or ssh://USER@HOST/FOLDER",
            "folder in which files are written; a relative path starts at the topology's folder",
        ));
    }
    if reaches(Reach::Dns) {
        found.extend([
            setting(
                dns::SERVER,
                true,
                "ADDRESS or ADDRESS:PORT",
                "DNS server that takes updates and transfers",
            ),
            setting(
                dns::TSIG,
                false,
                "\"NAME\" algorithm=\"hmac-sha256\" secret=SECRET",
                "key that signs updates and transfers; a SECRET is written `(secret)\"env:NAME\"`",
            ),
        ]);
    }
    if reaches(Reach::Files) {
        found.push(settings::Setting {
            default: Some(Value::from("0640")),
            ..setting(
                files::SECRET_MODE,
                false,
                "permissions in octal digits",
                "permissions of a new file that holds a secret",
            )
        });
    }
    if !manifest.templates.is_empty() {
        found.push(setting(
            "templates",
            false,
            "a folder",
            "folder of templates that replace the plugin's own of the same name",
        ));
    }
    found.extend(settings::settings(&manifest.settings_schema));
    found
}

/// Everything that a target of a plugin may say.
#[derive(Debug)]
pub(super) struct Words {
    /// Names of settings, the engine's and the plugin's.
    names: Vec<String>,
    /// The plugin's own.
    pub(super) settings: Vec<settings::Setting>,
}

impl Words {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let mut names: Vec<String> = of_target(manifest)
            .into_iter()
            .map(|setting| setting.name)
            .collect();
        if !manifest.commands.is_empty() {
            names.push("command".to_owned());
        }
        Self {
            names,
            settings: settings::settings(&manifest.settings_schema),
        }
    }

    /// Whether a target of the plugin may say this.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// A setting of the plugin's own.
    pub(super) fn setting(&self, name: &str) -> Option<&settings::Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// What an unknown setting was probably meant to be.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        const EVERYWHERE: [&str; 4] = ["acknowledge", "description", "known-drift", "large-change"];
        let folded = name.to_lowercase().replace('_', "-");
        let synonym = SYNONYMS
            .iter()
            .find(|(others, here)| others.contains(&folded.as_str()) && self.takes(here))
            .map(|(_, here)| *here);
        let known = self.names.iter().map(String::as_str).chain(EVERYWHERE);
        synonym.or_else(|| nearest(&folded, known))
    }

    /// The same in words, and what there is.
    pub(super) fn meant(&self, name: &str, manifest: &Manifest) -> String {
        let names = self.names.join("`, `");
        let plugin = &manifest.name;
        let known = format!(
            "target of `{plugin}` takes `{names}`; `switchover plugin inspect {plugin}` describes them"
        );
        match self.nearest(name) {
            Some(meant) => format!("did you mean `{meant}`? A {known}"),
            None => format!("a {known}"),
        }
    }

    /// How the plugin reaches its server, for somebody who declared another way.
    pub(super) fn reached(&self, manifest: &Manifest) -> String {
        let names = self.names.join("`, `");
        format!("remove it: a target of `{}` takes `{names}`", manifest.name)
    }

    /// What an unknown command was probably meant to be, and which there are.
    pub(super) fn command_meant(&self, name: &str, manifest: &Manifest) -> String {
        let names = || {
            manifest
                .commands
                .iter()
                .map(|command| command.name.as_str())
        };
        let described: Vec<String> = manifest
            .commands
            .iter()
            .map(|command| format!("`{}`: {}", command.name, command.summary))
            .collect();
        if described.is_empty() {
            return format!("remove it: `{}` runs no commands", manifest.name);
        }
        let meant = nearest(name, names());
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean `{meant}`? "));
        format!(
            "{meant}Commands of `{}`: {}",
            manifest.name,
            described.join("; ")
        )
    }
}

/// What is wrong with the value of a setting, and what to write instead.
pub(super) fn ill_typed(
    described: &settings::Setting,
    setting: &Setting,
    problem: &str,
) -> (String, Option<String>) {
    let (name, values) = (&described.name, &described.values);
    let several = if described.several {
        ", once or more"
    } else {
        ""
    };
    let meaning = || format!("`{name}`: {}", described.meaning);
    // A secret is shown as its source, never as its value.
    let found = shown(&setting.value);
    if matches!(values, Values::Other | Values::Described(_))
        || is_right_type(values, &setting.value)
    {
        // The type is right, so the schema says more than its words: a pattern, a length.
        return (format!("`{name}` {problem}, not {found}"), Some(meaning()));
    }
    let message = format!("`{name}` must be {values}{several}, not {found}");
    (
        message,
        Some(corrected(described, &setting.value).unwrap_or_else(meaning)),
    )
}

/// What a schema asks for, in words that follow the name of the setting.
pub(super) fn objection(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Fault;
    match error.kind() {
        Fault::Pattern { pattern } => format!("must match `{pattern}`"),
        Fault::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Fault::MinLength { limit } => format!("must have at least {limit} characters"),
        Fault::MaxLength { limit } => format!("must have at most {limit} characters"),
        Fault::MinItems { limit } => format!("needs at least {limit} values"),
        Fault::MaxItems { limit } => format!("takes at most {limit} values"),
        // Of one value or a list of it, what the one value lacks says more.
        Fault::OneOfNotValid { context } | Fault::AnyOf { context } => {
            let mut causes = context.iter().flatten();
            let telling = causes.find(|cause| !matches!(cause.kind(), Fault::Type { .. }));
            telling.map_or_else(|| UNFIT.to_owned(), objection)
        }
        _ => UNFIT.to_owned(),
    }
}

/// The value as it was probably meant, ready to be copied.
fn corrected(described: &settings::Setting, value: &Value) -> Option<String> {
    let name = &described.name;
    match (&described.values, value) {
        (Values::Choice(words), Value::String(text)) => {
            let known = words.iter().filter_map(Value::as_str);
            nearest(text, known).map(|word| format!("did you mean `{name} \"{word}\"`?"))
        }
        (Values::Boolean, Value::String(text)) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(format!("write `{name} #true`")),
            "false" | "no" | "off" | "0" => Some(format!("write `{name} #false`")),
            _ => None,
        },
        (Values::Number { .. }, Value::String(text)) => {
            let number: serde_json::Number = text.trim().parse().ok()?;
            Some(format!("write `{name} {number}`, without quotes"))
        }
        (Values::Text, Value::Number(_) | Value::Bool(_)) => {
            Some(format!("write `{name} \"{value}\"`, in quotes"))
        }
        _ => None,
    }
}

fn is_right_type(values: &Values, value: &Value) -> bool {
    match values {
        Values::Choice(words) => words.contains(value),
        Values::Text => value.is_string(),
        Values::Boolean => value.is_boolean(),
        Values::Number { .. } | Values::Described(_) | Values::Other => false,
    }
}

/// A value as it is written, cut where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = written(value);
    let visible: String = text.chars().filter(|letter| !letter.is_control()).collect();
    match visible.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &visible[..end]),
        None => visible,
    }
}
