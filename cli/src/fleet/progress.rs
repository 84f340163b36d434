//! What is told while many sites are worked on: one line on a terminal, now and then a line elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::text::{count, visible};
use crate::terminal::{Terminal, Verbosity};

/// Without a terminal, so often somebody who reads a log is told that all is well.
const INTERVAL: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);
/// Redraws a second.
const RATE: u8 = 30;
/// Sites that are named of those that are worked on.
const NAMED: usize = 3;

pub(super) struct Progress<'a> {
    terminal: &'a Terminal,
    bar: Option<ProgressBar>,
    of: usize,
    now: Mutex<Now>,
}

struct Now {
    /// When it was told last.
    told: Instant,
    done: usize,
    failed: usize,
    /// Files that are worked on.
    at: BTreeSet<PathBuf>,
}

impl<'a> Progress<'a> {
    pub(super) fn start(terminal: &'a Terminal, of: usize) -> Self {
        let draws = terminal.err.terminal
            && terminal.verbosity >= Verbosity::Normal
            && !terminal.logs_json();
        let bar = draws.then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(RATE);
            let bar = ProgressBar::with_draw_target(None, target);
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            terminal,
            bar,
            of,
            now: Mutex::new(Now::new()),
        }
    }

    pub(super) fn begun(&self, file: &Path) {
        self.change(|now| {
            now.at.insert(file.to_owned());
        });
    }

    pub(super) fn ended(&self, file: &Path, failed: bool) {
        self.change(|now| {
            now.at.remove(file);
            now.done += 1;
            now.failed += usize::from(failed);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        if let Some(bar) = &self.bar {
            bar.set_message(now.line(self.of));
        }
    }

    /// Tells how it goes where nothing is drawn, if it is time to; gives how long until it is again.
    pub(super) fn tell(&self) -> Duration {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.told.elapsed() >= INTERVAL {
            now.told = Instant::now();
            if self.bar.is_none() {
                self.terminal.say(now.line(self.of));
            }
        }
        INTERVAL.saturating_sub(now.told.elapsed())
    }

    /// Writes something beside the drawing.
    pub(super) fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Now {
    fn new() -> Self {
        Self {
            told: Instant::now(),
            done: 0,
            failed: 0,
            at: BTreeSet::new(),
        }
    }

    /// `12 of 1 000 sites, 1 failed: a/switchover.kdl, b/switchover.kdl`
    fn line(&self, of: usize) -> String {
        let mut line = format!("{} of {} sites", count(self.done), count(of));
        if self.failed > 0 {
            line += &format!(", {} failed", count(self.failed));
        }
        let named = self.at.iter().take(NAMED).map(|file| file.display());
        let named: Vec<String> = named.map(|file| file.to_string()).collect();
        if !named.is_empty() {
            line += &format!(": {}", visible(&named.join(", ")));
        }
        if self.at.len() > NAMED {
            line += &format!(" and {} more", self.at.len() - NAMED);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_few_of_many() {
        let mut now = Now::new();
        assert_eq!(now.line(1_000), "0 of 1 000 sites");
        now.at = ["a", "b", "c", "d\u{1b}"].map(PathBuf::from).into();
        (now.done, now.failed) = (12, 2);
        assert_eq!(
            now.line(1_000),
            "12 of 1 000 sites, 2 failed: a, b, c and 1 more"
        );
    }
}
