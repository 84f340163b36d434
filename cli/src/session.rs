//! What `plan` and `apply` need around the engine: a topology without errors, plugins, lock, secrets, progress.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use miette::Diagnostic;
use switchover_effects::Trace;
use switchover_engine::{
    Commands, Context, Event, Permits, Plan, PlanError, Planned, PluginSet, Recorded, Selection,
    Sources, Stop, Wanted,
};
use switchover_plugin_host::{Host, HostConfig, HostError, Lock, LockError, Source};
use switchover_rules::{acknowledge, judge};
use switchover_topology::model::{Auth, Target};
use switchover_topology::value::SecretSource;
use switchover_topology::{Diagnostic as Finding, Loaded, Severity, Topology, in_report_order};
use tracing::{Instrument as _, Span, info_span};

use crate::configuration::{self, Configuration, ConfigurationError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::Facts;
use crate::progress::Progress;
use crate::report::{self, Tally};
use crate::signals::stop_on_signal;
use crate::targets::TargetArguments;
use crate::terminal::{Terminal, Verbosity};
use crate::topology_file;

/// Name of the lock file beside a topology.
pub(crate) const LOCK: &str = "switchover.lock";

/// Where a state is that the topology says nothing of.
pub(crate) const STATE: &str = ".switchover";

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

/// What the sites of a run share: plugins, each compiled and loaded once.
#[derive(Default)]
pub(crate) struct Shared {
    host: OnceLock<Host>,
    plugins: OnceLock<Arc<PluginSet>>,
    /// Asks all sites to stop, where somebody listens for signals on behalf of all of them.
    stop: Option<Stop>,
}

impl Shared {
    /// The same plugins; `stop` is who asks its sites to stop.
    pub(crate) fn stopped_by(&self, stop: &Stop) -> Self {
        Self {
            host: self.host.clone(),
            plugins: self.plugins.clone(),
            stop: Some(stop.clone()),
        }
    }

    pub(crate) fn host(&self) -> Result<&Host, Failure> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let host = host()?;
        Ok(self.host.get_or_init(|| host))
    }

    pub(crate) fn plugins(&self) -> &PluginSet {
        self.plugins.get_or_init(|| Arc::new(bundled()))
    }
}

/// A topology without errors, and everything to plan and apply it.
pub(crate) struct Session<'a> {
    terminal: &'a Terminal,
    path: String,
    loaded: Loaded,
    /// What reading and the rules found: no errors.
    judged: Vec<Finding>,
    shared: Arc<Shared>,
    host: Host,
    lock: Option<Lock>,
    configuration: Configuration,
    runtime: tokio::runtime::Runtime,
    selection: Selection,
    permits: Permits,
    wanted: Wanted,
    commands: Commands,
    /// A hangup does not end it.
    outlives_terminal: bool,
}

impl<'a> Session<'a> {
    /// Reads and judges a topology. Where it has errors they are shown, and there is no session.
    pub(crate) fn open(file: &Path, terminal: &'a Terminal) -> Result<Option<Self>, Failure> {
        let mut facts = Facts::default();
        let session = Self::open_among(&Arc::default(), file, terminal, &mut facts)?;
        if session.is_some() {
            facts.tell(terminal);
        }
        Ok(session)
    }

    /// The same for one site among many. What is known of it is put into `facts`, and told by whoever asked for it.
    pub(crate) fn open_among(
        shared: &Arc<Shared>,
        file: &Path,
        terminal: &'a Terminal,
        facts: &mut Facts,
    ) -> Result<Option<Self>, Failure> {
        let loaded = topology_file::read(file)?;
        Self::of(shared, loaded, file.display().to_string(), terminal, facts)
    }

    /// The same for a topology that was read already, and that people know by this path.
    pub(crate) fn of(
        shared: &Arc<Shared>,
        mut loaded: Loaded,
        path: String,
        terminal: &'a Terminal,
        facts: &mut Facts,
    ) -> Result<Option<Self>, Failure> {
        let findings = judge(
            &loaded.topology,
            std::mem::take(&mut loaded.diagnostics),
            topology_file::today(),
        );
        let findings = loaded.origins.relate(findings);
        let tally = Tally::of(&findings);
        facts.learn(&loaded, tally);
        if tally.errors > 0 {
            report::tell(&findings, &loaded.sources, terminal);
            return Ok(None);
        }
        let lock = lock_of(&loaded)?;
        facts.unpinned = lock.is_none();
        // That a state cannot be read is told where it is used.
        let runtime = runtime()?;
        let interrupted = switchover_engine::unfinished(&loaded.root, state_of(&loaded));
        facts.interrupted = runtime.block_on(interrupted).ok().flatten();
        let judged = Self::judged(shared, loaded, path, lock, runtime, terminal)?;
        Ok(Some(Self {
            judged: findings,
            ..judged
        }))
    }

    /// A topology that nobody looks into but the engine.
    pub(crate) fn unjudged(
        shared: &Arc<Shared>,
        loaded: Loaded,
        path: String,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        Self::judged(shared, loaded, path, None, runtime()?, terminal)
    }

    fn judged(
        shared: &Arc<Shared>,
        loaded: Loaded,
        path: String,
        lock: Option<Lock>,
        runtime: tokio::runtime::Runtime,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Failed, error);
        let configuration = if needs_configuration(&loaded.topology) {
            configuration::read().map_err(|error| failed(SessionError::Configuration(error)))?
        } else {
            Configuration::default()
        };
        let host = shared.host()?.clone();
        Ok(Self {
            terminal,
            path,
            loaded,
            judged: Vec::new(),
            shared: Arc::clone(shared),
            host,
            lock,
            configuration,
            runtime,
            selection: Selection::default(),
            permits: Permits::default(),
            wanted: Wanted::default(),
            commands: Commands::default(),
            outlives_terminal: false,
        })
    }

    /// The topology's file as it was named.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where the site's state is, as that was said.
    pub(crate) fn state(&self) -> &str {
        state_of(&self.loaded).unwrap_or(STATE)
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

    /// Makes everything that follows be about these targets only.
    pub(crate) fn select(&mut self, targets: &TargetArguments) -> Result<(), Failure> {
        let selection = targets.select(&self.loaded.topology);
        self.selection = selection.map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(())
    }

    /// Makes everything that follows be about these targets.
    pub(crate) fn take(&mut self, selection: Selection) {
        self.selection = selection;
    }

    /// Makes what the last generation left what is wanted from now on.
    pub(crate) fn want_what_was_left(&mut self) -> Result<(), Failure> {
        let recorded = self
            .run(async |context| switchover_engine::recall(context).await)
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        self.want(recorded);
        Ok(())
    }

    /// Makes what a generation recorded what is wanted from now on.
    pub(crate) fn want(&mut self, recorded: Recorded) {
        self.wanted = Wanted::Recorded(Arc::new(recorded));
    }

    /// Makes these commands be run instead of those that the topology declares.
    pub(crate) fn run_instead(&mut self, commands: Commands) {
        self.commands = commands;
    }

    /// Makes what follows live on where its terminal is lost.
    pub(crate) fn outlive_terminal(&mut self) {
        self.outlives_terminal = true;
    }

    /// Makes everything that follows be about the targets of a kept plan.
    pub(crate) fn select_as(&mut self, plan: &Plan) {
        let left_out = plan.left_out.iter().map(|left_out| left_out.name.clone());
        self.selection = Selection::new([], left_out);
    }

    /// What is done from now on because somebody asked for it.
    pub(crate) fn permit(&mut self, permits: Permits) {
        self.permits = permits;
    }

    /// Runs an engine function to its end, with progress on stderr. A signal ends the process at once.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        self.in_context(Stop::never(), work)
    }

    /// The same; a signal asks it to stop.
    pub(crate) fn run_stoppable<T>(&self, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        if let Some(stop) = &self.shared.stop {
            return self.in_context(stop.clone(), work);
        }
        let (stopper, stop) = Stop::new();
        self.in_context(stop, async |context| {
            tokio::select! {
                biased;
                // First: the handlers are there before anything is begun.
                never = stop_on_signal(stopper, self.terminal, self.outlives_terminal) => match never {},
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
            sources: sources_of(&self.loaded),
            documents: &self.loaded.sources,
            wanted: self.wanted.clone(),
            host: &self.host,
            plugins: self.shared.plugins(),
            lock: self.lock.as_ref(),
            secret_commands: self.configuration.secret_commands.clone(),
            commands: self.commands.clone(),
            ssh: self.configuration.ssh.clone(),
            trace,
            on_event: &on_event,
            stop,
            selection: self.selection.clone(),
            permits: self.permits,
        };
        // One of many has had its own since it began.
        let span = if self.terminal.is_among_many() {
            Span::current()
        } else {
            let site = self.loaded.topology.site.as_ref();
            let site = site.map(|site| site.name.value.as_str());
            info_span!("site", file = self.path, site)
        };
        self.runtime.block_on(work(&context).instrument(span))
    }

    /// Shows what plugins found; true where something of it fails the topology.
    pub(crate) fn show(&self, findings: Vec<Finding>) -> bool {
        let findings = acknowledge(&self.loaded.topology, findings, topology_file::today());
        let tally = Tally::of(&findings);
        let refused = tally.errors > 0;
        // Notes are for those who ask for more: they ask nobody to do anything.
        let from = match tally {
            Tally { errors: 1.., .. } => Verbosity::Quiet,
            Tally { warnings: 1.., .. } => Verbosity::Normal,
            _ => Verbosity::Verbose,
        };
        if !findings.is_empty() && self.terminal.verbosity >= from {
            report::tell(&findings, &self.loaded.sources, self.terminal);
        }
        refused
    }

    /// Makes a plan; none where plugins found errors, which are shown.
    pub(crate) fn plan(&self) -> Result<Option<Plan>, Failure> {
        let Some(Planned { plan, findings }) = self.planned()? else {
            return Ok(None);
        };
        let refused = self.show(findings);
        Ok((!refused).then_some(plan))
    }

    /// The same; what plugins found beside errors is left to the caller.
    fn planned(&self) -> Result<Option<Planned>, Failure> {
        match self.run(async |context| switchover_engine::plan(context).await) {
            Ok(planned) => Ok(Some(planned)),
            Err(PlanError::Findings(findings)) => {
                self.show(findings);
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Failed, error)),
        }
    }

    /// Makes a plan, with everything that was found about the topology: by the rules, by the plugins, and by looking at
    /// the servers. None where there are errors, which are shown.
    pub(crate) fn plan_with_findings(&self) -> Result<Option<Planned>, Failure> {
        let Some(Planned { plan, findings }) = self.planned()? else {
            return Ok(None);
        };
        let found = acknowledge(&self.loaded.topology, findings, topology_file::today());
        let found = self.loaded.origins.relate(found);
        let findings = in_report_order([self.judged.clone(), found].concat());
        if Tally::of(&findings).errors > 0 {
            report::tell(&findings, &self.loaded.sources, self.terminal);
            return Ok(None);
        }
        Ok(Some(Planned { plan, findings }))
    }

    /// Tells people what was found: warnings, and notes where they asked for more.
    pub(crate) fn tell(&self, findings: &[Finding]) {
        let verbosity = self.terminal.verbosity;
        if verbosity == Verbosity::Quiet {
            return;
        }
        let told: Vec<Finding> = findings
            .iter()
            .filter(|finding| finding.acknowledged.is_none())
            .filter(|finding| finding.severity != Severity::Note || verbosity >= Verbosity::Verbose)
            .cloned()
            .collect();
        if !told.is_empty() {
            report::tell(&told, &self.loaded.sources, self.terminal);
        }
    }

    /// What the topology wants, told by the plugins alone; none where they found errors, which are shown.
    pub(crate) fn desired(&self) -> Result<Option<switchover_engine::Desired>, Failure> {
        match self.run(async |context| switchover_engine::desired(context)) {
            Ok(mut desired) => {
                let refused = self.show(std::mem::take(&mut desired.findings));
                Ok((!refused).then_some(desired))
            }
            Err(PlanError::Findings(findings)) => {
                self.show(findings);
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Failed, error)),
        }
    }

    /// Looks what somebody else changed; none where plugins found errors, which are shown.
    pub(crate) fn drift(&self) -> Result<Option<switchover_engine::Drift>, Failure> {
        match self.run(async |context| switchover_engine::drift(context).await) {
            Ok(mut drift) => {
                let refused = self.show(std::mem::take(&mut drift.findings));
                Ok((!refused).then_some(drift))
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

/// Where what waits runs: on the thread that asks.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, SessionError::Runtime(error)))
}

/// Runs plugins, compiled code cached in the user's cache folder.
pub(crate) fn host() -> Result<Host, Failure> {
    Host::new(HostConfig::default())
        .map_err(|error| Failure::new(Exit::Failed, SessionError::Host(error)))
}

/// The files of a topology, as a generation keeps them.
fn sources_of(loaded: &Loaded) -> Sources {
    let texts = loaded.sources.files().map(|file| file.text.clone());
    let files = loaded.names.iter().cloned().zip(texts);
    Sources {
        main: loaded.names.first().cloned().unwrap_or_default(),
        files: files.collect(),
    }
}

/// Where a topology says that the site's state is.
pub(crate) fn state_of(loaded: &Loaded) -> Option<&str> {
    let site = loaded.topology.site.as_ref()?;
    site.state.as_ref().map(|state| state.as_str())
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

/// The lock beside a topology, if there is one.
pub(crate) fn lock_of(loaded: &Loaded) -> Result<Option<Lock>, Failure> {
    read_lock(&lock_path(loaded)).map_err(|error| Failure::new(Exit::Failed, error))
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
