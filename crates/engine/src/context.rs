//! What a run works with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use switchover_effects::Trace;
use switchover_plugin_host::{Host, Lock, Plugin, Source};
use switchover_topology::Topology;
use switchover_topology::model::Target;

use crate::error::Cause;
use crate::event::OnEvent;
use crate::secrets::SecretCommands;
use crate::stop::Stop;

/// Everything that a run is given from outside.
pub struct Context<'a> {
    /// A topology without errors.
    pub topology: &'a Topology,
    /// The folder of the topology file: relative paths start here.
    pub root: &'a Path,
    /// The topology file as it was named.
    pub topology_path: String,
    /// SHA-256 over all its files, in hexadecimal.
    pub topology_digest: String,
    /// Runs plugins.
    pub host: &'a Host,
    /// The plugins that may be used.
    pub plugins: &'a PluginSet,
    /// `switchover.lock`, where there is one.
    pub lock: Option<&'a Lock>,
    /// Commands that may print secrets.
    pub secret_commands: SecretCommands,
    /// What is run for `ssh`, with arguments that go before all others; empty for `ssh` itself.
    pub ssh: Vec<String>,
    /// Told of every effect; texts are redacted.
    pub trace: Option<Arc<dyn Trace>>,
    /// Told how the run goes.
    pub on_event: OnEvent<'a>,
    /// Ends the run early.
    pub stop: Stop,
}

/// Plugins by name.
#[derive(Debug, Default)]
pub struct PluginSet {
    sources: BTreeMap<String, Source<'static>>,
}

impl PluginSet {
    /// Adds a plugin, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, source: Source<'static>) {
        self.sources.insert(name.into(), source);
    }

    /// All names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The component of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Source<'static>> {
        self.sources.get(name)
    }
}

impl Context<'_> {
    /// The plugin of a target, checked against the lock file.
    pub(crate) fn plugin(&self, target: &Target) -> Result<Plugin, Cause> {
        let name = target.plugin.as_str();
        let source = self.plugins.get(name).ok_or_else(|| Cause::NoPlugin {
            name: name.to_owned(),
            known: self.plugins.names().collect::<Vec<_>>().join(", "),
        })?;
        let plugin = self.host.load(name, source)?;
        if let Some(lock) = self.lock {
            lock.verify(&plugin)?;
        }
        Ok(plugin)
    }

    /// The target of this name.
    pub(crate) fn target(&self, name: &str) -> Option<&Target> {
        let mut targets = self.topology.targets.iter();
        targets.find(|target| target.name.value == name)
    }

    pub(crate) fn tell(&self, event: crate::Event) {
        (self.on_event)(event);
    }
}
