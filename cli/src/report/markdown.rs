//! `validate --format markdown`: a comment on a change request.

use std::fmt::Write as _;

use switchover_topology::{Diagnostic, Sources};

use super::groups::Groups;
use crate::render::text::{COMMENT_LIMIT, counted, markdown_code, markdown_prose, markdown_safe};
use crate::report::{Documents, Range, Report, Tally, word};

/// What is needed after the last row.
const RESERVED: usize = 200;

/// GitHub-flavoured Markdown: the line that sums up, then a table of the findings, as many as fit. Each cause is a row, unless
/// each finding is asked for.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    if !report.each {
        let mut groups = groups();
        groups.add(report.diagnostics, report.sources, None);
        return grouped(&groups, &markdown_code(&report.topology));
    }
    let documents = Documents::new(report.sources);
    let mut page = Page::new(
        &markdown_code(&report.topology),
        Tally::of(report.diagnostics),
    );
    let (accepted, open): (Vec<&Diagnostic>, Vec<&Diagnostic>) = report
        .diagnostics
        .iter()
        .partition(|diagnostic| diagnostic.acknowledged.is_some());
    let row = |finding: &&Diagnostic| {
        let place = match Range::of(finding.span, &documents) {
            Some(range) => range.to_string(),
            None => report.topology.clone(),
        };
        Row {
            text: line(
                finding,
                &markdown_code(&place),
                1,
                &cell(finding, &documents),
            ),
            stands_for: tally_of(finding, 1),
        }
    };
    page.table(OPEN_HEADING, "", open.iter().map(row));
    page.table(ACCEPTED_HEADING, ACCEPTED_END, accepted.iter().map(row));
    page.end("`switchover validate` shows them all")
}

/// Findings that are collected for a comment.
pub(crate) fn groups<'a>() -> Groups<'a> {
    Groups::new(cell)
}

/// Collected findings, each cause once.
pub(crate) fn grouped(groups: &Groups<'_>, of: &str) -> String {
    let mut page = Page::new(of, groups.tally());
    page.causes(groups);
    page.end("`switchover validate` shows them all")
}

/// Findings as a folded part of a comment that already has so many characters; nothing where there are none. It is open where
/// something is to be done.
pub(crate) fn section(findings: &[Diagnostic], sources: &Sources, taken: usize) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut groups = groups();
    groups.add(findings, sources, None);
    let tally = groups.tally();
    let open = if tally.errors + tally.warnings > 0 {
        " open"
    } else {
        ""
    };
    let text = format!("\n<details{open}><summary>Findings: {tally}</summary>\n");
    let mut page = Page::of(text, taken);
    page.causes(&groups);
    page.end("`switchover validate` shows them all") + SECTION_END
}

const SECTION_END: &str = "\n</details>\n";

impl Page {
    fn causes(&mut self, groups: &Groups<'_>) {
        let open = groups.open_groups().iter().map(|group| {
            let finding = &group.first;
            let mut places = markdown_code(group.place.as_deref().unwrap_or("–"));
            if let Some((others, _)) = groups.others(group) {
                let _ = write!(places, "<br>also: {}", markdown_safe(&others));
            }
            if let Some(sites) = groups.sites_of(group) {
                let _ = write!(places, "<br>{}", markdown_safe(&sites));
            }
            let cell = group.drawn.clone().unwrap_or_else(|| {
                format!(
                    "other causes than those above, first: {}",
                    markdown_prose(&finding.message)
                )
            });
            Row {
                text: line(finding, &places, group.count(), &cell),
                stands_for: tally_of(finding, group.count()),
            }
        });
        self.table(OPEN_HEADING, "", open);
        let accepted = groups.accepted().map(|(code_of_rule, accepted)| {
            let place = markdown_code(accepted.place.as_deref().unwrap_or("–"));
            let first = if accepted.count > 1 { "first at " } else { "" };
            let others = match accepted.other_reasons() {
                0 => String::new(),
                others => format!("; {}", counted(others, "other reason", "other reasons")),
            };
            let text = format!(
                "| {first}{place} | **{} {}**{}<br>{}{others} |\n",
                markdown_safe(code_of_rule),
                markdown_safe(&accepted.name),
                times(accepted.count),
                markdown_safe(&accepted.reason)
            );
            let stands_for = Tally {
                accepted: accepted.count,
                ..Tally::default()
            };
            Row { text, stands_for }
        });
        self.table(RULES_HEADING, ACCEPTED_END, accepted);
    }
}

const OPEN_HEADING: &str = "| | place | finding |\n| --- | --- | --- |\n";
const ACCEPTED_HEADING: &str =
    "<details><summary>Accepted</summary>\n\n| | place | finding |\n| --- | --- | --- |\n";
const RULES_HEADING: &str =
    "<details><summary>Accepted</summary>\n\n| place | rule and reason |\n| --- | --- |\n";
const ACCEPTED_END: &str = "\n</details>\n";

/// A row of a table, and the findings that it stands for.
struct Row {
    text: String,
    stands_for: Tally,
}

/// A comment as far as it is written.
struct Page {
    text: String,
    room: usize,
    left_out: Tally,
}

impl Page {
    fn new(of: &str, tally: Tally) -> Self {
        Self::of(format!("### Findings in {of}\n\n**{tally}**\n"), 0)
    }

    /// Begins with this text, where so many characters of the comment are taken.
    fn of(text: String, taken: usize) -> Self {
        Self {
            room: COMMENT_LIMIT.saturating_sub(taken + text.chars().count() + 2 * RESERVED),
            text,
            left_out: Tally::default(),
        }
    }

    fn table(&mut self, heading: &str, end: &str, rows: impl Iterator<Item = Row>) {
        let mut table = String::new();
        for row in rows {
            let length = row.text.chars().count();
            // After the first that does not fit none is shown: a table with gaps would look complete.
            if self.left_out.is_empty() && length <= self.room {
                self.room -= length;
                table.push_str(&row.text);
            } else {
                self.left_out.add(&row.stands_for);
            }
        }
        if !table.is_empty() {
            let _ = write!(self.text, "\n{heading}{table}{end}");
        }
    }

    fn end(mut self, all: &str) -> String {
        let Tally {
            errors,
            warnings,
            notes,
            accepted,
        } = self.left_out;
        if !self.left_out.is_empty() {
            let more = counted(
                errors + warnings + notes + accepted,
                "more finding",
                "more findings",
            );
            let _ = writeln!(self.text, "\n… and {more} ({}): {all}.", self.left_out);
        }
        self.text
    }
}

fn tally_of(finding: &Diagnostic, count: usize) -> Tally {
    let mut tally = Tally::default();
    *tally.of_one(finding) = count;
    tally
}

fn times(count: usize) -> String {
    match count {
        1 => String::new(),
        many => format!(" ×{}", crate::render::text::count(many)),
    }
}

fn line(finding: &Diagnostic, places: &str, count: usize, cell: &str) -> String {
    format!(
        "| {} | {places} | **{} {}**{}<br>{cell} |\n",
        word(finding.severity),
        markdown_safe(&finding.code),
        markdown_safe(&finding.name),
        times(count)
    )
}

/// What a finding says, below its title.
fn cell(finding: &Diagnostic, documents: &Documents<'_>) -> String {
    let mut cell = markdown_prose(&finding.message);
    for related in &finding.related {
        if let Some(range) = Range::of(Some(related.span), documents) {
            let _ = write!(
                cell,
                "<br>{}: {}",
                markdown_code(&range.to_string()),
                markdown_prose(&related.message)
            );
        }
    }
    if let Some(reason) = &finding.acknowledged {
        let _ = write!(cell, "<br>accepted: {}", markdown_safe(reason));
    } else if let Some(help) = &finding.help {
        let _ = write!(cell, "<br><em>{}</em>", markdown_prose(help));
    }
    cell
}
