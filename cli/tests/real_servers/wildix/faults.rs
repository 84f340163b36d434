//! PBXs that misbehave: one clear error, everything undone, and an exit code that says so.

use serde_json::json;
use switchover_lab::{Matching, WmsFault};

use super::{Pair, assert_one_error};

const USERS: &str = "/api/v1/PBX/Colleagues";

#[test]
fn a_wms_that_misbehaves_while_it_is_read_changes_nothing() {
    let mut pair = Pair::new();
    for (fault, parts) in [
        (WmsFault::Status(500), &["500", "internal error"][..]),
        (WmsFault::Expired, &["401", "the token has expired"]),
        (
            WmsFault::TooMany(3600),
            &["429", "come back in 3600 s", "too many requests"],
        ),
        (WmsFault::Truncated, &["http://10.20.0.10/"]),
    ] {
        for matching in [Matching::all(), Matching::all().after(4)] {
            pair.main.heal();
            pair.main.fail(matching, fault.clone());
            for command in [&["plan"][..], &["apply", "--yes"]] {
                let output = pair.run(command);
                assert_eq!(output.code, Some(1), "{output}");
                let mut named = parts.to_vec();
                named.push("`wms-main`");
                assert_one_error(&output, 1, &named);
            }
        }
        pair.assert_untouched();
    }
    pair.main.heal();
    pair.environment.set("WMS_MAIN_TOKEN", "not-the-token");
    let output = pair.run(&["apply", "--yes"]);
    assert_one_error(&output, 1, &["401", "invalid token", "`wms-main`"]);
    assert!(!output.everything().contains("not-the-token"), "{output}");
    pair.assert_untouched();
}

#[test]
fn a_write_that_fails_is_undone_on_both() {
    let pair = Pair::new();
    for (method, path, fault, parts) in [
        (
            "POST",
            USERS,
            WmsFault::Status(500),
            &["500", "internal error"][..],
        ),
        (
            "POST",
            "/api/v1/devices",
            WmsFault::TooMany(3),
            &["429", "too many requests"],
        ),
        (
            "PUT",
            "/api/v1/devices/9c7514000102",
            WmsFault::Truncated,
            &["http://10.20.0.10/"],
        ),
        (
            "POST",
            "/api/v1/Devices/9c7514000102",
            WmsFault::Expired,
            &["401", "expired"],
        ),
        (
            "PUT",
            "/api/v1/PBX/settings",
            WmsFault::Truncated,
            &["http://10.20.0.10/"],
        ),
        (
            "PUT",
            "/api/v1/PBX/settings/ntp",
            WmsFault::Status(503),
            &["503"],
        ),
    ] {
        // One user is there already when the second request for users fails.
        let skipped = usize::from(path == USERS);
        pair.main
            .fail(Matching::to(method, path).after(skipped).once(), fault);
        let output = pair.run(&["apply", "--yes", "--allow-rejected"]);
        let mut named = parts.to_vec();
        named.extend(["`wms-main`", "rolled back"]);
        assert_one_error(&output, 6, &named);
        pair.assert_untouched();
        pair.main.heal();
    }
    // The last said no to nothing but the moment, the first to what was asked of it.
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(9), "{refused}");
    let applied = pair.run(&["apply", "--yes", "--allow-rejected"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    pair.assert_settled();
}

/// What leads from one topology to the next, and the requests of that change whose answers are lost one after another.
type Unanswered = (fn(&Pair), &'static [(&'static str, &'static str)]);

const SALES: &str =
    "device \"sales\" model=\"WP480\" mac=\"9c:75:14:00:01:02\" user=\"102\" year=2017 {
    acknowledge \"SW205\" reason=\"a test network\"
}
";

const UNANSWERED: [Unanswered; 4] = [
    (
        |_| {},
        &[
            ("POST", USERS),
            ("POST", "/api/v1/devices"),
            ("PUT", "/api/v1/devices/9c7514000102"),
            ("POST", "/api/v1/Devices/9c7514000102/connect/"),
            ("PUT", "/api/v1/PBX/settings"),
        ],
    ),
    (
        |pair| pair.edit("name=\"Reception\"", "name=\"Front desk\""),
        &[("PUT", USERS)],
    ),
    (
        |pair| {
            pair.edit("user \"102\" name=\"Sales\" pbx=\"pbx1\"", "");
            pair.edit(SALES, "");
            pair.edit("01:01\" user=\"101\"", "01:01\"");
            pair.edit("\"101\" \"102\"", "\"101\"");
        },
        &[
            ("DELETE", "/api/v1/devices/disconnect"),
            ("DELETE", "/api/v1/devices/9c7514000102"),
            ("DELETE", USERS),
        ],
    ),
    (
        |pair| pair.edit("01:01\" year", "01:01\" user=\"101\" year"),
        &[("POST", "/api/v1/Devices/9c7514000101/connect/")],
    ),
];

#[test]
fn what_was_done_without_an_answer_is_found_and_undone() {
    let pair = Pair::new();
    for (change, requests) in UNANSWERED {
        change(&pair);
        let before = [pair.main.configuration(), pair.standby.configuration()];
        for (method, path) in requests {
            let lost = Matching::to(method, path).once();
            pair.main.fail(lost, WmsFault::Truncated);
            let output = pair.run(&["apply", "--yes", "--allow-large-change"]);
            assert_one_error(&output, 6, &["rolled back", path]);
            let after = [pair.main.configuration(), pair.standby.configuration()];
            assert_eq!(after, before, "{method} {path}");
        }
        let applied = pair.run(&["apply", "--yes", "--allow-large-change"]);
        assert_eq!(applied.code, Some(0), "{applied}");
        pair.assert_settled();
    }
}

#[test]
fn an_undo_without_an_answer_is_done_and_not_done_twice() {
    let pair = Pair::new();
    let refused = Matching::to("POST", "/api/v1/Devices/9c7514000102").once();
    pair.main.fail(refused, WmsFault::Status(500));
    for path in [USERS, "/api/v1/devices/9c7514000101"] {
        let lost = Matching::to("DELETE", path).once();
        pair.main.fail(lost, WmsFault::Truncated);
    }
    let output = pair.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["500", "`wms-main`", "rolled back"]);
    pair.assert_untouched();
    let writes = pair.main.writes();
    let deleted = writes.iter().filter(|one| one.method == "DELETE").count();
    assert_eq!(deleted, 4, "two users and two devices, each once");
}

#[test]
fn what_nobody_can_look_at_is_said_to_be_left() {
    let pair = Pair::new();
    // The user is made, the answer lost, and the list of users is no longer to be had: it was read twice before.
    pair.main
        .fail(Matching::to("POST", USERS).once(), WmsFault::Truncated);
    let blind = Matching::to("GET", USERS).after(2);
    pair.main.fail(blind, WmsFault::Status(500));
    let output = pair.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(7), "{output}");
    assert!(output.stderr.contains("create user 101"), "{output}");
}

#[test]
fn a_wms_that_asks_to_come_back_later_is_waited_for() {
    let pair = Pair::new();
    for (method, path) in [
        ("GET", USERS),
        ("PUT", "/api/v1/devices/9c7514000101"),
        ("PUT", "/api/v1/PBX/settings"),
    ] {
        let busy = Matching::to(method, path).once();
        pair.main.fail(busy, WmsFault::TooMany(1));
    }
    pair.apply();
    pair.assert_settled();
    let refused = pair.main.requests();
    let refused = refused.iter().filter(|one| one.status == 429).count();
    assert_eq!(refused, 3);
}

#[test]
fn a_token_that_expires_for_good_leaves_the_rest_told() {
    let pair = Pair::new();
    // Two users are written before the token is no longer taken, so the way back is barred, too.
    pair.main
        .fail(Matching::to("POST", "/api/v1/devices"), WmsFault::Expired);
    pair.main
        .fail(Matching::to("DELETE", USERS), WmsFault::Expired);
    let output = pair.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(7), "{output}");
    for part in ["expired", "delete user 101", "delete user 102"] {
        assert!(output.stderr.contains(part), "{part}: {output}");
    }
    assert_eq!(
        pair.standby.configuration(),
        pair.before[1],
        "what could be undone was"
    );
}

#[test]
fn a_captured_id_leads_nowhere_else() {
    let pair = Pair::new();
    let odd = json!({ "type": "result", "result": { "total": 1, "records": [
        { "id": "../System/Reboot", "extension": "102" },
    ] } });
    // The users are read twice before; then, the last one first, each is looked for to be deleted.
    let found = Matching::to("GET", USERS).after(2).once();
    pair.main.fail(found, WmsFault::Answer(odd.to_string()));
    let broken = Matching::to("POST", "/api/v1/devices").once();
    pair.main.fail(broken, WmsFault::Status(500));
    let output = pair.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(7), "{output}");
    assert!(output.stderr.contains("delete user 102"), "{output}");
    for write in pair.main.writes() {
        assert!(!write.path.contains("System"), "{write:?}");
    }
    assert!(pair.main.user("101").is_none() && pair.main.user("102").is_some());
}

#[test]
fn a_wms_that_hangs_is_given_up() {
    let pair = Pair::new();
    pair.main.fail(Matching::all().after(2), WmsFault::TimeOut);
    let output = pair.run(&["plan"]);
    assert_one_error(&output, 1, &["no answer within", "`wms-main`"]);
    pair.assert_untouched();
}
