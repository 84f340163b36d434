//! The two streams that people and programs read: data on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use crate::failure::Failure;

/// Width where the stream is not a terminal, so that output is the same everywhere.
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
}

impl Look {
    fn of<S: IsTerminal + RawStream + AsFd>(stream: &S) -> Self {
        let terminal = IsTerminal::is_terminal(stream);
        let columns = terminal
            .then(|| terminal_size::terminal_size_of(stream))
            .flatten();
        let width = columns.map_or(FIXED_WIDTH, |(width, _)| {
            usize::from(width.0).clamp(NARROWEST, WIDEST)
        });
        let color = AutoStream::choice(stream) != ColorChoice::Never;
        Self {
            width,
            color,
            terminal,
        }
    }
}

/// stdout and stderr of this process.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// How stdout is shown.
    pub(crate) out: Look,
    /// How stderr is shown.
    pub(crate) err: Look,
    /// How much is told on stderr.
    pub(crate) verbosity: Verbosity,
    reader_left: AtomicBool,
}

impl Terminal {
    /// Looks at the streams once.
    pub(crate) fn new(color: ColorWhen, verbosity: Verbosity) -> Self {
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
            reader_left: AtomicBool::new(false),
        }
    }

    /// Writes data to stdout. A reader that left (`| head`) is no error: what is still to come is not for anybody, while
    /// what the command does must not stop half-way.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        if self.reader_left.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_left.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Failure::stdout(error)),
            Ok(()) => Ok(()),
        }
    }

    /// A line on stderr, unless `-q`.
    pub(crate) fn say(&self, line: impl Display) {
        self.tell(Verbosity::Normal, line);
    }

    /// A line on stderr where at least this much is told.
    pub(crate) fn tell(&self, from: Verbosity, line: impl Display) {
        if self.verbosity >= from {
            // Nobody can be told that stderr is closed.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// An error, drawn already, on stderr.
    pub(crate) fn error(&self, drawn: &str) {
        // Nobody can be told that stderr is closed.
        let _ = io::stderr().lock().write_all(drawn.as_bytes());
    }

    /// Whether a person can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.err.terminal && io::stdin().is_terminal()
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
