//! How entries read in a plan.

use switchover_sdk::notation::{self, Networks, duration};
use switchover_sdk::{Line, ShownResource};

use crate::entry::Entry;
use crate::failover::{Failover, Role};
use crate::host::Host;
use crate::option::{Audience, Data, SubnetOption};
use crate::subnet::{Pool, Subnet};

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    let entry =
        |resource: &ShownResource| Entry::from_value(&resource.kind, resource.json()?)?.ok();
    let entries: Vec<Option<Entry>> = resources.iter().map(entry).collect();
    let named = entries.iter().flatten().filter_map(network);
    let own = entries
        .iter()
        .any(|entry| matches!(entry, Some(Entry::Subnet(_))));
    let networks = Networks::of(named, own);
    let line = |entry: &Option<Entry>| match entry {
        Some(entry) => line(entry, &networks),
        None => Line::default(),
    };
    entries.iter().map(line).collect()
}

fn network(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Subnet(subnet) => Some(&subnet.subnet),
        Entry::Option(_, option) => Some(&option.subnet),
        Entry::Phones(phones) => Some(&phones.subnet),
        Entry::OptionDef(_) | Entry::Failover(_) | Entry::Host(_) | Entry::Statement(_) => None,
    }
}

fn line(entry: &Entry, networks: &Networks) -> Line {
    match entry {
        Entry::OptionDef(def) => {
            Line::new([format!("option-def {}", def.code), def.r#type.clone()])
        }
        Entry::Failover(failover) => failover_line(failover),
        Entry::Subnet(subnet) => subnet_line(subnet),
        Entry::Option(audience, option) => option_line(*audience, option, networks),
        Entry::Phones(phones) => Line::new([
            "class phones".into(),
            phones.ouis.join(", "),
            networks.audience(&phones.subnet, notation::Audience::Everybody),
        ]),
        Entry::Host(host) => host_line(host),
        // Nothing here changes one.
        Entry::Statement(_) => Line::default(),
    }
}

fn subnet_line(subnet: &Subnet) -> Line {
    let lease = |seconds: u32| duration(seconds.into());
    let lease = match (subnet.default_lease_seconds, subnet.max_lease_seconds) {
        (Some(usual), Some(most)) if usual == most => format!("lease {}", lease(usual)),
        (Some(usual), Some(most)) => format!("lease {}, at most {}", lease(usual), lease(most)),
        (Some(usual), None) => format!("lease {}, at most the server's own", lease(usual)),
        (None, Some(most)) => format!("lease at most {}", lease(most)),
        (None, None) => String::new(),
    };
    let pools: Vec<String> = subnet.pools.iter().map(pool).collect();
    Line::new([format!("subnet {}", subnet.subnet), pools.join(", "), lease])
}

fn pool(pool: &Pool) -> String {
    let range = notation::pool(&pool.first, &pool.last);
    let peer = pool.failover.iter().map(|peer| format!("with peer {peer}"));
    peer.chain(pool.more.iter().cloned())
        .fold(range, |text, more| format!("{text} {more}"))
}

fn option_line(audience: Audience, option: &SubnetOption, networks: &Networks) -> Line {
    let value = match &option.data {
        Data::Text(text) => text.clone(),
        Data::Value(value) => value.clone(),
    };
    let audience = match audience {
        Audience::Everybody => notation::Audience::Everybody,
        Audience::Phones => notation::Audience::Phones,
    };
    Line::new([
        notation::option(option.code.into()),
        value,
        networks.audience(&option.subnet, audience),
    ])
}

fn host_line(host: &Host) -> Line {
    let Host {
        mac,
        name,
        address,
        host_name,
        more,
    } = host;
    let mut columns = vec![
        format!("host {mac}"),
        address.clone().unwrap_or_default(),
        name.clone(),
    ];
    match host_name {
        Some(told) if told == name => {}
        Some(told) => columns.push(format!("host-name {told}")),
        None => columns.push("no host-name".into()),
    }
    columns.extend(more.iter().cloned());
    Line::new(columns)
}

fn failover_line(failover: &Failover) -> Line {
    let Failover {
        name,
        role,
        address,
        peer_address,
        numbers,
        more,
    } = failover;
    let role = match role {
        Role::Primary => "primary",
        Role::Secondary => "secondary",
    };
    let at = |address: &str, port: Option<u32>| match port {
        Some(port) => format!("{address}:{port}"),
        None => address.to_owned(),
    };
    // The ports stand with their addresses.
    let set = numbers.set().into_iter();
    let set = set.filter(|(keyword, _)| !keyword.ends_with("port"));
    let settings: Vec<String> = set
        .map(|(keyword, value)| format!("{keyword} {value}"))
        .chain(more.iter().cloned())
        .collect();
    Line::new([
        format!("peer {name}"),
        format!("{role} {}", at(address, numbers.port)),
        format!("with {}", at(peer_address, numbers.peer_port)),
        settings.join(", "),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use switchover_sdk::ShownContent;

    use super::*;

    fn shown(kind: &str, value: &Value) -> String {
        let resource = ShownResource {
            address: format!("{kind}/x"),
            kind: kind.into(),
            content: ShownContent::Object(value.to_string()),
            hint: None,
        };
        lines(&[resource]).remove(0).columns.join(" | ")
    }

    #[test]
    fn each_kind_reads_as_dhcpd_has_it() {
        let subnet = |usual: Option<u32>, most: Option<u32>, pools: Value| {
            json!({ "subnet": "10.20.30.0/24", "default-lease-seconds": usual, "max-lease-seconds": most,
                "pools": pools })
        };
        let pool = json!({ "first": "10.20.30.100", "last": "10.20.30.199" });
        let mut shared = pool.clone();
        shared["failover"] = json!("office");
        shared["more"] = json!(["deny unknown-clients;"]);
        let option = |code: u8, name: &str| json!({ "subnet": "10.20.30.0/24", "code": code, "name": name, "value": "10.20.30.5, 10.20.0.54" });
        for (kind, value, line) in [
            (
                "subnet",
                subnet(Some(28_800), Some(28_800), json!([pool])),
                "subnet 10.20.30.0/24 | pool 10.20.30.100 - 10.20.30.199 | lease 8h",
            ),
            (
                "subnet",
                subnet(Some(3_600), Some(28_800), json!([shared])),
                "subnet 10.20.30.0/24 | pool 10.20.30.100 - 10.20.30.199 with peer office deny unknown-clients; \
                 | lease 1h, at most 8h",
            ),
            (
                "option",
                option(6, "domain-name-servers"),
                "option 6 domain-name-servers | 10.20.30.5, 10.20.0.54 | for 10.20.30.0/24",
            ),
            (
                "phone-option",
                option(120, "switchover-120"),
                "option 120 sip-servers | 10.20.30.5, 10.20.0.54 | for phones of 10.20.30.0/24",
            ),
            (
                "phones",
                json!({ "subnet": "10.20.30.0/24", "ouis": ["9c:75:14", "00:15:65"] }),
                "class phones | 9c:75:14, 00:15:65 | for 10.20.30.0/24",
            ),
            (
                "host",
                json!({ "mac": "9c:75:14:00:01:01", "name": "reception", "address": "10.20.30.11",
                    "host-name": "reception" }),
                "host 9c:75:14:00:01:01 | 10.20.30.11 | reception",
            ),
            (
                "host",
                json!({ "mac": "9c:75:14:00:01:01", "name": "a", "host-name": "b", "more": ["filename \"x\";"] }),
                "host 9c:75:14:00:01:01 |  | a | host-name b | filename \"x\";",
            ),
            (
                "failover",
                json!({ "name": "office", "role": "primary", "address": "10.0.0.1", "peer-address": "10.0.0.2",
                    "port": 647, "peer-port": 647, "mclt": 3600, "split": 128 }),
                "peer office | primary 10.0.0.1:647 | with 10.0.0.2:647 | mclt 3600, split 128",
            ),
            (
                "option-def",
                json!({ "code": 120, "type": "{ integer 8, array of ip-address }" }),
                "option-def 120 | { integer 8, array of ip-address }",
            ),
            ("statement", json!({ "statement": "deny booting" }), ""),
            ("host", json!({ "hw": 1 }), ""),
        ] {
            assert_eq!(shown(kind, &value), line, "{value}");
        }
    }
}
