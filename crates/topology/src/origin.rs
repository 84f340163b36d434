//! Where values come from: what a place in a file does not say by itself.

use std::collections::{BTreeSet, HashMap};

use crate::Diagnostic;
use crate::load::Substituted;
use crate::source::{FileId, Span};

/// How the values of a topology got into it.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    files: Vec<File>,
    /// `defaults` nodes, sorted once all are known.
    defaults: Vec<Span>,
    parameters: HashMap<Span, Vec<(String, Span)>>,
}

#[derive(Debug, Clone, Copy)]
struct File {
    base: bool,
    table: bool,
}

/// How one value got into the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Whether a base has it.
    pub base: bool,
    /// Whether a `defaults` node supplied it.
    pub default: bool,
    /// Whether it is a cell of a CSV file.
    pub import: bool,
    /// The parameters that were put into it, with the places of their values.
    pub parameters: &'a [(String, Span)],
}

impl Origins {
    pub(crate) fn add_file(&mut self, base: bool, table: bool) {
        self.files.push(File { base, table });
    }

    pub(crate) fn add_defaults(&mut self, node: Span) {
        self.defaults.push(node);
    }

    pub(crate) fn finish(&mut self, substituted: HashMap<Span, Substituted>) {
        self.defaults.sort_unstable();
        let from = |(span, substituted)| match substituted {
            Substituted::From { parameters, .. } => Some((span, parameters)),
            Substituted::Nothing => None,
        };
        self.parameters = substituted.into_iter().filter_map(from).collect();
    }

    /// How the value that was written at a place got into the topology.
    #[must_use]
    pub fn of(&self, span: Span) -> Origin<'_> {
        let FileId(file) = span.file;
        let file = self.files.get(file as usize);
        let before = self.defaults.partition_point(|node| *node <= span);
        let around = before.checked_sub(1).and_then(|at| self.defaults.get(at));
        Origin {
            base: file.is_some_and(|file| file.base),
            default: around.is_some_and(|node| node.file == span.file && span.end <= node.end),
            import: file.is_some_and(|file| file.table),
            parameters: self.parameters(span),
        }
    }

    /// The parameters that the document itself gives to its base, by name, with the places of their values.
    #[must_use]
    pub fn given(&self) -> BTreeSet<(&str, Span)> {
        let all = self.parameters.values().flatten();
        all.map(|(name, place)| (name.as_str(), *place))
            .filter(|(_, place)| !self.of(*place).base)
            .collect()
    }

    pub(crate) fn parameters(&self, span: Span) -> &[(String, Span)] {
        self.parameters.get(&span).map_or(&[], Vec::as_slice)
    }

    /// Adds to findings about values that hold parameters where the parameters' values come from.
    #[must_use]
    pub fn relate(&self, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        if self.parameters.is_empty() {
            return diagnostics;
        }
        for diagnostic in &mut diagnostics {
            let Some(span) = diagnostic.span else {
                continue;
            };
            for (name, place) in self.parameters(span) {
                let known = diagnostic
                    .related
                    .iter()
                    .any(|related| related.span == *place);
                if !known {
                    diagnostic.related.push(crate::Related {
                        message: format!("`${{{name}}}` is what stands here"),
                        span: *place,
                    });
                }
            }
        }
        diagnostics
    }
}
