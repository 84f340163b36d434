//! `validate --format markdown`: a comment on a change request.

use std::fmt::Write as _;

use switchover_topology::Diagnostic;

use crate::render::text::{COMMENT_LIMIT, counted, markdown_safe};
use crate::report::{Documents, Range, Report, Tally, word};

/// What is needed after the last row.
const RESERVED: usize = 200;

/// GitHub-flavoured Markdown: the line that sums up, then a table of the findings, as many as fit.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    let documents = Documents::new(report.sources);
    let mut page = format!(
        "### Findings in {}\n\n**{}**\n",
        code(&report.topology),
        Tally::of(report.diagnostics)
    );
    let (accepted, open): (Vec<&Diagnostic>, Vec<&Diagnostic>) = report
        .diagnostics
        .iter()
        .partition(|diagnostic| diagnostic.acknowledged.is_some());
    let mut room = COMMENT_LIMIT.saturating_sub(page.chars().count() + 2 * RESERVED);
    let mut left_out = Vec::new();
    for (heading, end, diagnostics) in [
        (OPEN_HEADING, "", open),
        (ACCEPTED_HEADING, "\n</details>\n", accepted),
    ] {
        let mut table = String::new();
        for diagnostic in diagnostics {
            let row = row(diagnostic, report, &documents);
            let length = row.chars().count();
            // After the first that does not fit none is shown: a table with gaps would look complete.
            if left_out.is_empty() && length <= room {
                room -= length;
                table.push_str(&row);
            } else {
                left_out.push(diagnostic.clone());
            }
        }
        if !table.is_empty() {
            let _ = write!(page, "\n{heading}{table}{end}");
        }
    }
    if !left_out.is_empty() {
        let more = counted(left_out.len(), "more finding", "more findings");
        let _ = writeln!(
            page,
            "\n… and {more} ({}): `switchover validate` shows them all.",
            Tally::of(&left_out)
        );
    }
    page
}

const OPEN_HEADING: &str = "| | place | finding |\n| --- | --- | --- |\n";
const ACCEPTED_HEADING: &str =
    "<details><summary>Accepted</summary>\n\n| | place | finding |\n| --- | --- | --- |\n";

fn row(diagnostic: &Diagnostic, report: &Report<'_>, documents: &Documents<'_>) -> String {
    let place = match Range::of(diagnostic.span, documents) {
        Some(range) => range.to_string(),
        None => report.topology.clone(),
    };
    let mut cell = format!(
        "**{} {}**<br>{}",
        markdown_safe(&diagnostic.code),
        markdown_safe(&diagnostic.name),
        prose(&diagnostic.message)
    );
    for related in &diagnostic.related {
        if let Some(range) = Range::of(Some(related.span), documents) {
            let _ = write!(
                cell,
                "<br>{}: {}",
                code(&range.to_string()),
                prose(&related.message)
            );
        }
    }
    if let Some(reason) = &diagnostic.acknowledged {
        let _ = write!(cell, "<br>accepted: {}", markdown_safe(reason));
    } else if let Some(help) = &diagnostic.help {
        let _ = write!(cell, "<br><em>{}</em>", prose(help));
    }
    format!(
        "| {} | {} | {cell} |\n",
        word(diagnostic.severity),
        code(&place)
    )
}

/// Text whose backticks stand for code, as in all messages. HTML, because what is in a message may hold anything: inside
/// of Markdown's own backticks nothing can be escaped.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return markdown_safe(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    for (at, part) in parts.into_iter().enumerate() {
        if at.is_multiple_of(2) {
            safe.push_str(&markdown_safe(part));
        } else {
            safe.push_str(&code(part));
        }
    }
    safe
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", markdown_safe(text))
}
