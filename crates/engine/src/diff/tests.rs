use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(address: &str, value: u8) -> Resource {
    Resource {
        address: address.to_owned(),
        kind: "thing".to_owned(),
        body: Body::Object(json!({ "value": value })),
        sensitive: Vec::new(),
        depends_on: Vec::new(),
        hint: None,
    }
}

fn after(address: &str, dependencies: &[&str]) -> Resource {
    let depends_on = dependencies.iter().map(|&name| name.to_owned()).collect();
    Resource {
        depends_on,
        ..object(address, 0)
    }
}

fn addresses(changes: &[Change]) -> Vec<(Action, &str)> {
    changes
        .iter()
        .map(|change| (change.action, change.address.as_str()))
        .collect()
}

#[test]
fn what_is_as_wanted_is_no_change_whatever_the_order_of_its_keys() {
    let mut there = object("a", 1);
    there.body = Body::Object(json!({ "x": 1, "y": { "p": 1, "q": 2 } }));
    let mut wanted = object("a", 1);
    wanted.body = Body::Object(json!({ "y": { "q": 2, "p": 1 }, "x": 1 }));
    let difference = compare(&[wanted], &[there], &BTreeMap::new(), &BTreeSet::new()).unwrap();
    assert!(difference.changes.is_empty());
    assert_eq!(difference.unchanged, 1);
}

#[test]
fn what_was_there_before_us_is_adopted_and_never_deleted() {
    let first = compare(
        &[object("a", 2), object("b", 1)],
        &[object("a", 1)],
        &BTreeMap::new(),
        &BTreeSet::new(),
    )
    .unwrap();
    assert_eq!(
        addresses(&first.changes),
        [(Action::Update, "a"), (Action::Create, "b")]
    );
    assert!(first.resources["a"].adopted && !first.resources["b"].adopted);

    let there = [object("a", 2), object("b", 1), object("c", 9)];
    let second = compare(&[], &there, &first.resources, &BTreeSet::new()).unwrap();
    assert_eq!(addresses(&second.changes), [(Action::Delete, "b")]);
    assert_eq!(second.foreign, ["a", "c"]);
}

#[test]
fn drift_is_told_from_change() {
    let wanted = ["a", "b", "c", "d", "e"].map(|address| object(address, 1));
    let owned = compare(&wanted, &[], &BTreeMap::new(), &BTreeSet::new())
        .unwrap()
        .resources;
    // Somebody changed `a`, `d` and `e`, and removed `c`; the topology changes `b` and `d`, and removes `e`.
    let there = [
        object("a", 7),
        object("b", 1),
        object("d", 7),
        object("e", 7),
    ];
    let wanted = [
        object("a", 1),
        object("b", 2),
        object("c", 1),
        object("d", 3),
    ];
    let difference = compare(&wanted, &there, &owned, &BTreeSet::new()).unwrap();
    let moved: Vec<_> = difference
        .changes
        .iter()
        .map(|change| (change.address.as_str(), change.reason))
        .collect();
    let expected = [
        ("a", Reason::Drift),
        ("b", Reason::Wanted),
        ("c", Reason::Drift),
        ("d", Reason::Both),
        ("e", Reason::Both),
    ];
    assert_eq!(moved, expected);

    // Accepted drift is left alone, unless what is wanted moves, too.
    let accepted = BTreeSet::from(["a", "b", "c", "d"]);
    let difference = compare(&wanted, &there, &owned, &accepted).unwrap();
    let changed = [
        (Action::Update, "b"),
        (Action::Update, "d"),
        (Action::Delete, "e"),
    ];
    assert_eq!(addresses(&difference.changes), changed);
    assert_eq!(difference.known_drift, ["a", "c"]);
    assert!(difference.resources.contains_key("a"), "it stays ours");
}

#[test]
fn what_became_as_wanted_by_itself_is_no_change() {
    let owned = compare(&[object("a", 1)], &[], &BTreeMap::new(), &BTreeSet::new())
        .unwrap()
        .resources;
    let difference = compare(
        &[object("a", 2)],
        &[object("a", 2)],
        &owned,
        &BTreeSet::new(),
    )
    .unwrap();
    assert_eq!((difference.changes.len(), difference.unchanged), (0, 1));
}

#[test]
fn dependencies_come_first_and_go_last() {
    let wanted = [
        after("host", &["subnet"]),
        after("subnet", &["class"]),
        after("class", &[]),
    ];
    let created = compare(&wanted, &[], &BTreeMap::new(), &BTreeSet::new()).unwrap();
    assert_eq!(
        addresses(&created.changes)
            .iter()
            .map(|(_, name)| *name)
            .collect::<Vec<_>>(),
        ["class", "subnet", "host"]
    );
    let deleted = compare(&[], &wanted, &created.resources, &BTreeSet::new()).unwrap();
    assert_eq!(
        addresses(&deleted.changes)
            .iter()
            .map(|(_, name)| *name)
            .collect::<Vec<_>>(),
        ["host", "subnet", "class"]
    );
}

#[test]
fn contradictions_are_refused() {
    let refusal = |wanted: &[Resource]| {
        compare(wanted, &[], &BTreeMap::new(), &BTreeSet::new())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refusal(&[object("a", 1), object("a", 2)]),
        "two resources have the address `a`"
    );
    assert_eq!(
        refusal(&[after("a", &["b"])]),
        "`a` depends on `b`, which is neither wanted nor there"
    );
    assert_eq!(
        refusal(&[after("a", &["b"]), after("b", &["a"])]),
        "`a` depends on itself through others"
    );
    assert_eq!(
        refusal(&[after("a", &["a"])]),
        "`a` depends on itself through others"
    );
}

#[test]
fn a_long_chain_of_dependencies_does_not_exhaust_the_stack() {
    let mut chain: Vec<Resource> = (1..20_000)
        .map(|n| after(&n.to_string(), &[&(n - 1).to_string()]))
        .collect();
    chain.push(after("0", &[]));
    let difference = compare(&chain, &[], &BTreeMap::new(), &BTreeSet::new()).unwrap();
    assert_eq!(difference.changes[0].address, "0");
    assert_eq!(difference.changes.len(), 20_000);
}

fn set(values: &BTreeMap<String, u8>) -> Vec<Resource> {
    values
        .iter()
        .map(|(address, value)| object(address, *value))
        .collect()
}

proptest! {
    /// Carrying out the changes gives what is wanted and leaves the rest; doing it again finds nothing to do.
    #[test]
    fn applying_the_difference_gives_what_is_wanted(
        wanted in btree_map("[a-f]", 0..3_u8, 0..6),
        there in btree_map("[a-f]", 0..3_u8, 0..6),
        ours in btree_set("[a-f]", 0..6),
    ) {
        let owned: BTreeMap<String, Owned> = ours
            .iter()
            .map(|address| (address.clone(), Owned { sha256: String::new(), adopted: false, secret: false }))
            .collect();
        let difference = compare(&set(&wanted), &set(&there), &owned, &BTreeSet::new()).unwrap();

        let mut result = there.clone();
        for change in &difference.changes {
            match change.action {
                Action::Create => prop_assert!(!result.contains_key(&change.address)),
                Action::Update | Action::Delete => prop_assert!(result.contains_key(&change.address)),
            }
            match change.action {
                Action::Create | Action::Update => {
                    result.insert(change.address.clone(), wanted[&change.address]);
                }
                Action::Delete => {
                    prop_assert!(ours.contains(&change.address), "deleted what is not ours");
                    result.remove(&change.address);
                }
            }
        }
        for (address, value) in &wanted {
            prop_assert_eq!(result.get(address), Some(value));
        }
        for address in there.keys().filter(|address| !wanted.contains_key(*address)) {
            prop_assert_eq!(result.contains_key(address), !ours.contains(address));
        }
        let again = compare(&set(&wanted), &set(&result), &difference.resources, &BTreeSet::new()).unwrap();
        prop_assert!(again.changes.is_empty());
    }
}
