//! What a run works with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use switchover_effects::Trace;
use switchover_plugin_host::{Host, Lock, Plugin, PluginError, Source};
use switchover_topology::model::Target;
use switchover_topology::{Span, Topology};

use crate::error::Cause;
use crate::event::OnEvent;
use crate::render::Templates;
use crate::secrets::SecretCommands;
use crate::selection::Selection;
use crate::settings::Schema;
use crate::state::{Contents, Sources};
use crate::stop::Stop;

/// Everything that a run is given from outside.
#[derive(Clone)]
pub struct Context<'a> {
    /// A topology without errors.
    pub topology: &'a Topology,
    /// The folder of the topology file: relative paths start here.
    pub root: &'a Path,
    /// The topology file as it was named.
    pub topology_path: String,
    /// SHA-256 over all its files, in hexadecimal.
    pub topology_digest: String,
    /// All its files, secrets covered in them.
    pub sources: Sources,
    /// The same, for places in them.
    pub documents: &'a switchover_topology::Sources,
    /// Where what is wanted comes from.
    pub wanted: Wanted,
    /// Runs plugins.
    pub host: &'a Host,
    /// The plugins that may be used.
    pub plugins: &'a PluginSet,
    /// `switchover.lock`, where there is one.
    pub lock: Option<&'a Lock>,
    /// Commands that may print secrets.
    pub secret_commands: SecretCommands,
    /// Commands that are run instead of those that the topology declares.
    pub commands: Commands,
    /// What is run for `ssh`, with arguments that go before all others; empty for `ssh` itself.
    pub ssh: Vec<String>,
    /// Told of every effect; texts are redacted.
    pub trace: Option<Arc<dyn Trace>>,
    /// Told how the run goes.
    pub on_event: OnEvent<'a>,
    /// Ends the run early.
    pub stop: Stop,
    /// Which targets it is about.
    pub selection: Selection,
    /// What is done only because somebody asked for it.
    pub permits: Permits,
}

/// Programs with their arguments, by target and name.
pub type Commands = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Where what is wanted comes from.
#[derive(Debug, Clone, Default)]
pub enum Wanted {
    /// The plugins derive it from the topology.
    #[default]
    Topology,
    /// A generation recorded it.
    Recorded(Arc<Recorded>),
}

/// What a generation recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The generation's number.
    pub number: u64,
    /// What was wanted of its targets, by their names. Of others nothing is wanted.
    pub contents: BTreeMap<String, Contents>,
}

/// What `apply` refuses unless it is asked for. By default nothing is permitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permits {
    /// A change that is larger than the topology lets pass.
    pub large_change: bool,
    /// An input that was rolled back before.
    pub rejected: bool,
}

/// Plugins by name, each loaded once, whoever asks for it and however often.
#[derive(Debug, Default)]
pub struct PluginSet {
    plugins: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Source<'static>,
    /// Held while it is loaded: nobody else has to compile the same.
    loaded: Mutex<Option<Plugin>>,
    prepared: Arc<Prepared>,
}

/// What is made from a plugin's manifest, once for all targets of all sites.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) settings: OnceLock<Schema>,
    pub(crate) templates: OnceLock<Arc<Templates>>,
}

impl PluginSet {
    /// Adds a plugin, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, source: Source<'static>) {
        let entry = Entry {
            source,
            loaded: Mutex::default(),
            prepared: Arc::default(),
        };
        self.plugins.insert(name.into(), entry);
    }

    /// All names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str)
    }

    /// The component of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Source<'static>> {
        self.plugins.get(name).map(|entry| &entry.source)
    }

    /// The plugin of this name, ready to be started; none where there is none. `host` is the same every time.
    pub(crate) fn load(&self, host: &Host, name: &str) -> Option<Result<Plugin, PluginError>> {
        let entry = self.plugins.get(name)?;
        let mut loaded = entry.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plugin) = &*loaded {
            return Some(Ok(plugin.clone()));
        }
        let plugin = host.load(name, &entry.source);
        *loaded = plugin.as_ref().ok().cloned();
        Some(plugin)
    }
}

impl Context<'_> {
    /// The plugin of a target, checked against the lock file.
    pub(crate) fn plugin(&self, target: &Target) -> Result<Plugin, Cause> {
        let name = target.plugin.as_str();
        let plugin = self
            .plugins
            .load(self.host, name)
            .ok_or_else(|| Cause::NoPlugin {
                name: name.to_owned(),
                known: self.plugins.names().map(str::to_owned).collect(),
            })??;
        if let Some(lock) = self.lock {
            lock.verify(&plugin)?;
        }
        Ok(plugin)
    }

    /// What is made from the manifest of a plugin of the set.
    pub(crate) fn prepared(&self, plugin: &Plugin) -> Arc<Prepared> {
        let entry = self.plugins.plugins.get(plugin.name());
        entry
            .map(|entry| Arc::clone(&entry.prepared))
            .unwrap_or_default()
    }

    /// The target of this name.
    pub(crate) fn target(&self, name: &str) -> Option<&Target> {
        let mut targets = self.topology.targets.iter();
        targets.find(|target| target.name.value == name)
    }

    /// Program and arguments that are run instead of those that the topology declares.
    pub(crate) fn instead(&self, target: &str, command: &str) -> Option<&Vec<String>> {
        self.commands.get(target)?.get(command)
    }

    /// Where something is declared, such as `switchover.kdl:14`; none where no file of the run declares it.
    pub(crate) fn place(&self, span: Span) -> Option<String> {
        let at = usize::try_from(span.file.0).ok()?;
        let file = self.documents.files().nth(at)?;
        // What was made from the command line is no file of anybody's.
        if file.name.starts_with('<') {
            return None;
        }
        let (from, _) = self.documents.range(span);
        Some(format!("{}:{}", file.name, from.line))
    }

    pub(crate) fn tell(&self, event: crate::Event) {
        (self.on_event)(event);
    }
}
