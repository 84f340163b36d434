//! Findings as plain text, for golden files: place, source text, label, related places, help.

use jiff::civil::{Date, date};
use switchover_rules::judge;
use switchover_topology::{Diagnostic, Severity, Sources, Span, load_text};

/// The day on which all fixtures are judged.
pub(crate) const TODAY: Date = date(2026, 6, 1);

/// Reads and judges a text that includes nothing. Who configures what it declares is left out: short texts name no
/// target, and that is the point of SW5xx alone.
pub(crate) fn judged(text: &str) -> (Sources, Vec<Diagnostic>) {
    let (sources, mut diagnostics) = judged_whole(text);
    diagnostics.retain(|found| !found.code.starts_with("SW5"));
    (sources, diagnostics)
}

pub(crate) fn judged_whole(text: &str) -> (Sources, Vec<Diagnostic>) {
    let loaded = load_text("switchover.kdl", text.to_owned(), std::path::Path::new("."));
    (
        loaded.sources,
        judge(&loaded.topology, loaded.diagnostics, TODAY),
    )
}

/// The codes of what a text raises, in report order; in parentheses where acknowledged.
pub(crate) fn codes(text: &str) -> Vec<String> {
    judged(text).1.iter().map(code).collect()
}

fn code(found: &Diagnostic) -> String {
    match &found.acknowledged {
        Some(_) => format!("({})", found.code),
        None => found.code.clone(),
    }
}

/// As [`codes`], of these families alone, such as `SW10`: what else a short text lacks is not the point of every test.
pub(crate) fn codes_of(families: &[&str], text: &str) -> Vec<String> {
    let (_, mut found) = judged_whole(text);
    found.retain(|found| is_of(families, &found.code));
    found.iter().map(code).collect()
}

/// As [`shown`], of these families alone.
pub(crate) fn shown_of(families: &[&str], text: &str) -> String {
    let (sources, mut diagnostics) = judged_whole(text);
    diagnostics.retain(|found| is_of(families, &found.code));
    show(&sources, &diagnostics)
}

fn is_of(families: &[&str], code: &str) -> bool {
    families.iter().any(|family| code.starts_with(family))
}

/// Everything that a text raises.
pub(crate) fn shown(text: &str) -> String {
    let (sources, diagnostics) = judged(text);
    show(&sources, &diagnostics)
}

pub(crate) fn show(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let lines = diagnostics.iter().flat_map(|found| {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let mut lines = vec![format!(
            "{severity}[{}] {}: {}",
            found.code, found.name, found.message
        )];
        lines.extend(
            found
                .span
                .map(|span| format!("  at {}", place(sources, span))),
        );
        lines.extend(found.label.as_ref().map(|label| format!("     {label}")));
        for related in &found.related {
            lines.push(format!("  see {}", place(sources, related.span)));
            lines.push(format!("     {}", related.message));
        }
        lines.extend(found.help.as_ref().map(|help| format!("  help: {help}")));
        lines.extend(
            found
                .acknowledged
                .as_ref()
                .map(|reason| format!("  acknowledged: {reason}")),
        );
        lines
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Line, column, and the first line of the text there.
fn place(sources: &Sources, span: Span) -> String {
    let text = &sources.file(span.file).text;
    let before = &text[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let here = text[span.start as usize..span.end as usize]
        .lines()
        .next()
        .unwrap_or_default();
    format!("{line}:{column} {here}")
}
