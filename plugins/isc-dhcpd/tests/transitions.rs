//! From one state to the next, as a plan would go: what was asked for is there, and no other statement moved.

use proptest::prelude::*;
use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{Action, Change, Plugin, Resource, View};

use crate::harness::{after, answers, by_address, changes, current, desired};
use crate::topology::{device, option, pair, plain_target, text, view};

const FOREIGN: &str = "\
# ours
authoritative;\r
  default-lease-time 600 ;   # for all

class \"printers\" { match if substring(hardware,1,3) = 00:11:22; }
option phone-url code 161 = text;
subnet 192.0.2.0 netmask 255.255.255.0 {
    # theirs
    range 192.0.2.10 192.0.2.20;
    option routers 192.0.2.1;
    if known { option phone-url \"x;}\"; } else { deny booting; }
}
host printer { hardware ethernet 00:11:22:00:00:01; fixed-address 192.0.2.9; }
";

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

#[test]
fn what_is_written_is_what_was_wanted() {
    for view in [view(), pair("dhcp1"), pair("dhcp2")] {
        let wanted = desired(&view);
        let file = after(None, &changes(None, &wanted, &[]));
        assert_eq!(by_address(&current(Some(&file))), by_address(&wanted));
        assert!(changes(Some(&file), &wanted, &[]).is_empty());
    }
}

#[test]
fn one_device_is_one_change_and_one_line() {
    let file = first();
    let mut view = view();
    view.devices[0].address = Some("10.20.30.21".into());
    let changes = changes(Some(&file), &desired(&view), &[]);
    assert_eq!(addresses(&changes), ["host/9c:75:14:00:01:01"]);
    let expected = edited(
        &file,
        "fixed-address 10.20.30.11;",
        "fixed-address 10.20.30.21;",
    );
    assert_eq!(after(Some(&file), &changes), expected);
}

#[test]
fn a_hundred_devices_come_and_one_goes() {
    let file = first();
    let mut many = view();
    many.devices.extend((0..100).map(|n| {
        let mac = format!("9c:75:14:01:00:{n:02x}");
        device(
            &format!("desk{n}"),
            &mac,
            Some(&format!("10.20.30.{}", n + 100)),
        )
    }));
    let wanted = desired(&many);
    let more = after(Some(&file), &changes(Some(&file), &wanted, &[]));
    assert_eq!(by_address(&current(Some(&more))), by_address(&wanted));
    many.devices.remove(50);
    let less = changes(Some(&more), &desired(&many), &wanted);
    assert_eq!(addresses(&less), ["host/9c:75:14:01:00:2f"]);
    let gone = more
        .lines()
        .filter(|line| !line.contains("9c:75:14:01:00:2f"));
    let expected: String = gone.map(|line| format!("{line}\n")).collect();
    assert_eq!(after(Some(&more), &less), expected);
}

#[test]
fn foreign_statements_stay_where_they_are() {
    let wanted = desired(&pair("dhcp1"));
    let file = after(Some(FOREIGN), &changes(Some(FOREIGN), &wanted, &[]));
    let mut expected = by_address(&current(Some(FOREIGN)));
    expected.extend(by_address(&wanted));
    assert_eq!(by_address(&current(Some(&file))), expected);
    let mut rest = file.as_str();
    for line in FOREIGN.lines() {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("{line} is gone from\n{file}"));
        rest = &rest[at + line.len()..];
    }
    let removed = after(Some(&file), &changes(Some(&file), &[], &wanted));
    assert_eq!(removed, FOREIGN);
}

#[test]
fn foreign_statements_are_seen() {
    insta::assert_json_snapshot!(by_address(&current(Some(FOREIGN))));
}

#[test]
fn what_somebody_changed_is_put_right_in_its_place() {
    let wanted = desired(&pair("dhcp1"));
    let file = after(None, &changes(None, &wanted, &[]));
    let mut drifted = file.clone();
    for (old, new) in [
        ("mclt 3600;", "mclt 60; auto-partner-down 5;"),
        (
            "fixed-address 10.20.30.11;",
            "fixed-address 10.20.30.11; deny booting;",
        ),
        (
            "range 10.20.30.100 10.20.30.220;",
            "range 10.20.30.100 10.20.30.199; deny unknown-clients;",
        ),
        ("max-lease-time 28800;", "max-lease-time 60;"),
        (
            "option domain-name \"acme.example\";",
            "option domain-name \"x\"; option domain-name \"y\";",
        ),
        ("option switchover-132 130;", ""),
        ("= 00:11:22 or ", "= 00:11:23 or "),
        ("code 160 = text;", "code 160 = string;"),
    ] {
        drifted = edited(&drifted, old, new);
    }
    let changes = changes(Some(&drifted), &wanted, &[]);
    assert_eq!(
        addresses(&changes),
        [
            "option-def/160",
            "failover/dhcp-hq",
            "subnet/10.20.30.0/24",
            "option/10.20.30.0/24/15",
            "phones/10.20.30.0/24",
            "phone-option/10.20.30.0/24/132",
            "host/9c:75:14:00:01:01"
        ]
    );
    let repaired = after(Some(&drifted), &changes);
    assert_eq!(by_address(&current(Some(&repaired))), by_address(&wanted));
    let without_space = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(without_space(&repaired), without_space(&file));
}

#[test]
fn the_last_of_two_options_counts_and_the_other_goes() {
    let file = edited(
        &first(),
        "option domain-name \"acme.example\";",
        "option domain-name \"acme.example\";\n    option domain-name \"other\";",
    );
    let found = by_address(&current(Some(&file)));
    assert_eq!(found["option/10.20.30.0/24/15"]["text"], "other");
    let changes = changes(Some(&file), &desired(&view()), &[]);
    assert_eq!(after(Some(&file), &changes), first());
}

#[test]
fn what_others_put_into_a_subnet_stays_and_keeps_it() {
    let file = edited(
        &first(),
        "    option routers",
        "    # relayed\n    server-identifier 10.20.30.9;\n    option routers",
    );
    assert!(changes(Some(&file), &desired(&view()), &[]).is_empty());
    let mut view = view();
    view.networks[0].options.remove(0);
    let changed = changes(
        Some(&file),
        &desired(&view),
        &desired(&crate::topology::view()),
    );
    assert_eq!(addresses(&changed), ["option/10.20.30.0/24/3"]);
    assert_eq!(
        after(Some(&file), &changed),
        edited(&file, "    option routers 10.20.30.1;\n", "")
    );
    let all: Vec<Resource> = desired(&crate::topology::view());
    let changes = changes(Some(&file), &[], &all);
    let failure =
        IscDhcpd::procedure(&plain_target(), &answers(Some(&file)), &changes).unwrap_err();
    assert_eq!(failure.code, "in-use");
    assert!(
        failure.message.contains("`server-identifier 10.20.30.9;`"),
        "{}",
        failure.message
    );
}

#[test]
fn the_same_host_twice_is_two_resources() {
    let host = |name: &str| format!("host {name} {{ hardware ethernet 00:00:00:00:00:01; }}\n");
    let file = host("a") + &host("b");
    let found = current(Some(&file));
    let found_addresses: Vec<_> = found.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(
        found_addresses,
        ["host/00:00:00:00:00:01", "host/00:00:00:00:00:01#2"]
    );
    assert_eq!(
        after(Some(&file), &changes(Some(&file), &[], &found[1..])),
        host("a")
    );
}

#[test]
fn a_file_that_is_none_of_dhcpds_is_not_guessed_at() {
    let failure =
        IscDhcpd::current(&plain_target(), &answers(Some("subnet 10.0.0.0 {\n"))).unwrap_err();
    assert_eq!(failure.code, "not-dhcpd");
    assert!(
        failure
            .message
            .starts_with("`switchover.conf` cannot be read, near line 2"),
        "{}",
        failure.message
    );
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
        change("statement", Some("{\"statement\": \"x\"}")),
        change("host", None),
        change("host", Some("[]")),
        change(
            "phone-option",
            Some(r#"{"subnet": "10.0.0.0/8", "code": 6, "name": "x", "text": "y"}"#),
        ),
    ] {
        let failure = IscDhcpd::procedure(&plain_target(), &answers(None), &[change]).unwrap_err();
        assert_eq!(failure.code, "change");
    }
    assert_eq!(
        IscDhcpd::current(&plain_target(), &[]).unwrap_err().code,
        "no-answer"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The way there does not show, and removing everything leaves what was there before.
    #[test]
    fn any_topology_goes_to_any_other(first in some_view(), second in some_view()) {
        let start = "# site\nauthoritative;\n";
        let (one, two) = (desired(&first), desired(&second));
        let direct = after(Some(start), &changes(Some(start), &two, &[]));
        let detour = after(Some(start), &changes(Some(start), &one, &[]));
        let detour = after(Some(&detour), &changes(Some(&detour), &two, &one));
        prop_assert_eq!(&detour, &direct);
        let mut expected = by_address(&current(Some(start)));
        expected.extend(by_address(&two));
        prop_assert_eq!(by_address(&current(Some(&detour))), expected);
        let removed = after(Some(&detour), &changes(Some(&detour), &[], &two));
        prop_assert_eq!(removed, start);
    }

    /// No file makes the plugin fall over, and what it does not change keeps its text.
    #[test]
    fn any_file_is_read(parts in proptest::collection::vec(
        "[ -~]{0,12};|host [a-c] \\{ hardware ethernet [0-9a-f:]{0,17}; (fixed-address 1.1.1.1; )?\\}|subnet 10.0.0.0 netmask \
         255.0.0.0 \\{ (range 10.0.0.1 ?(10.0.0.9)?; )?(if [a-z()=,0-9 ]{0,9} \\{ option [a-z-]{1,9} [\"a1.,]{0,5}; \\})?\\}|#.{0,9}",
        1..8,
    )) {
        let file = parts.join("\n") + "\n";
        prop_assume!(!file.trim().is_empty());
        if let Ok(found) = IscDhcpd::current(&plain_target(), &answers(Some(&file))) {
            by_address(&found);
            prop_assert_eq!(after(Some(&file), &[]), file);
        }
    }
}

fn some_view() -> impl Strategy<Value = View> {
    let devices = proptest::collection::btree_map(0u8..6, proptest::option::of(10u8..90), 0..6);
    let texts = || {
        proptest::collection::btree_map(
            prop_oneof![Just(66u8), Just(160), Just(200)],
            "[ -~é]{1,12}",
            0..3,
        )
    };
    (devices, texts(), texts(), any::<bool>(), 0u8..3).prop_map(
        |(devices, texts, general, ouis, paired)| {
            let mut view = match paired {
                0 => view(),
                1 => pair("dhcp1"),
                _ => pair("dhcp2"),
            };
            view.devices = devices
                .into_iter()
                .map(|(n, host)| {
                    let address = host.map(|host| format!("10.20.30.{host}"));
                    device(
                        &format!("phone{n}"),
                        &format!("9c:75:14:00:00:0{n}"),
                        address.as_deref(),
                    )
                })
                .collect();
            let options = |texts: std::collections::BTreeMap<u8, String>| {
                texts
                    .into_iter()
                    .map(|(code, value)| option(code, text(&value)))
                    .collect()
            };
            view.networks[0].phone_options = options(texts);
            view.networks[0].options = options(general);
            if !ouis {
                view.networks[0].phone_ouis.clear();
            }
            view
        },
    )
}
