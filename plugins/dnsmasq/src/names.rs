//! Names that dnsmasq takes. Most of them stand bare in a line, where nothing can be escaped.

/// A host name of one label (RFC 1123).
pub(crate) fn host_name(name: &str) -> Option<String> {
    let fits = (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    fits.then(|| name.to_ascii_lowercase())
}

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
        for (name, host, domain, owner, tag) in [
            ("pbx1", true, true, true, true),
            ("pbx1.acme.example", false, true, true, true),
            ("_sips._tcp.acme.example", false, true, true, true),
            ("*.acme.example", false, false, true, false),
            ("a b", false, false, false, false),
            ("a,b", false, false, false, false),
            ("a..b", false, false, false, true),
            ("-a", false, true, true, true),
            ("", false, false, false, false),
            ("0/26.2.0.192.in-addr.arpa", false, true, true, false),
        ] {
            let found = (
                host_name(name).is_some(),
                is_domain_name(name),
                is_owner_name(name),
                is_tag(name),
            );
            assert_eq!(found, (host, domain, owner, tag), "{name}");
        }
        assert_eq!(host_name("Reception").as_deref(), Some("reception"));
    }
}
