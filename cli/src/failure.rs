//! An error on its way to stderr, with the exit code that tells what it left behind.

use std::io;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, Report, ThemeCharacters, ThemeStyles,
};
use serde::Serialize;
use textwrap::WordSplitter;

use crate::exit::Exit;
use crate::log::{self, Level};
use crate::render::words;
#[cfg(feature = "otlp")]
use crate::terminal::Verbosity;
use crate::terminal::{Look, Terminal};

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the error left behind.
    pub(crate) exit: Exit,
    report: Report,
}

/// An error in words and nothing else.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Told {
    /// Such as `switchover::plan::read`.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    /// From the outermost to the innermost.
    pub(crate) causes: Vec<String>,
    pub(crate) help: Option<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum OutputError {
    #[error("failed to write to the standard output")]
    #[diagnostic(code(switchover::stdout), help("is the disk behind it full?"))]
    Stdout(#[source] io::Error),
    #[error("failed to read from the standard input")]
    #[diagnostic(code(switchover::stdin), help("`-` reads UTF-8 text"))]
    Stdin(#[source] io::Error),
    #[error("failed to write the answer as JSON")]
    #[diagnostic(
        code(switchover::json),
        help("this is a defect of switchover: please report it with the topology")
    )]
    Json(#[source] serde_json::Error),
    #[error("failed to write the answer as JUnit's XML")]
    #[diagnostic(
        code(switchover::junit),
        help("this is a defect of switchover: please report it with the topology")
    )]
    Junit(#[source] quick_junit::SerializeError),
}

impl Failure {
    /// An error that left the world in the state that `exit` names.
    pub(crate) fn new(exit: Exit, error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self {
            exit,
            report: Report::new(error),
        }
    }

    /// The standard output cannot be written.
    pub(crate) fn stdout(error: io::Error) -> Self {
        Self::new(Exit::Failed, OutputError::Stdout(error))
    }

    /// The standard input cannot be read.
    pub(crate) fn stdin(error: io::Error) -> Self {
        Self::new(Exit::Failed, OutputError::Stdin(error))
    }

    /// An answer cannot be written as JSON.
    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self::new(Exit::Failed, OutputError::Json(error))
    }

    /// An answer cannot be written as XML.
    pub(crate) fn junit(error: quick_junit::SerializeError) -> Self {
        Self::new(Exit::Failed, OutputError::Junit(error))
    }

    /// What it is, for programs.
    pub(crate) fn told(&self) -> Told {
        Told {
            code: self.report.code().map(|code| code.to_string()),
            message: self.report.to_string(),
            causes: causes_of(self.report.as_ref()),
            help: help_of(self.report.as_ref()),
        }
    }

    /// Tells of it on stderr as of what the command does not need.
    #[cfg(feature = "otlp")]
    pub(crate) fn warn(&self, terminal: &Terminal) {
        let Told {
            message,
            causes,
            help,
            ..
        } = self.told();
        if terminal.verbosity < Verbosity::Normal {
            return;
        }
        let mut text = message;
        for cause in causes {
            text += &format!(": {cause}");
        }
        if let Some(help) = help {
            text += &format!("; {help}");
        }
        if terminal.logs_json() {
            let text = &text;
            terminal.log(Level::Warning, &log::Event::Message { text });
        } else {
            terminal.say(text);
        }
    }

    /// Shows the error on stderr.
    pub(crate) fn show(&self, terminal: &Terminal) {
        if terminal.logs_json() {
            let Told {
                code,
                message,
                causes,
                help,
            } = self.told();
            let exit_code = self.exit.code();
            let event = log::Event::Error {
                code,
                message,
                causes,
                help,
                exit_code,
            };
            terminal.log(Level::Error, &event);
            return;
        }
        let mut text = String::new();
        let shown = handler(terminal.err).render_report(&mut text, self.report.as_ref());
        // A report that cannot be drawn is still told in its plain form.
        if shown.is_err() {
            text = self.report.to_string();
        }
        terminal.error(&text);
    }
}

/// Why, from the outermost to the innermost; where there are several reasons beside each other, each in one text.
fn causes_of(error: &(dyn Diagnostic + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let mut next = Some(error as &dyn Diagnostic);
    while let Some(error) = next {
        for related in error.related().into_iter().flatten() {
            let mut text = related.to_string();
            let mut cause = related.source();
            while let Some(inner) = cause {
                // A transparent error says what its source says.
                let inner_text = inner.to_string();
                if !text.ends_with(&inner_text) {
                    text += &format!(": {inner_text}");
                }
                cause = inner.source();
            }
            causes.push(text);
        }
        next = error.diagnostic_source();
    }
    causes
}

/// What to do: the outermost error that knows it says it.
fn help_of(error: &dyn Diagnostic) -> Option<String> {
    let own = error.help().map(|help| help.to_string());
    own.or_else(|| help_of(error.diagnostic_source()?))
}

/// How miette draws reports on a stream.
pub(crate) fn handler(look: Look) -> GraphicalReportHandler {
    let characters = if look.unicode {
        ThemeCharacters::unicode()
    } else {
        ThemeCharacters::ascii()
    };
    let theme = GraphicalTheme {
        characters: ThemeCharacters {
            advice: "note:".to_owned(),
            ..characters
        },
        styles: if look.color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_break_words(false)
        .with_word_separator(words::separator())
        .with_word_splitter(WordSplitter::NoHyphenation)
        .with_links(look.color && look.terminal)
}
