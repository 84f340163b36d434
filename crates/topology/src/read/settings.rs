//! A plugin's own settings of a target: any names, any shape that JSON has.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::Reader;
use crate::element::Element;
use crate::load::Substituted;
use crate::model::Setting;
use crate::report::{bad_value, clear_text_secret, quoted, unknown_name};
use crate::schema::names_a_secret;
use crate::source::{Span, Spanned};
use crate::syntax::{RawNode, RawValue, Written};
use crate::value::SecretSource;

type Secrets = BTreeMap<String, Spanned<SecretSource>>;

impl Reader {
    pub(super) fn setting_property(
        &mut self,
        element: &mut Element,
        key: &Spanned<SmolStr>,
        value: &RawValue,
    ) {
        let mut secrets = Secrets::new();
        match self.json(key, value, "", &mut secrets) {
            Some(json) => {
                let setting = Setting {
                    value: json,
                    span: value.span,
                    name: key.span,
                    secrets,
                };
                element.settings.insert(key.value.to_string(), setting);
            }
            None => element.broken = true,
        }
    }

    pub(super) fn setting_child(&mut self, element: &mut Element, raw: &RawNode) {
        let mut secrets = Secrets::new();
        match self.json_of_node(raw, "", &mut secrets) {
            Some(value) => {
                let first = raw.arguments.first().map_or(raw.span, |first| first.span);
                let last = raw.arguments.last().map_or(raw.span, |last| last.span);
                let plain = raw.properties.is_empty() && raw.children.is_none();
                let span = if plain {
                    Span {
                        end: last.end,
                        ..first
                    }
                } else {
                    raw.span
                };
                element.settings.insert(
                    raw.name.value.to_string(),
                    Setting {
                        value,
                        span,
                        name: raw.name.span,
                        secrets,
                    },
                );
            }
            None => element.broken = true,
        }
    }

    /// `key value`, `key value value`, or `key name property=value { … }`.
    fn json_of_node(
        &mut self,
        raw: &RawNode,
        pointer: &str,
        secrets: &mut Secrets,
    ) -> Option<Json> {
        self.refuse_node_annotation(raw);
        let key = &raw.name;
        if raw.properties.is_empty() && raw.children.is_none() {
            return match raw.arguments.as_slice() {
                [] => {
                    let message = format!("{} has no value", quoted(key));
                    let help = "write its value behind it, or leave it out";
                    self.diagnostics
                        .push(bad_value(raw.header, message).help(help));
                    None
                }
                [value] => self.json(key, value, pointer, secrets),
                values => {
                    let parts: Vec<_> = (0..)
                        .zip(values)
                        .map(|(at, value): (usize, _)| {
                            self.json(key, value, &format!("{pointer}/{at}"), secrets)
                        })
                        .collect();
                    parts
                        .into_iter()
                        .collect::<Option<Vec<_>>>()
                        .map(Json::Array)
                }
            };
        }
        let mut whole = true;
        let mut object = Map::new();
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        for (at, value) in raw.arguments.iter().enumerate() {
            if at == 0 {
                places.insert("name", value.span);
                match self.json(key, value, &format!("{pointer}/name"), secrets) {
                    Some(json) => drop(object.insert("name".to_owned(), json)),
                    None => whole = false,
                }
            } else {
                let message = format!("{} takes one argument beside its properties", quoted(key));
                self.cover_secret(key, None, value);
                self.diagnostics.push(unknown_name(value.span, message));
            }
        }
        for (name, value) in &raw.properties {
            if let Some(first) = places.insert(&name.value, name.span) {
                self.given_twice(name, first);
                self.cover_secret(name, None, value);
                continue;
            }
            match self.json(name, value, &below(pointer, name), secrets) {
                Some(json) => drop(object.insert(name.value.to_string(), json)),
                None => whole = false,
            }
        }
        for child in raw.children.iter().flatten() {
            if let Some(first) = places.insert(&child.name.value, child.name.span) {
                self.given_twice(&child.name, first);
                self.cover_all(child);
                continue;
            }
            match self.json_of_node(child, &below(pointer, &child.name), secrets) {
                Some(json) => drop(object.insert(child.name.value.to_string(), json)),
                None => whole = false,
            }
        }
        whole.then_some(Json::Object(object))
    }

    fn json(
        &mut self,
        key: &Spanned<SmolStr>,
        value: &RawValue,
        at: &str,
        secrets: &mut Secrets,
    ) -> Option<Json> {
        let substituted = match self.substituted.get(&value.span) {
            Some(Substituted::Nothing) => return None,
            Some(Substituted::From { whole, .. }) => whole.clone(),
            None => None,
        };
        let annotated = value
            .annotation
            .as_ref()
            .is_some_and(|annotation| annotation.value == "secret");
        if annotated
            || (names_a_secret(key)
                && matches!(value.value, Written::Text(_) | Written::Integer(_)))
        {
            let source = self.secret(&printable(key), key.span, value)?;
            let json = Json::String(source.to_string());
            secrets.insert(at.to_owned(), Spanned::new(source, value.span));
            return Some(json);
        }
        self.refuse_annotation(&printable(key), value);
        let refuse = |why: &str| bad_value(value.span, format!("{} {why}", quoted(key)));
        let json = match substituted.as_ref().unwrap_or(&value.value) {
            Written::Text(text) if holds_secret(text) => {
                self.secrets.push(value.span);
                let message = format!("{} holds a secret in clear text", quoted(key));
                let help =
                    "leave the password out of the URL; name the file of a key instead of the key";
                self.diagnostics
                    .push(clear_text_secret(key.span, message).help(help));
                return None;
            }
            Written::Text(text) => Ok(Json::String(text.to_string())),
            Written::Boolean(flag) => Ok(Json::Bool(*flag)),
            Written::Integer(number) => i64::try_from(*number)
                .map(Json::from)
                .or_else(|_| u64::try_from(*number).map(Json::from))
                .map_err(|_| refuse("must fit 64 bits")),
            Written::Float(number) => serde_json::Number::from_f64(*number)
                .map(Json::Number)
                .ok_or_else(|| refuse("must be a finite number")),
            Written::Null => {
                Err(refuse("must not be `#null`")
                    .help("leave it out where there is nothing to say"))
            }
        };
        json.map_err(|diagnostic| self.diagnostics.push(diagnostic))
            .ok()
    }
}

fn printable(key: &str) -> String {
    quoted(key).trim_matches('`').to_owned()
}

fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Whether a text is a URL with a password in it, or a private key.
fn holds_secret(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
        || text.contains("://") && url::Url::parse(text).is_ok_and(|url| url.password().is_some())
}
