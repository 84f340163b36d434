//! The JSON Schema of the resolved form.

use serde_json::{Map, Value as Json, json};

use super::{Arity, Field, KINDS, Shape, Spec};
use crate::choice;
use crate::resolve::occurs_once;
use crate::show::FORMAT_VERSION;

/// The JSON Schema (2020-12) of what [`to_json`](crate::to_json) gives: `schemas/topology.schema.json`.
#[must_use]
pub fn schema() -> Json {
    let mut properties = Map::new();
    let mut required = vec![json!("format_version")];
    let described = json!({ "const": FORMAT_VERSION, "description": "Version of this format." });
    properties.insert("format_version".to_owned(), described);
    for (kind, spec) in KINDS {
        let node = json!({ "$ref": format!("#/$defs/{}", spec.name) });
        if occurs_once(*kind) {
            properties.insert(spec.name.to_owned(), node);
        } else {
            properties.insert(
                spec.name.to_owned(),
                json!({ "type": "array", "items": node }),
            );
            required.push(json!(spec.name));
        }
    }
    properties.insert("origins".to_owned(), origins());
    let nodes: Map<String, Json> = KINDS
        .iter()
        .map(|(_, spec)| (spec.name.to_owned(), node_schema(spec)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Resolved topology",
        "description": "A topology as `switchover show --format json` prints it: bases, includes and tables \
                        read, defaults applied. Secrets appear as their source only.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "$defs": nodes,
    })
}

/// Only `show --origins` has it.
fn origins() -> Json {
    let place = || {
        json!({
            "file": { "type": "string", "description": "As it is shown to people." },
            "line": { "type": "integer", "minimum": 1 },
            "column": { "type": "integer", "minimum": 1, "description": "Counts characters." },
        })
    };
    let required = json!(["file", "line", "column"]);
    let mut value = place();
    if let Some(value) = value.as_object_mut() {
        let flags = [
            (
                "base",
                "Whether it stands in the base that the topology extends.",
            ),
            ("default", "Whether a `defaults` node supplied it."),
            ("import", "Whether it is a cell of a CSV file."),
        ];
        for (flag, description) in flags {
            value.insert(
                flag.to_owned(),
                json!({ "const": true, "description": description }),
            );
        }
        let parameter = json!({ "type": "object", "properties": place(), "required": required, "additionalProperties": false });
        let description = "The parameters that were put into it, with the places of their values.";
        value.insert(
            "parameters".to_owned(),
            json!({ "type": "object", "description": description, "additionalProperties": parameter }),
        );
    }
    json!({
        "type": "object",
        "description": "With `--origins`: where each value was written, by the JSON pointer of the value in this document.",
        "propertyNames": { "pattern": "^/" },
        "additionalProperties": { "type": "object", "properties": value, "required": required, "additionalProperties": false },
    })
}

fn node_schema(spec: &Spec) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (fields, arguments) in [(spec.arguments, true), (spec.fields, false)] {
        for field in fields {
            let list = field.arity == Arity::Many;
            properties.insert(field.key.to_owned(), field_schema(field, list));
            if field.arity == Arity::Required || (arguments && list) {
                required.push(json!(field.key));
            }
        }
    }
    for child in spec.nodes {
        let node = node_schema(child.spec);
        let many = child.arity == Arity::Many;
        let property = if many {
            json!({ "type": "array", "minItems": 1, "items": node })
        } else {
            node
        };
        properties.insert(child.spec.name.to_owned(), property);
        if child.arity == Arity::Required {
            required.push(json!(child.spec.name));
        }
    }
    if spec.open {
        let description = "The plugin's own settings, as its manifest describes them.";
        properties.insert(
            "settings".to_owned(),
            json!({ "type": "object", "description": description }),
        );
    }
    json!({
        "type": "object",
        "description": spec.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn field_schema(field: &Field, list: bool) -> Json {
    let mut value = shape_schema(field.shape);
    if list {
        return json!({ "type": "array", "minItems": 1, "items": value, "description": field.doc });
    }
    if let Some(object) = value.as_object_mut() {
        object.insert("description".to_owned(), json!(field.doc));
    }
    value
}

fn shape_schema(shape: Shape) -> Json {
    let pattern = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match shape {
        Shape::Text | Shape::Reference(_) | Shape::Root | Shape::Host => {
            json!({ "type": "string", "minLength": 1 })
        }
        Shape::Loose => json!({ "type": "string" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::OptionCode => json!({ "type": "integer", "minimum": 1, "maximum": 254 }),
        Shape::Duration(_) => pattern("^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"),
        Shape::Address => {
            json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] })
        }
        Shape::Subnet => pattern("^[0-9a-f.:]+/[0-9]{1,3}$"),
        Shape::Mac => pattern("^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"),
        Shape::Version => pattern("^[0-9]+(\\.[0-9]+){0,7}$"),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::Url(schemes) => pattern(&format!("^({})://", schemes.join("|"))),
        Shape::Hostname | Shape::Domain => pattern("^[A-Za-z0-9_.-]{1,254}$"),
        Shape::Email => pattern("^[^@\\s]+@[^@\\s]+$"),
        Shape::Extension => pattern("^[0-9*#]{1,32}$"),
        Shape::Secret => pattern("^(env|file|cmd):."),
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Scheme => json!({ "enum": choice::AUTH_SCHEMES }),
        Shape::Code => pattern("^[A-Z]{2,16}[0-9]{1,6}$"),
        Shape::Language => pattern("^[a-z]{2}$"),
        Shape::Region => pattern("^[A-Z]{2}$"),
        Shape::RecordType => pattern("^[A-Z0-9]{1,16}$"),
    }
}
