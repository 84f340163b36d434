//! What only this plugin can know to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use switchover_sdk::scope::own_zones;
use switchover_sdk::{Finding, Role, Rule, ServerRole, Target, View, Zone};

use crate::data;
use crate::rrset::{is_in, zone_name, zone_of};
use crate::rules::{
    UPDATE001, UPDATE002, UPDATE003, UPDATE004, UPDATE005, UPDATE006, UPDATE007, UPDATE008,
};

pub(crate) fn findings(view: &View, target: &Target) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(roles(view, target));
    for zone in own_zones(view) {
        found.extend(primary(view, zone, target));
        found.extend(records(zone, target));
        found.extend(aliases(zone));
    }
    found
}

fn roles(view: &View, target: &Target) -> impl Iterator<Item = Finding> {
    let path = format!("target/{}", target.name);
    view.roles.iter().filter_map(move |role| {
        let role = match role {
            Role::DnsServer(_) => return None,
            Role::Pbx(name) => format!("PBX `{name}`"),
            Role::DhcpServer(server) => format!("DHCP server `{}`", server.server),
            Role::Provisioning(name) => format!("provisioning service `{name}`"),
        };
        let message = format!("{role} names this target, but rfc2136 changes DNS zones only");
        Some(
            UPDATE001.at(path.clone(), message)
                .with_help("name the target from a server of a `dns` node, and give the other one a target of its own"),
        )
    })
}

/// Updates go to the primary; a secondary gets the zone from it.
fn primary(view: &View, zone: &Zone, target: &Target) -> Option<Finding> {
    let own = view.roles.iter().find_map(|role| match role {
        Role::DnsServer(place) if place.service == zone.name => {
            let server = zone
                .servers
                .iter()
                .find(|server| server.name == place.server)?;
            (server.role != ServerRole::Primary).then_some(server)
        }
        _ => None,
    })?;
    let message = format!(
        "`{}` is a secondary server of `{}`: it gets the zone from the primary and is not updated itself",
        own.name, zone.name
    );
    Some(
        UPDATE002
            .at(format!("target/{}", target.name), message)
            .with_help("name the target from the primary server of the zone only"),
    )
}

fn records(zone: &Zone, target: &Target) -> Vec<Finding> {
    let path = format!("dns/{}", zone.name);
    let apex = zone_name(&zone.name);
    let mut found = Vec::new();
    if !data::is_name(&apex) || apex.contains('*') {
        let message = format!("`{}` is no name of a zone", zone.name);
        return vec![UPDATE003.at(path, message)];
    }
    for record in &zone.records {
        let (owner, rtype) = (&record.owner, data::rtype(record));
        let mut wrong = |rule: Rule, message: String, help: &str| {
            found.push(rule.at(path.clone(), message).with_help(help));
        };
        if !data::is_name(owner) || !is_in(owner, &apex) {
            wrong(
                UPDATE004,
                format!("`{owner}` is no name in the zone `{apex}`"),
                "letters, digits, `-`, `_` and `*`; a name with a final dot is not completed by the zone's",
            );
        } else if let Some(other) = zone_of(owner, &target.zones).filter(|other| other.name != apex)
        {
            let message = format!(
                "`{owner}` belongs to the zone `{}`, which has a `dns` node of its own",
                other.name
            );
            wrong(
                UPDATE005,
                message,
                "declare the record in the node of its zone",
            );
        }
        if rtype == "SOA" || (rtype == "NS" && *owner == apex) {
            wrong(
                UPDATE006,
                format!("the {rtype} records of `{apex}` are the server's own"),
                "keep them in the server's configuration; they stay as they are",
            );
        } else if let Err(problem) = data::wanted(record, &apex) {
            wrong(
                UPDATE007,
                format!("the record `{owner}` {rtype} cannot be written: {problem}"),
                "values stand as in a zone file; a name without a final dot is completed by the zone's",
            );
        }
    }
    found
}

/// RFC 1034, section 3.6.2: where an alias is, nothing else is, and it is the only one.
fn aliases(zone: &Zone) -> Vec<Finding> {
    let mut types: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut targets: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &zone.records {
        let rtype = data::rtype(record);
        if rtype == "CNAME" {
            *targets.entry(&record.owner).or_default() += 1;
        }
        types.entry(&record.owner).or_default().insert(rtype);
    }
    let wrong = targets.into_iter().filter_map(|(owner, count)| {
        let others = types.get(owner).map_or(0, BTreeSet::len) - 1;
        let message = match (count, others) {
            (1, 0) => return None,
            (1, _) => format!("`{owner}` is an alias (CNAME) and has other records too"),
            _ => format!("`{owner}` is an alias (CNAME) of {count} names"),
        };
        Some(
            UPDATE008
                .at(format!("dns/{}", zone.name), message)
                .with_help(
                    "an alias stands alone at its name; servers drop it silently where it does not",
                ),
        )
    });
    wrong.collect()
}
