//! Arguments that were given names: `pool first="…" last="…"` for `pool "…" "…"`.

use std::net::IpAddr;

use ipnet::Ipv4Net;
use smol_str::SmolStr;

use super::{Reader, example, scalar};
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
pub(super) fn written(value: &RawValue) -> Option<String> {
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

/// A text without quotes. Quotes make a value longer than its text.
fn bare(value: &RawValue) -> Option<&str> {
    match &value.value {
        Written::Text(text) if value.annotation.is_none() => {
            let length = (value.span.end - value.span.start) as usize;
            (text.len() == length).then_some(text.as_str())
        }
        _ => None,
    }
}

/// A property whose text lacks its quotes: `reason=only one server`.
pub(super) struct Unquoted {
    pub(super) key: Span,
    /// From the second word to the last.
    words: Span,
}

impl Unquoted {
    /// The arguments that are not words of the text.
    pub(super) fn without(&self, given: &[RawValue]) -> Vec<RawValue> {
        let is_word = |value: &&RawValue| {
            value.span.start >= self.words.start && value.span.end <= self.words.end
        };
        given
            .iter()
            .filter(|value| !is_word(value))
            .cloned()
            .collect()
    }
}

/// The ends of a pool that stand in one text.
fn ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Ok(subnet) = text.parse::<Ipv4Net>() {
        let mut hosts = subnet.hosts();
        let first = hosts.next()?;
        return Some((first.into(), hosts.last()?.into()));
    }
    ["-", "–", "—", "/", "..", ",", ";", " to ", " "]
        .iter()
        .find_map(|between| {
            let (first, last) = text.split_once(between)?;
            let first: IpAddr = first.trim().parse().ok()?;
            let last = last.trim().trim_start_matches('.');
            let short = || {
                // `10.20.30.100-220`
                let host: u8 = last.parse().ok().filter(|_| *between != "/")?;
                let IpAddr::V4(first) = first else {
                    return None;
                };
                let [a, b, c, _] = first.octets();
                Some(IpAddr::from([a, b, c, host]))
            };
            Some((first, last.parse().ok().or_else(short)?))
        })
}

impl Reader {
    /// Whether both ends of a pool stand in one text, or with something between them, which is said once.
    pub(super) fn both_ends(&mut self, raw: &RawNode, given: &[RawValue]) -> bool {
        let texts: Option<Vec<&str>> = given.iter().map(|value| value.value.as_string()).collect();
        let texts = texts.unwrap_or_default();
        let found = match texts.as_slice() {
            [one] => ends(one),
            [first, between, last] if between.parse::<IpAddr>().is_err() => {
                first.parse().ok().zip(last.parse().ok())
            }
            _ => None,
        };
        let (Some((first, last)), Some(from), Some(to)) = (found, given.first(), given.last())
        else {
            return false;
        };
        let place = Span {
            end: to.span.end,
            ..from.span
        };
        let message = format!(
            "`{}` takes two addresses, each in quotes of its own",
            raw.name.value
        );
        let help = format!("write `{} \"{first}\" \"{last}\"`", raw.name.value);
        self.diagnostics.push(bad_value(place, message).help(help));
        true
    }

    /// A property whose further words were taken for arguments, of which there are too many.
    pub(super) fn unquoted(
        &mut self,
        raw: &RawNode,
        spec: &'static Spec,
        arguments: &'static [Field],
        given: &[RawValue],
    ) -> Option<Unquoted> {
        if arguments
            .last()
            .is_some_and(|field| field.arity == Arity::Many)
        {
            return None;
        }
        let surplus = given.get(arguments.len())?;
        // The last property before it, and what stands between the two.
        let (key, first) = raw
            .properties
            .iter()
            .filter(|(_, value)| value.span.end <= surplus.span.start)
            .max_by_key(|(_, value)| value.span.start)?;
        let next = raw.properties.iter().map(|(key, _)| key.span.start);
        let next = next.filter(|start| *start > surplus.span.start).min();
        let words: Vec<&RawValue> = given
            .iter()
            .filter(|value| value.span.start >= first.span.end)
            .filter(|value| next.is_none_or(|next| value.span.start < next))
            .collect();
        let mut text = bare(first)?.to_owned();
        for word in &words {
            text.push(' ');
            match &word.value {
                Written::Integer(number) => text += &number.to_string(),
                _ => text += bare(word)?,
            }
        }
        let field = spec.field(&key.value)?;
        let has_secrets = spec.fields.iter().any(|field| field.shape == Shape::Secret);
        if has_secrets {
            self.secrets.extend(words.iter().map(|word| word.span));
            self.cover_secret(&key.value, Some(field), first);
        }
        let text = match has_secrets {
            true => "…".to_owned(),
            false => quoted(&text).trim_matches('`').to_owned(),
        };
        let message = format!("the text of `{}` has spaces and no quotes", field.key);
        let help = format!("write `{}=\"{text}\"`", field.key);
        let words = Span {
            end: words.last()?.span.end,
            ..words.first()?.span
        };
        self.diagnostics
            .push(bad_value(key.span, message).help(help));
        Some(Unquoted {
            key: key.span,
            words,
        })
    }

    /// The one property that is missing, where its value stands among the arguments: `acknowledge "SW106" "why"`.
    pub(super) fn nameless_property(
        &mut self,
        raw: &RawNode,
        spec: &'static Spec,
        arguments: &'static [Field],
        given: &[RawValue],
    ) -> Option<&'static str> {
        let surplus = given.get(arguments.len()..)?;
        let [value] = surplus else {
            return None;
        };
        let secret = |field: &Field| field.shape == Shape::Secret;
        if spec.open || spec.fields.iter().any(secret) || bare(value).is_some() {
            return None;
        }
        let is_there = |key: &str| named(raw).any(|(name, _)| name.value == key);
        let mut missing = spec
            .fields
            .iter()
            .filter(|field| field.arity == Arity::Required && !is_there(field.key));
        let (Some(field), None) = (missing.next(), missing.next()) else {
            return None;
        };
        scalar::parse(value, field).ok()?;
        let mut line = spec.name.to_owned();
        for argument in given.iter().take(arguments.len()) {
            line += &format!(" {}", written(argument)?);
        }
        line += &format!(" {}={}", field.key, written(value)?);
        if named(raw).next().is_some() {
            line.push_str(" …");
        }
        let message = format!("`{}` takes its `{}` by name", spec.name, field.key);
        self.diagnostics
            .push(bad_value(value.span, message).help(format!("write `{line}`")));
        Some(field.key)
    }

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
