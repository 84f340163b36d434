//! What `plan` and `apply` need around the engine: a topology without errors, plugins, lock, secrets, progress.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use miette::Diagnostic;
use switchover_effects::Trace;
use switchover_engine::{Context, Event, PlanError, PluginSet, Stop};
use switchover_plugin_host::{Host, HostConfig, HostError, Lock, LockError, Source};
use switchover_rules::{acknowledge, judge};
use switchover_topology::model::{Auth, Target};
use switchover_topology::value::SecretSource;
use switchover_topology::{Diagnostic as Finding, Loaded, Topology};

use crate::configuration::{self, Configuration, ConfigurationError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::report::{self, Tally};
use crate::signals::stop_on_signal;
use crate::terminal::{Terminal, Verbosity};
use crate::topology_file;

/// Name of the lock file beside a topology.
const LOCK: &str = "switchover.lock";

/// A session cannot be prepared.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum SessionError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(HostError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(LockError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Configuration(ConfigurationError),
    #[error("failed to read the lock `{}`", path.display())]
    #[diagnostic(
        code(switchover::lock::read),
        help("check the file's owner and permissions")
    )]
    ReadLock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to start")]
    #[diagnostic(
        code(switchover::runtime),
        help("the system refuses what every program needs: are its limits exhausted?")
    )]
    Runtime(#[source] io::Error),
}

/// A topology without errors, and everything to plan and apply it.
pub(crate) struct Session<'a> {
    terminal: &'a Terminal,
    path: String,
    loaded: Loaded,
    host: Host,
    plugins: PluginSet,
    lock: Option<Lock>,
    configuration: Configuration,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Session<'a> {
    /// Reads and judges a topology. Where it has errors they are shown, and there is no session.
    pub(crate) fn open(file: &Path, terminal: &'a Terminal) -> Result<Option<Self>, Failure> {
        let mut loaded = topology_file::read(file)?;
        let findings = judge(
            &loaded.topology,
            std::mem::take(&mut loaded.diagnostics),
            topology_file::today(),
        );
        let findings = loaded.origins.relate(findings);
        let tally = Tally::of(&findings);
        if tally.errors > 0 {
            terminal.error(&report::human(&findings, &loaded.sources, terminal.err));
            return Ok(None);
        }
        if tally.warnings > 0 {
            terminal.say(format_args!("{tally}; `switchover validate` shows them"));
        }
        let failed = |error| Failure::new(Exit::Failed, error);
        let lock = read_lock(&lock_path(&loaded)).map_err(failed)?;
        if lock.is_none() {
            terminal.say(format_args!(
                "no {LOCK}: plugins are not pinned; `switchover plugin lock` pins them"
            ));
        }
        let path = file.display().to_string();
        Self::of(loaded, path, lock, terminal).map(Some)
    }

    /// A topology that has been read and judged.
    pub(crate) fn of(
        loaded: Loaded,
        path: String,
        lock: Option<Lock>,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Failed, error);
        let configuration = if needs_configuration(&loaded.topology) {
            configuration::read().map_err(|error| failed(SessionError::Configuration(error)))?
        } else {
            Configuration::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(SessionError::Runtime(error)))?;
        Ok(Self {
            terminal,
            path,
            loaded,
            host: host()?,
            plugins: bundled(),
            lock,
            configuration,
            runtime,
        })
    }

    /// What was read.
    pub(crate) const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Reads a server and gives what it holds as a topology.
    pub(crate) fn adopt(
        &self,
        origin: &switchover_engine::Origin,
    ) -> Result<switchover_engine::Adopted, switchover_engine::AdoptError> {
        self.run(async |context| switchover_engine::adopt(context, origin).await)
    }

    /// Runs an engine function to its end, with progress on stderr. A signal ends the process at once.
    fn run<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        self.in_context(Stop::never(), work)
    }

    /// The same; a signal asks it to stop.
    pub(crate) fn run_stoppable<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let (stopper, stop) = Stop::new();
        self.in_context(stop, async |context| {
            tokio::select! {
                biased;
                // First: the handlers are there before anything is begun.
                never = stop_on_signal(stopper, self.terminal) => match never {},
                done = work(context) => done,
            }
        })
    }

    fn in_context<T>(&self, stop: Stop, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let progress = Progress::start(self.terminal);
        let on_event = |event: Event| progress.event(&event);
        let trace: Option<Arc<dyn Trace>> = match self.terminal.verbosity {
            Verbosity::Trace => Some(Arc::new(progress.effects())),
            Verbosity::Quiet | Verbosity::Normal | Verbosity::Verbose => None,
        };
        let context = Context {
            topology: &self.loaded.topology,
            root: &self.loaded.root,
            topology_path: self.path.clone(),
            topology_digest: self.loaded.digest.clone(),
            host: &self.host,
            plugins: &self.plugins,
            lock: self.lock.as_ref(),
            secret_commands: self.configuration.secret_commands.clone(),
            ssh: self.configuration.ssh.clone(),
            trace,
            on_event: &on_event,
            stop,
        };
        self.runtime.block_on(work(&context))
    }

    /// Shows what plugins found; true where something of it fails the topology.
    pub(crate) fn show(&self, findings: Vec<Finding>) -> bool {
        let findings = acknowledge(&self.loaded.topology, findings, topology_file::today());
        let tally = Tally::of(&findings);
        let refused = tally.errors > 0;
        let only_notes = tally.errors + tally.warnings == 0;
        if findings.is_empty() || (!refused && self.terminal.verbosity == Verbosity::Quiet) {
            return refused;
        }
        if only_notes && self.terminal.verbosity < Verbosity::Verbose {
            self.terminal.say(format_args!("{tally}; `-v` shows them"));
        } else {
            self.terminal.error(&report::human(
                &findings,
                &self.loaded.sources,
                self.terminal.err,
            ));
        }
        refused
    }

    /// Makes a plan; none where plugins found errors, which are shown.
    pub(crate) fn plan(&self) -> Result<Option<switchover_engine::Plan>, Failure> {
        match self.run(async |context| switchover_engine::plan(context).await) {
            Ok(planned) => {
                let refused = self.show(planned.findings);
                Ok((!refused).then_some(planned.plan))
            }
            Err(PlanError::Findings(findings)) => {
                self.show(findings);
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Failed, error)),
        }
    }

    /// Gathers what people have to do; none where plugins found errors, which are shown.
    pub(crate) fn runbook(
        &self,
        reading: switchover_engine::Reading,
    ) -> Result<Option<switchover_engine::Runbook>, Failure> {
        match self.run(async |context| switchover_engine::runbook(context, reading).await) {
            Ok(runbook) => Ok(Some(runbook)),
            Err(PlanError::Findings(findings)) => {
                self.show(findings);
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Failed, error)),
        }
    }
}

/// Runs plugins, compiled code cached in the user's cache folder.
pub(crate) fn host() -> Result<Host, Failure> {
    Host::new(HostConfig::default())
        .map_err(|error| Failure::new(Exit::Failed, SessionError::Host(error)))
}

/// The plugins that come with the command.
pub(crate) fn bundled() -> PluginSet {
    let mut plugins = PluginSet::default();
    for plugin in switchover_bundled_plugins::all() {
        plugins.insert(
            plugin.name,
            Source::embedded(plugin.component, plugin.sha256),
        );
    }
    plugins
}

/// Where a topology's lock is.
pub(crate) fn lock_path(loaded: &Loaded) -> PathBuf {
    loaded.root.join(LOCK)
}

/// The lock that is there, if any.
pub(crate) fn read_lock(path: &Path) -> Result<Option<Lock>, SessionError> {
    match fs::read_to_string(path) {
        Ok(text) => Lock::parse(&path.display().to_string(), &text)
            .map(Some)
            .map_err(SessionError::Lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SessionError::ReadLock {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The user's configuration is read only where something in the topology asks for it.
fn needs_configuration(topology: &Topology) -> bool {
    let remote = |target: &Target| {
        let root = target.root.as_ref();
        root.is_some_and(|root| root.starts_with("ssh://"))
    };
    if topology.targets.iter().any(remote) {
        return true;
    }
    let by_command = |secret: &SecretSource| matches!(secret, SecretSource::Cmd(_));
    let in_target = |target: &Target| {
        let mut secrets = target
            .settings
            .values()
            .flat_map(|setting| setting.secrets.values());
        let by_auth = |auth: &Auth| by_command(auth.secret());
        secrets.any(|secret| by_command(secret)) || target.auth.as_ref().is_some_and(by_auth)
    };
    topology.targets.iter().any(in_target)
        || topology.users.iter().any(|user| {
            user.sip_password
                .as_ref()
                .is_some_and(|secret| by_command(secret))
        })
}
