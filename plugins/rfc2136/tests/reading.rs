use serde_json::json;
use switchover_plugin_rfc2136::Rfc2136;
use switchover_sdk::{DnsRecord, Pattern, Plugin, ProbeKind, Reach, ReadRequest, ServedZone};

use crate::harness::{ZONE, a, answers, by_address, foreign, rrset, srv, target, view};

#[test]
fn the_manifest_is_what_was_reviewed() {
    let manifest = Rfc2136::describe();
    assert_eq!(manifest.reach, [Reach::Dns]);
    let probe = Pattern::Probe(ProbeKind::DnsQuery);
    assert_eq!(manifest.reads, [Pattern::Zone("*".into()), probe]);
    assert_eq!(manifest.writes, [Pattern::Zone("*".into())]);
    assert_eq!(manifest, Rfc2136::describe());
}

#[test]
fn each_zone_of_the_target_is_read_once() {
    let mut target = target();
    target.zones.push(ServedZone {
        name: "other.example".into(),
        secondaries: vec![],
    });
    let queries = Rfc2136::queries(&target, &[], 0, &[]).unwrap();
    let asked: Vec<_> = queries
        .iter()
        .map(|query| (query.id.as_str(), &query.request))
        .collect();
    let zone = |name: &str| ReadRequest::Zone(name.into());
    assert_eq!(
        asked,
        [
            ("zone/acme.example", &zone(ZONE)),
            ("zone/other.example", &zone("other.example"))
        ]
    );
    assert_eq!(
        Rfc2136::queries(&target, &[], 1, &answers(&[])).unwrap(),
        []
    );
}

#[test]
fn an_rrset_is_one_resource_whatever_the_order_of_its_records() {
    let mut records = vec![
        srv("_sips._tcp.acme.example", 20, "PBX2.acme.example"),
        srv("_sips._tcp.acme.example", 10, "pbx1.acme.example."),
        a("pbx1.acme.example", "10.20.0.10"),
        a("pbx1.acme.example", "10.20.0.10"),
    ];
    let wanted = |records: &[DnsRecord]| {
        by_address(&Rfc2136::desired(&view(records.to_vec()), &target()).unwrap())
    };
    let first = wanted(&records);
    assert_eq!(
        first["rrset/_sips._tcp.acme.example/SRV"],
        json!({"ttl": 60, "data": ["10 100 443 pbx1.acme.example.", "20 100 443 pbx2.acme.example."]})
    );
    assert_eq!(
        first["rrset/pbx1.acme.example/A"],
        json!({"ttl": 60, "data": ["10.20.0.10"]})
    );
    records.reverse();
    assert_eq!(wanted(&records), first);

    // A server that keeps the case of names has the same.
    let there = [
        rrset(
            "_sips._tcp.acme.example",
            "SRV",
            60,
            &[
                "20 100 443 PBX2.acme.example.",
                "10 100 443 pbx1.ACME.example.",
            ],
        ),
        rrset("pbx1.acme.example", "A", 60, &["10.20.0.10"]),
    ];
    let current = Rfc2136::current(&target(), &answers(&there)).unwrap();
    assert_eq!(by_address(&current), first);
}

#[test]
fn what_is_foreign_is_shown() {
    let current = Rfc2136::current(&target(), &answers(&foreign())).unwrap();
    let addresses: Vec<&str> = current
        .iter()
        .map(|resource| resource.address.as_str())
        .collect();
    assert_eq!(
        addresses,
        [
            "rrset/acme.example/NS",
            "rrset/acme.example/TXT",
            "rrset/odd\\.name.acme.example/TYPE65280",
            "rrset/printer.acme.example/A"
        ]
    );
}

#[test]
fn a_zone_that_was_not_read_is_a_failure() {
    assert_eq!(
        Rfc2136::current(&target(), &[]).unwrap_err().code,
        "no-answer"
    );
}
