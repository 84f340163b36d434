use serde_json::json;
use switchover_plugin_rfc2136::Rfc2136;
use switchover_sdk::{DnsProbe, DnsQuery, Effect, Plugin, RecordData, Target};

use crate::harness::{
    ZONE, a, answers, changes, foreign, procedure, record, rrset, srv, target, updates, view,
};

#[test]
fn an_update_requires_what_was_read_to_the_letter() {
    let mut zone = foreign();
    zone.push(rrset(
        "_sips._tcp.acme.example",
        "SRV",
        300,
        &["10 100 443 PBX1.Acme.example."],
    ));
    let records = vec![
        srv("_sips._tcp.acme.example", 20, "pbx2.acme.example"),
        a("pbx1.acme.example", "10.20.0.10"),
    ];
    let wanted = Rfc2136::desired(&view(records), &target()).unwrap();
    let procedure = procedure(&zone, &changes(&zone, &wanted, &[]));
    let [(update, undo)] = updates(&procedure)[..] else {
        panic!("one update: {procedure:?}");
    };
    let before = [
        rrset(
            "_sips._tcp.acme.example",
            "SRV",
            300,
            &["10 100 443 PBX1.Acme.example."],
        ),
        rrset("pbx1.acme.example", "A", 0, &[]),
    ];
    let after = [
        rrset(
            "_sips._tcp.acme.example",
            "SRV",
            60,
            &["20 100 443 pbx2.acme.example."],
        ),
        rrset("pbx1.acme.example", "A", 60, &["10.20.0.10"]),
    ];
    assert_eq!((update.zone.as_str(), undo.zone.as_str()), (ZONE, ZONE));
    assert_eq!(
        (&update.require[..], &update.replace[..]),
        (&before[..], &after[..])
    );
    assert_eq!(
        (&undo.require[..], &undo.replace[..]),
        (&after[..], &before[..])
    );
    assert!(procedure.stage.is_empty());
}

#[test]
fn secondaries_are_waited_for_unless_the_target_says_no() {
    let wanted = Rfc2136::desired(&view(vec![a("a.acme.example", "10.0.0.1")]), &target()).unwrap();
    let planned = changes(&foreign(), &wanted, &[]);
    let verify = |settings| {
        let target = Target {
            settings: serde_json::Value::to_string(&settings),
            ..target()
        };
        let procedure = Rfc2136::procedure(&target, &answers(&foreign()), &planned).unwrap();
        procedure
            .verify
            .into_iter()
            .map(|step| step.effect)
            .collect::<Vec<_>>()
    };
    let probe = Effect::DnsProbe(DnsProbe {
        zone: ZONE.into(),
        server: "ns2".into(),
        deadline_ms: 30_000,
        every_ms: 250,
    });
    let asked = |server: Option<&str>| {
        Effect::DnsQuery(DnsQuery {
            zone: ZONE.into(),
            server: server.map(Into::into),
            expect: vec![rrset("a.acme.example", "A", 60, &["10.0.0.1"])],
            deadline_ms: 30_000,
            every_ms: 250,
        })
    };
    assert_eq!(verify(json!({})), [asked(None), probe, asked(Some("ns2"))]);
    assert_eq!(verify(json!({"await-secondaries": false})), [asked(None)]);
}

#[test]
fn what_a_server_tells_to_ask_elsewhere_for_is_not_asked() {
    let records = [
        "a.branch.acme.example",
        "branch.acme.example",
        "deep.alias.acme.example",
        "own.acme.example",
    ];
    let records = records.map(|owner| a(owner, "10.0.0.1")).to_vec();
    let wanted = Rfc2136::desired(&view(records), &target()).unwrap();
    let mut there = foreign();
    there.push(rrset(
        "branch.acme.example",
        "NS",
        60,
        &["ns.other.example."],
    ));
    there.push(rrset(
        "alias.acme.example",
        "DNAME",
        60,
        &["other.example."],
    ));
    let planned = changes(&there, &wanted, &[]);
    let procedure = Rfc2136::procedure(&target(), &answers(&there), &planned).unwrap();
    let asked = procedure.verify.iter().find_map(|step| match &step.effect {
        Effect::DnsQuery(query) => Some(query.expect.clone()),
        _ => None,
    });
    let owners: Vec<String> = asked
        .unwrap()
        .into_iter()
        .map(|rrset| rrset.owner)
        .collect();
    assert_eq!(owners, ["own.acme.example"]);
}

#[test]
fn an_alias_beside_other_records_is_refused_before_anything_is_sent() {
    let alias = record(
        "printer.acme.example",
        RecordData::Cname("a.acme.example".into()),
    );
    let wanted = Rfc2136::desired(&view(vec![alias]), &target()).unwrap();
    let planned = changes(&foreign(), &wanted, &[]);
    let failure = Rfc2136::procedure(&target(), &answers(&foreign()), &planned).unwrap_err();
    assert_eq!(
        failure.message,
        "`printer.acme.example` would be an alias (CNAME) and have other records: A, CNAME"
    );

    // The other way round: records where somebody else put an alias.
    let mut zone = foreign();
    zone.push(rrset(
        "a.acme.example",
        "CNAME",
        300,
        &["printer.acme.example."],
    ));
    let wanted = Rfc2136::desired(&view(vec![a("a.acme.example", "10.0.0.1")]), &target()).unwrap();
    let failure =
        Rfc2136::procedure(&target(), &answers(&zone), &changes(&zone, &wanted, &[])).unwrap_err();
    assert_eq!(failure.code, "alias");
}

#[test]
fn a_name_is_never_torn_apart() {
    let mut records = Vec::new();
    for n in 0..800 {
        let owner = format!("host-{n}.acme.example");
        records.push(a(&owner, "10.0.0.1"));
        records.push(record(&owner, RecordData::Txt(vec!["x".repeat(100)])));
    }
    let wanted = Rfc2136::desired(&view(records), &target()).unwrap();
    let procedure = procedure(&foreign(), &changes(&foreign(), &wanted, &[]));
    let parts = updates(&procedure);
    assert!(parts.len() > 1);
    for (update, _) in parts {
        assert_eq!(update.replace.len() % 2, 0, "both types of each name");
        let bytes: usize = update
            .replace
            .iter()
            .map(|rrset| rrset.owner.len() + 12 + rrset.rdata[0].len())
            .sum();
        assert!(bytes < 60_000, "{bytes}");
    }
    let ids = procedure.verify.iter().map(|step| step.id.as_str());
    assert_eq!(
        ids.collect::<Vec<_>>(),
        [
            "answers-acme.example",
            "secondary-acme.example-ns2",
            "answers-acme.example-ns2"
        ],
        "each server is asked once"
    );
}
