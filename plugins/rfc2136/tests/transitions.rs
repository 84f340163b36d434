//! From zone to zone, as the conformance suite does it with real servers.

use proptest::prelude::*;
use switchover_plugin_rfc2136::Rfc2136;
use switchover_sdk::{DnsRecord, Plugin, RecordData, Rrset};

use crate::harness::{
    a, changes, foreign, other, procedure, record, serve, srv, target, updates, view,
};

fn desired(records: &[DnsRecord]) -> Vec<switchover_sdk::Resource> {
    Rfc2136::desired(&view(records.to_vec()), &target()).unwrap()
}

/// Goes from the zone to the records and gives the zone then. The undo of it gives the zone from before, and a second
/// plan is empty.
fn go(zone: &[Rrset], records: &[DnsRecord], owned: &mut Vec<String>) -> Vec<Rrset> {
    let wanted = desired(records);
    let changes_of = |zone: &[Rrset], owned: &[String]| changes(zone, &wanted, owned);
    let planned = changes_of(zone, owned);
    let procedure = procedure(zone, &planned);
    let updates = updates(&procedure);
    let mut after = zone.to_vec();
    for (update, _) in &updates {
        after = serve(&after, update).expect("what it requires is what was read");
    }
    let mut back = after.clone();
    for (_, undo) in updates.iter().rev() {
        back = serve(&back, undo).expect("what the undo requires is what was written");
    }
    assert_eq!(sorted(&back), sorted(zone), "undone");
    *owned = wanted
        .iter()
        .map(|resource| resource.address.clone())
        .collect();
    assert_eq!(changes_of(&after, owned), [], "a second plan");
    for rrset in foreign() {
        assert!(after.contains(&rrset), "{rrset:?} is somebody else's");
    }
    after
}

fn sorted(zone: &[Rrset]) -> Vec<Rrset> {
    let mut zone = zone.to_vec();
    zone.sort_by(|a, b| (&a.owner, &a.type_).cmp(&(&b.owner, &b.type_)));
    zone
}

#[test]
fn every_transition_ends_as_wanted_and_can_be_taken_back() {
    let mut owned = Vec::new();
    let hundred: Vec<DnsRecord> = (0..100)
        .map(|n| a(&format!("h{n}.acme.example"), &format!("10.20.40.{n}")))
        .collect();
    let mut longer = a("prov.acme.example", "10.20.0.80");
    longer.ttl_seconds = 120;
    let mut zone = foreign();
    for records in [
        vec![],
        vec![a("prov.acme.example", "10.20.0.80")],
        vec![longer],
        vec![
            record(
                "prov.acme.example",
                RecordData::Cname("www.acme.example".into()),
            ),
            a("www.acme.example", "10.1.1.1"),
        ],
        vec![
            a("prov.acme.example", "10.20.0.80"),
            other("mail.acme.example", "MX", &["10 @"]),
        ],
        hundred.clone(),
        hundred[1..].to_vec(),
        vec![
            srv("_sips._tcp.acme.example", 10, "pbx1.acme.example"),
            srv("_sips._tcp.acme.example", 20, "pbx2.acme.example"),
        ],
    ] {
        zone = go(&zone, &records, &mut owned);
    }
    zone = go(&zone, &[], &mut owned);
    assert_eq!(sorted(&zone), sorted(&foreign()), "nothing of ours is left");
}

#[test]
fn a_thousand_rrsets_fit_into_few_updates_that_each_hold() {
    let mut owned = Vec::new();
    let many: Vec<DnsRecord> = (0..3000)
        .map(|n| {
            a(
                &format!("host-{n}.acme.example"),
                &format!("10.20.{}.{}", n / 250, n % 250),
            )
        })
        .collect();
    let zone = go(&foreign(), &many, &mut owned);
    let planned = changes(&foreign(), &desired(&many), &[]);
    let parts = procedure(&foreign(), &planned);
    assert!(
        (2..12).contains(&parts.commit.len()),
        "{}",
        parts.commit.len()
    );
    assert_eq!(zone.len(), foreign().len() + many.len());
}

fn records() -> impl Strategy<Value = Vec<DnsRecord>> {
    let owner = prop_oneof![Just("a"), Just("b"), Just("c")];
    let data = prop_oneof![
        (0..4_u8).prop_map(|n| RecordData::A(format!("10.0.0.{n}"))),
        "\\PC{0,20}".prop_map(|text| RecordData::Txt(vec![switchover_sdk::text::literal(&text)])),
        (0..3_u16).prop_map(|n| match srv("x", n, "PBX.acme.example").data {
            RecordData::Srv(srv) => RecordData::Srv(srv),
            other => other,
        }),
    ];
    let one =
        (owner, data).prop_map(|(owner, data)| record(&format!("{owner}.acme.example"), data));
    proptest::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn any_zone_becomes_any_other_and_back(steps in proptest::collection::vec(records(), 1..5)) {
        let mut owned = Vec::new();
        let mut zone = foreign();
        for records in steps {
            zone = go(&zone, &records, &mut owned);
        }
    }
}
