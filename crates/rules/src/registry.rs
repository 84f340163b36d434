use switchover_catalogue::Source;
use switchover_topology::model::Kind;
use switchover_topology::{Severity, Topology};

use crate::devices::Fleet;
use crate::finding::Finding;
use crate::{across, devices, document, limitations, requirements, services, writers};

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
    /// On the devices, with what is documented of them.
    Fleet(fn(&Fleet<'_>) -> Vec<Finding>),
    /// On several topologies together.
    Sites,
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
    requirements::SW108,
    requirements::SW109,
    requirements::SW110,
    requirements::SW111,
    requirements::SW112,
    requirements::SW113,
    requirements::SW114,
    devices::SW201,
    devices::SW202,
    devices::SW203,
    devices::SW204,
    devices::SW205,
    devices::SW206,
    devices::SW207,
    devices::SW208,
    devices::SW209,
    devices::SW210,
    devices::SW211,
    devices::SW212,
    devices::SW213,
    devices::SW214,
    limitations::SW301,
    limitations::SW302,
    limitations::SW303,
    limitations::SW304,
    limitations::SW305,
    limitations::SW306,
    limitations::SW307,
    limitations::SW308,
    limitations::SW309,
    limitations::SW310,
    limitations::SW311,
    limitations::SW312,
    limitations::SW313,
    services::SW401,
    services::SW402,
    services::SW403,
    services::SW404,
    services::SW405,
    services::SW406,
    services::SW407,
    services::SW408,
    services::SW409,
    services::SW410,
    services::SW411,
    services::SW412,
    services::SW413,
    writers::SW501,
    writers::SW502,
    writers::SW503,
    writers::SW504,
    writers::SW505,
    writers::SW506,
    across::SW601,
    across::SW602,
    across::SW603,
    across::SW604,
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

/// How many slips lie between a text, in any letter case, and a code. Digits that changed places are nearer than another
/// digit, and count nothing.
#[must_use]
pub fn slips(written: &str, code: &str) -> usize {
    // Longer texts are no codes: cut, so that comparing stays cheap.
    let written: String = written
        .chars()
        .take(32)
        .flat_map(char::to_uppercase)
        .collect();
    let sorted = |text: &str| {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters
    };
    let slips = strsim::osa_distance(&written, code);
    if slips == 1 && sorted(&written) == sorted(code) {
        0
    } else {
        slips
    }
}

/// Rules whose codes are one or two slips from this text, the nearest first.
#[must_use]
pub fn nearest_by_code(written: &str) -> Vec<(usize, &'static Rule)> {
    let mut near: Vec<_> = RULES
        .iter()
        .map(|rule| (slips(written, rule.code), rule))
        .filter(|(slips, _)| *slips <= 2)
        .collect();
    near.sort_by_key(|(slips, rule)| (*slips, rule.code));
    near
}
