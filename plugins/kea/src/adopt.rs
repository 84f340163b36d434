//! What the server holds, as parts of a topology.

use serde_json::{Map, Value, json};
use switchover_sdk::{
    AdoptedDevice, AdoptedNetwork, AdoptedServer, Adoption, DhcpOption, OptionValue, Pool,
    ServerRole, text,
};

use crate::configuration::{Configuration, objects};
use crate::current::{self, is_for_some_classes};
use crate::encode::option_data;
use crate::high_availability::{self, Pair};
use crate::manifest::Settings;
use crate::shape::{DHCP4, OptionData, SubnetOption, class_address, kind};

/// Of a subnet: what a topology cannot say, and the value that says nothing.
fn subnet_extras() -> [(&'static str, Value); 12] {
    [
        ("4o6-interface", json!("")),
        ("boot-file-name", json!("")),
        ("client-class", json!("")),
        ("client-classes", json!([])),
        ("interface", json!("")),
        ("next-server", json!("0.0.0.0")),
        ("rebind-timer", json!(0)),
        ("relay", json!({ "ip-addresses": [] })),
        ("renew-timer", json!(0)),
        ("require-client-classes", json!([])),
        ("evaluate-additional-classes", json!([])),
        ("server-hostname", json!("")),
    ]
}

/// The same of a reservation.
fn reservation_extras() -> [(&'static str, Value); 5] {
    [
        ("boot-file-name", json!("")),
        ("client-classes", json!([])),
        ("next-server", json!("0.0.0.0")),
        ("option-data", json!([])),
        ("server-hostname", json!("")),
    ]
}

/// The same of a pool.
fn pool_extras() -> [(&'static str, Value); 5] {
    [
        ("client-class", json!("")),
        ("client-classes", json!([])),
        ("evaluate-additional-classes", json!([])),
        ("option-data", json!([])),
        ("require-client-classes", json!([])),
    ]
}

pub(crate) fn adopt(configuration: &Configuration, settings: &Settings) -> Adoption {
    let mut adoption = Adoption {
        itself: AdoptedServer {
            name: None,
            address: own_address(configuration),
            role: None,
        },
        ..Adoption::new()
    };
    if let (_, Some(pair)) = high_availability::read(configuration, settings) {
        adopt_pair(&mut adoption, &pair);
    }
    for option in configuration.list("option-data") {
        if let Some(OptionData { space, code, .. }) = current::option_data(option) {
            let name = if space == DHCP4 {
                code.to_string()
            } else {
                format!("{space}.{code}")
            };
            adoption.leave(
                format!("global {}/{name}", kind::OPTION),
                "it holds for every subnet of the server, and a topology says what holds for a network",
            );
        }
    }
    for class in configuration.list("client-classes") {
        if let Some(name) = class.get("name").and_then(Value::as_str) {
            adoption.leave(
                class_address(name),
                "a topology has no classes; those of telephones follow from their devices",
            );
        }
    }
    for shared in configuration.list("shared-networks") {
        let name = shared
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        adoption.leave(
            format!("shared-network/{name}"),
            "its subnets are taken over one by one; what holds for it as a whole stays with it",
        );
    }
    for object in configuration.subnets() {
        adopt_subnet(&mut adoption, configuration, object);
    }
    adoption
}

/// What somebody else made of two servers is kept: whoever has a target for both may have it managed.
fn adopt_pair(adoption: &mut Adoption, pair: &Pair) {
    let role = |role: &str| match role {
        "primary" => Some(ServerRole::Primary),
        "standby" => Some(ServerRole::Standby),
        _ => None,
    };
    for (name, address, its_role) in pair.servers() {
        let server = AdoptedServer {
            name: Some(name.into()),
            address,
            role: role(its_role),
        };
        if name == pair.this_server_name {
            let own = adoption.itself.address.take();
            adoption.itself = AdoptedServer {
                address: own.or(server.address),
                ..server
            };
        } else {
            adoption.partners.push(server);
        }
    }
    adoption.settings = json!({ "high-availability": "present" }).to_string();
    adoption.leave(
        kind::HIGH_AVAILABILITY,
        "it is kept (`high-availability \"present\"`); a target for each of the servers and `\"managed\"` hand it over",
    );
}

/// The address that DHCP is served at, where one interface is named with one: `eth0/10.20.30.5`.
fn own_address(configuration: &Configuration) -> Option<String> {
    let interfaces = configuration.interfaces();
    let mut addresses = interfaces.filter_map(|interface| interface.split_once('/'));
    let (_, address) = addresses.next()?;
    addresses.next().is_none().then(|| address.to_owned())
}

fn adopt_subnet(
    adoption: &mut Adoption,
    configuration: &Configuration,
    object: &Map<String, Value>,
) {
    let Some(subnet) = current::subnet(object, configuration.keys) else {
        adoption.leave(kind::SUBNET, "it has no address range");
        return;
    };
    let cidr = subnet.subnet.clone();
    leave_extras(adoption, &subnet.address(), object, &subnet_extras());
    let mut options = Vec::new();
    for object in objects(object, "option-data") {
        let Some(option) = current::option_data(object) else {
            continue;
        };
        let whole = SubnetOption {
            subnet: cidr.clone(),
            option,
        };
        let code = u8::try_from(whole.option.code).ok();
        match code.filter(|_| whole.option.space == DHCP4 && !is_for_some_classes(object)) {
            Some(code) => options.push(decode(code, &whole.option)),
            None => adoption.leave(
                whole.address(),
                "it is for some clients only, or an option within an option",
            ),
        }
    }
    options.sort_by_key(|option| option.code);
    options.dedup_by_key(|option| option.code);
    for pool in objects(object, "pools") {
        let range = pool.get("pool").and_then(Value::as_str).unwrap_or_default();
        leave_extras(adoption, &format!("pool/{range}"), pool, &pool_extras());
    }
    let pool = match subnet.pools.as_slice() {
        [pool] => pool.split_once('-'),
        _ => None,
    };
    adoption.networks.push(AdoptedNetwork {
        name: None,
        subnet: cidr.clone(),
        pool: pool.map(|(first, last)| Pool {
            first: first.into(),
            last: last.into(),
        }),
        lease_seconds: u32::try_from(subnet.valid_lifetime)
            .ok()
            .filter(|seconds| *seconds > 0),
        options,
        stays: match subnet.pools.len() {
            0 | 1 => None,
            pools => Some(format!(
                "it has {pools} pools ({}), and a network has one",
                subnet.pools.join(", ")
            )),
        },
    });
    for object in objects(object, "reservations") {
        // Those by other identifiers are told by their addresses as resources.
        let Some(reservation) = current::reservation(object, &cidr) else {
            continue;
        };
        leave_extras(
            adoption,
            &reservation.address(),
            object,
            &reservation_extras(),
        );
        adoption.devices.push(AdoptedDevice {
            // No host name is a hardware address, so that a device of that name gets none.
            name: reservation
                .hostname
                .unwrap_or_else(|| reservation.hw_address.clone()),
            mac: reservation.hw_address,
            subnet: Some(cidr.clone()),
            address: reservation.ip_address,
            stays: None,
        });
    }
}

fn leave_extras(
    adoption: &mut Adoption,
    address: &str,
    object: &Map<String, Value>,
    extras: &[(&str, Value)],
) {
    for (key, nothing) in extras {
        if object.get(*key).is_some_and(|value| value != nothing) {
            adoption.leave(format!("{address} {key}"), "a topology has no word for it");
        }
    }
}

/// The value that would be written like this; as text where it could be anything.
fn decode(code: u8, data: &OptionData) -> DhcpOption {
    let of = |value| DhcpOption {
        code,
        name: None,
        value,
    };
    let parts: Vec<String> = data.data.split(", ").map(Into::into).collect();
    let are_addresses = |parts: &[String]| {
        let is_address = |part: &String| part.parse::<std::net::Ipv4Addr>().is_ok();
        !parts.is_empty() && parts.iter().all(is_address)
    };
    let mut candidates = Vec::new();
    if data.csv_format {
        match parts.split_first() {
            Some((kind, rest)) if kind == "1" && are_addresses(rest) => {
                candidates.push(OptionValue::SipAddresses(rest.to_vec()));
            }
            Some((kind, rest)) if kind == "0" && !rest.is_empty() => {
                candidates.push(OptionValue::SipNames(rest.to_vec()));
            }
            _ if are_addresses(&parts) => candidates.push(OptionValue::Addresses(parts)),
            _ => {}
        }
        candidates.push(OptionValue::Text(data.data.replace("\\,", ",")));
        candidates.push(OptionValue::Text(data.data.clone()));
    } else if let Some(text) = bytes(&data.data).and_then(|bytes| String::from_utf8(bytes).ok()) {
        candidates.push(OptionValue::Text(text::literal(&text)));
    }
    let same = |value: &OptionValue| option_data(&of(value.clone())) == *data;
    let fitting = candidates.into_iter().find(same);
    of(fitting.unwrap_or_else(|| match data.csv_format {
        true => OptionValue::Text(data.data.clone()),
        false => OptionValue::Hex(data.data.clone()),
    }))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_those_that_are_written_so() {
        let list = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (code, value) in [
            (6, OptionValue::Addresses(list(&["10.0.0.1", "10.0.0.2"]))),
            (66, OptionValue::Text("a, b".into())),
            (160, OptionValue::Text(" ü$${x}".into())),
            (120, OptionValue::SipAddresses(list(&["10.0.0.1"]))),
            (120, OptionValue::SipNames(list(&["pbx.example"]))),
            (119, OptionValue::Text("a.example, b.example".into())),
            (43, OptionValue::Hex("ff00".into())),
        ] {
            let option = DhcpOption {
                code,
                name: None,
                value,
            };
            assert_eq!(decode(code, &option_data(&option)), option);
        }
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_it_was_read(text in "[ -~ü,\\\\]{1,20}") {
            let option = DhcpOption { code: 66, name: None, value: OptionValue::Text(text::literal(&text)) };
            let written = option_data(&option);
            prop_assert_eq!(option_data(&decode(66, &written)), written);
        }
    }
}
