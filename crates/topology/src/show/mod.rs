//! The resolved form: what was read, with bases, includes, tables and defaults applied, as JSON and as KDL.

mod kdl;
mod origins;

use serde_json::{Map, Value as Json, json};

use crate::Topology;
use crate::element::{Element, Scalar};
use crate::model::elements;
use crate::resolve::occurs_once;
use crate::schema::{Arity, KINDS};

pub use kdl::{kdl_text, to_kdl, to_kdl_with_origins};
pub(crate) use kdl::{node_text, write_text};
pub use origins::to_json_with_origins;

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
