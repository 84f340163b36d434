//! A plugin's own settings as its manifest's JSON Schema describes them: what people read, and what a message about a
//! wrong one says. Whether a value is right is for a validator of the schema to decide; this only puts it into words.

use std::fmt;

use serde_json::{Map, Value};

/// References that are followed from one setting: a schema may refer to itself.
const DEEPEST_REFERENCE: usize = 8;

/// One setting of a `target` node.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// As a topology spells it.
    pub name: String,
    /// What may be written behind the name.
    pub values: Values,
    /// Whether several values may follow each other.
    pub several: bool,
    /// What counts where the setting is missing.
    pub default: Option<Value>,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for.
    pub meaning: String,
}

/// What one value of a setting may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One of these.
    Choice(Vec<Value>),
    /// A text.
    Text,
    /// `#true` or `#false`.
    Boolean,
    /// A number, whole unless the schema says otherwise.
    Number {
        /// The smallest, where there is one.
        least: Option<Value>,
        /// The largest, where there is one.
        most: Option<Value>,
        /// Whether fractions are refused.
        whole: bool,
    },
    /// What these words say; for settings that are not the plugin's own.
    Described(&'static str),
    /// Something that the schema says in a way that has no words here.
    Other,
}

/// The settings that a manifest's schema names, by ascending name.
#[must_use]
pub fn settings(schema: &str) -> Vec<Setting> {
    let Ok(Value::Object(schema)) = serde_json::from_str(schema) else {
        return Vec::new();
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    let mut settings: Vec<Setting> = properties
        .into_iter()
        .flatten()
        .map(|(name, described)| {
            let (values, several) = values(&schema, described, 0);
            let text = |key: &str| described.get(key).and_then(Value::as_str);
            Setting {
                name: name.clone(),
                values,
                several,
                default: described.get("default").cloned(),
                required: is_required(name),
                meaning: text("description").unwrap_or_default().to_owned(),
            }
        })
        .collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    settings
}

/// What a part of a schema allows, and whether that is a list of it.
fn values(schema: &Map<String, Value>, part: &Value, depth: usize) -> (Values, bool) {
    let member = |key: &str| part.get(key);
    if let Some(reference) = member("$ref").and_then(Value::as_str) {
        let target = reference
            .strip_prefix("#/$defs/")
            .and_then(|name| schema.get("$defs")?.get(name))
            .filter(|_| depth < DEEPEST_REFERENCE);
        return target.map_or((Values::Other, false), |target| {
            values(schema, target, depth + 1)
        });
    }
    if let Some(words) = member("enum").and_then(Value::as_array) {
        return (Values::Choice(words.clone()), false);
    }
    if let Some(word) = member("const") {
        return (Values::Choice(vec![word.clone()]), false);
    }
    if let Some(alternatives) = member("oneOf")
        .or(member("anyOf"))
        .and_then(Value::as_array)
    {
        return alternative(schema, alternatives, depth);
    }
    match member("type").and_then(Value::as_str) {
        Some("boolean") => (Values::Boolean, false),
        Some("string") => (Values::Text, false),
        Some(kind @ ("integer" | "number")) => {
            let number = Values::Number {
                least: member("minimum").cloned(),
                most: member("maximum").cloned(),
                whole: kind == "integer",
            };
            (number, false)
        }
        Some("array") => {
            let items = member("items").map(|items| values(schema, items, depth + 1));
            items.map_or((Values::Other, true), |(values, _)| (values, true))
        }
        _ => (Values::Other, false),
    }
}

/// One value, or a list of the same: in a topology, one argument or several.
fn alternative(
    schema: &Map<String, Value>,
    alternatives: &[Value],
    depth: usize,
) -> (Values, bool) {
    if depth >= DEEPEST_REFERENCE {
        return (Values::Other, false);
    }
    let mut found = alternatives
        .iter()
        .map(|alternative| values(schema, alternative, depth + 1));
    let Some((first, mut several)) = found.next() else {
        return (Values::Other, false);
    };
    for (values, list) in found {
        if values != first {
            return (Values::Other, false);
        }
        several |= list;
    }
    (first, several)
}

impl Setting {
    /// How it is written, with its default or something else that fits.
    #[must_use]
    pub fn example(&self) -> String {
        let default = self.default.as_ref().map(written);
        let value = default.unwrap_or_else(|| match &self.values {
            Values::Choice(words) => words.first().map_or_else(String::new, written),
            Values::Boolean => "#true".to_owned(),
            Values::Number { least, most, .. } => {
                let bound = least.as_ref().or(most.as_ref());
                bound.map_or_else(|| "1".to_owned(), written)
            }
            Values::Text | Values::Described(_) | Values::Other => "\"…\"".to_owned(),
        });
        format!("{} {value}", self.name)
    }
}

/// A JSON value as a topology spells it; a list as several arguments.
#[must_use]
pub fn written(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Null => format!("#{value}"),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// What may be written: `"agent" or "direct"`, `a whole number from 1 to 65535`.
impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(written).collect();
                match words.as_slice() {
                    [] => formatter.write_str("nothing"),
                    [one] => formatter.write_str(one),
                    [most @ .., last] => write!(formatter, "{} or {last}", most.join(", ")),
                }
            }
            Self::Text => formatter.write_str("a text"),
            Self::Boolean => formatter.write_str("#true or #false"),
            Self::Number { least, most, whole } => {
                formatter.write_str(if *whole { "a whole number" } else { "a number" })?;
                match (least, most) {
                    (Some(least), Some(most)) => write!(formatter, " from {least} to {most}"),
                    (Some(least), None) => write!(formatter, " of at least {least}"),
                    (None, Some(most)) => write!(formatter, " of at most {most}"),
                    (None, None) => Ok(()),
                }
            }
            Self::Described(words) => formatter.write_str(words),
            Self::Other => formatter.write_str("a value that the plugin's schema allows"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(schema: &Value) -> Vec<(String, String, bool)> {
        settings(&schema.to_string())
            .into_iter()
            .map(|setting| {
                (
                    setting.example(),
                    setting.values.to_string(),
                    setting.several,
                )
            })
            .collect()
    }

    #[test]
    fn a_schema_is_put_into_words() {
        let schema = json!({
            "$defs": { "probe": { "enum": ["dhcp", "dns"] }, "again": { "$ref": "#/$defs/again" } },
            "properties": {
                "probe": { "oneOf": [
                    { "$ref": "#/$defs/probe" },
                    { "type": "array", "items": { "$ref": "#/$defs/probe" } }
                ] },
                "port": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 8000 },
                "persist": { "type": "boolean", "default": true },
                "share": { "type": "number", "maximum": 1 },
                "file": { "type": "string" },
                "domains": { "type": "array", "items": { "type": "string" } },
                "either": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] },
                "again": { "$ref": "#/$defs/again" },
                "gone": { "$ref": "https://elsewhere.example/schema" }
            }
        });
        let words =
            |example: &str, values: &str, several| (example.to_owned(), values.to_owned(), several);
        let other = "a value that the plugin's schema allows";
        assert_eq!(
            described(&schema),
            [
                words("again \"…\"", other, false),
                words("domains \"…\"", "a text", true),
                words("either \"…\"", other, false),
                words("file \"…\"", "a text", false),
                words("gone \"…\"", other, false),
                words("persist #true", "#true or #false", false),
                words("port 8000", "a whole number from 1 to 65535", false),
                words("probe \"dhcp\"", "\"dhcp\" or \"dns\"", true),
                words("share 1", "a number of at most 1", false),
            ]
        );
    }

    #[test]
    fn what_is_no_schema_describes_nothing() {
        for schema in [json!({}), json!({ "properties": 3 }), json!([]), json!("x")] {
            assert_eq!(described(&schema), []);
        }
    }
}
