//! Rounds of questions and what is made of the answers.

use serde_json::{Value, json};
use switchover_plugin_wildix::Wildix;
use switchover_sdk::{Answer, Plugin, Query, ReadRequest, Response};

use crate::model::{Model, by_address, plan};
use crate::topology::{plain_target, target, view, view_of};

fn wanted(view: &switchover_sdk::View, target: &switchover_sdk::Target) -> Vec<String> {
    let resources = Wildix::desired(view, target).unwrap();
    resources.into_iter().map(|one| one.address).collect()
}

fn requests(queries: &[Query]) -> Vec<(String, String)> {
    let request = |query: &Query| match &query.request {
        ReadRequest::Http(request) => {
            assert_eq!(request.reason.as_deref(), Some("/reason"));
            (
                query.id.clone(),
                format!("{} {}", request.method, request.path),
            )
        }
        other => panic!("{other:?}"),
    };
    queries.iter().map(request).collect()
}

#[test]
fn the_first_round() {
    let verified = target(&json!({ "verify-registrations": true }));
    let source = Wildix::queries(&verified, &wanted(&view(), &verified), 0, &[]).unwrap();
    insta::assert_debug_snapshot!(requests(&source));
    let there = wanted(&view_of("pbx2"), &plain_target());
    let destination = Wildix::queries(&plain_target(), &there, 0, &[]).unwrap();
    let ids: Vec<String> = requests(&destination)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(
        ids,
        [
            "part/destination",
            "locale",
            "ntp",
            "users-from/0",
            "members-from/0",
            "registered",
        ]
    );
}

#[test]
fn a_plan_rests_on_what_its_steps_are_made_of() {
    let verified = target(&json!({ "verify-registrations": true, "region-field": "a/b" }));
    let queries = Wildix::queries(&verified, &wanted(&view(), &verified), 0, &[]).unwrap();
    let rests_on: Vec<(&str, Option<&[String]>)> = queries
        .iter()
        .map(|query| (query.id.as_str(), query.rests_on.as_deref()))
        .collect();
    insta::assert_debug_snapshot!(rests_on);
}

#[test]
fn lists_are_read_to_their_end_whatever_a_page_holds() {
    for largest in [7, 100] {
        let mut model = Model::new();
        model.largest_page = largest;
        for number in 0..60 {
            model.add_user(&json!({ "name": "x", "extension": (1000 + number).to_string() }));
        }
        let target = target(&json!({ "page-size": 20 }));
        let planned = plan(&mut model, &view(), &target, &[]);
        let current = by_address(&Wildix::current(&target, &planned.answers).unwrap());
        assert!(current.contains_key("user/1059"), "{largest}");
        let pages = planned
            .answers
            .iter()
            .filter(|one| one.query.starts_with("users-from/"));
        assert_eq!(pages.count(), 61usize.div_ceil(largest.min(20)));
    }
}

fn answer(query: &str, body: &Value) -> Answer {
    Answer {
        query: query.into(),
        response: Response::Http(body.to_string().into_bytes()),
    }
}

#[test]
fn a_list_that_ends_early_is_not_taken_for_whole() {
    let page = |records: usize, total: usize| {
        let records: Vec<Value> = (0..records)
            .map(|at| json!({ "id": at, "extension": at.to_string() }))
            .collect();
        json!({ "type": "result", "result": { "records": records, "total": total } })
    };
    let mut answers = vec![answer("users-from/0", &page(2, 5))];
    let next = Wildix::queries(&plain_target(), &[], 1, &answers).unwrap();
    assert_eq!(
        requests(&next)
            .into_iter()
            .map(|(id, _)| id)
            .collect::<Vec<_>>(),
        ["users-from/2", "users-from/4"]
    );
    answers.push(answer("users-from/2", &page(0, 5)));
    answers.push(answer("users-from/4", &page(1, 5)));
    let failure = Wildix::queries(&plain_target(), &[], 2, &answers).unwrap_err();
    assert_eq!(failure.code, "incomplete-list");
    assert_eq!(
        Wildix::current(&plain_target(), &answers).unwrap_err().code,
        "incomplete-list"
    );
    let empty = [answer("users-from/0", &page(0, 5))];
    let failure = Wildix::queries(&plain_target(), &[], 1, &empty).unwrap_err();
    assert!(
        failure
            .message
            .contains("gives 0 records and says that there are 5"),
        "{}",
        failure.message
    );
}

#[test]
fn answers_that_are_not_a_wms() {
    for (query, body, code) in [
        (
            "part/source",
            json!({ "type": "result", "result": {} }),
            "no-version",
        ),
        ("part/source", json!("hello"), "answer-not-understood"),
        (
            "locale",
            json!({ "type": "error", "reason": "no" }),
            "answer-not-understood",
        ),
        (
            "users-from/0",
            json!({ "result": [] }),
            "answer-not-understood",
        ),
        (
            "users-from/0",
            json!({ "result": { "total": 1, "records": [{ "id": "../7", "extension": "1" }] } }),
            "odd-id",
        ),
        (
            "registration/101",
            json!({ "result": { "101": 7 } }),
            "answer-not-understood",
        ),
    ] {
        let failure = Wildix::current(&plain_target(), &[answer(query, &body)]).unwrap_err();
        assert_eq!(failure.code, code, "{query} {body}");
    }
}

#[test]
fn a_registration_is_what_was_asked_for_and_is_online() {
    let told = json!({ "type": "result", "result": {
        "101": { "registrations": [{ "online": false }, { "online": true, "contact": "x" }] },
        "102": { "registrations": [{ "online": false }] },
        "103": { "registrations": [] },
        "*1#": { "registrations": [{ "online": true }] },
        "999": { "registrations": [{ "online": true }] },
    } });
    let answers = [answer("registration/101,102,103,104,*1^", &told)];
    let found: Vec<String> = Wildix::current(&plain_target(), &answers)
        .unwrap()
        .into_iter()
        .map(|one| one.address)
        .collect();
    assert_eq!(found, ["registration/*1#", "registration/101"]);
    let nobody = [answer(
        "registration/101",
        &json!({ "type": "result", "result": [] }),
    )];
    assert_eq!(Wildix::current(&plain_target(), &nobody).unwrap(), []);
}

#[test]
fn many_extensions_are_asked_for_in_several_ids() {
    let wanted: Vec<String> = (0..500)
        .map(|at| format!("registration/{}", 10_000 + at))
        .collect();
    let queries = Wildix::queries(&plain_target(), &wanted, 0, &[]).unwrap();
    let ids: Vec<&str> = queries
        .iter()
        .filter_map(|query| query.id.strip_prefix("registration/"))
        .collect();
    assert!(ids.len() > 1 && queries.iter().all(|query| query.id.len() <= 512));
    assert_eq!(ids.iter().flat_map(|id| id.split(',')).count(), 500);
}
