//! JSON pointers (RFC 6901) and lossless small steps with [`serde_json::Value`].

use serde_json::Value;

/// A JSON pointer from its unescaped tokens: `["Dhcp4", "a/b"]` gives `/Dhcp4/a~1b`.
pub fn pointer<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> String {
    let mut out = String::new();
    for token in tokens {
        out.push('/');
        out.push_str(&token.as_ref().replace('~', "~0").replace('/', "~1"));
    }
    out
}

/// The value at `pointer`, removed from where it was: from an object its key, from an array its element.
pub fn take(value: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, token) = pointer.rsplit_once('/')?;
    let token = token.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&token),
        Value::Array(items) => {
            let index: usize = token.parse().ok()?;
            (index < items.len()).then(|| items.remove(index))
        }
        _ => None,
    }
}

/// Compact text of a value: what the contract calls JSON text. Keys of objects come in ascending order.
#[must_use]
pub fn text(value: &Value) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_escape_their_tokens() {
        assert_eq!(pointer(["Dhcp4", "a/b", "~"]), "/Dhcp4/a~1b/~0");
        assert_eq!(pointer::<&str>([]), "");
        let value = json!({"Dhcp4": {"a/b": {"~": 7}}});
        assert_eq!(
            value.pointer(&pointer(["Dhcp4", "a/b", "~"])),
            Some(&json!(7))
        );
    }

    #[test]
    fn take_removes_what_it_gives() {
        let mut value = json!({"a/b": [1, {"c": 2}]});
        assert_eq!(take(&mut value, "/a~1b/1/c"), Some(json!(2)));
        assert_eq!(take(&mut value, "/a~1b/0"), Some(json!(1)));
        assert_eq!(take(&mut value, "/a~1b/7"), None);
        assert_eq!(take(&mut value, "/nothing/here"), None);
        assert_eq!(take(&mut value, ""), None);
        assert_eq!(value, json!({"a/b": [{}]}));
    }

    #[test]
    fn text_is_the_same_for_any_order_of_keys() {
        assert_eq!(
            text(&json!({"b": 1, "a": [true, null]})),
            r#"{"a":[true,null],"b":1}"#
        );
    }
}
