//! The file that dhcpd is started with: somebody else's, read and never written.

use switchover_sdk::Failure;

use crate::entry::Entry;
use crate::failover::Failover;
use crate::host::Host;
use crate::subnet::{cidr, foreign};
use crate::tree::{Node, parse};
use crate::words::{Word, words};

/// The file's statements.
#[derive(Debug, Clone)]
pub(crate) struct MainFile {
    name: String,
    nodes: Vec<Node>,
}

impl MainFile {
    /// The file of that name, which has to include the plugin's own.
    ///
    /// # Errors
    /// The text is none of dhcpd's, or does not include `own`.
    pub(crate) fn parse(name: &str, text: &str, own: &str) -> Result<Self, Failure> {
        let (nodes, _) = parse(name, text)?;
        if !nodes.iter().any(|node| includes(node, own)) {
            return Err(Failure::new(
                "not-included",
                format!("`{name}` does not include `{own}`, so dhcpd would not read what is written there"),
            )
            .with_help(format!(
                "add `include \"/etc/dhcp/{own}\";` (with the path of this root) to {name}, and create the empty file, \
                 which dhcpd wants to exist; if another file includes it, name that one by the setting `main`"
            )));
        }
        Ok(Self {
            name: name.into(),
            nodes,
        })
    }

    /// The statements at its top, none of which is this plugin's.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.nodes
            .iter()
            .map(|node| foreign(Some(&self.name), node))
    }

    /// # Errors
    /// The file declares what one of the entries declares as well. dhcpd only warns of a subnet that is declared twice.
    pub(crate) fn hold_against(&self, entries: &[Entry]) -> Result<(), Failure> {
        let twice = entries
            .iter()
            .find(|entry| self.nodes.iter().any(|node| declares(node, entry)));
        let what = match twice {
            None => return Ok(()),
            Some(Entry::Subnet(subnet)) => format!("subnet `{}`", subnet.subnet),
            Some(Entry::Host(host)) => format!("host `{}`", host.name),
            Some(Entry::Failover(failover)) => format!("failover peer `{}`", failover.name),
            Some(other) => other.address(),
        };
        let name = &self.name;
        Err(Failure::new(
            "declared-elsewhere",
            format!("{what} is declared in `{name}` already"),
        )
        .with_help(format!(
            "remove that declaration from {name}; dhcpd wants each to be declared once"
        )))
    }
}

fn includes(node: &Node, own: &str) -> bool {
    let head = words(node.head());
    let included = match head.as_deref() {
        Some([include, Word::Text(path)]) if include.is("include") && !node.is_block() => {
            path.rsplit('/').next() == Some(own)
        }
        _ => false,
    };
    included || node.nodes().iter().any(|node| includes(node, own))
}

fn declares(node: &Node, entry: &Entry) -> bool {
    let here = match entry {
        Entry::Subnet(subnet) => cidr(node).as_ref() == Some(&subnet.subnet),
        Entry::Host(host) => {
            Host::parse(node).is_some_and(|other| other.name.eq_ignore_ascii_case(&host.name))
        }
        Entry::Failover(failover) => {
            Failover::parse(node).is_some_and(|other| other.name == failover.name)
        }
        _ => return false,
    };
    here || node.nodes().iter().any(|node| declares(node, entry))
}
