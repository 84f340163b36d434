//! How entries read in a plan.

use std::net::Ipv4Addr;

use switchover_sdk::notation::{self, Networks, duration, pool};
use switchover_sdk::{Line, ShownResource};

use crate::entry::{Entry, Host, Range};
use crate::option::{Audience, Data, NetworkOption, phone_tag};
use crate::record::Record;
use crate::words::quote;

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    let entry =
        |resource: &ShownResource| Entry::from_value(&resource.kind, resource.json()?)?.ok();
    let entries: Vec<Option<Entry>> = resources.iter().map(entry).collect();
    let named = entries.iter().flatten().filter_map(network);
    let own = entries
        .iter()
        .any(|entry| matches!(entry, Some(Entry::Range(_))));
    let networks = Networks::of(named, own);
    let line = |entry: &Option<Entry>| match entry {
        Some(entry) => line(entry, &networks),
        None => Line::default(),
    };
    entries.iter().map(line).collect()
}

fn network(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Range(range) => Some(&range.network),
        Entry::Oui(oui) => Some(&oui.network),
        Entry::Option(_, option) => Some(&option.network),
        Entry::LocalTtl(_) | Entry::Host(_) | Entry::Record(_) | Entry::Line(_) => None,
    }
}

fn line(entry: &Entry, networks: &Networks) -> Line {
    match entry {
        Entry::LocalTtl(ttl) => Line::new([format!("local-ttl {}", ttl.seconds)]),
        Entry::Range(range) => range_line(range),
        Entry::Oui(oui) => Line::new([
            format!("class {}", phone_tag(&oui.network)),
            format!("{}:*:*:*", oui.oui),
        ]),
        Entry::Option(audience, option) => option_line(*audience, option, networks),
        Entry::Host(host) => host_line(host),
        Entry::Record(record) => record_line(record),
        Entry::Line(line) => Line::new([line.line.as_str()]),
    }
}

fn range_line(range: &Range) -> Line {
    let Range {
        network,
        first,
        last,
        netmask,
        lease_seconds,
    } = range;
    Line::new([
        format!(
            "subnet {}",
            cidr(first, netmask).unwrap_or_else(|| format!("{first} netmask {netmask}"))
        ),
        match last {
            Some(last) => pool(first, last),
            None => "reserved addresses only".into(),
        },
        format!("lease {}", duration((*lease_seconds).into())),
        format!("named {network}"),
    ])
}

/// The subnet of an address; none where the mask is none.
fn cidr(address: &str, netmask: &str) -> Option<String> {
    let address: u32 = address.parse::<Ipv4Addr>().ok()?.into();
    let mask: u32 = netmask.parse::<Ipv4Addr>().ok()?.into();
    let length = mask.leading_ones();
    (length == mask.count_ones()).then(|| format!("{}/{length}", Ipv4Addr::from(address & mask)))
}

fn option_line(audience: Audience, option: &NetworkOption, networks: &Networks) -> Line {
    let value = match &option.data {
        Data::Text(text) => text.clone(),
        Data::Value(value) if value.is_empty() => "not sent".into(),
        Data::Value(value) => number(value).map_or_else(|| value.replace(',', ", "), str::to_owned),
    };
    let audience = match audience {
        Audience::Phones => notation::Audience::Phones,
        Audience::Everybody if option.except_phones => notation::Audience::AllButPhones,
        Audience::Everybody => notation::Audience::Everybody,
    };
    Line::new([
        notation::option(option.code.into()),
        value,
        networks.audience(&option.network, audience),
    ])
}

/// The digits of a number with its size, such as `130s`: people would read seconds.
fn number(value: &str) -> Option<&str> {
    let digits = value.strip_suffix(['b', 's', 'i'])?;
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then_some(digits)
}

fn host_line(host: &Host) -> Line {
    let mut columns = vec![
        format!("host {}", host.mac),
        host.address.clone().unwrap_or_default(),
        host.name.clone().unwrap_or_default(),
    ];
    if !host.more.is_empty() {
        columns.push(host.more.join(" "));
    }
    Line::new(columns)
}

fn record_line(record: &Record) -> Line {
    let name = |name: &str| format!("{name}.");
    let (rtype, data) = match record {
        Record::A { address, .. } => ("A", address.clone()),
        Record::Aaaa { address, .. } => ("AAAA", address.clone()),
        Record::Cname { target, .. } => ("CNAME", name(target)),
        Record::Srv {
            target,
            port,
            priority,
            weight,
            ..
        } => ("SRV", format!("{priority} {weight} {port} {target}.")),
        Record::Naptr {
            order,
            preference,
            flags,
            service,
            regexp,
            replacement,
            ..
        } => {
            let [flags, service, regexp] = [flags, service, regexp].map(|text| quote(text));
            let data = format!("{order} {preference} {flags} {service} {regexp} {replacement}.");
            ("NAPTR", data)
        }
        Record::Txt { strings, .. } => {
            let strings: Vec<String> = strings.iter().map(|text| quote(text)).collect();
            ("TXT", strings.join(" "))
        }
        Record::Mx {
            target, preference, ..
        } => ("MX", format!("{preference} {target}.")),
        Record::Ptr { target, .. } => ("PTR", name(target)),
        Record::Caa {
            flags, tag, value, ..
        } => ("CAA", format!("{flags} {tag} {}", quote(value))),
    };
    notation::records(record.owner(), record.ttl(), rtype, [data])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use switchover_sdk::ShownContent;

    use super::*;

    fn shown(resources: &[(&str, Value)]) -> Vec<String> {
        let resources: Vec<ShownResource> = resources
            .iter()
            .map(|(kind, value)| ShownResource {
                address: format!("{kind}/x"),
                kind: (*kind).into(),
                content: ShownContent::Object(value.to_string()),
                hint: None,
            })
            .collect();
        let lines = lines(&resources).into_iter();
        lines.map(|line| line.columns.join(" | ")).collect()
    }

    #[test]
    fn each_kind_reads_as_dnsmasq_and_a_zone_file_have_it() {
        let range = |last: Option<&str>| {
            json!({ "network": "voice", "first": "10.20.30.100", "last": last,
                "netmask": "255.255.255.0", "lease-seconds": 28_800 })
        };
        let lines = shown(&[
            ("server", json!({ "seconds": 60 })),
            ("range", range(Some("10.20.30.199"))),
            ("range", range(None)),
            ("oui", json!({ "network": "voice", "oui": "9c:75:14" })),
            (
                "option",
                json!({ "network": "voice", "code": 6, "value": "10.20.30.5,10.20.0.54" }),
            ),
            (
                "option",
                json!({ "network": "voice", "code": 3, "value": "" }),
            ),
            (
                "option",
                json!({ "network": "voice", "code": 132, "value": "130s", "except-phones": true }),
            ),
            (
                "phone-option",
                json!({ "network": "voice", "code": 66, "text": "http://prov/" }),
            ),
            (
                "host",
                json!({ "mac": "9c:75:14:00:01:01", "address": "10.20.30.11", "name": "reception" }),
            ),
            (
                "host",
                json!({ "mac": "9c:75:14:00:01:02", "more": ["set:x", "infinite"] }),
            ),
            (
                "record",
                json!({ "type": "A", "owner": "pbx1.acme.example", "address": "10.20.0.10", "ttl": 60 }),
            ),
            (
                "record",
                json!({ "type": "SRV", "owner": "_sip._tcp.acme.example", "target": "pbx1.acme.example",
                    "port": 443, "priority": 10, "weight": 100 }),
            ),
            (
                "record",
                json!({ "type": "NAPTR", "owner": "acme.example", "order": 10, "preference": 50, "flags": "s",
                    "service": "SIPS+D2T", "regexp": "", "replacement": "_sips._tcp.acme.example" }),
            ),
            (
                "record",
                json!({ "type": "TXT", "owner": "acme.example", "strings": ["a \"b\"", "c"] }),
            ),
            (
                "record",
                json!({ "type": "CAA", "owner": "acme.example", "flags": 0, "tag": "issue", "value": "ca" }),
            ),
            ("line", json!({ "line": "bogus-priv" })),
        ]);
        assert_eq!(
            lines,
            [
                "local-ttl 60",
                "subnet 10.20.30.0/24 | pool 10.20.30.100 - 10.20.30.199 | lease 8h | named voice",
                "subnet 10.20.30.0/24 | reserved addresses only | lease 8h | named voice",
                "class phones-voice | 9c:75:14:*:*:*",
                "option 6 domain-name-servers | 10.20.30.5, 10.20.0.54 | ",
                "option 3 routers | not sent | ",
                "option 132 | 130 | for all but phones",
                "option 66 tftp-server-name | http://prov/ | for phones",
                "host 9c:75:14:00:01:01 | 10.20.30.11 | reception",
                "host 9c:75:14:00:01:02 |  |  | set:x infinite",
                "pbx1.acme.example. | 60 | IN A | 10.20.0.10",
                "_sip._tcp.acme.example. |  | IN SRV | 10 100 443 pbx1.acme.example.",
                "acme.example. |  | IN NAPTR | 10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example.",
                "acme.example. |  | IN TXT | \"a \\\"b\\\"\" \"c\"",
                "acme.example. |  | IN CAA | 0 issue \"ca\"",
                "bogus-priv",
            ]
        );
    }

    #[test]
    fn an_option_alone_says_for_whom_it_is() {
        let option = json!({ "network": "voice", "code": 6, "value": "10.20.30.5" });
        assert_eq!(
            shown(&[("option", option.clone()), ("phone-option", option)]),
            [
                "option 6 domain-name-servers | 10.20.30.5 | for voice",
                "option 6 domain-name-servers | 10.20.30.5 | for phones of voice",
            ]
        );
    }

    #[test]
    fn what_another_version_wrote_is_left_to_its_address() {
        assert_eq!(
            shown(&[("host", json!({ "hw": 1 })), ("zone", json!(1))]),
            ["", ""]
        );
    }
}
