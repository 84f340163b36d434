//! What is shown of a plan, cut to what a person reads; every format for people draws this.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use switchover_engine::plan::{
    Action, Change, Content, Effect, KnownDrift, Plan, PluginRef, Reason, Step, Summary,
    TargetPlan, Transport, Undo, Wave,
};

use crate::render::fields;
use crate::render::text::{counted, size};

/// More creations or updates of one kind in a target than this are told by their number.
const MANY: usize = 20;
/// So many of them are still shown.
const SHOWN_OF_MANY: usize = 5;
/// Fields of an object, and lines of a difference, that are shown of one change.
const FIELDS: usize = 12;
const DIFF_LINES: usize = 40;
/// A new object whose fields fit into this many characters is shown on one line.
const INLINE: usize = 90;
/// Lines around a difference.
const CONTEXT: usize = 2;
/// Two files that share hardly a line are not worth a longer search for the smallest difference.
const DIFF_TIME: Duration = Duration::from_millis(500);

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Extent {
    /// What a reviewer needs.
    #[default]
    Brief,
    /// Every change in full, and every request that `apply` sends.
    Full,
}

/// A plan as it is shown.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) summary: Summary,
    pub(crate) targets: Vec<TargetOutline<'a>>,
}

/// A target as it is shown.
#[derive(Debug)]
pub(crate) struct TargetOutline<'a> {
    pub(crate) target: &'a TargetPlan,
    pub(crate) entries: Vec<Entry<'a>>,
    /// What somebody else changed, while the same is wanted as before.
    pub(crate) drift: Vec<ChangeOutline<'a>>,
    /// In [`Extent::Full`] only: phase and what is sent.
    pub(crate) steps: Vec<(&'static str, String)>,
}

/// One line of a target, with what belongs below it.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Change(ChangeOutline<'a>),
    /// So many more of a kind.
    More {
        action: Action,
        kind: &'a str,
        count: usize,
    },
}

/// A change as it is shown.
#[derive(Debug)]
pub(crate) struct ChangeOutline<'a> {
    pub(crate) change: &'a Change,
    /// Beside the address, where there is no line.
    pub(crate) note: Option<String>,
    /// Below it.
    pub(crate) details: Vec<Detail>,
}

/// One line below a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The resource's address, where its line is above.
    Address(String),
    Changed {
        path: String,
        before: String,
        after: String,
    },
    Added {
        path: String,
        value: String,
    },
    Removed {
        path: String,
        value: String,
    },
    /// `@@ -1,3 +1,4 @@`
    Hunk(String),
    Kept(String),
    Inserted(String),
    Deleted(String),
    /// The text has no line break at its end.
    NoNewline,
    MoreFields(usize),
    MoreLines(usize),
}

impl<'a> Outline<'a> {
    /// Chooses what is shown of a plan.
    pub(crate) fn new(plan: &'a Plan, extent: Extent) -> Self {
        let targets = plan
            .targets
            .iter()
            .map(|target| outline_target(target, extent))
            .collect();
        Self {
            plan,
            summary: plan.summary(),
            targets,
        }
    }
}

impl TargetOutline<'_> {
    /// What the target leaves alone, and what cannot be taken back.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let foreign = self.target.foreign.len();
        if foreign > 0 {
            remarks.push(format!(
                "{} left alone",
                counted(foreign, "foreign resource", "foreign resources")
            ));
        }
        remarks.extend(known_drift(&self.target.known_drift));
        if self.target.undo == Undo::None && !self.target.changes.is_empty() {
            remarks.push("these changes cannot be taken back".to_owned());
        }
        remarks
    }
}

/// What stands above the drift of a target.
pub(crate) const DRIFT: &str = "changed by somebody else, brought back to what is wanted:";

/// The one line that sums up: `3 to add, 1 to change, 0 to remove, 2 drifted`.
pub(crate) fn sum(summary: &Summary) -> String {
    use crate::render::text::count;
    if summary.is_empty() {
        return "no changes".to_owned();
    }
    let drifted = if summary.drifted > 0 {
        format!(", {} drifted", count(summary.drifted))
    } else {
        String::new()
    };
    format!(
        "{} to add, {} to change, {} to remove{drifted}",
        count(summary.create),
        count(summary.update),
        count(summary.delete)
    )
}

/// `1. files – provisioning`: a target and when its turn is.
pub(crate) fn turn(number: Option<usize>, name: &str, of: Wave) -> String {
    let number = number.map(|number| format!("{number}. "));
    format!("{}{name} – {}", number.unwrap_or_default(), wave(of))
}

/// `plugin kea 0.1.0`
pub(crate) fn plugin(plugin: &PluginRef) -> String {
    format!("plugin {} {}", plugin.name, plugin.version)
}

/// The name of a turn.
pub(crate) const fn wave(wave: Wave) -> &'static str {
    match wave {
        Wave::StandbyPbx => "standby PBX",
        Wave::MainPbx => "main PBX",
        Wave::Dns => "DNS",
        Wave::Provisioning => "provisioning",
        Wave::Dhcp => "DHCP",
    }
}

/// Removals and drift are always shown one by one: that is what a reviewer must not miss.
fn may_fold(change: &Change) -> bool {
    change.action != Action::Delete && !change.reason.drifted()
}

pub(crate) fn outline_target(target: &TargetPlan, extent: Extent) -> TargetOutline<'_> {
    let mut totals: BTreeMap<(Action, &str), usize> = BTreeMap::new();
    for change in target.changes.iter().filter(|change| may_fold(change)) {
        *totals.entry((change.action, &change.kind)).or_default() += 1;
    }
    let mut seen: BTreeMap<(Action, &str), usize> = BTreeMap::new();
    let (mut entries, mut drift) = (Vec::new(), Vec::new());
    for change in &target.changes {
        let kind = (change.action, change.kind.as_str());
        let total = totals.get(&kind).copied().unwrap_or_default();
        if change.reason == Reason::Drift {
            drift.push(outline_change(change, extent));
            continue;
        }
        if extent == Extent::Brief && may_fold(change) && total > MANY {
            let seen = seen.entry(kind).or_default();
            *seen += 1;
            if *seen == SHOWN_OF_MANY + 1 {
                entries.push(Entry::More {
                    action: change.action,
                    kind: &change.kind,
                    count: total - SHOWN_OF_MANY,
                });
            }
            if *seen > SHOWN_OF_MANY {
                continue;
            }
        }
        entries.push(Entry::Change(outline_change(change, extent)));
    }
    let steps = if extent == Extent::Full {
        steps(target)
    } else {
        Vec::new()
    };
    TargetOutline {
        target,
        entries,
        drift,
        steps,
    }
}

fn steps(target: &TargetPlan) -> Vec<(&'static str, String)> {
    let procedure = &target.procedure;
    [
        ("stage", &procedure.stage),
        ("commit", &procedure.commit),
        ("verify", &procedure.verify),
    ]
    .into_iter()
    .flat_map(|(phase, steps)| steps.iter().map(move |step| (phase, describe(step))))
    .collect()
}

fn describe(step: &Step) -> String {
    let what = match &step.effect {
        Effect::Http(request) => format!("{} {}", request.method, request.path),
        Effect::WriteFile { path, .. } => format!("write {path}"),
        Effect::RemoveFile { path } => format!("remove {path}"),
        Effect::Run { name, file: None } => format!("run {name}"),
        Effect::Run {
            name,
            file: Some(file),
        } => format!("run {name} on {file}"),
        Effect::Probe { request, .. } => format!("wait for {} {}", request.method, request.path),
        Effect::DnsUpdate(update) => {
            let sets = if update.replace.len() == 1 {
                "RRset"
            } else {
                "RRsets"
            };
            format!("update {} {sets} of {}", update.replace.len(), update.zone)
        }
        Effect::DnsProbe { zone, server, .. } => format!("wait for {server} to have {zone}"),
        Effect::DnsQuery { zone, expect, .. } => {
            let sets = if expect.len() == 1 { "RRset" } else { "RRsets" };
            format!("ask for {} {sets} of {zone}", expect.len())
        }
        Effect::SipOptions {
            transport, port, ..
        } => {
            let transport = match transport {
                Transport::Udp => "UDP",
                Transport::Tcp => "TCP",
                Transport::Tls => "TLS",
            };
            format!("OPTIONS to port {port} over {transport}")
        }
        Effect::DhcpDiscover(discover) => {
            format!("DHCPDISCOVER of {}", discover.mac)
        }
    };
    // Some titles say all of it.
    if step.title == what {
        return what;
    }
    format!("{} ({what})", step.title)
}

/// What drifted and is accepted, one sentence each.
pub(crate) fn known_drift(known: &[KnownDrift]) -> Vec<String> {
    let told = |known: &KnownDrift| {
        let until = known.until.map(|until| format!(", until {until}"));
        let (address, reason) = (&known.address, &known.reason);
        format!(
            "known drift of {address} left alone: {reason}{}",
            until.unwrap_or_default()
        )
    };
    known.iter().map(told).collect()
}

fn outline_change(change: &Change, extent: Extent) -> ChangeOutline<'_> {
    let has_line = change.before_line.is_some() || change.after_line.is_some();
    let (note, mut details) = match (&change.before, &change.after) {
        (None, Some(content)) => outline_new(content, extent, has_line),
        (Some(Content::Object(before)), Some(Content::Object(after))) => {
            (None, changed_fields(before, after))
        }
        (Some(Content::Text(before)), Some(Content::Text(after))) => {
            (None, changed_lines(before, after))
        }
        (Some(before), Some(after)) => (
            Some(format!("{} → {}", measure(before), measure(after))),
            Vec::new(),
        ),
        (Some(content @ (Content::Text(_) | Content::Opaque { .. })), None) => {
            (Some(measure(content)), Vec::new())
        }
        (Some(Content::Object(_)), None) | (None, None) => (None, Vec::new()),
    };
    let is_update = change.before.is_some() && change.after.is_some();
    let says_it = is_update && has_line && change.before_line != change.after_line;
    let is_text = matches!(details.first(), Some(Detail::Hunk(_)));
    // What the lines tell already is told once; a difference in a text is never told by them.
    if says_it && extent == Extent::Brief && !is_text {
        details.clear();
    }
    let note = match note {
        None if is_update && !says_it && details.is_empty() => {
            Some("only a value that is not shown changes".to_owned())
        }
        // A file's line says what it measures: only a digest adds to it.
        note if has_line && (says_it || !is_update) => {
            let of = change.after.as_ref().or(change.before.as_ref());
            let is_opaque = matches!(of, Some(Content::Opaque { .. }));
            note.filter(|_| is_opaque && extent == Extent::Full)
        }
        note => note,
    };
    if has_line && extent == Extent::Full {
        details.insert(0, Detail::Address(change.address.clone()));
    }
    ChangeOutline {
        change,
        note,
        details: limit(details, extent),
    }
}

fn outline_new(content: &Content, extent: Extent, has_line: bool) -> (Option<String>, Vec<Detail>) {
    match (content, extent) {
        (Content::Object(_), Extent::Brief) if has_line => (None, Vec::new()),
        (Content::Object(value), _) => {
            let leaves = fields::leaves(value);
            let inline: Vec<String> = leaves
                .iter()
                .map(|(path, value)| named(path, value, "="))
                .collect();
            let inline = inline.join(" ");
            if !has_line && inline.chars().count() <= INLINE {
                return (Some(inline), Vec::new());
            }
            (
                None,
                leaves
                    .into_iter()
                    .map(|(path, value)| Detail::Added { path, value })
                    .collect(),
            )
        }
        (Content::Text(text), Extent::Full) => (Some(measure(content)), changed_lines("", text)),
        (Content::Text(_), Extent::Brief) | (Content::Opaque { .. }, _) => {
            (Some(measure(content)), Vec::new())
        }
    }
}

/// `path=value`, or the value alone where it has no path.
pub(crate) fn named(path: &str, value: &str, between: &str) -> String {
    if path.is_empty() {
        value.to_owned()
    } else {
        format!("{path}{between}{value}")
    }
}

/// `12 lines, 340 B`, or size and digest where there is no text.
pub(crate) fn measure(content: &Content) -> String {
    match content {
        Content::Text(text) => format!(
            "{}, {}",
            counted(text.lines().count(), "line", "lines"),
            size(text.len() as u64)
        ),
        Content::Opaque {
            size: bytes,
            sha256,
        } => {
            format!(
                "{}, sha256 {}",
                size(*bytes),
                sha256.get(..12).unwrap_or(sha256)
            )
        }
        Content::Object(value) => match value {
            Value::Object(members) => counted(members.len(), "field", "fields"),
            other => other.to_string(),
        },
    }
}

fn changed_fields(before: &Value, after: &Value) -> Vec<Detail> {
    fields::difference(before, after)
        .into_iter()
        .filter_map(|field| match (field.before, field.after) {
            (Some(before), Some(after)) => Some(Detail::Changed {
                path: field.path,
                before,
                after,
            }),
            (None, Some(value)) => Some(Detail::Added {
                path: field.path,
                value,
            }),
            (Some(value), None) => Some(Detail::Removed {
                path: field.path,
                value,
            }),
            (None, None) => None,
        })
        .collect()
}

fn changed_lines(before: &str, after: &str) -> Vec<Detail> {
    let difference = TextDiff::configure()
        .timeout(DIFF_TIME)
        .diff_lines(before, after);
    let mut unified = difference.unified_diff();
    unified.context_radius(CONTEXT);
    let mut details = Vec::new();
    for hunk in unified.iter_hunks() {
        details.push(Detail::Hunk(hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\n', '\r']).to_owned();
            details.push(match change.tag() {
                ChangeTag::Equal => Detail::Kept(line),
                ChangeTag::Delete => Detail::Deleted(line),
                ChangeTag::Insert => Detail::Inserted(line),
            });
            if change.missing_newline() {
                details.push(Detail::NoNewline);
            }
        }
    }
    details
}

fn limit(mut details: Vec<Detail>, extent: Extent) -> Vec<Detail> {
    let is_text = matches!(details.first(), Some(Detail::Hunk(_)));
    let most = if is_text { DIFF_LINES } else { FIELDS };
    // A remark that one more line follows is as long as that line.
    if extent == Extent::Brief && details.len() > most + 1 {
        let more = details.len() - most;
        details.truncate(most);
        details.push(if is_text {
            Detail::MoreLines(more)
        } else {
            Detail::MoreFields(more)
        });
    }
    details
}
