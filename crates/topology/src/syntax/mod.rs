//! KDL text → nodes as written, with places; no meaning yet.

mod lexical;
mod mask;
mod mistakes;
mod plain;
mod raw;

use std::ops::Range;

use kdl::{KdlDocument, KdlEntry, KdlError, KdlIdentifier, KdlNode, KdlValue};
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::Diagnostic;
use crate::report::syntax_error;
use crate::source::{FileId, Span, Spanned};
use lexical::{Chunk, Refusal};
pub(crate) use mask::{cover, likely_secrets};
use mistakes::{Found, Repaired};
use plain::PlainReader;
pub(crate) use raw::{RawNode, RawValue, Written};

/// Who reads the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// The fast one what it can, the parser the rest.
    Both,
    /// The parser alone: what the fast reader is measured against.
    OnlyKdl,
}

/// What came of a stretch of a file.
pub(crate) struct Part<N, S> {
    pub(crate) nodes: Vec<N>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What was noted while the nodes were taken in.
    pub(crate) notes: S,
}

/// Parses one file. Nodes without syntax errors are there even if others have some.
pub(crate) fn parse(file: FileId, text: &str) -> (Vec<RawNode>, Vec<Diagnostic>) {
    let mut all = (Vec::new(), Vec::new());
    for part in parse_into(file, text, |(), node| node) {
        all.0.extend(part.nodes);
        all.1.extend(part.diagnostics);
    }
    all
}

/// Why a stretch of a text gave no node.
#[derive(Debug, PartialEq)]
struct Failure {
    range: Range<usize>,
    why: Why,
}

#[derive(Debug, PartialEq)]
enum Why {
    /// The parser was spared it.
    Refused(Refusal, Range<usize>),
    /// The parser says that it is not KDL, and where; places are those of the text.
    Unparsed(Vec<Range<usize>>),
    /// It is KDL, and looks like a mistake all the same.
    Foreign,
}

/// Parses one file and takes in each node at once, so that what is written is not in memory as a whole. The parts of a
/// long file are parsed side by side, and given in the order of the file.
pub(crate) fn parse_into<N: Send, S: Default + Send>(
    file: FileId,
    text: &str,
    take: impl Fn(&mut S, RawNode) -> N + Sync,
) -> Vec<Part<N, S>> {
    // Below this a second thread costs more than it saves.
    const WORTH_SHARING: usize = 256 * 1024;
    let part = |chunks: &[Chunk]| {
        let mut part = Part {
            nodes: Vec::with_capacity(chunks.len()),
            diagnostics: Vec::new(),
            notes: S::default(),
        };
        let failures = parse_chunks(file, text, chunks, Readers::Both, &mut |node| {
            part.nodes.push(take(&mut part.notes, node));
        });
        (part, failures)
    };
    let chunks = lexical::chunks(text);
    let parts = if text.len() < WORTH_SHARING {
        vec![part(&chunks)]
    } else {
        let share = chunks.len().div_ceil(rayon::current_num_threads()).max(1);
        chunks.par_chunks(share).map(part).collect()
    };
    let mut failures = Vec::new();
    let mut read = Vec::with_capacity(parts.len());
    for (part, failed) in parts {
        failures.extend(failed);
        read.push(part);
    }
    if failures.is_empty() {
        return read;
    }
    // What was read beside a mistake may be wrong: an unclosed quote makes nodes of what stands in them.
    drop(read);
    vec![recover(file, text, &failures, take)]
}

/// Reads a text with mistakes: says what they are, and takes in the nodes that they do not touch, as they are once the
/// mistakes are corrected.
fn recover<N, S: Default>(
    file: FileId,
    text: &str,
    failures: &[Failure],
    take: impl Fn(&mut S, RawNode) -> N,
) -> Part<N, S> {
    /// Parsing a node of many mistakes takes long, and says nothing new about it.
    const WORTH_PARSING: usize = 64 * 1024;
    let mut part = Part {
        nodes: Vec::new(),
        diagnostics: Vec::new(),
        notes: S::default(),
    };
    let mut shown = text.to_owned();
    for secret in likely_secrets(text) {
        cover(&mut shown, secret);
    }
    let refused: Vec<_> = failures
        .iter()
        .map(|failure| failure.range.clone())
        .collect();
    // Nobody forgets so many braces: what it is, nobody knows.
    let is_too_deep = |failure: &Failure| matches!(failure.why, Why::Refused(Refusal::TooDeep, _));
    let found = match failures.iter().any(is_too_deep) {
        true => Found::default(),
        false => mistakes::find(text, &shown, &refused),
    };
    let repaired = found.repair(text);
    let place = Place {
        file,
        text,
        offset: 0,
    };
    let chunks = match found.is_other_language() {
        true => Vec::new(),
        false => lexical::chunks(&repaired.text),
    };
    for chunk in &chunks {
        let touched = repaired.touches(&chunk.range);
        if touched && chunk.range.len() > WORTH_PARSING {
            continue;
        }
        let mut nodes = Vec::new();
        let chunk = std::slice::from_ref(chunk);
        let failures = parse_chunks(file, &repaired.text, chunk, Readers::Both, &mut |node| {
            nodes.push(node);
        });
        for mut node in nodes.into_iter().filter(|_| !touched) {
            repaired.place_node(&mut node);
            part.nodes.push(take(&mut part.notes, node));
        }
        for failure in failures {
            let original =
                |range: &Range<usize>| repaired.original(range.start)..repaired.original(range.end);
            match &failure.why {
                Why::Refused(refusal, range) => {
                    let range = original(range);
                    if !found.covers(range.start) {
                        let span = place.span(range.start, range.end);
                        part.diagnostics.push(refuse(*refusal, span));
                    }
                }
                Why::Unparsed(places) => {
                    let unknown = places
                        .iter()
                        .map(original)
                        .find(|range| !found.covers(range.start));
                    // One a node: what the parser says after its first word may come from misreading.
                    if let Some(range) = unknown {
                        part.diagnostics.push(place.not_kdl(range));
                    }
                }
                Why::Foreign => {}
            }
        }
    }
    part.diagnostics
        .extend(found.diagnostics(file, &shown, &repaired));
    part
}

fn parse_chunks(
    file: FileId,
    text: &str,
    chunks: &[Chunk],
    readers: Readers,
    take: &mut impl FnMut(RawNode),
) -> Vec<Failure> {
    let mut plain = match readers {
        Readers::Both => PlainReader::new(file, text),
        Readers::OnlyKdl => None,
    };
    let mut failures = Vec::new();
    for chunk in chunks {
        match plain.as_mut().and_then(|plain| plain.read(chunk)) {
            Some(node) => take(node),
            None => {
                if let Err(why) = parse_chunk(file, text, chunk, take) {
                    failures.push(Failure {
                        range: chunk.range.clone(),
                        why,
                    });
                }
            }
        }
    }
    failures
}

fn parse_chunk(
    file: FileId,
    text: &str,
    chunk: &Chunk,
    take: &mut impl FnMut(RawNode),
) -> Result<(), Why> {
    if let Some((refusal, range)) = &chunk.refused {
        return Err(Why::Refused(*refusal, range.clone()));
    }
    let offset = chunk.range.start;
    let place = Place { file, text, offset };
    if chunk.range.len() > LONG && mistakes::are_many(text, chunk.range.clone()) {
        return Err(Why::Unparsed(Vec::new()));
    }
    match parse_node(&chunk.without_comments(text), chunk.recursions) {
        Ok(_) if mistakes::looks_foreign(text, chunk.range.clone()) => Err(Why::Foreign),
        Ok(document) => {
            document
                .nodes()
                .iter()
                .for_each(|node| take(place.node(node)));
            Ok(())
        }
        Err(error) => {
            let places = error.diagnostics.iter().map(|found| {
                let start = offset + found.span.offset();
                start..start + found.span.len()
            });
            Err(Why::Unparsed(places.collect()))
        }
    }
}

/// What the fast reader says otherwise than the parser does; none where they agree, as they must on every text.
pub(crate) fn disagreement(text: &str) -> Option<String> {
    let chunks = lexical::chunks(text);
    let [fast, slow] = [Readers::Both, Readers::OnlyKdl].map(|readers| {
        let mut nodes = Vec::new();
        let take = &mut |node| nodes.push(node);
        let failures = parse_chunks(FileId(0), text, &chunks, readers, take);
        (nodes, failures)
    });
    (fast != slow).then(|| format!("the fast reader: {fast:#?}\nthe parser: {slow:#?}"))
}

/// A mistake that is found in a text though the parser accepts it; none, as it must be for every text.
pub(crate) fn false_alarm(text: &str) -> Option<String> {
    let is_kdl = |text: &str| {
        lexical::chunks(text).iter().all(|chunk| {
            let node = chunk.without_comments(text);
            chunk.refused.is_none() && parse_node(&node, chunk.recursions).is_ok()
        })
    };
    // The parser passes over mistakes in what is commented out.
    (is_kdl(text) && is_kdl(&text.replace("/-", " ")))
        .then(|| mistakes::false_alarm(text))
        .flatten()
}

/// Longer than most nodes are. The parser recurses with every mistake that it meets, too.
const LONG: usize = 1024;

/// Gives a node that may nest deep a stack of its own, whatever stack this thread has left.
fn parse_node(text: &str, recursions: usize) -> Result<KdlDocument, KdlError> {
    const STACK: usize = 16 * 1024 * 1024;
    const PER_BYTE: usize = 256;
    if recursions <= lexical::FEW_BRACES && text.len() <= LONG {
        return KdlDocument::parse_v2(text);
    }
    let parsed = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK + PER_BYTE * text.len());
        thread
            .spawn_scoped(scope, || KdlDocument::parse_v2(text))
            .map(std::thread::ScopedJoinHandle::join)
    });
    match parsed {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        // No thread to be had: this one may do.
        Err(_) => KdlDocument::parse_v2(text),
    }
}

fn refuse(refusal: Refusal, span: Span) -> Diagnostic {
    match refusal {
        Refusal::TooDeep => syntax_error(
            Some(span),
            format!("more than {} levels of nesting", lexical::MAX_DEPTH),
        )
        .help("no node of a topology nests deeper than three levels"),
        Refusal::Unclosed => {
            syntax_error(Some(span), "no closing `}` for this block").label("opened here")
        }
        Refusal::TooManyBraces => syntax_error(
            Some(span),
            format!("more than {} braces in one node", lexical::MAX_BRACES),
        )
        .help("is a `}` missing before the next node?"),
        Refusal::TooLong => syntax_error(
            Some(span),
            format!("more than {} MiB in one node", lexical::MAX_LENGTH >> 20),
        )
        .label("begins here")
        .help("is a `}` missing before the next node?"),
        Refusal::TooManyNodes => syntax_error(
            Some(span),
            format!("more than {} nodes in one file", lexical::MAX_NODES),
        )
        .help("what comes from here on was not read"),
        Refusal::UnclosedComment => {
            syntax_error(Some(span), "no closing `*/` for this comment").label("opened here")
        }
    }
}

/// Where a chunk stands.
struct Place<'a> {
    file: FileId,
    text: &'a str,
    offset: usize,
}

impl Place<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let within = |at: usize| {
            let at = (self.offset + at).min(self.text.len());
            let at = (0..=at)
                .rev()
                .find(|&at| self.text.is_char_boundary(at))
                .unwrap_or(0);
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        Span {
            file: self.file,
            start: within(start),
            end: within(end.max(start)),
        }
    }

    fn identifier(&self, written: &KdlIdentifier) -> Spanned<SmolStr> {
        let span = written.span();
        Spanned::new(
            SmolStr::new(written.value()),
            self.span(span.offset(), span.offset() + span.len()),
        )
    }

    /// Without the white space that the parser counts in at either end.
    fn trimmed(&self, start: usize, end: usize) -> Span {
        let span = self.span(start, end);
        let text = &self.text[span.start as usize..span.end as usize];
        let blank = |letter: char| letter.is_whitespace() || matches!(letter, ';' | '\u{feff}');
        let leading = text.len() - text.trim_start_matches(blank).len();
        let length = text.trim_matches(blank).len();
        let start = span.start + u32::try_from(leading).unwrap_or(0);
        Span {
            start,
            end: start + u32::try_from(length).unwrap_or(0),
            ..span
        }
    }

    fn node(&self, node: &KdlNode) -> RawNode {
        let span = self.trimmed(
            node.span().offset(),
            node.span().offset() + node.span().len(),
        );
        let name = self.identifier(node.name());
        let mut header = Span {
            end: name.span.end,
            ..span
        };
        let mut arguments = Vec::new();
        let mut properties = Vec::new();
        for entry in node.entries() {
            let value = self.value(entry);
            header.end = header.end.max(value.span.end);
            match entry.name() {
                Some(key) => properties.push((self.identifier(key), value)),
                None => arguments.push(value),
            }
        }
        RawNode {
            annotation: node
                .ty()
                .map(|annotation| Box::new(self.identifier(annotation))),
            name,
            arguments,
            properties,
            children: node
                .children()
                .map(|block| block.nodes().iter().map(|child| self.node(child)).collect()),
            span: Span {
                end: span.end.max(header.end),
                ..span
            },
            header,
        }
    }

    fn value(&self, entry: &KdlEntry) -> RawValue {
        let whole = self.trimmed(
            entry.span().offset(),
            entry.span().offset() + entry.span().len(),
        );
        let length = entry.format().map_or(0, |format| format.value_repr.len());
        let start = whole
            .end
            .saturating_sub(u32::try_from(length).unwrap_or(0))
            .max(whole.start);
        let span = if length == 0 {
            whole
        } else {
            Span { start, ..whole }
        };
        let annotation = entry
            .ty()
            .map(|annotation| Box::new(self.identifier(annotation)));
        let value = match entry.value() {
            KdlValue::String(text) => Written::Text(SmolStr::new(text)),
            KdlValue::Integer(number) => Written::Integer(*number),
            KdlValue::Float(number) => Written::Float(*number),
            KdlValue::Bool(flag) => Written::Boolean(*flag),
            KdlValue::Null => Written::Null,
        };
        RawValue {
            annotation,
            value,
            span,
        }
    }

    /// Where nobody knows what was meant.
    fn not_kdl(&self, range: Range<usize>) -> Diagnostic {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        // What the parser misread can be long: its first line is where to look.
        let text = &self.text[start..end];
        let blank = text.len() - text.trim_start().len();
        let line = text[blank..].lines().next().unwrap_or_default();
        let span = match line.is_empty() {
            true => self.span(start, end),
            false => self.span(start + blank, start + blank + line.len()),
        };
        syntax_error(Some(span), "this is not KDL").help(
            "a node is its name, its values, and perhaps a block in `{` and `}`; texts stand in quotes: \
             `user \"101\" name=\"Sales\"`",
        )
    }
}

impl Repaired {
    /// Gives the places of a node of the repaired text as they are in the original.
    fn place_node(&self, node: &mut RawNode) {
        self.place_span(&mut node.name.span);
        self.place_span(&mut node.span);
        self.place_span(&mut node.header);
        if let Some(annotation) = &mut node.annotation {
            self.place_span(&mut annotation.span);
        }
        for (key, _) in &mut node.properties {
            self.place_span(&mut key.span);
        }
        let values = node.properties.iter_mut().map(|(_, value)| value);
        for value in values.chain(&mut node.arguments) {
            self.place_span(&mut value.span);
            if let Some(annotation) = &mut value.annotation {
                self.place_span(&mut annotation.span);
            }
        }
        for child in node.children.iter_mut().flatten() {
            self.place_node(child);
        }
    }

    fn place_span(&self, span: &mut Span) {
        let place = |at: u32| u32::try_from(self.original(at as usize)).unwrap_or(u32::MAX);
        *span = Span {
            start: place(span.start),
            end: place(span.end),
            ..*span
        };
    }
}
