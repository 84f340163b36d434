//! The resolved form as KDL.

use serde_json::Value as Json;

use super::FORMAT_VERSION;
use super::origins::Places;
use crate::element::{Element, Scalar};
use crate::model::{Kind, elements};
use crate::schema::{Arity, Field, KINDS};
use crate::source::Span;
use crate::{Loaded, Topology};

/// The resolved form as KDL, which is a topology again.
#[must_use]
pub fn to_kdl(topology: &Topology) -> String {
    written(topology, None)
}

/// The same with every value on a line of its own, followed by where it came from.
#[must_use]
pub fn to_kdl_with_origins(loaded: &Loaded) -> String {
    written(&loaded.topology, Some(&Places::of(loaded)))
}

fn written(topology: &Topology, places: Option<&Places<'_>>) -> String {
    let mut text = format!("// format_version \"{FORMAT_VERSION}\"\n");
    for (kind, _) in KINDS {
        // Devices and users are many: one line each where that is enough.
        let dense = matches!(kind, Kind::Device | Kind::User) && places.is_none();
        for (at, element) in elements(topology, *kind).iter().enumerate() {
            if at == 0 || !dense {
                text.push('\n');
            }
            write_node(&mut text, element, 0, places);
        }
    }
    text
}

/// One node as a topology has it.
pub(crate) fn node_text(element: &Element) -> String {
    let mut text = String::new();
    write_node(&mut text, element, 0, None);
    text
}

/// Ends a line, with where its values came from.
fn end_line(text: &mut String, places: Option<&Places<'_>>, spans: impl Iterator<Item = Span>) {
    let noted = places.and_then(|places| places.noted(spans));
    if let Some(noted) = noted {
        *text += "  // ";
        *text += &noted;
    }
    text.push('\n');
}

/// More properties than this go into a block.
const ON_ONE_LINE: usize = 3;

fn write_node(text: &mut String, element: &Element, depth: usize, places: Option<&Places<'_>>) {
    indent(text, depth);
    *text += element.spec.name;
    for field in element.spec.arguments {
        for value in element.values_of(field.key) {
            text.push(' ');
            write_scalar(text, &value.value);
        }
    }
    let written = |field: &&'static Field| element.value(field.key).is_some();
    let (lists, single): (Vec<_>, Vec<_>) = element
        .spec
        .fields
        .iter()
        .filter(written)
        .partition(|field| field.arity == Arity::Many);
    let long = places.is_some()
        || (depth == 0
            && single.len() > ON_ONE_LINE
            && !matches!(element.spec.name, "device" | "user"));
    let arguments = || {
        element
            .spec
            .arguments
            .iter()
            .flat_map(|field| element.values_of(field.key))
            .map(|value| value.span)
    };
    if !long {
        for field in &single {
            for value in element.values_of(field.key).take(1) {
                *text += &format!(" {}=", field.key);
                write_scalar(text, &value.value);
            }
        }
    }
    let inline = if long { 0 } else { single.len() };
    let inside = single.len() - inline + lists.len() + element.nodes.len() + element.settings.len();
    if inside == 0 {
        end_line(text, places, arguments());
        return;
    }
    *text += " {";
    end_line(text, places, arguments());
    for field in element
        .spec
        .fields
        .iter()
        .filter(written)
        .filter(|field| long || field.arity == Arity::Many)
    {
        indent(text, depth + 1);
        *text += field.key;
        for value in element.values_of(field.key) {
            text.push(' ');
            write_scalar(text, &value.value);
        }
        end_line(
            text,
            places,
            element.values_of(field.key).map(|value| value.span),
        );
    }
    for (key, setting) in &element.settings {
        let is_secret = |pointer: &str| setting.secrets.contains_key(pointer);
        let noted = places.and_then(|places| places.noted(std::iter::once(setting.span)));
        if let Some(noted) = noted {
            indent(text, depth + 1);
            *text += &format!("// {noted}\n");
        }
        write_setting(text, key, &setting.value, "", depth + 1, &is_secret);
    }
    for node in &element.nodes {
        write_node(text, node, depth + 1, places);
    }
    indent(text, depth);
    *text += "}\n";
}

fn write_setting(
    text: &mut String,
    key: &str,
    value: &Json,
    pointer: &str,
    depth: usize,
    is_secret: &dyn Fn(&str) -> bool,
) {
    indent(text, depth);
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '-' || letter == '_';
    if key.starts_with(|letter: char| letter.is_ascii_lowercase())
        && key.chars().all(plain)
        && !matches!(key, "true" | "false" | "null" | "inf" | "nan")
    {
        *text += key;
    } else {
        write_text(text, key);
    }
    match value {
        Json::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                text.push(' ');
                write_json(text, item, is_secret(&format!("{pointer}/{at}")));
            }
            text.push('\n');
        }
        Json::Object(object) => {
            // The argument of a node with properties was read as its name.
            if let Some(name) = object
                .get("name")
                .filter(|name| !name.is_object() && !name.is_array())
            {
                text.push(' ');
                write_json(text, name, is_secret(&format!("{pointer}/name")));
            }
            *text += " {\n";
            for (key, value) in object
                .iter()
                .filter(|(key, value)| *key != "name" || value.is_object() || value.is_array())
            {
                let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                write_setting(text, key, value, &below, depth + 1, is_secret);
            }
            indent(text, depth);
            *text += "}\n";
        }
        scalar => {
            text.push(' ');
            write_json(text, scalar, is_secret(pointer));
            text.push('\n');
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    *text += &"    ".repeat(depth);
}

fn write_scalar(text: &mut String, scalar: &Scalar) {
    match scalar {
        Scalar::Boolean(flag) => *text += &format!("#{flag}"),
        Scalar::Integer(number) => *text += &number.to_string(),
        Scalar::Secret(source) => {
            *text += "(secret)";
            write_text(text, &source.to_string());
        }
        other => write_text(text, &other.to_string()),
    }
}

fn write_json(text: &mut String, value: &Json, secret: bool) {
    match value {
        Json::String(value) => {
            *text += if secret { "(secret)" } else { "" };
            write_text(text, value);
        }
        Json::Bool(flag) => *text += &format!("#{flag}"),
        other => *text += &other.to_string(),
    }
}

/// A value as a quoted string of a topology, for whoever writes one.
#[must_use]
pub fn kdl_text(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    write_text(&mut text, value);
    text
}

/// A quoted string of KDL, as the language reads it: `${` would begin a parameter.
pub(crate) fn write_text(text: &mut String, value: &str) {
    text.push('"');
    let mut before = None;
    for letter in value.chars() {
        if letter == '{' && before == Some('$') {
            text.insert(text.len() - 1, '$');
        }
        before = Some(letter);
        match letter {
            '"' => *text += "\\\"",
            '\\' => *text += "\\\\",
            '\n' => *text += "\\n",
            '\r' => *text += "\\r",
            '\t' => *text += "\\t",
            // What KDL does not allow as it is, and what one does not see.
            letter if is_unseen(letter) => {
                *text += &format!("\\u{{{:x}}}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

/// What must not stand in a text as it is: KDL does not allow it, or it changes how the rest is shown.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(u32::from(letter), 0x200e..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xfeff)
}
