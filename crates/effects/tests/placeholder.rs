use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use switchover_effects::placeholder::{
    ExpandError, Placeholder, Values, escape_literals, expand_bytes, expand_json, expand_text,
    expand_url, placeholders,
};

struct Known {
    secrets: HashMap<&'static str, &'static str>,
    answer: Value,
    captured: HashMap<&'static str, Value>,
}

impl Values for Known {
    fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).copied()
    }

    fn observed(&self, query: &str, pointer: &str) -> Option<&Value> {
        if query == "config" {
            self.answer.pointer(pointer)
        } else {
            None
        }
    }

    fn captured(&self, name: &str) -> Option<&Value> {
        self.captured.get(name)
    }
}

fn known() -> Known {
    Known {
        secrets: HashMap::from([("kea/password", "a\"b\\c ü/&?")]),
        answer: json!({"pin": 1234, "a}b%#${": "odd", "list": [true, null]}),
        captured: HashMap::from([("hash", json!("0a1b"))]),
    }
}

struct Nothing;
impl Values for Nothing {}

#[test]
fn each_form_is_replaced_by_its_value() {
    let known = known();
    for (text, expanded) in [
        ("x ${secret:kea/password} y", "x a\"b\\c ü/&? y"),
        ("${observed:config#/pin}", "1234"),
        ("${observed:config#/list}", "[true,null]"),
        ("${observed:config#/a%7Db%25%23%24%7B}", "odd"),
        ("${step.hash}${step.hash}", "0a1b0a1b"),
        ("$${step.hash}", "${step.hash}"),
        ("$$${step.hash}", "$0a1b"),
        ("$$$${step.hash}", "$${step.hash}"),
        ("a$${b ${step.hash}", "a${b 0a1b"),
        ("$ $$ $a {} $} $", "$ $$ $a {} $} $"),
        ("", ""),
    ] {
        assert_eq!(expand_text(text, &known).unwrap(), expanded, "{text}");
        assert_eq!(
            expand_bytes(text.as_bytes(), &known).unwrap(),
            expanded.as_bytes(),
            "{text}"
        );
    }
    assert_eq!(
        expand_bytes(b"\xff${step.hash}\xfe", &known).unwrap(),
        b"\xff0a1b\xfe"
    );
    assert_eq!(
        expand_url("/a?b=${secret:kea/password}&c", &known).unwrap(),
        "/a?b=a%22b%5Cc%20%C3%BC%2F%26%3F&c"
    );
}

#[test]
fn in_json_values_are_escaped_and_keep_their_type() {
    let mut json = json!({
        "password": "${secret:kea/password}",
        "text": "pin ${observed:config#/pin}",
        "pin": "${observed:config#/pin}",
        "both": ["${observed:config#/pin}${step.hash}", 7, null],
        "${step.hash}": "$${",
    });
    expand_json(&mut json, &known()).unwrap();
    assert_eq!(
        json,
        json!({
            "password": "a\"b\\c ü/&?",
            "text": "pin 1234",
            "pin": 1234,
            "both": ["12340a1b", 7, null],
            "0a1b": "${",
        })
    );
    assert!(json.to_string().contains(r#""a\"b\\c ü/&?""#));
}

#[test]
fn what_opens_nothing_known_is_an_error() {
    for text in [
        "${",
        "${}",
        "${secret}",
        "${secret:}",
        "${Secret:x}",
        "${step:x}",
        "${step.}",
        "${observed:q}",
        "${observed:#/a}",
        "${observed:q#a}",
        "${secret:a",
        "${secret:a{b}",
        "${secret:${step.a}}",
        "${secret:a\nb}",
        "${env:HOME}",
        "$$${",
        "${secret:a$b}",
    ] {
        assert!(
            matches!(
                expand_text(text, &known()),
                Err(ExpandError::Malformed { .. })
            ),
            "{text}"
        );
        assert!(expand_json(&mut json!([text]), &known()).is_err(), "{text}");
    }
    assert_eq!(
        expand_text("ab$$${", &known()),
        Err(ExpandError::Malformed { at: 4 })
    );
    let long = format!("${{secret:{}}}", "a".repeat(10_000));
    assert!(matches!(
        expand_text(&long, &known()),
        Err(ExpandError::Malformed { .. })
    ));
}

#[test]
fn what_stands_for_nothing_is_an_error() {
    for text in [
        "${secret:x}",
        "${observed:config#/x}",
        "${observed:other#/pin}",
        "${step.x}",
    ] {
        for values in [&known() as &dyn Values, &Nothing] {
            let error = expand_text(text, values).unwrap_err();
            assert!(!matches!(error, ExpandError::Malformed { .. }), "{text}");
        }
    }
}

#[test]
fn placeholders_are_found_without_values() {
    let found = placeholders(b"$${secret:a} ${secret:b} ${observed:q#/a%7Db} ${step.c}").unwrap();
    assert_eq!(
        found,
        [
            Placeholder::Secret("b".into()),
            Placeholder::Observed {
                query: "q".into(),
                pointer: "/a}b".into()
            },
            Placeholder::Step("c".into()),
        ]
    );
}

/// Text in which `$` and braces meet often.
fn tricky() -> impl Strategy<Value = String> {
    "([$]{1,4}|[{}]|secret:|step\\.|a|\"|\\\\|\\PC){0,16}"
}

proptest! {
    #[test]
    fn escaped_text_expands_to_itself(text in tricky()) {
        prop_assert_eq!(expand_text(&escape_literals(&text), &Nothing).unwrap(), text);
    }

    #[test]
    fn no_text_makes_expanding_panic(text in tricky(), bytes: Vec<u8>) {
        let _ = expand_text(&text, &known());
        let _ = expand_url(&text, &known());
        let _ = expand_bytes(&bytes, &known());
    }

    #[test]
    fn a_placeholder_reads_as_it_is_written(query in "[^{}$#\\pC]{1,20}", pointer in "(/\\PC{0,8}){0,3}") {
        let placeholder = Placeholder::Observed { query: query.into(), pointer: pointer.into() };
        let text = placeholder.to_string();
        prop_assert_eq!(placeholders(text.as_bytes()).unwrap(), vec![placeholder]);
    }
}
