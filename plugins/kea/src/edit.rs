//! Changing a configuration: only the objects that the changes name, and in them only the keys of their shape.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use switchover_sdk::{Action, Change, Failure};

use crate::configuration::{Configuration, list_mut, objects, pool_range, subnet_cidr};
use crate::current;
use crate::encode::definition_name;
use crate::high_availability::{put_hook, put_pair, remove_hook, remove_pair};
use crate::manifest::Settings;
use crate::shape::{ClientClass, OptionData, OptionDef, Reservation, Subnet, SubnetOption, kind};

/// Applies the changes. What others stand on comes first: hooks, definitions, classes, subnets, then what is in a subnet;
/// removals go the other way.
///
/// # Errors
/// A change is not one of this plugin's, or a subnet that is to go holds what somebody else put there.
pub(crate) fn apply(
    configuration: &mut Configuration,
    changes: &[Change],
    settings: &Settings,
) -> Result<(), Failure> {
    const ORDER: [&str; 6] = [
        kind::HOOK,
        kind::HIGH_AVAILABILITY,
        kind::OPTION_DEF,
        kind::CLASS,
        kind::SUBNET,
        kind::OPTION,
    ];
    let known = |change: &&Change| {
        change.kind == kind::RESERVATION || ORDER.contains(&change.kind.as_str())
    };
    if let Some(stranger) = changes.iter().find(|change| !known(change)) {
        return Err(unexpected(stranger, "its kind is not one of this plugin's"));
    }
    let of_kind = |kind: &'static str| changes.iter().filter(move |change| change.kind == kind);
    for change in ORDER.into_iter().flat_map(of_kind) {
        match change.action {
            Action::Create | Action::Update => put(configuration, change, settings)?,
            Action::Delete => {}
        }
    }
    apply_reservations(configuration, of_kind(kind::RESERVATION))?;
    for change in ORDER.into_iter().rev().flat_map(of_kind) {
        if change.action == Action::Delete {
            remove(configuration, change)?;
        }
    }
    Ok(())
}

fn unexpected(change: &Change, why: &str) -> Failure {
    let address = &change.address;
    Failure::new(
        "change",
        format!("cannot apply the change of `{address}`: {why}"),
    )
}

/// A change's value before or after, in its shape.
fn parse<T: DeserializeOwned>(change: &Change, json: Option<&String>) -> Result<T, Failure> {
    let json = json.ok_or_else(|| unexpected(change, "it has no value"))?;
    serde_json::from_str(json).map_err(|error| unexpected(change, &error.to_string()))
}

fn put(
    configuration: &mut Configuration,
    change: &Change,
    settings: &Settings,
) -> Result<(), Failure> {
    let after = change.after.as_ref();
    match change.kind.as_str() {
        kind::HOOK => put_hook(configuration, &parse(change, after)?, settings),
        kind::HIGH_AVAILABILITY => put_pair(configuration, &parse(change, after)?, settings),
        kind::OPTION_DEF => put_option_def(configuration, &parse(change, after)?),
        kind::CLASS => put_class(configuration, &parse(change, after)?),
        kind::SUBNET => put_subnet(configuration, &parse(change, after)?),
        _ => {
            let SubnetOption { subnet, option } = parse(change, after)?;
            let subnet = configuration.subnet_mut(&subnet);
            subnet.and_then(|subnet| put_option(list_mut(subnet, "option-data")?, &option))
        }
    }
    .ok_or_else(|| unexpected(change, "kea's configuration has no place for it"))
}

fn remove(configuration: &mut Configuration, change: &Change) -> Result<(), Failure> {
    let before = change.before.as_ref();
    match change.kind.as_str() {
        kind::HOOK => remove_hook(configuration, &parse(change, before)?),
        kind::HIGH_AVAILABILITY => remove_pair(configuration),
        kind::OPTION_DEF => {
            let def: OptionDef = parse(change, before)?;
            discard(configuration.list_mut("option-def"), |object| {
                is_def(object, &def)
            });
        }
        kind::CLASS => {
            let class: ClientClass = parse(change, before)?;
            discard(configuration.list_mut("client-classes"), |object| {
                has_text(object, "name", &class.name)
            });
        }
        kind::SUBNET => {
            let subnet: Subnet = parse(change, before)?;
            remove_subnet(configuration, &subnet.subnet)?;
        }
        _ => {
            let SubnetOption { subnet, option } = parse(change, before)?;
            let list = configuration
                .subnet_mut(&subnet)
                .and_then(|subnet| list_mut(subnet, "option-data"));
            discard(list, |object| is_option(object, &option));
        }
    }
    Ok(())
}

fn put_option_def(configuration: &mut Configuration, def: &OptionDef) -> Option<()> {
    let list = configuration.list_mut("option-def")?;
    let object = find_or_add(
        list,
        |object| is_def(object, def),
        || json!({"space": def.space, "code": def.code, "name": definition_name(def)}),
    )?;
    object.insert("type".into(), json!(def.r#type));
    object.insert("record-types".into(), json!(def.record_types));
    object.insert("array".into(), json!(def.array));
    Some(())
}

fn put_class(configuration: &mut Configuration, class: &ClientClass) -> Option<()> {
    let keys = configuration.keys;
    let list = configuration.list_mut("client-classes")?;
    let object = find_or_add(
        list,
        |object| has_text(object, "name", &class.name),
        || json!({"name": class.name}),
    )?;
    object.insert("test".into(), json!(class.test));
    object.insert(keys.only_if_required.into(), json!(class.only_if_required));
    let options = list_mut(object, "option-data")?;
    options.retain(|entry| {
        let wanted = |object| {
            class
                .option_data
                .iter()
                .any(|option| is_option(object, option))
        };
        entry.as_object().is_some_and(wanted)
    });
    class
        .option_data
        .iter()
        .try_for_each(|option| put_option(options, option))
}

fn put_subnet(configuration: &mut Configuration, subnet: &Subnet) -> Option<()> {
    let keys = configuration.keys;
    if configuration.subnet_mut(&subnet.subnet).is_none() {
        let id = configuration.free_subnet_id();
        configuration
            .list_mut("subnet4")?
            .push(json!({"subnet": subnet.subnet, "id": id}));
    }
    let object = configuration.subnet_mut(&subnet.subnet)?;
    put_lifetime(object, subnet.valid_lifetime);
    object.insert(
        keys.require_client_classes.into(),
        json!(subnet.require_client_classes),
    );
    let pools = list_mut(object, "pools")?;
    // Pools that stay keep their own options and classes.
    let mut old = std::mem::take(pools);
    for range in &subnet.pools {
        let same = |pool: &Value| {
            let pool = pool.get("pool").and_then(Value::as_str);
            pool.is_some_and(|pool| pool_range(pool) == *range)
        };
        let kept = old.iter().position(same).map(|at| old.remove(at));
        pools.push(kept.unwrap_or_else(|| json!({ "pool": range })));
    }
    Some(())
}

/// Kea says a minimum and a maximum even where none was set, and refuses a lifetime outside of them.
fn put_lifetime(subnet: &mut Map<String, Value>, seconds: u64) {
    let bound = |key: &str| subnet.get(key).and_then(Value::as_u64);
    let (min, max) = (bound("min-valid-lifetime"), bound("max-valid-lifetime"));
    if bound("valid-lifetime") != Some(seconds) {
        let unset = min == max;
        if unset || min.is_some_and(|min| min > seconds) {
            subnet.remove("min-valid-lifetime");
        }
        if unset || max.is_some_and(|max| max < seconds) {
            subnet.remove("max-valid-lifetime");
        }
    }
    subnet.insert("valid-lifetime".into(), json!(seconds));
}

fn put_option(list: &mut Vec<Value>, option: &OptionData) -> Option<()> {
    let object = find_or_add(
        list,
        |object| is_option(object, option),
        || json!({"space": option.space, "code": option.code}),
    )?;
    object.insert("csv-format".into(), json!(option.csv_format));
    object.insert("data".into(), json!(option.data));
    // Kea holds an option twice without a complaint; the first was changed, and no other may stand beside it.
    let mut seen = false;
    list.retain(|entry| {
        let same = entry
            .as_object()
            .is_some_and(|object| is_option(object, option));
        !(same && std::mem::replace(&mut seen, true))
    });
    Some(())
}

/// Reservations are many, so each subnet's are looked up once for all of its changes.
fn apply_reservations<'a>(
    configuration: &mut Configuration,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<(), Failure> {
    let mut by_subnet: BTreeMap<String, Vec<(&Change, Reservation)>> = BTreeMap::new();
    for change in changes {
        let value = match change.action {
            Action::Create | Action::Update => change.after.as_ref(),
            Action::Delete => change.before.as_ref(),
        };
        let reservation: Reservation = parse(change, value)?;
        let subnet = by_subnet.entry(reservation.subnet.clone()).or_default();
        subnet.push((change, reservation));
    }
    for (cidr, changes) in by_subnet {
        let subnet = configuration.subnet_mut(&cidr);
        let Some(list) = subnet.and_then(|subnet| list_mut(subnet, "reservations")) else {
            match changes
                .iter()
                .find(|(change, _)| change.action != Action::Delete)
            {
                Some((change, _)) => return Err(unexpected(change, "kea has no such subnet")),
                None => continue,
            }
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, entry) in list.iter().enumerate() {
            if let Some(mac) = hw_address(entry) {
                places.entry(mac).or_insert(at);
            }
        }
        let mut gone = HashSet::new();
        for (change, reservation) in changes {
            let place = places.get(&reservation.hw_address).copied();
            match (change.action, place) {
                (Action::Delete, _) => {
                    gone.insert(reservation.hw_address);
                }
                (_, Some(at)) => put_reservation(&mut list[at], &reservation),
                (_, None) => {
                    let mut entry = json!({"hw-address": reservation.hw_address});
                    put_reservation(&mut entry, &reservation);
                    list.push(entry);
                }
            }
        }
        list.retain(|entry| !hw_address(entry).is_some_and(|mac| gone.contains(&mac)));
    }
    Ok(())
}

fn hw_address(entry: &Value) -> Option<String> {
    Some(entry.get("hw-address")?.as_str()?.to_ascii_lowercase())
}

fn put_reservation(entry: &mut Value, reservation: &Reservation) {
    let Some(object) = entry.as_object_mut() else {
        return;
    };
    for (key, value) in [
        ("ip-address", &reservation.ip_address),
        ("hostname", &reservation.hostname),
    ] {
        match value {
            Some(value) => object.insert(key.into(), json!(value)),
            None => object.remove(key),
        };
    }
}

/// Removes a subnet that holds nothing any more.
fn remove_subnet(configuration: &mut Configuration, cidr: &str) -> Result<(), Failure> {
    let Some(subnet) = configuration.subnet_mut(cidr) else {
        return Ok(());
    };
    for (key, what) in [
        ("reservations", "a reservation"),
        ("option-data", "an option"),
    ] {
        if objects(subnet, key).next().is_some() {
            return Err(Failure::new(
                "subnet-in-use",
                format!("subnet `{cidr}` still holds {what} that was not made here, and would take it along"),
            )
            .with_help("move it to another subnet or remove it in kea, then plan again"));
        }
    }
    for list in configuration.subnet_lists_mut() {
        list.retain(|subnet| subnet.as_object().and_then(subnet_cidr).as_deref() != Some(cidr));
    }
    Ok(())
}

fn find_or_add(
    list: &mut Vec<Value>,
    same: impl Fn(&Map<String, Value>) -> bool,
    new: impl FnOnce() -> Value,
) -> Option<&mut Map<String, Value>> {
    let at = match list
        .iter()
        .position(|entry| entry.as_object().is_some_and(&same))
    {
        Some(at) => at,
        None => {
            list.push(new());
            list.len() - 1
        }
    };
    list.get_mut(at)?.as_object_mut()
}

fn discard(list: Option<&mut Vec<Value>>, same: impl Fn(&Map<String, Value>) -> bool) {
    if let Some(list) = list {
        list.retain(|entry| !entry.as_object().is_some_and(&same));
    }
}

fn has_text(object: &Map<String, Value>, key: &str, text: &str) -> bool {
    object.get(key).and_then(Value::as_str) == Some(text)
}

fn is_def(object: &Map<String, Value>, def: &OptionDef) -> bool {
    current::option_def(object)
        .is_some_and(|other| (&other.space, other.code) == (&def.space, def.code))
}

fn is_option(object: &Map<String, Value>, option: &OptionData) -> bool {
    !current::is_for_some_classes(object)
        && current::option_data(object)
            .is_some_and(|other| (&other.space, other.code) == (&option.space, option.code))
}
