//! A plan on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use switchover_engine::plan::{Action, Plan};

use crate::plan_file::Kept;
use crate::render::outline::{self, ChangeOutline, Detail, Entry, Extent, Outline, TargetOutline};
use crate::render::text::{count as count_of, counted, visible};
use crate::terminal::Look;

/// Column in which notes begin.
const NOTES: usize = 40;

/// Colours; all empty where there are none.
#[derive(Debug, Clone, Copy, Default)]
struct Palette {
    strong: Style,
    faint: Style,
    create: Style,
    update: Style,
    delete: Style,
    drift: Style,
}

impl Palette {
    fn new(color: bool) -> Self {
        if !color {
            return Self::default();
        }
        Self {
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
            create: AnsiColor::Green.on_default(),
            update: AnsiColor::Yellow.on_default(),
            delete: AnsiColor::Red.on_default(),
            drift: AnsiColor::Magenta.on_default(),
        }
    }

    const fn of(&self, action: Action) -> Style {
        match action {
            Action::Create => self.create,
            Action::Update => self.update,
            Action::Delete => self.delete,
        }
    }
}

const fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
    }
}

/// The plan for people, ending in the line that sums up.
pub(crate) fn render(plan: &Plan, extent: Extent, look: Look) -> String {
    let outline = Outline::new(plan, extent);
    let mut page = Page::new(look);
    // Writing to a string cannot fail.
    let _ = page.draw(&outline);
    page.text
}

/// What names a plan that was kept; the last line, where it is easily copied.
pub(crate) fn kept(kept: &Kept) -> String {
    let path = kept.path.display().to_string();
    let signed = kept
        .signed_by
        .as_ref()
        .map(|key| format!(", signed by the key {key}"));
    format!(
        "kept in {}{}: {}\n",
        visible(&path),
        signed.unwrap_or_default(),
        kept.digest
    )
}

/// Text on its way to a terminal.
pub(crate) struct Page {
    pub(crate) text: String,
    palette: Palette,
    width: usize,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self {
            text: String::new(),
            palette: Palette::new(look.color),
            width: look.width,
        }
    }

    /// A target's name, and what it is.
    pub(crate) fn heading(&mut self, name: &str, about: &str) -> std::fmt::Result {
        let Palette { strong, faint, .. } = self.palette;
        write!(self.text, "{strong}{}{strong:#}", visible(name))?;
        writeln!(self.text, "  {faint}{}{faint:#}", visible(about))
    }

    pub(crate) fn remark(&mut self, remark: &str) -> std::fmt::Result {
        let faint = self.palette.faint;
        writeln!(self.text, "  {faint}{}{faint:#}", visible(remark))
    }

    fn draw(&mut self, outline: &Outline<'_>) -> std::fmt::Result {
        let strong = self.palette.strong;
        if !outline.summary.is_empty() {
            for target in &outline.targets {
                self.target(target)?;
            }
        }
        let warning = self.palette.update;
        for (word, notice) in outline::notices(outline.plan) {
            writeln!(
                self.text,
                "{warning}{word}{warning:#}: {}",
                visible(&notice)
            )?;
        }
        writeln!(
            self.text,
            "{strong}{}{strong:#}",
            outline::sum(&outline.summary)
        )
    }

    pub(crate) fn target(&mut self, target: &TargetOutline<'_>) -> std::fmt::Result {
        let faint = self.palette.faint;
        let plan = target.target;
        let about = format!(
            "{} · {} {}",
            outline::wave(plan.wave),
            plan.plugin.name,
            plan.plugin.version
        );
        self.heading(&plan.name, &about)?;
        for entry in &target.entries {
            match entry {
                Entry::Change(change) => self.change(change)?,
                Entry::More {
                    action,
                    kind,
                    count,
                } => {
                    let style = self.palette.of(*action);
                    let more = format!("… and {} more ({kind})", count_of(*count));
                    writeln!(
                        self.text,
                        "  {style}{}{style:#} {}",
                        sign(*action),
                        visible(&more)
                    )?;
                }
            }
        }
        if !target.drift.is_empty() {
            let drift = self.palette.drift;
            writeln!(self.text, "  {drift}{}{drift:#}", outline::DRIFT)?;
        }
        for change in &target.drift {
            self.change(change)?;
        }
        if plan.changes.is_empty() {
            let unchanged = counted(plan.unchanged, "resource", "resources");
            writeln!(
                self.text,
                "  {faint}no changes, {unchanged} as wanted{faint:#}"
            )?;
        }
        for remark in target.remarks() {
            self.remark(&remark)?;
        }
        for (phase, step) in &target.steps {
            writeln!(self.text, "  {faint}{phase:<6}{faint:#}  {}", visible(step))?;
        }
        writeln!(self.text)
    }

    fn change(&mut self, outline: &ChangeOutline<'_>) -> std::fmt::Result {
        let Palette { faint, drift, .. } = self.palette;
        let change = outline.change;
        let style = self.palette.of(change.action);
        let address = visible(&change.address);
        write!(
            self.text,
            "  {style}{}{style:#} {address}",
            sign(change.action)
        )?;
        let mut used = 4 + address.chars().count();
        if change.reason.drifted() {
            write!(self.text, " {drift}(drifted){drift:#}")?;
            used += 10;
        }
        if let Some(note) = &outline.note {
            // Notes line up where addresses are short, and stand below them where there is no room for both.
            let note = visible(note);
            let room = self.width.saturating_sub(used + note.chars().count());
            let gap = NOTES.saturating_sub(used).max(2).min(room);
            if gap >= 2 {
                write!(self.text, "{:gap$}{faint}{note}{faint:#}", "")?;
            } else {
                write!(self.text, "\n      {faint}{note}{faint:#}")?;
            }
        }
        writeln!(self.text)?;
        outline
            .details
            .iter()
            .try_for_each(|detail| self.detail(detail))
    }

    fn detail(&mut self, detail: &Detail) -> std::fmt::Result {
        let Palette {
            faint,
            create,
            delete,
            ..
        } = self.palette;
        match detail {
            Detail::Changed {
                path,
                before,
                after,
            } => {
                let line = outline::named(path, &format!("{before} → {after}"), ": ");
                if line.chars().count() + 6 <= self.width {
                    return writeln!(self.text, "      {}", visible(&line));
                }
                self.field('-', delete, path, before)?;
                self.field('+', create, path, after)
            }
            Detail::Added { path, value } => self.field('+', create, path, value),
            Detail::Removed { path, value } => self.field('-', delete, path, value),
            Detail::Hunk(header) => writeln!(self.text, "      {faint}{header}{faint:#}"),
            Detail::Kept(line) => writeln!(self.text, "       {faint}{}{faint:#}", visible(line)),
            Detail::Inserted(line) => {
                writeln!(self.text, "      {create}+{}{create:#}", visible(line))
            }
            Detail::Deleted(line) => {
                writeln!(self.text, "      {delete}-{}{delete:#}", visible(line))
            }
            Detail::NoNewline => writeln!(
                self.text,
                "      {faint}\\ no line break at the end{faint:#}"
            ),
            Detail::MoreFields(count) => self.more(*count, "more field", "more fields"),
            Detail::MoreLines(count) => self.more(*count, "more line", "more lines"),
        }
    }

    fn field(&mut self, sign: char, style: Style, path: &str, value: &str) -> std::fmt::Result {
        let line = outline::named(path, value, ": ");
        writeln!(self.text, "      {style}{sign}{style:#} {}", visible(&line))
    }

    fn more(&mut self, count: usize, one: &str, many: &str) -> std::fmt::Result {
        let faint = self.palette.faint;
        writeln!(
            self.text,
            "      {faint}… {} (--full shows all){faint:#}",
            counted(count, one, many)
        )
    }
}
