//! Findings as people and programs read them: one diagnostic type, and a file for each format.

mod cause;
mod github;
mod groups;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
mod selection;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;

use switchover_topology::{Diagnostic, FileId, Position, Severity, Sources, Span};

use crate::document::Document;
use crate::log;
use crate::render::text::counted;
use crate::terminal::{Terminal, Verbosity};

pub(crate) use github::github;
pub(crate) use groups::Groups;
pub(crate) use human::{Shown, grouped, groups, human};
pub(crate) use json::{json, json_members};
pub(crate) use junit::junit;
pub(crate) use markdown::{
    grouped as markdown_of, groups as groups_of_markdown, markdown, section as markdown_section,
};
pub(crate) use sarif::sarif;
pub(crate) use selection::Selection;

/// A run's findings with what the formats for other programs need to know beside them.
pub(crate) struct Report<'a> {
    /// In report order.
    pub(crate) diagnostics: &'a [Diagnostic],
    pub(crate) sources: &'a Sources,
    /// The rules that were asked for.
    pub(crate) selection: &'a Selection,
    /// The topology as the command line names it: where a finding is that has no place.
    pub(crate) topology: String,
    /// Whether a warning fails the run.
    pub(crate) deny_warnings: bool,
    /// For people: each finding by itself, rather than each cause once.
    pub(crate) each: bool,
}

impl Report<'_> {
    /// Whether this finding is one of those that fail the run.
    fn fails(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.acknowledged.is_none()
            && match diagnostic.severity {
                Severity::Error => true,
                Severity::Warning => self.deny_warnings,
                Severity::Note => false,
            }
    }

    /// Whether the run fails.
    pub(crate) fn failed(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| self.fails(diagnostic))
    }
}

/// The findings of several topologies as those of one, in the order given. A finding without a place is put at the
/// beginning of its topology, so that it still says whose it is.
pub(crate) fn merged(
    parts: impl IntoIterator<Item = (Vec<Diagnostic>, Sources)>,
) -> (Vec<Diagnostic>, Sources) {
    let (mut findings, mut sources) = (Vec::new(), Sources::default());
    for (found, files) in parts {
        let ids: Vec<FileId> = files
            .files()
            .map(|file| sources.add(file.name.clone(), file.text.clone()))
            .collect();
        let moved = |span: Span| {
            let file = ids.get(span.file.0 as usize).copied();
            file.map(|file| Span { file, ..span })
        };
        let beginning = ids.first().map(|&file| Span {
            file,
            start: 0,
            end: 0,
        });
        findings.extend(found.into_iter().map(|mut finding| {
            finding.span = finding.span.map_or(beginning, moved);
            for related in &mut finding.related {
                related.span = moved(related.span).unwrap_or(related.span);
            }
            finding
        }));
    }
    (findings, sources)
}

impl Shown {
    /// As people see them on stderr: each cause once, unless all is to be told.
    pub(crate) fn on_stderr(terminal: &Terminal) -> Self {
        Self {
            look: terminal.err,
            each: terminal.verbosity >= Verbosity::Verbose,
            accepted: terminal.verbosity > Verbosity::Quiet,
            by: "`-v` shows each",
        }
    }
}

/// Shows findings on stderr. Those of one site among many are shown with those of the others.
pub(crate) fn tell(findings: &[Diagnostic], sources: &Sources, terminal: &Terminal) {
    // What nobody has to look at is not told to who asked for errors only.
    let quiet = terminal.verbosity == Verbosity::Quiet;
    let errors: Vec<Diagnostic>;
    let findings = match quiet {
        true => {
            let failing = |finding: &&Diagnostic| {
                finding.acknowledged.is_none() && finding.severity == Severity::Error
            };
            errors = findings.iter().filter(failing).cloned().collect();
            &errors
        }
        false => findings,
    };
    if !terminal.logs_json() {
        let shown = Shown::on_stderr(terminal);
        if shown.each || !terminal.keep(findings, sources) {
            terminal.error(&human(findings, sources, shown));
        }
        return;
    }
    let documents = Documents::new(sources);
    for finding in findings
        .iter()
        .filter(|finding| finding.acknowledged.is_none())
    {
        let range = Range::of(finding.span, &documents);
        let event = log::Event::Finding {
            code: &finding.code,
            name: &finding.name,
            severity: finding.severity,
            message: &finding.message,
            help: finding.help.as_deref(),
            file: range.map(|range| range.file),
            line: range.map(|range| range.start.line),
            column: range.map(|range| range.start.column),
        };
        terminal.log(log::level_of(finding.severity), &event);
    }
}

/// How many findings of each weight a run has; accepted ones count apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
    pub(crate) accepted: usize,
}

impl Tally {
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut tally = Self::default();
        for diagnostic in diagnostics {
            *tally.of_one(diagnostic) += 1;
        }
        tally
    }

    /// Where a finding counts.
    fn of_one(&mut self, diagnostic: &Diagnostic) -> &mut usize {
        match (&diagnostic.acknowledged, diagnostic.severity) {
            (Some(_), _) => &mut self.accepted,
            (None, Severity::Error) => &mut self.errors,
            (None, Severity::Warning) => &mut self.warnings,
            (None, Severity::Note) => &mut self.notes,
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, more: &Self) {
        self.errors += more.errors;
        self.warnings += more.warnings;
        self.notes += more.notes;
        self.accepted += more.accepted;
    }
}

/// `2 errors, 1 warning`, or `no findings`.
impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.notes, "note", "notes"),
            (self.accepted, "accepted", "accepted"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
        if parts.is_empty() {
            formatter.write_str("no findings")
        } else {
            formatter.write_str(&parts.join(", "))
        }
    }
}

/// Files of a run, each made ready when the first finding points into it.
struct Documents<'a> {
    sources: &'a Sources,
    ready: Vec<OnceCell<Document>>,
}

impl<'a> Documents<'a> {
    fn new(sources: &'a Sources) -> Self {
        let ready = sources.files().map(|_| OnceCell::new()).collect();
        Self { sources, ready }
    }

    fn get(&self, file: FileId) -> Option<&Document> {
        let cell = self.ready.get(file.0 as usize)?;
        Some(cell.get_or_init(|| Document::new(self.sources.file(file))))
    }
}

fn place<'a>(span: Option<Span>, documents: &'a Documents<'_>) -> Option<(&'a Document, Span)> {
    let span = span?;
    Some((documents.get(span.file)?, span))
}

/// Where a finding is, ready to print. The end is the place after its last character.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    file: &'a str,
    start: Position,
    end: Position,
}

impl<'a> Range<'a> {
    fn of(span: Option<Span>, documents: &'a Documents<'_>) -> Option<Self> {
        let (document, span) = place(span, documents)?;
        Some(Self {
            file: document.name(),
            start: document.position(span.start as usize),
            end: document.position(span.end as usize),
        })
    }
}

/// `site.kdl:3:14`
impl fmt::Display for Range<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.start;
        write!(formatter, "{}:{line}:{column}", self.file)
    }
}

/// Counts how often a key was seen before, to tell findings apart that say the same.
#[derive(Debug, Default)]
struct Occurrences<K>(HashMap<K, usize>);

impl<K: std::hash::Hash + Eq> Occurrences<K> {
    /// 1 for the first of its kind.
    fn next(&mut self, key: K) -> usize {
        let seen = self.0.entry(key).or_default();
        *seen += 1;
        *seen
    }
}

pub(crate) const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
