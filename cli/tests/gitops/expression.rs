//! GitHub's expressions, as far as the workflows use them. What they do not use is refused: a test that took something for
//! empty would prove nothing.

use serde_json::Value;

/// How the jobs or steps before ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) succeeded: bool,
    pub(super) failed: bool,
}

const STATUS: [&str; 4] = ["success()", "failure()", "always()", "cancelled()"];

/// Whether something with this `if` is run.
pub(super) fn is_met(condition: Option<&str>, contexts: &Value, before: Before) -> bool {
    let Some(condition) = condition else {
        return before.succeeded;
    };
    let condition = condition
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .unwrap_or(condition);
    let asks_status = STATUS.iter().any(|name| condition.contains(name));
    (asks_status || before.succeeded) && is_true(&evaluate(condition, contexts, before))
}

/// Text with the values of its expressions.
pub(super) fn filled(text: &str, contexts: &Value) -> String {
    let before = Before {
        succeeded: true,
        failed: false,
    };
    let mut parts = text.split("${{");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").unwrap();
        filled += &shown(&evaluate(expression, contexts, before));
        filled += rest;
    }
    filled
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != 0
}

fn evaluate(expression: &str, contexts: &Value, before: Before) -> Value {
    let mut parser = Parser {
        rest: expression,
        contexts,
        before,
    };
    let value = parser.either();
    assert_eq!(parser.rest.trim(), "", "left of `{expression}`");
    value
}

struct Parser<'a> {
    rest: &'a str,
    contexts: &'a Value,
    before: Before,
}

impl Parser<'_> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.takes("||") {
            let other = self.both();
            value = if is_true(&value) { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.takes("&&") {
            let other = self.compared();
            value = if is_true(&value) { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.single();
        if self.takes("==") {
            return (value == self.single()).into();
        }
        if self.takes("!=") {
            return (value != self.single()).into();
        }
        value
    }

    fn single(&mut self) -> Value {
        if self.takes("!") {
            return (!is_true(&self.single())).into();
        }
        if self.takes("(") {
            let value = self.either();
            assert!(self.takes(")"), "no `)` at `{}`", self.rest);
            return value;
        }
        if self.takes("'") {
            let (text, rest) = self.rest.split_once('\'').unwrap();
            self.rest = rest;
            return text.into();
        }
        let rest = self.rest.trim_start();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        self.rest = rest;
        if self.takes("()") {
            return match name {
                "always" => true,
                "success" => self.before.succeeded,
                "failure" => self.before.failed,
                // No run of a test is cancelled.
                "cancelled" => false,
                other => panic!("`{other}()` is not known here"),
            }
            .into();
        }
        let (context, path) = name.split_once('.').unwrap_or((name, ""));
        let mut value = &self.contexts[context];
        assert!(value.is_object(), "there is no context `{context}` here");
        for part in path.split('.') {
            value = &value[part];
        }
        value.clone()
    }
}
