//! From a file to a topology: reading, including, checking, building.

mod comments;
mod defaults;
mod encoding;
mod extends;
mod files;
mod import;
mod include;
mod merge;
mod params;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::choice::KIND_NAMES;
use crate::element::Element;
use crate::model::{Kind, build};
use crate::origin::Origins;
use crate::read::Reader;
use crate::report::{
    bad_value, did_you_mean, include_failed, listed, nearest, syntax_error, unknown_name,
};
use crate::resolve::{self, Document};
use crate::schema::{KINDS, STRUCTURE, kind_named, spec_of};
use crate::source::{FileId, Span};
use crate::syntax::{self, Part, RawNode};
use crate::{Diagnostic, Sources, Topology, in_report_order};
use files::{ReadError, read_text};
use import::Table;
use include::Included;
use params::{Extending, Params};

pub(crate) use params::Substituted;

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
    /// Where values come from: a base, defaults, a table, a parameter.
    pub origins: Origins,
    /// Names of the files relative to the root, in the order of `sources`.
    pub names: Vec<String>,
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
    match read_text(path, loading.room) {
        Ok(text) => {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let whole = path.canonicalize().ok();
            loading.document(&name, shown, text, whole, None, None);
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
    match files::refuse_text(&text) {
        Ok(()) => loading.document(name, name.to_owned(), text, None, None, None),
        Err(error) => {
            loading.unread = true;
            loading
                .reader
                .diagnostics
                .push(unreadable(None, name, &error));
        }
    }
    loading.finish()
}

fn unreadable(span: Option<Span>, shown: &str, error: &ReadError) -> Diagnostic {
    let message = format!("cannot read {}: {error}", crate::report::quoted(shown));
    let finding = match error {
        ReadError::NotUtf8(_) => syntax_error(span, message),
        _ => include_failed(span, message),
    };
    finding.maybe_help(error.help(shown))
}

/// Name and text of a file that is read for its own sake.
pub(crate) fn read_file(path: &Path) -> Result<(String, String), Box<Diagnostic>> {
    let shown = files::shown(path);
    match read_text(path, files::MAX_BYTES) {
        Ok(text) => Ok((shown, text)),
        Err(error) => Err(Box::new(unreadable(None, &shown, &error))),
    }
}

/// What is wrong with a text before it is looked at.
pub(crate) fn unreadable_text(name: &str, text: &str) -> Option<Diagnostic> {
    let refused = files::refuse_text(text).err()?;
    Some(unreadable(None, name, &refused))
}

/// The state of one run.
struct Loading {
    sources: Sources,
    reader: Reader,
    /// The names of the files, relative to the root, in the order of `sources`.
    names: Vec<String>,
    /// As given, for showing; and as the file system resolves it, for comparing.
    folder: PathBuf,
    root: PathBuf,
    /// The document, then its base, then the base's base. What is read goes into the last one.
    layers: Vec<Layer>,
    origins: Origins,
    /// Whether something was not read at all, so that nothing can be said about what is absent.
    unread: bool,
    included: Included,
    /// How many more bytes of files are read.
    room: u64,
}

/// One document with its parts.
#[derive(Default)]
struct Layer {
    nodes: Vec<Node>,
    rows: Vec<(Kind, Element)>,
    tables: Vec<Table>,
    removals: Vec<RawNode>,
    params: Params,
}

/// A node of the top level.
enum Node {
    /// Read while the file was parsed: what it says depends on nothing else.
    Read(Kind, Element),
    Raw(RawNode),
}

impl Loading {
    fn new(folder: &Path) -> Self {
        Self {
            sources: Sources::default(),
            reader: Reader::default(),
            names: Vec::new(),
            folder: folder.to_path_buf(),
            root: folder
                .canonicalize()
                .unwrap_or_else(|_| folder.to_path_buf()),
            layers: vec![Layer::default()],
            origins: Origins::default(),
            unread: false,
            included: Included::default(),
            room: files::MAX_BYTES,
        }
    }

    /// Adds a file to what was read: `name` is relative to the root, `shown` is for people.
    fn source(&mut self, name: &str, shown: String, text: String, table: bool) -> FileId {
        self.names.push(name.to_owned());
        self.origins.add_file(self.layers.len() > 1, table);
        self.sources.add(shown, text)
    }

    /// Parses a file and hides what it must not show where it cannot be parsed.
    fn parsed(&mut self, file: FileId) -> Vec<Node> {
        let text = &self.sources.file(file).text;
        let parametric = may_be_parametric(text);
        let take = |reader: &mut Reader, raw: RawNode| match kind_named(&raw.name) {
            Some(kind) if !parametric => Node::Read(kind, reader.node(&raw, spec_of(kind))),
            _ => Node::Raw(raw),
        };
        let mut nodes = Vec::new();
        let mut broken = false;
        for part in syntax::parse_into(file, text, take) {
            let Part {
                nodes: some,
                diagnostics,
                notes,
            } = part;
            broken |= !diagnostics.is_empty();
            self.reader.diagnostics.extend(diagnostics);
            self.reader.extend(notes);
            nodes.extend(some);
        }
        if broken {
            self.unread = true;
            self.hide_likely_secrets(file);
        }
        nodes
    }

    /// Takes in a document: the topology itself, or a base. `from` is what asked for it.
    fn document(
        &mut self,
        name: &str,
        shown: String,
        text: String,
        whole: Option<PathBuf>,
        from: Option<Span>,
        extending: Option<&Extending>,
    ) {
        let file = self.source(name, shown, text, false);
        let mut nodes = self.parsed(file);
        let params = self.params(&mut nodes, extending);
        self.layer().params = params;
        self.included.enter(whole, from);
        let mut base: Option<RawNode> = None;
        for node in self.substituted(file, nodes) {
            match (node, &base) {
                (Node::Raw(node), Some(first)) if node.name.value == "extends" => {
                    self.extended_twice(&node, first.header);
                }
                (Node::Raw(node), None) if node.name.value == "extends" => base = Some(node),
                (node, _) => self.place(node, name),
            }
        }
        // Last: from here on what is read belongs to the base.
        if let Some(base) = base {
            self.extend(base, name);
        }
        self.included.leave();
    }

    /// Takes in a part of a document.
    fn part(
        &mut self,
        name: &str,
        shown: String,
        text: String,
        whole: Option<PathBuf>,
        from: Option<Span>,
    ) {
        let file = self.source(name, shown, text, false);
        let nodes = self.parsed(file);
        self.included.enter(whole, from);
        for node in self.substituted(file, nodes) {
            match node {
                Node::Raw(node) if matches!(node.name.value.as_str(), "param" | "extends") => {
                    self.refuse_in_part(&node);
                }
                node => self.place(node, name),
            }
        }
        self.included.leave();
    }

    fn layer(&mut self) -> &mut Layer {
        if self.layers.is_empty() {
            self.layers.push(Layer::default());
        }
        let last = self.layers.len() - 1;
        &mut self.layers[last]
    }

    /// Nodes with parameters put in.
    fn substituted(&mut self, file: FileId, mut nodes: Vec<Node>) -> Vec<Node> {
        if may_be_parametric(&self.sources.file(file).text) {
            let params = std::mem::take(&mut self.layer().params);
            for node in &mut nodes {
                if let Node::Raw(node) = node {
                    self.substitute(node, &params);
                }
            }
            self.layer().params = params;
        }
        nodes
    }

    fn place(&mut self, node: Node, from: &str) {
        match node {
            Node::Raw(node) if node.name.value == "include" => self.include(&node, from),
            Node::Raw(node) if node.name.value == "import" => self.import(&node, from),
            Node::Raw(node) if node.name.value == "remove" => self.layer().removals.push(node),
            node => self.layer().nodes.push(node),
        }
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
        let (findings, digest) = rayon::join(
            || resolve::findings(&document),
            || digest(&self.names, &self.sources),
        );
        self.reader.diagnostics.extend(findings);
        let incomplete = incomplete(&document);
        let mut topology = build(document.elements);
        topology.incomplete = incomplete;
        self.origins
            .finish(std::mem::take(&mut self.reader.substituted));
        for secret in std::mem::take(&mut self.reader.secrets) {
            self.sources.cover(secret);
            // What was put in is as secret as the whole.
            for (_, place) in self.origins.parameters(secret) {
                self.sources.cover(*place);
            }
        }
        comments::explain(&mut self.reader.diagnostics, &self.sources);
        let diagnostics = self.origins.relate(self.reader.diagnostics);
        Loaded {
            topology,
            sources: self.sources,
            diagnostics: in_report_order(diagnostics),
            root: self.root,
            origins: self.origins,
            names: self.names,
            digest,
        }
    }

    fn read_nodes(&mut self) -> Document {
        let mut document = Document::default();
        let mut defaults = defaults::Defaults::default();
        let mut tables = Vec::new();
        let mut layers = Vec::new();
        for layer in std::mem::take(&mut self.layers) {
            let mut elements = Vec::with_capacity(layer.nodes.len() + layer.rows.len());
            defaults.next_layer();
            for node in layer.nodes {
                let raw = match node {
                    Node::Raw(raw) => raw,
                    Node::Read(kind, element) => {
                        elements.push((kind, element));
                        continue;
                    }
                };
                match kind_named(&raw.name) {
                    Some(kind) => elements.push((kind, self.reader.node(&raw, spec_of(kind)))),
                    None if raw.name.value == "defaults" => {
                        self.origins.add_defaults(raw.span);
                        defaults.read(&mut self.reader, &raw);
                    }
                    None => self.unknown_node(&raw, &mut document),
                }
            }
            elements.extend(layer.rows);
            tables.extend(layer.tables);
            layers.push((elements, layer.removals));
        }
        document.elements = self.merge(layers);
        for (kind, element) in &mut document.elements {
            defaults.apply(*kind, element);
            if !element.missing.is_empty() {
                import::note_absent(&mut tables, element);
            }
            self.reader.report_missing(element);
        }
        tables.iter().for_each(|table| self.report_absent(table));
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
        let known = || {
            let structure = STRUCTURE.iter().map(|spec| spec.name);
            KIND_NAMES.iter().copied().chain(structure)
        };
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

/// Whether a file may hold `${…}`, plainly or as an escape. Most do not.
fn may_be_parametric(text: &str) -> bool {
    text.contains('$') || text.contains("\\u{")
}

/// SHA-256 over names and texts, each behind its length.
fn digest(names: &[String], sources: &Sources) -> String {
    let mut digest = Sha256::new();
    for (name, file) in names.iter().zip(sources.files()) {
        for part in [name, &file.text] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
    }
    format!("{:x}", digest.finalize())
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
