//! From one state to the next, as a plan would go: what was asked for is there, and no other line moved.

use proptest::prelude::*;
use switchover_sdk::{Change, Resource, View};

use crate::harness::{after, by_address, changes, current, desired};
use crate::topology::{group, trunk, user, view};

fn addresses(changes: &[Change]) -> Vec<&str> {
    changes
        .iter()
        .map(|change| change.address.as_str())
        .collect()
}

fn first() -> String {
    after(None, &changes(None, &desired(&view()), &[]))
}

#[track_caller]
fn edited(file: &str, old: &str, new: &str) -> String {
    assert!(file.contains(old), "nothing to edit: {old}\n{file}");
    file.replace(old, new)
}

/// A file in which somebody else has written in every part.
fn with_foreign(file: &str) -> String {
    let head = edited(
        file,
        "listen=udp",
        "# theirs\r\nlisten=udp:192.0.2.7:5099/198.51.100.7:5099\nlisten=udp",
    );
    let rows = edited(
        &head,
        "    $sht(switchover_users=>102)",
        "    $sht(switchover_users=>900) = 'by hand';\n    # a comment\n    xlog(\"started\\n\");\n    \
         $sht(switchover_users=>102)",
    );
    rows + "\n# behind\nroute[THEIRS] { exit; }\n"
}

#[test]
fn what_is_written_is_what_was_wanted() {
    let wanted = desired(&view());
    let file = first();
    assert_eq!(by_address(&current(Some(&file))), by_address(&wanted));
    assert!(changes(Some(&file), &wanted, &[]).is_empty());
    assert!(changes(None, &desired(&View::empty("x")), &[]).is_empty());
}

#[test]
fn one_user_is_one_change_and_one_line() {
    let file = first();
    let mut view = view();
    view.users.push(user("1015"));
    let changes = changes(Some(&file), &desired(&view), &[]);
    assert_eq!(addresses(&changes), ["user/1015"]);
    let expected = edited(
        &file,
        "    $sht(switchover_users=>102)",
        "    $sht(switchover_users=>1015) = '${secret:user/1015/sip-password}';\n    $sht(switchover_users=>102)",
    );
    assert_eq!(after(Some(&file), &changes), expected);
}

#[test]
fn a_hundred_users_come_and_one_goes() {
    let file = first();
    let mut many = view();
    many.users
        .extend((200..300).map(|number| user(&number.to_string())));
    let wanted = desired(&many);
    let more = after(Some(&file), &changes(Some(&file), &wanted, &[]));
    assert_eq!(by_address(&current(Some(&more))), by_address(&wanted));
    many.users.retain(|user| user.extension != "250");
    let less = changes(Some(&more), &desired(&many), &wanted);
    assert_eq!(addresses(&less), ["user/250"]);
    let gone = more.lines().filter(|line| !line.contains("250"));
    let expected: String = gone.map(|line| format!("{line}\n")).collect();
    assert_eq!(after(Some(&more), &less), expected);
}

#[test]
fn groups_and_trunks_come_change_and_go() {
    let file = first();
    let mut other = view();
    other.call_groups = vec![
        group("sales", "all", &["102"]),
        group("night", "linear", &["101"]),
    ];
    other.trunks = vec![trunk("telco-b", "203.0.113.20")];
    let there = changes(Some(&file), &desired(&other), &desired(&view()));
    assert_eq!(
        addresses(&there),
        [
            "call-group/sales",
            "call-group/night",
            "trunk/telco-b",
            "call-group/everybody",
            "trunk/telco-a"
        ]
    );
    let changed = after(Some(&file), &there);
    assert_eq!(
        by_address(&current(Some(&changed))),
        by_address(&desired(&other))
    );
    let back = changes(Some(&changed), &desired(&view()), &desired(&other));
    assert_eq!(after(Some(&changed), &back), file);
}

#[test]
fn foreign_lines_stay_where_they_are() {
    let file = with_foreign(&first());
    let mut view = view();
    view.users.remove(0);
    view.users.push(user("950"));
    view.devices[2].port = 5062;
    let changes_ = changes(
        Some(&file),
        &desired(&view),
        &desired(&crate::topology::view()),
    );
    let changed = after(Some(&file), &changes_);
    let mut expected = by_address(&desired(&view));
    let foreign = |resources: &[Resource]| {
        by_address(resources)
            .into_iter()
            .filter(|(address, _)| address.starts_with("line/") || address == "user/900")
            .collect::<Vec<_>>()
    };
    let theirs = foreign(&current(Some(&file)));
    assert_eq!(theirs.len(), 4, "{theirs:?}");
    expected.extend(theirs);
    assert_eq!(by_address(&current(Some(&changed))), expected);
    for line in [
        "# theirs\r",
        "    # a comment",
        "# behind",
        "route[THEIRS] { exit; }",
        "    xlog(\"started\\n\");",
    ] {
        assert!(
            changed.split('\n').any(|there| there == line),
            "{line:?} is gone from\n{changed}"
        );
    }
    let back = changes(
        Some(&changed),
        &desired(&crate::topology::view()),
        &desired(&view),
    );
    assert_eq!(
        by_address(&current(Some(&after(Some(&changed), &back)))),
        by_address(&current(Some(&file)))
    );
}

#[test]
fn what_somebody_changed_is_put_right_in_its_place() {
    let file = first();
    let wanted = desired(&view());
    let mut drifted = file.clone();
    for (old, new) in [
        ("alias=\"pbx2.acme.example\"\n", ""),
        ("REALM \"pbx1.acme.example\"", "REALM \"elsewhere\""),
        ("RING_MS 20000", "RING_MS 5000"),
        ("\"483\", \"Too Many Hops\"", "\"483\", \"Enough\""),
        ("'${secret:user/102/sip-password}'", "'hacked'"),
        ("'next;101,102'", "'all;102'"),
        (
            "    $sht(switchover_trunks=>203.0.113.10) = ';telco-a';\n",
            "",
        ),
    ] {
        drifted = edited(&drifted, old, new);
    }
    let repair = changes(Some(&drifted), &wanted, &wanted);
    assert_eq!(repair.len(), 7, "{:?}", addresses(&repair));
    assert_eq!(after(Some(&drifted), &repair), file);
}

#[test]
fn a_routing_of_an_older_version_is_replaced_whole() {
    let file = first();
    let (before, rest) = file.split_once("loadmodule").unwrap();
    let (_, behind) = rest.split_once("# -- end of the routing").unwrap();
    let old = format!("{before}route[SWITCHOVER] {{ exit; }}\n# -- end of the routing{behind}");
    let there = changes(Some(&old), &desired(&view()), &[]);
    assert_eq!(addresses(&there), ["routing/switchover"]);
    assert_eq!(after(Some(&old), &there), file);
}

#[test]
fn everything_comes_out_again() {
    let wanted = desired(&view());
    let empty = after(Some(&first()), &changes(Some(&first()), &[], &wanted));
    assert_eq!(current(Some(&empty)), []);
    let file = with_foreign(&first());
    let left = after(Some(&file), &changes(Some(&file), &[], &wanted));
    let addresses: Vec<String> = by_address(&current(Some(&left))).into_keys().collect();
    assert_eq!(addresses.len(), 4, "{addresses:?}");
}

proptest! {
    #[test]
    fn any_state_becomes_any_other(before in users(), now in users(), foreign in any::<bool>()) {
        let (mut one, mut other) = (view(), view());
        one.users = before.iter().map(|extension| user(extension)).collect();
        other.users = now.iter().map(|extension| user(extension)).collect();
        let wanted = desired(&one);
        let mut file = after(None, &changes(None, &wanted, &[]));
        if foreign {
            file.push_str("# theirs\nroute[X] { exit; }\n");
        }
        let next = desired(&other);
        let file = after(Some(&file), &changes(Some(&file), &next, &wanted));
        prop_assert!(changes(Some(&file), &next, &wanted).is_empty());
        prop_assert_eq!(file.ends_with("route[X] { exit; }\n"), foreign);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(listen=|alias=|#!define SWITCHOVER_|# -- routing|\\$sht\\(|=>|\\) = '|';|\n|[ -~é])*") {
        use switchover_sdk::Plugin;
        let answers = crate::harness::answers(Some(&text));
        let target = crate::topology::plain_target();
        if let Ok(there) = switchover_plugin_kamailio::Kamailio::current(&target, &answers) {
            let addresses: std::collections::BTreeSet<_> = there.iter().map(|resource| &resource.address).collect();
            prop_assert_eq!(addresses.len(), there.len());
        }
    }
}

fn users() -> impl Strategy<Value = std::collections::BTreeSet<String>> {
    prop::collection::btree_set("[1-9][0-9]{0,3}", 0..12)
}
