use jiff::civil::Date;
use switchover_topology::{Diagnostic, Topology, in_report_order};

use crate::acknowledge::apply;
use crate::devices::Fleet;
use crate::finding::Finding;
use crate::registry::{Check, all};

/// Judges a topology: what reading it found, what the rules find, and which of that is acknowledged today.
///
/// The answer holds everything in report order. A finding with `acknowledged` set is shown but does not count.
#[must_use]
pub fn judge(topology: &Topology, language: Vec<Diagnostic>, today: Date) -> Vec<Diagnostic> {
    let fleet = Fleet::of(topology);
    let findings: Vec<Finding> = all()
        .iter()
        .flat_map(|rule| match rule.check {
            Check::Topology(check) => check(topology),
            Check::Fleet(check) => check(&fleet),
            Check::Reading | Check::Acknowledging => Vec::new(),
        })
        .collect();
    in_report_order(apply(topology, language, findings, today))
}
