//! How resources read in a plan.

use switchover_sdk::notation::{self, Audience, Networks, duration};
use switchover_sdk::{Line, ShownResource};

use crate::high_availability::{Hook, Pair};
use crate::shape::{
    ClientClass, DHCP4, OptionData, OptionDef, Reservation, Subnet, SubnetOption, kind,
};

/// A resource in its own type.
enum Shape {
    Hook(Hook),
    Pair(Pair),
    OptionDef(OptionDef),
    Class(ClientClass),
    Subnet(Subnet),
    Option(SubnetOption),
    Reservation(Reservation),
}

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    let shapes: Vec<Option<Shape>> = resources.iter().map(Shape::of).collect();
    let named = shapes.iter().flatten().filter_map(Shape::network);
    let own = shapes
        .iter()
        .any(|shape| matches!(shape, Some(Shape::Subnet(_))));
    let networks = Networks::of(named, own);
    let line = |shape: &Option<Shape>| match shape {
        Some(shape) => shape.line(&networks),
        None => Line::default(),
    };
    shapes.iter().map(line).collect()
}

impl Shape {
    fn of(resource: &ShownResource) -> Option<Self> {
        Some(match resource.kind.as_str() {
            kind::HOOK => Self::Hook(resource.parse()?),
            kind::HIGH_AVAILABILITY => Self::Pair(resource.parse()?),
            kind::OPTION_DEF => Self::OptionDef(resource.parse()?),
            kind::CLASS => Self::Class(resource.parse()?),
            kind::SUBNET => Self::Subnet(resource.parse()?),
            kind::OPTION => Self::Option(resource.parse()?),
            kind::RESERVATION => Self::Reservation(resource.parse()?),
            _ => return None,
        })
    }

    fn network(&self) -> Option<&str> {
        match self {
            Self::Subnet(subnet) => Some(&subnet.subnet),
            Self::Option(option) => Some(&option.subnet),
            Self::Reservation(reservation) => Some(&reservation.subnet),
            Self::Hook(_) | Self::Pair(_) | Self::OptionDef(_) | Self::Class(_) => None,
        }
    }

    fn line(&self, networks: &Networks) -> Line {
        match self {
            Self::Hook(hook) => Line::new([format!("hook {}", hook.library)]),
            Self::Pair(pair) => pair.line(),
            Self::OptionDef(def) => definition(def),
            Self::Class(class) => class_line(class),
            Self::Subnet(subnet) => subnet_line(subnet),
            Self::Option(option) => {
                let data = &option.option;
                let audience = networks.audience(&option.subnet, Audience::Everybody);
                Line::new([option_name(data), value(data), audience])
            }
            Self::Reservation(reservation) => Line::new([
                format!("host {}", reservation.hw_address),
                reservation.ip_address.clone().unwrap_or_default(),
                reservation.hostname.clone().unwrap_or_default(),
            ]),
        }
    }
}

fn subnet_line(subnet: &Subnet) -> Line {
    let pools: Vec<String> = subnet
        .pools
        .iter()
        .map(|pool| match pool.split_once('-') {
            Some((first, last)) => notation::pool(first.trim(), last.trim()),
            None => format!("pool {pool}"),
        })
        .collect();
    let classes: Vec<String> = subnet
        .require_client_classes
        .iter()
        .map(|class| format!("class {class}"))
        .collect();
    Line::new([
        format!("subnet {}", subnet.subnet),
        pools.join(", "),
        format!("lease {}", duration(subnet.valid_lifetime)),
        classes.join(", "),
    ])
}

fn class_line(class: &ClientClass) -> Line {
    let mut columns = vec![
        format!("class {}", class.name),
        match class.test.as_str() {
            "" => String::new(),
            test => format!("if {test}"),
        },
    ];
    if !class.only_if_required {
        columns.push("in every subnet".into());
    }
    let options = class
        .option_data
        .iter()
        .map(|data| format!("{} {}", option_name(data), value(data)));
    Line::new(columns).more(options)
}

fn definition(def: &OptionDef) -> Line {
    let types = match def.record_types.as_str() {
        "" => def.r#type.clone(),
        types => format!("{} of {types}", def.r#type),
    };
    let array = if def.array { ", array" } else { "" };
    Line::new([
        format!("option-def {}", number(&def.space, def.code)),
        format!("{types}{array}"),
    ])
}

fn number(space: &str, code: u64) -> String {
    match space {
        DHCP4 => code.to_string(),
        space => format!("{space}.{code}"),
    }
}

fn option_name(data: &OptionData) -> String {
    match data.space.as_str() {
        DHCP4 => notation::option(data.code),
        space => format!("option {}", number(space, data.code)),
    }
}

fn value(data: &OptionData) -> String {
    if data.csv_format {
        data.data.replace("\\,", ",")
    } else {
        format!("0x{}", data.data)
    }
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
        let line = lines(&[resource]).remove(0);
        let columns = line.columns.join(" | ");
        line.more
            .iter()
            .fold(columns, |text, more| format!("{text} / {more}"))
    }

    #[test]
    fn each_kind_reads_as_kea_has_it() {
        let option = |code: u64, csv: bool, data: &str| json!({ "space": "dhcp4", "code": code, "csv-format": csv, "data": data });
        let mut subnet_option = option(66, true, "http://prov/a\\,b");
        subnet_option["subnet"] = json!("10.20.30.0/24");
        let peer = |name: &str, role: &str| json!({ "name": name, "url": format!("http://{name}:8001/"), "role": role, "auto-failover": true });
        for (kind, value, line) in [
            (
                "subnet",
                json!({ "subnet": "10.20.30.0/24", "pools": ["10.20.30.100-10.20.30.220"], "valid-lifetime": 28_800,
                    "require-client-classes": ["phones-voice"] }),
                "subnet 10.20.30.0/24 | pool 10.20.30.100 - 10.20.30.220 | lease 8h | class phones-voice",
            ),
            (
                "option",
                subnet_option,
                "option 66 tftp-server-name | http://prov/a,b | for 10.20.30.0/24",
            ),
            (
                "reservation",
                json!({ "subnet": "10.20.30.0/24", "hw-address": "9c:75:14:00:01:01", "ip-address": "10.20.30.11",
                    "hostname": "reception" }),
                "host 9c:75:14:00:01:01 | 10.20.30.11 | reception",
            ),
            (
                "class",
                json!({ "name": "phones-voice", "test": "substring(pkt4.mac,0,3) == 0x9c7514", "only-if-required": true,
                    "option-data": [option(66, true, "http://prov/"), option(160, false, "0a0b")] }),
                "class phones-voice | if substring(pkt4.mac,0,3) == 0x9c7514 / option 66 tftp-server-name http://prov/ \
                 / option 160 0x0a0b",
            ),
            (
                "option-def",
                json!({ "space": "dhcp4", "code": 120, "type": "record", "record-types": "uint8, ipv4-address",
                    "array": true }),
                "option-def 120 | record of uint8, ipv4-address, array",
            ),
            (
                "hook",
                json!({ "library": "libdhcp_lease_cmds.so" }),
                "hook libdhcp_lease_cmds.so",
            ),
            (
                "high-availability",
                json!({ "this-server-name": "dhcp1", "mode": "hot-standby", "heartbeat-delay": 10_000,
                    "max-response-delay": 60_000, "max-ack-delay": 5_000, "max-unacked-clients": 10,
                    "listener": "dedicated", "peers": [peer("dhcp1", "primary"), peer("dhcp2", "standby")] }),
                "ha hot-standby as dhcp1 | at a port of its own / peer dhcp1 primary http://dhcp1:8001/ \
                 / peer dhcp2 standby http://dhcp2:8001/ / heartbeat-delay 10000 / max-response-delay 60000 \
                 / max-ack-delay 5000 / max-unacked-clients 10",
            ),
            ("subnet", json!({ "id": 1 }), ""),
            ("lease", json!({}), ""),
        ] {
            assert_eq!(shown(kind, &value), line, "{value}");
        }
    }
}
