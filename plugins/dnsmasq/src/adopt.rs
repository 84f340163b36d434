//! What the server holds, as parts of a topology: the lines of the plugin's own file, and those of the others in the
//! folder, which are described and stay where they are.

mod lease;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::json;
use switchover_sdk::{
    AdoptedDevice, AdoptedNetwork, AdoptedZone, Adopting, Adoption, Answer, Answers, DhcpOption,
    DnsRecord, Failure, OptionValue, Pool, Query,
};

use crate::FILE;
use crate::entry::kind;
use crate::manifest::Settings;
use crate::record::Record;
use crate::words::{Word, split};
use lease::{Lease, lease};
use names::{option_code, zone_of};

/// The query for what else is in the folder.
const LISTING: &str = "folder";
/// Begins the query for each of those files.
const OTHER: &str = "other/";

/// The other files are read once it is known which there are.
///
/// # Errors
/// A file is no text.
pub(crate) fn adopt(settings: &Settings, answers: &[Answer]) -> Result<Adopting, Failure> {
    let found = Answers::new(answers);
    let Some(names) = found.folder(LISTING) else {
        return Ok(Adopting::More(vec![Query::folder(LISTING, "")]));
    };
    let is_other = |name: &&String| name.ends_with(".conf") && **name != settings.file;
    let others: Vec<&String> = names.iter().filter(is_other).collect();
    // A file that somebody names is the one that is meant, wherever it is.
    let alone = found.bytes(FILE).is_some() && settings.file != crate::manifest::default_file();
    if !alone && !others.is_empty() && found.with_prefix(OTHER).next().is_none() {
        let query = |name: &&String| Query::file(format!("{OTHER}{name}"), (*name).clone());
        return Ok(Adopting::More(others.iter().map(query).collect()));
    }
    let mut reading = Reading::default();
    if let Some(text) = found.text(FILE)? {
        reading.file(text, None);
    }
    for (name, _) in found.with_prefix(OTHER) {
        if let Some(text) = found.text(&format!("{OTHER}{name}"))? {
            reading.file(text, Some(name));
        }
    }
    let unread = names.iter().filter(|name| !name.ends_with(".conf"));
    for name in unread.filter(|_| !alone) {
        let reason = "only files that end in `.conf` are read";
        reading.adoption.leave(format!("file {name}"), reason);
    }
    Ok(Adopting::Found(reading.finish()))
}

#[derive(Default)]
struct Reading {
    adoption: Adoption,
    ranges: Vec<Range>,
    /// Options with the tag that they are for.
    options: Vec<(Option<String>, DhcpOption)>,
    records: Vec<(Record, Option<String>)>,
    zones: BTreeSet<String>,
    local_ttl: Option<u32>,
    own_local_ttl: bool,
}

struct Range {
    tag: Option<String>,
    network: AdoptedNetwork,
}

impl Reading {
    fn file(&mut self, text: &str, other: Option<&str>) {
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(reason) = self.line(line, other) {
                // As `current` calls a line of its own file.
                let place =
                    other.map_or_else(|| format!("{}/", kind::LINE), |name| format!("{name}: "));
                self.adoption.leave(format!("{place}{line}"), reason);
            }
        }
    }

    /// # Errors
    /// Why a topology does not say what the line says.
    fn line(&mut self, line: &str, other: Option<&str>) -> Result<(), String> {
        let stays =
            other.map(|name| format!("it stands in `{name}`, which is not this target's file"));
        let (keyword, value) = line.split_once('=').unwrap_or((line, ""));
        // A comment ends a line; none of the words that are understood here holds the sign.
        let value = match value.split_once(" #") {
            Some((value, _)) if !value.contains('"') => value,
            _ => value,
        };
        let words = split(value).ok_or("it is not written as this plugin would")?;
        match keyword.trim_end() {
            "dhcp-range" => self.range(&words, stays),
            "dhcp-host" => self.host(&words, stays),
            "dhcp-option" | "dhcp-option-force" => self.option(&words),
            "local-ttl" => {
                let number = |word: &Word| word.bare()?.parse().ok();
                self.local_ttl = words.first().and_then(number);
                self.own_local_ttl |= other.is_none();
                Ok(())
            }
            "listen-address" => {
                let own = words.iter().filter_map(Word::bare).find(|text| {
                    text.parse::<Ipv4Addr>()
                        .is_ok_and(|address| !address.is_loopback())
                });
                self.adoption.itself.address = own.map(Into::into);
                Err(SETTING.into())
            }
            "domain" | "local" | "auth-zone" => {
                let named = value.split([',', '/']).map(str::trim);
                let domain = named
                    .filter(|name| name.contains('.'))
                    .find(|name| !name.contains(':'));
                self.zones.extend(domain.map(str::to_ascii_lowercase));
                Err(SETTING.into())
            }
            keyword => {
                let records = records(keyword, &words).ok_or(SETTING)?;
                let stays = stays.or_else(|| {
                    let several = || "its line holds several records".to_owned();
                    (records.len() > 1).then(several)
                });
                let records = records.into_iter();
                self.records
                    .extend(records.map(|record| (record, stays.clone())));
                Ok(())
            }
        }
    }

    fn range(&mut self, words: &[Word], mut stays: Option<String>) -> Result<(), String> {
        let (mut tag, mut rest) = (None, Vec::new());
        for word in words.iter().map(|word| word.text.as_str()) {
            match word.split_once(':') {
                Some(("set", set)) => tag = Some(set.to_owned()),
                Some(("tag", other)) => {
                    stays = Some(format!("it is for clients with the tag `{other}` only"));
                }
                _ => rest.push(word),
            }
        }
        let [first, rest @ ..] = rest.as_slice() else {
            return Err("it names no address".into());
        };
        let start: Ipv4Addr = first
            .parse()
            .map_err(|_| "it is not of IPv4, or names an interface")?;
        let (mut last, mut netmask, mut seconds) = (None, None, None);
        for word in rest {
            match (word.parse::<Ipv4Addr>(), lease(word)) {
                (Ok(address), _) if last.is_none() && netmask.is_none() && !is_netmask(address) => {
                    last = Some(address);
                }
                (Ok(address), _) if netmask.is_none() => netmask = Some(address),
                // The third address is for broadcasts.
                (Ok(_), _) => {}
                (_, Some(Lease::Seconds(number))) => seconds = Some(number),
                (_, Some(Lease::Infinite)) => stays = Some("its leases never end".into()),
                _ if *word == "static" => {}
                _ => return Err(format!("`{word}` is nothing that a topology says")),
            }
        }
        let net = netmask.and_then(|mask| Ipv4Net::with_netmask(start, mask).ok());
        let subnet = net.ok_or("dnsmasq takes its netmask from an interface, which no file tells: write it in the line")?;
        let name = tag
            .as_deref()
            .map(|tag| tag.strip_prefix("net-").unwrap_or(tag));
        // Without a time of its own, a lease is of an hour.
        const DEFAULT_LEASE: u32 = 3600;
        self.ranges.push(Range {
            network: AdoptedNetwork {
                name: name.map(Into::into),
                subnet: subnet.trunc().to_string(),
                pool: last.map(|last| Pool {
                    first: start.to_string(),
                    last: last.to_string(),
                }),
                lease_seconds: Some(seconds.unwrap_or(DEFAULT_LEASE)),
                options: Vec::new(),
                stays,
            },
            tag,
        });
        Ok(())
    }

    fn host(&mut self, words: &[Word], mut stays: Option<String>) -> Result<(), String> {
        let (mut macs, mut address, mut name, mut more) = (Vec::new(), None, None, Vec::new());
        for word in words.iter().map(|word| word.text.as_str()) {
            let is_mac = word.split(':').count() == 6
                && word
                    .split(':')
                    .all(|part| u8::from_str_radix(part, 16).is_ok());
            let is_label = switchover_sdk::scope::host_name(word).is_some();
            if is_mac {
                macs.push(word.to_ascii_lowercase());
            } else if address.is_none() && word.parse::<Ipv4Addr>().is_ok() {
                address = Some(word.to_owned());
            } else if name.is_none()
                && is_label
                && word.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && !matches!(word, "ignore" | "infinite")
            {
                name = Some(word.to_owned());
            } else {
                more.push(word);
            }
        }
        let [mac] = macs.as_slice() else {
            return Err("it is not for one hardware address".into());
        };
        if more.contains(&"ignore") {
            return Err("it is for a client that is not served".into());
        }
        if !more.is_empty() {
            stays.get_or_insert_with(|| format!("its line says more: {}", more.join(",")));
        }
        self.adoption.devices.push(AdoptedDevice {
            name: name.unwrap_or_else(|| mac.clone()),
            mac: mac.clone(),
            subnet: None,
            address,
            stays,
        });
        Ok(())
    }

    fn option(&mut self, words: &[Word]) -> Result<(), String> {
        let (mut tags, mut rest) = (Vec::new(), words);
        while let Some(tag) = rest.first().and_then(|word| word.text.strip_prefix("tag:")) {
            tags.push(tag.to_owned());
            rest = &rest[1..];
        }
        // What telephones are told otherwise, everybody else is told; both are lines of this plugin.
        tags.retain(|tag| !tag.starts_with("!phones-"));
        if tags.len() > 1 {
            return Err("it is for clients with several tags".into());
        }
        let [code, values @ ..] = rest else {
            return Err("it names no option".into());
        };
        let code = option_code(&code.text).ok_or("its option is not known here by this name")?;
        let value = match values {
            // An option that is not to be sent.
            [] => return Ok(()),
            [Word { text, quoted: true }] => OptionValue::Text(text.clone()),
            words => value(code, words)
                .ok_or("dnsmasq puts its own address there, or the value has no type here")?,
        };
        let option = DhcpOption {
            code,
            name: None,
            value,
        };
        self.options.push((tags.pop(), option));
        Ok(())
    }

    fn finish(mut self) -> Adoption {
        let mut untold = Vec::new();
        for (tag, option) in &self.options {
            let of = |range: &&mut Range| tag.is_none() || range.tag == *tag;
            let mut told = false;
            for range in self.ranges.iter_mut().filter(of) {
                told = true;
                let options = &mut range.network.options;
                if !options.iter().any(|other| other.code == option.code) {
                    options.push(option.clone());
                }
            }
            if !told {
                untold.push(format!(
                    "dhcp-option {} of tag `{}`",
                    option.code,
                    tag.as_deref().unwrap_or_default()
                ));
            }
        }
        for address in untold {
            self.adoption.leave(address, "no range sets its tag");
        }
        for Range { mut network, .. } in self.ranges {
            network.options.sort_by_key(|option| option.code);
            self.adoption.networks.push(network);
        }
        if !self.own_local_ttl {
            self.adoption.settings = json!({ "local-ttl": false }).to_string();
        }
        let zones = zones(
            self.records,
            &self.zones,
            self.local_ttl,
            &mut self.adoption,
        );
        self.adoption.zones = zones;
        self.adoption
    }
}

const SETTING: &str = "a topology has no word for it";

fn is_netmask(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    bits >> 24 == 255 && bits.leading_ones() + bits.trailing_zeros() == 32
}

/// None where dnsmasq would put its own address in.
fn value(code: u8, words: &[Word]) -> Option<OptionValue> {
    let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
    let addresses = texts.iter().all(|text| text.parse::<Ipv4Addr>().is_ok());
    if texts.iter().any(|text| text == "0.0.0.0") {
        return None;
    }
    if addresses {
        return Some(match code {
            120 => OptionValue::SipAddresses(texts),
            _ => OptionValue::Addresses(texts),
        });
    }
    if code == 120 {
        return Some(OptionValue::SipNames(texts));
    }
    let [text] = texts.as_slice() else {
        return Some(OptionValue::Text(texts.join(",")));
    };
    let number = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    Some(match text.chars().next_back() {
        Some('b') if number.parse::<u8>().is_ok() => OptionValue::Uint8(number.parse().ok()?),
        Some('s') if number.parse::<u16>().is_ok() => OptionValue::Uint16(number.parse().ok()?),
        Some('i') if number.parse::<u32>().is_ok() => OptionValue::Uint32(number.parse().ok()?),
        _ if text.contains(':')
            && text
                .split(':')
                .all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok()) =>
        {
            OptionValue::Hex(text.replace(':', ""))
        }
        _ => OptionValue::Text(text.clone()),
    })
}

/// The records of a line; none where it is about something else. A line may name several hosts and addresses.
fn records(keyword: &str, words: &[Word]) -> Option<Vec<Record>> {
    if keyword != "host-record" {
        return Record::parse(keyword, words).map(|record| vec![record]);
    }
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let is_address = |text: &&&str| text.parse::<std::net::IpAddr>().is_ok();
    let addresses: Vec<&str> = texts.iter().filter(is_address).copied().collect();
    let ttl = texts.last().and_then(|text| text.parse().ok());
    let names = texts
        .iter()
        .filter(|text| !is_address(text) && text.parse::<u32>().is_err());
    let mut records = Vec::new();
    for name in names {
        for address in &addresses {
            let (owner, address) = ((*name).to_owned(), (*address).to_owned());
            records.push(match address.contains(':') {
                true => Record::Aaaa {
                    owner,
                    address,
                    ttl,
                },
                false => Record::A {
                    owner,
                    address,
                    ttl,
                },
            });
        }
    }
    (!records.is_empty()).then_some(records)
}

/// dnsmasq knows no zones: a record is put into the zone that is named for its domain, or into the domain above it.
fn zones(
    records: Vec<(Record, Option<String>)>,
    named: &BTreeSet<String>,
    local_ttl: Option<u32>,
    adoption: &mut Adoption,
) -> Vec<AdoptedZone> {
    let mut zones: BTreeMap<String, AdoptedZone> = BTreeMap::new();
    // By zone: the times of the records that can have one of their own.
    let mut times: BTreeMap<String, BTreeSet<Option<u32>>> = BTreeMap::new();
    let owners: Vec<&str> = records.iter().map(|(record, _)| record.owner()).collect();
    let hosts = records.iter().filter(|(record, _)| record.has_own_ttl());
    let mut known = named.clone();
    known
        .extend(hosts.filter_map(|(record, _)| {
            Some(record.owner().split_once('.')?.1.to_ascii_lowercase())
        }));
    let homes: Vec<Option<String>> = owners.iter().map(|owner| zone_of(owner, &known)).collect();
    for ((record, stays), home) in records.into_iter().zip(homes) {
        let Some(home) = home else {
            adoption.leave(record.line(), "its name has no domain");
            continue;
        };
        let ttl = record.ttl().or(local_ttl);
        if record.has_own_ttl() {
            times.entry(home.clone()).or_default().insert(ttl);
        }
        let zone = zones.entry(home.clone()).or_insert_with(|| AdoptedZone {
            name: home,
            ttl_seconds: None,
            records: Vec::new(),
            stays: None,
        });
        zone.stays = zone.stays.take().or(stays);
        zone.records.push(DnsRecord {
            owner: record.owner().to_ascii_lowercase(),
            ttl_seconds: ttl.unwrap_or_default(),
            data: record.data(),
        });
    }
    // A zone has one time for all.
    let one_ttl = |mut zone: AdoptedZone| {
        zone.ttl_seconds = match times.get(&zone.name) {
            Some(times) if times.len() == 1 => times.first().copied().flatten(),
            Some(_) => None,
            None => local_ttl,
        };
        zone
    };
    zones.into_values().map(one_ttl).collect()
}
