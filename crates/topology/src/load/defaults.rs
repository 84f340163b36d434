//! `defaults KIND …`: values for nodes of a kind that do not say otherwise.

use std::collections::{HashMap, HashSet};

use super::{refuse_defaults_kind, repeatable_kinds};
use crate::element::Element;
use crate::model::Kind;
use crate::read::Reader;
use crate::report::{duplicate, quoted};
use crate::schema::{kind_named, spec_of};
use crate::source::Span;
use crate::syntax::RawNode;

/// All `defaults` nodes of a run.
#[derive(Default)]
pub(super) struct Defaults {
    elements: Vec<(Kind, Element)>,
    /// Names that have a default, well-formed or not, and where they were written.
    written: HashMap<(Kind, String), Span>,
    /// Names whose default was refused.
    refused: HashSet<(Kind, &'static str)>,
}

impl Defaults {
    /// What is read from here on belongs to the base: it may say again what the document that extends it says.
    pub(super) fn next_layer(&mut self) {
        self.written.clear();
    }

    pub(super) fn read(&mut self, reader: &mut Reader, raw: &RawNode) {
        let named = raw
            .arguments
            .first()
            .and_then(|argument| argument.value.as_string());
        let Some(kind) = named
            .filter(|name| repeatable_kinds().contains(name))
            .and_then(kind_named)
        else {
            refuse_defaults_kind(reader, raw);
            reader.cover_all(raw);
            return;
        };
        let spec = spec_of(kind);
        let mut element = reader.defaults(raw, spec);
        let children = raw.children.iter().flatten().map(|child| &child.name);
        let mut here = HashSet::new();
        for name in raw.properties.iter().map(|(key, _)| key).chain(children) {
            // Twice in one node is either a list or has been reported.
            if !here.insert(name.value.clone()) {
                continue;
            }
            if let Some(first) = self
                .written
                .insert((kind, name.value.to_string()), name.span)
            {
                let message = format!(
                    "the default for {} of `{kind}` is given twice",
                    quoted(name)
                );
                reader
                    .diagnostics
                    .push(duplicate(name.span, message).related(first, "first given here"));
                element.values.retain(|(key, _)| *key != name.value);
                element.nodes.retain(|node| node.spec.name != name.value);
                element.settings.remove(name.value.as_str());
            }
        }
        let has = |key: &str| {
            element.value(key).is_some() || element.nodes_of(key).any(|node| !node.broken)
        };
        let refused = spec
            .known_names()
            .into_iter()
            .filter(|key| here.contains(*key) && !has(key));
        self.refused.extend(refused.map(|key| (kind, key)));
        element.nodes.retain(|node| !node.broken);
        self.elements.push((kind, element));
    }

    /// Fills in what a node does not say itself.
    pub(super) fn apply(&self, kind: Kind, element: &mut Element) {
        for (_, defaults) in self.elements.iter().filter(|(of, _)| *of == kind) {
            let absent: Vec<_> = defaults
                .values
                .iter()
                .filter(|(key, _)| element.value(key).is_none())
                .collect();
            element.values.reserve_exact(absent.len());
            element.values.extend(absent.into_iter().cloned());
            let absent: Vec<_> = defaults
                .nodes
                .iter()
                // What is accepted for all nodes of a kind stands beside what is accepted for one.
                .filter(|node| {
                    node.spec.name == "acknowledge"
                        || element.nodes_of(node.spec.name).next().is_none()
                })
                .cloned()
                .collect();
            element.nodes.extend(absent);
            for (key, setting) in &defaults.settings {
                element
                    .settings
                    .entry(key.clone())
                    .or_insert_with(|| setting.clone());
            }
        }
        let missing = std::mem::take(&mut element.missing);
        for key in missing {
            if element.value(key).is_some() || element.nodes_of(key).next().is_some() {
                continue;
            }
            if self.refused.contains(&(kind, key)) {
                element.broken = true;
            } else {
                element.missing.push(key);
            }
        }
    }

    pub(super) fn into_elements(self) -> Vec<(Kind, Element)> {
        self.elements
    }
}
