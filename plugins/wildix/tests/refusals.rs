//! Changes and settings that do not fit.

use serde_json::json;
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Action, Change, Plugin};

use crate::model::{Model, plan};
use crate::topology::{plain_target, target, view};

#[test]
fn changes_that_do_not_fit() {
    let mut model = Model::new();
    let planned = plan(&mut model, &view(), &plain_target(), &[]);
    let change = |address: &str, kind: &str, action, after: Option<&str>| Change {
        address: address.into(),
        kind: kind.into(),
        action,
        before: None,
        after: after.map(Into::into),
        hint: None,
    };
    for change in [
        change("user/101", "user", Action::Create, None),
        change("user/101", "user", Action::Create, Some("[]")),
        change("user/777", "user", Action::Update, Some(r#"{"name":"x"}"#)),
        change("user/777", "user", Action::Delete, None),
        change(
            "email/777",
            "email",
            Action::Create,
            Some(r#"{"email":"x"}"#),
        ),
        change("nowhere", "device", Action::Create, Some("{}")),
        change("locale/settings", "locale", Action::Update, Some("{}")),
    ] {
        let failure = Wildix::procedure(
            &plain_target(),
            &planned.answers,
            std::slice::from_ref(&change),
        )
        .unwrap_err();
        assert_eq!(failure.code, "change", "{change:?}");
    }
}

#[test]
fn settings_of_another_shape() {
    let odd = target(&json!({ "trunks": "perhaps" }));
    assert_eq!(Wildix::desired(&view(), &odd).unwrap_err().code, "settings");
    assert!(Wildix::check(&view(), &odd).is_empty());
}
