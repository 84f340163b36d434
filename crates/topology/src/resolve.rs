//! What nodes are to each other: duplicates (SW004), references (SW005), declarations that nothing uses (SW009).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use crate::Diagnostic;
use crate::element::{Element, Scalar};
use crate::model::Kind;
use crate::report::{
    did_you_mean, duplicate, nearest, quoted, unresolved_reference, unused_declaration,
};
use crate::schema::{Shape, Spec};
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
        let (unresolved, meant) = unresolved(document, &references);
        found.extend(unresolved);
        found.extend(unused(document, &references, &meant));
    }
    found
}

/// Reports every occurrence of a key but the first.
fn repeated<K: std::hash::Hash + Eq>(
    occurrences: impl IntoIterator<Item = (K, Span, String)>,
    first_is: &str,
) -> Vec<Diagnostic> {
    let mut occurrences: Vec<_> = occurrences.into_iter().collect();
    occurrences.sort_by_key(|(_, span, _)| *span);
    let mut first = HashMap::new();
    let mut found = Vec::new();
    for (key, span, message) in occurrences {
        if let Some(before) = first.get(&key) {
            found.push(duplicate(span, message).related(*before, first_is));
        } else {
            first.insert(key, span);
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
            let name = element.name()?;
            Some((
                (*kind, name.value.clone()),
                name.span,
                format!("{kind} {} is declared twice", quoted(&name)),
            ))
        });
    let single = document
        .elements
        .iter()
        .filter(|(kind, _)| occurs_once(*kind))
        .map(|(kind, element)| {
            (
                *kind,
                element.header,
                format!("`{kind}` can be declared only once"),
            )
        });
    let macs = of(Kind::Device).filter_map(|device| {
        let mac = device.value("mac")?;
        Some((
            mac.value.to_string(),
            mac.span,
            format!("two devices have the MAC address `{}`", mac.value),
        ))
    });
    let mut found = repeated(names, "first declared here");
    found.extend(repeated(single, "first declared here"));
    found.extend(repeated(macs, "the other device"));
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
        let name = element.name().map_or_else(String::new, |name| name.value);
        match kind {
            Kind::Pbx => owners.extend(address_of(element, "address")),
            Kind::Device => owners.extend(address_of(element, "address")),
            Kind::Network => {
                hosts.extend(
                    address_of(element, "gateway")
                        .map(|at| (at, format!("the gateway of network {}", quoted(&name)))),
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
    let twice = |at: &Spanned<IpAddr>| {
        (
            at.value,
            at.span,
            format!("address `{}` is given twice", at.value),
        )
    };
    let mut found = repeated(owners.iter().map(twice), "first given here");
    let mut by_address: HashMap<IpAddr, (Span, &str)> = HashMap::new();
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
    for kind_of_node in ["server", "member", "command", "option"] {
        let named = element.nodes_of(kind_of_node).filter_map(|node| {
            let name = node.name()?;
            let message = format!(
                "`{kind_of_node}` {} is declared twice in this `{}`",
                quoted(&name),
                element.spec.name
            );
            Some((name.value.clone(), name.span, message))
        });
        found.extend(repeated(named, "first declared here"));
    }
    let addresses = element.nodes_of("server").filter_map(|server| {
        let at = address_of(server, "address")?;
        Some((
            at.value,
            at.span,
            format!(
                "two servers of this `{}` have the address `{}`",
                element.spec.name, at.value
            ),
        ))
    });
    found.extend(repeated(addresses, "the other server"));
    for list in ["member", "register-to", "dns", "ntp", "uses"] {
        let items = element.values_of(list).map(|item| {
            (
                item.value.to_string(),
                item.span,
                format!(
                    "{} stands twice in `{list}`",
                    quoted(&item.value.to_string())
                ),
            )
        });
        found.extend(repeated(items, "first given here"));
    }
    found
}

/// A place that names a node.
struct Reference {
    kind: Kind,
    name: Spanned<String>,
}

fn references(document: &Document) -> Vec<Reference> {
    let mut found = Vec::new();
    document
        .all()
        .for_each(|element| collect(element, &mut found));
    found
}

fn collect(element: &Element, found: &mut Vec<Reference>) {
    for (key, value) in &element.values {
        if let (Some(Shape::Reference(kind)), Scalar::Text(name)) =
            (shape_of(element.spec, key), &value.value)
        {
            found.push(Reference {
                kind,
                name: Spanned::new(name.clone(), value.span),
            });
        }
    }
    element.nodes.iter().for_each(|node| collect(node, found));
}

fn shape_of(spec: &Spec, key: &str) -> Option<Shape> {
    spec.fields
        .iter()
        .chain(spec.arguments)
        .find(|field| field.key == key)
        .map(|field| field.shape)
}

/// The names of a kind, those of ill-formed nodes included.
fn declared(document: &Document) -> BTreeMap<Kind, HashSet<String>> {
    let mut names: BTreeMap<Kind, HashSet<String>> = BTreeMap::new();
    for (kind, element) in &document.elements {
        names
            .entry(*kind)
            .or_default()
            .extend(element.name().map(|name| name.value));
    }
    names
}

/// Also the names that the unresolved ones were probably meant to be.
fn unresolved(
    document: &Document,
    references: &[Reference],
) -> (Vec<Diagnostic>, HashSet<(Kind, String)>) {
    let declared = declared(document);
    let nothing = HashSet::new();
    // A node whose name could not be read may be any of those that are missing.
    let nameless: HashSet<Kind> = document
        .elements
        .iter()
        .filter(|(_, element)| element.name().is_none())
        .map(|(kind, _)| *kind)
        .collect();
    let maybe: HashSet<&str> = document
        .unknown
        .iter()
        .filter_map(|(_, name)| name.as_deref())
        .collect();
    let mut meant = HashSet::new();
    let mut found = Vec::new();
    for Reference { kind, name } in references {
        let known = declared.get(kind).unwrap_or(&nothing);
        if known.contains(&name.value)
            || nameless.contains(kind)
            || maybe.contains(name.value.as_str())
        {
            continue;
        }
        let mut candidates: Vec<&str> = known.iter().map(String::as_str).collect();
        candidates.sort_unstable();
        let elsewhere = declared
            .iter()
            .find(|(other, names)| *other != kind && names.contains(&name.value));
        let help = match elsewhere {
            _ if nearest(name, candidates.iter().copied()).is_some() => {
                did_you_mean(name, candidates)
            }
            Some((other, _)) => Some(format!("{} is a {other}", quoted(name))),
            None if candidates.is_empty() => Some(format!("no {kind} is declared at all")),
            None => did_you_mean(name, candidates),
        };
        meant.extend(
            nearest(name, known.iter().map(String::as_str)).map(|name| (*kind, name.to_owned())),
        );
        let message = format!("no {kind} is called {}", quoted(name));
        found.push(unresolved_reference(name.span, message).maybe_help(help));
    }
    (found, meant)
}

fn unused(
    document: &Document,
    references: &[Reference],
    meant: &HashSet<(Kind, String)>,
) -> Vec<Diagnostic> {
    let used: HashSet<(Kind, &str)> = references
        .iter()
        .map(|reference| (reference.kind, reference.name.value.as_str()))
        .collect();
    let networks: Vec<&Element> = document
        .elements
        .iter()
        .filter(|(kind, _)| *kind == Kind::Network)
        .map(|(_, network)| network)
        .collect();
    let mut found = Vec::new();
    let mut reported = HashSet::new();
    for (kind, element) in &document.elements {
        let Some(name) = element.name() else { continue };
        let help = match kind {
            Kind::Network => "name it in a device, or in `defaults \"device\" network=…`",
            Kind::Dhcp => "name it in a network: `dhcp \"…\"`",
            Kind::Provisioning => "name it in a network: `provisioning \"…\"`",
            Kind::Target => "name it in what it configures: `target \"…\"`",
            Kind::Dns => {
                "give one of its servers a `target`, or name it as the `domain` of a network"
            }
            _ => continue,
        };
        let is_used = used.contains(&(*kind, name.value.as_str()))
            || (*kind == Kind::Dns && zone_is_used(element, &name, &networks));
        let entry = (*kind, name.value.clone());
        if !is_used && !meant.contains(&entry) && reported.insert(entry) {
            let message = format!("{kind} {} is declared but never used", quoted(&name));
            found.push(unused_declaration(name.span, message).help(help));
        }
    }
    found
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
