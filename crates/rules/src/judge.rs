use jiff::civil::Date;
use rayon::prelude::*;
use switchover_topology::{Diagnostic, Topology, in_report_order};

use crate::acknowledge::apply;
use crate::devices::Fleet;
use crate::finding::Finding;
use crate::registry::{Check, Rule, all};

/// Judges a topology: what reading it found, what the rules find, and which of that is acknowledged today.
///
/// The answer holds everything in report order. A finding with `acknowledged` set is shown but does not count.
#[must_use]
pub fn judge(topology: &Topology, language: Vec<Diagnostic>, today: Date) -> Vec<Diagnostic> {
    let findings = check_all(topology);
    in_report_order(apply(topology, language, findings, today))
}

/// What all rules find, in the order of the rules. Those of a large topology share out the rules among threads.
fn check_all(topology: &Topology) -> Vec<Finding> {
    /// Users and devices below which a thread costs more than it saves.
    const WORTH_SHARING: usize = 2_000;
    let fleet = Fleet::of(topology);
    let check = |rule: &Rule| match rule.check {
        Check::Topology(check) => check(topology),
        Check::Fleet(check) => check(&fleet),
        Check::Reading | Check::Acknowledging | Check::Sites => Vec::new(),
    };
    if topology.users.len() + topology.devices.len() < WORTH_SHARING {
        return all().iter().flat_map(check).collect();
    }
    all().par_iter().flat_map_iter(check).collect()
}
