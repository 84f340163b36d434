//! Which findings keep other rules from judging. One cause is told once, so where a rule found it, others hold back: that
//! they found nothing there proves nothing, and an acknowledgement of theirs is not idle.

use switchover_topology::{Diagnostic, Span};

/// How far a finding keeps others from judging.
#[derive(Debug, Clone, Copy)]
enum Reach {
    /// Wherever they look.
    Site,
    /// In the node that it is in.
    Node,
}

use Reach::{Node, Site};

/// Every rule.
const ALL: &[&str] = &["SW"];

/// Rules that look at networks with devices.
const OF_NETWORKS: &[&str] = &[
    "SW009", "SW105", "SW106", "SW213", "SW402", "SW405", "SW407", "SW408", "SW410", "SW502",
    "SW503",
];

/// What a finding of the first keeps from judging: codes, or their beginnings.
const STOPS: &[(&str, Reach, &[&str])] = &[
    // What was not read was not judged.
    ("SW001", Site, ALL),
    ("SW002", Node, ALL),
    ("SW003", Node, ALL),
    ("SW004", Node, ALL),
    ("SW005", Node, ALL),
    ("SW005", Site, OF_NETWORKS),
    ("SW006", Site, ALL),
    ("SW008", Node, ALL),
    // No edition of the guide is in force below the oldest WMS with failover.
    (
        "SW101",
        Site,
        &[
            "SW109", "SW110", "SW111", "SW201", "SW202", "SW203", "SW204", "SW205", "SW206",
            "SW207", "SW209", "SW210", "SW211", "SW212", "SW213", "SW214", "SW408",
        ],
    ),
    // Without exactly one main and one failover PBX there is no pair to judge.
    (
        "SW107",
        Site,
        &[
            "SW102", "SW103", "SW104", "SW109", "SW110", "SW111", "SW112", "SW113", "SW207",
            "SW213", "SW410",
        ],
    ),
    ("SW105", Site, &["SW405"]),
    ("SW106", Site, &["SW503"]),
    ("SW201", Node, &["SW210"]),
    ("SW203", Node, &["SW210"]),
    (
        "SW208",
        Node,
        &[
            "SW201", "SW202", "SW203", "SW204", "SW205", "SW209", "SW210", "SW214", "SW306",
            "SW502",
        ],
    ),
    (
        "SW208",
        Site,
        &["SW106", "SW312", "SW402", "SW408", "SW410", "SW503"],
    ),
    ("SW401", Site, &["SW402", "SW406"]),
    ("SW411", Site, &["SW410"]),
    ("SW501", Site, OF_NETWORKS),
    ("SW503", Site, &["SW502"]),
    ("SW505", Site, &["SW502", "SW503", "SW504", "SW506"]),
];

/// The finding that kept the rule of this code from judging one of these nodes.
pub(crate) fn stop<'a>(
    code: &str,
    nodes: &[Span],
    findings: &'a [Diagnostic],
) -> Option<&'a Diagnostic> {
    let within = |inner: Span, outer: Span| {
        inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
    };
    let touches = |place: Span| {
        let mut nodes = nodes.iter();
        nodes.any(|node| within(place, *node) || within(*node, place))
    };
    findings.iter().find(|finding| {
        STOPS
            .iter()
            .filter(|(by, _, stopped)| {
                *by == finding.code && stopped.iter().any(|stopped| code.starts_with(stopped))
            })
            .any(|(_, reach, _)| match reach {
                Site => true,
                Node => finding.span.is_some_and(touches),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::rule;

    #[test]
    fn only_rules_stop_and_are_stopped() {
        for (by, _, stopped) in STOPS {
            assert!(rule(by).is_some(), "{by}");
            for code in stopped.iter().filter(|code| **code != "SW") {
                assert!(
                    rule(code).is_some_and(|rule| rule.acknowledgeable),
                    "{code}"
                );
                assert_ne!(by, code);
            }
        }
    }
}
