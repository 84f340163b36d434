use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jiff::civil::Date;
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
    const WORTH_THREADS: usize = 2_000;
    let fleet = Fleet::of(topology);
    let check = |rule: &Rule| match rule.check {
        Check::Topology(check) => check(topology),
        Check::Fleet(check) => check(&fleet),
        Check::Reading | Check::Acknowledging => Vec::new(),
    };
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(8);
    if threads == 1 || topology.users.len() + topology.devices.len() < WORTH_THREADS {
        return all().iter().flat_map(check).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || -> Vec<(usize, Vec<Finding>)> {
        std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            Some((at, check(all().get(at)?)))
        })
        .collect()
    };
    let mut found = thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut found = take();
        for helper in helpers {
            match helper.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().flat_map(|(_, found)| found).collect()
}
