//! A plan on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use switchover_engine::plan::{Action, Plan};

use crate::plan_file::Kept;
use crate::render::layout::{self, Gutter, Piece, Row, Tone};
use crate::render::notices::{self, Notice};
use crate::render::outline::{self, ChangeOutline, Detail, Entry, Extent, Outline, TargetOutline};
use crate::render::text::{WORDS, count as count_of, counted, in_ascii, visible};
use crate::terminal::Look;

/// Before each row of a change: two blanks, its sign, a blank.
const GUTTER: usize = 4;
/// Column in which notes begin that stand beside an address.
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

    const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Old => self.delete,
            Tone::New => self.create,
            Tone::Drift => self.drift,
            Tone::Arrow => self.faint,
        }
    }
}

const fn sign(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Delete => "-",
    }
}

/// The plan for people: what has to be known before, the targets in the order in which they run, and the line that sums
/// up.
pub(crate) fn render(plan: &Plan, extent: Extent, look: Look) -> String {
    let outline = Outline::new(plan, extent);
    let mut page = Page::new(look);
    // Writing to a string cannot fail.
    let _ = page.draw(&outline);
    page.finish()
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
    unicode: bool,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self {
            text: String::new(),
            palette: Palette::new(look.color),
            width: look.width,
            unicode: look.unicode,
        }
    }

    /// Everything that was drawn.
    pub(crate) fn finish(self) -> String {
        if self.unicode {
            self.text
        } else {
            in_ascii(&self.text)
        }
    }

    /// What follows, and what is worth knowing of it.
    pub(crate) fn heading(&mut self, name: &str, about: &str) -> std::fmt::Result {
        let Palette { strong, faint, .. } = self.palette;
        write!(self.text, "{strong}{}{strong:#}", visible(name))?;
        writeln!(self.text, "  {faint}{}{faint:#}", visible(about))
    }

    pub(crate) fn remark(&mut self, remark: &str) -> std::fmt::Result {
        let faint = self.palette.faint;
        writeln!(self.text, "  {faint}{}{faint:#}", visible(remark))
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// What stands before the targets.
    pub(crate) fn notices(&mut self, notices: &[Notice]) -> std::fmt::Result {
        let warning = self.palette.update;
        for Notice { word, text } in notices {
            let options = textwrap::Options::new(self.width)
                .subsequent_indent("  ")
                .break_words(false)
                .word_separator(WORDS)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            let notice = textwrap::fill(&format!("{word}: {}", visible(text)), options);
            let rest = notice.strip_prefix(word).unwrap_or(&notice);
            writeln!(self.text, "{warning}{word}{warning:#}{rest}")?;
        }
        if !notices.is_empty() {
            self.gap();
        }
        Ok(())
    }

    /// The line that sums up.
    pub(crate) fn sum(&mut self, sum: &str) -> std::fmt::Result {
        let strong = self.palette.strong;
        writeln!(self.text, "{strong}{sum}{strong:#}")
    }

    fn draw(&mut self, outline: &Outline<'_>) -> std::fmt::Result {
        self.notices(&notices::of_plan(outline.plan))?;
        if !outline.summary.is_empty() {
            self.targets(outline.targets.iter())?;
        }
        self.sum(&outline::sum(&outline.summary))
    }

    /// Targets in the order in which they run; those that change are numbered.
    pub(crate) fn targets<'a>(
        &mut self,
        targets: impl Iterator<Item = &'a TargetOutline<'a>>,
    ) -> std::fmt::Result {
        let mut number = 0;
        for target in targets {
            let changes = !target.target.changes.is_empty();
            number += usize::from(changes);
            self.target(changes.then_some(number), target)?;
            self.gap();
        }
        Ok(())
    }

    fn target(&mut self, number: Option<usize>, target: &TargetOutline<'_>) -> std::fmt::Result {
        let plan = target.target;
        let turn = outline::turn(number, &plan.name, plan.wave);
        self.heading(&turn, &outline::plugin(&plan.plugin))?;
        let changes = target.entries.iter().filter_map(|entry| match entry {
            Entry::Change(change) => Some(change),
            Entry::More { .. } => None,
        });
        // Both parts share their columns.
        let mut rows = self.rows(changes.chain(&target.drift)).into_iter();
        for entry in &target.entries {
            match entry {
                Entry::Change(change) => self.change(change, rows.next().unwrap_or_default())?,
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
        for (change, rows) in target.drift.iter().zip(rows) {
            self.change(change, rows)?;
        }
        if plan.changes.is_empty() {
            let unchanged = counted(plan.unchanged, "resource", "resources");
            self.remark(&format!("no changes, {unchanged} as wanted"))?;
        }
        for remark in target.remarks() {
            self.remark(&remark)?;
        }
        let faint = self.palette.faint;
        for (phase, step) in &target.steps {
            writeln!(self.text, "  {faint}{phase:<6}{faint:#}  {}", visible(step))?;
        }
        Ok(())
    }

    fn rows<'a>(&self, changes: impl Iterator<Item = &'a ChangeOutline<'a>>) -> Vec<Vec<Row>> {
        let changes: Vec<_> = changes.map(|outline| outline.change).collect();
        let arrow = if self.unicode { "→" } else { "->" };
        layout::rows(&changes, self.width.saturating_sub(GUTTER), arrow)
    }

    fn change(&mut self, outline: &ChangeOutline<'_>, rows: Vec<Row>) -> std::fmt::Result {
        if rows.is_empty() {
            self.by_address(outline)?;
        } else {
            for row in rows {
                self.row(&row)?;
            }
            if let Some(note) = &outline.note {
                let faint = self.palette.faint;
                writeln!(self.text, "      {faint}{}{faint:#}", visible(note))?;
            }
        }
        outline
            .details
            .iter()
            .try_for_each(|detail| self.detail(detail))
    }

    fn row(&mut self, row: &Row) -> std::fmt::Result {
        let Palette {
            faint,
            create,
            delete,
            ..
        } = self.palette;
        let (sign, style) = match row.gutter {
            Gutter::Action(action) => (sign(action), self.palette.of(action)),
            Gutter::Becomes => (if self.unicode { "→" } else { ">" }, faint),
            Gutter::Continued(_) | Gutter::Stays => (" ", Style::new()),
            Gutter::Goes => ("-", delete),
            Gutter::Comes => ("+", create),
        };
        // The sign of a value in a list stands before the value: in the first column it would be read as the resource's.
        let in_list = matches!(row.gutter, Gutter::Goes | Gutter::Comes);
        let indent = if in_list {
            first_blanks(&row.pieces)
        } else {
            0
        };
        let mut line = String::new();
        write!(line, "  {:1$}{style}{sign}{style:#} ", "", indent)?;
        let mut skip = indent;
        for Piece { text, tone, .. } in &row.pieces {
            let style = self.palette.tone(*tone);
            let text = &text[skip.min(text.len())..];
            skip = 0;
            if *tone == Tone::Plain || text.is_empty() {
                line.push_str(text);
            } else {
                write!(line, "{style}{text}{style:#}")?;
            }
        }
        writeln!(self.text, "{}", line.trim_end())
    }

    /// A resource of which its plugin says nothing.
    fn by_address(&mut self, outline: &ChangeOutline<'_>) -> std::fmt::Result {
        let Palette { faint, drift, .. } = self.palette;
        let change = outline.change;
        let style = self.palette.of(change.action);
        let address = visible(&change.address);
        write!(
            self.text,
            "  {style}{}{style:#} {address}",
            sign(change.action)
        )?;
        let mut used = GUTTER + address.chars().count();
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
        writeln!(self.text)
    }

    fn detail(&mut self, detail: &Detail) -> std::fmt::Result {
        let Palette {
            faint,
            create,
            delete,
            ..
        } = self.palette;
        match detail {
            Detail::Address(address) => {
                writeln!(self.text, "      {faint}{}{faint:#}", visible(address))
            }
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

/// Blanks at the beginning of a row.
fn first_blanks(pieces: &[Piece]) -> usize {
    pieces.first().map_or(0, |piece| {
        piece.text.len() - piece.text.trim_start_matches(' ').len()
    })
}
