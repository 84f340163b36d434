use crate::source::{Source, rfc};

/// How the value of a DHCP option is written and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DhcpValueType {
    /// One text.
    Text,
    /// Exactly one IPv4 address.
    Address,
    /// One IPv4 address or more, the preferred one first.
    Addresses,
    /// RFC 3361: all names or all IPv4 addresses of SIP servers, the preferred one first.
    SipServers,
    /// One number of one byte.
    Uint8,
    /// One number of two bytes.
    Uint16,
    /// One number of four bytes.
    Uint32,
    /// Bytes of a structure of its own, as hexadecimal digits.
    Hex,
}

/// A DHCPv4 option whose type a standard defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DhcpOptionDefinition {
    /// Its number.
    pub code: u8,
    /// The name in IANA's registry, in kebab case.
    pub name: &'static str,
    /// Names that standards and servers use for it besides.
    pub aliases: &'static [&'static str],
    /// What its value is.
    pub value: DhcpValueType,
    /// The standard.
    pub source: Source,
}

const fn option(
    code: u8,
    name: &'static str,
    aliases: &'static [&'static str],
    value: DhcpValueType,
    source: Source,
) -> DhcpOptionDefinition {
    DhcpOptionDefinition {
        code,
        name,
        aliases,
        value,
        source,
    }
}

/// By ascending code. Options that the protocol itself fills in (message type, parameter list and the like) are not
/// settings and therefore absent, and so are 128–135 and 160, which vendors use with types of their own.
const OPTIONS: &[DhcpOptionDefinition] = {
    use DhcpValueType::{Address, Addresses, Hex, SipServers, Text, Uint8, Uint16, Uint32};
    &[
        option(1, "subnet-mask", &[], Address, rfc(2132, "3.3")),
        option(2, "time-offset", &[], Uint32, rfc(2132, "3.4")),
        option(3, "router", &["routers"], Addresses, rfc(2132, "3.5")),
        option(
            4,
            "time-server",
            &["time-servers"],
            Addresses,
            rfc(2132, "3.6"),
        ),
        option(
            5,
            "name-server",
            &["name-servers", "ien116-name-servers"],
            Addresses,
            rfc(2132, "3.7"),
        ),
        option(
            6,
            "domain-server",
            &["domain-name-servers", "dns-server", "dns-servers"],
            Addresses,
            rfc(2132, "3.8"),
        ),
        option(
            7,
            "log-server",
            &["log-servers"],
            Addresses,
            rfc(2132, "3.9"),
        ),
        option(
            9,
            "lpr-server",
            &["lpr-servers"],
            Addresses,
            rfc(2132, "3.11"),
        ),
        option(12, "hostname", &["host-name"], Text, rfc(2132, "3.14")),
        option(15, "domain-name", &[], Text, rfc(2132, "3.17")),
        option(17, "root-path", &[], Text, rfc(2132, "3.19")),
        option(23, "default-ip-ttl", &[], Uint8, rfc(2132, "4.5")),
        option(
            26,
            "mtu-interface",
            &["interface-mtu", "mtu"],
            Uint16,
            rfc(2132, "5.1"),
        ),
        option(
            28,
            "broadcast-address",
            &["broadcast"],
            Address,
            rfc(2132, "5.3"),
        ),
        // Pairs of destination and router.
        option(
            33,
            "static-route",
            &["static-routes"],
            Addresses,
            rfc(2132, "5.8"),
        ),
        option(
            35,
            "arp-timeout",
            &["arp-cache-timeout"],
            Uint32,
            rfc(2132, "6.2"),
        ),
        option(37, "default-tcp-ttl", &[], Uint8, rfc(2132, "7.1")),
        option(
            38,
            "keepalive-time",
            &["tcp-keepalive-interval"],
            Uint32,
            rfc(2132, "7.2"),
        ),
        option(40, "nis-domain", &[], Text, rfc(2132, "8.1")),
        option(
            41,
            "nis-servers",
            &["nis-server"],
            Addresses,
            rfc(2132, "8.2"),
        ),
        option(
            42,
            "ntp-servers",
            &["ntp-server"],
            Addresses,
            rfc(2132, "8.3"),
        ),
        option(
            43,
            "vendor-specific",
            &["vendor-encapsulated-options"],
            Hex,
            rfc(2132, "8.4"),
        ),
        option(
            44,
            "netbios-name-srv",
            &["netbios-name-servers", "netbios-ns"],
            Addresses,
            rfc(2132, "8.5"),
        ),
        option(
            45,
            "netbios-dist-srv",
            &["netbios-dd-server"],
            Addresses,
            rfc(2132, "8.6"),
        ),
        option(46, "netbios-node-type", &[], Uint8, rfc(2132, "8.7")),
        option(47, "netbios-scope", &[], Text, rfc(2132, "8.8")),
        option(
            51,
            "address-time",
            &["dhcp-lease-time", "lease-time"],
            Uint32,
            rfc(2132, "9.2"),
        ),
        option(
            54,
            "dhcp-server-id",
            &["dhcp-server-identifier"],
            Address,
            rfc(2132, "9.7"),
        ),
        option(
            58,
            "renewal-time",
            &["dhcp-renewal-time"],
            Uint32,
            rfc(2132, "9.11"),
        ),
        option(
            59,
            "rebinding-time",
            &["dhcp-rebinding-time"],
            Uint32,
            rfc(2132, "9.12"),
        ),
        option(
            60,
            "class-id",
            &["vendor-class-identifier", "vendor-class"],
            Text,
            rfc(2132, "9.13"),
        ),
        option(
            66,
            "server-name",
            &["tftp-server-name", "tftp-server"],
            Text,
            rfc(2132, "9.4"),
        ),
        option(
            67,
            "bootfile-name",
            &["boot-file-name"],
            Text,
            rfc(2132, "9.5"),
        ),
        option(
            69,
            "smtp-server",
            &["smtp-servers"],
            Addresses,
            rfc(2132, "8.10"),
        ),
        option(
            72,
            "www-server",
            &["www-servers"],
            Addresses,
            rfc(2132, "8.13"),
        ),
        option(77, "user-class", &[], Hex, rfc(3004, "4")),
        option(100, "pcode", &["posix-timezone"], Text, rfc(4833, "2")),
        option(101, "tcode", &["tzdb-timezone"], Text, rfc(4833, "2")),
        option(
            114,
            "dhcp-captive-portal",
            &["captive-portal", "v4-captive-portal"],
            Text,
            rfc(8910, "2.1"),
        ),
        // Domain names; every server encodes them by RFC 1035 itself, so they are written as text.
        option(119, "domain-search", &[], Text, rfc(3397, "2")),
        option(
            120,
            "sip-servers",
            &["sip-server", "sip-servers-dhcp-option"],
            SipServers,
            rfc(3361, "3"),
        ),
        option(
            121,
            "classless-static-route",
            &["classless-static-route-option"],
            Hex,
            rfc(3442, "DHCP option"),
        ),
        option(
            124,
            "v-i-vendor-class",
            &["vivco-suboptions"],
            Hex,
            rfc(3925, "3"),
        ),
        option(
            125,
            "v-i-vendor-specific-information",
            &["vivso-suboptions"],
            Hex,
            rfc(3925, "4"),
        ),
        option(
            138,
            "capwap-ac-v4",
            &["option-capwap-ac-v4"],
            Addresses,
            rfc(5417, "2"),
        ),
        option(
            150,
            "tftp-server-address",
            &["tftp-servers"],
            Addresses,
            rfc(5859, "2"),
        ),
    ]
};

/// All options that the catalogue knows, by ascending code.
#[must_use]
pub const fn dhcp_options() -> &'static [DhcpOptionDefinition] {
    OPTIONS
}

/// The option of this number; none where its type is a vendor's own or not known here.
#[must_use]
pub fn dhcp_option(code: u8) -> Option<&'static DhcpOptionDefinition> {
    let at = OPTIONS
        .binary_search_by_key(&code, |option| option.code)
        .ok()?;
    OPTIONS.get(at)
}

/// The option of this IANA name or alias, in any letter case.
#[must_use]
pub fn dhcp_option_by_name(name: &str) -> Option<&'static DhcpOptionDefinition> {
    OPTIONS.iter().find(|option| {
        std::iter::once(&option.name)
            .chain(option.aliases)
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_ascend_so_that_search_by_halves_holds() {
        assert!(OPTIONS.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn every_name_means_one_option() {
        let mut seen = HashSet::new();
        for option in OPTIONS {
            for name in std::iter::once(&option.name).chain(option.aliases) {
                assert!(seen.insert(*name), "{name} twice");
                assert!(
                    name.bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                    "{name}"
                );
                assert_eq!(dhcp_option_by_name(name), Some(option));
            }
            assert_eq!(dhcp_option(option.code), Some(option));
        }
    }

    #[test]
    fn names_of_the_registry_and_of_servers_agree() {
        for (name, code) in [
            ("ntp-servers", 42),
            ("TFTP-Server-Name", 66),
            ("sip-servers", 120),
            ("domain-name-servers", 6),
        ] {
            assert_eq!(
                dhcp_option_by_name(name).map(|option| option.code),
                Some(code),
                "{name}"
            );
        }
        assert_eq!(dhcp_option(160), None);
        assert_eq!(dhcp_option_by_name("no-such-option"), None);
    }
}
