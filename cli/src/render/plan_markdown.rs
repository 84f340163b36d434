//! A plan as a comment on a change request: one folded block a target. Blocks that would make it longer than GitHub takes
//! are left out, unless all of it is asked for.

use std::fmt::Write as _;

use switchover_engine::plan::{Action, Plan};

use crate::plan_file::Kept;
use crate::render::layout::{self, Gutter, Row};
use crate::render::notices::{self, Notice};
use crate::render::outline::{self, ChangeOutline, Detail, Entry, Extent, Outline, TargetOutline};
use crate::render::state::StateFound;
use crate::render::text::{COMMENT_LIMIT, counted, markdown_prose, markdown_safe, visible};

/// Characters of a row: more has to be scrolled to in a comment.
const ROOM: usize = 110;

/// GitHub-flavoured Markdown: the counts in the heading, what has to be known before, and a block for each target in the
/// order in which they run.
pub(crate) fn render(plan: &Plan, state: StateFound<'_>, extent: Extent) -> String {
    let outline = Outline::new(plan, extent);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut text, &outline, state, limit(extent));
    text
}

/// What names a plan that was kept, so that it can be approved.
pub(crate) fn kept(kept: &Kept) -> String {
    let signed = kept
        .signed_by
        .as_ref()
        .map(|key| format!(", signed by the key `{key}`"));
    format!(
        "\nDigest of the plan: `{}`{}\n",
        kept.digest,
        signed.unwrap_or_default()
    )
}

fn draw(
    text: &mut String,
    outline: &Outline<'_>,
    state: StateFound<'_>,
    limit: usize,
) -> std::fmt::Result {
    let site = markdown_safe(&outline.plan.site);
    heading(
        text,
        &format!("Plan for {site}"),
        &outline::sum(&outline.summary),
    )?;
    text.push_str(&state.markdown());
    draw_notices(text, &notices::of_plan(outline.plan))?;
    if outline.summary.is_empty() {
        return Ok(());
    }
    draw_blocks(text, outline.targets.iter(), limit)
}

/// `what` is safe already.
pub(crate) fn heading(text: &mut String, what: &str, sum: &str) -> std::fmt::Result {
    writeln!(text, "### {what}: {sum}")
}

/// What stands before the targets.
fn draw_notices(text: &mut String, notices: &[Notice]) -> std::fmt::Result {
    notices
        .iter()
        .try_for_each(|Notice { word, text: notice }| {
            writeln!(text, "\n**{word}**: {}", markdown_prose(notice))
        })
}

/// One folded block a target.
pub(crate) fn draw_targets<'a>(
    text: &mut String,
    targets: impl Iterator<Item = TargetOutline<'a>>,
    extent: Extent,
) {
    let targets: Vec<_> = targets.collect();
    // Writing to a string cannot fail.
    let _ = draw_blocks(text, targets.iter(), limit(extent));
}

const fn limit(extent: Extent) -> usize {
    match extent {
        Extent::Brief => COMMENT_LIMIT,
        Extent::Full => usize::MAX,
    }
}

fn draw_blocks<'a>(
    text: &mut String,
    targets: impl Iterator<Item = &'a TargetOutline<'a>>,
    limit: usize,
) -> std::fmt::Result {
    let mut room = limit.saturating_sub(text.chars().count() + RESERVED);
    let mut left_out = 0;
    let mut number = 0;
    for target in targets {
        let mut block = String::new();
        let changes = !target.target.changes.is_empty();
        number += usize::from(changes);
        draw_target(&mut block, changes.then_some(number), target)?;
        let length = block.chars().count();
        if length <= room {
            room -= length;
            text.push_str(&block);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let targets = counted(left_out, "target is", "targets are");
        writeln!(
            text,
            "\n{targets} left out, for want of room: `switchover plan` shows them all."
        )?;
    }
    Ok(())
}

/// What is needed after the last block.
const RESERVED: usize = 500;

fn draw_target(
    text: &mut String,
    number: Option<usize>,
    outline: &TargetOutline<'_>,
) -> std::fmt::Result {
    let target = outline.target;
    let count = |action| {
        target
            .changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    };
    let parts: Vec<String> = [
        (Action::Create, "to add"),
        (Action::Update, "to change"),
        (Action::Delete, "to remove"),
    ]
    .into_iter()
    .map(|(action, what)| (count(action), what))
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", crate::render::text::count(count)))
    .collect();
    let parts = if parts.is_empty() {
        "no changes".to_owned()
    } else {
        parts.join(", ")
    };
    let number = number
        .map(|number| format!("{number}. "))
        .unwrap_or_default();
    let plugin = outline::plugin(&target.plugin);
    writeln!(
        text,
        "\n<details><summary>{number}<b>{}</b> – {} ({}): {parts}</summary>\n",
        markdown_safe(&target.name),
        outline::wave(target.wave),
        markdown_safe(&plugin)
    )?;
    let mut block = String::new();
    let changes = outline.entries.iter().filter_map(|entry| match entry {
        Entry::Change(change) => Some(change),
        Entry::More { .. } => None,
    });
    // Both parts share their columns.
    let mut rows = rows(changes.chain(&outline.drift)).into_iter();
    for entry in &outline.entries {
        match entry {
            Entry::Change(change) => {
                draw_change(&mut block, change, rows.next().unwrap_or_default())?;
            }
            Entry::More {
                action,
                kind,
                count,
            } => {
                let more = format!("… and {} more ({kind})", crate::render::text::count(*count));
                writeln!(block, "{} {}", sign(*action), visible(&more))?;
            }
        }
    }
    if !outline.drift.is_empty() {
        writeln!(block, "# {}", outline::DRIFT)?;
    }
    for (change, rows) in outline.drift.iter().zip(rows) {
        draw_change(&mut block, change, rows)?;
    }
    for (phase, step) in &outline.steps {
        writeln!(block, "# {phase}: {}", visible(step))?;
    }
    if !block.is_empty() {
        let fence = fence(&block);
        writeln!(text, "{fence}diff\n{block}{fence}\n")?;
    }
    for remark in outline.remarks() {
        writeln!(text, "{}\n", markdown_prose(&remark))?;
    }
    writeln!(text, "</details>")
}

/// Lines as a block that nothing in them can end.
pub(crate) fn fenced(block: &str, language: &str) -> String {
    if block.is_empty() {
        return String::new();
    }
    let fence = fence(block);
    format!("{fence}{language}\n{block}{fence}\n\n")
}

fn rows<'a>(changes: impl Iterator<Item = &'a ChangeOutline<'a>>) -> Vec<Vec<Row>> {
    let changes: Vec<_> = changes.map(|outline| outline.change).collect();
    layout::rows(&changes, ROOM, "→")
}

/// `!` is what a `diff` block has for a change that is neither addition nor removal.
const fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '!',
        Action::Delete => '-',
    }
}

fn draw_change(
    block: &mut String,
    outline: &ChangeOutline<'_>,
    rows: Vec<Row>,
) -> std::fmt::Result {
    let change = outline.change;
    if rows.is_empty() {
        let address = visible(&change.address);
        write!(block, "{} {address}", sign(change.action))?;
        if change.reason.drifted() {
            write!(block, " (drifted)")?;
        }
        if let Some(note) = &outline.note {
            write!(block, "  {}", visible(note))?;
        }
        writeln!(block)?;
    } else {
        for row in rows {
            draw_row(block, &row)?;
        }
        if let Some(note) = &outline.note {
            writeln!(block, "    {}", visible(note))?;
        }
    }
    outline
        .details
        .iter()
        .try_for_each(|detail| draw_detail(block, detail))
}

/// The first character decides how a line of a `diff` block is coloured.
fn draw_row(block: &mut String, row: &Row) -> std::fmt::Result {
    let start = match row.gutter {
        Gutter::Action(action) | Gutter::Continued(action) => format!("{} ", sign(action)),
        Gutter::Becomes => "!→".to_owned(),
        Gutter::Goes => "- ".to_owned(),
        Gutter::Comes => "+ ".to_owned(),
        Gutter::Stays => "  ".to_owned(),
    };
    let pieces = row.pieces.iter().map(|piece| piece.text.as_str());
    let line: String = std::iter::once(start.as_str()).chain(pieces).collect();
    writeln!(block, "{}", line.trim_end())
}

fn draw_detail(block: &mut String, detail: &Detail) -> std::fmt::Result {
    let field = |path: &str, value: &str| visible(&outline::named(path, value, ": ")).into_owned();
    match detail {
        Detail::Address(address) => writeln!(block, "# {}", visible(address)),
        Detail::Changed {
            path,
            before,
            after,
        } => {
            writeln!(
                block,
                "-   {}\n+   {}",
                field(path, before),
                field(path, after)
            )
        }
        Detail::Added { path, value } => writeln!(block, "+   {}", field(path, value)),
        Detail::Removed { path, value } => writeln!(block, "-   {}", field(path, value)),
        Detail::Hunk(header) => writeln!(block, "{header}"),
        Detail::Kept(line) => writeln!(block, " {}", visible(line)),
        Detail::Inserted(line) => writeln!(block, "+{}", visible(line)),
        Detail::Deleted(line) => writeln!(block, "-{}", visible(line)),
        Detail::NoNewline => writeln!(block, "\\ no line break at the end"),
        Detail::MoreFields(count) => writeln!(
            block,
            "# … {}",
            counted(*count, "more field", "more fields")
        ),
        Detail::MoreLines(count) => {
            writeln!(block, "# … {}", counted(*count, "more line", "more lines"))
        }
    }
}

/// A fence longer than any run of backticks inside, so that no content can end the block.
fn fence(block: &str) -> String {
    let longest = block
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}
