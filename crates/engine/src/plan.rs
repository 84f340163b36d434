//! What a run would do: versioned, bound by digests to what it was made from, and free of secret values.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The format that this version writes, and the only one that it reads: a plan lives for a day.
pub const FORMAT_VERSION: &str = "2.0";

/// Everything that `apply` will do. Made by [`crate::plan`], shown to people, kept as a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// See [`FORMAT_VERSION`].
    pub format_version: String,
    /// The site's name.
    pub site: String,
    /// When it was made, and when it becomes stale by age.
    pub created: jiff::Timestamp,
    /// From this moment on the plan is refused.
    pub expires: jiff::Timestamp,
    /// The topology that it was made from.
    pub topology: TopologyRef,
    /// The generation that was the last one when the plan was made.
    pub generation: Option<u64>,
    /// Targets of the topology that the plan is not about. Empty: it is about all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What makes it so large a change that `apply` must be told to make it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub large: Vec<LargeChange>,
    /// That all of what it was made from was rolled back before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
    /// The generation to which this topology was rolled back: it wants again what was taken away then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<u64>,
    /// The targets in the order in which they will be committed.
    pub targets: Vec<TargetPlan>,
}

/// How an apply of the same input ended before: it was rolled back. Printed, it is a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When that was.
    pub when: jiff::Timestamp,
    /// Who applied it.
    pub who: String,
    /// What failed.
    pub why: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { when, who, why } = self;
        write!(
            formatter,
            "{who} applied the same at {when:.0}, and it was rolled back: {why}"
        )
    }
}

/// A target that a plan is not about: it was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The `target` node's name.
    pub name: String,
    /// When its turn would come.
    pub wave: Wave,
}

/// A part of a plan that is larger than the topology lets pass without being asked for. Printed, it is a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LargeChange {
    /// Too much of what a target has of ours is changed or removed.
    Share {
        /// The `target` node's name.
        target: String,
        /// Updates and removals.
        touched: usize,
        /// Resources of ours in the last generation.
        of: usize,
        /// The limit.
        percent: u32,
    },
    /// Too many resources are removed.
    Removals {
        /// Where.
        targets: Vec<String>,
        /// How many in all.
        removed: usize,
        /// The limit.
        limit: u32,
    },
}

impl fmt::Display for LargeChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share {
                target,
                touched,
                of,
                percent,
            } => write!(
                formatter,
                "{touched} of {of} resources of `{target}` change or go (from more than {percent} % on it is large)"
            ),
            Self::Removals {
                targets,
                removed,
                limit,
            } => {
                let are = if *removed == 1 {
                    "resource is"
                } else {
                    "resources are"
                };
                let targets: Vec<String> = targets.iter().map(|name| format!("`{name}`")).collect();
                let targets = targets.join(" and ");
                write!(
                    formatter,
                    "{removed} {are} removed at {targets} (more than {limit} are large)"
                )
            }
        }
    }
}

/// Which topology a plan belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyRef {
    /// As it was named on the command line.
    pub path: String,
    /// SHA-256 over all its files, in hexadecimal.
    pub sha256: String,
}

/// What will happen to one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetPlan {
    /// The `target` node's name.
    pub name: String,
    /// The plugin that made this part.
    pub plugin: PluginRef,
    /// When its turn comes.
    pub wave: Wave,
    /// SHA-256 over the state that was observed, in hexadecimal; state that moved since makes the plan stale.
    pub observed: String,
    /// The changes in the order of their dependencies.
    pub changes: Vec<Change>,
    /// How many resources are already as wanted.
    pub unchanged: usize,
    /// Addresses of resources that exist there and are not ours: never touched.
    pub foreign: Vec<String>,
    /// Resources of ours that drifted and are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_drift: Vec<KnownDrift>,
    /// Everything that the target will hold of ours: what the next generation records.
    pub resources: BTreeMap<String, Owned>,
    /// Whether a change can be taken back.
    pub undo: Undo,
    /// The requests that `apply` sends, and no others.
    pub procedure: Procedure,
}

/// A resource as a generation records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    /// SHA-256 of the wanted content, in hexadecimal; secrets are references in it.
    pub sha256: String,
    /// It was there before us: kept as wanted, but never deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// It holds references to secrets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Identity of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginRef {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
}

/// Turns of a run: never both PBXs at once, and a telephone is never pointed at something that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is what is configured in that turn")]
pub enum Wave {
    StandbyPbx,
    MainPbx,
    Dns,
    Provisioning,
    Dhcp,
}

/// What happens to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each says itself")]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// What moved since the last generation: what is wanted (the topology, a plugin, a template), or what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// What is wanted. What is there is as it was left, or was never ours.
    #[default]
    Wanted,
    /// What is there: somebody else changed it, and what is wanted is what was left there.
    Drift,
    /// Both.
    Both,
}

impl Reason {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_wanted(&self) -> bool {
        *self == Self::Wanted
    }

    /// Somebody else changed it.
    #[must_use]
    pub fn drifted(self) -> bool {
        self != Self::Wanted
    }
}

/// A resource that somebody else changed, which the topology accepts: it is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDrift {
    /// The resource.
    pub address: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Option<jiff::civil::Date>,
}

/// One difference between what is and what should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Unique in its target, such as `reservation/9c:75:14:00:01:01`.
    pub address: String,
    /// The plugin's kind of resource, such as `reservation`.
    pub kind: String,
    /// What happens.
    pub action: Action,
    /// What moved, so that there is something to change.
    #[serde(default, skip_serializing_if = "Reason::is_wanted")]
    pub reason: Reason,
    /// As it is. Values under a sensitive path, and lines of a file that hold a secret, read `(sensitive)`.
    pub before: Option<Content>,
    /// As it will be. Secrets are references.
    pub after: Option<Content>,
    /// How the plugin says what is; none where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_line: Option<Line>,
    /// How it says what will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_line: Option<Line>,
}

/// A resource in the words of its server's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What stands beside each other; the same columns in each line of a kind. An empty one keeps its place.
    pub columns: Vec<String>,
    /// Further values of the last column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
}

/// What a resource holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A JSON value.
    Object(serde_json::Value),
    /// The text of a file.
    Text(String),
    /// A file that is not UTF-8 text, or whose text must not be kept: its size in bytes and SHA-256.
    Opaque {
        /// Bytes.
        size: u64,
        /// In hexadecimal.
        sha256: String,
    },
}

/// Who takes a change back when something later fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// The engine restores what was there.
    Native,
    /// The plugin's undo steps.
    Plugin,
    /// Nobody.
    None,
}

/// The steps of one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Change nothing that a telephone could notice; all targets are staged before any is committed.
    pub stage: Vec<Step>,
    /// The changes.
    pub commit: Vec<Step>,
    /// Checks afterwards, beside the engine's own reading back.
    pub verify: Vec<Step>,
}

/// One effect, with what is expected of it and how to take it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in its procedure.
    pub id: String,
    /// A lower-case phrase for people.
    pub title: String,
    /// The effect.
    pub effect: Effect,
    /// What the answer must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// Values of the answer for later steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<Capture>,
    /// Run when something later fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<UndoStep>,
    /// Tells whether it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// A step that takes another one back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoStep {
    /// A lower-case phrase for people.
    pub title: String,
    /// The effect.
    pub effect: Effect,
    /// What the answer must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// Tells whether it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// A look that tells whether an effect was carried out. An effect without one does no harm when it is carried out
/// twice, nor does its undo where it never was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// A request that only reads.
    pub request: HttpRequest,
    /// JSON pointer to a list of which one member has to meet every expectation; none: the answer itself has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<String>,
    /// How to ask for the rest of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// What is looked for.
    pub expect: Vec<Expectation>,
    /// What it means where that is met.
    pub sign: Sign,
    /// Values from where it is met, for the undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<Capture>,
}

/// A list that comes in pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The parameter in the query string that says how many members are left out before the first.
    pub parameter: String,
    /// JSON pointer to how many members there are in all.
    pub total: String,
}

/// What it means where the expectations of an [`Evidence`] are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// The effect was carried out.
    Present,
    /// It was not.
    Absent,
}

/// Something done to the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// A request below the target's endpoint.
    Http(HttpRequest),
    /// A file below the target's root, replaced atomically.
    WriteFile {
        /// Below the root.
        path: String,
        /// What to write.
        content: FileContent,
    },
    /// A file below the target's root.
    RemoveFile {
        /// Below the root.
        path: String,
    },
    /// A command of the target, by its name.
    Run {
        /// The name in the target.
        name: String,
        /// The file that `{file}` stands for.
        file: Option<String>,
    },
    /// A request repeated until it answers as expected or the deadline passes.
    Probe {
        /// A request that only reads.
        request: HttpRequest,
        /// Milliseconds.
        deadline_ms: u32,
        /// Milliseconds between two tries.
        every_ms: u32,
    },
    /// A change of a zone, carried out whole or not at all.
    DnsUpdate(DnsUpdate),
    /// Waits until a server of a zone has the serial that the target has, or a later one.
    DnsProbe {
        /// The zone.
        zone: String,
        /// The server's name in the topology.
        server: String,
        /// Milliseconds.
        deadline_ms: u32,
        /// Milliseconds between two tries.
        every_ms: u32,
    },
    /// Asks a server of a zone until it answers with these RRsets; TTLs do not count.
    DnsQuery {
        /// The zone.
        zone: String,
        /// The server's name in the topology; none: the target's own.
        server: Option<String>,
        /// What it answers.
        expect: Vec<Rrset>,
        /// Milliseconds.
        deadline_ms: u32,
        /// Milliseconds between two tries.
        every_ms: u32,
    },
    /// Sends OPTIONS to the PBX that the target is until it says that it is in service.
    SipOptions {
        /// Over what.
        transport: Transport,
        /// Where it listens.
        port: u16,
        /// Milliseconds.
        deadline_ms: u32,
        /// Milliseconds between two tries.
        every_ms: u32,
    },
    /// Asks the DHCP server that the target is what it would offer a device, until it is this.
    DhcpDiscover(DhcpDiscover),
}

/// Over what SIP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the protocols' names")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// What a DHCP server should offer a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DhcpDiscover {
    /// The `dhcp` node that names the target at one of its servers.
    pub service: String,
    /// The device's hardware address.
    pub mac: String,
    /// The address that is offered.
    pub address: String,
    /// Options that the offer holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<DhcpOption>,
    /// Milliseconds.
    pub deadline_ms: u32,
    /// Milliseconds between two tries.
    pub every_ms: u32,
}

/// A DHCP option with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DhcpOption {
    /// Its number.
    pub code: u8,
    /// Its name with IANA, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it says.
    pub value: OptionValue,
}

/// The value of a DHCP option, by its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionValue {
    /// Text.
    Text(String),
    /// IPv4 addresses.
    Addresses(Vec<String>),
    /// RFC 3361, encoding 1.
    SipAddresses(Vec<String>),
    /// RFC 3361, encoding 0.
    SipNames(Vec<String>),
    /// One byte.
    Uint8(u8),
    /// Two bytes.
    Uint16(u16),
    /// Four bytes.
    Uint32(u32),
    /// Bytes as hexadecimal digits.
    Hex(String),
}

/// One message of RFC 2136.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsUpdate {
    /// The zone, without the final dot.
    pub zone: String,
    /// What has to be there still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Rrset>,
    /// What is there afterwards.
    pub replace: Vec<Rrset>,
}

/// All records of one owner and one type, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rrset {
    /// Without the final dot.
    pub owner: String,
    /// Such as `SRV`.
    #[serde(rename = "type")]
    pub rtype: String,
    /// Seconds.
    pub ttl: u32,
    /// In presentation form. Empty: no such RRset.
    pub data: Vec<String>,
}

/// What a written file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileContent {
    /// Text with placeholders.
    Text(String),
    /// The wanted content of the resource at this address.
    Resource(String),
}

/// A request below a target's endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Upper case.
    pub method: String,
    /// Below the endpoint, `/` first.
    pub path: String,
    /// Names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: HttpBody,
    /// JSON pointer at which the server explains an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Body of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpBody {
    /// None.
    Empty,
    /// A JSON document; placeholders stand inside its strings.
    Json(serde_json::Value),
    /// Bytes, sent as they are.
    Bytes(Vec<u8>),
}

/// The value at a JSON pointer of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// RFC 6901.
    pub pointer: String,
    /// Must equal this.
    pub equals: serde_json::Value,
}

/// A value of an answer, kept under a step's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Used later as `${step.NAME}`.
    pub name: String,
    /// RFC 6901.
    pub pointer: String,
}

/// How many resources a plan touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each counts what it says")]
pub struct Summary {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
    pub drifted: usize,
    pub unchanged: usize,
    pub foreign: usize,
}

impl Summary {
    /// Nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.create + self.update + self.delete == 0
    }
}

impl Plan {
    /// Targets that the plan is not about although their turn comes before that of a target which it changes.
    pub fn skipped_turns(&self) -> impl Iterator<Item = &LeftOut> {
        let changed = self.targets.iter().filter(|part| !part.changes.is_empty());
        let last = changed.map(|part| part.wave).max();
        self.left_out
            .iter()
            .filter(move |left_out| last.is_some_and(|last| left_out.wave < last))
    }

    /// Counts over all targets.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Self::summary_of(&self.targets)
    }

    /// Counts over these targets.
    #[must_use]
    pub fn summary_of(targets: &[TargetPlan]) -> Summary {
        let mut summary = Summary::default();
        for target in targets {
            summary.unchanged += target.unchanged;
            summary.foreign += target.foreign.len();
            for change in &target.changes {
                match change.action {
                    Action::Create => summary.create += 1,
                    Action::Update => summary.update += 1,
                    Action::Delete => summary.delete += 1,
                }
                summary.drifted += usize::from(change.reason.drifted());
            }
        }
        summary
    }
}
