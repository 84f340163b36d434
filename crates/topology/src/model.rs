//! The topology as types. Values keep the place where they were written.
//!
//! A node that lacks a required value, or holds an ill-typed one, is reported and left out; its kind is then in
//! [`Topology::incomplete`], so that a rule can hold back conclusions that would rest on the missing node.

mod convert;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Deref;
use std::time::Duration;

use foldhash::HashMap;
use ipnet::IpNet;
use switchover_catalogue::{DottedVersion, Transport};

use crate::source::{Span, Spanned};
use crate::value::{Extension, MacAddr, SecretSource};
pub(crate) use convert::{build, elements};
pub use policy::{KnownDrift, LargeChange, Retention};

/// The kinds of nodes that have names and can be referred to, and the three that occur once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the node of that name")]
pub enum Kind {
    Site,
    Pbx,
    WmsNetwork,
    Sync,
    Network,
    Dhcp,
    Dns,
    Provisioning,
    User,
    Device,
    Trunk,
    CallGroup,
    Target,
}

/// One failover pair and everything that depends on it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is the nodes of that name")]
pub struct Topology {
    /// None only where `site` is missing or ill-formed, which is reported.
    pub site: Option<Site>,
    pub pbxs: Named<Pbx>,
    pub wms_network: Option<WmsNetwork>,
    pub sync: Option<Sync>,
    pub networks: Named<Network>,
    pub dhcp: Named<Dhcp>,
    pub dns: Named<Dns>,
    pub provisioning: Named<Provisioning>,
    pub users: Named<User>,
    pub devices: Named<Device>,
    pub trunks: Named<Trunk>,
    pub call_groups: Named<CallGroup>,
    pub targets: Named<Target>,
    /// Kinds of which at least one node was left out because it was ill-formed.
    pub incomplete: BTreeSet<Kind>,
}

/// What every node has: its name (the node's first argument), and the place of the whole node.
pub trait Node {
    /// The name by which others refer to it.
    fn name(&self) -> &Spanned<String>;
}

/// Nodes of one kind, in file order, found by name.
#[derive(Debug, Clone)]
pub struct Named<T> {
    items: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            index: HashMap::default(),
        }
    }
}

impl<T: Node> Named<T> {
    /// Makes room for that many more nodes.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.items.reserve_exact(more);
        self.index.reserve(more);
    }

    /// Adds a node; gives it back where its name is taken.
    pub fn insert(&mut self, item: T) -> Result<(), T> {
        if self.index.contains_key(&item.name().value) {
            return Err(item);
        }
        self.index
            .insert(item.name().value.clone(), self.items.len());
        self.items.push(item);
        Ok(())
    }

    /// The node of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.index.get(name).map(|&at| &self.items[at])
    }
}

impl<T> Deref for Named<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<'a, T> IntoIterator for &'a Named<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

macro_rules! named {
    ($($node:ty),* $(,)?) => {$(
        impl Node for $node {
            fn name(&self) -> &Spanned<String> {
                &self.name
            }
        }
    )*};
}
named!(
    Pbx,
    Network,
    Dhcp,
    Dns,
    Provisioning,
    User,
    Device,
    Trunk,
    CallGroup,
    Target,
    Server
);

/// How the pair shares the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the guide's terms")]
pub enum Mode {
    HotStandby,
    LoadSharing,
}

/// `site`: the one node that names the whole.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Site {
    pub span: Span,
    pub name: Spanned<String>,
    pub mode: Spanned<Mode>,
    pub description: Option<Spanned<String>>,
    pub objective: Option<Objective>,
    pub large_change: Option<LargeChange>,
    pub retention: Option<Retention>,
    /// A folder relative to the topology file, or a URL of an object store. Default `.switchover`.
    pub state: Option<Spanned<String>>,
    pub require_tls: Option<Spanned<bool>>,
    pub uses: Vec<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// What the business accepts, worst case.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Objective {
    pub span: Span,
    pub switch: Option<Spanned<Duration>>,
    pub r#return: Option<Spanned<Duration>>,
}

/// `acknowledge CODE reason=… until=…`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Acknowledge {
    pub span: Span,
    pub code: Spanned<String>,
    pub reason: Spanned<String>,
    pub until: Option<Spanned<jiff::civil::Date>>,
}

/// Role of a PBX in the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the guide's terms")]
pub enum PbxRole {
    Main,
    Failover,
}

/// What a PBX runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the guide's terms")]
pub enum PlatformKind {
    Hardware,
    Vm,
}

/// `platform "vm" cores=2 threads=4 cpu="xeon"`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Platform {
    pub span: Span,
    pub kind: Spanned<PlatformKind>,
    pub cores: Option<Spanned<u32>>,
    pub threads: Option<Spanned<u32>>,
    pub cpu: Option<Spanned<String>>,
}

/// Language (ISO 639-1, lower case) and region (ISO 3166-1 alpha-2, upper case).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Locale {
    pub span: Span,
    pub language: Spanned<String>,
    pub region: Spanned<String>,
}

/// `pbx`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Pbx {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub role: Spanned<PbxRole>,
    pub hostname: Spanned<String>,
    pub address: Spanned<IpAddr>,
    pub wms: Spanned<DottedVersion>,
    pub platform: Platform,
    /// Users that it carries, as declared; the larger of this and those homed on it counts.
    pub users: Option<Spanned<u32>>,
    pub locale: Option<Locale>,
    pub failure_domain: Option<Spanned<String>>,
    pub target: Option<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// Role of a PBX in a WMS network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the vendor's terms")]
pub enum WmsRole {
    Server,
    Client,
}

/// A PBX of the WMS network: one of the pair by its name, or another site's.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct WmsMember {
    pub span: Span,
    pub name: Spanned<String>,
    pub role: Spanned<WmsRole>,
    pub hostname: Option<Spanned<String>>,
}

/// `wms-network`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct WmsNetwork {
    pub span: Span,
    pub description: Option<Spanned<String>>,
    pub members: Vec<WmsMember>,
    pub acknowledge: Vec<Acknowledge>,
}

/// `sync from=… to=… every=…`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Sync {
    pub span: Span,
    pub description: Option<Spanned<String>>,
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    pub every: Spanned<Duration>,
    pub acknowledge: Vec<Acknowledge>,
}

/// First and last address of a pool, both included.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the argument of that name")]
pub struct Pool {
    pub span: Span,
    pub first: Spanned<IpAddr>,
    pub last: Spanned<IpAddr>,
}

/// `network`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Network {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub subnet: Spanned<IpNet>,
    pub gateway: Option<Spanned<IpAddr>>,
    pub vlan: Option<Spanned<u16>>,
    pub pool: Option<Pool>,
    /// Primary first.
    pub dns: Vec<Spanned<IpAddr>>,
    pub ntp: Vec<Spanned<IpAddr>>,
    pub domain: Option<Spanned<String>>,
    pub dhcp: Option<Spanned<String>>,
    pub provisioning: Option<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// Role of a DHCP or DNS server among its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Kea's and DNS's terms")]
pub enum ServerRole {
    Primary,
    /// DHCP.
    Standby,
    /// DNS.
    Secondary,
}

/// A server of a `dhcp` or `dns` node.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Server {
    pub span: Span,
    pub name: Spanned<String>,
    pub address: Spanned<IpAddr>,
    /// None where not written: then the first server is the primary.
    pub role: Option<Spanned<ServerRole>>,
    pub failure_domain: Option<Spanned<String>>,
    pub target: Option<Spanned<String>>,
}

/// A DHCP option by number, or by IANA name (resolved to its number).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the argument of that name")]
pub struct DhcpOption {
    pub span: Span,
    pub code: Spanned<u8>,
    /// As written, one text per value; checked against the option's type where the catalogue knows it.
    pub values: Vec<Spanned<String>>,
}

/// `dhcp`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Dhcp {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub servers: Named<Server>,
    pub lease: Option<Spanned<Duration>>,
    pub options: Vec<DhcpOption>,
    pub acknowledge: Vec<Acknowledge>,
}

/// A record as declared: `record "prov" "A" "10.20.0.80"`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the argument of that name")]
pub struct Record {
    pub span: Span,
    /// Relative to the zone, or absolute with a final dot; `@` is the zone itself.
    pub name: Spanned<String>,
    /// Upper case.
    pub rtype: Spanned<String>,
    pub values: Vec<Spanned<String>>,
}

/// `dns`: one zone, named by its domain (lower case, without the final dot).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Dns {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub servers: Named<Server>,
    pub ttl: Option<Spanned<Duration>>,
    pub records: Vec<Record>,
    pub acknowledge: Vec<Acknowledge>,
}

/// `provisioning`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Provisioning {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub url: Spanned<url::Url>,
    /// The DHCP option that carries the URL. Default 66.
    pub dhcp_option: Option<Spanned<u8>>,
    pub target: Option<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// `user`, named by extension.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct User {
    pub span: Span,
    /// The extension as written.
    pub name: Spanned<String>,
    pub extension: Extension,
    pub description: Option<Spanned<String>>,
    pub display_name: Spanned<String>,
    pub pbx: Spanned<String>,
    pub email: Option<Spanned<String>>,
    pub sip_password: Option<Spanned<SecretSource>>,
    pub uses: Vec<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// How a device learns of the failover PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the guide's terms")]
pub enum FailoverBy {
    Registration,
    PhoneFailoverConf,
    SecondaryDns,
}

/// `device`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Device {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub model: Spanned<String>,
    pub mac: Option<Spanned<MacAddr>>,
    pub user: Option<Spanned<String>>,
    pub network: Option<Spanned<String>>,
    pub firmware: Option<Spanned<DottedVersion>>,
    pub year: Option<Spanned<u16>>,
    /// A reservation.
    pub address: Option<Spanned<IpAddr>>,
    pub transport: Option<Spanned<Transport>>,
    pub port: Option<Spanned<u16>>,
    pub failover_by: Option<Spanned<FailoverBy>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// Which way calls of a trunk are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the guide's terms")]
pub enum TrunkDirection {
    Incoming,
    Outgoing,
}

/// `trunk`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Trunk {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub direction: Spanned<TrunkDirection>,
    /// Address or host name.
    pub provider: Spanned<String>,
    pub register_to: Vec<Spanned<String>>,
    pub transport: Option<Spanned<Transport>>,
    pub port: Option<Spanned<u16>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// `call-group`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct CallGroup {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub strategy: Spanned<String>,
    pub members: Vec<Spanned<String>>,
    /// Where it is configured. Default: the sync source.
    pub on: Option<Spanned<String>>,
    pub acknowledge: Vec<Acknowledge>,
}

/// Credentials of a target.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub enum Auth {
    /// `auth "bearer" token=(secret)"…"`
    Bearer { token: Spanned<SecretSource> },
    /// `auth "basic" user="…" password=(secret)"…"`
    Basic {
        user: Spanned<String>,
        password: Spanned<SecretSource>,
    },
    /// `auth "s2s" app-id="…" app-name="…" secret=(secret)"…"`: each request is signed, as a WMS takes it from another
    /// server.
    Signed {
        app_id: Spanned<String>,
        app_name: Spanned<String>,
        secret: Spanned<SecretSource>,
    },
}

impl Auth {
    /// What is not to be shown.
    #[must_use]
    pub fn secret(&self) -> &Spanned<SecretSource> {
        match self {
            Self::Bearer { token: secret }
            | Self::Basic {
                password: secret, ..
            }
            | Self::Signed { secret, .. } => secret,
        }
    }
}

/// `command NAME PROGRAM ARGUMENT…`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the argument of that name")]
pub struct Command {
    pub span: Span,
    pub name: Spanned<String>,
    /// Program and arguments; `{file}` in an argument becomes the absolute path of a file that the plugin names.
    pub argv: Vec<Spanned<String>>,
}

/// `target`: one place that a plugin configures.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Target {
    pub span: Span,
    pub name: Spanned<String>,
    pub description: Option<Spanned<String>>,
    pub plugin: Spanned<String>,
    /// Base URL of an HTTP interface.
    pub endpoint: Option<Spanned<url::Url>>,
    pub auth: Option<Auth>,
    /// A PEM file of certificates that are trusted at the endpoint beside those of the system, relative to the
    /// topology file.
    pub ca: Option<Spanned<String>>,
    /// A folder (relative to the topology file, or absolute), or `ssh://…`.
    pub root: Option<Spanned<String>>,
    /// A folder of templates that override the plugin's own, relative to the topology file.
    pub templates: Option<Spanned<String>>,
    pub commands: Vec<Command>,
    pub large_change: Option<LargeChange>,
    /// Resources that may be other than they were left.
    pub known_drift: Vec<KnownDrift>,
    /// Everything else that is written there: the plugin's own settings, checked by its schema.
    pub settings: Settings,
    pub acknowledge: Vec<Acknowledge>,
}

/// A plugin's own settings by their names.
pub type Settings = BTreeMap<String, Setting>;

/// A plugin's own setting: `key=value` or a child `key value…` of a target. More than one argument makes an array; a
/// child with properties or a block makes an object, with its argument under `name`.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value as JSON. A secret stands in it as its source, `env:NAME`.
    pub value: serde_json::Value,
    /// The place of the value.
    pub span: Span,
    /// The place of its name.
    pub name: Span,
    /// Which parts of the value are secrets, by JSON pointer (empty: the value as a whole).
    pub secrets: BTreeMap<String, Spanned<SecretSource>>,
}
