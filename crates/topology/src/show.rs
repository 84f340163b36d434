//! The resolved form: what was read, with includes read and defaults applied, as JSON and as KDL.

use serde_json::{Map, Value as Json, json};

use crate::Topology;
use crate::element::{Element, Scalar};
use crate::model::{Kind, elements};
use crate::resolve::occurs_once;
use crate::schema::{Arity, Field, KINDS};

/// Version of the resolved form. The first number moves when a reader of an earlier one could be misled.
pub const FORMAT_VERSION: &str = "1.0";

/// The resolved form as JSON, as `schemas/topology.schema.json` describes it. Of secrets it holds the source only.
#[must_use]
pub fn to_json(topology: &Topology) -> Json {
    let mut whole = Map::new();
    whole.insert("format_version".to_owned(), json!(FORMAT_VERSION));
    for (kind, spec) in KINDS {
        let mut nodes: Vec<Json> = elements(topology, *kind).iter().map(node_json).collect();
        if !occurs_once(*kind) {
            whole.insert(spec.name.to_owned(), Json::Array(nodes));
        } else if let Some(node) = nodes.pop() {
            whole.insert(spec.name.to_owned(), node);
        }
    }
    Json::Object(whole)
}

fn node_json(element: &Element) -> Json {
    let mut object = Map::new();
    for field in element.spec.arguments.iter().chain(element.spec.fields) {
        let mut values: Vec<Json> = element
            .values_of(field.key)
            .map(|value| scalar_json(&value.value))
            .collect();
        if field.arity == Arity::Many {
            if !values.is_empty() {
                object.insert(field.key.to_owned(), Json::Array(values));
            }
        } else if let Some(value) = values.pop() {
            object.insert(field.key.to_owned(), value);
        }
    }
    for child in element.spec.nodes {
        let mut nodes: Vec<Json> = element.nodes_of(child.spec.name).map(node_json).collect();
        if child.arity == Arity::Many {
            if !nodes.is_empty() {
                object.insert(child.spec.name.to_owned(), Json::Array(nodes));
            }
        } else if let Some(node) = nodes.pop() {
            object.insert(child.spec.name.to_owned(), node);
        }
    }
    if !element.settings.is_empty() {
        let settings = element
            .settings
            .iter()
            .map(|(key, setting)| (key.clone(), setting.value.clone()))
            .collect();
        object.insert("settings".to_owned(), Json::Object(settings));
    }
    Json::Object(object)
}

fn scalar_json(scalar: &Scalar) -> Json {
    match scalar {
        Scalar::Boolean(flag) => json!(flag),
        Scalar::Integer(number) => json!(number),
        text => json!(text.to_string()),
    }
}

/// The resolved form as KDL, which is a topology again.
#[must_use]
pub fn to_kdl(topology: &Topology) -> String {
    let mut text = format!("// format_version \"{FORMAT_VERSION}\"\n");
    for (kind, _) in KINDS {
        // Devices and users are many: one line each where that is enough.
        let dense = matches!(kind, Kind::Device | Kind::User);
        for (at, element) in elements(topology, *kind).iter().enumerate() {
            if at == 0 || !dense {
                text.push('\n');
            }
            write_node(&mut text, element, 0);
        }
    }
    text
}

/// More properties than this go into a block.
const ON_ONE_LINE: usize = 3;

fn write_node(text: &mut String, element: &Element, depth: usize) {
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
    let long =
        depth == 0 && single.len() > ON_ONE_LINE && !matches!(element.spec.name, "device" | "user");
    if !long {
        for field in &single {
            for value in element.values_of(field.key).take(1) {
                *text += &format!(" {}=", field.key);
                write_scalar(text, &value.value);
            }
        }
    }
    if !long && lists.is_empty() && element.nodes.is_empty() && element.settings.is_empty() {
        text.push('\n');
        return;
    }
    *text += " {\n";
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
        text.push('\n');
    }
    for (key, setting) in &element.settings {
        let is_secret = |pointer: &str| setting.secrets.contains_key(pointer);
        write_setting(text, key, &setting.value, "", depth + 1, &is_secret);
    }
    for node in &element.nodes {
        write_node(text, node, depth + 1);
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

/// A quoted string of KDL.
fn write_text(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => *text += "\\\"",
            '\\' => *text += "\\\\",
            '\n' => *text += "\\n",
            '\r' => *text += "\\r",
            '\t' => *text += "\\t",
            // What KDL does not allow as it is, and what one does not see.
            letter
                if letter.is_control()
                    || matches!(u32::from(letter), 0x200e..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xfeff) =>
            {
                *text += &format!("\\u{{{:x}}}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}
