//! Names that dnsmasq takes. Most of them stand bare in a line, where nothing can be escaped.

/// A domain name of any kind: labels of letters, digits, hyphens, underscores, and slashes for reverse zones.
pub(crate) fn is_domain_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/'))
        })
}

/// The same, or one whose first label is `*`.
pub(crate) fn is_owner_name(name: &str) -> bool {
    is_domain_name(name.strip_prefix("*.").unwrap_or(name))
}

/// A network's name that can be part of a tag: commas, colons, exclamation marks and spaces mean something there.
pub(crate) fn is_tag(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, domain, owner, tag) in [
            ("pbx1", true, true, true),
            ("pbx1.acme.example", true, true, true),
            ("_sips._tcp.acme.example", true, true, true),
            ("*.acme.example", false, true, false),
            ("a b", false, false, false),
            ("a,b", false, false, false),
            ("a..b", false, false, true),
            ("-a", true, true, true),
            ("", false, false, false),
            ("0/26.2.0.192.in-addr.arpa", true, true, false),
        ] {
            let found = (is_domain_name(name), is_owner_name(name), is_tag(name));
            assert_eq!(found, (domain, owner, tag), "{name}");
        }
    }
}
