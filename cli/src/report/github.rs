//! `validate --format github`: workflow commands, which GitHub shows as annotations of the changed files.
//!
//! Written as <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> says, escaped as the
//! runner's own toolkit does it.

use std::fmt::Write as _;

use switchover_topology::{Diagnostic, Severity};

use crate::render::text::visible;
use crate::report::{Documents, Range, Report, Tally};

/// One line for each finding that is not accepted, then the line that sums up, which the runner shows as it is.
pub(crate) fn github(report: &Report<'_>) -> String {
    let documents = Documents::new(report.sources);
    let mut text = String::new();
    let shown = report
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.acknowledged.is_none());
    for diagnostic in shown {
        annotate(&mut text, diagnostic, report, &documents);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", Tally::of(report.diagnostics));
    text
}

fn annotate(
    text: &mut String,
    diagnostic: &Diagnostic,
    report: &Report<'_>,
    documents: &Documents<'_>,
) {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let range = Range::of(diagnostic.span, documents);
    let title = format!("{} {}", diagnostic.code, diagnostic.name);
    let file = range.map_or(report.topology.as_str(), |range| range.file);
    let _ = write!(
        text,
        "::{level} title={},file={}",
        property(&title),
        property(file)
    );
    if let Some(Range { start, end, .. }) = range {
        let _ = write!(text, ",line={},endLine={}", start.line, end.line);
        // GitHub refuses columns of a range over several lines.
        if start.line == end.line {
            let last = (end.column - 1).max(start.column);
            let _ = write!(text, ",col={},endColumn={last}", start.column);
        }
    }
    // The log shows nothing but the message: it repeats the place.
    let place = range.map_or_else(|| report.topology.clone(), |range| range.to_string());
    let mut message = format!("{place}: {} {}", diagnostic.code, diagnostic.message);
    for related in &diagnostic.related {
        if let Some(range) = Range::of(Some(related.span), documents) {
            let _ = write!(message, "\n{range}: {}", related.message);
        }
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let _ = writeln!(text, "::{}", data(&message));
}

/// The part after the second `::`.
fn data(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| visible(line).replace('%', "%25"))
        .collect();
    lines.join("%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_or_begins_another() {
        assert_eq!(
            data("50%\n::stop-commands::x\r"),
            "50%25%0A::stop-commands::x\\r"
        );
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25\\n");
    }
}
