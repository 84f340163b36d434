//! Calling a plugin.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Store, UpdateDeadline};

use crate::host::Host;
use crate::limits::{Exceeded, Usage};
use crate::wit::{
    self, Adopting, Answer, Basis, Change, Examination, Failure, Finding, Guest, Line, Manifest,
    PluginPre, Procedure, Query, Resource, ShownResource, Target, View,
};
use crate::{Digest, Export, PluginError, Problem};
use crate::{finding, line, manifest};

/// A loaded plugin that has described itself. Cheap to clone.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    host: Host,
    digest: Digest,
    manifest: Manifest,
    pre: PluginPre<Usage>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} ({:?})",
            self.name(),
            self.version(),
            self.0.digest
        )
    }
}

impl Plugin {
    /// Asks the component for its manifest, on an instance of its own.
    pub(crate) fn described(
        host: Host,
        name: &str,
        digest: Digest,
        pre: PluginPre<Usage>,
    ) -> Result<Self, PluginError> {
        let manifest = Instance::start(&host, &pre)
            .map_err(|problem| (None, problem))
            .and_then(|mut instance| {
                instance
                    .call(&host, |guest, store| guest.call_describe(store))
                    .map_err(|problem| (Some(Export::Describe), problem))
            })
            .map_err(|(export, problem)| PluginError::new(name, None, export, problem))?;
        manifest::check(name, &manifest).map_err(|fault| {
            // A version is worth naming only if it is one.
            let version =
                manifest::is_version(&manifest.version).then_some(manifest.version.as_str());
            PluginError::new(
                name,
                version,
                Some(Export::Describe),
                Problem::Manifest(fault),
            )
        })?;
        Ok(Self(Arc::new(Inner {
            host,
            digest,
            manifest,
            pre,
        })))
    }

    /// The name that the plugin has in the topology and in its manifest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.manifest.name
    }

    /// The version from the manifest.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.manifest.version
    }

    /// SHA-256 of the component.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// What the plugin says of itself; checked when it was loaded.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// A new instance, for one sequence of calls.
    ///
    /// # Errors
    /// The plugin runs into a limit or traps while it starts.
    pub fn start(&self) -> Result<Session, PluginError> {
        let instance = Instance::start(&self.0.host, &self.0.pre)
            .map_err(|problem| self.error(None, problem))?;
        Ok(Session {
            plugin: self.clone(),
            instance: Some(instance),
        })
    }

    fn error(&self, export: Option<Export>, problem: Problem) -> PluginError {
        PluginError::new(self.name(), Some(self.version()), export, problem)
    }
}

/// One instance of a plugin. After an error that is not the plugin's own [`Failure`] it is over: further calls give
/// [`Problem::Ended`].
pub struct Session {
    plugin: Plugin,
    instance: Option<Instance>,
}

type Called<T> = Result<T, PluginError>;

impl Session {
    /// The plugin that this is an instance of.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Findings that only the plugin can know.
    ///
    /// # Errors
    /// The plugin misbehaves.
    pub fn check(&mut self, view: &View, target: &Target) -> Called<Vec<Finding>> {
        let found = self.call(Export::Check, |guest, store| {
            guest.call_check(store, view, target)
        })?;
        self.declared(Export::Check, Basis::Topology, &found)?;
        Ok(found)
    }

    /// What should exist.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn desired(&mut self, view: &View, target: &Target) -> Called<Vec<Resource>> {
        self.fallible(Export::Desired, |guest, store| {
            guest.call_desired(store, view, target)
        })
    }

    /// What to read next; empty when done.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn queries(
        &mut self,
        target: &Target,
        wanted: &[String],
        round: u32,
        answers: &[Answer],
    ) -> Called<Vec<Query>> {
        self.fallible(Export::Queries, |guest, store| {
            guest.call_queries(store, target, wanted, round, answers)
        })
    }

    /// What exists.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn current(&mut self, target: &Target, answers: &[Answer]) -> Called<Vec<Resource>> {
        self.fallible(Export::Current, |guest, store| {
            guest.call_current(store, target, answers)
        })
    }

    /// What the answers tell beside resources; without answers, only what a person has to do.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn examine(
        &mut self,
        view: &View,
        target: &Target,
        answers: &[Answer],
    ) -> Called<Examination> {
        let examination = self.fallible(Export::Examine, |guest, store| {
            guest.call_examine(store, view, target, answers)
        })?;
        self.declared(Export::Examine, Basis::Server, &examination.findings)?;
        Ok(examination)
    }

    /// What exists, as parts of a topology, or what has to be read besides.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn adopt(&mut self, target: &Target, answers: &[Answer]) -> Called<Adopting> {
        self.fallible(Export::Adopt, |guest, store| {
            guest.call_adopt(store, target, answers)
        })
    }

    /// How to get from what exists to what should.
    ///
    /// # Errors
    /// The plugin fails or misbehaves.
    pub fn procedure(
        &mut self,
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Called<Procedure> {
        self.fallible(Export::Procedure, |guest, store| {
            guest.call_procedure(store, target, answers, changes)
        })
    }

    /// How resources are shown: a line for each, in their order. What a line says is harmless to a terminal and not long.
    ///
    /// # Errors
    /// The plugin misbehaves, or gives more lines or fewer.
    pub fn lines(&mut self, resources: &[ShownResource]) -> Called<Vec<Line>> {
        let lines = self.call(Export::Lines, |guest, store| {
            guest.call_lines(store, resources)
        })?;
        if lines.len() != resources.len() {
            self.instance = None;
            let problem = Problem::Lines {
                resources: resources.len(),
                given: lines.len(),
            };
            return Err(self.plugin.error(Some(Export::Lines), problem));
        }
        Ok(lines.into_iter().map(line::harmless).collect())
    }

    fn call<T>(
        &mut self,
        export: Export,
        call: impl FnOnce(&Guest, &mut Store<Usage>) -> wasmtime::Result<T>,
    ) -> Called<T> {
        let result = match self.instance.as_mut() {
            Some(instance) => instance.call(&self.plugin.0.host, call),
            None => Err(Problem::Ended),
        };
        result.map_err(|problem| self.end(export, problem))
    }

    /// Reports, `explain` and acknowledgements know of a finding what the manifest says of its code.
    fn declared(&mut self, export: Export, basis: Basis, found: &[Finding]) -> Called<()> {
        finding::raised(&self.plugin.manifest().findings, basis, found)
            .map_err(|fault| self.end(export, Problem::Finding(fault)))
    }

    fn end(&mut self, export: Export, problem: Problem) -> PluginError {
        self.instance = None;
        self.plugin.error(Some(export), problem)
    }

    fn fallible<T>(
        &mut self,
        export: Export,
        call: impl FnOnce(&Guest, &mut Store<Usage>) -> wasmtime::Result<Result<T, Failure>>,
    ) -> Called<T> {
        self.call(export, call)?.map_err(
            |Failure {
                 code,
                 message,
                 help,
             }| {
                self.plugin.error(
                    Some(export),
                    Problem::Failure {
                        code,
                        message,
                        help,
                    },
                )
            },
        )
    }
}

/// A store with the instantiated component.
struct Instance {
    store: Store<Usage>,
    plugin: wit::Instantiated,
}

impl Instance {
    fn start(host: &Host, pre: &PluginPre<Usage>) -> Result<Self, Problem> {
        let limits = host.limits();
        let mut store = Store::new(&host.0.engine, Usage::new(limits));
        store.limiter(|usage| usage);
        store.set_hostcall_fuel(limits.output);
        store.epoch_deadline_callback(|mut context| {
            let usage = context.data_mut();
            match usage.deadline {
                Some(deadline) if Instant::now() >= deadline => {
                    Err(usage.exceed(Exceeded::Deadline))
                }
                _ => Ok(UpdateDeadline::Continue(1)),
            }
        });
        let plugin = timed(host, &mut store, |store| pre.instantiate(store))?;
        Ok(Self { store, plugin })
    }

    fn call<T>(
        &mut self,
        host: &Host,
        call: impl FnOnce(&Guest, &mut Store<Usage>) -> wasmtime::Result<T>,
    ) -> Result<T, Problem> {
        let guest = self.plugin.switchover_plugin_api();
        timed(host, &mut self.store, |store| call(guest, store))
    }
}

/// Runs guest code under the deadline.
fn timed<T>(
    host: &Host,
    store: &mut Store<Usage>,
    run: impl FnOnce(&mut Store<Usage>) -> wasmtime::Result<T>,
) -> Result<T, Problem> {
    let _ticking = host
        .0
        .ticker
        .run()
        .map_err(|error| Problem::Host(error.to_string()))?;
    store.data_mut().deadline = Instant::now().checked_add(host.limits().deadline);
    store.set_epoch_deadline(1);
    run(store).map_err(|error| Problem::from_call(&error, store.data().exceeded, host.limits()))
}
