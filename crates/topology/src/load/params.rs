//! `param "octet" default=20` and `${octet}`: the one thing that a document can be told from outside.
//!
//! There is nothing to compute with: a value is put in where its name stands, once, and is not looked at again.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{Loading, Node};
use crate::report::{
    bad_value, did_you_mean, duplicate, quoted, unknown_name, unresolved_reference,
};
use crate::schema::PARAM;
use crate::source::{Span, Spanned};
use crate::syntax::{RawNode, RawValue, Written};

/// The longest text that putting values in may give: bases of bases could double one at every level.
const MAX_LENGTH: usize = 64 * 1024;

/// What one document may name as `${…}`.
#[derive(Default)]
pub(super) struct Params {
    declared: BTreeMap<String, Param>,
}

struct Param {
    declared: Span,
    /// None where it has none, which has been reported.
    value: Option<Argument>,
    /// Whether whatever extends the document gave it.
    given: bool,
}

/// A value and where it was written: in what extends the document, or as the default.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) value: Written,
    pub(super) span: Span,
}

/// What extends a document: the place, and the values that it gives.
pub(super) struct Extending {
    pub(super) at: Span,
    pub(super) given: Vec<(Spanned<SmolStr>, RawValue)>,
}

/// What was put into a string.
#[derive(Debug, Clone)]
pub(crate) enum Substituted {
    /// Names and the places of their values; the value itself where the string was nothing but one name.
    From {
        parameters: Vec<(String, Span)>,
        whole: Option<Written>,
    },
    /// Something is missing, which has been reported: the text means nothing.
    Nothing,
}

impl Params {
    fn known(&self) -> impl Iterator<Item = &str> {
        self.declared.keys().map(String::as_str)
    }
}

impl Loading {
    /// Takes the parameters out of a document's nodes.
    pub(super) fn params(
        &mut self,
        nodes: &mut Vec<Node>,
        extending: Option<&Extending>,
    ) -> Params {
        let mut params = Params::default();
        let is_param =
            |node: &mut Node| matches!(node, Node::Raw(node) if node.name.value == "param");
        for node in nodes.extract_if(.., is_param) {
            if let Node::Raw(node) = node {
                self.declare(&node, &mut params);
            }
        }
        if let Some(extending) = extending {
            self.give(extending, &mut params);
        }
        for (name, param) in params
            .declared
            .iter()
            .filter(|(_, param)| param.value.is_none() && !param.given)
        {
            self.unread = true;
            let finding = match extending {
                Some(extending) => bad_value(
                    extending.at,
                    format!("the base asks for {}, which is not given", quoted(name)),
                )
                .help(format!("write `{name}=…` behind the base's name"))
                .related(param.declared, "declared here, without a default"),
                None => bad_value(
                    param.declared,
                    format!("parameter {} has no value", quoted(name)),
                )
                .help("nothing extends this document here: give the parameter a `default`"),
            };
            self.reader.diagnostics.push(finding);
        }
        params
    }

    fn declare(&mut self, node: &RawNode, params: &mut Params) {
        let mut element = self.reader.node(node, &PARAM);
        self.reader.report_missing(&mut element);
        let Some(name) = element.name() else {
            self.unread = true;
            return;
        };
        if !is_name(&name) {
            self.unread = true;
            let message = format!("{} is no name for a parameter", quoted(&name));
            let help = "a letter, then letters, digits, `-` and `_`: it stands in `${…}`";
            self.reader
                .diagnostics
                .push(bad_value(name.span, message).help(help));
            return;
        }
        if let Some(first) = params.declared.get(&name.value) {
            let message = format!("parameter {} is declared twice", quoted(&name));
            self.reader
                .diagnostics
                .push(duplicate(name.span, message).related(first.declared, "first declared here"));
            return;
        }
        let inner = node
            .children
            .iter()
            .flatten()
            .filter_map(|child| Some((&child.name, child.arguments.first()?)));
        let written = node
            .properties
            .iter()
            .map(|(key, value)| (key, value))
            .chain(inner);
        let default = written
            .into_iter()
            .find(|(key, _)| key.value == "default")
            .map(|(_, value)| value);
        let value = element.value("default").and(default);
        let param = Param {
            declared: name.span,
            value: value.map(|value| Argument {
                value: value.value.clone(),
                span: value.span,
            }),
            // A default that was refused has been reported.
            given: default.is_some(),
        };
        params.declared.insert(name.value, param);
    }

    fn give(&mut self, extending: &Extending, params: &mut Params) {
        let mut first = BTreeMap::new();
        for (name, value) in &extending.given {
            if let Some(before) = first.insert(name.value.clone(), name.span) {
                let message = format!("{} is given twice", quoted(name));
                self.reader
                    .diagnostics
                    .push(unknown_name(name.span, message).related(before, "first given here"));
                continue;
            }
            let Some(param) = params.declared.get_mut(name.value.as_str()) else {
                let message = format!("the base has no parameter {}", quoted(name));
                let help = did_you_mean(name, params.known())
                    .unwrap_or_else(|| "it declares none: `param \"NAME\"`".to_owned());
                self.reader
                    .diagnostics
                    .push(unknown_name(name.span, message).help(help));
                continue;
            };
            param.given = true;
            param.value = match (&value.annotation, &value.value) {
                (None, Written::Text(_) | Written::Integer(_) | Written::Boolean(_)) => {
                    Some(Argument {
                        value: value.value.clone(),
                        span: value.span,
                    })
                }
                _ => {
                    self.unread = true;
                    let message = format!(
                        "parameter {} must be a text, a whole number, `#true` or `#false`",
                        quoted(name)
                    );
                    let mut finding = bad_value(value.span, message);
                    if value.annotation.is_some() {
                        finding = finding
                            .help("write `(secret)` in the base, where the parameter is used");
                    }
                    self.reader.diagnostics.push(finding);
                    None
                }
            };
        }
    }

    /// Puts the values of parameters into every string of a node.
    pub(super) fn substitute(&mut self, node: &mut RawNode, params: &Params) {
        let properties = node.properties.iter_mut().map(|(_, value)| value);
        for value in node.arguments.iter_mut().chain(properties) {
            self.substitute_value(value, params);
        }
        for child in node.children.iter_mut().flatten() {
            self.substitute(child, params);
        }
    }

    fn substitute_value(&mut self, value: &mut RawValue, params: &Params) {
        let Written::Text(text) = &value.value else {
            return;
        };
        let text = text.clone();
        if !text.contains("${") {
            return;
        }
        let mut result = String::new();
        let mut used = Vec::new();
        let mut whole = None;
        let mut rest = text.as_str();
        let mut failed = false;
        while let Some(at) = rest.find("${") {
            if at > 0 && rest.as_bytes()[at - 1] == b'$' {
                result += &rest[..at - 1];
                result += "${";
                rest = &rest[at + 2..];
                continue;
            }
            result += &rest[..at];
            let Some((name, after)) = rest[at + 2..]
                .split_once('}')
                .filter(|(name, _)| is_name(name))
            else {
                let message =
                    "`${` begins the name of a parameter and has no name or no `}` after it";
                self.reader.diagnostics.push(
                    bad_value(value.span, message)
                        .help("a `${` that is meant as it stands is written `$${`"),
                );
                failed = true;
                break;
            };
            match params.declared.get(name) {
                Some(Param {
                    value: Some(argument),
                    ..
                }) => {
                    let written = spelled(&argument.value);
                    if at == 0 && after.is_empty() && result.is_empty() {
                        whole = Some(argument.value.clone());
                    }
                    result += &written;
                    used.push((name.to_owned(), argument.span));
                }
                Some(Param { value: None, .. }) => failed = true,
                None => {
                    self.undeclared(value.span, name, params);
                    failed = true;
                }
            }
            if result.len() > MAX_LENGTH {
                let message = format!(
                    "with its parameters put in this text is longer than {} KiB",
                    MAX_LENGTH / 1024
                );
                self.reader.diagnostics.push(bad_value(value.span, message));
                failed = true;
                break;
            }
            rest = after;
        }
        if failed {
            self.unread = true;
            self.reader
                .substituted
                .insert(value.span, Substituted::Nothing);
            return;
        }
        result += rest;
        value.value = Written::Text(SmolStr::new(result));
        if !used.is_empty() {
            used.dedup();
            self.reader.substituted.insert(
                value.span,
                Substituted::From {
                    parameters: used,
                    whole,
                },
            );
        }
    }

    fn undeclared(&mut self, string: Span, name: &str, params: &Params) {
        let reference = format!("${{{name}}}");
        let source = &self.sources.file(string.file).text;
        let written = source
            .get(string.start as usize..string.end as usize)
            .unwrap_or_default();
        // Where escapes hide it the whole string has to do.
        let span = written.find(&reference).map_or(string, |at| {
            let start = string.start + u32::try_from(at).unwrap_or(0);
            Span {
                start,
                end: start + u32::try_from(reference.len()).unwrap_or(0),
                ..string
            }
        });
        let message = format!("no parameter is called {}", quoted(name));
        let help = did_you_mean(name, params.known()).unwrap_or_else(|| {
            format!("declare it in this document, `param \"{name}\" default=…`; a `${{` that is meant as it stands is written `$${{`")
        });
        self.reader
            .diagnostics
            .push(unresolved_reference(span, message).help(help));
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn spelled(value: &Written) -> SmolStr {
    match value {
        Written::Text(text) => text.clone(),
        Written::Integer(number) => SmolStr::new(number.to_string()),
        Written::Boolean(flag) => SmolStr::new(flag.to_string()),
        // Refused where they are given.
        Written::Float(_) | Written::Null => SmolStr::default(),
    }
}
