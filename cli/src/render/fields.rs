//! Differences between two JSON values, field by field.

use serde_json::Value;
use similar::{Algorithm, DiffOp};

/// One field that differs. Paths read like `pools[0].pool`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Where in the value; empty for the value itself.
    pub(crate) path: String,
    /// Compact JSON; none where the field was not there.
    pub(crate) before: Option<String>,
    /// Compact JSON; none where the field will not be there.
    pub(crate) after: Option<String>,
}

/// The fields that differ, in the order of the new value, removed ones last.
pub(crate) fn difference(before: &Value, after: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    compare(String::new(), before, after, &mut fields);
    fields
}

/// Every leaf with its path: what a new object holds.
pub(crate) fn leaves(value: &Value) -> Vec<(String, String)> {
    fn walk(path: String, value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    walk(member_path(&path, key), member, found);
                }
            }
            Value::Array(items) if items.iter().any(is_container) => {
                for (at, item) in items.iter().enumerate() {
                    walk(format!("{path}[{at}]"), item, found);
                }
            }
            leaf => found.push((path, leaf.to_string())),
        }
    }
    let mut found = Vec::new();
    walk(String::new(), value, &mut found);
    found
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

fn member_path(path: &str, key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().all(|character| {
            character.is_alphanumeric() || matches!(character, '-' | '_' | ':' | '/')
        });
    let key = if plain {
        key.to_owned()
    } else {
        Value::from(key).to_string()
    };
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

fn compare(path: String, before: &Value, after: &Value, fields: &mut Vec<Field>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let path = member_path(&path, key);
                match old.get(key) {
                    Some(previous) => compare(path, previous, value, fields),
                    None => fields.push(Field {
                        path,
                        before: None,
                        after: Some(value.to_string()),
                    }),
                }
            }
            for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                let path = member_path(&path, key);
                fields.push(Field {
                    path,
                    before: Some(value.to_string()),
                    after: None,
                });
            }
        }
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).any(is_container) => {
            compare_items(&path, old, new, fields);
        }
        _ if before == after => {}
        _ => fields.push(Field {
            path,
            before: Some(before.to_string()),
            after: Some(after.to_string()),
        }),
    }
}

/// Items that moved because others came or went are not shown as changed.
fn compare_items(path: &str, old: &[Value], new: &[Value], fields: &mut Vec<Field>) {
    let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
    let (old_texts, new_texts) = (texts(old), texts(new));
    let removed = |at: usize| Field {
        path: format!("{path}[{at}]"),
        before: Some(old_texts[at].clone()),
        after: None,
    };
    let added = |at: usize| Field {
        path: format!("{path}[{at}]"),
        before: None,
        after: Some(new_texts[at].clone()),
    };
    for operation in similar::capture_diff_slices(Algorithm::Myers, &old_texts, &new_texts) {
        match operation {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete {
                old_index, old_len, ..
            } => fields.extend((old_index..old_index + old_len).map(removed)),
            DiffOp::Insert {
                new_index, new_len, ..
            } => fields.extend((new_index..new_index + new_len).map(added)),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => {
                let pairs = old_len.min(new_len);
                for at in 0..pairs {
                    compare(
                        format!("{path}[{}]", new_index + at),
                        &old[old_index + at],
                        &new[new_index + at],
                        fields,
                    );
                }
                fields.extend((old_index + pairs..old_index + old_len).map(removed));
                fields.extend((new_index + pairs..new_index + new_len).map(added));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        let side = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        difference(before, after)
            .into_iter()
            .map(|field| {
                format!(
                    "{}: {} → {}",
                    field.path,
                    side(field.before),
                    side(field.after)
                )
            })
            .collect()
    }

    #[test]
    fn nested_keys_by_path() {
        let before = json!({"id": 1, "pools": [{"pool": "a"}], "old": true, "odd key": {"x": 1}});
        let after = json!({"id": 1, "pools": [{"pool": "b"}], "odd key": {"x": 2}, "new": null});
        assert_eq!(
            shown(&before, &after),
            [
                r#"pools[0].pool: "a" → "b""#,
                r#""odd key".x: 1 → 2"#,
                "new: - → null",
                "old: true → -"
            ]
        );
    }

    #[test]
    fn an_inserted_item_is_the_only_difference() {
        let before = json!([{"code": 6}, {"code": 66}]);
        let after = json!([{"code": 6}, {"code": 42}, {"code": 66}]);
        assert_eq!(shown(&before, &after), [r#"[1]: - → {"code":42}"#]);
    }

    #[test]
    fn lists_of_scalars_are_one_field() {
        assert_eq!(
            shown(&json!({"dns": ["a", "b"]}), &json!({"dns": ["b"]})),
            [r#"dns: ["a","b"] → ["b"]"#]
        );
    }

    #[test]
    fn order_of_keys_does_not_matter() {
        assert_eq!(
            shown(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})),
            Vec::<String>::new()
        );
    }

    #[test]
    fn leaves_have_paths() {
        let value = json!({"a": {"b": [1, 2]}, "c": [{"d": {}}], "e": []});
        let found: Vec<String> = leaves(&value)
            .into_iter()
            .map(|(path, value)| format!("{path}={value}"))
            .collect();
        assert_eq!(found, ["a.b=[1,2]", "c[0].d={}", "e=[]"]);
    }
}
