//! What dnsmasq is asked over DNS once records have changed.

use std::collections::{BTreeMap, BTreeSet};

use switchover_sdk::{Change, DnsQuery, Effect, Rrset, ServedZone, Step, Target};

use crate::document::Document;
use crate::entry::Entry;
use crate::record::Record;

/// How long dnsmasq may take to answer after a restart.
const PATIENCE_MS: u32 = 15_000;
const ASK_EVERY_MS: u32 = 250;

/// Whether a server answers at all, and from the new file, shows in a few of its answers.
const MOST: usize = 8;

/// A step for each zone in which a record has come or has changed.
pub(crate) fn steps(
    target: &Target,
    document: &Document,
    changes: &[Change],
) -> impl Iterator<Item = Step> {
    let entries = document.entries();
    let all = rrsets(entries.iter().filter_map(|entry| match entry {
        Entry::Record(record) => Some(record),
        _ => None,
    }));
    let changed: Vec<Record> = changes
        .iter()
        .filter(|change| change.is_wanted())
        .filter_map(|change| serde_json::from_str(change.after.as_deref()?).ok())
        .collect();
    let changed: BTreeSet<(String, String)> = rrsets(changed.iter()).into_keys().collect();
    let mut by_zone: BTreeMap<&str, Vec<Rrset>> = BTreeMap::new();
    for (key, rrset) in all {
        if let Some(zone) = zone_of(&key.0, &target.zones).filter(|_| changed.contains(&key)) {
            by_zone.entry(&zone.name).or_default().push(rrset);
        }
    }
    by_zone.into_iter().map(|(zone, mut rrsets)| {
        rrsets.truncate(MOST);
        Step::new(
            format!("answers-{zone}"),
            format!("wait until dnsmasq answers with the new records of {zone}"),
            Effect::DnsQuery(DnsQuery {
                zone: zone.to_owned(),
                server: None,
                expect: rrsets,
                deadline_ms: PATIENCE_MS,
                every_ms: ASK_EVERY_MS,
            }),
        )
    })
}

/// Records by owner and type, of the types whose data needs no escapes.
fn rrsets<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeMap<(String, String), Rrset> {
    let mut found: BTreeMap<(String, String), Rrset> = BTreeMap::new();
    for record in records {
        let (owner, rtype, data) = match record {
            Record::A { owner, address, .. } => (owner, "A", address.clone()),
            Record::Aaaa { owner, address, .. } => (owner, "AAAA", address.clone()),
            Record::Cname { owner, target, .. } => (owner, "CNAME", format!("{target}.")),
            Record::Srv {
                owner,
                target,
                port,
                priority,
                weight,
            } => {
                let data = format!("{priority} {weight} {port} {target}.");
                (owner, "SRV", data)
            }
            _ => continue,
        };
        let key = (owner.clone(), rtype.to_owned());
        let rrset = found.entry(key).or_insert_with(|| Rrset {
            owner: owner.clone(),
            type_: rtype.to_owned(),
            ttl_seconds: 0,
            rdata: Vec::new(),
        });
        rrset.rdata.push(data);
        rrset.rdata.sort_unstable();
    }
    found
}

/// The zone of the target with the longest name that this name is in.
fn zone_of<'a>(owner: &str, zones: &'a [ServedZone]) -> Option<&'a ServedZone> {
    let inside = |zone: &&ServedZone| {
        let rest = owner.strip_suffix(zone.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    zones
        .iter()
        .filter(inside)
        .max_by_key(|zone| zone.name.len())
}
