//! The envelope of answers, and paging.

use serde_json::{Map, Value, json};

/// An answer before it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Reply {
    /// One result in the usual envelope.
    pub(super) fn result(result: Value) -> Self {
        Self {
            status: 200,
            body: Value::Object(Map::from_iter([
                ("type".to_owned(), json!("result")),
                ("result".to_owned(), result),
            ])),
        }
    }

    /// What writes answer: no id, no record, not even the envelope's type.
    pub(super) fn success() -> Self {
        Self {
            status: 200,
            body: json!({ "result": "Success" }),
        }
    }

    pub(super) fn error(status: u16, reason: impl Into<String>) -> Self {
        Self {
            status,
            body: json!({ "type": "error", "reason": reason.into() }),
        }
    }
}

/// Parameters of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    count: usize,
    start: usize,
}

impl Page {
    /// How many records come where the client names no number.
    pub(super) const DEFAULT: usize = 20;
    /// How many come at most, whatever the client asks for.
    pub(super) const MAX: usize = 100;

    /// Takes `count` and `start` out of the parameters.
    pub(super) fn take(query: &mut Vec<(String, String)>) -> Result<Self, Reply> {
        let mut number = |name: &str| match query.iter().position(|(key, _)| key == name) {
            Some(at) => {
                let (_, value) = query.remove(at);
                let refusal = || Reply::error(400, format!("`{name}` must be a number"));
                value.parse::<usize>().map(Some).map_err(|_| refusal())
            }
            None => Ok(None),
        };
        let count = number("count")?.unwrap_or(Self::DEFAULT);
        if count == 0 {
            return Err(Reply::error(400, "`count` must be at least 1"));
        }
        Ok(Self {
            count: count.min(Self::MAX),
            start: number("start")?.unwrap_or(0),
        })
    }

    /// The records of this page. `total` counts all of them.
    pub(super) fn of(&self, records: Vec<Value>) -> Reply {
        let total = records.len();
        let page: Vec<Value> = records
            .into_iter()
            .skip(self.start)
            .take(self.count)
            .collect();
        Reply::result(json!({ "records": page, "total": total }))
    }
}

/// The fields of a request's body: an object that holds nothing else than these.
pub(super) fn fields(body: &[u8], known: &[&str]) -> Result<Map<String, Value>, Reply> {
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Reply::error(400, format!("the body is no JSON object: {error}")))?;
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(Reply::error(400, format!("unknown field `{stranger}`"))),
        None => Ok(fields),
    }
}

/// A text field that must be there and say something.
pub(super) fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reply> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| Reply::error(400, format!("`{name}` is required")))
}
