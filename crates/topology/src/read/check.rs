//! What the values of one node must be to each other.

use std::net::{Ipv4Addr, Ipv6Addr};

use switchover_catalogue::{DhcpValueType, dhcp_option};

use super::Reader;
use super::scalar::is_host_name;
use crate::element::{Element, Scalar};
use crate::report::{bad_value, quoted, unknown_name};
use crate::source::{Span, Spanned};

impl Reader {
    pub(super) fn check(&mut self, element: &mut Element) {
        let found = match element.spec.name {
            "auth" => check_auth(element),
            "pool" => check_pool(element),
            "option" => check_option(element),
            "record" => check_record(element),
            _ => Vec::new(),
        };
        element.broken |= !found.is_empty();
        self.diagnostics.extend(found);
    }
}

fn check_auth(element: &Element) -> Vec<crate::Diagnostic> {
    let Some(scheme) = element.value("scheme") else {
        return Vec::new();
    };
    let schemes: [(&str, &[&str]); 3] = [
        ("bearer", &["token"]),
        ("basic", &["user", "password"]),
        ("s2s", &["app-id", "app-name", "secret"]),
    ];
    let is_it =
        |name: &str| matches!(&scheme.value, Scalar::Text(scheme) if scheme.as_str() == name);
    let needed = schemes
        .iter()
        .find(|(name, _)| is_it(name))
        .map_or(&[][..], |(_, needed)| needed);
    let foreign = schemes
        .iter()
        .filter(|(name, _)| !is_it(name))
        .flat_map(|(_, keys)| keys.iter());
    let scheme = &scheme.value;
    let missing = needed
        .iter()
        .filter(|key| element.value(key).is_none())
        .map(|key| {
            let source = match *key {
                "user" | "app-name" => "\"NAME\"",
                "app-id" => "\"ID\"",
                _ => "(secret)\"env:NAME\"",
            };
            let message = format!("`auth \"{scheme}\"` has no `{key}`");
            bad_value(element.header, message).help(format!("add `{key}={source}`"))
        });
    let extra = foreign
        .filter_map(|key| Some((key, element.value(key)?)))
        .map(|(key, value)| {
            unknown_name(
                value.span,
                format!("`auth \"{scheme}\"` has no property `{key}`"),
            )
            .help(format!("it has {}", crate::report::listed(needed)))
        });
    missing.chain(extra).collect()
}

fn check_pool(element: &Element) -> Vec<crate::Diagnostic> {
    let (Some(first), Some(last)) = (element.value("first"), element.value("last")) else {
        return Vec::new();
    };
    let (Scalar::Address(from), Scalar::Address(to)) = (&first.value, &last.value) else {
        return Vec::new();
    };
    if from.is_ipv4() != to.is_ipv4() {
        vec![
            bad_value(
                last.span,
                "the ends of a pool must both be IPv4, or both IPv6",
            )
            .help("give each family a network of its own"),
        ]
    } else if from > to {
        vec![
            bad_value(
                last.span,
                format!("the pool ends at `{to}`, before its first address `{from}`"),
            )
            .help(format!(
                "write the lower address first: `pool \"{to}\" \"{from}\"`"
            )),
        ]
    } else {
        Vec::new()
    }
}

fn texts<'a>(element: &'a Element, key: &'a str) -> Vec<Spanned<&'a str>> {
    element
        .values_of(key)
        .filter_map(|value| match &value.value {
            Scalar::Text(text) => Some(Spanned::new(text.as_str(), value.span)),
            _ => None,
        })
        .collect()
}

fn check_option(element: &Element) -> Vec<crate::Diagnostic> {
    let Some(Scalar::Integer(code)) = element.value("code").map(|code| &code.value) else {
        return Vec::new();
    };
    let Some(option) = u8::try_from(*code).ok().and_then(dhcp_option) else {
        return Vec::new();
    };
    let values = texts(element, "values");
    let is_ipv4 = |text: &str| text.parse::<Ipv4Addr>().is_ok();
    let is_number = |text: &str, most: u32| text.parse::<u32>().is_ok_and(|number| number <= most);
    let (single, wanted): (bool, &str) = match option.value {
        DhcpValueType::Text => (true, "one text"),
        DhcpValueType::Address => (true, "one IPv4 address"),
        DhcpValueType::Addresses => (false, "IPv4 addresses"),
        DhcpValueType::SipServers => (false, "IPv4 addresses only, or host names only"),
        DhcpValueType::Uint8 => (true, "one number from 0 to 255"),
        DhcpValueType::Uint16 => (true, "one number from 0 to 65535"),
        DhcpValueType::Uint32 => (true, "one number from 0 to 4294967295"),
        DhcpValueType::Hex => (true, "hexadecimal digits, two a byte"),
    };
    let names = values.first().is_some_and(|first| !is_ipv4(first.value));
    let fits = |text: &str| match option.value {
        DhcpValueType::Text => !text.is_empty() && text.len() <= 255,
        DhcpValueType::Address | DhcpValueType::Addresses => is_ipv4(text),
        DhcpValueType::SipServers if names => is_host_name(text),
        DhcpValueType::SipServers => is_ipv4(text),
        DhcpValueType::Uint8 => is_number(text, u8::MAX.into()),
        DhcpValueType::Uint16 => is_number(text, u16::MAX.into()),
        DhcpValueType::Uint32 => is_number(text, u32::MAX),
        DhcpValueType::Hex => {
            let digits = text.bytes().filter(|byte| *byte != b':');
            !text.is_empty()
                && digits.clone().count().is_multiple_of(2)
                && digits.clone().all(|byte| byte.is_ascii_hexdigit())
        }
    };
    let refuse = |span: Span, text: &str| {
        let message = format!(
            "option {code} ({}) must be {wanted}, not {}",
            option.name,
            quoted(text)
        );
        bad_value(span, message).help(format!("write {wanted}, each in quotes of its own"))
    };
    let surplus = values.iter().skip(if single { 1 } else { usize::MAX });
    let misfits = values
        .iter()
        .take(if single { 1 } else { usize::MAX })
        .filter(|value| !fits(value.value));
    let mut found: Vec<_> = misfits
        .map(|value| refuse(value.span, value.value))
        .collect();
    found.extend(surplus.map(|value| {
        bad_value(
            value.span,
            format!("option {code} ({}) takes one value", option.name),
        )
        .help(format!(
            "delete {}",
            quoted(&format!("\"{}\"", value.value))
        ))
    }));
    found
}

fn check_record(element: &Element) -> Vec<crate::Diagnostic> {
    let Some(Scalar::Text(rtype)) = element.value("type").map(|rtype| &rtype.value) else {
        return Vec::new();
    };
    let values = texts(element, "values");
    let address = |value: &Spanned<&str>, wanted: &str, good: bool| {
        (!good).then(|| {
            let message = format!(
                "the value of a record of type `{rtype}` must be {wanted}, not {}",
                quoted(value.value)
            );
            bad_value(value.span, message).help(format!("write {wanted} in quotes"))
        })
    };
    let fields = |number: usize, wanted: &str| {
        if values.len() == number {
            return Vec::new();
        }
        let plural = if number == 1 { "value" } else { "values" };
        vec![
            bad_value(
                element.header,
                format!("a record of type `{rtype}` has {number} {plural}: {wanted}"),
            )
            .help(format!("write behind `\"{rtype}\"`: {wanted}")),
        ]
    };
    let numbers = |number: usize| {
        values.iter().take(number).filter_map(|value| {
            address(
                value,
                "a number from 0 to 65535",
                value.value.parse::<u16>().is_ok(),
            )
        })
    };
    let host = |value: &Spanned<&str>| {
        let good = matches!(value.value, "." | "@") || is_host_name(value.value);
        address(value, "a host name", good)
    };
    match rtype.as_str() {
        "A" => {
            let mut found = fields(1, "an IPv4 address");
            found.extend(values.iter().filter_map(|value| {
                address(
                    value,
                    "an IPv4 address",
                    value.value.parse::<Ipv4Addr>().is_ok(),
                )
            }));
            found
        }
        "AAAA" => {
            let mut found = fields(1, "an IPv6 address");
            found.extend(values.iter().filter_map(|value| {
                address(
                    value,
                    "an IPv6 address",
                    value.value.parse::<Ipv6Addr>().is_ok(),
                )
            }));
            found
        }
        "CNAME" | "NS" | "PTR" => {
            let mut found = fields(1, "a host name");
            found.extend(values.iter().filter_map(host));
            found
        }
        "SRV" => {
            let mut found = fields(4, "priority, weight, port and target");
            found.extend(numbers(3));
            found.extend(values.get(3).and_then(host));
            found
        }
        "NAPTR" => {
            let mut found = fields(
                6,
                "order, preference, flags, service, regular expression and replacement",
            );
            found.extend(numbers(2));
            found
        }
        _ => Vec::new(),
    }
}
