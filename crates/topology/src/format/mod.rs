//! The one way to lay out a topology file. Comments stay, and what the file means does not change.
//!
//! A node is laid out anew where everything in it stands in a usual place, and the result is read back and compared;
//! any other node (a comment between two values, something commented out with `/-`) stays as it was written.

mod gap;
mod layout;

use std::path::Path;

use crate::load::{read_file, unreadable_text};
use crate::source::{FileId, Span};
use crate::syntax::{self, RawNode};
use crate::{Diagnostic, Sources, in_report_order};

/// A file that cannot be laid out: it is not KDL, or cannot be read.
#[derive(Debug, Clone)]
pub struct Unformatted {
    /// Why: all errors of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// What the errors point into.
    pub sources: Sources,
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// As it was read.
    pub before: String,
    /// As it should be.
    pub after: String,
}

impl Formatted {
    /// Whether the file was laid out already.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.before == self.after
    }
}

/// Lays out one file: not those that it includes.
pub fn format(path: &Path) -> Result<Formatted, Unformatted> {
    match read_file(path) {
        Ok((shown, text)) => format_text(&shown, text),
        Err(diagnostic) => Err(Unformatted {
            diagnostics: vec![*diagnostic],
            sources: Sources::default(),
        }),
    }
}

/// Lays out a text that errors call `name`.
pub fn format_text(name: &str, text: String) -> Result<Formatted, Unformatted> {
    if let Some(diagnostic) = unreadable_text(name, &text) {
        return Err(Unformatted {
            diagnostics: vec![diagnostic],
            sources: Sources::default(),
        });
    }
    let mut sources = Sources::default();
    let (nodes, diagnostics) = syntax::parse(FileId(0), &text);
    if diagnostics.is_empty() {
        let after = laid_out(&text, &nodes);
        return Ok(Formatted {
            before: text,
            after,
        });
    }
    let secrets = syntax::likely_secrets(&text);
    let file = sources.add(name.to_owned(), text);
    for range in secrets {
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        sources.cover(Span {
            file,
            start: at(range.start),
            end: at(range.end),
        });
    }
    Err(Unformatted {
        diagnostics: in_report_order(diagnostics),
        sources,
    })
}

fn laid_out(text: &str, nodes: &[RawNode]) -> String {
    let mut after = layout::document(text, nodes).replace("\r\n", "\n");
    let first_end = text.find('\n');
    if first_end.is_some_and(|at| text[..at].ends_with('\r')) {
        after = after.replace('\n', "\r\n");
    }
    // What stands between nodes can be odd in ways that nobody thought of: then the file stays as it is.
    if layout::say_the_same(&after, nodes) {
        after
    } else {
        text.to_owned()
    }
}
