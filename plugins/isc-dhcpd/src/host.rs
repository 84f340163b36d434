//! The declaration of one device.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::tree::Node;
use crate::words::{Word, quote, words};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Host {
    /// Lower case, colons.
    pub(crate) mac: String,
    /// Of the declaration; dhcpd takes each once.
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Option 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host_name: Option<String>,
    /// What somebody added to the declaration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<String>,
}

impl Host {
    pub(crate) fn node(&self) -> Node {
        let Self {
            mac,
            name,
            address,
            host_name,
            more,
        } = self;
        let mut node = Node::block("\n", format!("host {name}"), " ");
        let statements = [
            Some(format!("hardware ethernet {mac};")),
            address
                .as_ref()
                .map(|address| format!("fixed-address {address};")),
            host_name
                .as_ref()
                .map(|name| format!("option host-name {};", quote(name))),
        ];
        if let Some(block) = node.block_mut() {
            block.nodes = statements
                .into_iter()
                .flatten()
                .chain(more.iter().cloned())
                .map(|statement| Node::plain(" ", statement))
                .collect();
        }
        node
    }

    /// A host known by its hardware address. What else is declared of it is kept apart, so that a host that somebody
    /// changed is seen as changed, and not as one host missing and another too many.
    pub(crate) fn parse(node: &Node) -> Option<Self> {
        let head = words(node.head())?;
        let [keyword, name] = head.as_slice() else {
            return None;
        };
        if !keyword.is("host") || !node.is_block() {
            return None;
        }
        let name = name.name()?.to_owned();
        let (mut mac, mut address, mut host_name, mut more) = (None, None, None, Vec::new());
        for inner in node.nodes() {
            match words(inner.head())?.as_slice() {
                [hardware, ethernet, value]
                    if mac.is_none() && hardware.is("hardware") && ethernet.is("ethernet") =>
                {
                    mac = Some(hardware_address(value.bare()?)?);
                }
                [keyword, value]
                    if address.is_none()
                        && keyword.is("fixed-address")
                        && value.number::<Ipv4Addr>().is_some() =>
                {
                    address = value.bare().map(Into::into);
                }
                [option, keyword, Word::Text(text)]
                    if host_name.is_none() && option.is("option") && keyword.is("host-name") =>
                {
                    host_name = Some(text.clone());
                }
                _ => more.push(inner.text()),
            }
        }
        Some(Self {
            mac: mac?,
            name,
            address,
            host_name,
            more,
        })
    }
}

/// Six bytes in lower case with two digits each; dhcpd takes one digit as well.
fn hardware_address(text: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = text
        .split(':')
        .map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    let bytes: [u8; 6] = bytes?.try_into().ok()?;
    Some(bytes.map(|byte| format!("{byte:02x}")).join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    fn host(source: &str) -> Option<Host> {
        let (nodes, _) = parse("x", source).expect("statements");
        Host::parse(&nodes[0])
    }

    #[test]
    fn hosts_are_read_as_they_are_written() {
        for source in [
            "host reception { hardware ethernet 9c:75:14:00:01:01; fixed-address 10.20.30.11; option host-name \
             \"reception\"; }",
            "host 101 { hardware ethernet 9c:75:14:00:01:01; }",
            "host a { hardware ethernet 9c:75:14:00:01:01; fixed-address 10.20.30.11; deny booting; }",
        ] {
            assert_eq!(host(source).expect("a host").node().text(), source);
        }
        let odd = host(
            "HOST \"a\" {\n  Hardware Ethernet 9C:75:14:0:1:1;\n  fixed-address pbx.example;\n}",
        );
        let odd = odd.expect("a host");
        assert_eq!(
            (odd.mac.as_str(), odd.name.as_str()),
            ("9c:75:14:00:01:01", "a")
        );
        assert_eq!(odd.more, ["fixed-address pbx.example;"]);
        for source in [
            "host a { fixed-address 1.1.1.1; }",
            "host a { hardware token-ring 1:2:3:4:5:6; }",
            "group { }",
            "host;",
        ] {
            assert_eq!(host(source), None, "{source}");
        }
    }
}
