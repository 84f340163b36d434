//! The coarse structure of a KDL text: where each top-level node begins and ends, and how deep its blocks go.
//!
//! The KDL parser recurses with the nesting of the text, and with every brace that an earlier mistake made it
//! misread. Handing it one top-level node at a time keeps both within bounds, keeps one node's mistake from
//! spreading over its neighbours, and lets several nodes be parsed at once.

use std::borrow::Cow;
use std::ops::Range;

/// Blocks in blocks, or comments in comments.
pub(super) const MAX_DEPTH: usize = 64;
/// Braces in one top-level node, whatever they stand in: after a mistake the parser may take what is in a string for
/// structure.
pub(super) const MAX_BRACES: usize = 512;
/// Bytes of one top-level node: the parser needs a thousand times its length and more where it holds many small nodes.
pub(super) const MAX_LENGTH: usize = 1024 * 1024;
/// Top-level nodes of one file.
pub(super) const MAX_NODES: usize = 1024 * 1024;
/// Braces that the smallest usual stack bears.
pub(super) const FEW_BRACES: usize = 64;

/// One top-level node's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) range: Range<usize>,
    /// How often the parser could recurse in it at worst.
    pub(super) recursions: usize,
    /// Block comments in it.
    comments: Vec<Range<usize>>,
    /// Why it must not be given to the parser, and the place to point at.
    pub(super) refused: Option<(Refusal, Range<usize>)>,
}

impl Chunk {
    /// The node's text with its block comments blanked: the parser recurses with every `*` and `/` in them.
    pub(super) fn without_comments<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut node = Cow::Borrowed(&text[self.range.clone()]);
        for comment in &self.comments {
            let (start, end) = (
                comment.start - self.range.start,
                comment.end - self.range.start,
            );
            node.to_mut()
                .replace_range(start..end, &" ".repeat(end - start));
        }
        node
    }
}

/// What the parser is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`MAX_DEPTH`].
    TooDeep,
    /// More than [`MAX_BRACES`], and the block never ends.
    Unclosed,
    /// More than [`MAX_BRACES`].
    TooManyBraces,
    /// A comment that never ends: everything after it would be lost in silence.
    UnclosedComment,
    /// More than [`MAX_LENGTH`].
    TooLong,
    /// More than [`MAX_NODES`] before it. Nothing comes after it.
    TooManyNodes,
}

/// What KDL 2 calls a newline; `\r\n` counts as two here, which makes no difference.
pub(super) const fn is_newline(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Cuts a document into its top-level nodes. What lies between them is blank or comment.
pub(super) fn chunks(text: &str) -> Vec<Chunk> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut scan = Scan {
        text,
        at: start,
        state: State::default(),
        chunks: Vec::new(),
    };
    while let Some(letter) = scan.peek() {
        scan.step(letter);
        scan.skip_ordinary();
        if scan.chunks.len() == MAX_NODES && scan.state.begun.is_some() {
            let place = scan.state.begun.unwrap_or(scan.at)..scan.at;
            scan.state.refused = Some((Refusal::TooManyNodes, place));
            break;
        }
    }
    scan.finish(match scan.state.refused {
        Some((Refusal::TooManyNodes, _)) => scan.at,
        _ => text.len(),
    });
    scan.chunks
}

/// How deep the parser could get at worst.
fn recursions(node: &str) -> usize {
    let commented = node.contains("/*");
    node.bytes()
        .filter(|byte| matches!(byte, b'{' | b'}') || (commented && matches!(byte, b'*' | b'/')))
        .count()
}

#[derive(Default)]
struct State {
    begun: Option<usize>,
    depth: usize,
    comments: Vec<Range<usize>>,
    /// Outermost `{` that is open.
    opened: usize,
    refused: Option<(Refusal, Range<usize>)>,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    state: State,
    chunks: Vec<Chunk>,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn step(&mut self, letter: char) {
        let here = self.at;
        if is_newline(letter) || letter == ';' {
            self.at += letter.len_utf8();
            if self.state.depth == 0 {
                self.finish(here);
            }
        } else if letter.is_whitespace() {
            self.at += letter.len_utf8();
        } else if self.rest().starts_with("//") {
            self.skip_line();
        } else if self.rest().starts_with("/*") {
            self.skip_comment();
        } else {
            self.state.begun.get_or_insert(here);
            match letter {
                '/' if self.rest().starts_with("/-") => {
                    self.at += 2;
                    self.skip_blank();
                }
                '\\' => self.skip_continuation(),
                '"' => self.skip_quoted(),
                '#' => self.skip_raw(),
                '{' | '}' => self.brace(letter),
                _ => self.at += letter.len_utf8(),
            }
        }
    }

    /// What stands for nothing but itself inside a node, many bytes at once.
    fn skip_ordinary(&mut self) {
        if self.state.begun.is_some() {
            self.skip_bytes(|byte| {
                matches!(byte, b'\t' | b' '..=b'~')
                    && !matches!(byte, b'/' | b'\\' | b'"' | b'#' | b'{' | b'}' | b';')
            });
        }
    }

    fn skip_bytes(&mut self, ordinary: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest
            .iter()
            .position(|byte| !ordinary(*byte))
            .unwrap_or(rest.len());
    }

    fn finish(&mut self, end: usize) {
        let state = std::mem::take(&mut self.state);
        let Some(start) = state.begun else {
            if let Some((refusal, place)) = state.refused {
                let range = place.clone();
                self.chunks.push(Chunk {
                    range,
                    recursions: 0,
                    comments: Vec::new(),
                    refused: Some((refusal, place)),
                });
            }
            return;
        };
        let mut chunk = Chunk {
            range: start..end,
            recursions: 0,
            comments: state.comments,
            refused: state.refused,
        };
        if chunk.refused.is_none() && chunk.range.len() > MAX_LENGTH {
            chunk.refused = Some((Refusal::TooLong, start..start + 1));
        }
        chunk.comments.retain(|comment| comment.start >= start);
        chunk.recursions = recursions(&chunk.without_comments(self.text));
        if chunk.refused.is_none() && chunk.recursions > MAX_BRACES {
            chunk.refused = Some(match state.depth {
                0 => (Refusal::TooManyBraces, start..end),
                _ => (Refusal::Unclosed, state.opened..state.opened + 1),
            });
        }
        self.chunks.push(chunk);
    }

    fn brace(&mut self, letter: char) {
        let here = self.at;
        self.at += 1;
        if letter == '{' {
            if self.state.depth == 0 {
                self.state.opened = here;
            }
            self.state.depth += 1;
            if self.state.depth > MAX_DEPTH {
                self.state
                    .refused
                    .get_or_insert((Refusal::TooDeep, here..here + 1));
            }
        } else {
            self.state.depth = self.state.depth.saturating_sub(1);
        }
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find(is_newline).unwrap_or(self.rest().len());
    }

    fn skip_comment(&mut self) {
        let here = self.at;
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
            } else {
                match rest.chars().next() {
                    Some(letter) => self.at += letter.len_utf8(),
                    None => {
                        self.state
                            .refused
                            .get_or_insert((Refusal::UnclosedComment, here..here + 2));
                        return;
                    }
                }
            }
            if depth > MAX_DEPTH {
                self.state
                    .refused
                    .get_or_insert((Refusal::TooDeep, here..here + 2));
            }
            if depth == 0 {
                self.state.comments.push(here..self.at);
                return;
            }
        }
    }

    /// Everything that may stand between `/-` and what it comments out.
    fn skip_blank(&mut self) {
        while let Some(letter) = self.peek() {
            if letter.is_whitespace() || is_newline(letter) {
                self.at += letter.len_utf8();
            } else if self.rest().starts_with("//") {
                self.skip_line();
            } else if self.rest().starts_with("/*") {
                self.skip_comment();
            } else {
                return;
            }
        }
    }

    /// `\` at the end of a line, perhaps with a comment after it.
    fn skip_continuation(&mut self) {
        self.at += 1;
        while let Some(letter) = self.peek() {
            if is_newline(letter) {
                self.at += letter.len_utf8();
                if letter == '\r' && self.rest().starts_with('\n') {
                    self.at += 1;
                }
                return;
            } else if letter.is_whitespace() {
                self.at += letter.len_utf8();
            } else if self.rest().starts_with("//") {
                self.skip_line();
            } else if self.rest().starts_with("/*") {
                self.skip_comment();
            } else {
                return;
            }
        }
    }

    fn skip_quoted(&mut self) {
        let multiline = self.rest().starts_with("\"\"\"");
        self.at += if multiline { 3 } else { 1 };
        loop {
            self.skip_bytes(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'));
            let Some(letter) = self.peek() else { return };
            if letter == '\\' {
                self.at += 1;
                let blank = self
                    .rest()
                    .find(|next: char| !next.is_whitespace() && !is_newline(next));
                self.at += match blank {
                    Some(0) => self.peek().map_or(0, char::len_utf8),
                    Some(length) => length,
                    None => self.rest().len(),
                };
            } else if multiline && self.rest().starts_with("\"\"\"") {
                self.at += 3;
                return;
            } else if !multiline && letter == '"' {
                self.at += 1;
                return;
            } else if !multiline && is_newline(letter) {
                return;
            } else {
                self.at += letter.len_utf8();
            }
        }
    }

    /// `#"raw"#`, or a keyword such as `#true`.
    fn skip_raw(&mut self) {
        let hashes = self.rest().len() - self.rest().trim_start_matches('#').len();
        self.at += hashes;
        if !self.rest().starts_with('"') {
            return;
        }
        let multiline =
            self.rest().starts_with("\"\"\"") && self.rest()[3..].starts_with(is_newline);
        let close = format!(
            "{}{}",
            if multiline { "\"\"\"" } else { "\"" },
            "#".repeat(hashes)
        );
        self.at += if multiline { 3 } else { 1 };
        let end = self
            .rest()
            .find(&close)
            .map_or(self.rest().len(), |found| found + close.len());
        let line = self.rest().find(is_newline).unwrap_or(self.rest().len());
        self.at += if multiline || end <= line { end } else { line };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_without_end_are_not_read() {
        let many = "/-n\n".repeat(MAX_NODES) + "\n // and then\n";
        let found = chunks(&many);
        assert_eq!(found.len(), MAX_NODES);
        assert!(found.iter().all(|chunk| chunk.refused.is_none()));
        let found = chunks(&(many.clone() + "m 1; o\np"));
        assert_eq!(found.len(), MAX_NODES + 1);
        let place = many.len()..many.len() + 3;
        let refused = found.last().and_then(|chunk| chunk.refused.clone());
        assert_eq!(refused, Some((Refusal::TooManyNodes, place)));
    }
}
