//! `validate --format human`: findings drawn into their files, each cause once unless each finding is asked for.

use std::fmt::{self, Write as _};

use anstyle::AnsiColor;
use miette::LabeledSpan;
use switchover_topology::{Diagnostic, Related, Severity, Sources};

use super::groups::{Accepted, Group, Groups};
use crate::document::Document;
use crate::failure;
use crate::render::text::{count, counted, visible};
use crate::render::words::filled;
use crate::report::{Documents, Range, Tally, place};
use crate::terminal::Look;

/// What of a report is for this person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) look: Look,
    /// Each finding by itself, rather than each cause once.
    pub(crate) each: bool,
    /// Accepted findings as well.
    pub(crate) accepted: bool,
    /// What shows each finding by itself.
    pub(crate) by: &'static str,
}

/// All findings for people, then the line that sums up.
pub(crate) fn human(diagnostics: &[Diagnostic], sources: &Sources, shown: Shown) -> String {
    if !shown.each {
        let mut groups = groups(shown.look);
        groups.add(diagnostics, sources, None);
        return grouped(&groups, shown);
    }
    let mut text = each(diagnostics, sources, shown);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", Tally::of(diagnostics));
    text
}

/// Findings that are collected to be shown to people.
pub(crate) fn groups<'a>(look: Look) -> Groups<'a> {
    Groups::new(move |finding, documents| body(&Finding::new(finding, documents), look))
}

/// Collected findings, each cause once, then the line that sums up.
pub(crate) fn grouped(groups: &Groups<'_>, shown: Shown) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for group in groups.open_groups() {
        let _ = draw_group(&mut text, groups, group, shown);
    }
    if shown.accepted {
        for (code, accepted) in groups.accepted() {
            let _ = draw_accepted(&mut text, groups, code, accepted, shown.look);
        }
        if groups.accepted().next().is_some() {
            text.push('\n');
        }
    }
    let _ = writeln!(text, "{}", groups.tally());
    text
}

fn draw_group(
    text: &mut String,
    groups: &Groups<'_>,
    group: &Group,
    Shown { look, by, .. }: Shown,
) -> fmt::Result {
    let first = &group.first;
    let mut title = title(first);
    let width = look.width.saturating_sub(2);
    match &group.drawn {
        Some(drawn) => {
            if group.count() > 1 {
                title += &format!(" {}{}", look.times(), count(group.count()));
            }
            write!(text, "{}\n\n{drawn}", styled(&title, first.severity, look))?;
        }
        None => {
            title += &format!(" {}{} more", look.times(), count(group.count()));
            writeln!(text, "{}\n", styled(&title, first.severity, look))?;
            let place = group.place.as_ref().map(|place| format!(" at {place}"));
            let message = format!(
                "other causes than those above, first{}: {}",
                place.unwrap_or_default(),
                first.message
            );
            writeln!(text, "{}", filled(&visible(&message), width, "  ", "  "))?;
        }
    }
    if let Some(sites) = groups.sites_of(group) {
        writeln!(text, "{}", filled(&visible(&sites), width, "  ", "  "))?;
    }
    if let Some((others, more)) = groups.others(group) {
        let each = if more {
            format!("; {by}")
        } else {
            String::new()
        };
        let others = format!("{}{each}", visible(&others));
        writeln!(text, "{}", filled(&others, width, "  also: ", "        "))?;
    }
    text.push('\n');
    Ok(())
}

/// `SW205 ×44 accepted, first at phones.csv:2:9: analogue fax only`
fn draw_accepted(
    text: &mut String,
    groups: &Groups<'_>,
    code: &str,
    accepted: &Accepted,
    look: Look,
) -> fmt::Result {
    let (times, first) = match accepted.count {
        1 => (String::new(), ""),
        many => (format!(" {}{}", look.times(), count(many)), ", first"),
    };
    write!(text, "{}{times} accepted", visible(code))?;
    match groups.sites_of_accepted(accepted) {
        0 | 1 => {}
        sites => write!(text, " at {} sites", count(sites))?,
    }
    if let Some(place) = &accepted.place {
        write!(text, "{first} at {}", visible(place))?;
    }
    write!(text, ": {}", visible(&accepted.reason))?;
    match accepted.other_reasons() {
        0 => {}
        others => write!(
            text,
            "; {}",
            counted(others, "other reason", "other reasons")
        )?,
    }
    text.push('\n');
    Ok(())
}

/// Every finding drawn into its file, accepted ones in one line each.
fn each(diagnostics: &[Diagnostic], sources: &Sources, shown: Shown) -> String {
    let documents = Documents::new(sources);
    let mut text = String::new();
    let (accepted, open): (Vec<&Diagnostic>, Vec<&Diagnostic>) = diagnostics
        .iter()
        .partition(|diagnostic| diagnostic.acknowledged.is_some());
    for diagnostic in open {
        text.push_str(&draw(diagnostic, &documents, shown.look));
        text.push('\n');
    }
    if !shown.accepted || accepted.is_empty() {
        return text;
    }
    for diagnostic in accepted {
        let _ = write!(text, "{} accepted", visible(&title(diagnostic)));
        if let Some(range) = Range::of(diagnostic.span, &documents) {
            let _ = write!(text, " at {}", visible(&range.to_string()));
        }
        let reason = diagnostic.acknowledged.as_deref().unwrap_or_default();
        let _ = writeln!(text, ": {}", visible(reason));
    }
    text.push('\n');
    text
}

/// One finding, drawn into its file.
pub(super) fn draw(diagnostic: &Diagnostic, documents: &Documents<'_>, look: Look) -> String {
    let title = styled(&title(diagnostic), diagnostic.severity, look);
    let body = body(&Finding::new(diagnostic, documents), look);
    format!("{title}\n\n{body}")
}

fn title(diagnostic: &Diagnostic) -> String {
    visible(&format!("{} {}", diagnostic.code, diagnostic.name)).into_owned()
}

fn styled(title: &str, severity: Severity, look: Look) -> String {
    if !look.color {
        return title.to_owned();
    }
    let style = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    let style = style.on_default();
    format!("{style}{title}{style:#}")
}

/// What stands below the title: the message, the places, the help.
fn body(finding: &Finding<'_>, look: Look) -> String {
    let handler = failure::handler(look);
    let mut text = String::new();
    // One that cannot be drawn is still told.
    if handler.render_report(&mut text, finding).is_err() {
        text = format!("  {}\n", finding.message);
    }
    for elsewhere in &finding.elsewhere {
        if handler.render_report(&mut text, elsewhere).is_err() {
            let _ = writeln!(text, "  note: {}", elsewhere.message);
        }
    }
    text
}

/// A finding as miette draws it.
#[derive(Debug)]
struct Finding<'a> {
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
