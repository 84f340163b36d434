//! `acknowledge CODE reason=… until=…`: findings that people have accepted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use switchover_topology::model::Acknowledge;
use switchover_topology::{Diagnostic, FileId, Span, Topology};

use crate::document::SW007;
use crate::finding::Finding;
use crate::registry::{Check, Rule, nearest_by_code, rule};
use crate::stops::stop;

/// Marks findings that do not come from a rule, such as a plugin's, as acknowledged where a node at or around their
/// place says so.
///
/// An acknowledgement of a plugin's code that matches nothing is not reported: only the plugin could tell.
#[must_use]
pub fn acknowledge(
    topology: &Topology,
    mut diagnostics: Vec<Diagnostic>,
    today: Date,
) -> Vec<Diagnostic> {
    let places = vec![None; diagnostics.len()];
    mark(
        &acknowledging_nodes(topology),
        &mut diagnostics,
        &places,
        today,
    );
    diagnostics
}

/// What is known of a code that is not one of switchover's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginCode {
    /// A plugin has judged the topology by it.
    Judged,
    /// A plugin declares it, and has not judged by it.
    NotJudged,
    /// No plugin declares it. What was probably meant.
    Unknown(String),
}

/// The same, and a finding (SW007) for each acknowledgement of a plugin's code that does nothing. `known` says what is known
/// of such a code.
#[must_use]
pub fn acknowledge_plugins(
    topology: &Topology,
    mut diagnostics: Vec<Diagnostic>,
    today: Date,
    known: impl Fn(&str) -> PluginCode,
) -> Vec<Diagnostic> {
    let nodes = acknowledging_nodes(topology);
    let places = vec![None; diagnostics.len()];
    let effective = mark(&nodes, &mut diagnostics, &places, today);
    let idle: BTreeMap<Span, &Acknowledge> = nodes
        .iter()
        .map(|(_, acknowledgement)| (acknowledgement.span, *acknowledgement))
        .filter(|(span, acknowledgement)| {
            !effective.contains(span) && !is_our_code(&acknowledgement.code)
        })
        .collect();
    let reported = idle.into_values().filter_map(|acknowledgement| {
        let code = acknowledgement.code.value.as_str();
        match known(code) {
            PluginCode::NotJudged => None,
            PluginCode::Judged => Some(idle_today(acknowledgement, code, today)),
            PluginCode::Unknown(meant) => Some(unknown_code(acknowledgement, Some(meant))),
        }
    });
    diagnostics.extend(reported.map(|finding| finding.diagnostic));
    diagnostics
}

/// Why findings of these rules, at these nodes and values, are accepted; none where they are not.
pub(crate) fn accepted(
    topology: &Topology,
    findings: impl Iterator<Item = (&'static Rule, Span, Span)>,
    today: Date,
) -> Vec<Option<String>> {
    let (mut places, mut diagnostics) = (Vec::new(), Vec::new());
    for (rule, node, span) in findings {
        places.push(Some(node));
        diagnostics.push(Finding::new(rule, node, span, String::new()).diagnostic);
    }
    mark(
        &acknowledging_nodes(topology),
        &mut diagnostics,
        &places,
        today,
    );
    let marked = diagnostics.into_iter();
    marked.map(|diagnostic| diagnostic.acknowledged).collect()
}

/// Puts the findings of reading and of the rules together, marks what is acknowledged, and adds SW007.
pub(crate) fn apply(
    topology: &Topology,
    language: Vec<Diagnostic>,
    findings: Vec<Finding>,
    today: Date,
) -> Vec<Diagnostic> {
    let nodes = acknowledging_nodes(topology);
    let (mut places, mut diagnostics) = (Vec::new(), language);
    places.resize(diagnostics.len(), None);
    for finding in findings {
        places.push(Some(finding.node));
        diagnostics.push(finding.diagnostic);
    }

    let effective = mark(&nodes, &mut diagnostics, &places, today);
    // By place, not by node: one written in `defaults` stands in many nodes and has effect if any of them has.
    let mut idle: BTreeMap<Span, (&Acknowledge, Vec<Span>)> = BTreeMap::new();
    for (node, acknowledgement) in &nodes {
        if !effective.contains(&acknowledgement.span) {
            let places = idle.entry(acknowledgement.span);
            let (_, places) = places.or_insert_with(|| (*acknowledgement, Vec::new()));
            places.push(*node);
        }
    }
    let reported: Vec<Diagnostic> = idle
        .into_values()
        .filter_map(|(acknowledgement, nodes)| {
            without_effect(topology, acknowledgement, &nodes, &diagnostics, today)
        })
        .map(|finding| finding.diagnostic)
        .collect();
    diagnostics.extend(reported);
    diagnostics.extend(expired_drift(topology, today).map(|finding| finding.diagnostic));
    diagnostics
}

/// Drift that is no longer accepted. Whether there still is any, only the target's server could tell.
fn expired_drift(topology: &Topology, today: Date) -> impl Iterator<Item = Finding> {
    let known = topology
        .targets
        .iter()
        .flat_map(|target| &target.known_drift);
    known.filter_map(move |known| {
        let until = known.until.as_ref().filter(|until| until.value < today)?;
        let message = format!(
            "known drift of `{}` expired on {}",
            known.address.value, until.value
        );
        let finding = Finding::new(&SW007, known.span, until.span, message)
            .label("the last day on which it counted")
            .help("let `apply` bring the resource back, or decide anew and set a later `until`");
        Some(finding)
    })
}

/// Sets `acknowledged` where a node says so, and gives the places of the acknowledgements that had effect. `places`
/// are the nodes that the diagnostics belong to, as far as they are known.
fn mark(
    nodes: &[(Span, &Acknowledge)],
    diagnostics: &mut [Diagnostic],
    places: &[Option<Span>],
    today: Date,
) -> BTreeSet<Span> {
    // Where a diagnostic of a code begins, and where its node begins: whole sites are acknowledged device by device.
    let mut beginnings: BTreeMap<(String, FileId, u32), Vec<usize>> = BTreeMap::new();
    for (at, diagnostic) in diagnostics.iter().enumerate() {
        for span in [diagnostic.span, places[at]].into_iter().flatten() {
            let key = (diagnostic.code.to_ascii_uppercase(), span.file, span.start);
            beginnings.entry(key).or_default().push(at);
        }
    }

    let mut effective = BTreeSet::new();
    for (node, acknowledgement) in nodes
        .iter()
        .filter(|(_, acknowledgement)| counts(acknowledgement, today))
    {
        let code = acknowledgement.code.to_ascii_uppercase();
        let inside =
            |span: Span| span.file == node.file && node.start <= span.start && span.end <= node.end;
        let range = (code.clone(), node.file, node.start)..=(code, node.file, node.end);
        for &at in beginnings.range(range).flat_map(|(_, found)| found) {
            if places[at] == Some(*node) || diagnostics[at].span.is_some_and(inside) {
                diagnostics[at].acknowledged = Some(acknowledgement.reason.value.clone());
                effective.insert(acknowledgement.span);
            }
        }
    }
    effective
}

/// Whether it can accept anything today; the last day counts. What is no rule's code may be a plugin's.
fn counts(acknowledgement: &Acknowledge, today: Date) -> bool {
    rule(&acknowledgement.code).is_none_or(|rule| rule.acknowledgeable)
        && acknowledgement
            .until
            .as_ref()
            .is_none_or(|until| today <= until.value)
}

/// Why an acknowledgement did nothing; none where that cannot be told from here.
fn without_effect(
    topology: &Topology,
    acknowledgement: &Acknowledge,
    nodes: &[Span],
    findings: &[Diagnostic],
    today: Date,
) -> Option<Finding> {
    let code = acknowledgement.code.value.as_str();
    let written = acknowledgement.code.span;
    let warn = |span, message| Finding::new(&SW007, acknowledgement.span, span, message);
    let Some(rule) = rule(code) else {
        // Codes of plugins are theirs to know, and they may not have run.
        return is_our_code(code).then(|| {
            let near = nearest_acknowledgeable(code);
            let near = near.map(|near| format!("did you mean `{}` ({})?", near.code, near.summary));
            unknown_code(acknowledgement, near)
        });
    };
    if !rule.acknowledgeable {
        return Some(
            warn(
                written,
                format!("acknowledges {code}, which cannot be accepted"),
            )
            .label("cannot be acknowledged")
            .help(format!(
                "remove it and repair what {code} reports: {}",
                rule.summary
            )),
        );
    }
    let expired = acknowledgement.until.as_ref();
    if expired.is_some_and(|until| until.value < today) {
        return Some(idle_today(acknowledgement, code, today));
    }
    // Whether another site has the same, one topology cannot tell.
    if matches!(rule.check, Check::Sites) {
        return None;
    }
    let incomplete = |kind| topology.incomplete.contains(kind);
    if rule.looks_at.iter().any(incomplete) || stop(rule.code, nodes, findings).is_some() {
        return None;
    }
    Some(idle_today(acknowledgement, code, today))
}

/// One of a code that no finding of its node has.
fn idle_today(acknowledgement: &Acknowledge, code: &str, today: Date) -> Finding {
    let warn = |span, message| Finding::new(&SW007, acknowledgement.span, span, message);
    match acknowledgement
        .until
        .as_ref()
        .filter(|until| until.value < today)
    {
        Some(until) => warn(
            until.span,
            format!("acknowledgement of {code} expired on {}", until.value),
        )
        .label("the last day on which it counted")
        .help(format!(
            "repair what {code} reports, or decide anew and set a later `until`"
        )),
        None => warn(
            acknowledgement.code.span,
            format!("acknowledges {code}, but {code} finds nothing here"),
        )
        .label("matches no finding of this node")
        .help("remove it: it would hide a later finding that nobody has looked at"),
    }
}

fn unknown_code(acknowledgement: &Acknowledge, near: Option<String>) -> Finding {
    let (code, written) = (&acknowledgement.code.value, acknowledgement.code.span);
    let message = format!("acknowledges `{code}`, which is no rule");
    Finding::new(&SW007, acknowledgement.span, written, message)
        .label("no such rule")
        .help(
            near.unwrap_or_else(|| "remove it, or name the code that the report shows".to_owned()),
        )
}

fn is_our_code(code: &str) -> bool {
    code.get(..2)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("SW"))
}

/// The rule that was probably meant, of those that can be.
fn nearest_acknowledgeable(code: &str) -> Option<&'static Rule> {
    // Two slips make another code, not the one that was meant.
    let nearest = nearest_by_code(code).into_iter();
    let nearest = nearest.take_while(|(slips, _)| *slips <= 1);
    nearest
        .map(|(_, rule)| rule)
        .find(|rule| rule.acknowledgeable)
}

/// Every acknowledgement with the place of the node that it is written in.
fn acknowledging_nodes(topology: &Topology) -> Vec<(Span, &Acknowledge)> {
    let mut found: Vec<(Span, &Acknowledge)> = Vec::new();
    macro_rules! collect {
        ($($nodes:expr),* $(,)?) => {$(
            for node in $nodes {
                found.extend(node.acknowledge.iter().map(|acknowledgement| (node.span, acknowledgement)));
            }
        )*};
    }
    collect!(
        topology.site.iter(),
        &topology.pbxs,
        topology.wms_network.iter(),
        topology.sync.iter(),
        &topology.networks,
        &topology.dhcp,
        &topology.dns,
        &topology.provisioning,
        &topology.users,
        &topology.devices,
        &topology.trunks,
        &topology.call_groups,
        &topology.targets,
    );
    found
}
