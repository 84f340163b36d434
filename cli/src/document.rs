//! A source file made ready for showing: lines found once, characters that steer a terminal replaced.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use switchover_topology::{Position, SourceFile, Span};

/// One file. Finding a place in it costs the logarithm of its lines, not its length: a run may have thousands of
/// findings in one file.
#[derive(Debug)]
pub(crate) struct Document {
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Document {
    pub(crate) fn new(file: &SourceFile) -> Self {
        let text = harmless(&file.text);
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Self {
            name: file.name.clone(),
            text,
            lines,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same as [`Position::of`], which counts from the start of the file.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line(offset);
        let column = self.text[self.lines[line]..offset]
            .trim_start_matches('\u{feff}')
            .chars()
            .count();
        Position {
            line: line + 1,
            column: column + 1,
        }
    }

    /// What is written at a span.
    pub(crate) fn text_at(&self, span: Span) -> &str {
        let start = self.text.floor_char_boundary(span.start as usize);
        let end = self.text.floor_char_boundary(span.end as usize).max(start);
        &self.text[start..end]
    }

    /// The part of a span that is in its first line, as offset and length: a label on a whole node would draw all of it.
    pub(crate) fn first_line(&self, span: Span) -> SourceSpan {
        let covered = self.text_at(span);
        let start = self.text.floor_char_boundary(span.start as usize);
        let length = covered.find(['\n', '\r']).unwrap_or(covered.len());
        (start, length).into()
    }

    /// Index of the line that holds a byte.
    fn line(&self, offset: usize) -> usize {
        self.lines
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
    }
}

impl SourceCode for Document {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (offset, end) = (span.offset(), span.offset() + span.len());
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = self.line(offset).saturating_sub(before);
        let last = self.line(end.saturating_sub(1).max(offset)) + after;
        let start = if before == 0 {
            offset
        } else {
            self.lines[first]
        };
        let stop = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        let column = if before == 0 {
            self.position(offset).column - 1
        } else {
            0
        };
        let lines = last.min(self.lines.len() - 1) - first + 1;
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..stop],
            (start, stop - start).into(),
            first,
            column,
            lines,
        );
        Ok(Box::new(contents))
    }
}

/// Replaces characters that steer a terminal by others of the same length in bytes: spans and columns stay true.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => character,
            '\u{0}'..='\u{1f}' | '\u{7f}' => '?',
            '\u{80}'..='\u{9f}' => '\u{bf}',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            plain => plain,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new(&SourceFile {
            name: "a.kdl".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn columns_count_characters() {
        let document = document("a\nèè x\n");
        assert_eq!(document.position(7), Position { line: 2, column: 4 });
    }

    #[test]
    fn positions_are_those_of_the_topology() {
        for text in ["", "a\nèè x\n", "\u{feff}a\r\n\r\nb", "\n\n"] {
            for byte in 0..text.len() + 3 {
                assert_eq!(
                    document(text).position(byte),
                    Position::of(text, byte),
                    "{text:?} at {byte}"
                );
            }
        }
    }

    #[test]
    fn spans_stay_true_where_characters_are_replaced() {
        let text = "a\u{1b}\u{9b}\u{202e}b\u{0}";
        let document = document(text);
        assert_eq!(document.text.len(), text.len());
        assert!(
            !document
                .text
                .contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{0}'])
        );
    }

    #[test]
    fn an_empty_file_has_one_position() {
        let document = document("");
        assert_eq!(document.position(0), Position { line: 1, column: 1 });
        assert!(document.read_span(&(0, 0).into(), 1, 1).is_ok());
    }
}
