//! A subnet's declaration: its lease times and pools, its options, and the condition for its telephones.
//!
//! Telephones are told apart by an `if` within their subnet and not by a class. A class is the server's as a whole:
//! the options of two networks' telephones would meet in every telephone, wherever it is. The `if` stands behind the
//! options for everybody, so that what it sets wins for those that it is for, and it holds for fixed addresses too,
//! which belong to no pool.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Statement};
use crate::option::{Audience, SubnetOption};
use crate::tree::{Block, Node, remove};
use crate::words::{Word, quote, words, written};

/// A subnet without its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Subnet {
    /// CIDR.
    pub(crate) subnet: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_lease_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_lease_seconds: Option<u32>,
    pub(crate) pools: Vec<Pool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Pool {
    pub(crate) first: String,
    pub(crate) last: String,
    /// The failover peer that shares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failover: Option<String>,
    /// What somebody added to the declaration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<String>,
}

/// Which of a subnet's clients are telephones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phones {
    /// CIDR.
    pub(crate) subnet: String,
    /// First bytes of hardware addresses, `9c:75:14`.
    pub(crate) ouis: Vec<String>,
}

impl Subnet {
    /// A declaration that says nothing.
    pub(crate) fn empty(cidr: &str) -> Self {
        Self {
            subnet: cidr.into(),
            default_lease_seconds: None,
            max_lease_seconds: None,
            pools: Vec::new(),
        }
    }
}

/// What a statement within a subnet is.
enum Inner {
    DefaultLease(u32),
    MaxLease(u32),
    Pool(Pool),
    Option(SubnetOption),
    Phones(Phones),
    Foreign,
}

/// Where a statement belongs among those of its block; none for somebody else's, which stays where it is.
type Place = (u8, u8);

const DEFAULT_LEASE: Place = (0, 0);
const MAX_LEASE: Place = (1, 0);
const POOL: Place = (2, 0);
const PHONES: Place = (4, 0);

impl Inner {
    fn of(subnet: &str, node: &Node) -> Self {
        let Some(head) = words(node.head()) else {
            return Self::Foreign;
        };
        let seconds = |keyword: &str| match head.as_slice() {
            [word, value] if word.is(keyword) && !node.is_block() => value.number(),
            _ => None,
        };
        if let Some(seconds) = seconds("default-lease-time") {
            return Self::DefaultLease(seconds);
        }
        if let Some(seconds) = seconds("max-lease-time") {
            return Self::MaxLease(seconds);
        }
        if let Some(pool) = Pool::parse(&head, node) {
            return Self::Pool(pool);
        }
        if node.is_block() {
            return Phones::parse(subnet, &head).map_or(Self::Foreign, Self::Phones);
        }
        SubnetOption::parse(subnet, &head).map_or(Self::Foreign, Self::Option)
    }

    fn place(&self) -> Option<Place> {
        Some(match self {
            Self::DefaultLease(_) => DEFAULT_LEASE,
            Self::MaxLease(_) => MAX_LEASE,
            Self::Pool(_) => POOL,
            Self::Option(option) => option_place(option),
            Self::Phones(_) => PHONES,
            Self::Foreign => return None,
        })
    }
}

fn option_place(option: &SubnetOption) -> Place {
    (3, option.code)
}

/// The CIDR of a `subnet … netmask …` block.
pub(crate) fn cidr(node: &Node) -> Option<String> {
    let head = words(node.head())?;
    let [keyword, network, netmask, mask] = head.as_slice() else {
        return None;
    };
    if !keyword.is("subnet") || !netmask.is("netmask") || !node.is_block() {
        return None;
    }
    let network = Ipv4Net::with_netmask(network.number()?, mask.number()?).ok()?;
    Some(network.trunc().to_string())
}

/// An empty declaration. None where the CIDR is none.
pub(crate) fn node(cidr: &str) -> Option<Node> {
    let network: Ipv4Net = cidr.parse().ok()?;
    let head = format!("subnet {} netmask {}", network.network(), network.netmask());
    Some(Node::block("\n\n", head, "\n"))
}

/// The subnet, then what is in it, in the order of the file. Of an option that is set twice, the last one counts.
pub(crate) fn entries(cidr: &str, nodes: &[Node]) -> Vec<Entry> {
    let mut subnet = Subnet::empty(cidr);
    let mut within = Vec::new();
    for node in nodes {
        match Inner::of(cidr, node) {
            Inner::DefaultLease(seconds) => subnet.default_lease_seconds = Some(seconds),
            Inner::MaxLease(seconds) => subnet.max_lease_seconds = Some(seconds),
            Inner::Pool(pool) => subnet.pools.push(pool),
            Inner::Option(option) => set(&mut within, Entry::Option(Audience::Everybody, option)),
            Inner::Phones(phones) => {
                within.push(Entry::Phones(phones));
                for inner in node.nodes() {
                    match words(inner.head()).and_then(|head| SubnetOption::parse(cidr, &head)) {
                        Some(option) => set(&mut within, Entry::Option(Audience::Phones, option)),
                        None => within.push(foreign(Some(&format!("{cidr}/phones")), inner)),
                    }
                }
            }
            Inner::Foreign => within.push(foreign(Some(cidr), node)),
        }
    }
    within.insert(0, Entry::Subnet(subnet));
    within
}

/// Whether a statement within the subnet is somebody else's.
pub(crate) fn is_foreign(cidr: &str, node: &Node) -> bool {
    matches!(Inner::of(cidr, node), Inner::Foreign)
}

fn set(entries: &mut Vec<Entry>, entry: Entry) {
    let address = entry.address();
    match entries.iter_mut().find(|other| other.address() == address) {
        Some(other) => *other = entry,
        None => entries.push(entry),
    }
}

/// Somebody else's statement: what it begins with, on one line. What stands in quotes is left out, since it may be a
/// password, but for names of blocks and files.
pub(crate) fn foreign(within: Option<&str>, node: &Node) -> Entry {
    let mut head = words(node.head()).unwrap_or_default();
    let named = node.is_block() || head.first().is_some_and(|word| word.is("include"));
    for word in &mut head {
        if let Word::Text(text) = word
            && !named
        {
            *text = "…".into();
        }
    }
    Entry::Statement(Statement {
        within: within.map(Into::into),
        statement: written(&head),
    })
}

/// Lease times and pools as wanted; everything else in the block stays.
pub(crate) fn put(block: &mut Block, subnet: &Subnet) {
    let cidr = subnet.subnet.as_str();
    let seconds = |keyword: &str, seconds: Option<u32>| -> Vec<Node> {
        let statement = seconds.map(|seconds| format!("{keyword} {seconds};"));
        statement
            .map(|statement| Node::plain("\n    ", statement))
            .into_iter()
            .collect()
    };
    let default = seconds("default-lease-time", subnet.default_lease_seconds);
    replace(block, cidr, DEFAULT_LEASE, default);
    let max = seconds("max-lease-time", subnet.max_lease_seconds);
    replace(block, cidr, MAX_LEASE, max);
    let pools = subnet.pools.iter().map(Pool::node).collect();
    replace(block, cidr, POOL, pools);
}

pub(crate) fn put_phones(block: &mut Block, phones: &Phones) {
    let cidr = phones.subnet.as_str();
    let head = phones.condition();
    let found = position(block, |inner| matches!(inner, Inner::Phones(_)), cidr);
    match found.and_then(|at| block.nodes[at].block_mut()) {
        Some(found) => found.head = format!("{head} "),
        None => insert(block, cidr, PHONES, Node::block("\n    ", head, "\n    ")),
    }
}

/// None where the subnet has no condition for telephones and the option is for those.
pub(crate) fn put_option(
    block: &mut Block,
    audience: Audience,
    option: &SubnetOption,
) -> Option<()> {
    let cidr = option.subnet.as_str();
    let (block, lead) = audience_block(block, audience, cidr)?;
    let node = Node::plain(lead, option.statement());
    replace(block, cidr, option_place(option), vec![node]);
    Some(())
}

pub(crate) fn remove_option(block: &mut Block, audience: Audience, option: &SubnetOption) {
    let cidr = option.subnet.as_str();
    if let Some((block, _)) = audience_block(block, audience, cidr) {
        replace(block, cidr, option_place(option), Vec::new());
    }
}

/// # Errors
/// The statement that would go along, where there is one that was not made here.
pub(crate) fn remove_phones(block: &mut Block, phones: &Phones) -> Result<(), String> {
    let found = position(
        block,
        |inner| matches!(inner, Inner::Phones(_)),
        &phones.subnet,
    );
    let Some(at) = found else { return Ok(()) };
    match block.nodes[at].nodes().first() {
        Some(inner) => Err(inner.text()),
        None => {
            remove(&mut block.nodes, at, &mut block.tail);
            Ok(())
        }
    }
}

/// A statement that would go along with the subnet and that was not made here.
pub(crate) fn remaining(cidr: &str, block: &Block) -> Option<String> {
    let own = |node: &&Node| {
        Inner::of(cidr, node)
            .place()
            .is_some_and(|place| place <= POOL)
    };
    block.nodes.iter().find(|node| !own(node)).map(Node::text)
}

fn audience_block<'a>(
    block: &'a mut Block,
    audience: Audience,
    cidr: &str,
) -> Option<(&'a mut Block, &'static str)> {
    match audience {
        Audience::Everybody => Some((block, "\n    ")),
        Audience::Phones => {
            let at = position(block, |inner| matches!(inner, Inner::Phones(_)), cidr)?;
            Some((block.nodes[at].block_mut()?, "\n        "))
        }
    }
}

fn position(block: &Block, is: impl Fn(&Inner) -> bool, cidr: &str) -> Option<usize> {
    block
        .nodes
        .iter()
        .position(|node| is(&Inner::of(cidr, node)))
}

/// Puts statements where those of their place are, which give way; one that says the same keeps its bytes.
fn replace(block: &mut Block, cidr: &str, place: Place, wanted: Vec<Node>) {
    let mut wanted = wanted.into_iter();
    let mut at = 0;
    while at < block.nodes.len() {
        if Inner::of(cidr, &block.nodes[at]).place() != Some(place) {
            at += 1;
            continue;
        }
        match wanted.next() {
            Some(node) => {
                let old = &mut block.nodes[at];
                if !says_the_same(old, &node) {
                    old.body = node.body;
                }
                at += 1;
            }
            None => remove(&mut block.nodes, at, &mut block.tail),
        }
    }
    for node in wanted {
        insert(block, cidr, place, node);
    }
}

fn says_the_same(one: &Node, other: &Node) -> bool {
    words(&one.text()) == words(&other.text())
}

/// Before the first statement that comes after it, or at the end.
fn insert(block: &mut Block, cidr: &str, place: Place, node: Node) {
    let later = |other: &Node| {
        Inner::of(cidr, other)
            .place()
            .is_some_and(|other| other > place)
    };
    let at = block.nodes.iter().position(later);
    block.nodes.insert(at.unwrap_or(block.nodes.len()), node);
}

impl Pool {
    fn node(&self) -> Node {
        let mut node = Node::block("\n    ", "pool", "\n    ");
        let failover = self
            .failover
            .as_ref()
            .map(|peer| format!("failover peer {};", quote(peer)));
        let range = format!("range {} {};", self.first, self.last);
        if let Some(block) = node.block_mut() {
            block.nodes = failover
                .into_iter()
                .chain([range])
                .chain(self.more.iter().cloned())
                .map(|statement| Node::plain("\n        ", statement))
                .collect();
        }
        node
    }

    /// A pool, or a range that stands in its subnet without one.
    fn parse(head: &[Word], node: &Node) -> Option<Self> {
        if !node.is_block() {
            return Self::range(head);
        }
        match head {
            [pool] if pool.is("pool") => {}
            _ => return None,
        }
        let (mut found, mut failover, mut more) = (None, None, Vec::new());
        for inner in node.nodes() {
            let head = words(inner.head())?;
            match head.as_slice() {
                [keyword, peer, name]
                    if failover.is_none() && keyword.is("failover") && peer.is("peer") =>
                {
                    failover = name.name().map(Into::into);
                }
                head => match Self::range(head).filter(|_| found.is_none()) {
                    Some(range) => found = Some(range),
                    None => more.push(inner.text()),
                },
            }
        }
        Some(Self {
            failover,
            more,
            ..found?
        })
    }

    fn range(head: &[Word]) -> Option<Self> {
        let (first, last) = match head {
            [range, only] if range.is("range") => (only, only),
            [range, first, last] if range.is("range") => (first, last),
            _ => return None,
        };
        let address = |word: &Word| {
            word.number::<std::net::Ipv4Addr>()
                .map(|address| address.to_string())
        };
        Some(Self {
            first: address(first)?,
            last: address(last)?,
            failover: None,
            more: Vec::new(),
        })
    }
}

impl Phones {
    fn condition(&self) -> String {
        let tests = self
            .ouis
            .iter()
            .map(|oui| format!("substring(hardware, 1, 3) = {oui}"));
        format!("if {}", tests.collect::<Vec<_>>().join(" or "))
    }

    fn parse(subnet: &str, head: &[Word]) -> Option<Self> {
        let [keyword, tests @ ..] = head else {
            return None;
        };
        if !keyword.is("if") {
            return None;
        }
        let ouis: Option<Vec<String>> = tests
            .split(|word| word.is("or"))
            .map(|test| {
                let oui = test.last()?.bare()?.to_ascii_lowercase();
                let expected = format!("substring(hardware, 1, 3) = {oui}");
                (written(test).eq_ignore_ascii_case(&expected) && oui.contains(':')).then_some(oui)
            })
            .collect();
        Some(Self {
            subnet: subnet.into(),
            ouis: ouis?,
        })
    }
}
