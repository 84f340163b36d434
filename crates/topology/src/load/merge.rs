//! A document over its base: nodes of one kind and name become one, and what the document removes is gone.

use std::collections::{HashMap, HashSet};

use super::Loading;
use crate::element::Element;
use crate::model::Kind;
use crate::report::{bad_value, did_you_mean, duplicate, quoted, unresolved_reference};
use crate::resolve::occurs_once;
use crate::schema::{Arity, REMOVE, kind_named};
use crate::source::Spanned;
use crate::syntax::RawNode;

type Elements = Vec<(Kind, Element)>;
/// A kind, and a name where the kind has names.
type Key = (Kind, Option<String>);

/// What tells nodes apart. None where its name could not be read.
fn key_of(kind: Kind, element: &Element) -> Option<Key> {
    if occurs_once(kind) {
        return Some((kind, None));
    }
    element.name().map(|name| (kind, Some(name.value)))
}

impl Loading {
    /// One list of nodes out of a document, its base, and so on. Every node stands where the lowest of them has it.
    pub(super) fn merge(&mut self, mut layers: Vec<(Elements, Vec<RawNode>)>) -> Elements {
        let Some((mut whole, removals)) = layers.pop() else {
            return Elements::new();
        };
        for removal in &removals {
            self.reader.node(removal, &REMOVE);
            // A base that could not be read has been reported.
            if self.unread {
                continue;
            }
            let message = "there is no base to remove anything from";
            let help = "a base is named by `extends \"FILE\"`; without one, delete the node itself";
            self.reader
                .diagnostics
                .push(bad_value(removal.header, message).help(help));
        }
        while let Some((elements, removals)) = layers.pop() {
            for removal in &removals {
                self.remove(removal, &mut whole);
            }
            whole = self.over(whole, elements);
        }
        whole
    }

    fn remove(&mut self, raw: &RawNode, base: &mut Elements) {
        let mut removal = self.reader.node(raw, &REMOVE);
        self.reader.report_missing(&mut removal);
        let Some(kind) = removal
            .value("kind")
            .and_then(|kind| kind_named(&kind.value.to_string()))
        else {
            return;
        };
        let name = removal
            .value("name")
            .map(|name| Spanned::new(name.value.to_string(), name.span));
        let (key, place) = match (occurs_once(kind), name) {
            (true, None) => ((kind, None), raw.header),
            (false, Some(name)) => ((kind, Some(name.value)), name.span),
            (true, Some(name)) => {
                let message = format!("`{kind}` has no name to be removed by");
                let help = format!("there is one at most: `remove \"{kind}\"`");
                self.reader
                    .diagnostics
                    .push(bad_value(name.span, message).help(help));
                return;
            }
            (false, None) => {
                // A name that was refused has been reported.
                if !removal.broken {
                    let message = format!("`remove` does not say which {kind}");
                    let help = format!("name it: `remove \"{kind}\" \"NAME\"`");
                    self.reader
                        .diagnostics
                        .push(bad_value(raw.header, message).help(help));
                }
                return;
            }
        };
        let before = base.len();
        base.retain(|(of, element)| *of != kind || key_of(*of, element).as_ref() != Some(&key));
        if base.len() != before || self.unread {
            return;
        }
        let (message, help) = match &key.1 {
            None => (format!("the base has no `{kind}`"), None),
            Some(name) => {
                let names: Vec<String> = base
                    .iter()
                    .filter(|(of, _)| *of == kind)
                    .filter_map(|(_, element)| element.name().map(|name| name.value))
                    .collect();
                let help = did_you_mean(name, names.iter().map(String::as_str));
                (
                    format!("the base has no {kind} called {}", quoted(name)),
                    help,
                )
            }
        };
        let help =
            help.unwrap_or_else(|| "take the line out: there is nothing to remove".to_owned());
        self.reader
            .diagnostics
            .push(unresolved_reference(place, message).help(help));
    }

    fn over(&mut self, base: Elements, document: Elements) -> Elements {
        let mut places: HashMap<Key, usize> = HashMap::new();
        for (at, (kind, element)) in document.iter().enumerate() {
            // A second node of one name in one document stays beside the first, and is reported.
            if let Some(key) = key_of(*kind, element) {
                places.entry(key).or_insert(at);
            }
        }
        let mut document: Vec<_> = document.into_iter().map(Some).collect();
        let mut whole = Elements::with_capacity(base.len() + document.len());
        let mut first = HashMap::new();
        for (kind, element) in base {
            let Some(key) = key_of(kind, &element).filter(|key| places.contains_key(key)) else {
                whole.push((kind, element));
                continue;
            };
            let place = element.name().map_or(element.header, |name| name.span);
            let taken = places
                .get(&key)
                .and_then(|at| document.get_mut(*at))
                .and_then(Option::take);
            if let Some((_, mut over)) = taken {
                first.insert(key, place);
                merge(&mut over, element);
                whole.push((kind, over));
            } else if let Some(before) = first.get(&key) {
                let name = key
                    .1
                    .as_deref()
                    .map_or_else(String::new, |name| format!(" {}", quoted(name)));
                let message = format!("{kind}{name} is declared twice in the base");
                self.reader
                    .diagnostics
                    .push(duplicate(place, message).related(*before, "first declared here"));
            }
        }
        whole.extend(document.into_iter().flatten());
        whole
    }
}

/// Fills in what a node does not say from that of the base.
fn merge(over: &mut Element, base: Element) {
    let Element {
        values,
        nodes,
        settings,
        missing,
        broken,
        ..
    } = base;
    over.missing.retain(|key| missing.contains(key));
    over.broken |= broken;
    let said: HashSet<&str> = over.values.iter().map(|(key, _)| *key).collect();
    let values: Vec<_> = values
        .into_iter()
        .filter(|(key, _)| !said.contains(key))
        .collect();
    over.values.extend(values);
    for (key, setting) in settings {
        over.settings.entry(key).or_insert(setting);
    }
    over.nodes = merge_nodes(std::mem::take(&mut over.nodes), nodes);
}

fn merge_nodes(over: Vec<Element>, base: Vec<Element>) -> Vec<Element> {
    let mut said: HashMap<Identity, Vec<usize>> = HashMap::new();
    for (at, node) in over.iter().enumerate() {
        said.entry(identity(node)).or_default().push(at);
    }
    let mut times: HashMap<Identity, usize> = HashMap::new();
    let names: Vec<Identity> = base.iter().map(identity).collect();
    for name in &names {
        *times.entry(name.clone()).or_default() += 1;
    }
    let mut over: Vec<_> = over.into_iter().map(Some).collect();
    let mut merged = Vec::with_capacity(base.len() + over.len());
    for (node, name) in base.into_iter().zip(&names) {
        match said.get(name).map(Vec::as_slice) {
            None => merged.push(node),
            Some([one]) if times.get(name) == Some(&1) && name.1.is_some() => {
                if let Some(mut mine) = over.get_mut(*one).and_then(Option::take) {
                    merge(&mut mine, node);
                    merged.push(mine);
                }
            }
            // Without a name of its own, or one of several of that name: the document's take the place of the base's.
            Some(_) => {}
        }
    }
    merged.extend(over.into_iter().flatten());
    merged
}

type Identity = (&'static str, Option<Vec<String>>);

/// What tells inner nodes apart: the kind of node, and its name where it has one (a record's is name and type).
fn identity(element: &Element) -> Identity {
    let repeated = matches!(
        element.spec.name,
        "server" | "member" | "option" | "record" | "command" | "known-drift" | "acknowledge"
    );
    let arguments = element
        .spec
        .arguments
        .iter()
        .filter(|field| field.arity == Arity::Required);
    let name = repeated.then(|| {
        arguments
            .filter_map(|field| element.value(field.key))
            .map(|value| value.value.to_string())
            .collect()
    });
    (element.spec.name, name)
}
