//! `validate --format human`: each finding drawn into its file.

use std::fmt::{self, Write as _};

use miette::LabeledSpan;
use switchover_topology::{Diagnostic, Related, Severity, Sources};

use crate::document::Document;
use crate::failure;
use crate::render::text::visible;
use crate::report::{Documents, Range, Tally, place};
use crate::terminal::Look;

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
    let mut text = String::new();
    for diagnostic in diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.acknowledged.is_none())
    {
        text.push_str(&draw(diagnostic, &documents, look));
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
        if let Some(range) = Range::of(diagnostic.span, &documents) {
            let _ = write!(text, " at {}", visible(&range.to_string()));
        }
        let reason = diagnostic.acknowledged.as_deref().unwrap_or_default();
        let _ = writeln!(text, ": {}", visible(reason));
    }
    if any {
        text.push('\n');
    }
    text
}

/// One finding, drawn into its file.
pub(super) fn draw(diagnostic: &Diagnostic, documents: &Documents<'_>, look: Look) -> String {
    let finding = Finding::new(diagnostic, documents);
    let mut text = String::new();
    let shown = failure::handler(look).render_report(&mut text, &finding);
    // One that cannot be drawn is still told.
    if shown.is_err() {
        text = format!("{}: {}\n", finding.title, finding.message);
    }
    text
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
