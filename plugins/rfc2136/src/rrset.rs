//! RRsets as resources, from the topology and from a zone.
//!
//! The address is `rrset/OWNER/TYPE`, such as `rrset/_sips._tcp.acme.example/SRV`. The object holds the time to live and
//! the data of the records, ascending, in the presentation form of the contract, names in lower case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use switchover_sdk::scope::own_zones;
use switchover_sdk::{Answer, Answers, Failure, Resource, Rrset, ServedZone, Target, View};

use crate::data;

/// The only kind of resource.
pub(crate) const KIND: &str = "rrset";

/// What a resource holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Records {
    pub(crate) ttl: u32,
    pub(crate) data: Vec<String>,
}

/// Owner and type.
pub(crate) type Key = (String, String);

/// The id of the query for a zone.
pub(crate) fn query(zone: &str) -> String {
    format!("zone/{zone}")
}

fn address(owner: &str, rtype: &str) -> String {
    format!("{KIND}/{owner}/{rtype}")
}

/// Owner and type of an address; an owner may hold a slash (RFC 2317).
pub(crate) fn key(address: &str) -> Option<Key> {
    let (owner, rtype) = address
        .strip_prefix(KIND)?
        .strip_prefix('/')?
        .rsplit_once('/')?;
    Some((owner.to_owned(), rtype.to_owned()))
}

/// The zone that an owner belongs to: the nearest above it.
pub(crate) fn zone_of<'a>(owner: &str, zones: &'a [ServedZone]) -> Option<&'a ServedZone> {
    let above = zones.iter().filter(|zone| is_in(owner, &zone.name));
    above.max_by_key(|zone| zone.name.len())
}

/// Whether a name is the zone's or below it.
pub(crate) fn is_in(owner: &str, zone: &str) -> bool {
    owner
        .strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A zone's name as it is compared.
pub(crate) fn zone_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

pub(crate) fn desired(view: &View) -> Result<Vec<Resource>, Failure> {
    let mut sets: BTreeMap<Key, Records> = BTreeMap::new();
    for zone in own_zones(view) {
        for record in &zone.records {
            let rtype = data::rtype(record);
            let data = data::wanted(record, &zone_name(&zone.name)).map_err(|problem| {
                Failure::new(
                    "record",
                    format!("the record `{}` {rtype}: {problem}", record.owner),
                )
            })?;
            let set = sets
                .entry((record.owner.clone(), rtype))
                .or_insert(Records {
                    ttl: record.ttl_seconds,
                    data: Vec::new(),
                });
            set.data.push(data);
        }
    }
    Ok(resources(sets))
}

pub(crate) fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
    let mut sets = BTreeMap::new();
    for zone in &target.zones {
        for rrset in found(answers, &zone.name)? {
            let owner_zone = zone_of(&rrset.owner, &target.zones);
            // The parent of a delegated zone may hold addresses of its servers.
            if owner_zone.is_some_and(|owner_zone| owner_zone.name != zone.name) {
                continue;
            }
            let data = rrset
                .rdata
                .iter()
                .map(|data| data::found(&rrset.type_, data));
            let records = Records {
                ttl: rrset.ttl_seconds,
                data: data.collect(),
            };
            sets.insert((rrset.owner.clone(), rrset.type_.clone()), records);
        }
    }
    Ok(resources(sets))
}

/// What was read of a zone.
pub(crate) fn found<'a>(answers: &'a [Answer], zone: &str) -> Result<&'a [Rrset], Failure> {
    Answers::new(answers)
        .zone(&query(zone))
        .ok_or_else(|| Failure::new("no-answer", format!("the zone `{zone}` was not read")))
}

fn resources(sets: BTreeMap<Key, Records>) -> Vec<Resource> {
    let resource = |((owner, rtype), mut records): (Key, Records)| {
        records.data.sort_unstable();
        records.data.dedup();
        let value = json!({ "ttl": records.ttl, "data": records.data });
        Resource::object(address(&owner, &rtype), KIND, &value)
    };
    sets.into_iter().map(resource).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_owner_and_type() {
        for (owner, rtype) in [
            ("acme.example", "NAPTR"),
            ("0/25.2.0.192.in-addr.arpa", "PTR"),
            ("*.acme.example", "TYPE65280"),
        ] {
            assert_eq!(
                key(&address(owner, rtype)),
                Some((owner.into(), rtype.into()))
            );
        }
        for address in ["rrset/a", "rrsets/a/A", "file/a"] {
            assert_eq!(key(address), None, "{address}");
        }
    }

    #[test]
    fn the_nearest_zone_above_a_name_is_its_zone() {
        let zones = ["example", "acme.example"].map(|name| ServedZone {
            name: name.into(),
            secondaries: vec![],
        });
        let zone = |owner: &str| zone_of(owner, &zones).map(|zone| zone.name.as_str());
        assert_eq!(zone("a.acme.example"), Some("acme.example"));
        assert_eq!(zone("acme.example"), Some("acme.example"));
        assert_eq!(zone("xacme.example"), Some("example"));
        assert_eq!(zone("acme.org"), None);
    }
}
