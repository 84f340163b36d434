//! From a file to a topology: reading, including, checking, building.

mod defaults;
mod files;
mod include;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::choice::KIND_NAMES;
use crate::element::Element;
use crate::model::{Kind, build};
use crate::read::Reader;
use crate::report::{
    bad_value, did_you_mean, include_failed, listed, nearest, syntax_error, unknown_name,
};
use crate::resolve::{self, Document};
use crate::schema::{KINDS, STRUCTURE, kind_named, spec_of};
use crate::source::{FileId, Span};
use crate::syntax::{self, RawNode};
use crate::{Diagnostic, Sources, Topology, in_report_order};
use files::{ReadError, read_text};
use include::Included;

/// A topology as it was read, with everything that was found on the way.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is well-formed.
    pub topology: Topology,
    /// The files, by which spans are shown. Secrets in clear text are covered in them.
    pub sources: Sources,
    /// Findings about the documents (SW001 to SW009 but for SW007), in report order.
    pub diagnostics: Vec<Diagnostic>,
    /// Folder of the topology file: what paths in the topology are relative to. Absolute, where it exists.
    pub root: PathBuf,
    /// SHA-256 over names (relative to the root) and texts of all files that were read, in hexadecimal.
    pub digest: String,
}

/// Reads a topology file and everything that it includes. A file that cannot be read is a finding too.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut loading = Loading::new(folder);
    let shown = files::shown(path);
    match read_text(path) {
        Ok(text) => {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let whole = path.canonicalize().ok();
            loading.document(&name, shown, text, whole, None);
        }
        Err(error) => {
            loading.unread = true;
            loading
                .reader
                .diagnostics
                .push(unreadable(None, &shown, &error));
        }
    }
    loading.finish()
}

/// Reads a topology from a text that is shown as `name`; what it includes is looked for below `root`.
#[must_use]
pub fn load_text(name: &str, text: String, root: &Path) -> Loaded {
    let mut loading = Loading::new(if root == Path::new("") {
        Path::new(".")
    } else {
        root
    });
    if text.len() as u64 > files::MAX_BYTES {
        loading.unread = true;
        loading
            .reader
            .diagnostics
            .push(unreadable(None, name, &ReadError::TooLarge));
    } else {
        loading.document(name, name.to_owned(), text, None, None);
    }
    loading.finish()
}

fn unreadable(span: Option<Span>, shown: &str, error: &ReadError) -> Diagnostic {
    let message = format!("cannot read {}: {error}", crate::report::quoted(shown));
    let finding = match error {
        ReadError::NotUtf8 { .. } => syntax_error(span, message),
        _ => include_failed(span, message),
    };
    finding.maybe_help(error.help().map(str::to_owned))
}

/// The state of one run.
struct Loading {
    sources: Sources,
    reader: Reader,
    digest: Sha256,
    /// As given, for showing; and as the file system resolves it, for comparing.
    folder: PathBuf,
    root: PathBuf,
    nodes: Vec<RawNode>,
    /// Whether something was not read at all, so that nothing can be said about what is absent.
    unread: bool,
    included: Included,
}

impl Loading {
    fn new(folder: &Path) -> Self {
        Self {
            sources: Sources::default(),
            reader: Reader::default(),
            digest: Sha256::new(),
            folder: folder.to_path_buf(),
            root: folder
                .canonicalize()
                .unwrap_or_else(|_| folder.to_path_buf()),
            nodes: Vec::new(),
            unread: false,
            included: Included::default(),
        }
    }

    /// Takes in one file: `name` is relative to the root, `shown` is for people, `from` is what included it.
    fn document(
        &mut self,
        name: &str,
        shown: String,
        text: String,
        whole: Option<PathBuf>,
        from: Option<Span>,
    ) {
        for part in [name, &text] {
            self.digest.update((part.len() as u64).to_le_bytes());
            self.digest.update(part.as_bytes());
        }
        let file = self.sources.add(shown, text);
        let (nodes, diagnostics) = syntax::parse(file, &self.sources.file(file).text);
        if !diagnostics.is_empty() {
            self.unread = true;
            self.hide_likely_secrets(file);
        }
        self.reader.diagnostics.extend(diagnostics);
        self.included.enter(whole, from);
        for node in nodes {
            if node.name.value == "include" {
                self.include(&node, name);
            } else {
                self.nodes.push(node);
            }
        }
        self.included.leave();
    }

    fn hide_likely_secrets(&mut self, file: FileId) {
        for range in syntax::likely_secrets(&self.sources.file(file).text) {
            let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
            self.reader.secrets.push(Span {
                file,
                start: at(range.start),
                end: at(range.end),
            });
        }
    }

    fn finish(mut self) -> Loaded {
        let mut document = self.read_nodes();
        document.unread = self.unread;
        self.reader.diagnostics.extend(resolve::findings(&document));
        let mut topology = build(&document.elements);
        topology.incomplete = incomplete(&document);
        for secret in std::mem::take(&mut self.reader.secrets) {
            self.sources.cover(secret);
        }
        Loaded {
            topology,
            sources: self.sources,
            diagnostics: in_report_order(self.reader.diagnostics),
            root: self.root,
            digest: format!("{:x}", self.digest.finalize()),
        }
    }

    fn read_nodes(&mut self) -> Document {
        let mut document = Document::default();
        let mut defaults = defaults::Defaults::default();
        let nodes = std::mem::take(&mut self.nodes);
        for raw in &nodes {
            match kind_named(&raw.name) {
                Some(kind) => document
                    .elements
                    .push((kind, self.reader.node(raw, spec_of(kind)))),
                None if raw.name.value == "defaults" => defaults.read(&mut self.reader, raw),
                None => self.unknown_node(raw, &mut document),
            }
        }
        for (kind, element) in &mut document.elements {
            defaults.apply(*kind, element);
            self.reader.report_missing(element);
        }
        document.defaults = defaults.into_elements();
        let has_site = document
            .elements
            .iter()
            .any(|(kind, _)| *kind == Kind::Site);
        let misspelt = document
            .unknown
            .iter()
            .any(|(kind, _)| *kind == Some(Kind::Site));
        if !has_site && !misspelt && !self.unread {
            let start = Span {
                file: FileId(0),
                start: 0,
                end: 0,
            };
            let message = "the topology has no `site`";
            let help = "name it: `site \"NAME\" mode=\"hot-standby\"`";
            self.reader
                .diagnostics
                .push(bad_value(start, message).help(help));
        }
        document
    }

    fn unknown_node(&mut self, raw: &RawNode, document: &mut Document) {
        let known = || KIND_NAMES.iter().copied().chain(STRUCTURE);
        let message = format!(
            "this version knows no node {}",
            crate::report::quoted(&raw.name)
        );
        let help = did_you_mean(&raw.name, known());
        self.reader
            .diagnostics
            .push(unknown_name(raw.name.span, message).maybe_help(help));
        self.reader.cover_all(raw);
        let meant = nearest(&raw.name, known()).and_then(kind_named);
        let names = raw
            .arguments
            .iter()
            .filter_map(|value| value.value.as_string());
        document
            .unknown
            .extend(names.map(|name| (meant, Some(name.to_owned()))));
        document.unknown.push((meant, None));
    }
}

fn incomplete(document: &Document) -> BTreeSet<Kind> {
    if document.unread {
        return KINDS.iter().map(|(kind, _)| *kind).collect();
    }
    let broken = document
        .elements
        .iter()
        .filter(|(_, element)| element.broken)
        .map(|(kind, _)| *kind);
    broken
        .chain(document.unknown.iter().filter_map(|(kind, _)| *kind))
        .collect()
}

/// The kinds that `defaults` may name: those of which there can be several.
fn repeatable_kinds() -> Vec<&'static str> {
    let once = |kind: &Kind| resolve::occurs_once(*kind);
    KINDS
        .iter()
        .filter(|(kind, _)| !once(kind))
        .map(|(_, spec)| spec.name)
        .collect()
}

fn refuse_defaults_kind(reader: &mut Reader, raw: &RawNode) {
    let kinds = repeatable_kinds();
    let finding = match raw.arguments.first() {
        None => bad_value(
            raw.header,
            "`defaults` needs an argument: the kind of node that it is for",
        ),
        Some(argument) => match argument.value.as_string() {
            Some(kind) => {
                let message = format!(
                    "no kind of node that can have defaults is called {}",
                    crate::report::quoted(kind)
                );
                bad_value(argument.span, message)
                    .maybe_help(did_you_mean(kind, kinds.iter().copied()))
            }
            None => bad_value(argument.span, "the kind of node must be a text"),
        },
    };
    let help = finding
        .help
        .clone()
        .unwrap_or_else(|| format!("it is one of {}", listed(&kinds)));
    reader.diagnostics.push(finding.help(help));
}

impl Document {
    /// Every element: of nodes, and of defaults.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Element> {
        self.elements
            .iter()
            .chain(&self.defaults)
            .map(|(_, element)| element)
    }
}
