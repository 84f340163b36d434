//! What people write where KDL wants something else. Where the parser refuses a text, this says what was most likely
//! meant, and repairs it, so that everything else in the text is read as if it stood alone.
//!
//! Nothing here decides what is KDL: that is the parser's. What it accepts is refused for one reason only
//! ([`Certainty::Foreign`]): words that look like other languages' syntax, and that the user would never find.

mod blocks;
mod lexer;
mod line;
mod lines;
mod marks;
mod names;
mod quotes;
mod strings;
mod values;
mod words;

use std::ops::Range;

use crate::Diagnostic;
use crate::report::syntax_error;
use crate::source::{FileId, Lines, Span};
use blocks::Blocks;
use lexer::{Lexer, Token};

/// Calls for each string and each word of a text, however broken it is, with the line in which it stands.
pub(super) fn for_each_value(text: &str, mut each: impl FnMut(&Range<usize>, Range<usize>)) {
    let mut lexer = Lexer::new(text, 0);
    let mut tokens = Vec::new();
    while let Some(line) = lexer.line(&mut tokens) {
        for token in tokens.iter().filter(|token| token.is_value()) {
            each(&line, token.range());
        }
    }
}

/// A part of the text to write otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) replacement: String,
}

impl Edit {
    fn new(range: Range<usize>, replacement: impl Into<String>) -> Self {
        Self {
            range,
            replacement: replacement.into(),
        }
    }
}

/// Whether the parser agrees that it is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// KDL has no such thing: said where the parser refuses the text.
    Sure,
    /// KDL takes it for a word, and nobody means it so: said in any case.
    Foreign,
    /// KDL takes it for a word, and somebody may mean it so: said where the parser refuses the text.
    Loose,
    /// About the braces of the whole text.
    Structure,
}

/// One mistake.
#[derive(Debug)]
struct Mistake {
    at: Range<usize>,
    certainty: Certainty,
    message: String,
    /// What goes before the corrected line, or instead of it.
    hint: Option<String>,
    /// The lines to show corrected, if that helps.
    corrected: Option<Range<usize>>,
    edits: Vec<Edit>,
}

/// The mistakes of a text.
#[derive(Default)]
pub(super) struct Found {
    /// In the order of the text.
    mistakes: Vec<Mistake>,
    /// The lines that they are about: apart, and in order.
    about: Vec<Range<usize>>,
    /// Whether the text is of another language as a whole: nothing else is worth saying.
    other_language: bool,
}

/// What is read instead of a text with mistakes.
pub(super) struct Repaired {
    pub(super) text: String,
    edits: Vec<Edit>,
    /// Where each edit's replacement stands in the repaired text.
    places: Vec<Range<usize>>,
}

/// Whether a stretch that the parser accepts holds what only looks like KDL.
pub(super) fn looks_foreign(text: &str, chunk: Range<usize>) -> bool {
    let mut scan = Scan::new(&text[..chunk.end], text, 0);
    scan.run(chunk.start);
    scan.found
        .mistakes
        .iter()
        .any(|mistake| mistake.certainty == Certainty::Foreign)
}

/// Whether a stretch holds so many mistakes that the parser has nothing to add. It recurses with each of them.
pub(super) fn are_many(text: &str, chunk: Range<usize>) -> bool {
    const MANY: usize = 32;
    let mut scan = Scan::new(&text[..chunk.end], text, 0);
    scan.run(chunk.start);
    let is_sure =
        |mistake: &&Mistake| matches!(mistake.certainty, Certainty::Sure | Certainty::Structure);
    scan.found.mistakes.iter().filter(is_sure).count() > MANY
}

/// Looks for the mistakes of a text of which the parser refused some stretches.
pub(super) fn find(text: &str, shown: &str, refused: &[Range<usize>]) -> Found {
    let mut scan = Scan::new(text, shown, blocks::balance(text));
    scan.run(0);
    let mut found = scan.found;
    let is_refused = |at: usize| {
        let after = refused.partition_point(|range| range.start <= at);
        after
            .checked_sub(1)
            .is_some_and(|index| at < refused[index].end)
    };
    found.mistakes.retain(|mistake| match mistake.certainty {
        Certainty::Foreign | Certainty::Structure => true,
        Certainty::Sure | Certainty::Loose => is_refused(mistake.at.start),
    });
    found.note_lines(text);
    found
}

/// What is found in a text that the parser accepts as a whole; nothing, as there is no mistake in it. What reads as another
/// language's is refused on purpose, whatever the parser says.
pub(super) fn false_alarm(text: &str) -> Option<String> {
    let mut scan = Scan::new(text, text, blocks::balance(text));
    scan.run(0);
    let alarm =
        |mistake: &&Mistake| matches!(mistake.certainty, Certainty::Sure | Certainty::Structure);
    scan.found
        .mistakes
        .iter()
        .find(alarm)
        .map(|mistake| format!("{mistake:?}"))
}

impl Found {
    pub(super) fn is_other_language(&self) -> bool {
        self.other_language
    }

    /// Whether something was found in the line of a place.
    pub(super) fn covers(&self, at: usize) -> bool {
        let after = self.about.partition_point(|lines| lines.start <= at);
        after
            .checked_sub(1)
            .is_some_and(|last| at <= self.about[last].end)
    }

    /// Finds out what lines the mistakes are about.
    fn note_lines(&mut self, text: &str) {
        self.mistakes.sort_by_key(|mistake| mistake.at.start);
        let mut about: Vec<Range<usize>> = Vec::new();
        let of = |mistake: &Mistake| {
            mistake
                .corrected
                .clone()
                .unwrap_or_else(|| mistake.at.clone())
        };
        let mut all: Vec<Range<usize>> = self.mistakes.iter().map(of).collect();
        all.sort_by_key(|lines| lines.start);
        for lines in all {
            match about.last_mut() {
                Some(last) if lines.end <= last.end => {}
                Some(last) if lines.start <= last.end => {
                    last.end = lines.end
                        + text[lines.end..]
                            .find('\n')
                            .unwrap_or(text.len() - lines.end);
                }
                _ => {
                    let start = text[..lines.start]
                        .rfind('\n')
                        .map_or(0, |newline| newline + 1);
                    let end = lines.end
                        + text[lines.end..]
                            .find('\n')
                            .unwrap_or(text.len() - lines.end);
                    about.push(start..end);
                }
            }
        }
        self.about = about;
    }

    pub(super) fn repair(&self, text: &str) -> Repaired {
        let mut edits: Vec<Edit> = self
            .mistakes
            .iter()
            .flat_map(|mistake| mistake.edits.iter().cloned())
            .collect();
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut until = 0;
        edits.retain(|edit| {
            let apart = edit.range.start >= until;
            if apart {
                until = edit.range.end;
            }
            apart
        });
        let mut repaired = String::with_capacity(text.len());
        let mut places = Vec::with_capacity(edits.len());
        let mut at = 0;
        for edit in &edits {
            repaired.push_str(&text[at..edit.range.start]);
            let start = repaired.len();
            repaired.push_str(&edit.replacement);
            places.push(start..repaired.len());
            at = edit.range.end;
        }
        repaired.push_str(&text[at..]);
        Repaired {
            text: repaired,
            edits,
            places,
        }
    }

    /// The findings, no more of them than anybody reads.
    pub(super) fn diagnostics(
        self,
        file: FileId,
        shown: &str,
        repaired: &Repaired,
    ) -> Vec<Diagnostic> {
        const SHOWN: usize = 50;
        let place = |at: usize| {
            let at = (0..=at.min(shown.len()))
                .rev()
                .find(|at| shown.is_char_boundary(*at));
            u32::try_from(at.unwrap_or_default()).unwrap_or(u32::MAX)
        };
        let span = |range: &Range<usize>| Span {
            file,
            start: place(range.start),
            end: place(range.end.max(range.start)),
        };
        let more = self.mistakes.len().saturating_sub(SHOWN);
        let mut diagnostics = Vec::new();
        for mistake in self.mistakes.iter().take(SHOWN) {
            let line = mistake
                .corrected
                .as_ref()
                .and_then(|lines| repaired.line(shown, lines, &mistake.at));
            let help = match (&mistake.hint, line) {
                (Some(hint), Some(line)) => Some(format!("{hint}: `{line}`")),
                (Some(hint), None) => Some(hint.clone()),
                (None, Some(line)) => Some(format!("write `{line}`")),
                (None, None) => None,
            };
            diagnostics.push(
                syntax_error(Some(span(&mistake.at)), mistake.message.clone()).maybe_help(help),
            );
        }
        if let Some(next) = self.mistakes.get(SHOWN) {
            let message = match more {
                1 => "1 more mistake is not shown".to_owned(),
                more => format!("{more} more mistakes are not shown; this is the first of them"),
            };
            let help = "correct those above first, then run the command again";
            diagnostics.push(syntax_error(Some(span(&next.at)), message).help(help));
        }
        diagnostics
    }
}

impl Repaired {
    /// Whether a stretch of the repaired text is written otherwise than in the original.
    pub(super) fn touches(&self, range: &Range<usize>) -> bool {
        let first = self.places.partition_point(|place| place.end < range.start);
        self.places
            .get(first)
            .is_some_and(|place| place.start <= range.end)
    }

    /// The place in the original.
    pub(super) fn original(&self, at: usize) -> usize {
        let after = self.places.partition_point(|place| place.start <= at);
        let Some(last) = after.checked_sub(1) else {
            return at;
        };
        let (place, edit) = (&self.places[last], &self.edits[last]);
        match at.checked_sub(place.end) {
            Some(behind) => edit.range.end + behind,
            None => edit.range.start,
        }
    }

    /// Some lines as they should be, or what of them is worth showing.
    fn line(&self, shown: &str, lines: &Range<usize>, at: &Range<usize>) -> Option<String> {
        const LONG: usize = 120;
        const AROUND: usize = 40;
        let first = self
            .edits
            .partition_point(|edit| edit.range.start < lines.start);
        let mut line = String::new();
        let mut from = lines.start;
        // Where the mistake is in the corrected line.
        let mut middle = 0;
        for edit in self.edits[first..]
            .iter()
            .take_while(|edit| edit.range.start <= lines.end)
        {
            if edit.range.end > lines.end && !edit.range.is_empty() {
                break;
            }
            line.push_str(shown.get(from..edit.range.start)?);
            if edit.range.start <= at.start {
                middle = line.len();
            }
            line.push_str(&edit.replacement);
            from = edit.range.end;
        }
        line.push_str(shown.get(from..lines.end.max(from))?);
        let start = line.len() - line.trim_start().len();
        let whole = line.trim();
        if whole.is_empty() {
            return None;
        }
        if whole.chars().count() <= LONG {
            return Some(whole.to_owned());
        }
        let middle = middle.saturating_sub(start).min(whole.len());
        let bound = |at: usize| {
            (0..=at.min(whole.len()))
                .rev()
                .find(|at| whole.is_char_boundary(*at))
                .unwrap_or(0)
        };
        let (begin, end) = (
            bound(middle.saturating_sub(AROUND)),
            bound(middle + 2 * AROUND),
        );
        let before = if begin > 0 { "… " } else { "" };
        let after = if end < whole.len() { " …" } else { "" };
        Some(format!("{before}{}{after}", whole[begin..end].trim()))
    }
}

/// Goes through a text line by line.
struct Scan<'a> {
    text: &'a str,
    /// The same with secrets covered: what messages quote.
    shown: &'a str,
    lines: Option<Lines<'a>>,
    found: Found,
    blocks: Blocks,
    /// End of the last thing that is neither blank nor comment.
    last: Option<Token>,
    /// Start of its line.
    last_line: usize,
    /// End of the last line.
    line_end: usize,
    /// `[` that are open, and the finding that speaks of them.
    list: Option<(usize, usize)>,
    /// The findings that speak of the conflict, the fence and the tags in which the line is.
    conflict: Option<usize>,
    /// Whether there may be conflicts from here on.
    conflicts: bool,
    fence: Option<usize>,
    markup: Option<usize>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, shown: &'a str, balance: isize) -> Self {
        Self {
            text,
            shown,
            lines: None,
            found: Found::default(),
            blocks: Blocks::new(balance),
            last: None,
            last_line: 0,
            line_end: 0,
            list: None,
            conflict: None,
            conflicts: true,
            fence: None,
            markup: None,
        }
    }

    fn run(&mut self, start: usize) {
        let mut lexer = Lexer::new(self.text, start);
        let mut tokens = Vec::new();
        self.line_end = start;
        while let Some(line) = lexer.line(&mut tokens) {
            let end = self.line(&tokens, &line);
            if end > line.end {
                lexer = Lexer::new(self.text, end);
            }
            self.line_end = end.max(line.end);
            if self.found.other_language {
                return;
            }
        }
        self.unclosed_blocks(self.text.len());
    }

    fn line_number(&mut self, at: usize) -> usize {
        let text = self.text;
        self.lines.get_or_insert_with(|| Lines::of(text)).line(at)
    }

    /// Takes note of a mistake; gives it for what else there is to say.
    fn push(
        &mut self,
        certainty: Certainty,
        at: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Mistake {
        self.found.mistakes.push(Mistake {
            at,
            certainty,
            message: message.into(),
            hint: None,
            corrected: None,
            edits: Vec::new(),
        });
        let last = self.found.mistakes.len() - 1;
        &mut self.found.mistakes[last]
    }
}

impl Mistake {
    fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    fn corrected(&mut self, lines: &Range<usize>) -> &mut Self {
        self.corrected = Some(lines.clone());
        self
    }

    fn edit(&mut self, range: Range<usize>, replacement: impl Into<String>) -> &mut Self {
        self.edits.push(Edit::new(range, replacement));
        self
    }
}
