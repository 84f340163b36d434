//! Whether names that are written out are those that the zones answer for.

use std::collections::HashMap;
use std::net::IpAddr;

use switchover_catalogue::{mistyped, rfc};
use switchover_topology::model::{Dns, Kind, Pbx, Record};
use switchover_topology::{Severity, Topology};

use super::names::absolute;
use super::{SERVICE, is_below, listed, plain};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::role_name;

pub(crate) const SW412: Rule = Rule {
    code: "SW412",
    name: "name-outside-zones",
    summary: "the host name of a PBX lies in no declared zone, or a network's domain is nearly the name of one",
    sources: &[rfc(1034, "4.2")],
    explanation: include_str!("../../explanations/SW412.md"),
    looks_at: &[Kind::Pbx, Kind::Network, Kind::Dns],
    check: Check::Topology(outside),
    ..SERVICE
};

pub(crate) const SW413: Rule = Rule {
    code: "SW413",
    name: "record-contradicts",
    severity: Severity::Error,
    summary: "a declared record repeats the zone in its name, gives a PBX another address, or stands beside an alias",
    sources: &[rfc(1035, "5.1"), rfc(1034, "3.6.2")],
    explanation: include_str!("../../explanations/SW413.md"),
    looks_at: &[Kind::Pbx, Kind::Dns],
    check: Check::Topology(contradictions),
    ..SERVICE
};

/// A site without zones keeps its names elsewhere. One with zones may keep some there too, so this is a warning.
fn outside(topology: &Topology) -> Vec<Finding> {
    let zones: Vec<String> = topology.dns.iter().map(|zone| plain(&zone.name)).collect();
    if zones.is_empty() || topology.incomplete.contains(&Kind::Dns) {
        return Vec::new();
    }
    let known = || zones.iter().map(String::as_str);
    let pbxs = topology
        .pbxs
        .iter()
        .filter(|pbx| !known().any(|zone| is_below(&plain(&pbx.hostname), zone)))
        .map(|pbx| pbx_outside(pbx, &zones));
    let networks = topology.networks.iter().filter_map(|network| {
        let declared = network.domain.as_ref()?;
        let domain = plain(declared);
        if known().any(|zone| is_below(&domain, zone)) {
            return None;
        }
        let meant = near(&domain, &zones)?;
        let name = &network.name.value;
        let message =
            format!("domain `{domain}` of network `{name}` is no declared zone, but nearly `{meant}`");
        Some(
            Finding::new(&SW412, network.span, declared.span, message)
                .label("no zone here answers for it")
                .help(format!(
                    "did you mean `{meant}`? If the domain is right, acknowledge SW412 in network `{name}`"
                )),
        )
    });
    pbxs.chain(networks).collect()
}

/// The zone that a domain is one or two slips away from: zones share their last labels, so more would be another name.
fn near<'a>(domain: &str, zones: &'a [String]) -> Option<&'a str> {
    zones
        .iter()
        .filter_map(|zone| Some((mistyped(domain, zone).filter(|slips| *slips <= 2)?, zone)))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, zone)| zone.as_str())
}

fn pbx_outside(pbx: &Pbx, zones: &[String]) -> Finding {
    let host = plain(&pbx.hostname);
    let name = &pbx.name.value;
    let zone_names: Vec<&str> = zones.iter().map(String::as_str).collect();
    let meant = host.match_indices('.').find_map(|(dot, _)| {
        let zone = near(&host[dot + 1..], zones)?;
        Some(format!("{}.{zone}", &host[..dot]))
    });
    let message = format!(
        "host name `{host}` of the {} PBX is in no declared zone, so no address record is written for it",
        role_name(pbx.role.value)
    );
    Finding::new(&SW412, pbx.span, pbx.hostname.span, message)
        .label(format!("not in {}", listed(&zone_names)))
        .help(match meant {
            Some(meant) => format!(
                "did you mean `{meant}`? If the name is right, acknowledge SW412 in `{name}`"
            ),
            None => format!(
                "choose a name in a declared zone; if another zone has its address record, acknowledge SW412 in `{name}`"
            ),
        })
}

fn contradictions(topology: &Topology) -> Vec<Finding> {
    topology
        .dns
        .iter()
        .flat_map(|zone| of_zone(topology, zone))
        .collect()
}

/// A record says one thing wrong at a time: where its name is wrong, the rest would follow from it.
fn of_zone(topology: &Topology, zone: &Dns) -> Vec<Finding> {
    let apex = plain(&zone.name);
    let hosts: HashMap<String, &Pbx> = topology
        .pbxs
        .iter()
        .map(|pbx| (plain(&pbx.hostname), pbx))
        .collect();
    let mut first_at: HashMap<String, &Record> = HashMap::new();
    let mut aliases: HashMap<String, &Record> = HashMap::new();
    for record in &zone.records {
        let name = absolute(&record.name, &apex);
        first_at.entry(name.clone()).or_insert(record);
        if is_alias(record) {
            aliases.entry(name).or_insert(record);
        }
    }
    zone.records
        .iter()
        .filter_map(|record| {
            let name = absolute(&record.name, &apex);
            written_in_full(zone, record, &apex)
                .or_else(|| another_address(zone, record, hosts.get(&name)?))
                .or_else(|| beside_alias(zone, record, &name, &first_at, &aliases))
        })
        .collect()
}

fn is_alias(record: &Record) -> bool {
    record.rtype.eq_ignore_ascii_case("CNAME")
}

fn written_in_full(zone: &Dns, record: &Record, apex: &str) -> Option<Finding> {
    let written = &record.name.value;
    if written.ends_with('.') || !is_below(&written.to_ascii_lowercase(), apex) {
        return None;
    }
    let front = written
        .get(..written.len().saturating_sub(apex.len()))
        .map(|front| front.trim_end_matches('.'))
        .filter(|front| !front.is_empty())
        .unwrap_or("@");
    let message = format!("this record would be `{written}.{apex}`: its name repeats the zone");
    Some(
        Finding::new(&SW413, zone.span, record.name.span, message)
            .label("taken as a name below the zone")
            .help(format!("write `{front}`, or `{written}.` with a final dot")),
    )
}

fn another_address(zone: &Dns, record: &Record, pbx: &Pbx) -> Option<Finding> {
    let same_family = match pbx.address.value {
        IpAddr::V4(_) => "A",
        IpAddr::V6(_) => "AAAA",
    };
    if !record.rtype.eq_ignore_ascii_case(same_family) {
        return None;
    }
    let other = record.values.iter().find(|value| {
        value
            .parse::<IpAddr>()
            .is_ok_and(|address| address != pbx.address.value)
    })?;
    let host = plain(&pbx.hostname);
    let message = format!(
        "this record gives `{host}` the address {}, but the {} PBX of that name has {}",
        other.value,
        role_name(pbx.role.value),
        pbx.address.value
    );
    Some(
        Finding::new(&SW413, zone.span, other.span, message)
            .label("telephones would try this address too")
            .related(pbx.address.span, "address of the PBX")
            .help("remove this record: the address record follows from the PBX"),
    )
}

/// Told at each record but the first of the name.
fn beside_alias(
    zone: &Dns,
    record: &Record,
    name: &str,
    first_at: &HashMap<String, &Record>,
    aliases: &HashMap<String, &Record>,
) -> Option<Finding> {
    let alias = aliases.get(name)?;
    let first = first_at.get(name)?;
    if first.name.span == record.name.span {
        return None;
    }
    let against = if is_alias(record) { first } else { alias };
    let message = format!("`{name}` is an alias, and has another record too");
    Some(
        Finding::new(&SW413, zone.span, record.name.span, message)
            .label("a CNAME record must be the only one of its name")
            .related(
                against.name.span,
                format!("{} record of the same name", against.rtype.value),
            )
            .help("remove the CNAME record, or the others of this name"),
    )
}
