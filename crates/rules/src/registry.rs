use switchover_catalogue::Source;
use switchover_topology::model::Kind;
use switchover_topology::{Severity, Topology};

use crate::finding::Finding;
use crate::{document, requirements};

/// One rule: what it asks, who says so, and how it is checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// `SW104`.
    pub code: &'static str,
    /// Kebab-case name, such as `failover-vm-too-small`.
    pub name: &'static str,
    /// Weight of its findings.
    pub severity: Severity,
    /// When it is raised, in one line.
    pub summary: &'static str,
    /// Who asks for it; never empty.
    pub sources: &'static [Source],
    /// The WMS versions for which a source says so.
    pub wms: &'static str,
    /// What, why, how to fix it, and examples, in Markdown.
    pub explanation: &'static str,
    /// Whether an `acknowledge` can accept its findings. Where the document cannot be understood, nothing can.
    pub acknowledgeable: bool,
    /// Kinds of nodes that it looks at: while one of them is incomplete, that it found nothing proves nothing.
    pub(crate) looks_at: &'static [Kind],
    pub(crate) check: Check,
}

/// Where a rule is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// While the document is read.
    Reading,
    /// When acknowledgements are applied.
    Acknowledging,
    /// On the whole topology.
    Topology(fn(&Topology) -> Vec<Finding>),
}

static RULES: &[Rule] = &[
    document::SW001,
    document::SW002,
    document::SW003,
    document::SW004,
    document::SW005,
    document::SW006,
    document::SW007,
    document::SW008,
    document::SW009,
    requirements::SW101,
    requirements::SW102,
    requirements::SW103,
    requirements::SW104,
    requirements::SW105,
    requirements::SW106,
    requirements::SW107,
];

/// Every rule, by ascending code.
#[must_use]
pub fn all() -> &'static [Rule] {
    RULES
}

/// The rule of this code, in any letter case.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(code))
}
