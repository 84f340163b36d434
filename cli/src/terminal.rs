//! The two streams that people and programs read: data on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use switchover_topology::{Diagnostic as Finding, Sources};

use crate::failure::Failure;
use crate::log::{self, LogFormat};

/// Width where neither the terminal nor `COLUMNS` tells one, so that output is the same everywhere.
const FIXED_WIDTH: usize = 80;
/// Narrower, nothing can be laid out.
const NARROWEST: usize = 40;
/// Wider lines are hard to read, however wide the terminal.
const WIDEST: usize = 160;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much is told on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, warnings, results.
    Normal,
    /// What happens.
    Verbose,
    /// Every request.
    Trace,
}

impl Verbosity {
    /// From the number of `-v` and whether `-q` was given.
    pub(crate) const fn new(verbose: u8, quiet: bool) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, 1) => Self::Verbose,
            (false, _) => Self::Trace,
        }
    }
}

/// How one stream is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    /// Whether escape sequences for colour are written.
    pub(crate) color: bool,
    /// Whether somebody is looking.
    pub(crate) terminal: bool,
    /// Whether more than ASCII can be drawn.
    pub(crate) unicode: bool,
}

impl Look {
    fn of<S: IsTerminal + RawStream + AsFd>(stream: &S) -> Self {
        let terminal = IsTerminal::is_terminal(stream);
        let columns = terminal
            .then(|| terminal_size::terminal_size_of(stream))
            .flatten();
        // What a terminal does not say, somebody may have set, for a log that is wider.
        let columns = columns.map(|(width, _)| usize::from(width.0));
        let set = || std::env::var("COLUMNS").ok()?.parse().ok();
        let width = columns.or_else(set).unwrap_or(FIXED_WIDTH);
        let width = width.clamp(NARROWEST, WIDEST);
        let color = AutoStream::choice(stream) != ColorChoice::Never;
        Self {
            width,
            color,
            terminal,
            unicode: draws_unicode(|name| std::env::var(name).ok()),
        }
    }

    /// What stands before a number of times.
    pub(crate) const fn times(self) -> char {
        if self.unicode { '×' } else { 'x' }
    }
}

/// Whether the locale has more than ASCII (POSIX.1-2024, 8.2: the first of these that is set and not empty decides). Where
/// none is set, as in many a CI job, what is read is nearly always UTF-8.
fn draws_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Where the two streams go: to those of this process, or, for one site among many, into a block of their own. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// How stdout is shown.
    pub(crate) out: Look,
    /// How stderr is shown.
    pub(crate) err: Look,
    /// How much is told on stderr.
    pub(crate) verbosity: Verbosity,
    format: LogFormat,
    /// Whom lines of the log are about, among many sites.
    site: Option<Arc<str>>,
    sink: Arc<Sink>,
}

#[derive(Debug)]
enum Sink {
    Process { reader_left: AtomicBool },
    Kept(Mutex<Kept>),
}

/// What was written and not shown yet.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Data.
    pub(crate) out: String,
    /// Everything else.
    pub(crate) err: String,
    /// Findings to show, with the files that they point into.
    pub(crate) findings: Vec<(Vec<Finding>, Sources)>,
}

impl Terminal {
    /// Looks at the streams once.
    pub(crate) fn new(color: ColorWhen, verbosity: Verbosity, format: LogFormat) -> Self {
        match color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        }
        .write_global();
        Self {
            out: Look::of(&io::stdout()),
            err: Look::of(&io::stderr()),
            verbosity,
            format,
            site: None,
            sink: Arc::new(Sink::Process {
                reader_left: AtomicBool::new(false),
            }),
        }
    }

    /// The same for one site among many: what is written is kept until the site is done, but for the lines of a log,
    /// which say whose they are.
    pub(crate) fn of_site(&self, site: &str) -> Self {
        Self {
            err: Look {
                terminal: false,
                ..self.err
            },
            site: Some(site.into()),
            sink: Arc::new(Sink::Kept(Mutex::default())),
            ..self.clone()
        }
    }

    /// What was written since the last time.
    pub(crate) fn take(&self) -> Kept {
        match &*self.sink {
            Sink::Process { .. } => Kept::default(),
            Sink::Kept(kept) => {
                std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// Keeps findings of one site among many for whoever shows those of all; false where there are no others.
    pub(crate) fn keep(&self, findings: &[Finding], sources: &Sources) -> bool {
        let Sink::Kept(kept) = &*self.sink else {
            return false;
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.findings.push((findings.to_vec(), sources.clone()));
        true
    }

    /// Whether this is for one site among many: what can be said of all of them is then said once, at the end.
    pub(crate) fn is_among_many(&self) -> bool {
        self.site.is_some()
    }

    /// Whether stderr is for programs.
    pub(crate) fn logs_json(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// Writes data to stdout. A reader that left (`| head`) is no error: what is still to come is not for anybody, while
    /// what the command does must not stop half-way.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let reader_left = match &*self.sink {
            Sink::Process { reader_left } => reader_left,
            Sink::Kept(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.out.push_str(text);
                return Ok(());
            }
        };
        if reader_left.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe || self.hung_up(&error) => {
                reader_left.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Failure::stdout(error)),
            Ok(()) => Ok(()),
        }
    }

    /// The terminal behind stdout was closed.
    fn hung_up(&self, error: &io::Error) -> bool {
        self.out.terminal && error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
    }

    /// A line on stderr, unless `-q`.
    pub(crate) fn say(&self, line: impl Display) {
        self.tell(Verbosity::Normal, line);
    }

    /// A line on stderr where at least this much is told.
    pub(crate) fn tell(&self, from: Verbosity, line: impl Display) {
        if self.verbosity < from {
            return;
        }
        let text = line.to_string();
        if self.logs_json() {
            self.log(log::level(from), &log::Event::Message { text: &text });
            return;
        }
        match &self.site {
            // What is told whatever was asked for is told now: somebody may have to do something.
            Some(site) if from == Verbosity::Quiet => {
                drop(writeln!(io::stderr().lock(), "{site}: {text}"));
            }
            _ => self.write(&format!("{text}\n")),
        }
    }

    /// A text of several lines on stderr, drawn already.
    pub(crate) fn error(&self, drawn: &str) {
        if self.logs_json() {
            let text = drawn.trim_end();
            self.log(log::Level::Info, &log::Event::Message { text });
        } else {
            self.write(drawn);
        }
    }

    /// One line of the log for programs; the caller has looked whether there is one, and whether so much is told.
    pub(crate) fn log(&self, level: log::Level, event: &log::Event<'_>) {
        let line = log::line(level, self.site.as_deref(), event);
        // Nobody can be told that stderr is closed.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }

    fn write(&self, text: &str) {
        match &*self.sink {
            // Nobody can be told that stderr is closed.
            Sink::Process { .. } => drop(io::stderr().lock().write_all(text.as_bytes())),
            Sink::Kept(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.err.push_str(text);
            }
        }
    }

    /// Whether a person can be asked: not where a program reads what is told, nor on behalf of one site among many.
    pub(crate) fn can_ask(&self) -> bool {
        self.err.terminal && !self.logs_json() && io::stdin().is_terminal()
    }

    /// Asks on stderr, reads one line. An end of input reads as an empty answer.
    pub(crate) fn ask(&self, question: &str) -> io::Result<String> {
        let mut stderr = io::stderr().lock();
        stderr.write_all(question.as_bytes())?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::draws_unicode;

    #[test]
    fn the_locale_decides_what_is_drawn() {
        for (variables, unicode) in [
            (&[][..], true),
            (&[("LANG", "it_IT.UTF-8")], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "it_IT.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "POSIX"), ("LC_ALL", "")], false),
            (
                &[("LC_CTYPE", "de_DE.ISO-8859-1"), ("LANG", "de_DE.UTF-8")],
                false,
            ),
        ] {
            let variable = |name: &str| {
                let mut set = variables.iter();
                set.find(|(set, _)| *set == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(draws_unicode(variable), unicode, "{variables:?}");
        }
    }
}
