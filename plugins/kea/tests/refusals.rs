//! Answers and changes that must end in a clear failure.

use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_sdk::{Action, Answer, Change, Failure, Plugin, Response};

use crate::harness::{after, answers, changes, desired, empty, foreign};
use crate::topology::{plain_target, target, view};

fn refusal(config_get: &Value) -> Failure {
    Kea::current(&plain_target(), &answers(config_get, "2.2.0")).unwrap_err()
}

#[test]
fn answers_that_are_not_keas() {
    let offline = "unable to forward command to the dhcp4 service: No such file or directory. The server is likely \
                   to be offline";
    for (answer, code, part) in [
        (
            json!([{"result": 1, "text": offline}]),
            "kea-error",
            "likely to be offline",
        ),
        (
            json!([{"result": 2, "text": "unsupported"}]),
            "kea-error",
            "result 2: unsupported",
        ),
        (json!([]), "not-kea", "0 parts"),
        (json!([{"result": 0}, {"result": 0}]), "not-kea", "2 parts"),
        (json!({"status": "ok"}), "not-kea", "no `result`"),
        (json!("hello"), "not-kea", "no `result`"),
        (json!([{"result": 0}]), "not-kea", "no object"),
        (
            json!([{"result": 0, "arguments": {"Dhcp6": {}}}]),
            "not-kea",
            "no `Dhcp4`",
        ),
    ] {
        let failure = refusal(&answer);
        assert_eq!(failure.code, code, "{answer}");
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    let html = vec![Answer {
        query: "config-get".into(),
        response: Response::Http(b"<html>".to_vec()),
    }];
    assert_eq!(
        Kea::current(&plain_target(), &html).unwrap_err().code,
        "answer-not-understood"
    );
    assert_eq!(
        Kea::current(&plain_target(), &[]).unwrap_err().code,
        "not-kea"
    );
    let odd = Kea::current(&plain_target(), &answers(&empty(), "unknown")).unwrap_err();
    assert!(odd.message.contains("names no version"), "{}", odd.message);
}

#[test]
fn text_that_could_not_be_sent_back_unchanged() {
    let mut config = empty();
    // One byte 0xfc: Latin-1.
    config[0]["arguments"]["Dhcp4"]["server-hostname"] = json!("b\u{fc}ro");
    let failure = refusal(&config);
    assert_eq!(failure.code, "kea-text");
    assert!(
        failure.message.contains("/Dhcp4/server-hostname"),
        "{}",
        failure.message
    );
}

#[test]
fn a_subnet_does_not_take_other_peoples_things_along() {
    let start = foreign();
    let wanted = desired(&view());
    let mut applied = after(&start, &changes(&start, &wanted, &[]));
    let own = applied.pointer_mut("/0/arguments/Dhcp4/subnet4/1").unwrap();
    own["reservations"]
        .as_array_mut()
        .unwrap()
        .push(json!({"hw-address": "00:00:00:00:00:01", "ip-address": "10.20.30.50"}));
    let changes = changes(&applied, &[], &wanted);
    let failure =
        Kea::procedure(&plain_target(), &answers(&applied, "2.2.0"), &changes).unwrap_err();
    assert_eq!(failure.code, "subnet-in-use");
}

#[test]
fn changes_that_are_not_this_plugins() {
    let change = |kind: &str, after: Option<&str>| Change {
        address: "x/y".into(),
        kind: kind.into(),
        action: Action::Create,
        before: None,
        after: after.map(Into::into),
        hint: None,
    };
    for change in [
        change("file", Some("{}")),
        change("subnet", None),
        change("subnet", Some("[]")),
        change(
            "option",
            Some(r#"{"subnet":"10.0.0.0/8","space":"dhcp4","code":1,"csv-format":true,"data":""}"#),
        ),
    ] {
        let failure =
            Kea::procedure(&plain_target(), &answers(&empty(), "2.2.0"), &[change]).unwrap_err();
        assert_eq!(failure.code, "change");
    }
}

#[test]
fn high_availability_that_is_said_to_be_there_is_there() {
    let present = target(&json!({"high-availability": "present"}));
    assert!(Kea::procedure(&present, &answers(&foreign(), "2.2.0"), &[]).is_ok());
    let failure = Kea::procedure(&present, &answers(&empty(), "2.2.0"), &[]).unwrap_err();
    assert_eq!(failure.code, "no-high-availability");
}

#[test]
fn settings_of_another_shape() {
    let odd = target(&json!({"control": "telepathy"}));
    assert_eq!(Kea::desired(&view(), &odd).unwrap_err().code, "settings");
}
