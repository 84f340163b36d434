//! The plugin's own file, statement by statement.

use std::collections::HashMap;

use switchover_sdk::{Action, Change, Failure};

use crate::entry::{Entry, addresses, kind};
use crate::failover::Failover;
use crate::host::Host;
use crate::option::OptionDef;
use crate::subnet::{self, foreign};
use crate::tree::{Block, Node, parse, remove};
use crate::words::words;

/// What a new file begins with.
const HEADER: &str = "\
# Written by switchover. Statements that it made are put right by the next apply; others stay as they are.
";

/// A file as its statements. A statement that nothing changes keeps its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// What stands before the first statement, up to its last comment.
    head: String,
    items: Vec<Item>,
    tail: String,
}

/// A statement at the top of the file and what it says.
#[derive(Debug, Clone)]
struct Item {
    node: Node,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// One resource.
    Whole(Entry),
    /// A subnet of this CIDR, which holds others.
    Subnet(String),
}

/// Where a statement belongs in the file: definitions, peers, subnets, hosts. dhcpd reads it once, and what is not yet
/// declared is unknown.
type Place = (u8, String);

impl Item {
    fn new(node: Node) -> Self {
        let what = match subnet::cidr(&node) {
            Some(cidr) => What::Subnet(cidr),
            None => What::Whole(whole(&node)),
        };
        Self { node, what }
    }

    fn place(&self) -> Option<Place> {
        match &self.what {
            What::Whole(entry) => place(entry),
            What::Subnet(cidr) => Some(subnet_place(cidr)),
        }
    }
}

/// What a statement says that holds no other resource.
fn whole(node: &Node) -> Entry {
    let def = || OptionDef::parse(&words(node.head())?).filter(|_| !node.is_block());
    if let Some(host) = Host::parse(node) {
        Entry::Host(host)
    } else if let Some(failover) = Failover::parse(node) {
        Entry::Failover(failover)
    } else if let Some(def) = def() {
        Entry::OptionDef(def)
    } else {
        foreign(None, node)
    }
}

fn subnet_place(cidr: &str) -> Place {
    let network = cidr.parse::<ipnet::Ipv4Net>();
    let number = network.map_or(0, |network| u32::from(network.network()));
    (2, format!("{number:010} {cidr}"))
}

/// None for what has no place of its own.
pub(crate) fn place(entry: &Entry) -> Option<Place> {
    Some(match entry {
        Entry::OptionDef(def) => (0, format!("{:03}", def.code)),
        Entry::Failover(failover) => (1, failover.name.clone()),
        Entry::Subnet(subnet) => subnet_place(&subnet.subnet),
        Entry::Host(host) => (3, host.mac.clone()),
        Entry::Option(..) | Entry::Phones(_) | Entry::Statement(_) => return None,
    })
}

impl Document {
    /// The file of that name. An empty text is a file that is to be made.
    ///
    /// # Errors
    /// The text is none of dhcpd's.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let text = if text.trim().is_empty() { HEADER } else { text };
        let (mut nodes, mut tail) = parse(file, text)?;
        let first = nodes.first_mut().map_or(&mut tail, |node| &mut node.lead);
        let comments = first.trim_end().len();
        let rest = first.split_off(comments);
        let head = std::mem::replace(first, rest);
        Ok(Self {
            head,
            items: nodes.into_iter().map(Item::new).collect(),
            tail,
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.head.clone();
        for item in &self.items {
            item.node.write(&mut text);
        }
        text.push_str(&self.tail);
        text
    }

    /// What the statements say, in their order.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.items
            .iter()
            .flat_map(|item| match &item.what {
                What::Whole(entry) => vec![entry.clone()],
                What::Subnet(cidr) => subnet::entries(cidr, item.node.nodes()),
            })
            .collect()
    }

    /// Applies the changes, and touches no other statement.
    ///
    /// # Errors
    /// A change is not one of this plugin's, or something that is to go holds what somebody else put there.
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), Failure> {
        let mut wholes = Vec::new();
        let (mut puts, mut removals) = (Vec::new(), Vec::new());
        for change in changes {
            let wanted = change.action != Action::Delete;
            let value = if wanted {
                &change.after
            } else {
                &change.before
            };
            let entry = entry(change, value.as_ref())?;
            match &entry {
                Entry::Option(..) | Entry::Phones(_) | Entry::Subnet(_) if wanted => {
                    puts.push((depth(&entry), change, entry));
                }
                Entry::Option(..) | Entry::Phones(_) | Entry::Subnet(_) => {
                    removals.push((depth(&entry), change, entry));
                }
                _ => wholes.push((change, entry)),
            }
        }
        self.apply_wholes(wholes);
        puts.sort_by_key(|(depth, ..)| *depth);
        for (_, change, entry) in puts {
            self.put_in_subnet(&entry)
                .ok_or_else(|| refusal(change, "there is no place for it"))?;
        }
        removals.sort_by_key(|(depth, ..)| std::cmp::Reverse(*depth));
        for (_, _, entry) in removals {
            self.remove_from_subnet(&entry)?;
        }
        Ok(())
    }

    /// Statements that are one resource each. They are many, so they are looked up once for all changes.
    fn apply_wholes(&mut self, changes: Vec<(&Change, Entry)>) {
        if changes.is_empty() {
            return;
        }
        let (places, entries): (Vec<usize>, Vec<&Entry>) = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| match &item.what {
                What::Whole(entry) => Some((at, entry)),
                What::Subnet(_) => None,
            })
            .unzip();
        let places: HashMap<String, usize> = addresses(entries).zip(places).collect();
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        for (change, entry) in changes {
            let at = places.get(&change.address).copied();
            match (change.action, at, node(&entry)) {
                (Action::Delete, Some(at), _) => gone.push(at),
                (Action::Delete, None, _) | (_, _, None) => {}
                (_, Some(at), Some(node)) => {
                    let lead = std::mem::take(&mut self.items[at].node.lead);
                    self.items[at] = Item::new(Node { lead, ..node });
                }
                (_, None, Some(node)) => new.push(Item::new(node)),
            }
        }
        gone.sort_unstable();
        for at in gone.into_iter().rev() {
            self.remove(at);
        }
        self.insert(new);
    }

    fn remove(&mut self, at: usize) {
        let item = self.items.remove(at);
        // The same rules as within a block, for a list of one.
        let next = self.items.get_mut(at);
        let next = next.map_or(&mut self.tail, |item| &mut item.node.lead);
        remove(&mut vec![item.node], 0, next);
    }

    /// Each before the first statement that comes after it, or at the end.
    fn insert(&mut self, mut new: Vec<Item>) {
        new.sort_by_cached_key(Item::place);
        let mut merged = Vec::with_capacity(self.items.len() + new.len());
        let mut new = new.into_iter().peekable();
        for item in std::mem::take(&mut self.items) {
            if let Some(place) = item.place() {
                while let Some(earlier) =
                    new.next_if(|new| new.place().is_some_and(|new| new < place))
                {
                    merged.push(earlier);
                }
            }
            merged.push(item);
        }
        merged.extend(new);
        self.items = merged;
    }

    fn subnet(&self, cidr: &str) -> Option<usize> {
        self.items
            .iter()
            .position(|item| matches!(&item.what, What::Subnet(found) if found == cidr))
    }

    fn block_mut(&mut self, cidr: &str) -> Option<&mut Block> {
        let at = self.subnet(cidr)?;
        self.items[at].node.block_mut()
    }

    fn put_in_subnet(&mut self, entry: &Entry) -> Option<()> {
        match entry {
            Entry::Subnet(wanted) => {
                if self.subnet(&wanted.subnet).is_none() {
                    self.insert(vec![Item::new(subnet::node(&wanted.subnet)?)]);
                }
                subnet::put(self.block_mut(&wanted.subnet)?, wanted);
            }
            Entry::Phones(phones) => subnet::put_phones(self.block_mut(&phones.subnet)?, phones),
            Entry::Option(audience, option) => {
                subnet::put_option(self.block_mut(&option.subnet)?, *audience, option)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn remove_from_subnet(&mut self, entry: &Entry) -> Result<(), Failure> {
        match entry {
            Entry::Subnet(gone) => {
                let cidr = gone.subnet.as_str();
                let rest = self
                    .block_mut(cidr)
                    .and_then(|block| subnet::remaining(cidr, block));
                if let Some(rest) = rest {
                    return Err(in_use(&format!("subnet `{cidr}`"), &rest));
                }
                if let Some(at) = self.subnet(cidr) {
                    self.remove(at);
                }
            }
            Entry::Phones(phones) => {
                if let Some(block) = self.block_mut(&phones.subnet) {
                    let what = format!("the condition for telephones of `{}`", phones.subnet);
                    subnet::remove_phones(block, phones).map_err(|rest| in_use(&what, &rest))?;
                }
            }
            Entry::Option(audience, option) => {
                if let Some(block) = self.block_mut(&option.subnet) {
                    subnet::remove_option(block, *audience, option);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What stands in what: a subnet, the condition in it, the options in both.
fn depth(entry: &Entry) -> u8 {
    match entry {
        Entry::Subnet(_) => 0,
        Entry::Phones(_) => 1,
        _ => 2,
    }
}

/// The statement of an entry that is a whole one.
fn node(entry: &Entry) -> Option<Node> {
    match entry {
        Entry::OptionDef(def) => Some(Node::plain("\n", def.statement())),
        Entry::Failover(failover) => Some(failover.node()),
        Entry::Host(host) => Some(host.node()),
        Entry::Subnet(_) | Entry::Option(..) | Entry::Phones(_) | Entry::Statement(_) => None,
    }
}

fn in_use(what: &str, statement: &str) -> Failure {
    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::new(
        "in-use",
        format!("{what} still holds `{statement}`, which was not made here and would go along"),
    )
    .with_help("move it elsewhere or remove it, then plan again")
}

fn refusal(change: &Change, why: &str) -> Failure {
    let address = &change.address;
    Failure::new(
        "change",
        format!("cannot apply the change of `{address}`: {why}"),
    )
}

/// A change's value.
fn entry(change: &Change, json: Option<&String>) -> Result<Entry, Failure> {
    let json = json.ok_or_else(|| refusal(change, "it has no value"))?;
    if change.kind == kind::STATEMENT {
        return Err(refusal(change, "it was not made by this plugin"));
    }
    Entry::from_value(&change.kind, json)
        .ok_or_else(|| {
            let kind = &change.kind;
            refusal(change, &format!("`{kind}` is not a kind of this plugin"))
        })?
        .map_err(|error| refusal(change, &error.to_string()))
}
