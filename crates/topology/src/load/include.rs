//! `include "users.kdl" "devices/*.kdl"`: other files of the same topology, never outside its root (SW006).

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::files::{read_text, shown, slashed};
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
struct Match {
    name: PathBuf,
    whole: PathBuf,
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
                .push(unknown_name(key.span, message));
        }
        if let Some(child) = raw.children.iter().flatten().next() {
            self.reader
                .diagnostics
                .push(unknown_name(child.name.span, "`include` takes no block"));
        }
        self.reader.cover_all(raw);
        if raw.arguments.is_empty() {
            let message = "`include` needs an argument: the file to read";
            self.reader.diagnostics.push(bad_value(raw.header, message));
        }
        let folder = Path::new(from)
            .parent()
            .unwrap_or(Path::new(""))
            .to_path_buf();
        for argument in &raw.arguments {
            self.include_argument(argument, &folder);
        }
    }

    fn include_argument(&mut self, argument: &RawValue, folder: &Path) {
        if let Some(annotation) = &argument.annotation {
            self.reader.diagnostics.push(bad_value(
                annotation.span,
                "a file name takes no type annotation",
            ));
        }
        let Some(written) = argument.value.as_string().filter(|text| !text.is_empty()) else {
            self.unread = true;
            self.reader.diagnostics.push(bad_value(
                argument.span,
                "the file to include must be a text, and not empty",
            ));
            return;
        };
        if self.included.open.len() > MAX_DEPTH {
            self.fail(
                argument.span,
                format!("more than {MAX_DEPTH} files include each other"),
            );
            return;
        }
        match self.find(written, folder) {
            Ok(matches) => matches
                .into_iter()
                .for_each(|found| self.include_file(found, argument.span)),
            Err(message) => self.fail(argument.span, message),
        }
    }

    fn fail(&mut self, span: Span, message: impl Into<String>) {
        self.unread = true;
        self.reader
            .diagnostics
            .push(include_failed(Some(span), message));
    }

    fn include_file(&mut self, found: Match, span: Span) {
        let name = slashed(&found.name);
        if self
            .included
            .open
            .iter()
            .flatten()
            .any(|open| *open == found.whole)
        {
            self.fail(span, format!("{} includes itself", quoted(&name)));
            return;
        }
        if let Some(first) = self.included.first.get(&found.whole) {
            let finding = duplicate(span, format!("{} is included twice", quoted(&name)));
            self.reader.diagnostics.push(match first {
                Some(first) => finding.related(*first, "first included here"),
                None => finding,
            });
            return;
        }
        let display = shown(&self.folder.join(&found.name));
        match read_text(&found.whole) {
            Ok(text) => self.document(&name, display, text, Some(found.whole), Some(span)),
            Err(error) => {
                self.unread = true;
                self.reader
                    .diagnostics
                    .push(unreadable(Some(span), &display, &error));
            }
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
