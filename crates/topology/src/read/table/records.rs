//! The records of a CSV file and where their cells stand in it.

use std::ops::Range;

use csv::{ReaderBuilder, StringRecord};

use crate::report::syntax_error;
use crate::source::{FileId, Span};

/// One file's text and the place of a record in it.
pub(super) struct Place<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    /// What is between two cells.
    pub(super) delimiter: u8,
}

impl Place<'_> {
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            start: at(range.start),
            end: at(range.end),
        }
    }

    /// A record without the ends of lines around it.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let end_of_line = |letter: char| matches!(letter, '\r' | '\n');
        let text = self.text.get(range.clone()).unwrap_or_default();
        let start = range.start + text.len() - text.trim_start_matches(end_of_line).len();
        start..start + text.trim_matches(end_of_line).len()
    }
}

/// The records of a stretch of a file, one after the other.
pub(super) struct Records<'a> {
    place: &'a Place<'a>,
    range: Range<usize>,
    reader: csv::Reader<&'a [u8]>,
    pub(super) record: StringRecord,
    pub(super) cells: Vec<Range<usize>>,
}

/// A record that [`Records`] has come to.
pub(super) struct Found {
    pub(super) whole: Range<usize>,
    /// What is wrong with it, and where in it.
    pub(super) problem: Option<(usize, Problem)>,
}

impl<'a> Records<'a> {
    pub(super) fn new(place: &'a Place<'a>, range: Range<usize>) -> Self {
        let text = place.text.get(range.clone()).unwrap_or_default();
        Self {
            place,
            range,
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(place.delimiter)
                .from_reader(text.as_bytes()),
            record: StringRecord::new(),
            cells: Vec::new(),
        }
    }

    /// Where the next record begins.
    pub(super) fn at(&self) -> usize {
        let read = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        self.range.start.saturating_add(read).min(self.range.end)
    }

    pub(super) fn next(&mut self) -> Option<Found> {
        // Every error that there can be is one of reading: the text is in memory, is UTF-8, and rows may differ.
        if !self.reader.read_record(&mut self.record).unwrap_or(false) {
            return None;
        }
        let begun = self.record.position().map_or(0, csv::Position::byte);
        let start = self.range.start + usize::try_from(begun).unwrap_or(usize::MAX);
        let whole = self.place.trimmed(start..self.at());
        let problem = cells_of(&self.record, self.place, whole.clone(), &mut self.cells).err();
        Some(Found { whole, problem })
    }
}

/// Cuts what is below a header line into stretches of whole records, to be read side by side.
pub(super) fn parts(text: &str, body: Range<usize>) -> Vec<Range<usize>> {
    // Below this a second thread costs more than it saves.
    const WORTH_SHARING: usize = 128 * 1024;
    let bytes = text.as_bytes().get(body.clone()).unwrap_or_default();
    // Where cells are quoted, an end of line may be within one.
    if bytes.len() < WORTH_SHARING || bytes.contains(&b'"') {
        return vec![body];
    }
    let share = bytes.len().div_ceil(rayon::current_num_threads());
    let mut parts = Vec::new();
    let mut start = body.start;
    while start < body.end {
        let from = (start + share).min(body.end);
        let line = text.as_bytes()[from..body.end].iter();
        let end = line
            .enumerate()
            .find(|(_, byte)| **byte == b'\n')
            .map_or(body.end, |(at, _)| from + at + 1);
        parts.push(start..end);
        start = end;
    }
    parts
}

pub(super) type Problem = fn(Span) -> crate::Diagnostic;

/// Where the cells of a record stand, quotes included. An error is the place in the record, and what is wrong there.
fn cells_of(
    record: &StringRecord,
    place: &Place<'_>,
    whole: Range<usize>,
    cells: &mut Vec<Range<usize>>,
) -> Result<(), (usize, Problem)> {
    cells.clear();
    let raw = place.text.get(whole.clone()).unwrap_or_default();
    if !raw.contains('"') {
        // The record holds the cells without what is between them: one comma each.
        cells.extend(
            (0..record.len())
                .filter_map(|at| record.range(at))
                .enumerate()
                .map(|(at, range)| whole.start + range.start + at..whole.start + range.end + at),
        );
        return Ok(());
    }
    let bytes = raw.as_bytes();
    let next = |from: usize, wanted: u8| {
        bytes[from..]
            .iter()
            .position(|byte| *byte == wanted)
            .map(|at| from + at)
    };
    let mut at = 0;
    loop {
        let start = at;
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let Some(quote) = next(at, b'"') else {
                    return Err((start, unclosed));
                };
                at = quote + 1;
                if bytes.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            if bytes.get(at).is_some_and(|byte| *byte != place.delimiter) {
                return Err((at, after_quote));
            }
        } else {
            at = next(at, place.delimiter).unwrap_or(bytes.len());
        }
        cells.push(whole.start + start..whole.start + at);
        if at >= bytes.len() {
            return Ok(());
        }
        at += 1;
    }
}

fn unclosed(span: Span) -> crate::Diagnostic {
    syntax_error(Some(span), "no closing `\"` for this cell")
        .label("opened here")
        .help("a quotation mark inside a quoted cell is written twice")
}

fn after_quote(span: Span) -> crate::Diagnostic {
    syntax_error(Some(span), "text after the closing `\"` of a cell")
        .help("put a comma between cells; a quotation mark inside a quoted cell is written twice")
}
