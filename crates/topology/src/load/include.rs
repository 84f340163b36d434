//! `include "users.kdl" "devices/*.kdl"`: other files of the same topology, never outside its root (SW006).

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::extends::read_before;
use super::files::{read_text, shown, slashed};
use super::params::Substituted;
use super::{Loading, unreadable};
use crate::report::{bad_value, duplicate, include_failed, quoted, unknown_name};
use crate::source::Span;
use crate::syntax::{RawNode, RawValue};

/// Files in files, which no topology needs more of.
const MAX_DEPTH: usize = 32;

/// Which files were read, and which are being read.
#[derive(Default)]
pub(super) struct Included {
    first: HashMap<PathBuf, Option<Span>>,
    open: Vec<Option<PathBuf>>,
}

const FILES_ONLY: &str =
    "write `include` and names of files in quotes, such as `include \"devices/*.kdl\"`";

impl Included {
    pub(super) fn enter(&mut self, file: Option<PathBuf>, from: Option<Span>) {
        if let Some(file) = &file {
            self.first.entry(file.clone()).or_insert(from);
        }
        self.open.push(file);
    }

    pub(super) fn leave(&mut self) {
        self.open.pop();
    }
}

/// A file found: its path below the root as written, and as the file system resolves it.
#[derive(Debug, Clone)]
pub(super) struct Match {
    pub(super) name: PathBuf,
    pub(super) whole: PathBuf,
}

impl Loading {
    /// `from` is the including file, relative to the root.
    pub(super) fn include(&mut self, raw: &RawNode, from: &str) {
        if let Some(annotation) = &raw.annotation {
            self.reader.diagnostics.push(bad_value(
                annotation.span,
                "a node takes no type annotation",
            ));
        }
        for (key, _) in &raw.properties {
            let message = format!("`include` has no property {}", quoted(key));
            self.reader
                .diagnostics
                .push(unknown_name(key.span, message).help(FILES_ONLY));
        }
        if let Some(child) = raw.children.iter().flatten().next() {
            self.reader
                .diagnostics
                .push(unknown_name(child.name.span, "`include` takes no block").help(FILES_ONLY));
        }
        self.reader.cover_all(raw);
        if raw.arguments.is_empty() {
            let message = "`include` needs an argument: the file to read";
            self.reader
                .diagnostics
                .push(bad_value(raw.header, message).help(FILES_ONLY));
        }
        for argument in &raw.arguments {
            for found in self.matches(argument, from).unwrap_or_default() {
                self.include_file(&found, argument.span);
            }
        }
    }

    /// The files that an argument names, from the folder of the file that it stands in. None where that was reported.
    pub(super) fn matches(&mut self, argument: &RawValue, from: &str) -> Option<Vec<Match>> {
        if let Some(annotation) = &argument.annotation {
            self.reader.diagnostics.push(bad_value(
                annotation.span,
                "a file name takes no type annotation",
            ));
        }
        if matches!(
            self.reader.substituted.get(&argument.span),
            Some(Substituted::Nothing)
        ) {
            return None;
        }
        let Some(written) = argument.value.as_string().filter(|text| !text.is_empty()) else {
            self.unread = true;
            self.reader.diagnostics.push(
                bad_value(
                    argument.span,
                    "the name of the file must be a text, and not empty",
                )
                .help("write it in quotes, such as `\"users.kdl\"`"),
            );
            return None;
        };
        if self.included.open.len() > MAX_DEPTH {
            self.fail(
                argument.span,
                format!("more than {MAX_DEPTH} files lead to each other"),
                "let fewer files stand between the topology and this one",
            );
            return None;
        }
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        match self.find(written, folder) {
            Ok(matches) => Some(matches),
            Err(message) => {
                let help = "a path is relative to the file that it stands in, and stays in the folder of the topology";
                self.fail(argument.span, message, help);
                None
            }
        }
    }

    pub(super) fn fail(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.unread = true;
        self.reader
            .diagnostics
            .push(include_failed(Some(span), message).help(help));
    }

    /// Name below the root, name for people, and text of a file that is read for the first time. `verb` is the node
    /// that asks for it.
    pub(super) fn open(
        &mut self,
        found: &Match,
        span: Span,
        verb: &str,
    ) -> Option<(String, String, String)> {
        let name = slashed(&found.name);
        if self
            .included
            .open
            .iter()
            .flatten()
            .any(|open| *open == found.whole)
        {
            let help = "take this line out, or the one that leads back here";
            self.fail(span, format!("{} {verb}s itself", quoted(&name)), help);
            return None;
        }
        if let Some(first) = self.included.first.get(&found.whole) {
            let finding = duplicate(span, read_before(&name, verb));
            self.reader.diagnostics.push(match first {
                Some(first) => finding.related(*first, "first read here"),
                None => finding,
            });
            return None;
        }
        let shown = shown(&self.folder.join(&found.name));
        match read_text(&found.whole, self.room) {
            Ok(text) => {
                self.room = self.room.saturating_sub(text.len() as u64);
                Some((name, shown, text))
            }
            Err(error) => {
                self.unread = true;
                self.reader
                    .diagnostics
                    .push(unreadable(Some(span), &shown, &error));
                None
            }
        }
    }

    fn include_file(&mut self, found: &Match, span: Span) {
        let is_table = found
            .whole
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if is_table {
            self.unread = true;
            let message = format!(
                "{} is a table, not a part of a document",
                quoted(&slashed(&found.name))
            );
            let help = "read its rows as nodes: `import \"FILE.csv\" as=\"device\"`";
            self.reader
                .diagnostics
                .push(include_failed(Some(span), message).help(help));
            return;
        }
        if let Some((name, shown, text)) = self.open(found, span, "include") {
            self.part(&name, shown, text, Some(found.whole.clone()), Some(span));
        }
    }

    /// The files that a path or pattern names, sorted by name.
    fn find(&self, written: &str, folder: &Path) -> Result<Vec<Match>, String> {
        let outside = || {
            format!(
                "{} lies outside the folder of the topology",
                quoted(written)
            )
        };
        let mut names = vec![folder.to_path_buf()];
        for part in Path::new(written).components() {
            names = match part {
                Component::CurDir => names,
                Component::Normal(part) => {
                    let part = part.to_string_lossy();
                    let next: Result<Vec<_>, String> = names
                        .iter()
                        .map(|name| self.below(name, &part, written))
                        .collect();
                    next?.into_iter().flatten().collect()
                }
                Component::ParentDir => {
                    let up = names
                        .iter()
                        .map(|name| name.parent().map(Path::to_path_buf));
                    up.collect::<Option<Vec<_>>>().ok_or_else(outside)?
                }
                Component::RootDir | Component::Prefix(_) => {
                    return Err(format!(
                        "{} is absolute: write it relative to this file",
                        quoted(written)
                    ));
                }
            };
        }
        let mut found = Vec::new();
        for name in names {
            let Ok(whole) = self.root.join(&name).canonicalize() else {
                // `sites/*/users.kdl`: not every folder need have one.
                if is_pattern(written) {
                    continue;
                }
                return Err(format!("{} is not there", quoted(written)));
            };
            if !whole.starts_with(&self.root) {
                return Err(outside());
            }
            found.push(Match { name, whole });
        }
        if found.is_empty() {
            Err(format!("no file matches {}", quoted(written)))
        } else {
            Ok(found)
        }
    }

    /// What one part of a path, perhaps a pattern, names in a folder.
    fn below(&self, folder: &Path, part: &str, written: &str) -> Result<Vec<PathBuf>, String> {
        if !is_pattern(part) {
            return Ok(vec![folder.join(part)]);
        }
        if part.contains("**") {
            return Err(format!(
                "{} holds `**`: name the folders one by one",
                quoted(written)
            ));
        }
        let pattern = Pattern::new(part)
            .map_err(|error| format!("{} is not a pattern: {}", quoted(written), error.msg))?;
        let whole = self
            .root
            .join(folder)
            .canonicalize()
            .map_err(|_| format!("no file matches {}", quoted(written)))?;
        if !whole.starts_with(&self.root) {
            return Err(format!(
                "{} lies outside the folder of the topology",
                quoted(written)
            ));
        }
        let options = MatchOptions {
            require_literal_leading_dot: true,
            ..MatchOptions::default()
        };
        let mut names: Vec<PathBuf> = std::fs::read_dir(&whole)
            .map_err(|error| {
                format!(
                    "{} cannot be listed: {}",
                    quoted(&slashed(folder)),
                    error.kind()
                )
            })?
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| pattern.matches_with(name, options))
            .map(|name| folder.join(name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}
