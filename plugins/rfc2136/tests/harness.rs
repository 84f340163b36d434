//! A zone, and what the engine and a server do with the plugin, as far as these tests need it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use switchover_plugin_rfc2136::Rfc2136;
use switchover_sdk::{
    Action, Answer, Change, DnsRecord, DnsUpdate, Effect, OtherRecord, Plugin, Procedure,
    RecordData, Resource, Response, Role, Rrset, ServedZone, Server, ServerRef, ServerRole, Srv,
    Target, View, Zone,
};
pub(crate) use switchover_testing::by_address;

pub(crate) const ZONE: &str = "acme.example";

pub(crate) fn record(owner: &str, data: RecordData) -> DnsRecord {
    DnsRecord {
        owner: owner.into(),
        ttl_seconds: 60,
        data,
    }
}

pub(crate) fn a(owner: &str, address: &str) -> DnsRecord {
    record(owner, RecordData::A(address.into()))
}

pub(crate) fn srv(owner: &str, priority: u16, target: &str) -> DnsRecord {
    let srv = Srv {
        priority,
        weight: 100,
        port: 443,
        target: target.into(),
    };
    record(owner, RecordData::Srv(srv))
}

pub(crate) fn other(owner: &str, rtype: &str, rdata: &[&str]) -> DnsRecord {
    let other = OtherRecord {
        type_: rtype.into(),
        rdata: rdata.iter().map(|&word| word.into()).collect(),
    };
    record(owner, RecordData::Other(other))
}

/// A zone with a primary, which is the target, and a secondary.
pub(crate) fn view(records: Vec<DnsRecord>) -> View {
    let server = |name: &str, role, target: Option<&str>| Server {
        name: name.into(),
        address: "10.20.0.53".into(),
        role,
        target: target.map(Into::into),
    };
    View {
        roles: vec![Role::DnsServer(ServerRef {
            service: ZONE.into(),
            server: "ns1".into(),
        })],
        zones: vec![Zone {
            name: ZONE.into(),
            servers: vec![
                server("ns1", ServerRole::Primary, Some("dns")),
                server("ns2", ServerRole::Secondary, None),
            ],
            ttl_seconds: 60,
            records,
        }],
        ..View::empty("acme-hq")
    }
}

pub(crate) fn target() -> Target {
    Target {
        zones: vec![ServedZone {
            name: ZONE.into(),
            secondaries: vec!["ns2".into()],
        }],
        ..Target::new("dns", &json!({}))
    }
}

pub(crate) fn rrset(owner: &str, rtype: &str, ttl: u32, rdata: &[&str]) -> Rrset {
    Rrset {
        owner: owner.into(),
        type_: rtype.into(),
        ttl_seconds: ttl,
        rdata: rdata.iter().map(|&data| data.into()).collect(),
    }
}

/// What other people keep in the zone.
pub(crate) fn foreign() -> Vec<Rrset> {
    vec![
        rrset(ZONE, "NS", 300, &["ns1.acme.example."]),
        rrset(ZONE, "TXT", 300, &["\"v=spf1 -all\""]),
        rrset("odd\\.name.acme.example", "TYPE65280", 300, &["\\# 1 0a"]),
        rrset("printer.acme.example", "A", 300, &["10.20.30.77"]),
    ]
}

pub(crate) fn answers(zone: &[Rrset]) -> Vec<Answer> {
    vec![Answer {
        query: format!("zone/{ZONE}"),
        response: Response::Zone(zone.to_vec()),
    }]
}

/// What a plan holds that goes from the zone to `wanted`, when `owned` are the addresses of earlier plans.
pub(crate) fn changes(zone: &[Rrset], wanted: &[Resource], owned: &[String]) -> Vec<Change> {
    let have = by_address(&Rfc2136::current(&target(), &answers(zone)).unwrap());
    let want = by_address(wanted);
    let change = |address: &String, before: Option<&Value>, after: Option<&Value>| Change {
        address: address.clone(),
        kind: "rrset".into(),
        action: match (before, after) {
            (None, _) => Action::Create,
            (_, Some(_)) => Action::Update,
            (_, None) => Action::Delete,
        },
        before: before.map(Value::to_string),
        after: after.map(Value::to_string),
        hint: None,
    };
    let differ = want
        .iter()
        .filter(|(address, value)| have.get(*address) != Some(value))
        .map(|(address, value)| change(address, have.get(address), Some(value)));
    let gone = owned
        .iter()
        .filter(|address| !want.contains_key(*address))
        .filter_map(|address| Some(change(address, Some(have.get(address)?), None)));
    differ.chain(gone).collect()
}

pub(crate) fn procedure(zone: &[Rrset], changes: &[Change]) -> Procedure {
    Rfc2136::procedure(&target(), &answers(zone), changes).unwrap()
}

pub(crate) fn updates(procedure: &Procedure) -> Vec<(&DnsUpdate, &DnsUpdate)> {
    fn update(effect: &Effect) -> &DnsUpdate {
        match effect {
            Effect::DnsUpdate(update) => update,
            other => panic!("{other:?}"),
        }
    }
    let both = procedure
        .commit
        .iter()
        .map(|step| (update(&step.effect), update(&step.undo[0].effect)));
    both.collect()
}

/// A server: the zone after the update, or none where something that it requires does not hold. Names in data are
/// compared without case, as servers do.
pub(crate) fn serve(zone: &[Rrset], update: &DnsUpdate) -> Option<Vec<Rrset>> {
    let mut sets: BTreeMap<(String, String), Rrset> = zone
        .iter()
        .map(|rrset| ((rrset.owner.clone(), rrset.type_.clone()), rrset.clone()))
        .collect();
    let lower = |rrset: &Rrset| -> Vec<String> {
        let mut data: Vec<String> = rrset
            .rdata
            .iter()
            .map(|data| data.to_ascii_lowercase())
            .collect();
        data.sort();
        data
    };
    for required in &update.require {
        let there = sets.get(&(required.owner.clone(), required.type_.clone()));
        if there.map(lower).unwrap_or_default() != lower(required) {
            return None;
        }
    }
    for rrset in &update.replace {
        sets.remove(&(rrset.owner.clone(), rrset.type_.clone()));
    }
    for rrset in update
        .replace
        .iter()
        .filter(|rrset| !rrset.rdata.is_empty())
    {
        let alias = |(owner, rtype): &(String, String)| {
            *owner == rrset.owner && (rtype == "CNAME") != (rrset.type_ == "CNAME")
        };
        assert!(!sets.keys().any(alias), "a server would ignore {rrset:?}");
        sets.insert((rrset.owner.clone(), rrset.type_.clone()), rrset.clone());
    }
    Some(sets.into_values().collect())
}
