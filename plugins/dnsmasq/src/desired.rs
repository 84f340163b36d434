//! What the file should say.

use switchover_sdk::scope::{Served, host_name, own_zones, served};
use switchover_sdk::{Failure, View};

use crate::entry::{Entry, Host, LocalTtl, Oui, Range};
use crate::manifest::Settings;
use crate::names::{is_domain_name, is_owner_name, is_tag};
use crate::option::{Audience, Data, NetworkOption, data};
use crate::record::Record;
use crate::words::is_quotable;

/// Option 3, the routers of a network.
const ROUTER: u8 = 3;
/// Option 6, its DNS servers.
const DNS_SERVERS: u8 = 6;

/// The entries of every network and zone that the target serves, in the order of the file.
///
/// # Errors
/// Something cannot stand in dnsmasq's configuration, where nothing escapes it. `check` says so with its place.
pub(crate) fn desired(view: &View, settings: &Settings) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    let serves_dns = own_zones(view).next().is_some();
    for served in served(view) {
        entries.extend(network(&served, serves_dns));
        for (device, mac, address) in served.reserved(view) {
            entries.push(Entry::Host(Host {
                mac: mac.to_ascii_lowercase(),
                address: Some(address.to_string()),
                name: host_name(&device.name),
                more: Vec::new(),
            }));
        }
    }
    entries.extend(records(view).map(Entry::Record));
    if let Some(seconds) = shared_ttl(view).filter(|_| settings.local_ttl) {
        entries.push(Entry::LocalTtl(LocalTtl { seconds }));
    }
    entries.sort_by_cached_key(Entry::place);
    // Two zones may declare the same record.
    entries.dedup();
    match entries.iter().find(|entry| !is_writable(entry)) {
        Some(entry) => Err(Failure::new(
            "not-writable",
            format!(
                "`{}` cannot stand in dnsmasq's configuration",
                entry.line().escape_debug()
            ),
        )),
        None => Ok(entries),
    }
}

/// The records that dnsmasq can hold, of the zones that the target serves.
fn records(view: &View) -> impl Iterator<Item = Record> {
    own_zones(view).flat_map(|zone| zone.records.iter().filter_map(Record::new))
}

/// The smallest time to live of the records that cannot carry their own: a name must not outlive its promise.
pub(crate) fn shared_ttl(view: &View) -> Option<u32> {
    own_zones(view)
        .flat_map(|zone| &zone.records)
        .filter(|record| Record::new(record).is_some_and(|record| !record.has_own_ttl()))
        .map(|record| record.ttl_seconds)
        .min()
}

fn network(served: &Served<'_>, serves_dns: bool) -> Vec<Entry> {
    let network = served.network;
    let Some(subnet) = served.subnet else {
        return Vec::new();
    };
    let mut entries = vec![Entry::Range(Range {
        network: network.name.clone(),
        first: match &network.pool {
            Some(pool) => pool.first.clone(),
            None => subnet.network().to_string(),
        },
        last: network.pool.as_ref().map(|pool| pool.last.clone()),
        netmask: subnet.netmask().to_string(),
        lease_seconds: served.service.lease_seconds,
    })];
    let phone_options = served.phone_options();
    let phones = !phone_options.is_empty();
    let option = |code, data, except_phones| NetworkOption {
        network: network.name.clone(),
        code,
        except_phones,
        data,
    };
    if phones {
        entries.extend(network.phone_ouis.iter().map(|oui| {
            Entry::Oui(Oui {
                network: network.name.clone(),
                oui: oui.to_ascii_lowercase(),
            })
        }));
    }
    for general in &network.options {
        let twice = phone_options.iter().any(|other| other.code == general.code);
        let option = option(general.code, data(&general.value), twice);
        entries.push(Entry::Option(Audience::Everybody, option));
    }
    for special in phone_options {
        let option = option(special.code, data(&special.value), false);
        entries.push(Entry::Option(Audience::Phones, option));
    }
    // dnsmasq names itself as router and DNS server where it is told nothing. The first is never meant; the second is
    // where it is one.
    for (code, meant) in [(ROUTER, false), (DNS_SERVERS, serves_dns)] {
        let told = |options: &[switchover_sdk::DhcpOption]| {
            options.iter().any(|option| option.code == code)
        };
        if !meant && !told(&network.options) {
            let twice = told(phone_options);
            let nothing = option(code, Data::Value(String::new()), twice);
            entries.push(Entry::Option(Audience::Everybody, nothing));
        }
    }
    entries
}

/// Whether every part of the entry can be written and will be read as what it is.
pub(crate) fn is_writable(entry: &Entry) -> bool {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'\\'))
    };
    match entry {
        Entry::LocalTtl(_) | Entry::Line(_) => true,
        Entry::Range(range) => {
            let parts = [&range.first, range.last.as_ref().unwrap_or(&range.first)];
            is_tag(&range.network) && parts.iter().all(|part| plain(part) && !part.contains(','))
        }
        Entry::Oui(oui) => is_tag(&oui.network) && plain(&oui.oui) && !oui.oui.contains(','),
        Entry::Option(_, option) => {
            is_tag(&option.network)
                && match &option.data {
                    Data::Text(text) => is_quotable(text),
                    Data::Value(value) => plain(value),
                }
        }
        Entry::Host(host) => plain(&host.mac) && !host.mac.contains(','),
        Entry::Record(record) => is_writable_record(record),
    }
}

pub(crate) fn is_writable_record(record: &Record) -> bool {
    match record {
        Record::A { owner, address, .. } => {
            is_domain_name(owner) && address.parse::<std::net::Ipv4Addr>().is_ok()
        }
        Record::Aaaa { owner, address, .. } => {
            is_domain_name(owner) && address.parse::<std::net::Ipv6Addr>().is_ok()
        }
        Record::Cname { owner, target, .. } => is_owner_name(owner) && is_domain_name(target),
        Record::Srv { owner, target, .. }
        | Record::Mx { owner, target, .. }
        | Record::Ptr { owner, target } => is_domain_name(owner) && is_domain_name(target),
        Record::Naptr {
            owner,
            flags,
            service,
            regexp,
            replacement,
            ..
        } => {
            is_domain_name(owner)
                && [flags, service, regexp]
                    .iter()
                    .all(|text| is_quotable(text))
                && (replacement.is_empty() || is_domain_name(replacement))
        }
        Record::Txt { owner, strings } => {
            is_domain_name(owner)
                && !strings.is_empty()
                && strings
                    .iter()
                    .all(|text| is_quotable(text) && text.len() <= 255)
        }
        Record::Caa {
            owner, tag, value, ..
        } => {
            let is_tag = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_domain_name(owner) && is_tag && is_quotable(value)
        }
    }
}
