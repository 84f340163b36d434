//! What exists, in the shape of `desired`.

use serde::Serialize;
use serde_json::{Map, Value, json};
use switchover_sdk::Resource;

use crate::configuration::{ClassKeys, Configuration, objects, pool_range, subnet_cidr};
use crate::encode::normalise;
use crate::high_availability;
use crate::manifest::Settings;
use crate::shape::{
    ClientClass, DHCP4, OptionData, OptionDef, Reservation, Subnet, SubnetOption, kind,
    subnet_address,
};

/// What identifies the client of a reservation, besides its hardware address.
const OTHER_IDENTIFIERS: [&str; 4] = ["client-id", "duid", "circuit-id", "flex-id"];

/// Every subnet, option, reservation, class, definition and hook, whoever made it.
pub(crate) fn current(configuration: &Configuration, settings: &Settings) -> Vec<Resource> {
    let mut found = Found::default();
    let (hooks, pair) = high_availability::read(configuration, settings);
    for hook in hooks {
        found.add(hook.address(), kind::HOOK, &hook, None);
    }
    if let Some(pair) = pair {
        let address = kind::HIGH_AVAILABILITY.to_owned();
        found.add(address, kind::HIGH_AVAILABILITY, &pair, None);
    }
    for def in configuration.list("option-def").filter_map(option_def) {
        found.add(def.address(), kind::OPTION_DEF, &def, None);
    }
    for class in configuration.list("client-classes") {
        if let Some(class) = client_class(class, configuration.keys) {
            found.add(class.address(), kind::CLASS, &class, None);
        }
    }
    for object in configuration.subnets() {
        let Some(subnet) = subnet(object, configuration.keys) else {
            continue;
        };
        let within = subnet.address();
        let cidr = &subnet.subnet;
        found.add(within.clone(), kind::SUBNET, &subnet, None);
        for option in subnet_options(object, cidr) {
            found.add(option.address(), kind::OPTION, &option, Some(&within));
        }
        for object in objects(object, "reservations") {
            found.add_reservation(object, cidr);
        }
    }
    found.resources
}

#[derive(Default)]
struct Found {
    resources: Vec<Resource>,
    addresses: std::collections::HashSet<String>,
}

impl Found {
    /// Adds a resource. Kea holds a few things twice without a complaint, and uses the first.
    fn add(&mut self, address: String, kind: &str, shape: &impl Serialize, within: Option<&str>) {
        if self.addresses.insert(address.clone()) {
            let value = serde_json::to_value(shape).unwrap_or_default();
            self.resources
                .push(Resource::object(address, kind, &value).depends_on(within));
        }
    }

    fn add_reservation(&mut self, object: &Map<String, Value>, cidr: &str) {
        let within = subnet_address(cidr);
        if let Some(reservation) = reservation(object, cidr) {
            let address = reservation.address();
            self.add(address, kind::RESERVATION, &reservation, Some(&within));
            return;
        }
        for key in OTHER_IDENTIFIERS {
            if let Some(identifier) = text(object, key) {
                let address = format!("{}/{cidr}/{key}={identifier}", kind::RESERVATION);
                let shape = json!({
                    "subnet": cidr,
                    (key): identifier,
                    "ip-address": text(object, "ip-address"),
                    "hostname": text(object, "hostname"),
                });
                self.add(address, kind::RESERVATION, &shape, Some(&within));
                return;
            }
        }
    }
}

pub(crate) fn subnet(object: &Map<String, Value>, keys: ClassKeys) -> Option<Subnet> {
    let pools = objects(object, "pools").filter_map(|pool| pool.get("pool")?.as_str());
    let classes = object.get(keys.require_client_classes);
    Some(Subnet {
        subnet: subnet_cidr(object)?,
        pools: pools.map(pool_range).collect(),
        valid_lifetime: object
            .get("valid-lifetime")
            .and_then(Value::as_u64)
            .unwrap_or(0),
        require_client_classes: classes
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect(),
    })
}

/// Options for every client of the subnet. One that Kea gives to some classes only is none of those.
fn subnet_options(subnet: &Map<String, Value>, cidr: &str) -> impl Iterator<Item = SubnetOption> {
    objects(subnet, "option-data")
        .filter(|object| !is_for_some_classes(object))
        .filter_map(option_data)
        .map(move |option| SubnetOption {
            subnet: cidr.into(),
            option,
        })
}

/// Kea 2.7.1 and later can restrict an option to classes.
pub(crate) fn is_for_some_classes(option: &Map<String, Value>) -> bool {
    option
        .get("client-classes")
        .and_then(Value::as_array)
        .is_some_and(|classes| !classes.is_empty())
}

pub(crate) fn option_data(object: &Map<String, Value>) -> Option<OptionData> {
    let csv_format = object
        .get("csv-format")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let data = text(object, "data").unwrap_or_default();
    Some(OptionData {
        space: text(object, "space").unwrap_or(DHCP4).into(),
        code: object.get("code")?.as_u64()?,
        csv_format,
        data: normalise(csv_format, data),
    })
}

/// A reservation by hardware address.
pub(crate) fn reservation(object: &Map<String, Value>, cidr: &str) -> Option<Reservation> {
    Some(Reservation {
        subnet: cidr.into(),
        hw_address: text(object, "hw-address")?.to_ascii_lowercase(),
        ip_address: text(object, "ip-address").map(Into::into),
        hostname: text(object, "hostname").map(Into::into),
    })
}

fn client_class(object: &Map<String, Value>, keys: ClassKeys) -> Option<ClientClass> {
    let mut option_data: Vec<OptionData> = objects(object, "option-data")
        .filter_map(option_data)
        .collect();
    option_data.sort();
    Some(ClientClass {
        name: text(object, "name")?.into(),
        test: text(object, "test").unwrap_or_default().trim().into(),
        only_if_required: object
            .get(keys.only_if_required)
            .and_then(Value::as_bool)
            .unwrap_or(false),
        option_data,
    })
}

pub(crate) fn option_def(object: &Map<String, Value>) -> Option<OptionDef> {
    Some(OptionDef {
        space: text(object, "space").unwrap_or(DHCP4).into(),
        code: object.get("code")?.as_u64()?,
        r#type: text(object, "type")?.into(),
        record_types: text(object, "record-types").unwrap_or_default().into(),
        array: object
            .get("array")
            .and_then(Value::as_bool)
            .unwrap_or(false),
    })
}

/// A text that says something: Kea gives empty ones for what is not set.
fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.is_empty())
}
