//! Where the values of the resolved form came from.

use serde_json::{Map, Value as Json, json};

use super::to_json;
use crate::Loaded;
use crate::element::Element;
use crate::model::elements;
use crate::origin::Origin;
use crate::resolve::occurs_once;
use crate::schema::{Arity, KINDS};
use crate::source::{Lines, Span};

/// The resolved form as JSON with one more key, `origins`: for each value, by its JSON pointer, where it came from.
#[must_use]
pub fn to_json_with_origins(loaded: &Loaded) -> Json {
    let mut whole = to_json(&loaded.topology);
    let places = Places::of(loaded);
    let mut origins = Map::new();
    for (kind, spec) in KINDS {
        for (at, element) in elements(&loaded.topology, *kind).iter().enumerate() {
            let pointer = if occurs_once(*kind) {
                format!("/{}", spec.name)
            } else {
                format!("/{}/{at}", spec.name)
            };
            places.node(element, &pointer, &mut origins);
        }
    }
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("origins".to_owned(), Json::Object(origins));
    }
    whole
}

/// Finds places without counting lines from the start of a file for each.
pub(super) struct Places<'a> {
    loaded: &'a Loaded,
    lines: Vec<Lines<'a>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(loaded: &'a Loaded) -> Self {
        let lines = loaded
            .sources
            .files()
            .map(|file| Lines::of(&file.text))
            .collect();
        Self { loaded, lines }
    }

    fn origin(&self, span: Span) -> Origin<'_> {
        self.loaded.origins.of(span)
    }

    /// `file:line:column`
    fn place(&self, span: Span) -> Option<String> {
        let at = self
            .lines
            .get(span.file.0 as usize)?
            .position(span.start as usize);
        let name = &self.loaded.sources.file(span.file).name;
        Some(format!("{name}:{}:{}", at.line, at.column))
    }

    /// Where the values of a line came from, each place once.
    pub(super) fn noted(&self, spans: impl Iterator<Item = Span>) -> Option<String> {
        let mut noted: Vec<String> = Vec::new();
        for span in spans {
            let Some(mut note) = self.place(span) else {
                continue;
            };
            let why = self.why(span);
            if !why.is_empty() {
                note += &format!(" ({})", why.join(", "));
            }
            if !noted.contains(&note) {
                noted.push(note);
            }
        }
        // A name may hold what would end the comment.
        let harmless = |letter: char| {
            if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
                '?'
            } else {
                letter
            }
        };
        (!noted.is_empty()).then(|| noted.join(", ").chars().map(harmless).collect())
    }

    fn why(&self, span: Span) -> Vec<String> {
        let origin = self.origin(span);
        let flags = [
            (origin.base, "base"),
            (origin.default, "default"),
            (origin.import, "import"),
        ];
        let mut why: Vec<String> = flags
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| (*word).to_owned())
            .collect();
        for (name, place) in origin.parameters {
            why.extend(
                self.place(*place)
                    .map(|place| format!("${{{name}}} from {place}")),
            );
        }
        why
    }

    fn json(&self, span: Span) -> Json {
        let at = |span: Span| {
            let position = self
                .lines
                .get(span.file.0 as usize)?
                .position(span.start as usize);
            Some(json!({
                "file": self.loaded.sources.file(span.file).name,
                "line": position.line,
                "column": position.column,
            }))
        };
        let origin = self.origin(span);
        let mut json = at(span).unwrap_or_else(|| json!({}));
        if let Some(object) = json.as_object_mut() {
            for (is, word) in [
                (origin.base, "base"),
                (origin.default, "default"),
                (origin.import, "import"),
            ] {
                if is {
                    object.insert(word.to_owned(), json!(true));
                }
            }
            if !origin.parameters.is_empty() {
                let parameters: Map<String, Json> = origin
                    .parameters
                    .iter()
                    .filter_map(|(name, place)| Some((name.clone(), at(*place)?)))
                    .collect();
                object.insert("parameters".to_owned(), Json::Object(parameters));
            }
        }
        json
    }

    fn node(&self, element: &Element, pointer: &str, origins: &mut Map<String, Json>) {
        for field in element.spec.arguments.iter().chain(element.spec.fields) {
            for (at, value) in element.values_of(field.key).enumerate() {
                let pointer = match field.arity {
                    Arity::Many => format!("{pointer}/{}/{at}", field.key),
                    Arity::Required | Arity::Optional => format!("{pointer}/{}", field.key),
                };
                origins.insert(pointer, self.json(value.span));
            }
        }
        for child in element.spec.nodes {
            for (at, node) in element.nodes_of(child.spec.name).enumerate() {
                let pointer = match child.arity {
                    Arity::Many => format!("{pointer}/{}/{at}", child.spec.name),
                    Arity::Required | Arity::Optional => format!("{pointer}/{}", child.spec.name),
                };
                self.node(node, &pointer, origins);
            }
        }
        for (key, setting) in &element.settings {
            let key = key.replace('~', "~0").replace('/', "~1");
            origins.insert(format!("{pointer}/settings/{key}"), self.json(setting.span));
        }
    }
}
