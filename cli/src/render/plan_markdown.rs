//! A plan as a comment on a change request: one folded block a target.

use std::fmt::Write as _;

use switchover_engine::plan::{Action, Plan};

use crate::render::outline::{self, ChangeOutline, Detail, Entry, Extent, Outline, TargetOutline};
use crate::render::text::{counted, visible};

/// GitHub-flavoured Markdown, the line that sums up first.
pub(crate) fn render(plan: &Plan, extent: Extent) -> String {
    let outline = Outline::new(plan, extent);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut text, &outline);
    text
}

fn draw(text: &mut String, outline: &Outline<'_>) -> std::fmt::Result {
    writeln!(text, "### Plan for {}\n", html(&outline.plan.site))?;
    writeln!(text, "**{}**", outline::sum(&outline.summary))?;
    if outline.summary.is_empty() {
        return Ok(());
    }
    outline
        .targets
        .iter()
        .try_for_each(|target| draw_target(text, target))
}

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
        html(&target.name),
        html(&about)
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
    if change.drifted {
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

/// Text in the middle of HTML and Markdown.
fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' | '|' | '~' => {
                let _ = write!(safe, "&#{};", u32::from(character));
            }
            plain => safe.push(plain),
        }
    }
    safe
}
