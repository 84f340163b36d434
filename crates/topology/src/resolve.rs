//! What nodes are to each other: duplicates (SW004), references (SW005), declarations that nothing uses (SW009).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use foldhash::{HashMap, HashMapExt, HashSet};

use crate::Diagnostic;
use crate::element::{Element, Scalar};
use crate::model::Kind;
use crate::report::{
    all_nearest, duplicate, either, known_here, quoted, unresolved_reference, unused_declaration,
};
use crate::schema::{Arity, Shape};
use crate::source::{Span, Spanned};

/// Everything that was read, well-formed or not.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) elements: Vec<(Kind, Element)>,
    pub(crate) defaults: Vec<(Kind, Element)>,
    /// Nodes of unknown kinds: the kind that was probably meant, and what may be their names.
    pub(crate) unknown: Vec<(Option<Kind>, Option<String>)>,
    /// Whether parts could not be read, so that nothing can be said about what is absent.
    pub(crate) unread: bool,
}

/// Whether a topology has one node of the kind at most.
pub(crate) fn occurs_once(kind: Kind) -> bool {
    matches!(kind, Kind::Site | Kind::WmsNetwork | Kind::Sync)
}

/// SW004, SW005 and SW009.
pub(crate) fn findings(document: &Document) -> Vec<Diagnostic> {
    let mut found = duplicates(document);
    if !document.unread {
        let references = references(document);
        let used = references
            .iter()
            .map(|reference| (reference.kind, reference.name.value))
            .collect();
        let (unresolved, meant) = unresolved(document, &references, &used);
        found.extend(unresolved);
        found.extend(unused(document, &used, &meant));
    }
    found
}

/// Reports every occurrence of a key but the first.
fn repeated<K: std::hash::Hash + Eq>(
    occurrences: impl IntoIterator<Item = (K, Span)>,
    message: impl Fn(&K) -> String,
    first_is: &str,
) -> Vec<Diagnostic> {
    let mut occurrences: Vec<_> = occurrences.into_iter().collect();
    if occurrences.len() < 2 {
        return Vec::new();
    }
    occurrences.sort_by_key(|(_, span)| *span);
    let mut first = HashMap::with_capacity(occurrences.len());
    let mut found = Vec::new();
    for (key, span) in occurrences {
        match first.entry(key) {
            Entry::Occupied(before) => {
                let finding = duplicate(span, message(before.key()));
                found.push(finding.related(*before.get(), first_is));
            }
            Entry::Vacant(new) => {
                new.insert(span);
            }
        }
    }
    found
}

fn duplicates(document: &Document) -> Vec<Diagnostic> {
    let of = |kind: Kind| {
        document
            .elements
            .iter()
            .filter(move |(is, _)| *is == kind)
            .map(|(_, element)| element)
    };
    let names = document
        .elements
        .iter()
        .filter(|(kind, _)| !occurs_once(*kind))
        .filter_map(|(kind, element)| {
            let name = element.called()?;
            Some(((*kind, name.value), name.span))
        });
    let single = document
        .elements
        .iter()
        .filter(|(kind, _)| occurs_once(*kind))
        .map(|(kind, element)| (*kind, element.header));
    let macs = of(Kind::Device).filter_map(|device| {
        let mac = device.value("mac")?;
        match mac.value {
            Scalar::Mac(address) => Some((address, mac.span)),
            _ => None,
        }
    });
    let mut found = repeated(
        names,
        |(kind, name)| format!("{kind} {} is declared twice", quoted(name)),
        "first declared here",
    );
    found.extend(repeated(
        single,
        |kind| format!("`{kind}` can be declared only once"),
        "first declared here",
    ));
    found.extend(repeated(
        macs,
        |mac| format!("two devices have the MAC address `{mac}`"),
        "the other device",
    ));
    found.extend(addresses(document));
    for (_, element) in &document.elements {
        found.extend(repeated_inside(element));
    }
    found
}

fn address_of(element: &Element, key: &str) -> Option<Spanned<IpAddr>> {
    let value = element.value(key)?;
    match value.value {
        Scalar::Address(address) => Some(Spanned::new(address, value.span)),
        _ => None,
    }
}

/// A PBX's or device's address is its own. Servers may share one with a PBX or with each other across services, as
/// one host can run several.
fn addresses(document: &Document) -> Vec<Diagnostic> {
    let mut owners = Vec::new();
    let mut hosts = Vec::new();
    for (kind, element) in &document.elements {
        let name = || element.name().map_or_else(String::new, |name| name.value);
        match kind {
            Kind::Pbx => owners.extend(address_of(element, "address")),
            Kind::Device => owners.extend(address_of(element, "address")),
            Kind::Network => {
                hosts.extend(
                    address_of(element, "gateway")
                        .map(|at| (at, format!("the gateway of network {}", quoted(&name())))),
                );
            }
            Kind::Dhcp | Kind::Dns => {
                hosts.extend(element.nodes_of("server").filter_map(|server| {
                    let called = server.name().map_or_else(String::new, |name| name.value);
                    Some((
                        address_of(server, "address")?,
                        format!("the server {}", quoted(&called)),
                    ))
                }));
            }
            _ => {}
        }
    }
    let mut found = repeated(
        owners.iter().map(|at| (at.value, at.span)),
        |address| format!("address `{address}` is given twice"),
        "first given here",
    );
    let mut by_address: HashMap<IpAddr, (Span, &str)> = HashMap::default();
    for (at, what) in &hosts {
        by_address.entry(at.value).or_insert((at.span, what));
    }
    let devices = document
        .elements
        .iter()
        .filter(|(kind, _)| *kind == Kind::Device);
    for at in devices.filter_map(|(_, device)| address_of(device, "address")) {
        if let Some((span, what)) = by_address.get(&at.value) {
            let message = format!("address `{}` is that of {what}", at.value);
            found.push(duplicate(at.span, message).related(*span, format!("{what} has it")));
        }
    }
    found
}

/// Names and list items that may occur once in a node.
fn repeated_inside(element: &Element) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let within = element.spec.name;
    for kind_of_node in ["server", "member", "command", "option"] {
        if element.nodes.len() < 2 {
            break;
        }
        let named = element.nodes_of(kind_of_node).filter_map(|node| {
            let name = node.called()?;
            Some((name.value, name.span))
        });
        let message = |name: &Cow<'_, str>| {
            let name = quoted(name);
            format!("`{kind_of_node}` {name} is declared twice in this `{within}`")
        };
        found.extend(repeated(named, message, "first declared here"));
    }
    let addresses = element.nodes_of("server").filter_map(|server| {
        let at = address_of(server, "address")?;
        Some((at.value, at.span))
    });
    let message =
        |address: &IpAddr| format!("two servers of this `{within}` have the address `{address}`");
    found.extend(repeated(addresses, message, "the other server"));
    let lists = element
        .spec
        .fields
        .iter()
        .filter(|field| field.arity == Arity::Many);
    for list in lists {
        let items = element
            .values_of(list.key)
            .map(|item| (item.value.to_string(), item.span));
        let message = |item: &String| format!("{} stands twice in `{}`", quoted(item), list.key);
        found.extend(repeated(items, message, "first given here"));
    }
    found
}

/// A place that names a node.
/// Names that are looked at in search of the nearest ones. Who has thousands of wrong names mends them all in one way, and
/// need not wait for a guess about each.
const MOST_LOOKED_AT: usize = 100_000;

struct Reference<'a> {
    kind: Kind,
    name: Spanned<&'a str>,
}

fn references(document: &Document) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    document
        .all()
        .for_each(|element| collect(element, &mut found));
    found
}

fn collect<'a>(element: &'a Element, found: &mut Vec<Reference<'a>>) {
    for field in element.spec.fields.iter().chain(element.spec.arguments) {
        let Shape::Reference(kind) = field.shape else {
            continue;
        };
        for value in element.values_of(field.key) {
            if let Scalar::Text(name) = &value.value {
                let name = Spanned::new(name.as_str(), value.span);
                found.push(Reference { kind, name });
            }
        }
    }
    element.nodes.iter().for_each(|node| collect(node, found));
}

/// The names of a kind, those of ill-formed nodes included.
fn declared(document: &Document) -> BTreeMap<Kind, HashSet<Cow<'_, str>>> {
    let mut names: BTreeMap<Kind, HashSet<Cow<'_, str>>> = BTreeMap::new();
    for (kind, element) in &document.elements {
        names
            .entry(*kind)
            .or_default()
            .extend(element.called().map(|name| name.value));
    }
    names
}

/// Also the names that the unresolved ones were probably meant to be.
fn unresolved(
    document: &Document,
    references: &[Reference<'_>],
    used: &HashSet<(Kind, &str)>,
) -> (Vec<Diagnostic>, HashSet<(Kind, String)>) {
    let declared = declared(document);
    let nothing = HashSet::default();
    // A node whose name could not be read may be any of those that are missing.
    let nameless: HashSet<Kind> = document
        .elements
        .iter()
        .filter(|(_, element)| element.called().is_none())
        .map(|(kind, _)| *kind)
        .collect();
    let maybe: HashSet<&str> = document
        .unknown
        .iter()
        .filter_map(|(_, name)| name.as_deref())
        .collect();
    let mut meant = HashSet::default();
    let mut found = Vec::new();
    let mut candidates: HashMap<Kind, Vec<&str>> = HashMap::default();
    let mut looked_at = 0;
    let mut nearest_of: HashMap<(Kind, &str), Vec<&str>> = HashMap::default();
    for Reference { kind, name } in references {
        let known = declared.get(kind).unwrap_or(&nothing);
        if known.contains(name.value) || nameless.contains(kind) || maybe.contains(name.value) {
            continue;
        }
        let is_used = |name: &str| how_to_use(*kind).is_some() && used.contains(&(*kind, name));
        let candidates = candidates.entry(*kind).or_insert_with(|| {
            // Of names as near, what should be used and is not is likelier to be meant.
            let mut candidates: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            candidates.sort_unstable_by_key(|name| (is_used(name), *name));
            candidates
        });
        let elsewhere = declared
            .iter()
            .find(|(other, names)| *other != kind && names.contains(name.value));
        let looked_up = looked_at < MOST_LOOKED_AT;
        let near = match nearest_of.entry((*kind, name.value)) {
            Entry::Occupied(before) => before.get().clone(),
            Entry::Vacant(new) if looked_up => {
                looked_at += candidates.len();
                let mut near = all_nearest(name, candidates.iter().copied());
                // An unused one is likelier to be meant than those that others name.
                if near.first().is_some_and(|name| !is_used(name)) {
                    near.retain(|name| !is_used(name));
                }
                new.insert(near).clone()
            }
            Entry::Vacant(_) => Vec::new(),
        };
        meant.extend(near.iter().map(|name| (*kind, (*name).to_owned())));
        let help = match (near.as_slice(), elsewhere) {
            ([_, ..], _) => Some(format!("did you mean {}?", either(&near))),
            ([], Some((other, _))) => Some(format!("{} is a {other}", quoted(name))),
            ([], None) if candidates.is_empty() => Some(format!("no {kind} is declared at all")),
            ([], None) => {
                // Too many to be listed are not sorted for it, either.
                let mut few: Vec<&str> = candidates.iter().copied().take(25).collect();
                few.sort_unstable();
                known_here(&few)
            }
        };
        let message = format!("no {kind} is called {}", quoted(name));
        found.push(unresolved_reference(name.span, message).maybe_help(help));
    }
    (found, meant)
}

/// How a node is used, if it is of a kind that is good for nothing otherwise.
fn how_to_use(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Network => "name it in a device, or in `defaults \"device\" network=…`",
        Kind::Dhcp => "name it in a network: `dhcp \"…\"`",
        Kind::Provisioning => "name it in a network: `provisioning \"…\"`",
        Kind::Target => "name it in what it configures: `target \"…\"`",
        Kind::Dns => "give one of its servers a `target`, or name it as the `domain` of a network",
        _ => return None,
    })
}

fn unused(
    document: &Document,
    used: &HashSet<(Kind, &str)>,
    meant: &HashSet<(Kind, String)>,
) -> Vec<Diagnostic> {
    let networks: Vec<&Element> = document
        .elements
        .iter()
        .filter(|(kind, _)| *kind == Kind::Network)
        .map(|(_, network)| network)
        .collect();
    let mut found = Vec::new();
    let mut reported = HashSet::default();
    for (kind, element) in &document.elements {
        let (Some(help), Some(name)) = (how_to_use(*kind), element.name()) else {
            continue;
        };
        let is_used = used.contains(&(*kind, name.value.as_str()))
            || (*kind == Kind::Dns && zone_is_used(element, &name, &networks))
            || (*kind == Kind::Network && shares_used_vlan(element, &networks, used));
        let entry = (*kind, name.value.clone());
        if !is_used && !meant.contains(&entry) && reported.insert(entry) {
            let message = format!("{kind} {} is declared but never used", quoted(&name));
            found.push(unused_declaration(name.span, message).help(help));
        }
    }
    found
}

/// A network of the other address family in the VLAN of one that devices are in: they are in both.
fn shares_used_vlan(
    network: &Element,
    networks: &[&Element],
    used: &HashSet<(Kind, &str)>,
) -> bool {
    let Some(vlan) = network.value("vlan").map(|vlan| &vlan.value) else {
        return false;
    };
    let family = |network: &Element| match network.value("subnet").map(|subnet| &subnet.value) {
        Some(Scalar::Subnet(subnet)) => Some(subnet.addr().is_ipv4()),
        _ => None,
    };
    networks.iter().any(|other| {
        other.value("vlan").is_some_and(|of| of.value == *vlan)
            && family(other) != family(network)
            && other
                .name()
                .is_some_and(|name| used.contains(&(Kind::Network, name.value.as_str())))
    })
}

/// A zone is written to by a target of its servers, or asked by the devices of a network in its domain or through one
/// of its servers.
fn zone_is_used(zone: &Element, name: &str, networks: &[&Element]) -> bool {
    let within = |domain: &str| {
        domain
            .strip_suffix(name)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    let servers: Vec<IpAddr> = zone
        .nodes_of("server")
        .filter_map(|server| address_of(server, "address"))
        .map(|at| at.value)
        .collect();
    zone.nodes_of("server").any(|server| server.value("target").is_some())
        || networks.iter().any(|network| {
            let domain = matches!(network.value("domain").map(|domain| &domain.value), Some(Scalar::Text(domain)) if within(domain));
            let asked = network.values_of("dns").any(|at| matches!(at.value, Scalar::Address(at) if servers.contains(&at)));
            domain || asked
        })
}
