//! Nodes as written → checked elements (SW002, SW003, SW008).

mod blanks;
mod check;
mod example;
mod guess;
mod headers;
mod names;
mod scalar;
mod settings;
mod table;

pub(crate) use blanks::is_invisible;
pub(crate) use headers::{Headers, is_of_devices};
pub(crate) use table::Separated;

use std::collections::HashMap;

use smol_str::SmolStr;

use crate::Diagnostic;
use crate::element::{Element, Scalar};
use crate::load::Substituted;
use crate::report::{
    bad_value, clear_text_secret, did_you_mean, either, nearest, quoted, unknown_name,
};
use crate::schema::{Arity, Field, Shape, Spec, names_a_secret};
use crate::source::{Span, Spanned};
use crate::syntax::{RawNode, RawValue, Written};
use crate::value::SecretSource;
use names::Names;

/// Collects what is found while nodes are read.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Places of texts that are, or may be, secrets in clear text.
    pub(crate) secrets: Vec<Span>,
    /// Strings that held parameters, by their places.
    pub(crate) substituted: HashMap<Span, Substituted>,
}

/// Where a value stands in its node.
#[derive(Clone, Copy)]
enum Form {
    Argument,
    Property,
    Child,
}

/// The names seen so far in one node.
struct Seen<'a> {
    /// Where a name that may stand only once was first written.
    first: Names<'a>,
    /// Known names that unknown ones were probably meant to be: their absence is not reported a second time.
    meant: Vec<&'static str>,
}

impl Reader {
    /// Takes over what another one collected.
    pub(crate) fn extend(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.secrets.extend(other.secrets);
        self.substituted.extend(other.substituted);
    }

    /// Reads a node of the top level. What is missing in it stays in [`Element::missing`]: defaults may supply it.
    pub(crate) fn node(&mut self, raw: &RawNode, spec: &'static Spec) -> Element {
        self.element(raw, spec, spec.arguments, &raw.arguments)
    }

    /// Reads what a `defaults` node says for nodes of a kind; its own argument is the caller's.
    pub(crate) fn defaults(&mut self, raw: &RawNode, spec: &'static Spec) -> Element {
        let mut element = self.element(raw, spec, &[], raw.arguments.get(1..).unwrap_or_default());
        element.missing.clear();
        self.report_missing(&mut element);
        for name in Self::written_names(raw) {
            if matches!(name.value.as_str(), "mac" | "address" | "description") {
                let help = format!("write it in each `{}` that it holds for", spec.name);
                let message = format!("`{}` is each node's own and has no default", name.value);
                self.diagnostics
                    .push(unknown_name(name.span, message).help(help));
            }
        }
        let own = |key: &str| matches!(key, "mac" | "address" | "description");
        element.values.retain(|(key, _)| !own(key));
        element.nodes.retain(|node| !own(node.spec.name));
        element
    }

    fn written_names(raw: &RawNode) -> impl Iterator<Item = &Spanned<SmolStr>> {
        let children = raw.children.iter().flatten().map(|child| &child.name);
        raw.properties.iter().map(|(key, _)| key).chain(children)
    }

    fn element(
        &mut self,
        raw: &RawNode,
        spec: &'static Spec,
        arguments: &'static [Field],
        given: &[RawValue],
    ) -> Element {
        let mut element = Element::new(spec, raw.span);
        element.header = raw.header;
        // Most of what is written is one value each, and there are many nodes.
        element
            .values
            .reserve_exact(given.len() + raw.properties.len());
        self.refuse_node_annotation(raw);
        let mut seen = Seen {
            first: Names::new(),
            meant: Vec::new(),
        };
        let given = match spec.name == "pool" && self.both_ends(raw, given) {
            true => {
                element.broken = true;
                return element;
            }
            false => given,
        };
        let unquoted = self.unquoted(raw, spec, arguments, given);
        let kept: Vec<RawValue>;
        let given = match &unquoted {
            Some(unquoted) => {
                kept = unquoted.without(given);
                kept.as_slice()
            }
            None => given,
        };
        let guess = self.named_arguments(raw, spec, arguments, given);
        element.broken |= guess;
        let given = match self.nameless_property(raw, spec, arguments, given) {
            Some(key) => {
                seen.meant.push(key);
                given.get(..arguments.len()).unwrap_or_default()
            }
            None => given,
        };
        for (at, value) in given.iter().enumerate() {
            let list = arguments.last().filter(|field| field.arity == Arity::Many);
            match arguments.get(at).or(list) {
                Some(field) => {
                    self.put(&mut element, field, Form::Argument, raw.name.span, value);
                }
                None => self.extra_argument(raw, spec, value),
            }
        }
        for field in arguments
            .iter()
            .skip(given.len())
            .filter(|field| field.arity != Arity::Optional && !guess)
        {
            element.missing.push(field.key);
        }
        let mut properties = Names::new();
        for (key, value) in &raw.properties {
            if let Some(first) = properties.insert(key.value.as_str(), key.span) {
                self.given_twice(key, first);
                self.cover_secret(&key.value, spec.field(&key.value), value);
            } else if unquoted.as_ref().is_some_and(|of| of.key == key.span) {
                seen.first.insert(&key.value, key.span);
                element.broken = true;
            } else if !(guess && guess::is_argument(spec, arguments, &key.value)) {
                self.property(&mut element, &mut seen, key, value);
            }
        }
        for child in raw.children.iter().flatten() {
            if !(guess && guess::is_argument(spec, arguments, &child.name.value)) {
                self.child(&mut element, &mut seen, child);
            }
        }
        self.note_missing(&mut element, &seen);
        if !element.broken && element.missing.is_empty() {
            self.check(&mut element);
        }
        element
    }

    fn note_missing(&mut self, element: &mut Element, seen: &Seen<'_>) {
        let spec = element.spec;
        let fields = spec
            .fields
            .iter()
            .filter(|field| field.arity == Arity::Required)
            .map(|field| field.key);
        let nodes = spec
            .nodes
            .iter()
            .filter(|child| child.arity == Arity::Required)
            .map(|child| child.spec.name);
        for key in fields.chain(nodes) {
            // A value that was written and refused has been reported.
            if seen.first.get(key).is_some() {
                continue;
            }
            if seen.meant.contains(&key) {
                element.broken = true;
            } else {
                element.missing.push(key);
            }
        }
    }

    /// Reports what an element, or a node in it, still lacks.
    pub(crate) fn report_missing(&mut self, element: &mut Element) {
        for node in &mut element.nodes {
            self.report_missing(node);
            // What accepts findings is beside the point of the node that it stands in.
            element.broken |= node.broken && node.spec.name != "acknowledge";
        }
        if element.missing.is_empty() {
            return;
        }
        let spec = element.spec;
        let missing = std::mem::take(&mut element.missing);
        element.broken |= !missing.is_empty();
        let (arguments, others): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|key| spec.arguments.iter().any(|field| field.key == *key));
        let called = match element.name() {
            Some(name) => format!("`{}` {}", spec.name, quoted(&name)),
            None => format!("`{}`", spec.name),
        };
        if !arguments.is_empty() {
            let line = example::line(spec, element);
            let (message, help) = match arguments.as_slice() {
                ["argv"] => (
                    format!("{called} has no program"),
                    format!(
                        "write the program and each of its arguments in quotes of its own, such as `{line}`"
                    ),
                ),
                arguments => (
                    format!("{called} needs its {}", example::arguments(arguments)),
                    format!("write a line such as `{line}`"),
                ),
            };
            self.diagnostics
                .push(bad_value(element.header, message).help(help));
        }
        if !others.is_empty() {
            let words = match others.as_slice() {
                [key] => example::words(spec, key),
                _ => None,
            };
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            let message = format!("{called} has no {}{words}", either(&others));
            let help = example::supply(spec, &others);
            self.diagnostics
                .push(bad_value(element.header, message).help(help));
        }
    }

    fn property<'a>(
        &mut self,
        element: &mut Element,
        seen: &mut Seen<'a>,
        key: &'a Spanned<SmolStr>,
        value: &RawValue,
    ) {
        let spec = element.spec;
        if let Some(field) = spec.field(&key.value) {
            seen.first.insert(&key.value, key.span);
            self.put(element, field, Form::Property, key.span, value);
        } else if let Some(child) = spec.child(&key.value) {
            let span = Span {
                end: value.span.end,
                ..key.span
            };
            let node = RawNode {
                name: key.clone(),
                annotation: None,
                arguments: vec![value.clone()],
                properties: Vec::new(),
                children: None,
                span,
                header: span,
            };
            seen.first.insert(&key.value, key.span);
            self.inner(element, child.spec, &node);
        } else if spec.open {
            seen.first.insert(&key.value, key.span);
            self.setting_property(element, key, value);
        } else {
            self.unknown(element, seen, key, "property");
            self.cover_secret(&key.value, None, value);
        }
    }

    fn child<'a>(&mut self, element: &mut Element, seen: &mut Seen<'a>, raw: &'a RawNode) {
        let spec = element.spec;
        let name = &raw.name;
        let field = spec.field(&name.value);
        let list = match (field, spec.child(&name.value)) {
            (Some(field), _) => field.arity == Arity::Many,
            (None, Some(child)) => child.arity == Arity::Many,
            (None, None) if spec.open => false,
            (None, None) => {
                self.unknown(element, seen, name, "property or child");
                self.cover_all(raw);
                return;
            }
        };
        let first = seen.first.get(&name.value);
        if let Some(first) = first.filter(|_| !list) {
            self.given_twice(name, first);
            self.cover_all(raw);
            return;
        }
        if first.is_none() {
            seen.first.insert(&name.value, name.span);
        }
        if let Some(field) = field {
            self.scalar_child(element, seen, field, raw);
        } else if let Some(child) = spec.child(&name.value) {
            self.inner(element, child.spec, raw);
        } else {
            self.setting_child(element, raw);
        }
    }

    fn inner(&mut self, element: &mut Element, spec: &'static Spec, raw: &RawNode) {
        let inner = self.node(raw, spec);
        element.nodes.push(inner);
    }

    fn scalar_child<'a>(
        &mut self,
        element: &mut Element,
        seen: &mut Seen<'a>,
        field: &'static Field,
        raw: &'a RawNode,
    ) {
        self.refuse_node_annotation(raw);
        if self.named_value(element.spec, field, raw) {
            element.broken = true;
            return;
        }
        if raw.arguments.is_empty() {
            element.broken = true;
            let message = format!("`{}` has no value", field.key);
            let help = format!(
                "write `{} {}`, or leave it out",
                field.key,
                example::value(element.spec, field)
            );
            self.diagnostics
                .push(bad_value(raw.header, message).help(help));
        }
        for (at, value) in raw.arguments.iter().enumerate() {
            if at == 0 || field.arity == Arity::Many {
                self.put(element, field, Form::Child, raw.name.span, value);
            } else {
                self.cover_secret(field.key, Some(field), value);
                // A URL may hold a password.
                let is_secret = field.shape == Shape::Secret
                    || (matches!(field.shape, Shape::Url(_) | Shape::Root)
                        && value
                            .value
                            .as_string()
                            .is_some_and(|text| text.contains('@')));
                let place = match is_secret {
                    true => raw.name.span,
                    false => value.span,
                };
                if is_secret {
                    self.secrets.push(value.span);
                }
                let message = format!("`{}` takes one value", field.key);
                let help = match guess::written(value).filter(|_| !is_secret) {
                    Some(written) => format!("delete `{written}`"),
                    None => "delete one of them".to_owned(),
                };
                self.diagnostics
                    .push(unknown_name(place, message).help(help));
            }
        }
        for (key, value) in &raw.properties {
            let beside = beside(field.key)
                .filter(|of| *of == key.value)
                .and_then(|of| element.spec.field(of));
            match (beside, seen.first.get(&key.value)) {
                (Some(_), Some(first)) => {
                    self.given_twice(key, first);
                    continue;
                }
                (Some(beside), None) => {
                    seen.first.insert(&key.value, key.span);
                    self.put(element, beside, Form::Property, key.span, value);
                    continue;
                }
                (None, _) => {}
            }
            let message = format!("`{}` has no property {}", field.key, quoted(key));
            let help = format!("write it in the `{}` around it", element.spec.name);
            self.diagnostics
                .push(unknown_name(key.span, message).help(help));
            self.cover_secret(&key.value, Some(field), value);
        }
        if let Some(children) = &raw.children {
            let place = children.first().map_or(raw.header, |child| child.name.span);
            let message = format!("`{}` takes no block", field.key);
            let help = format!(
                "write what is in it in the `{}` around it",
                element.spec.name
            );
            self.diagnostics
                .push(unknown_name(place, message).help(help));
            children.iter().for_each(|child| self.cover_all(child));
        }
    }

    /// `name` is the place of the value's name.
    fn put(
        &mut self,
        element: &mut Element,
        field: &'static Field,
        form: Form,
        name: Span,
        value: &RawValue,
    ) {
        if field.shape == Shape::Secret {
            match self.secret(field.key, name, value) {
                Some(source) => {
                    element
                        .values
                        .push((field.key, Spanned::new(Scalar::Secret(source), value.span)));
                }
                None => element.broken = true,
            }
            return;
        }
        self.refuse_annotation(field.key, value);
        let parsed = match (self.substituted.get(&value.span), &value.value) {
            (Some(Substituted::Nothing), _) => {
                element.broken = true;
                return;
            }
            (Some(Substituted::From { .. }), Written::Text(text)) => {
                scalar::parse_plain(text, field)
            }
            _ => scalar::parse(value, field),
        };
        match parsed {
            Ok(scalar) => element
                .values
                .push((field.key, Spanned::new(scalar, value.span))),
            Err(refused) => {
                element.broken = true;
                let key = field.key;
                let message = match form {
                    Form::Argument => {
                        format!("the {key} of `{}` {}", element.spec.name, refused.message)
                    }
                    Form::Property | Form::Child => format!("`{key}` {}", refused.message),
                };
                let help = match (refused.corrected, form) {
                    (Some(value), Form::Argument) => Some(format!("write `{value}`")),
                    (Some(value), Form::Property) => Some(format!("write `{key}={value}`")),
                    (Some(value), Form::Child) => Some(format!("write `{key} {value}`")),
                    (None, _) => refused.help,
                };
                let diagnostic = if refused.secret {
                    self.secrets.push(value.span);
                    clear_text_secret(name, message)
                } else if field.shape == Shape::Scheme {
                    unknown_name(value.span, message)
                } else {
                    bad_value(value.span, message)
                };
                self.diagnostics.push(diagnostic.maybe_help(help));
            }
        }
    }

    /// A value where a secret belongs.
    fn secret(&mut self, key: &str, name: Span, value: &RawValue) -> Option<SecretSource> {
        const HELP: &str = "name where it is to be had: `(secret)\"env:NAME\"`, `(secret)\"file:PATH\"` or \
                            `(secret)\"cmd:NAME\"`";
        let annotated = value
            .annotation
            .as_ref()
            .is_some_and(|annotation| annotation.value == "secret");
        let source = match &value.value {
            Written::Text(text) if annotated => text.parse().ok(),
            _ => None,
        };
        if source.is_some() {
            return source;
        }
        if let Written::Text(text) = &value.value
            && !annotated
            && names_a_source(text)
        {
            let message = format!("`(secret)` is missing before the source of `{key}`");
            let help = format!("write `(secret)\"{text}\"`");
            self.diagnostics
                .push(bad_value(value.span, message).help(help));
            return None;
        }
        self.secrets.push(value.span);
        // Never the text: it may be the secret.
        let message = match &value.value {
            Written::Null => format!("`{key}` has no value"),
            _ if annotated => format!("`{key}` names no source of a secret"),
            _ => format!("`{key}` holds a secret in clear text"),
        };
        let diagnostic = match &value.value {
            Written::Null => bad_value(name, message),
            _ => clear_text_secret(name, message),
        };
        self.diagnostics.push(diagnostic.help(HELP));
        None
    }

    fn refuse_annotation(&mut self, key: &str, value: &RawValue) {
        if let Some(annotation) = &value.annotation {
            let message = match annotation.value.as_str() {
                "secret" => format!("`{key}` is no secret"),
                other => format!("unknown type annotation {}", quoted(other)),
            };
            self.diagnostics.push(
                bad_value(annotation.span, message)
                    .help("the only type annotation is `(secret)`, where a secret belongs"),
            );
        }
    }

    fn refuse_node_annotation(&mut self, raw: &RawNode) {
        if let Some(annotation) = &raw.annotation {
            self.diagnostics.push(bad_value(
                annotation.span,
                "a node takes no type annotation",
            ));
        }
    }

    fn extra_argument(&mut self, raw: &RawNode, spec: &Spec, value: &RawValue) {
        let message = match spec.arguments.len() {
            0 => format!("`{}` takes no argument", spec.name),
            1 => format!("`{}` takes one argument", spec.name),
            number => format!("`{}` takes {number} arguments", spec.name),
        };
        let has_secrets = spec.fields.iter().any(|field| field.shape == Shape::Secret);
        let place = if has_secrets {
            raw.name.span
        } else {
            value.span
        };
        if has_secrets {
            self.secrets.push(value.span);
        }
        self.diagnostics.push(
            unknown_name(place, message).maybe_help(
                (!spec.fields.is_empty())
                    .then(|| "everything else is written as `key=value` or in a block".to_owned()),
            ),
        );
    }

    fn given_twice(&mut self, name: &Spanned<SmolStr>, first: Span) {
        let message = format!("{} is given twice", quoted(name));
        self.diagnostics.push(
            unknown_name(name.span, message)
                .related(first, "first given here")
                .help("keep one of the two"),
        );
    }

    fn unknown(
        &mut self,
        element: &Element,
        seen: &mut Seen<'_>,
        name: &Spanned<SmolStr>,
        what: &str,
    ) {
        let known = element.spec.known_names();
        seen.meant.extend(nearest(name, known.iter().copied()));
        let message = format!("`{}` has no {what} {}", element.spec.name, quoted(name));
        let help = did_you_mean(name, known);
        self.diagnostics
            .push(unknown_name(name.span, message).maybe_help(help));
    }

    /// Keeps a value from being shown if its name, or what it stands in for, says that it is a secret.
    fn cover_secret(&mut self, key: &str, field: Option<&Field>, value: &RawValue) {
        let meant = nearest(key, ["password", "sip-password", "token", "secret"]).is_some();
        let secret =
            field.is_some_and(|field| field.shape == Shape::Secret) || meant || names_a_secret(key);
        let annotated = value
            .annotation
            .as_ref()
            .is_some_and(|annotation| annotation.value == "secret");
        let source =
            matches!(&value.value, Written::Text(text) if text.parse::<SecretSource>().is_ok());
        if (secret || annotated) && !(annotated && source) {
            self.secrets.push(value.span);
        }
    }

    pub(crate) fn cover_all(&mut self, raw: &RawNode) {
        raw.arguments
            .iter()
            .for_each(|value| self.cover_secret(&raw.name, None, value));
        raw.properties
            .iter()
            .for_each(|(key, value)| self.cover_secret(key, None, value));
        raw.children
            .iter()
            .flatten()
            .for_each(|child| self.cover_all(child));
    }
}

/// Whether a text is the source of a secret beyond doubt, and may be shown.
fn names_a_source(text: &str) -> bool {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-./".contains(letter);
    text.len() <= 128
        && text
            .parse::<SecretSource>()
            .is_ok_and(|source| match source {
                SecretSource::Env(name) | SecretSource::File(name) | SecretSource::Cmd(name) => {
                    name.chars().all(is_name)
                }
            })
}

/// The field that may stand beside a scalar in its node: `transport "udp" port=5060`.
fn beside(key: &str) -> Option<&'static str> {
    (key == "transport").then_some("port")
}
