//! From one state to the next, as a plan would go: what was asked for is there, and no other line moved.

use proptest::prelude::*;
use switchover_plugin_dnsmasq::Dnsmasq;
use switchover_sdk::{Action, Change, Plugin, RecordData, View};

use crate::harness::{after, answers, by_address, changes, current, desired};
use crate::topology::{device, option, plain_target, record, srv, text, view};

const FOREIGN: &str = "\
# ours
domain=acme.example\r
dhcp-range=10.99.0.1,10.99.0.9   # no tag
  dhcp-option=option:ntp-server,10.0.0.1

conf-dir=/etc/more
dhcp-host=9c:75:14:00:01:01,id:*,10.20.30.90,12h
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

#[test]
fn what_is_written_is_what_was_wanted() {
    let file = first();
    assert_eq!(
        by_address(&current(Some(&file))),
        by_address(&desired(&view()))
    );
    assert!(changes(Some(&file), &desired(&view()), &[]).is_empty());
}

#[test]
fn one_device_is_one_change_and_one_line() {
    let file = first();
    let mut view = view();
    view.devices[0].address = Some("10.20.30.21".into());
    let changes = changes(Some(&file), &desired(&view), &[]);
    assert_eq!(addresses(&changes), ["host/9c:75:14:00:01:01"]);
    let expected = file.replace("01:01,10.20.30.11,", "01:01,10.20.30.21,");
    assert_ne!(expected, file);
    assert_eq!(after(Some(&file), &changes), expected);
}

#[test]
fn foreign_lines_stay_where_they_are() {
    let wanted: Vec<_> = desired(&view())
        .into_iter()
        .filter(|resource| !resource.address.starts_with("host/9c:75:14:00:01:01"))
        .collect();
    let file = after(Some(FOREIGN), &changes(Some(FOREIGN), &wanted, &[]));
    assert!(file.starts_with(FOREIGN), "{file}");
    let removed = after(Some(&file), &changes(Some(&file), &[], &wanted));
    assert_eq!(removed, FOREIGN);
}

#[test]
fn foreign_lines_are_seen() {
    insta::assert_json_snapshot!(by_address(&current(Some(FOREIGN))));
}

#[test]
fn a_line_that_somebody_changed_is_put_right_in_its_place() {
    let file = first();
    let drifted = file
        .replace(
            "01:01,10.20.30.11,reception",
            "01:01,10.20.30.11,reception,infinite",
        )
        .replace("443,20,100", "443,5,100")
        .replace("\nlocal-ttl=60", "\n\n  local-ttl=7200");
    let changes = changes(Some(&drifted), &desired(&view()), &[]);
    assert_eq!(
        addresses(&changes),
        [
            "server/local-ttl",
            "host/9c:75:14:00:01:01",
            "record/_sips._tcp.acme.example/SRV/pbx2.acme.example:443"
        ]
    );
    assert!(changes.iter().all(|change| change.action == Action::Update));
    assert_eq!(
        after(Some(&drifted), &changes),
        file.replace("\nlocal-ttl", "\n\nlocal-ttl")
    );
}

#[test]
fn the_same_line_twice_is_two_resources() {
    let file = "host-record=a.example,10.0.0.1\nhost-record=a.example,10.0.0.1\n";
    let found: Vec<String> = current(Some(file))
        .into_iter()
        .map(|resource| resource.address)
        .collect();
    assert_eq!(
        found,
        [
            "record/a.example/A/10.0.0.1",
            "record/a.example/A/10.0.0.1#2"
        ]
    );
    let second = &current(Some(file))[1..];
    assert_eq!(
        after(Some(file), &changes(Some(file), &[], second)),
        "host-record=a.example,10.0.0.1\n"
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
        change("host", None),
        change("host", Some("[]")),
    ] {
        let failure = Dnsmasq::procedure(&plain_target(), &answers(None), &[change]).unwrap_err();
        assert_eq!(failure.code, "change");
    }
    assert_eq!(
        Dnsmasq::current(&plain_target(), &[]).unwrap_err().code,
        "no-answer"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The way there does not show, and removing everything leaves what was there before.
    #[test]
    fn any_topology_goes_to_any_other(first in some_view(), second in some_view()) {
        let start = "# site\ndomain=acme.example\n";
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
    fn any_file_is_read(lines in proptest::collection::vec("[ -~]{0,30}|(dhcp-host|dhcp-option|srv-host|cname|dhcp-range)=[a-z0-9:,.\"\\\\*-]{0,30}", 1..8)) {
        let mut file = lines.join("\n");
        file.push('\n');
        prop_assume!(!file.trim().is_empty());
        let _ = by_address(&current(Some(&file)));
        prop_assert_eq!(after(Some(&file), &[]), file);
    }
}

fn some_view() -> impl Strategy<Value = View> {
    let devices = proptest::collection::btree_map(0u8..6, proptest::option::of(10u8..90), 0..6);
    let texts = proptest::collection::btree_map(
        prop_oneof![Just(66u8), Just(160), Just(200)],
        "[ -~é]{1,12}",
        0..3,
    );
    let records = proptest::collection::btree_map(0u8..5, 0u16..100, 0..5);
    (devices, texts, records, any::<bool>()).prop_map(|(devices, texts, records, ouis)| {
        let mut view = view();
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
        view.networks[0].phone_options = texts
            .into_iter()
            .map(|(code, value)| option(code, text(&value)))
            .collect();
        if !ouis {
            view.networks[0].phone_ouis.clear();
        }
        view.zones[0].records = records
            .iter()
            .flat_map(|(n, priority)| {
                let host = format!("pbx{n}.acme.example");
                let address = RecordData::A(format!("10.0.0.{n}"));
                [
                    record("_sips._tcp.acme.example", srv(*priority, &host)),
                    record(&host, address),
                ]
            })
            .collect();
        view
    })
}
