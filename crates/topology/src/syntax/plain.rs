//! A fast reader of what most nodes are: identifiers, quoted strings without escapes, decimal integers, keywords and
//! blocks of such nodes. It says what the KDL parser would say, places included, or gives up: every doubt is the
//! parser's to decide, and every error the parser's to report.

use smol_str::SmolStr;

use super::lexical::{self, Chunk};
use super::raw::{RawNode, RawValue, Written};
use crate::source::{FileId, Span, Spanned};

/// Deeper than any node of a topology; the parser knows what to do with more.
const MAX_DEPTH: usize = 16;
/// Digits that fit an integer whatever they are.
const MAX_DIGITS: usize = 18;

/// Reads the plain nodes of one file, one after the other.
pub(super) struct PlainReader<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    end: usize,
    // Lists under construction, each above what encloses it: most are short, and so get exactly the memory they need.
    arguments: Vec<RawValue>,
    properties: Vec<(Spanned<SmolStr>, RawValue)>,
    nodes: Vec<RawNode>,
}

impl<'a> PlainReader<'a> {
    /// None where the text is longer than a [`Span`] can tell.
    pub(super) fn new(file: FileId, text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        Some(Self {
            file,
            text,
            at: 0,
            end: 0,
            arguments: Vec::new(),
            properties: Vec::new(),
            nodes: Vec::new(),
        })
    }

    /// The one node of a chunk; none where it is not plain from its first letter to its last.
    pub(super) fn read(&mut self, chunk: &Chunk) -> Option<RawNode> {
        if chunk.refused.is_some() || chunk.recursions > lexical::FEW_BRACES {
            return None;
        }
        self.at = chunk.range.start;
        self.end = chunk.range.end;
        self.arguments.clear();
        self.properties.clear();
        self.nodes.clear();
        let node = self.node(0)?;
        self.skip_blanks();
        if self.starts_comment() {
            self.skip_comment()?;
        }
        (self.at == self.end).then_some(node)
    }

    /// Up to the node's end: what ends it is left for the caller.
    fn node(&mut self, depth: usize) -> Option<RawNode> {
        let start = self.at;
        let name = match self.peek()? {
            b'"' => self.quoted()?,
            _ => self.identifier()?,
        };
        let (first_argument, first_property) = (self.arguments.len(), self.properties.len());
        let mut header = self.span(start, self.at);
        let mut children = None;
        loop {
            let blanks = self.skip_blanks();
            match self.peek() {
                None | Some(b'\n' | b';') => break,
                Some(b'\r') if self.starts_newline() => break,
                // What follows needs a blank before it. Without one it may be allowed, but hardly anybody writes so.
                _ if !blanks => return None,
                Some(b'/') if self.starts_comment() => break,
                Some(b'}') if depth > 0 => break,
                Some(b'{') => {
                    children = Some(self.block(depth)?);
                    break;
                }
                Some(_) => header.end = self.entry()?,
            }
        }
        let end = match &children {
            Some(_) => self.position(),
            None => header.end,
        };
        Some(RawNode {
            name,
            annotation: None,
            arguments: self.arguments.drain(first_argument..).collect(),
            properties: self.properties.drain(first_property..).collect(),
            children,
            span: Span { end, ..header },
            header,
        })
    }

    /// From `{` to `}`, and up to what ends the node that the block belongs to.
    fn block(&mut self, depth: usize) -> Option<Vec<RawNode>> {
        if depth == MAX_DEPTH {
            return None;
        }
        self.at += 1;
        let first = self.nodes.len();
        loop {
            self.skip_lines()?;
            if self.peek()? == b'}' {
                break;
            }
            let node = self.node(depth + 1)?;
            self.nodes.push(node);
            // A node ends where its line does, where its block does, or here.
            let end = self.at;
            self.skip_blanks();
            if self.peek() == Some(b';') {
                self.at += 1;
            } else if !self.starts_newline() && !self.starts_comment() && self.peek() != Some(b'}')
            {
                return None;
            } else {
                self.at = end;
            }
        }
        self.at += 1;
        Some(self.nodes.drain(first..).collect())
    }

    /// An argument or a property. Gives its end.
    fn entry(&mut self) -> Option<u32> {
        let byte = self.peek()?;
        if is_identifier_start(byte) {
            let word = self.identifier()?;
            if self.peek() == Some(b'=') {
                self.at += 1;
                let value = self.value()?;
                self.properties.push((word, value));
            } else {
                self.arguments.push(RawValue {
                    annotation: None,
                    value: Written::Text(word.value),
                    span: word.span,
                });
            }
        } else {
            // A quoted string may turn out to be a property's name: then `=` comes next, which no value begins with
            // and no plain value is followed by.
            let value = self.value()?;
            self.arguments.push(value);
        }
        Some(self.position())
    }

    fn value(&mut self) -> Option<RawValue> {
        let annotation = if self.peek()? == b'(' {
            self.at += 1;
            let annotation = self.identifier()?;
            if self.peek()? != b')' {
                return None;
            }
            self.at += 1;
            Some(Box::new(annotation))
        } else {
            None
        };
        let start = self.at;
        let value = match self.peek()? {
            b'"' => Written::Text(self.quoted()?.value),
            b'#' => self.keyword()?,
            b'-' | b'0'..=b'9' => self.integer()?,
            _ => Written::Text(self.identifier()?.value),
        };
        Some(RawValue {
            annotation,
            value,
            span: self.span(start, self.at),
        })
    }

    fn identifier(&mut self) -> Option<Spanned<SmolStr>> {
        let start = self.at;
        let rest = self.rest();
        let length = match rest.first() {
            Some(first) if is_identifier_start(*first) => rest
                .iter()
                .position(|byte| !is_identifier(*byte))
                .unwrap_or(rest.len()),
            _ => return None,
        };
        self.at += length;
        let word = &self.text[start..self.at];
        // Reserved, so that nobody takes them for keywords.
        if matches!(word, "true" | "false" | "null" | "inf" | "nan") {
            return None;
        }
        Some(Spanned::new(SmolStr::new(word), self.span(start, self.at)))
    }

    /// A string on one line that stands for what is between its quotes.
    fn quoted(&mut self) -> Option<Spanned<SmolStr>> {
        let start = self.at;
        let mut at = start + 1;
        let bytes = self.text.as_bytes();
        loop {
            let length = bytes[at..self.end]
                .iter()
                .position(|byte| !is_plain_in_string(*byte))?;
            at += length;
            match bytes[at] {
                b'"' => break,
                byte if byte.is_ascii() => return None,
                _ => at += plain_letter(&self.text[at..self.end])?,
            }
        }
        self.at = at + 1;
        // Three quotes begin a string of several lines.
        if at == start + 1 && self.peek() == Some(b'"') {
            return None;
        }
        Some(Spanned::new(
            SmolStr::new(&self.text[start + 1..at]),
            self.span(start, self.at),
        ))
    }

    fn keyword(&mut self) -> Option<Written> {
        let keywords = [
            ("#true", Written::Boolean(true)),
            ("#false", Written::Boolean(false)),
            ("#null", Written::Null),
        ];
        let rest = self.rest();
        let (word, value) = keywords
            .into_iter()
            .find(|(word, _)| rest.starts_with(word.as_bytes()))?;
        self.at += word.len();
        Some(value)
    }

    fn integer(&mut self) -> Option<Written> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        if !(1..=MAX_DIGITS).contains(&length) {
            return None;
        }
        let number = rest[..length]
            .iter()
            .fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
        self.at += length;
        Some(Written::Integer(i128::from(if negative {
            -number
        } else {
            number
        })))
    }

    /// Everything that may stand between the nodes of a block.
    fn skip_lines(&mut self) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.starts_comment() {
                self.skip_comment()?;
            } else if self.starts_newline() {
                self.at += if self.peek() == Some(b'\r') { 2 } else { 1 };
            } else {
                return Some(());
            }
        }
    }

    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))
            .unwrap_or(rest.len());
        self.at += length;
        length > 0
    }

    /// To the end of the line.
    fn skip_comment(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => break,
                b'\r' if self.starts_newline() => break,
                b'\t' | b' '..=b'~' => self.at += 1,
                byte if byte.is_ascii() => return None,
                _ => self.at += plain_letter(&self.text[self.at..self.end])?,
            }
        }
        Some(())
    }

    fn starts_comment(&self) -> bool {
        self.rest().starts_with(b"//")
    }

    fn starts_newline(&self) -> bool {
        self.rest().starts_with(b"\n") || self.rest().starts_with(b"\r\n")
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..self.end]
    }

    fn position(&self) -> u32 {
        place(self.at)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: place(start),
            end: place(end),
        }
    }
}

/// A place in a text of which [`PlainReader::new`] knows that places in it fit.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

const fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

const fn is_plain_in_string(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// The length of a letter beyond ASCII that stands for itself wherever text is allowed. Not the many that KDL takes for
/// blanks or line ends, or forbids.
fn plain_letter(text: &str) -> Option<usize> {
    let letter = text.chars().next()?;
    let punctuation = matches!(letter, '\u{a1}'..='\u{bf}' | '\u{2010}'..='\u{2027}' | '€');
    (letter.is_alphanumeric() || punctuation).then_some(letter.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> bool {
        let chunks = lexical::chunks(text);
        PlainReader::new(FileId(0), text).is_some_and(|mut reader| {
            !chunks.is_empty() && chunks.iter().all(|chunk| reader.read(chunk).is_some())
        })
    }

    #[test]
    fn what_most_topologies_are_is_plain() {
        let plain = [
            "user \"10000\" name=\"José – Sales\" pbx=\"pbx1\"",
            "device \"d\" model=\"WP480\" year=2017 address=\"10.32.1.0\" // by the door\r\n",
            "target \"t\" plugin=\"kea\" { endpoint \"http://10.20.30.5:8000/\" }",
            "pbx \"pbx1\" role=main {\n\n    // a comment\n    wms \"3.86\"; users -1\n    vlan 130 // another\n}\n",
            "a {}\nb { c { d #true } }\ne (secret)\"env:A\" f=(secret)\"file:B\"",
        ];
        for text in plain {
            assert!(reads(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_left_to_the_parser() {
        let odd = [
            "a \"\\n\"",
            "a #\"b\"#",
            "a 1.5",
            "a 0x1f",
            "a b = c",
            "/-a",
            "a /* b */",
            "a \\\n b",
            "(t)a",
            "a{}",
            "a { b }}",
            "a { b",
            "a true",
            "a \"\"\"\nb\n\"\"\"",
            "a { ; }",
        ];
        for text in odd {
            assert!(!reads(text), "{text}");
        }
    }
}
