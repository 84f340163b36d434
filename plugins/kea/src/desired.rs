//! What should exist.

use std::collections::BTreeMap;

use serde::Serialize;
use switchover_sdk::scope::{Served, host_name, served};
use switchover_sdk::{Failure, Resource, View};

use crate::encode::{option_data, option_def};
use crate::high_availability::{Hook, LEASE_COMMANDS, wanted};
use crate::manifest::Settings;
use crate::shape::{
    ClientClass, OptionDef, Reservation, Subnet, SubnetOption, class_address, kind,
    option_def_address,
};

/// The definitions, classes, subnets, options and reservations of every network that the target serves, and the pair
/// that it is one of.
///
/// # Errors
/// A shape cannot be written as JSON.
pub(crate) fn desired(view: &View, settings: &Settings) -> Result<Vec<Resource>, Failure> {
    let mut definitions: BTreeMap<u64, OptionDef> = BTreeMap::new();
    for option in served(view).flat_map(|served| served.options().collect::<Vec<_>>()) {
        if let Some(def) = option_def(option) {
            // Two types for one code are a finding; the first stands.
            definitions.entry(def.code).or_insert(def);
        }
    }
    let mut resources = Vec::new();
    if let Some(pair) = wanted(view, settings) {
        let hook = Hook {
            library: LEASE_COMMANDS.into(),
        };
        let needs = hook.address();
        resources.push(resource(needs.clone(), kind::HOOK, &hook)?);
        let address = kind::HIGH_AVAILABILITY.into();
        resources.push(resource(address, kind::HIGH_AVAILABILITY, &pair)?.depends_on([needs]));
    }
    for def in definitions.values() {
        resources.push(resource(def.address(), kind::OPTION_DEF, def)?);
    }
    for served in served(view) {
        let Some(subnet) = subnet(&served) else {
            continue;
        };
        if let Some(class) = phone_class(&served) {
            let needs = definitions_of(
                class.option_data.iter().map(|option| option.code),
                &definitions,
            );
            resources.push(resource(class.address(), kind::CLASS, &class)?.depends_on(needs));
        }
        let within = subnet.address();
        let needs = subnet
            .require_client_classes
            .iter()
            .map(|name| class_address(name));
        resources.push(resource(within.clone(), kind::SUBNET, &subnet)?.depends_on(needs));
        for option in &served.network.options {
            let option = SubnetOption {
                subnet: subnet.subnet.clone(),
                option: option_data(option),
            };
            let needs = definitions_of([option.option.code], &definitions);
            resources.push(
                resource(option.address(), kind::OPTION, &option)?
                    .depends_on([within.clone()])
                    .depends_on(needs),
            );
        }
        for (device, mac, address) in served.reserved(view) {
            let reservation = Reservation {
                subnet: subnet.subnet.clone(),
                hw_address: mac.to_ascii_lowercase(),
                ip_address: Some(address.to_string()),
                hostname: host_name(&device.name),
            };
            resources.push(
                resource(reservation.address(), kind::RESERVATION, &reservation)?
                    .depends_on([within.clone()]),
            );
        }
    }
    Ok(resources)
}

fn resource(address: String, kind: &str, shape: &impl Serialize) -> Result<Resource, Failure> {
    let value = serde_json::to_value(shape)
        .map_err(|error| Failure::new("shape", format!("cannot write `{address}`: {error}")))?;
    Ok(Resource::object(address, kind, &value))
}

fn definitions_of(
    codes: impl IntoIterator<Item = u64>,
    definitions: &BTreeMap<u64, OptionDef>,
) -> Vec<String> {
    codes
        .into_iter()
        .filter_map(|code| definitions.get(&code))
        .map(|def| option_def_address(&def.space, def.code))
        .collect()
}

fn subnet(served: &Served<'_>) -> Option<Subnet> {
    let pool = served.network.pool.as_ref();
    Some(Subnet {
        subnet: served.subnet?.to_string(),
        pools: pool
            .map(|pool| format!("{}-{}", pool.first, pool.last))
            .into_iter()
            .collect(),
        valid_lifetime: served.service.lease_seconds.into(),
        require_client_classes: class_name(served).into_iter().collect(),
    })
}

/// None where the class would match nothing or give nothing.
fn class_name(served: &Served<'_>) -> Option<String> {
    let any = !served.phone_options().is_empty();
    any.then(|| format!("phones-{}", served.network.name))
}

fn phone_class(served: &Served<'_>) -> Option<ClientClass> {
    let tests = served.network.phone_ouis.iter().map(|oui| {
        let digits = oui.replace(':', "").to_ascii_lowercase();
        format!("substring(pkt4.mac,0,3) == 0x{digits}")
    });
    let mut data: Vec<_> = served
        .network
        .phone_options
        .iter()
        .map(option_data)
        .collect();
    data.sort();
    Some(ClientClass {
        name: class_name(served)?,
        test: tests.collect::<Vec<_>>().join(" or "),
        only_if_required: true,
        option_data: data,
    })
}
