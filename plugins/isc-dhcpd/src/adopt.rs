//! What the server holds, as parts of a topology: the statements of the plugin's own file, and those of the file that
//! includes it, which are described and stay where they are.

use switchover_sdk::{
    AdoptedDevice, AdoptedNetwork, AdoptedServer, Adoption, Answers, DhcpOption, Failure,
    OptionValue, Pool, ServerRole,
};

use crate::entry::Entry;
use crate::failover::{Failover, Role};
use crate::host::Host;
use crate::manifest::Settings;
use crate::option::{Audience, Data, OptionDef, SubnetOption};
use crate::subnet::{self, Subnet, cidr, foreign};
use crate::tree::{Node, parse};
use crate::words::{Word, words};
use crate::{FILE, MAIN};

/// What holds for everything below a place in a file.
#[derive(Clone, Default)]
struct Around {
    options: Vec<SubnetOption>,
    default_lease: Option<u32>,
    /// Why nothing there can be handed over.
    stays: Option<String>,
    /// The file, where it is not the plugin's own.
    file: Option<String>,
}

/// # Errors
/// A file is none of dhcpd's.
pub(crate) fn adopt(settings: &Settings, answers: Answers<'_>) -> Result<Adoption, Failure> {
    let mut adoption = Adoption::new();
    // What the file that includes the other one sets holds there, too.
    let mut outside = Around::default();
    if let Some(text) = answers.text(MAIN)? {
        let (nodes, _) = parse(&settings.main, text)?;
        let place = format!(
            "it stands in `{}`, which this target only reads",
            settings.main
        );
        let mut around = Around {
            stays: Some(place),
            file: Some(settings.main.clone()),
            ..Around::default()
        };
        let (own, rest): (Vec<&Node>, Vec<&Node>) = nodes
            .iter()
            .partition(|node| includes(node, &settings.file));
        let said = own
            .into_iter()
            .map(|node| foreign(Some(&settings.main), node).address());
        adoption.said.extend(said);
        adopt_all(&mut adoption, &rest, &mut around);
        outside.default_lease = around.default_lease;
    }
    if let Some(text) = answers.text(FILE)? {
        let (nodes, _) = parse(&settings.file, text)?;
        adopt_all(
            &mut adoption,
            &nodes.iter().collect::<Vec<_>>(),
            &mut outside,
        );
    }
    Ok(adoption)
}

fn includes(node: &Node, own: &str) -> bool {
    match words(node.head()).as_deref() {
        Some([include, Word::Text(path)]) => {
            include.is("include") && path.rsplit('/').next() == Some(own)
        }
        _ => false,
    }
}

fn adopt_all(adoption: &mut Adoption, nodes: &[&Node], around: &mut Around) {
    // Whatever its place in a block, a statement holds for all of it.
    for node in nodes {
        let head = words(node.head()).unwrap_or_default();
        if node.is_block() {
            continue;
        }
        match head.as_slice() {
            [keyword, seconds] if keyword.is("default-lease-time") => {
                around.default_lease = seconds.number();
            }
            head => around.options.extend(SubnetOption::parse("", head)),
        }
    }
    for node in nodes {
        adopt_one(adoption, node, around);
    }
}

fn adopt_one(adoption: &mut Adoption, node: &Node, around: &Around) {
    let address = || foreign(around.file.as_deref(), node).address();
    let head = words(node.head()).unwrap_or_default();
    if let Some(cidr) = cidr(node) {
        adopt_subnet(adoption, &cidr, node, around);
        adoption.said.push(address());
    } else if let Some(host) = Host::parse(node) {
        adopt_host(adoption, host, around.stays.clone());
        adoption.said.push(address());
    } else if let Some(failover) = Failover::parse(node) {
        adopt_failover(adoption, &failover);
        adoption.leave(
            address(),
            "a pair is handed over by a target for each of its two servers",
        );
    } else if OptionDef::parse(&head).is_some_and(|_| !node.is_block()) {
        // It follows from the options of that code.
        adoption.said.push(address());
    } else if let Some(what) = container(&head).filter(|_| node.is_block()) {
        let stays = around
            .stays
            .clone()
            .or_else(|| Some(format!("it stands in {what}")));
        let mut inside = Around {
            stays,
            ..around.clone()
        };
        adopt_all(
            adoption,
            &node.nodes().iter().collect::<Vec<_>>(),
            &mut inside,
        );
        adoption.leave(
            address(),
            "what is in it is taken over one by one; what holds for it as a whole stays with it",
        );
    } else if SubnetOption::parse("", &head).is_some() || is_lease(&head) {
        let reason = match around.stays {
            Some(_) => "it holds for all that stands below it, whose description has it",
            None => {
                "it holds for all that stands below it, and a topology says what holds for a network"
            }
        };
        adoption.leave(address(), reason);
    } else {
        adoption.leave(address(), "a topology has no word for it");
    }
}

fn is_lease(head: &[Word]) -> bool {
    matches!(head, [keyword, _] if keyword.is("default-lease-time"))
}

/// A block that holds subnets and hosts.
fn container(head: &[Word]) -> Option<String> {
    match head {
        [keyword, ..] if keyword.is("group") => Some("a group".into()),
        [keyword, name] if keyword.is("shared-network") => {
            Some(format!("the shared network `{}`", name.name()?))
        }
        _ => None,
    }
}

fn adopt_subnet(adoption: &mut Adoption, cidr: &str, node: &Node, around: &Around) {
    let mut stays = around.stays.clone();
    let (mut options, mut declared) = (Vec::new(), None);
    for entry in subnet::entries(cidr, node.nodes()) {
        match entry {
            Entry::Subnet(subnet) => declared = Some(subnet),
            Entry::Option(Audience::Everybody, option) => options.push(decode(&option)),
            _ => {}
        }
    }
    for inner in node.nodes() {
        let head = words(inner.head()).unwrap_or_default();
        if let Some(host) = Host::parse(inner) {
            let within = || format!("it stands in its subnet {cidr}");
            adopt_host(
                adoption,
                host,
                around.stays.clone().or_else(|| Some(within())),
            );
        } else if head.first().is_some_and(|word| word.is("pool")) && inner.is_block() {
            let ranges = inner.nodes().iter().filter(|node| is_range(node)).count();
            if ranges != 1 {
                let several =
                    format!("one of its pools has {ranges} ranges, and a network has one");
                stays.get_or_insert(several);
            }
        } else if subnet::is_foreign(cidr, inner) {
            adoption.leave(
                foreign(Some(cidr), inner).address(),
                "a topology has no word for it",
            );
        }
    }
    let Subnet {
        default_lease_seconds,
        pools,
        ..
    } = declared.unwrap_or_else(|| Subnet::empty(cidr));
    for pool in &pools {
        for more in &pool.more {
            let more = first_words(std::slice::from_ref(more));
            adoption.leave(
                format!("{cidr}/pool {}-{}: {more}", pool.first, pool.last),
                "a topology has no word for it",
            );
        }
        if pool.failover.is_some() {
            let pair = "its pool is shared with another server; a pair is handed over by a target for each of the two";
            stays.get_or_insert_with(|| pair.to_owned());
        }
    }
    if pools.len() > 1 {
        let ranges: Vec<String> = pools
            .iter()
            .map(|pool| format!("{}-{}", pool.first, pool.last))
            .collect();
        // It says more than where it stands.
        stays = Some(format!(
            "it has {} pools ({}), and a network has one",
            pools.len(),
            ranges.join(", ")
        ));
    }
    if stays.is_some() {
        for outer in around.options.iter().rev() {
            if !options
                .iter()
                .any(|option: &DhcpOption| option.code == outer.code)
            {
                options.push(decode(outer));
            }
        }
    }
    options.sort_by_key(|option| option.code);
    adoption.networks.push(AdoptedNetwork {
        name: None,
        subnet: cidr.into(),
        pool: pools.first().filter(|_| pools.len() == 1).map(|pool| Pool {
            first: pool.first.clone(),
            last: pool.last.clone(),
        }),
        lease_seconds: default_lease_seconds.or(around.default_lease),
        options,
        stays,
    });
}

fn is_range(node: &Node) -> bool {
    let head = words(node.head()).unwrap_or_default();
    head.first().is_some_and(|word| word.is("range"))
}

fn adopt_host(adoption: &mut Adoption, host: Host, mut stays: Option<String>) {
    if !host.more.is_empty() {
        stays.get_or_insert_with(|| {
            format!("its declaration says more: {}", first_words(&host.more))
        });
    }
    // A device whose name is no host name is declared by its hardware address, and told no name.
    let by_address = host.name == format!("device-{}", host.mac.replace(':', ""));
    let name = match host.host_name {
        Some(name) => name,
        None if by_address => host.mac.clone(),
        None => host.name,
    };
    adoption.devices.push(AdoptedDevice {
        name,
        mac: host.mac,
        subnet: None,
        address: host.address,
        stays,
    });
}

/// What stands in quotes may be a password.
fn first_words(statements: &[String]) -> String {
    let begun = statements.iter().map(|statement| {
        let words = words(statement).unwrap_or_default();
        let bare: Vec<&str> = words.iter().map_while(Word::bare).take(2).collect();
        bare.join(" ")
    });
    begun.collect::<Vec<_>>().join("; ")
}

fn adopt_failover(adoption: &mut Adoption, failover: &Failover) {
    let (own, other) = match failover.role {
        Role::Primary => (ServerRole::Primary, ServerRole::Standby),
        Role::Secondary => (ServerRole::Standby, ServerRole::Primary),
    };
    let server = |address: &String, role| AdoptedServer {
        name: None,
        address: Some(address.clone()),
        role: Some(role),
    };
    adoption.itself = server(&failover.address, own);
    let partner = server(&failover.peer_address, other);
    if !adoption.partners.contains(&partner) {
        adoption.partners.push(partner);
    }
}

/// The value that would be written like this; as text where it could be anything.
fn decode(option: &SubnetOption) -> DhcpOption {
    let value = match &option.data {
        Data::Text(text) => OptionValue::Text(text.clone()),
        Data::Value(value) => decode_value(option.code, value),
    };
    DhcpOption {
        code: option.code,
        name: None,
        value,
    }
}

fn decode_value(code: u8, value: &str) -> OptionValue {
    let addresses = |text: &str| -> Option<Vec<String>> {
        text.split(',')
            .map(|part| {
                let part = part.trim();
                part.parse::<std::net::Ipv4Addr>()
                    .ok()
                    .map(|_| part.to_owned())
            })
            .collect()
    };
    let texts = |text: &str| -> Option<Vec<String>> {
        let words = words(text)?;
        let named = words
            .into_iter()
            .filter(|word| !matches!(word, Word::Mark(',')));
        named
            .map(|word| match word {
                Word::Text(text) => Some(text),
                Word::Bare(_) | Word::Mark(_) => None,
            })
            .collect()
    };
    let is_bytes = value.contains(':')
        && value
            .split(':')
            .all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok());
    match (code, value.split_once(' ')) {
        (120, Some(("1", rest))) if addresses(rest).is_some() => {
            OptionValue::SipAddresses(addresses(rest).unwrap_or_default())
        }
        (120, Some(("0", rest))) if texts(rest).is_some() => {
            OptionValue::SipNames(texts(rest).unwrap_or_default())
        }
        _ => {
            if let Some(list) = addresses(value) {
                OptionValue::Addresses(list)
            } else if let Some(list) = texts(value) {
                OptionValue::Text(list.join(", "))
            } else if is_bytes {
                OptionValue::Hex(value.replace(':', ""))
            } else {
                OptionValue::Text(value.into())
            }
        }
    }
}
