//! Working on the sites, so many at once, and handing over what each of them came to in the order of their files.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use switchover_engine::Unfinished;
use switchover_engine::plan::Summary;
use switchover_topology::Loaded;
use tracing::{Span, field, info_span};

use super::progress::Progress;
use super::repeats::Parameter;
use super::sites::Fleet;
use super::summary::{Outcome, Printer, Style};
use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::log::{self, Level};
use crate::report::Tally;
use crate::session::{LOCK, STATE, Session, Shared};
use crate::telemetry;
use crate::terminal::{Kept, Terminal, Verbosity};

/// What the first thread of a process has: an apply is deep, and needs more than other threads get by default.
const STACK: usize = 8 << 20;

/// What a site's part found out about it, told as soon as it is known: some parts end early.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The site's name.
    pub(crate) name: Option<String>,
    /// Where its state is kept, however that was written.
    pub(crate) state: Option<String>,
    /// What it came to, where that is more than its exit code says.
    pub(crate) outcome: Option<Outcome>,
    /// What is to change, or was changed.
    pub(crate) changes: Option<Summary>,
    /// Findings about the topology.
    pub(crate) findings: Option<Tally>,
    /// A run of it that is not at its end.
    pub(crate) interrupted: Option<Unfinished>,
    /// Whether its plugins are not pinned.
    pub(crate) unpinned: bool,
    /// Whether its state was found; none where nobody looked.
    pub(crate) state_found: Option<bool>,
    /// Whether what it printed says nothing that its row does not say.
    pub(crate) uneventful: bool,
    /// What tells its changes from those of sites over the same base; none where all of them are to be shown.
    pub(crate) parameters: Option<Vec<Parameter>>,
}

impl Facts {
    /// What a topology says of its site.
    pub(crate) fn learn(&mut self, loaded: &Loaded, findings: Tally) {
        let site = loaded.topology.site.as_ref();
        self.name = site.map(|site| site.name.value.clone());
        let state = site.and_then(|site| site.state.as_ref());
        let state = state.map_or(STATE, |state| state.value.as_str());
        self.state = Some(place_of(&loaded.root, state));
        self.findings = Some(findings);
    }

    /// What a plan would change; true where that is anything.
    pub(crate) fn planned(&mut self, changes: &Summary) -> bool {
        let pending = !changes.is_empty();
        self.changes = Some(*changes);
        self.outcome = Some(if pending {
            Outcome::Changes
        } else {
            Outcome::Unchanged
        });
        self.uneventful = !pending && self.state_found != Some(false);
        pending
    }

    /// How much drifted; true where that is anything.
    pub(crate) fn drifted(&mut self, count: usize) -> bool {
        self.changes = Some(Summary {
            drifted: count,
            ..Summary::default()
        });
        self.outcome = Some(Outcome::Unchanged);
        self.uneventful = count == 0 && self.state_found != Some(false);
        count > 0
    }

    /// Tells what somebody who works on this site alone may want to know.
    pub(crate) fn tell(&self, terminal: &Terminal) {
        if let Some(tally) = self.findings.filter(|tally| tally.warnings > 0) {
            terminal.say(format_args!("{tally}; `switchover validate` shows them"));
        }
        tell_interrupted(self.interrupted.as_ref(), terminal);
        if self.unpinned {
            // Not on every run: whoever wants plugins pinned has done it once.
            terminal.tell(
                Verbosity::Verbose,
                format_args!(
                    "no {LOCK}: plugins are not pinned; `switchover plugin lock` pins them"
                ),
            );
        }
    }
}

/// Tells of a run that is not at its end.
pub(crate) fn tell_interrupted(run: Option<&Unfinished>, terminal: &Terminal) {
    match run {
            Some(run) if run.alive => terminal.say(format_args!(
                "{} is at work on this site since {:.0}",
                run.who, run.when
            )),
            Some(run) => terminal.say(format_args!(
                "the run that {} began {:.0} was interrupted and is not at its end; `switchover recover` shows it",
                run.who, run.when
            )),
            None => {}
    }
}

/// Where a state is, written in one way: two sites that keep it there would take each other's servers for their own.
fn place_of(root: &Path, state: &str) -> String {
    if state.contains("://") {
        return state.trim_end_matches('/').to_owned();
    }
    let mut place = PathBuf::new();
    for part in root.join(state).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(place.pop()),
            part => place.push(part),
        }
    }
    place.display().to_string()
}

/// A site's part that is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) file: PathBuf,
    pub(crate) facts: Facts,
    pub(crate) outcome: Outcome,
    pub(crate) exit: Exit,
    pub(crate) error: Option<Told>,
    pub(crate) kept: Kept,
    pub(crate) elapsed: Duration,
}

/// What a site's part is given: its place among the files, its file, where it writes, and where it says what it found.
pub(crate) struct Part<'a> {
    pub(crate) at: usize,
    pub(crate) file: &'a Path,
    pub(crate) terminal: &'a Terminal,
    pub(crate) facts: &'a mut Facts,
}

/// Does `work` for each site, and `take`s what it came to in the order of the files. Sites that have not begun when
/// `stopped` says so do not begin.
///
/// # Errors
/// Those of `take`; no further site begins then.
pub(crate) fn each(
    fleet: &Fleet,
    terminal: &Terminal,
    stopped: impl Fn() -> bool + Sync,
    mut take: impl FnMut(Ended) -> Result<(), Failure>,
    work: impl Fn(Part<'_>) -> Result<Exit, Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let given_up = AtomicBool::new(false);
    let progress = Progress::start(terminal, fleet.files.len());
    let (sender, results) = mpsc::channel::<(usize, Ended)>();
    let command = Span::current();
    let worker = |sender: Sender<(usize, Ended)>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = fleet.files.get(at) else {
                return;
            };
            let ended = if stopped() || given_up.load(Ordering::Relaxed) {
                Ended::not_begun(file)
            } else {
                progress.begun(file);
                let span = info_span!(
                    parent: &command,
                    "site",
                    file = %file.display(),
                    site = field::Empty,
                    outcome = field::Empty,
                    exit_code = field::Empty,
                    otel.status_code = field::Empty,
                );
                let ended = span.in_scope(|| one(at, file, terminal, &work));
                ended.note(&span);
                progress.ended(file, ended.outcome.is_failure());
                ended
            };
            if sender.send((at, ended)).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let jobs = fleet.jobs.get().min(fleet.files.len());
        let begun = (0..jobs).take_while(|_| {
            let (sender, worker) = (sender.clone(), &worker);
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || worker(sender)).is_ok()
        });
        match begun.count() {
            // The system refuses more threads: this one does what there is to do.
            0 => worker(sender),
            _ => drop(sender),
        }
        let taken = in_order(&results, &progress, &mut take);
        // Whoever still works finds nobody to tell.
        drop(results);
        given_up.store(true, Ordering::Relaxed);
        taken
    })
}

/// Opens each site and prints what `work` makes of it; gives the exit code of all. Nothing may be changed by that: a signal
/// ends the process at once.
///
/// # Errors
/// Where nothing can be printed.
pub(crate) fn each_session(
    fleet: &Fleet,
    style: Style,
    terminal: &Terminal,
    work: impl Fn(Session<'_>, &Terminal, &mut Facts) -> Result<Exit, Failure> + Sync,
) -> Result<Exit, Failure> {
    let shared = Arc::new(Shared::default());
    let mut printer = Printer::new(terminal, style)?;
    let take = |ended| printer.site(ended);
    each(
        fleet,
        terminal,
        || false,
        take,
        |part| match Session::open_among(&shared, part.file, part.terminal, part.facts)? {
            Some(session) => work(session, part.terminal, part.facts),
            None => Ok(Exit::Findings),
        },
    )?;
    printer.end()
}

fn in_order(
    results: &Receiver<(usize, Ended)>,
    progress: &Progress<'_>,
    take: &mut impl FnMut(Ended) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    loop {
        match results.recv_timeout(progress.tell()) {
            Ok((at, ended)) => {
                early.insert(at, ended);
                while let Some(ended) = early.remove(&next) {
                    next += 1;
                    progress.beside(|| take(ended))?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn one(
    at: usize,
    file: &Path,
    terminal: &Terminal,
    work: &impl Fn(Part<'_>) -> Result<Exit, Failure>,
) -> Ended {
    let own = terminal.of_site(&file.display().to_string());
    let logs = own.logs_json() && own.verbosity > Verbosity::Quiet;
    if logs {
        own.log(Level::Info, &log::Event::SiteBegun);
    }
    let started = Instant::now();
    let mut facts = Facts::default();
    let done = work(Part {
        at,
        file,
        terminal: &own,
        facts: &mut facts,
    });
    let elapsed = started.elapsed();
    let (exit, error) = match done {
        Ok(exit) => (exit, None),
        Err(failure) => {
            failure.show(&own);
            (failure.exit, Some(failure.told()))
        }
    };
    let outcome = Outcome::of(exit, facts.outcome);
    if logs {
        let event = log::Event::SiteEnded {
            name: facts.name.as_deref(),
            result: outcome.name(),
            exit_code: exit.code(),
            milliseconds: elapsed,
        };
        own.log(Level::Info, &event);
    }
    Ended {
        file: file.to_owned(),
        facts,
        outcome,
        exit,
        error,
        kept: own.take(),
        elapsed,
    }
}

impl Ended {
    fn note(&self, span: &Span) {
        span.record("site", self.facts.name.as_deref());
        span.record("outcome", self.outcome.name());
        telemetry::note(span, self.exit);
    }

    fn not_begun(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            facts: Facts::default(),
            outcome: Outcome::NotBegun,
            exit: Exit::Failed,
            error: None,
            kept: Kept::default(),
            elapsed: Duration::ZERO,
        }
    }
}
