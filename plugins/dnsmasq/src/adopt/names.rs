//! Names that hand-written lines use: of options, and of the zones that dnsmasq does not know.

use std::collections::BTreeSet;

/// dnsmasq's own names of options (`dnsmasq --help dhcp`) that a topology may be about.
const OPTIONS: [(&str, u8); 19] = [
    ("netmask", 1),
    ("time-offset", 2),
    ("router", 3),
    ("dns-server", 6),
    ("log-server", 7),
    ("lpr-server", 9),
    ("hostname", 12),
    ("domain-name", 15),
    ("root-path", 17),
    ("mtu", 26),
    ("broadcast", 28),
    ("ntp-server", 42),
    ("vendor-encap", 43),
    ("netbios-ns", 44),
    ("tftp-server", 66),
    ("bootfile-name", 67),
    ("smtp-server", 69),
    ("domain-search", 119),
    ("sip-server", 120),
];

/// `42` or `option:ntp-server`.
pub(super) fn option_code(text: &str) -> Option<u8> {
    let code = match text.strip_prefix("option:") {
        Some(name) => OPTIONS.iter().find(|(known, _)| *known == name)?.1,
        None => text.parse().ok()?,
    };
    (1..=254).contains(&code).then_some(code)
}

/// The zone that a name is put into: the longest known one, else the domain above it. None for a name without one.
pub(super) fn zone_of(owner: &str, known: &BTreeSet<String>) -> Option<String> {
    let owner = owner.to_ascii_lowercase();
    let is_in = |zone: &&String| {
        let rest = owner.strip_suffix(zone.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some(zone) = known.iter().filter(is_in).max_by_key(|zone| zone.len()) {
        return Some(zone.clone());
    }
    let mut rest = owner.as_str();
    while let Some((label, after)) = rest.split_once('.') {
        if !label.starts_with('_') {
            break;
        }
        rest = after;
    }
    // What a service is offered by is its zone; of anything else it is the domain above.
    if rest.len() < owner.len() {
        return Some(rest.to_owned());
    }
    owner.split_once('.').map(|(_, domain)| domain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        let known = BTreeSet::from(["acme.example".to_owned(), "b.acme.example".to_owned()]);
        for (owner, expected) in [
            ("a.ACME.example", Some("acme.example")),
            ("acme.example", Some("acme.example")),
            ("a.b.acme.example", Some("b.acme.example")),
            ("_sip._tcp.other.example", Some("other.example")),
            ("a.notacme.example", Some("notacme.example")),
            ("printer", None),
        ] {
            assert_eq!(zone_of(owner, &known).as_deref(), expected, "{owner}");
        }
    }

    #[test]
    fn options() {
        for (text, expected) in [
            ("6", Some(6)),
            ("option:router", Some(3)),
            ("option:nothing", None),
            ("option:server-ip-address", None),
            ("0", None),
            ("300", None),
            ("vendor:x", None),
        ] {
            assert_eq!(option_code(text), expected, "{text}");
        }
    }
}
