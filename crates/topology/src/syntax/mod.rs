//! KDL text → nodes as written, with places; no meaning yet.

mod lexical;
mod mask;
mod plain;
mod raw;

use std::borrow::Cow;

use kdl::{KdlDiagnostic, KdlDocument, KdlEntry, KdlError, KdlIdentifier, KdlNode, KdlValue};
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::Diagnostic;
use crate::report::{as_fragment, syntax_error};
use crate::source::{FileId, Span, Spanned};
use lexical::{Chunk, Refusal};
pub(crate) use mask::{cover, likely_secrets};
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
        part.diagnostics = parse_chunks(file, text, chunks, Readers::Both, &mut |node| {
            part.nodes.push(take(&mut part.notes, node));
        });
        part
    };
    let chunks = lexical::chunks(text);
    if text.len() < WORTH_SHARING {
        return vec![part(&chunks)];
    }
    let share = chunks.len().div_ceil(rayon::current_num_threads()).max(1);
    chunks.par_chunks(share).map(part).collect()
}

fn parse_chunks(
    file: FileId,
    text: &str,
    chunks: &[Chunk],
    readers: Readers,
    take: &mut impl FnMut(RawNode),
) -> Vec<Diagnostic> {
    let mut plain = match readers {
        Readers::Both => PlainReader::new(file, text),
        Readers::OnlyKdl => None,
    };
    let mut diagnostics = Vec::new();
    for chunk in chunks {
        match plain.as_mut().and_then(|plain| plain.read(chunk)) {
            Some(node) => take(node),
            None => parse_chunk(file, text, chunk, take, &mut diagnostics),
        }
    }
    diagnostics
}

fn parse_chunk(
    file: FileId,
    text: &str,
    chunk: &Chunk,
    take: &mut impl FnMut(RawNode),
    diagnostics: &mut Vec<Diagnostic>,
) {
    if let Some((refusal, range)) = &chunk.refused {
        let whole = Place {
            file,
            text,
            offset: 0,
        };
        diagnostics.push(refused(*refusal, whole.span(range.start, range.end)));
        return;
    }
    let place = Place {
        file,
        text,
        offset: chunk.range.start,
    };
    match parse_node(&chunk.without_comments(text), chunk.recursions) {
        Ok(document) => document
            .nodes()
            .iter()
            .for_each(|node| take(place.node(node))),
        Err(error) => diagnostics.extend(
            error
                .diagnostics
                .iter()
                .map(|found| place.diagnostic(found)),
        ),
    }
}

/// What the fast reader says otherwise than the parser does; none where they agree, as they must on every text.
pub(crate) fn disagreement(text: &str) -> Option<String> {
    let chunks = lexical::chunks(text);
    let [fast, slow] = [Readers::Both, Readers::OnlyKdl].map(|readers| {
        let mut nodes = Vec::new();
        let take = &mut |node| nodes.push(node);
        let diagnostics = parse_chunks(FileId(0), text, &chunks, readers, take);
        (nodes, diagnostics)
    });
    (fast != slow).then(|| format!("the fast reader: {fast:#?}\nthe parser: {slow:#?}"))
}

/// Gives a node that may nest deep a stack of its own, whatever stack this thread has left.
fn parse_node(text: &str, recursions: usize) -> Result<KdlDocument, KdlError> {
    const STACK: usize = 16 * 1024 * 1024;
    if recursions <= lexical::FEW_BRACES {
        return KdlDocument::parse_v2(text);
    }
    let parsed = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
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

fn refused(refusal: Refusal, span: Span) -> Diagnostic {
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

    fn diagnostic(&self, found: &KdlDiagnostic) -> Diagnostic {
        let span = self.span(found.span.offset(), found.span.offset() + found.span.len());
        let message = found.message.as_deref().unwrap_or("this is not KDL");
        let written = &self.text[span.start as usize..span.end as usize];
        let help = version_1_hint(written)
            .map(Cow::Borrowed)
            .or(found.help.as_deref().map(Cow::Borrowed));
        let mut diagnostic = syntax_error(Some(span), as_fragment(message));
        diagnostic.label = found.label.as_deref().map(as_fragment);
        diagnostic.help = help.map(|help| as_fragment(&help));
        diagnostic
    }
}

/// What to write instead of a spelling that only KDL 1 had.
fn version_1_hint(written: &str) -> Option<&'static str> {
    let word = written.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '=');
    match word.trim_end() {
        "true" | "false" | "null" => {
            Some("this is KDL 1: KDL 2 writes `#true`, `#false` and `#null`")
        }
        raw if raw.starts_with("r\"") || raw.starts_with("r#") => {
            Some("this is KDL 1: KDL 2 writes raw strings as `#\"…\"#`")
        }
        _ => None,
    }
}
