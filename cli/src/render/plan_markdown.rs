//! A plan as a comment on a change request: one folded block a target. Blocks that would make it longer than GitHub takes
//! are left out, unless all of it is asked for.

use std::fmt::Write as _;

use switchover_engine::plan::{Action, Plan};

use crate::plan_file::Kept;
use crate::render::outline::{self, ChangeOutline, Detail, Entry, Extent, Outline, TargetOutline};
use crate::render::state::StateFound;
use crate::render::text::{COMMENT_LIMIT, counted, markdown_safe, visible};

/// GitHub-flavoured Markdown, the line that sums up first.
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
    writeln!(text, "### Plan for {}\n", markdown_safe(&outline.plan.site))?;
    text.push_str(&state.markdown());
    writeln!(text, "**{}**", outline::sum(&outline.summary))?;
    for (word, notice) in outline::notices(outline.plan) {
        writeln!(text, "\n**{word}**: {}", markdown_safe(&notice))?;
    }
    if outline.summary.is_empty() {
        return Ok(());
    }
    draw_blocks(text, outline.targets.iter(), limit)
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
    for target in targets {
        let mut block = String::new();
        draw_target(&mut block, target)?;
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

fn draw_target(text: &mut String, outline: &TargetOutline<'_>) -> std::fmt::Result {
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
    let about = format!(
        "{} · {} {}",
        outline::wave(target.wave),
        target.plugin.name,
        target.plugin.version
    );
    writeln!(
        text,
        "\n<details><summary><b>{}</b> ({}): {parts}</summary>\n",
        markdown_safe(&target.name),
        markdown_safe(&about)
    )?;
    let mut block = String::new();
    for entry in &outline.entries {
        match entry {
            Entry::Change(change) => draw_change(&mut block, change)?,
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
    for change in &outline.drift {
        draw_change(&mut block, change)?;
    }
    for (phase, step) in &outline.steps {
        writeln!(block, "# {phase}: {}", visible(step))?;
    }
    if !block.is_empty() {
        let fence = fence(&block);
        writeln!(text, "{fence}diff\n{block}{fence}\n")?;
    }
    for remark in outline.remarks() {
        writeln!(text, "{remark}\n")?;
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

/// `!` is what a `diff` block has for a change that is neither addition nor removal.
const fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '!',
        Action::Delete => '-',
    }
}

fn draw_change(block: &mut String, outline: &ChangeOutline<'_>) -> std::fmt::Result {
    let change = outline.change;
    write!(
        block,
        "{} {}",
        sign(change.action),
        visible(&change.address)
    )?;
    if change.reason.drifted() {
        write!(block, " (drifted)")?;
    }
    if let Some(note) = &outline.note {
        write!(block, "  {}", visible(note))?;
    }
    writeln!(block)?;
    outline
        .details
        .iter()
        .try_for_each(|detail| draw_detail(block, detail))
}

fn draw_detail(block: &mut String, detail: &Detail) -> std::fmt::Result {
    let field = |path: &str, value: &str| visible(&outline::named(path, value, ": ")).into_owned();
    match detail {
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
