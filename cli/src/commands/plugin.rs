//! `switchover plugin`

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::{PluginSet, settings_of_target};
use switchover_plugin_host::lock::Pin;
use switchover_plugin_host::{Host, Lock, Plugin};

use crate::arguments::TopologyArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::plugin as render;
use crate::terminal::Terminal;
use crate::{file, session, topology_file};

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the plugins.
    List(ListArguments),
    /// Show what a plugin manages, and what it may ask for.
    Inspect(InspectArguments),
    /// Pin the plugins that a topology uses in `switchover.lock` beside it.
    Lock(LockArguments),
}

/// `plugin list`
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How the list is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `plugin inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A plugin, by the name that a target gives it.
    #[arg(value_name = "NAME")]
    name: String,
    /// How the plugin is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the JSON Schema of the plugin's own settings, and nothing else.
    #[arg(long, conflicts_with = "format")]
    schema: bool,
}

/// `plugin lock`
#[derive(Debug, Args)]
pub(crate) struct LockArguments {
    #[command(flatten)]
    topology: TopologyArgument,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum PluginError {
    #[error("there is no plugin `{name}`")]
    #[diagnostic(code(switchover::plugin::unknown), help("known are: {known}"))]
    Unknown { name: String, known: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(switchover_plugin_host::PluginError),
    #[error("failed to write `{}`", path.display())]
    #[diagnostic(
        code(switchover::lock::write),
        help("the folder of the topology must be writable")
    )]
    WriteLock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Runs one of the commands.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Command::List(arguments) => list(&arguments, terminal),
        Command::Inspect(arguments) => inspect(&arguments, terminal),
        Command::Lock(arguments) => lock(&arguments, terminal),
    }
}

/// The plugin of this name, loaded.
pub(crate) fn load(host: &Host, plugins: &PluginSet, name: &str) -> Result<Plugin, Failure> {
    let Some(source) = plugins.get(name) else {
        let known = plugins.names().collect::<Vec<_>>().join(", ");
        return Err(Failure::new(
            Exit::Failed,
            PluginError::Unknown {
                name: name.to_owned(),
                known,
            },
        ));
    };
    host.load(name, source)
        .map_err(|error| Failure::new(Exit::Failed, PluginError::Load(error)))
}

/// Every plugin that comes with the command, loaded.
pub(crate) fn all() -> Result<Vec<Plugin>, Failure> {
    let host = session::host()?;
    let plugins = session::bundled();
    plugins
        .names()
        .map(|name| load(&host, &plugins, name))
        .collect()
}

#[derive(Serialize)]
struct Listing<'a> {
    format_version: &'static str,
    plugins: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    version: &'a str,
    sha256: String,
    summary: &'a str,
}

fn list(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let plugins = all()?;
    let text = match arguments.format {
        Format::Human => render::list(&plugins),
        Format::Json => {
            let listed = plugins.iter().map(|plugin| Listed {
                name: plugin.name(),
                version: plugin.version(),
                sha256: plugin.digest().to_string(),
                summary: &plugin.manifest().summary,
            });
            let listing = Listing {
                format_version: "1.0",
                plugins: listed.collect(),
            };
            serde_json::to_string_pretty(&listing).map_err(Failure::json)? + "\n"
        }
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Inspected<'a> {
    format_version: &'static str,
    sha256: String,
    settings: Vec<InspectedSetting>,
    #[serde(flatten)]
    manifest: &'a switchover_plugin_host::wit::Manifest,
}

/// What a target may say, how its server is reached among it.
#[derive(Serialize)]
struct InspectedSetting {
    name: String,
    values: String,
    several: bool,
    default: Option<serde_json::Value>,
    required: bool,
    meaning: String,
}

fn inspect(arguments: &InspectArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let plugin = load(&session::host()?, &session::bundled(), &arguments.name)?;
    let text = match arguments.format {
        Format::Human if arguments.schema => pretty_schema(&plugin).map_err(Failure::json)?,
        Format::Human => {
            let page = render::page(&plugin, 1) + &render::findings(&plugin, 2);
            let page = crate::render::markdown::render(&page, terminal.out);
            page + &render::settings_lines(&plugin, terminal.out)
        }
        Format::Json => {
            let inspected = Inspected {
                format_version: "1.0",
                sha256: plugin.digest().to_string(),
                settings: settings_of_target(plugin.manifest())
                    .into_iter()
                    .map(|setting| InspectedSetting {
                        values: setting.values.to_string(),
                        name: setting.name,
                        several: setting.several,
                        default: setting.default,
                        required: setting.required,
                        meaning: setting.meaning,
                    })
                    .collect(),
                manifest: plugin.manifest(),
            };
            serde_json::to_string_pretty(&inspected).map_err(Failure::json)? + "\n"
        }
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}

/// The schema, indented. The host has checked that it is JSON.
fn pretty_schema(plugin: &Plugin) -> Result<String, serde_json::Error> {
    let schema: serde_json::Value = serde_json::from_str(&plugin.manifest().settings_schema)?;
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// Pins what is used and nothing else, and tells how that differs from what was pinned before.
fn lock(arguments: &LockArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = topology_file::read(&arguments.topology.file)?;
    if crate::report::Tally::of(&loaded.diagnostics).errors > 0 {
        crate::report::tell(&loaded.diagnostics, &loaded.sources, terminal);
        return Ok(Exit::Findings);
    }
    let used: BTreeSet<&str> = loaded
        .topology
        .targets
        .iter()
        .map(|target| target.plugin.as_str())
        .collect();
    let (host, plugins) = (session::host()?, session::bundled());
    let loaded_plugins: Vec<Plugin> = used
        .iter()
        .map(|name| load(&host, &plugins, name))
        .collect::<Result<_, _>>()?;
    let lock = Lock::of(&loaded_plugins);
    let path = session::lock_path(&loaded);
    // A lock that cannot be read is replaced: that is what its errors advise.
    let before = session::read_lock(&path).ok().flatten().unwrap_or_default();
    for line in differences(&before, &lock) {
        terminal.say(line);
    }
    if before != lock || !path.exists() {
        file::replace(&path, &lock.render(), file::Access::Everybody).map_err(|source| {
            Failure::new(
                Exit::Failed,
                PluginError::WriteLock {
                    path: path.clone(),
                    source,
                },
            )
        })?;
    }
    terminal.say(format_args!(
        "{} plugins pinned in {}",
        loaded_plugins.len(),
        path.display()
    ));
    Ok(Exit::Done)
}

fn differences(before: &Lock, after: &Lock) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, pin) in after.iter() {
        match before.get(name).map(|pinned: &Pin| pinned.differences(pin)) {
            None => lines.push(format!("{name}: new, {}", pin.version)),
            Some(differences) => lines.extend(
                differences
                    .iter()
                    .map(|difference| format!("{name}: {difference}")),
            ),
        }
    }
    let gone = before.iter().filter(|(name, _)| after.get(name).is_none());
    lines.extend(gone.map(|(name, _)| format!("{name}: no longer used")));
    lines
}
