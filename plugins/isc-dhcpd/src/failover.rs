//! The failover peer of a DHCP service, as each of its two servers declares it.
//!
//! Seen on dhcpd 4.4.3: only the primary may say `mclt` and `split`, and it must; a peer to which no pool refers is
//! refused, and so is a pool whose peer is not declared before it.

use serde::{Deserialize, Serialize};

use crate::tree::Node;
use crate::words::words;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Failover {
    /// The same on both servers.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Own address.
    pub(crate) address: String,
    pub(crate) peer_address: String,
    /// The settings with a number, by their keywords.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
    /// What somebody added to the declaration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    Primary,
    Secondary,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Numbers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_port: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_response_delay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_unacked_updates: Option<u32>,
    /// Seconds; on the primary only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mclt: Option<u32>,
    /// Of 256; on the primary only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) split: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load_balance_max_seconds: Option<u32>,
}

impl Numbers {
    /// Each with its keyword, in the order of the declaration.
    fn fields(&mut self) -> [(&'static str, &mut Option<u32>); 7] {
        [
            ("port", &mut self.port),
            ("peer port", &mut self.peer_port),
            ("max-response-delay", &mut self.max_response_delay),
            ("max-unacked-updates", &mut self.max_unacked_updates),
            ("mclt", &mut self.mclt),
            ("split", &mut self.split),
            (
                "load balance max seconds",
                &mut self.load_balance_max_seconds,
            ),
        ]
    }
}

impl Numbers {
    /// Those that are set, with their keywords.
    pub(crate) fn set(&self) -> Vec<(&'static str, u32)> {
        let mut numbers = self.clone();
        let fields = numbers.fields().into_iter();
        fields
            .filter_map(|(keyword, value)| Some((keyword, (*value)?)))
            .collect()
    }
}

impl Failover {
    pub(crate) fn node(&self) -> Node {
        let Self {
            name,
            role,
            address,
            peer_address,
            numbers,
            more,
        } = self;
        let role = match role {
            Role::Primary => "primary",
            Role::Secondary => "secondary",
        };
        let mut statements = vec![
            format!("{role};"),
            format!("address {address};"),
            format!("peer address {peer_address};"),
        ];
        let set = numbers.set().into_iter();
        statements.extend(set.map(|(keyword, value)| format!("{keyword} {value};")));
        statements.extend(more.iter().cloned());
        let mut node = Node::block("\n\n", format!("failover peer \"{name}\""), "\n");
        if let Some(block) = node.block_mut() {
            block.nodes = statements
                .into_iter()
                .map(|statement| Node::plain("\n    ", statement))
                .collect();
        }
        node
    }

    pub(crate) fn parse(node: &Node) -> Option<Self> {
        let head = words(node.head())?;
        let [keyword, peer, name, rest @ ..] = head.as_slice() else {
            return None;
        };
        let is_failover = keyword.is("failover") && peer.is("peer") && node.is_block();
        // `failover peer "x" state { … }` is what dhcpd writes among its leases.
        if !is_failover || !rest.is_empty() {
            return None;
        }
        let (mut role, mut address, mut peer_address) = (None, None, None);
        let (mut numbers, mut more) = (Numbers::default(), Vec::new());
        for inner in node.nodes() {
            let found = words(inner.head())?;
            match found.as_slice() {
                [word] if role.is_none() && word.is("primary") => role = Some(Role::Primary),
                [word] if role.is_none() && word.is("secondary") => role = Some(Role::Secondary),
                [keyword, value] if address.is_none() && keyword.is("address") => {
                    address = value.bare().map(Into::into);
                }
                [peer, keyword, value]
                    if peer_address.is_none() && peer.is("peer") && keyword.is("address") =>
                {
                    peer_address = value.bare().map(Into::into);
                }
                [keyword @ .., value] => {
                    let keyword: Option<Vec<String>> = keyword
                        .iter()
                        .map(|word| word.bare().map(str::to_ascii_lowercase))
                        .collect();
                    let keyword = keyword?.join(" ");
                    let mut fields = numbers.fields().into_iter();
                    let field = fields.find(|(known, slot)| *known == keyword && slot.is_none());
                    match (field, value.number()) {
                        (Some((_, slot)), Some(number)) => *slot = Some(number),
                        _ => more.push(inner.text()),
                    }
                }
                [] => more.push(inner.text()),
            }
        }
        Some(Self {
            name: name.name()?.into(),
            role: role?,
            address: address?,
            peer_address: peer_address?,
            numbers,
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    #[test]
    fn declarations_are_read_as_they_are_written() {
        for source in [
            "failover peer \"hq\" {\n    primary;\n    address 10.0.0.1;\n    peer address 10.0.0.2;\n    port 647;\n    \
             peer port 647;\n    max-response-delay 60;\n    max-unacked-updates 10;\n    mclt 3600;\n    split 128;\n    \
             load balance max seconds 3;\n}",
            "failover peer \"hq\" {\n    secondary;\n    address 10.0.0.2;\n    peer address 10.0.0.1;\n    \
             auto-partner-down 600;\n}",
        ] {
            let (nodes, _) = parse("x", source).expect("statements");
            let failover = Failover::parse(&nodes[0]).expect("a peer");
            assert_eq!(failover.node().text(), source);
        }
        for source in [
            "failover peer \"hq\" { address 10.0.0.1; peer address 10.0.0.2; }",
            "failover peer \"hq\" state { my state normal at 1; }",
            "failover peer \"hq\";",
        ] {
            let (nodes, _) = parse("x", source).expect("statements");
            assert_eq!(Failover::parse(&nodes[0]), None, "{source}");
        }
    }
}
