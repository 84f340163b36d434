//! Findings as people and programs read them.

use std::cell::OnceCell;
use std::fmt::{self, Write as _};

use miette::LabeledSpan;
use serde::Serialize;
use switchover_topology::{Diagnostic, FileId, Related, Severity, Sources, Span};

use crate::document::Document;
use crate::failure;
use crate::render::text::{counted, visible};
use crate::terminal::Look;

/// The format of `validate --format json`.
pub(crate) const FORMAT_VERSION: &str = "1.0";

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
            let count = match (&diagnostic.acknowledged, diagnostic.severity) {
                (Some(_), _) => &mut tally.accepted,
                (None, Severity::Error) => &mut tally.errors,
                (None, Severity::Warning) => &mut tally.warnings,
                (None, Severity::Note) => &mut tally.notes,
            };
            *count += 1;
        }
        tally
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

/// All findings for people, each drawn into its file, accepted ones in one line each, then the line that sums up.
pub(crate) fn human(diagnostics: &[Diagnostic], sources: &Sources, look: Look) -> String {
    let mut text = drawn(diagnostics, sources, look);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", Tally::of(diagnostics));
    text
}

/// All findings for people, without the line that sums up.
pub(crate) fn drawn(diagnostics: &[Diagnostic], sources: &Sources, look: Look) -> String {
    let documents = Documents::new(sources);
    let handler = failure::handler(look);
    let mut text = String::new();
    for diagnostic in diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.acknowledged.is_none())
    {
        let finding = Finding::new(diagnostic, &documents);
        if handler.render_report(&mut text, &finding).is_err() {
            let _ = writeln!(text, "{}: {}", finding.title, finding.message);
        }
        text.push('\n');
    }
    let mut accepted = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.acknowledged.is_some())
        .peekable();
    let any = accepted.peek().is_some();
    for diagnostic in accepted {
        let _ = write!(
            text,
            "accepted {} {}",
            visible(&diagnostic.code),
            visible(&diagnostic.name)
        );
        if let Some((document, span)) = place(diagnostic.span, &documents) {
            let at = document.position(span.start as usize);
            let _ = write!(
                text,
                " at {}:{}:{}",
                visible(document.name()),
                at.line,
                at.column
            );
        }
        let reason = diagnostic.acknowledged.as_deref().unwrap_or_default();
        let _ = writeln!(text, ": {}", visible(reason));
    }
    if any {
        text.push('\n');
    }
    text
}

fn place<'a>(span: Option<Span>, documents: &'a Documents<'_>) -> Option<(&'a Document, Span)> {
    let span = span?;
    Some((documents.get(span.file)?, span))
}

/// A finding as miette draws it.
#[derive(Debug)]
struct Finding<'a> {
    title: String,
    message: String,
    help: Option<String>,
    severity: miette::Severity,
    document: Option<&'a Document>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Elsewhere<'a>>,
}

/// A related place in another file than the finding's own.
#[derive(Debug)]
struct Elsewhere<'a> {
    message: String,
    document: &'a Document,
    span: miette::SourceSpan,
}

impl<'a> Finding<'a> {
    fn new(diagnostic: &Diagnostic, documents: &'a Documents<'_>) -> Self {
        let mut labels = Vec::new();
        let primary = place(diagnostic.span, documents);
        if let Some((document, span)) = primary {
            let label = diagnostic
                .label
                .as_deref()
                .map(|label| visible(label).into_owned());
            labels.push(LabeledSpan::new_primary_with_span(
                label,
                document.first_line(span),
            ));
        }
        let mut elsewhere = Vec::new();
        for Related { message, span } in &diagnostic.related {
            let Some(document) = documents.get(span.file) else {
                continue;
            };
            let message = visible(message).into_owned();
            if diagnostic
                .span
                .is_some_and(|primary| primary.file == span.file)
            {
                labels.push(LabeledSpan::new_with_span(
                    Some(message),
                    document.first_line(*span),
                ));
            } else {
                elsewhere.push(Elsewhere {
                    message,
                    document,
                    span: document.first_line(*span),
                });
            }
        }
        Self {
            title: visible(&format!("{} {}", diagnostic.code, diagnostic.name)).into_owned(),
            message: visible(&diagnostic.message).into_owned(),
            help: diagnostic
                .help
                .as_deref()
                .map(|help| visible(help).into_owned()),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
                Severity::Note => miette::Severity::Advice,
            },
            document: primary.map(|(document, _)| document),
            labels,
            elsewhere,
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Finding<'_> {}

impl miette::Diagnostic for Finding<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(&self.title))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.document
            .map(|document| document as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        (!self.elsewhere.is_empty()).then(|| {
            let each = self
                .elsewhere
                .iter()
                .map(|elsewhere| elsewhere as &dyn miette::Diagnostic);
            Box::new(each) as Box<dyn Iterator<Item = &dyn miette::Diagnostic>>
        })
    }
}

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Elsewhere<'_> {}

impl miette::Diagnostic for Elsewhere<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.document)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            None, self.span,
        ))))
    }
}

/// `validate --format json`. The order of members is part of the format.
#[derive(Serialize)]
struct Findings<'a> {
    format_version: &'static str,
    diagnostics: Vec<JsonFinding<'a>>,
    summary: JsonSummary,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    related: Vec<JsonRelated<'a>>,
    /// Null until the rules have a site.
    url: Option<&'a str>,
    acknowledged: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
}

/// Accepted findings are not counted.
#[derive(Serialize)]
struct JsonSummary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

/// All findings as one JSON document with a final line break.
pub(crate) fn json(
    diagnostics: &[Diagnostic],
    sources: &Sources,
) -> Result<String, serde_json::Error> {
    let documents = Documents::new(sources);
    let tally = Tally::of(diagnostics);
    let findings = Findings {
        format_version: FORMAT_VERSION,
        diagnostics: diagnostics
            .iter()
            .map(|diagnostic| json_finding(diagnostic, &documents))
            .collect(),
        summary: JsonSummary {
            errors: tally.errors,
            warnings: tally.warnings,
            notes: tally.notes,
        },
    };
    let mut text = serde_json::to_string_pretty(&findings)?;
    text.push('\n');
    Ok(text)
}

fn json_finding<'a>(diagnostic: &'a Diagnostic, documents: &'a Documents<'_>) -> JsonFinding<'a> {
    let place = place(diagnostic.span, documents).map(|(document, span)| {
        (
            document.name(),
            document.position(span.start as usize),
            document.position(span.end as usize),
        )
    });
    let related = diagnostic
        .related
        .iter()
        .filter_map(|Related { message, span }| {
            let document = documents.get(span.file)?;
            let at = document.position(span.start as usize);
            Some(JsonRelated {
                message,
                file: document.name(),
                line: at.line,
                column: at.column,
            })
        });
    JsonFinding {
        code: &diagnostic.code,
        name: &diagnostic.name,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        file: place.map(|(name, ..)| name),
        line: place.map(|(_, start, _)| start.line),
        column: place.map(|(_, start, _)| start.column),
        end_line: place.map(|(.., end)| end.line),
        end_column: place.map(|(.., end)| end.column),
        related: related.collect(),
        url: None,
        acknowledged: diagnostic.acknowledged.as_deref(),
    }
}
