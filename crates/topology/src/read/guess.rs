//! Arguments that were given names: `pool first="…" last="…"` for `pool "…" "…"`.

use smol_str::SmolStr;

use super::{Reader, example};
use crate::report::{bad_value, listed, quoted};
use crate::schema::{Arity, Field, Shape, Spec};
use crate::source::{Span, Spanned};
use crate::syntax::{RawNode, RawValue, Written};

/// What people call arguments, besides what the language calls them.
const CALLED: &[(&str, &[&str])] = &[
    ("first", &["from", "start", "begin", "low", "min"]),
    ("last", &["to", "end", "high", "max"]),
    ("code", &["number", "option", "id", "rule"]),
    (
        "values",
        &["value", "data", "content", "address", "target", "addresses"],
    ),
    ("scheme", &["type", "method", "kind"]),
    ("kind", &["type", "platform"]),
    ("type", &["rtype", "record-type"]),
    ("extension", &["number", "ext", "id"]),
    ("name", &["id", "hostname", "host", "zone"]),
    ("argv", &["args", "run", "exec", "program"]),
    ("address", &["resource"]),
    ("file", &["path", "base"]),
];

/// The argument that a name stands for.
fn argument<'a>(spec: &Spec, arguments: &'a [Field], name: &str) -> Option<&'a Field> {
    if spec.field(name).is_some() || spec.child(name).is_some() {
        return None;
    }
    let exact = arguments.iter().find(|field| field.key == name);
    let called = || {
        let is_called = |field: &&Field| {
            let mut others = CALLED.iter().filter(|(key, _)| *key == field.key);
            others.any(|(_, names)| names.contains(&name))
        };
        // A plugin's settings may be called as they like.
        arguments.iter().find(is_called).filter(|_| !spec.open)
    };
    exact.or_else(called)
}

pub(super) fn is_argument(spec: &Spec, arguments: &[Field], name: &str) -> bool {
    argument(spec, arguments, name).is_some()
}

/// A value as it was written; none of a secret.
fn written(value: &RawValue) -> Option<String> {
    if value.annotation.is_some() {
        return None;
    }
    Some(match &value.value {
        Written::Text(text) => {
            let shown = quoted(&text.replace('\\', "\\\\").replace('"', "\\\""));
            format!("\"{}\"", shown.trim_matches('`'))
        }
        Written::Integer(number) => number.to_string(),
        Written::Float(number) => number.to_string(),
        Written::Boolean(flag) => format!("#{flag}"),
        Written::Null => return None,
    })
}

/// What a node holds with names: its properties, and its children as far as they are values.
fn named(raw: &RawNode) -> impl Iterator<Item = (&Spanned<SmolStr>, &[RawValue])> {
    let properties = raw.properties.iter();
    let children = raw.children.iter().flatten();
    properties
        .map(|(key, value)| (key, std::slice::from_ref(value)))
        .chain(children.map(|child| (&child.name, child.arguments.as_slice())))
}

impl Reader {
    /// Whether arguments are missing and were given as properties or children, which is said once.
    pub(super) fn named_arguments(
        &mut self,
        raw: &RawNode,
        spec: &'static Spec,
        arguments: &'static [Field],
        given: &[RawValue],
    ) -> bool {
        let needed = arguments
            .iter()
            .filter(|field| field.arity != Arity::Optional);
        if given.len() >= needed.count() {
            return false;
        }
        let found: Vec<_> = named(raw)
            .filter_map(|(name, values)| Some((argument(spec, arguments, name)?, name, values)))
            .collect();
        let Some((_, first, _)) = found.first() else {
            return false;
        };
        let values = |field: &Field| {
            let of = found.iter().filter(|(of, ..)| of.key == field.key);
            let values: Vec<String> = of
                .flat_map(|(_, _, values)| *values)
                .filter_map(written)
                .collect();
            match values.is_empty() {
                true => example::value(spec, field),
                false => values.join(" "),
            }
        };
        let mut line = spec.name.to_owned();
        for (at, field) in arguments.iter().enumerate() {
            line.push(' ');
            line += &match given.get(at).and_then(written) {
                Some(written) => written,
                None => values(field),
            };
        }
        if named(raw).count() > found.len() {
            line.push_str(" …");
        }
        let names: Vec<&str> = found
            .iter()
            .map(|(_, name, _)| name.value.as_str())
            .collect();
        let message = format!(
            "`{}` takes its {} without a name",
            spec.name,
            listed(&names)
        );
        let place = Span {
            end: first.span.end,
            ..first.span
        };
        self.diagnostics
            .push(bad_value(place, message).help(format!("write `{line}`")));
        true
    }

    /// The same of a scalar in a node: `subnet address="…"`.
    pub(super) fn named_value(&mut self, spec: &Spec, field: &Field, raw: &RawNode) -> bool {
        let Some((first, _)) = named(raw).next().filter(|_| raw.arguments.is_empty()) else {
            return false;
        };
        let values = named(raw)
            .flat_map(|(_, values)| values)
            .filter_map(written);
        let values: Vec<String> = values
            .take(if field.arity == Arity::Many {
                usize::MAX
            } else {
                1
            })
            .collect();
        let values = match values.is_empty() || field.shape == Shape::Secret {
            true => example::value(spec, field),
            false => values.join(" "),
        };
        let message = format!("`{}` takes its value without a name", field.key);
        self.diagnostics
            .push(bad_value(first.span, message).help(format!("write `{} {values}`", field.key)));
        raw.properties
            .iter()
            .for_each(|(key, value)| self.cover_secret(key, Some(field), value));
        raw.children
            .iter()
            .flatten()
            .for_each(|child| self.cover_all(child));
        true
    }
}
