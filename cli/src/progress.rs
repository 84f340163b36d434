//! What a run tells while it goes, from the engine's events.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use switchover_effects::{Event as Effect, Trace};
use switchover_engine::{Event, Phase};

use crate::log::{self, Level};
use crate::render::text::visible;
use crate::terminal::{Terminal, Verbosity};

/// What is over sooner needs no progress.
const PATIENCE: Duration = Duration::from_millis(250);
/// Redraws a second.
const RATE: u8 = 30;
const TICK: Duration = Duration::from_millis(100);

/// Shows what a run waits for on a terminal, and tells what happened as lines.
pub(crate) struct Progress<'a> {
    terminal: &'a Terminal,
    waiting: Mutex<Waiting>,
    spinner: Option<Spinner>,
}

#[derive(Default)]
struct Waiting {
    reading: BTreeSet<String>,
    step: Option<String>,
}

/// Tells every effect as a line, beside the drawing.
pub(crate) struct Effects {
    terminal: Terminal,
    bar: Option<ProgressBar>,
}

impl Trace for Effects {
    fn event(&self, event: &Effect<'_>) {
        if self.terminal.logs_json() {
            self.terminal.log(Level::Trace, &log::Event::from(event));
            return;
        }
        let line = event.to_string();
        let tell = || {
            self.terminal
                .tell(Verbosity::Trace, format_args!("  {}", visible(&line)));
        };
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }
}

/// Drawn by a thread of its own after [`PATIENCE`]: the run itself may be waiting for a server.
struct Spinner {
    bar: ProgressBar,
    /// Dropped at the end.
    run: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::default_spinner());
        let (run, ended) = mpsc::channel();
        let shown = bar.clone();
        let thread = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr_with_hz(RATE));
                shown.enable_steady_tick(TICK);
            }
        });
        Self {
            bar,
            run: Some(run),
            thread: Some(thread),
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.run.take();
        if let Some(thread) = self.thread.take() {
            // It only waits; a panic in it has nothing to say about the run.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

impl<'a> Progress<'a> {
    /// Begins; dropping it ends the drawing.
    pub(crate) fn start(terminal: &'a Terminal) -> Self {
        let draws = terminal.err.terminal
            && terminal.verbosity >= Verbosity::Normal
            && !terminal.logs_json();
        Self {
            terminal,
            waiting: Mutex::default(),
            spinner: draws.then(Spinner::start),
        }
    }

    /// Takes one event.
    pub(crate) fn event(&self, event: &Event) {
        if self.terminal.logs_json() {
            let from = line(event).map_or(Verbosity::Normal, |(from, _)| from);
            if self.terminal.verbosity >= from {
                let level = log::level(from);
                self.terminal.log(level, &log::Event::from(event));
            }
            return;
        }
        if let Some((from, line)) = line(event) {
            self.line(from, &line);
        }
        let Some(spinner) = &self.spinner else { return };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Reading { target } => {
                waiting.reading.insert(target.clone());
            }
            Event::Observed { target } => {
                waiting.reading.remove(target);
            }
            Event::Step { target, title, .. } => waiting.step = Some(format!("{target}: {title}")),
            Event::Undoing { target, title } => {
                waiting.step = Some(format!("{target}: taking back: {title}"));
            }
            Event::Waiting { .. } => waiting.step = Some("waiting to be confirmed".to_owned()),
            Event::Committed { .. }
            | Event::Verified { .. }
            | Event::Confirmed { .. }
            | Event::Unended { .. }
            | Event::Unaudited { .. }
            | Event::LeftBehind { .. }
            | Event::NotCompleted { .. }
            | Event::Generation { .. } => {
                waiting.step = None;
            }
        }
        spinner
            .bar
            .set_message(visible(&waiting.to_string()).into_owned());
    }

    /// Tells every effect.
    pub(crate) fn effects(&self) -> Effects {
        Effects {
            terminal: self.terminal.clone(),
            bar: self.spinner.as_ref().map(|spinner| spinner.bar.clone()),
        }
    }

    /// A line on stderr beside the drawing.
    pub(crate) fn line(&self, from: Verbosity, line: &str) {
        let line = visible(line);
        match &self.spinner {
            Some(spinner) => spinner.bar.suspend(|| self.terminal.tell(from, line)),
            None => self.terminal.tell(from, line),
        }
    }
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(step) = &self.step {
            return formatter.write_str(step);
        }
        let names: Vec<&str> = self.reading.iter().map(String::as_str).collect();
        if names.is_empty() {
            formatter.write_str("working")
        } else {
            write!(formatter, "reading {}", names.join(", "))
        }
    }
}

/// What an event says as a line, and from which verbosity on. What changes the world is always told.
fn line(event: &Event) -> Option<(Verbosity, String)> {
    Some(match event {
        Event::Reading { target } => (Verbosity::Verbose, format!("{target}: reading")),
        Event::Observed { target } => (Verbosity::Verbose, format!("{target}: read")),
        Event::Step {
            target,
            phase: Phase::Stage,
            title,
        } => (Verbosity::Verbose, format!("{target}: stage: {title}")),
        Event::Step {
            target,
            phase: Phase::Commit,
            title,
        } => (Verbosity::Normal, format!("{target}: {title}")),
        Event::Step {
            target,
            phase: Phase::Verify,
            title,
        } => (Verbosity::Verbose, format!("{target}: verify: {title}")),
        Event::Step {
            target,
            phase: Phase::Undo,
            title,
        }
        | Event::Undoing { target, title } => {
            (Verbosity::Normal, format!("{target}: taking back: {title}"))
        }
        Event::Committed { target } => (Verbosity::Verbose, format!("{target}: committed")),
        Event::Verified { target } => (Verbosity::Normal, format!("{target}: verified")),
        Event::Waiting { until } => (
            Verbosity::Quiet,
            format!(
                "everything is done; run `switchover confirm` to keep it, or it is rolled back in {}",
                switchover_engine::time_left(*until)
            ),
        ),
        Event::Unended { why } => (
            Verbosity::Quiet,
            format!(
                "the end of this run could not be written down: {why}; it will be called interrupted until \
                 `switchover recover --back`, which has nothing left to take back"
            ),
        ),
        Event::Unaudited { why } => (
            Verbosity::Quiet,
            format!("the end of this is not in the audit log: {why}"),
        ),
        Event::LeftBehind { why, forgotten } => (
            Verbosity::Quiet,
            match forgotten {
                true => format!("forgotten: {why}"),
                false => format!("{why}; it is in nobody's way, and `switchover recover` does it"),
            },
        ),
        Event::NotCompleted { target, why } => (
            Verbosity::Quiet,
            format!("{target}: cannot be completed, so it is rolled back and applied again: {why}"),
        ),
        Event::Confirmed { who } => (Verbosity::Normal, format!("confirmed by {who}")),
        // The result of the run says it.
        Event::Generation { .. } => return None,
    })
}
