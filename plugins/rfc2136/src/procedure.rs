//! Updates, how they are taken back, and what is looked at afterwards.

use std::collections::{BTreeMap, BTreeSet};

use switchover_sdk::{
    Answer, Change, DnsProbe, DnsQuery, DnsUpdate, Effect, Failure, Procedure, Rrset, ServedZone,
    Step, Target, UndoStep,
};

use crate::manifest::Settings;
use crate::rrset::{self, Key, Records};

/// Most bytes of one update as they are counted here: a DNS message holds 65 535, and a signature is in it too.
const LARGEST: usize = 60_000;

/// A secondary hears of a change at once, but BIND may wait 5 s before it tells, and the transfer takes its time.
const SECONDARY_MS: u32 = 30_000;
const EVERY_MS: u32 = 250;

/// Whether a server answers with what it has been given shows in a few of its answers; all of it is read back anyway.
const MOST_ASKED: usize = 8;

/// One RRset that changes.
struct Replaced {
    before: Rrset,
    after: Rrset,
}

pub(crate) fn procedure(
    settings: &Settings,
    target: &Target,
    answers: &[Answer],
    changes: &[Change],
) -> Result<Procedure, Failure> {
    let mut by_zone: BTreeMap<&str, BTreeMap<Key, Replaced>> = BTreeMap::new();
    for change in changes {
        let key = rrset::key(&change.address)
            .ok_or_else(|| Failure::new("address", format!("`{}` is no RRset", change.address)))?;
        let zone = rrset::zone_of(&key.0, &target.zones).ok_or_else(|| {
            Failure::new("zone", format!("`{}` is in no zone of this target", key.0))
        })?;
        let before = there(answers, &zone.name, &key)?;
        let after = wanted(change, &key)?;
        by_zone
            .entry(&zone.name)
            .or_default()
            .insert(key, Replaced { before, after });
    }
    let mut procedure = Procedure::default();
    for (zone, replaced) in by_zone {
        let found = rrset::found(answers, zone)?;
        alone(found, &replaced)?;
        let expect = answered(zone, found, &replaced);
        procedure.commit.extend(updates(zone, replaced));
        procedure.verify.extend(question(zone, None, &expect));
        let served = target.zones.iter().find(|served| served.name == zone);
        if let Some(served) = served.filter(|_| settings.await_secondaries) {
            procedure.verify.extend(probes(served));
            for server in &served.secondaries {
                let step = question(zone, Some(server), &expect);
                procedure.verify.extend(step);
            }
        }
    }
    Ok(procedure)
}

/// The RRset as it was read, to the letter: that is what the server compares.
fn there(answers: &[Answer], zone: &str, (owner, rtype): &Key) -> Result<Rrset, Failure> {
    let found = rrset::found(answers, zone)?
        .iter()
        .find(|rrset| rrset.owner == *owner && rrset.type_ == *rtype);
    Ok(found.cloned().unwrap_or_else(|| Rrset {
        owner: owner.clone(),
        type_: rtype.clone(),
        ttl_seconds: 0,
        rdata: Vec::new(),
    }))
}

fn wanted(change: &Change, (owner, rtype): &Key) -> Result<Rrset, Failure> {
    let records = match change.after.as_deref().filter(|_| change.is_wanted()) {
        Some(json) => serde_json::from_str(json).map_err(|error| {
            Failure::new(
                "object",
                format!("`{}` is no RRset: {error}", change.address),
            )
        })?,
        None => Records {
            ttl: 0,
            data: Vec::new(),
        },
    };
    Ok(Rrset {
        owner: owner.clone(),
        type_: rtype.clone(),
        ttl_seconds: records.ttl,
        rdata: records.data,
    })
}

/// RFC 2136, section 3.4.2.2: a server ignores an alias at a name that has records, and records at one that is an alias,
/// without a word. So it is said here, before anything is sent.
fn alone(found: &[Rrset], replaced: &BTreeMap<Key, Replaced>) -> Result<(), Failure> {
    let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for rrset in found {
        let key = (rrset.owner.clone(), rrset.type_.clone());
        if !replaced.contains_key(&key) {
            types.entry(&rrset.owner).or_default().insert(&rrset.type_);
        }
    }
    for one in replaced.values().filter(|one| !one.after.rdata.is_empty()) {
        types
            .entry(&one.after.owner)
            .or_default()
            .insert(&one.after.type_);
    }
    for owner in replaced.keys().map(|(owner, _)| owner.as_str()) {
        let Some(types) = types.get(owner) else {
            continue;
        };
        if types.contains("CNAME") && types.len() > 1 {
            let list: Vec<&str> = types.iter().copied().collect();
            return Err(Failure::new(
                "alias",
                format!(
                    "`{owner}` would be an alias (CNAME) and have other records: {}",
                    list.join(", ")
                ),
            )
            .with_help(
                "those that the topology does not name were put there by somebody else: remove them at the server, or \
                 declare another name",
            ));
        }
    }
    Ok(())
}

/// One update of the zone, or as few as its size allows; what concerns one name stays together.
fn updates(zone: &str, replaced: BTreeMap<Key, Replaced>) -> Vec<Step> {
    let mut parts: Vec<Vec<Replaced>> = Vec::new();
    let mut size = usize::MAX;
    let mut last_owner = None;
    for ((owner, _), one) in replaced {
        let more = weight(&one.before) + weight(&one.after);
        if size.saturating_add(more) > LARGEST && last_owner.as_ref() != Some(&owner) {
            parts.push(Vec::new());
            size = 0;
        }
        size += more;
        last_owner = Some(owner);
        if let Some(part) = parts.last_mut() {
            part.push(one);
        }
    }
    let of = parts.len();
    let step = |(at, part): (usize, Vec<Replaced>)| {
        let number = at + 1;
        let which = if of == 1 {
            String::new()
        } else {
            format!(" ({number} of {of})")
        };
        let (before, after): (Vec<Rrset>, Vec<Rrset>) =
            part.into_iter().map(|one| (one.before, one.after)).unzip();
        let update = |require: &[Rrset], replace: &[Rrset]| {
            Effect::DnsUpdate(DnsUpdate {
                zone: zone.into(),
                require: require.to_vec(),
                replace: replace.to_vec(),
            })
        };
        Step::new(
            format!("update-{zone}-{number}"),
            format!("update the zone {zone}{which}"),
            update(&before, &after),
        )
        .undo(UndoStep::new(
            format!("put the zone {zone} back{which}"),
            update(&after, &before),
        ))
    };
    parts.into_iter().enumerate().map(step).collect()
}

/// At most how many bytes an RRset takes in an update, as what is required and what replaces it.
fn weight(rrset: &Rrset) -> usize {
    let head = rrset.owner.len() + 12;
    let records: usize = rrset.rdata.iter().map(|data| head + data.len() + 2).sum();
    records + head
}

/// Some of the RRsets that come or change and that a server of the zone answers for itself: of names at and below a
/// delegation or an alias of a whole branch it tells where else to ask.
fn answered(zone: &str, found: &[Rrset], replaced: &BTreeMap<Key, Replaced>) -> Vec<Rrset> {
    let cuts =
        |rrset: &Rrset| (rrset.type_ == "NS" && rrset.owner != zone) || rrset.type_ == "DNAME";
    let after = replaced.values().map(|one| &one.after);
    let mut elsewhere: BTreeSet<&str> = after
        .clone()
        .filter(|rrset| !rrset.rdata.is_empty() && cuts(rrset))
        .map(|rrset| rrset.owner.as_str())
        .collect();
    elsewhere.extend(
        found
            .iter()
            .filter(|rrset| cuts(rrset))
            .map(|rrset| rrset.owner.as_str()),
    );
    let own = |rrset: &&Rrset| {
        let mut name = Some(rrset.owner.as_str());
        while let Some(here) = name {
            if elsewhere.contains(here) {
                return false;
            }
            name = here.split_once('.').map(|(_, parent)| parent);
        }
        true
    };
    let there = after.filter(|rrset| !rrset.rdata.is_empty());
    there.filter(own).take(MOST_ASKED).cloned().collect()
}

/// None where there is nothing to ask for.
fn question(zone: &str, server: Option<&String>, expect: &[Rrset]) -> Option<Step> {
    let who = server.map_or("the server", String::as_str);
    (!expect.is_empty()).then(|| {
        Step::new(
            match server {
                Some(server) => format!("answers-{zone}-{server}"),
                None => format!("answers-{zone}"),
            },
            format!("wait until {who} answers with the new records of {zone}"),
            Effect::DnsQuery(DnsQuery {
                zone: zone.to_owned(),
                server: server.cloned(),
                expect: expect.to_vec(),
                deadline_ms: SECONDARY_MS,
                every_ms: EVERY_MS,
            }),
        )
    })
}

fn probes(zone: &ServedZone) -> impl Iterator<Item = Step> {
    zone.secondaries.iter().map(|server| {
        Step::new(
            format!("secondary-{}-{server}", zone.name),
            format!("wait until {server} has the zone {}", zone.name),
            Effect::DnsProbe(DnsProbe {
                zone: zone.name.clone(),
                server: server.clone(),
                deadline_ms: SECONDARY_MS,
                every_ms: EVERY_MS,
            }),
        )
    })
}
