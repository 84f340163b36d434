//! Nodes as lines.

use std::ops::Range;

use super::gap::{Piece, ends_line, outside_comments, pieces};
use crate::schema::kind_named;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::{self, RawNode, RawValue, Written};

/// Properties of a node of the top level that stay on its line.
const ON_ONE_LINE: usize = 3;
/// How wide the line of a device or a user may be: they are many, and read as a table.
const WIDEST: usize = 120;
const INDENT: &str = "    ";

/// A whole file, with `\n` at the end of every line that is laid out anew.
pub(super) fn document(text: &str, nodes: &[RawNode]) -> String {
    let mut writer = Writer {
        text,
        out: String::with_capacity(text.len() + 64),
        ends: 0,
        fresh: true,
    };
    let body = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut at = body;
    for (number, node) in nodes.iter().enumerate() {
        let start = node.span.start as usize;
        writer.gap(at..start, 0);
        let next = nodes
            .get(number + 1)
            .map_or(text.len(), |next| next.span.start as usize);
        at = writer.top(node, next);
    }
    writer.gap(at..text.len(), 0);
    writer.out
}

struct Writer<'a> {
    text: &'a str,
    out: String,
    /// Ends of lines since the last thing that was written.
    ends: usize,
    /// Whether nothing was written in this block yet.
    fresh: bool,
}

impl Writer<'_> {
    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    fn of(&self, span: Span) -> &str {
        self.slice(span.start as usize..span.end as usize)
    }

    /// Begins a line, after an empty one where there were some.
    fn begin(&mut self, depth: usize) {
        if self.ends > 1 && !self.fresh {
            self.out.push('\n');
        }
        self.ends = 0;
        self.fresh = false;
        self.out += &INDENT.repeat(depth);
    }

    fn gap(&mut self, range: Range<usize>, depth: usize) {
        let text = self.text;
        let end = range.end;
        for piece in pieces(text.get(range).unwrap_or_default()) {
            match piece {
                Piece::EndOfLine => self.ends += 1,
                Piece::Comment { text, .. } => self.own_line(text, depth),
                Piece::CommentedOut(rest) => {
                    let length = commented_out(rest);
                    self.own_line(rest[..length].trim_end(), depth);
                    let start = end - (rest.len() - length);
                    // It ends where a line does.
                    self.gap(start..end, depth);
                }
            }
        }
    }

    fn own_line(&mut self, text: &str, depth: usize) {
        self.begin(depth);
        self.out += text;
        self.out.push('\n');
    }

    /// Writes a node of the top level and what follows it on its line. Answers up to where the text is written.
    fn top(&mut self, node: &RawNode, next: usize) -> usize {
        let mut attempt = Writer {
            text: self.text,
            out: String::new(),
            ends: 0,
            fresh: true,
        };
        let done = attempt
            .node(node, next, 0)
            .filter(|_| same(&attempt.out, node));
        let (kept, end) = match done {
            Some(end) => (attempt.out.trim_end_matches('\n').to_owned(), end),
            None => {
                let (start, end) = (node.span.start as usize, node.span.end as usize);
                // What is commented out at its end belongs to it.
                let rest = pieces(self.slice(end..next));
                let on_line = rest.iter().take_while(|piece| **piece != Piece::EndOfLine);
                let belongs = on_line
                    .into_iter()
                    .any(|piece| matches!(piece, Piece::CommentedOut(_)));
                let whole = start + self.slice(start..next).trim_end().len();
                let end = if belongs { whole } else { end };
                let end = self.with_comments(end, next);
                (self.slice(start..end).trim_end().to_owned(), end)
            }
        };
        self.begin(0);
        self.out += &kept;
        self.out.push('\n');
        end
    }

    /// Where the comments end that stand behind a place on its line.
    fn with_comments(&self, end: usize, next: usize) -> usize {
        let mut last = end;
        for piece in pieces(self.slice(end..next)) {
            match piece {
                Piece::Comment { text, at } => last = end + at + text.len(),
                Piece::EndOfLine | Piece::CommentedOut(_) => break,
            }
        }
        last
    }

    /// Writes the comments that stand behind a place on its line.
    fn trailing(&mut self, end: usize, next: usize) -> Option<usize> {
        let text = self.text;
        let gap = text.get(end..next)?;
        let mut written = 0;
        for piece in pieces(gap) {
            match piece {
                Piece::Comment { text, at } => {
                    // Comments that stand below each other stay so.
                    let blank = &gap[written..at];
                    let aligned = blank.bytes().all(|byte| byte == b' ');
                    let blanks = if aligned { blank.len().max(1) } else { 1 };
                    self.out += &" ".repeat(blanks);
                    self.out += text;
                    written = at + text.len();
                }
                Piece::EndOfLine => break,
                Piece::CommentedOut(_) => return None,
            }
        }
        Some(end + written)
    }

    /// Writes a node, and what follows it on its line. None where something stands in an unusual place.
    fn node(&mut self, node: &RawNode, next: usize, depth: usize) -> Option<usize> {
        if node.annotation.is_some() {
            return None;
        }
        self.begin(depth);
        let entries = self.entries(node)?;
        let header_end = node.header.end as usize;
        let block = match &node.children {
            Some(children) => Some((children, self.block_of(node, children)?)),
            None => None,
        };
        let line = entries
            .iter()
            .fold(self.of(node.name.span).to_owned(), |line, entry| {
                format!("{line} {}", entry.written)
            });
        let spread = depth == 0 && spreads(node, &entries, &line);
        if spread {
            let arguments = entries
                .iter()
                .filter(|entry| entry.key.is_none())
                .map(|entry| entry.written.as_str());
            let name = self.of(node.name.span).to_owned();
            self.out += &arguments.fold(name, |line, entry| format!("{line} {entry}"));
        } else {
            self.out += &line;
        }
        let end = match (&block, spread) {
            (None, false) => return self.finish(header_end, next),
            (None, true) => {
                self.out += " {";
                let end = self.finish(header_end, next)?;
                self.spread(&entries, depth);
                self.out += &INDENT.repeat(depth);
                self.out += "}\n";
                return Some(end);
            }
            (Some((children, inside)), _)
                if children.is_empty() && !spread && self.says_nothing(inside.clone()) =>
            {
                self.out += " {}";
                inside.end + 1
            }
            (Some((children, inside)), _) => {
                self.out += " {";
                let first = children
                    .first()
                    .map_or(inside.end, |child| child.span.start as usize);
                let at = self.finish(inside.start, first)?;
                if spread {
                    self.spread(&entries, depth);
                }
                self.children(children, at..inside.end, depth + 1)?;
                self.out += &INDENT.repeat(depth);
                self.out.push('}');
                inside.end + 1
            }
        };
        self.finish(end, next)
    }

    /// Ends a line.
    fn finish(&mut self, end: usize, next: usize) -> Option<usize> {
        let at = self.trailing(end, next)?;
        self.out.push('\n');
        Some(at)
    }

    fn spread(&mut self, entries: &[Entry], depth: usize) {
        for entry in entries {
            if let Some(key) = &entry.key {
                self.out += &INDENT.repeat(depth + 1);
                self.out += &format!("{key} {}\n", entry.value);
            }
        }
        self.ends = 0;
        self.fresh = false;
    }

    fn children(&mut self, children: &[RawNode], inside: Range<usize>, depth: usize) -> Option<()> {
        (self.ends, self.fresh) = (0, true);
        let mut at = inside.start;
        for (number, child) in children.iter().enumerate() {
            let start = child.span.start as usize;
            if self.slice(at..start).contains("/-") {
                return None;
            }
            self.gap(at..start, depth);
            let next = children
                .get(number + 1)
                .map_or(inside.end, |next| next.span.start as usize);
            at = self.node(child, next, depth)?;
        }
        self.gap(at..inside.end, depth);
        (self.ends, self.fresh) = (0, false);
        Some(())
    }

    /// What is between the braces of a node.
    fn block_of(&self, node: &RawNode, children: &[RawNode]) -> Option<Range<usize>> {
        let header_end = node.header.end as usize;
        let node_end = node.span.end as usize;
        let open = header_end + outside_comments(self.slice(header_end..node_end), '{')?;
        if !is_blank(self.slice(header_end..open)) {
            return None;
        }
        let last = match children.last() {
            Some(child) => self.end_of(child)?,
            None => open + 1,
        };
        let close = last + outside_comments(self.slice(last..node_end), '}')?;
        Some(open + 1..close)
    }

    /// Whether nothing but blanks is there, not even a comment.
    fn says_nothing(&self, range: Range<usize>) -> bool {
        pieces(self.slice(range))
            .iter()
            .all(|piece| *piece == Piece::EndOfLine)
    }

    /// Where a node ends, its block included.
    fn end_of(&self, node: &RawNode) -> Option<usize> {
        match &node.children {
            Some(children) => self.block_of(node, children).map(|inside| inside.end + 1),
            None => Some(node.header.end as usize),
        }
    }

    /// Arguments and properties in the order in which they were written. None where there is more than blanks between
    /// them.
    fn entries(&self, node: &RawNode) -> Option<Vec<Entry>> {
        let arguments = node.arguments.iter().map(|value| (None, value));
        let properties = node
            .properties
            .iter()
            .map(|(key, value)| (Some(key), value));
        let mut entries: Vec<(Option<&Spanned<_>>, &RawValue)> =
            arguments.chain(properties).collect();
        entries.sort_by_key(|(_, value)| value.span.start);
        let mut at = node.name.span.end as usize;
        let mut found = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let between = self.slice(at..value.span.start as usize);
            if ["//", "/*", "/-"]
                .iter()
                .any(|comment| between.contains(comment))
            {
                return None;
            }
            at = value.span.end as usize;
            let annotation = match &value.annotation {
                Some(annotation) => format!("({})", self.of(annotation.span)),
                None => String::new(),
            };
            let written_value = format!("{annotation}{}", self.of(value.span));
            let key = key.map(|key| self.of(key.span).to_owned());
            let written = match &key {
                Some(key) => format!("{key}={written_value}"),
                None => written_value.clone(),
            };
            found.push(Entry {
                key,
                value: written_value,
                written,
            });
        }
        Some(found)
    }
}

/// How far the first thing goes that a text comments out, whole lines: neither it nor what follows may say anything.
fn commented_out(text: &str) -> usize {
    // Longer ones stay as they are, with all that follows.
    const LINES: usize = 64;
    let says_nothing = |part: &str| {
        let (nodes, diagnostics) = syntax::parse(FileId(0), part);
        nodes.is_empty() && diagnostics.is_empty()
    };
    text.match_indices('\n')
        .take(LINES)
        .map(|(at, _)| at)
        .find(|at| says_nothing(&text[..*at]) && says_nothing(&text[*at..]))
        .unwrap_or(text.trim_end().len())
}

struct Entry {
    key: Option<String>,
    value: String,
    written: String,
}

fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_whitespace() || letter == '\\')
}

/// Whether a node's properties go below each other.
fn spreads(node: &RawNode, entries: &[Entry], line: &str) -> bool {
    let name = node.name.value.as_str();
    let properties: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.key.as_deref())
        .collect();
    let twice = (1..properties.len()).any(|at| properties[..at].contains(&properties[at]));
    if properties.len() <= ON_ONE_LINE
        || twice
        || !(kind_named(name).is_some() || name == "defaults")
    {
        return false;
    }
    let dense = matches!(name, "device" | "user");
    let brace = if node.children.is_some() { 2 } else { 0 };
    !dense || line.contains(ends_line) || line.chars().count() + brace > WIDEST
}

/// Whether a text says what a node says, but for whether a scalar of it is a property or a child.
fn same(text: &str, node: &RawNode) -> bool {
    say_the_same(text, std::slice::from_ref(node))
}

/// Whether a text says what these nodes say.
pub(super) fn say_the_same(text: &str, nodes: &[RawNode]) -> bool {
    let (found, diagnostics) = syntax::parse(FileId(0), text);
    diagnostics.is_empty()
        && found.len() == nodes.len()
        && found
            .iter()
            .zip(nodes)
            .all(|(found, node)| meaning(found, true) == meaning(node, true))
}

#[derive(PartialEq)]
struct Meaning<'a> {
    name: &'a str,
    arguments: Vec<(Option<&'a str>, &'a Written)>,
    properties: Vec<(&'a str, Option<&'a str>, &'a Written)>,
    children: Option<Vec<Meaning<'a>>>,
}

fn meaning(node: &RawNode, top: bool) -> Meaning<'_> {
    fn annotation(value: &RawValue) -> Option<&str> {
        value
            .annotation
            .as_ref()
            .map(|annotation| annotation.value.as_str())
    }
    let properties: Vec<_> = node
        .properties
        .iter()
        .map(|(key, value)| (key.value.as_str(), annotation(value), &value.value))
        .collect();
    let children = node.children.as_ref().map(|children| {
        children
            .iter()
            .map(|child| meaning(child, false))
            .collect::<Vec<_>>()
    });
    let mut meaning = Meaning {
        name: node.name.value.as_str(),
        arguments: node
            .arguments
            .iter()
            .map(|value| (annotation(value), &value.value))
            .collect(),
        properties,
        children,
    };
    if top {
        let spread = meaning
            .properties
            .drain(..)
            .map(|(name, annotation, value)| Meaning {
                name,
                arguments: vec![(annotation, value)],
                properties: Vec::new(),
                children: None,
            });
        meaning.children = Some(
            spread
                .chain(meaning.children.into_iter().flatten())
                .collect(),
        );
    }
    meaning
}
