//! The lines of changes in columns: every format for people draws these rows.
//!
//! Lines of one kind share their columns, as do those that begin with the same word. What changes stands beside each other: in its place as `old → new` where that
//! is one word for another, otherwise below each other with only what changes repeated. Rows end at blanks; a name is
//! never broken.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp};
use switchover_engine::plan::{Action, Change, Line};
use textwrap::core::display_width;

/// A column that is wider does not push the columns of the other lines away.
const WIDEST: usize = 44;
/// Where a row goes on that is too long, if its last column begins too far to the right.
const HANG: usize = 4;
/// What stands where a value comes or goes.
const NOTHING: &str = "(none)";

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// It is so now.
    Old,
    /// It will be so.
    New,
    /// Somebody else changed it.
    Drift,
    /// Between an old and a new value.
    Arrow,
}

/// Text in one tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) tone: Tone,
    /// It stays on one row.
    whole: bool,
}

/// What stands before a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gutter {
    /// The first row of a change.
    Action(Action),
    /// What the row above becomes.
    Becomes,
    /// The row above goes on.
    Continued(Action),
    /// A value of a list that goes, stays, or comes.
    Goes,
    Stays,
    Comes,
}

/// One row, without its gutter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) gutter: Gutter,
    pub(crate) pieces: Vec<Piece>,
}

impl Piece {
    fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
            whole: false,
        }
    }

    fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Plain)
    }

    fn width(&self) -> usize {
        display_width(&self.text)
    }
}

/// One column of a change.
#[derive(Debug)]
enum Cell {
    Same(String),
    Changed { old: String, new: String },
}

/// A change on its way to rows.
struct Draft<'a> {
    /// With what others it shares its columns.
    group: &'a str,
    action: Action,
    cells: Vec<Cell>,
    /// Values below the last column.
    more: Vec<(Gutter, String)>,
    /// Old and new values stand below each other.
    stacked: bool,
    drifted: bool,
}

/// The rows of each change, none for one that has no line. `room` is what a row may take, `arrow` stands between old and
/// new.
pub(crate) fn rows(changes: &[&Change], room: usize, arrow: &str) -> Vec<Vec<Row>> {
    let mut drafts: Vec<Option<Draft<'_>>> =
        changes.iter().map(|change| Draft::of(change)).collect();
    let widths_at_first = widths(&drafts, arrow);
    for draft in drafts.iter_mut().flatten() {
        let in_place = !draft.stacked && draft.changes();
        draft.stacked |=
            in_place && width(&draft.row(&widths_at_first[draft.group], arrow, 0)) > room;
    }
    let widths = widths(&drafts, arrow);
    let drawn = |draft: &Option<Draft<'_>>| match draft {
        Some(draft) => draft.draw(&widths[draft.group], room, arrow),
        None => Vec::new(),
    };
    drafts.iter().map(drawn).collect()
}

/// How wide each column is, by group.
fn widths<'a>(drafts: &[Option<Draft<'a>>], arrow: &str) -> HashMap<&'a str, Vec<usize>> {
    let mut widths: HashMap<&str, Vec<usize>> = HashMap::new();
    for draft in drafts.iter().flatten() {
        let columns = widths.entry(draft.group).or_default();
        for (at, cell) in draft.cells.iter().enumerate() {
            if columns.len() <= at {
                columns.push(0);
            }
            let wide = if draft.stacked {
                display_width(cell.before()).max(display_width(cell.after()))
            } else {
                width(&cell.pieces(arrow))
            };
            // A short column keeps its place beside one that is too wide.
            if wide <= WIDEST {
                columns[at] = columns[at].max(wide);
            }
        }
    }
    widths
}

fn width(pieces: &[Piece]) -> usize {
    pieces.iter().map(Piece::width).sum()
}

impl Cell {
    fn of(old: &str, new: &str) -> Self {
        if old == new {
            return Self::Same(old.to_owned());
        }
        let told = |text: &str| match text {
            "" => NOTHING.to_owned(),
            text => text.to_owned(),
        };
        Self::Changed {
            old: told(old),
            new: told(new),
        }
    }

    fn before(&self) -> &str {
        match self {
            Self::Same(text) => text,
            Self::Changed { old, .. } => old,
        }
    }

    fn after(&self) -> &str {
        match self {
            Self::Same(text) => text,
            Self::Changed { new, .. } => new,
        }
    }

    /// One word for another, with the words before and behind; none where more than that changes, or where it would not
    /// be clear what belongs to what.
    fn word(&self) -> Option<[&str; 4]> {
        let Self::Changed { old, new } = self else {
            return None;
        };
        if old.contains(',') || new.contains(',') || old == NOTHING || new == NOTHING {
            return None;
        }
        let same = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
            pairs
                .take_while(|(old, new)| old == new)
                .map(|(word, _)| word.len())
                .sum::<usize>()
        };
        let before = same(&mut old.split_inclusive(' ').zip(new.split_inclusive(' ')));
        let (old, new, before) = (&old[before..], &new[before..], &old[..before]);
        let last = |text: &str| text.rfind(' ').map_or(0, |at| at);
        let mut behind = 0;
        while old.len() > behind && new.len() > behind {
            let (left, right) = (&old[..old.len() - behind], &new[..new.len() - behind]);
            let (left, right) = (&left[last(left)..], &right[last(right)..]);
            if left != right || left.is_empty() {
                break;
            }
            behind += left.len();
        }
        let (old, behind) = old.split_at(old.len() - behind);
        let new = &new[..new.len() - behind.len()];
        let is_word = |text: &str| !text.is_empty() && !text.contains(' ');
        (is_word(old) && is_word(new)).then_some([before, old, new, behind])
    }

    fn pieces(&self, arrow: &str) -> Vec<Piece> {
        match (self, self.word()) {
            (Self::Same(text), _) => vec![Piece::plain(text)],
            (_, Some([before, old, new, behind])) => vec![
                Piece::plain(before),
                Piece::new(old, Tone::Old),
                Piece::new(format!(" {arrow} "), Tone::Arrow),
                Piece::new(new, Tone::New),
                Piece::plain(behind),
            ],
            (Self::Changed { old, .. }, None) => vec![Piece::new(old, Tone::Old)],
        }
    }
}

impl<'a> Draft<'a> {
    fn of(change: &'a Change) -> Option<Self> {
        let first = change.after_line.as_ref().or(change.before_line.as_ref())?;
        let first = first.columns.first().map_or("", String::as_str);
        let (cells, more) = match (&change.before_line, &change.after_line) {
            (Some(before), Some(after)) => both(before, after),
            (Some(line), None) | (None, Some(line)) => alone(line, change.action),
            (None, None) => return None,
        };
        let in_place = |cell: &Cell| matches!(cell, Cell::Same(_)) || cell.word().is_some();
        Some(Self {
            group: first.split_once(' ').map_or(&change.kind, |(word, _)| word),
            action: change.action,
            stacked: !cells.iter().all(in_place),
            cells,
            more,
            drifted: change.reason.drifted(),
        })
    }

    fn changes(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| matches!(cell, Cell::Changed { .. }))
    }

    /// The first row. Columns of at most `whole` are not broken.
    fn row(&self, widths: &[usize], arrow: &str, whole: usize) -> Vec<Piece> {
        let cell = |cell: &Cell| match cell {
            Cell::Changed { old, new } if self.stacked => marked(old, new, Tone::Old),
            cell => cell.pieces(arrow),
        };
        self.beside(widths, whole, cell)
    }

    /// What changes, in its columns.
    fn becomes(&self, widths: &[usize], whole: usize) -> Vec<Piece> {
        let cell = |cell: &Cell| match cell {
            Cell::Changed { old, new } => marked(new, old, Tone::New),
            // As wide as what stands above it.
            Cell::Same(text) => vec![Piece::plain(" ".repeat(display_width(text)))],
        };
        let mut pieces = self.beside(widths, whole, cell);
        while pieces
            .last()
            .is_some_and(|last| last.text.trim().is_empty())
        {
            pieces.pop();
        }
        pieces
    }

    /// Cells with blanks between them; none behind the last one that says something.
    fn beside(
        &self,
        widths: &[usize],
        whole: usize,
        of: impl Fn(&Cell) -> Vec<Piece>,
    ) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        // Blanks are written once something stands behind them.
        let mut blanks = 0;
        for (cell, room) in self.cells.iter().zip(widths) {
            // Nobody has anything in this column.
            if *room == 0 && cell.before().is_empty() && cell.after().is_empty() {
                continue;
            }
            let drawn = of(cell);
            let wide = width(&drawn);
            if wide > 0 {
                if blanks > 0 {
                    pieces.push(Piece::plain(" ".repeat(blanks)));
                }
                let says = |piece: &Piece| !piece.text.trim().is_empty();
                let whole = wide <= whole && drawn.iter().any(says);
                pieces.extend(drawn.into_iter().map(|piece| Piece { whole, ..piece }));
                blanks = 0;
            }
            blanks += room.saturating_sub(wide) + 1;
        }
        pieces
    }

    /// Where the last column begins.
    fn last_column(&self, widths: &[usize]) -> usize {
        let before = self.cells.len().saturating_sub(1);
        let wide = |(cell, room): (&Cell, &usize)| match display_width(cell.before()).max(*room) {
            0 => 0,
            wide => wide + 1,
        };
        self.cells[..before].iter().zip(widths).map(wide).sum()
    }

    fn draw(&self, widths: &[usize], room: usize, arrow: &str) -> Vec<Row> {
        let start = self.last_column(widths);
        let last = self.cells.last().into_iter();
        let texts = last
            .flat_map(|cell| [cell.before(), cell.after()])
            .chain(self.more.iter().map(|(_, value)| value.as_str()));
        let longest = texts
            .flat_map(|text| text.split(' '))
            .map(display_width)
            .max();
        let fits = start * 3 <= room * 2 && start + longest.unwrap_or_default() <= room;
        let hang = if fits { start } else { HANG };
        let mut rows = Vec::new();
        // In a list, what goes on is told apart from the next value.
        let next = if self.more.is_empty() { hang } else { hang + 2 };
        let mut put = |gutter, pieces| {
            for (at, pieces) in wrap(pieces, room, next).into_iter().enumerate() {
                let gutter = match (at, gutter) {
                    (0, gutter) => gutter,
                    _ => Gutter::Continued(self.action),
                };
                rows.push(Row { gutter, pieces });
            }
        };
        let whole = room.saturating_sub(next);
        let mut first = self.row(widths, arrow, whole);
        if self.drifted {
            first.push(Piece::new(" (drifted)", Tone::Drift));
        }
        put(Gutter::Action(self.action), first);
        if self.stacked {
            put(Gutter::Becomes, self.becomes(widths, whole));
        }
        for (gutter, value) in &self.more {
            let tone = match gutter {
                Gutter::Goes => Tone::Old,
                Gutter::Comes => Tone::New,
                _ => Tone::Plain,
            };
            let pieces = vec![Piece::plain(" ".repeat(hang)), Piece::new(value, tone)];
            put(*gutter, pieces);
        }
        rows
    }
}

/// A text whose words that the other one has not are in this tone.
fn marked(text: &str, other: &str, tone: Tone) -> Vec<Piece> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let bare = |text: &'_ str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let mut tones = vec![tone; words.len()];
    for operation in similar::capture_diff_slices(Algorithm::Myers, &bare(text), &bare(other)) {
        if let DiffOp::Equal { old_index, len, .. } = operation {
            let same = tones.iter_mut().skip(old_index).take(len);
            same.for_each(|tone| *tone = Tone::Plain);
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (word, tone) in words.into_iter().zip(tones) {
        match pieces.last_mut() {
            Some(last) if last.tone == tone => last.text.push_str(word),
            _ => pieces.push(Piece::new(word, tone)),
        }
    }
    pieces
}

/// A line that comes or goes as a whole.
fn alone(line: &Line, action: Action) -> (Vec<Cell>, Vec<(Gutter, String)>) {
    let cells = line.columns.iter().map(|text| Cell::Same(shown(text)));
    let more = line.more.iter();
    let more = more.map(|text| (Gutter::Continued(action), shown(text)));
    (cells.collect(), more.collect())
}

/// A line that becomes another one.
fn both(before: &Line, after: &Line) -> (Vec<Cell>, Vec<(Gutter, String)>) {
    let [before, after] = [before, after].map(|line| Line {
        columns: line.columns.iter().map(|text| shown(text)).collect(),
        more: line.more.iter().map(|text| shown(text)).collect(),
    });
    let longest = before.columns.len().max(after.columns.len());
    let column = |line: &Line, at: usize| line.columns.get(at).cloned().unwrap_or_default();
    let mut cells: Vec<Cell> = (0..longest)
        .map(|at| Cell::of(&column(&before, at), &column(&after, at)))
        .collect();
    if before.more.is_empty() && after.more.is_empty() {
        return (cells, Vec::new());
    }
    // The last column is a list, of which the first value stands in the row where it stays.
    let list = |line: &Line| -> Vec<String> {
        let last = line.columns.last().into_iter().chain(&line.more);
        last.cloned().collect()
    };
    let mut values = values(&list(&before), &list(&after));
    cells.pop();
    cells.push(Cell::Same(match values.first() {
        Some((Gutter::Stays, _)) => values.remove(0).1,
        _ => String::new(),
    }));
    (cells, values)
}

/// Every value of both lists, with what becomes of it.
fn values(before: &[String], after: &[String]) -> Vec<(Gutter, String)> {
    let mut values = Vec::new();
    let mut put = |gutter, texts: &[String]| {
        values.extend(texts.iter().map(|text| (gutter, text.clone())));
    };
    for operation in similar::capture_diff_slices(Algorithm::Myers, before, after) {
        match operation {
            DiffOp::Equal { old_index, len, .. } => {
                put(Gutter::Stays, &before[old_index..old_index + len]);
            }
            DiffOp::Delete {
                old_index, old_len, ..
            } => put(Gutter::Goes, &before[old_index..old_index + old_len]),
            DiffOp::Insert {
                new_index, new_len, ..
            } => put(Gutter::Comes, &after[new_index..new_index + new_len]),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => {
                put(Gutter::Goes, &before[old_index..old_index + old_len]);
                put(Gutter::Comes, &after[new_index..new_index + new_len]);
            }
        }
    }
    values
}

/// A plan that was kept may say anything.
fn shown(text: &str) -> String {
    crate::render::text::visible(text).into_owned()
}

/// Rows of at most `room`, but for a word that is longer; all but the first begin at `hang`.
fn wrap(pieces: Vec<Piece>, room: usize, hang: usize) -> Vec<Vec<Piece>> {
    if width(&pieces) <= room {
        return vec![pieces];
    }
    let mut rows = vec![Vec::new()];
    let mut used = 0;
    // Blanks that were read and not written.
    let mut blanks = 0;
    for word in words(pieces) {
        let wide = width(&word);
        if word.iter().all(|piece| piece.text.trim().is_empty()) {
            blanks += wide;
            continue;
        }
        let is_first = used == 0 || (used == hang && rows.len() > 1);
        if !is_first && used + blanks + wide > room {
            rows.push(vec![Piece::plain(" ".repeat(hang))]);
            used = hang;
            blanks = 0;
        }
        if let Some(row) = rows.last_mut() {
            if blanks > 0 {
                row.push(Piece::plain(" ".repeat(blanks)));
            }
            row.extend(word);
        }
        used += blanks + wide;
        blanks = 0;
    }
    rows
}

/// The pieces cut between words and blanks; a word may be of several pieces.
fn words(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut words: Vec<Vec<Piece>> = Vec::new();
    let mut open = false;
    for piece in pieces {
        let parts: Vec<&str> = match piece.whole {
            true => vec![&piece.text],
            false => split_blanks(&piece.text).collect(),
        };
        for part in parts {
            let is_word = piece.whole || !part.starts_with(' ');
            let part = Piece::new(part, piece.tone);
            match words.last_mut() {
                Some(word) if open && is_word => word.push(part),
                _ => words.push(vec![part]),
            }
            open = is_word;
        }
    }
    words
}

/// Runs of blanks, and what is between them.
fn split_blanks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let blank = first == ' ';
        let end = rest
            .find(|letter: char| (letter == ' ') != blank)
            .unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use switchover_engine::plan::Reason;

    use super::*;

    fn line(columns: &[&str], more: &[&str]) -> Option<Line> {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Some(Line {
            columns: owned(columns),
            more: owned(more),
        })
    }

    fn change(before_line: Option<Line>, after_line: Option<Line>) -> Change {
        Change {
            address: "thing/x".to_owned(),
            kind: "thing".to_owned(),
            action: match (&before_line, &after_line) {
                (None, _) => Action::Create,
                (_, None) => Action::Delete,
                _ => Action::Update,
            },
            reason: Reason::Wanted,
            before: None,
            after: None,
            before_line,
            after_line,
        }
    }

    fn drawn(changes: &[Change], room: usize) -> Vec<String> {
        let changes: Vec<&Change> = changes.iter().collect();
        let row = |row: Row| {
            let sign = match row.gutter {
                Gutter::Action(Action::Create) => '+',
                Gutter::Action(Action::Update) => '~',
                Gutter::Action(Action::Delete) => '-',
                Gutter::Becomes => '>',
                Gutter::Continued(_) => ' ',
                Gutter::Goes => '<',
                Gutter::Stays => '=',
                Gutter::Comes => '*',
            };
            let text: String = row.pieces.iter().map(|piece| piece.text.as_str()).collect();
            format!("{sign}{text}")
        };
        rows(&changes, room, "→")
            .into_iter()
            .flatten()
            .map(row)
            .collect()
    }

    #[test]
    fn columns_of_a_kind_line_up_and_empty_ones_take_no_room() {
        let rows = drawn(
            &[
                change(None, line(&["option 3 routers", "", "10.0.0.1", ""], &[])),
                change(
                    None,
                    line(
                        &["option 66 tftp-server-name", "", "http://x/", "phones"],
                        &[],
                    ),
                ),
                change(None, None),
                change(line(&["option 6", "", "", "phones"], &[]), None),
            ],
            80,
        );
        assert_eq!(
            rows,
            [
                "+option 3 routers           10.0.0.1",
                "+option 66 tftp-server-name http://x/ phones",
                "-option 6                             phones",
            ]
        );
    }

    #[test]
    fn one_word_for_another_stands_in_its_place() {
        let host = |address, name| line(&["host a", address, name], &[]);
        let subnet = |text: &str| line(&["subnet", text], &[]);
        let rows = drawn(
            &[
                change(host("10.0.0.1", "x"), host("10.0.0.2", "x")),
                change(subnet("pool 1 - 2 wide"), subnet("pool 1 - 3 wide")),
                change(subnet("1 1"), subnet("1 2")),
                change(subnet("1 1"), subnet("2 1")),
            ],
            80,
        );
        assert_eq!(
            rows,
            [
                "~host a 10.0.0.1 → 10.0.0.2 x",
                "~subnet pool 1 - 2 → 3 wide",
                "~subnet 1 1 → 2",
                "~subnet 1 → 2 1",
            ]
        );
    }

    #[test]
    fn what_is_more_than_a_word_stands_below_with_nothing_but_what_changes() {
        let rows = drawn(
            &[
                change(
                    line(&["option 6", "10.0.0.1, 10.0.0.2", "phones"], &[]),
                    line(&["option 6", "10.0.0.1, 10.0.0.3", "phones"], &[]),
                ),
                change(line(&["host a", ""], &[]), line(&["host a", "x"], &[])),
                change(line(&["host a", "x"], &[]), line(&["host a"], &[])),
                change(line(&["user 1", "A B"], &[]), line(&["user 1", "C"], &[])),
            ],
            80,
        );
        assert_eq!(
            rows,
            [
                "~option 6 10.0.0.1, 10.0.0.2 phones",
                ">         10.0.0.1, 10.0.0.3",
                "~host a (none)",
                ">       x",
                "~host a x",
                ">       (none)",
                "~user 1 A B",
                ">       C",
            ]
        );
    }

    #[test]
    fn of_a_list_each_value_has_its_row() {
        let set = |data: &[&str]| line(&["a. 60 IN SRV", data[0]], &data[1..]);
        let rows = drawn(
            &[
                change(None, set(&["1 a.", "2 b."])),
                change(set(&["1 a.", "2 b."]), set(&["1 a.", "2 c.", "3 d."])),
                change(set(&["1 a.", "2 b."]), set(&["2 b."])),
                change(set(&["1 a."]), set(&["2 a."])),
            ],
            80,
        );
        assert_eq!(
            rows,
            [
                "+a. 60 IN SRV 1 a.",
                "              2 b.",
                "~a. 60 IN SRV 1 a.",
                "<             2 b.",
                "*             2 c.",
                "*             3 d.",
                "~a. 60 IN SRV",
                "<             1 a.",
                "=             2 b.",
                "~a. 60 IN SRV 1 → 2 a.",
            ]
        );
    }

    #[test]
    fn rows_end_between_words() {
        let long = "a-name-that-is-longer-than-the-room-that-there-is.example";
        let rows = drawn(
            &[
                change(
                    None,
                    line(&["option 6", "10.0.0.1, 10.0.0.2, 10.0.0.3", long], &[]),
                ),
                change(
                    None,
                    line(
                        &["class a", "if one-word or another-word or a-third-word"],
                        &[],
                    ),
                ),
                change(
                    line(&["host a", "10.0.0.1", "reception-of-the-hotel"], &[]),
                    line(&["host a", "10.0.0.2", "reception-of-the-hotel"], &[]),
                ),
            ],
            32,
        );
        assert_eq!(
            rows,
            [
                "+option 6".to_owned(),
                "     10.0.0.1, 10.0.0.2, 10.0.0.3".to_owned(),
                format!("     {long}"),
                "+class a if one-word or".to_owned(),
                "         another-word or".to_owned(),
                "         a-third-word".to_owned(),
                "~host a 10.0.0.1".to_owned(),
                "     reception-of-the-hotel".to_owned(),
                ">       10.0.0.2".to_owned(),
            ]
        );
        for row in rows.iter().filter(|row| !row.contains(long)) {
            assert!(row.chars().count() <= 33, "{row}");
        }
    }

    #[test]
    fn one_wide_column_does_not_push_the_others_away() {
        let wide = "x".repeat(WIDEST + 1);
        let rows = drawn(
            &[
                change(None, line(&[&wide, "1"], &[])),
                change(None, line(&["ab", "2"], &[])),
                change(None, line(&["abc", "3"], &[])),
            ],
            80,
        );
        assert_eq!(
            rows,
            [
                format!("+{wide} 1"),
                "+ab  2".to_owned(),
                "+abc 3".to_owned()
            ]
        );
    }

    #[test]
    fn whatever_a_line_says_is_drawn() {
        let long = "x".repeat(300);
        let texts = ["", " ", "  a", "é", "a b", "a  b ", "日本 語", "a,b", &long];
        for room in [1, 10, 80] {
            for old in texts {
                for new in texts {
                    let rows = drawn(
                        &[
                            change(line(&[old, new], &[]), line(&[new, old], &[new])),
                            change(line(&[old, "k", new], &[old]), line(&[new], &[])),
                        ],
                        room,
                    );
                    let all = rows.join("\n");
                    for word in [old, new].iter().flat_map(|text| text.split_whitespace()) {
                        assert!(all.contains(word), "{word} in {all}");
                    }
                }
            }
        }
    }
}
