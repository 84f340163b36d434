//! What plugins say of a topology while no server is asked and no secret is resolved.

use std::collections::{BTreeMap, HashSet};

use switchover_engine::{
    CheckedOffline, Commands, Context, Permits, Selection, Soundness, Sources, Stop, TargetError,
    Wanted,
};
use switchover_rules::acknowledge;
use switchover_topology::{Diagnostic, Loaded, Severity, Span, in_report_order};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{self, Shared};
use crate::topology_file;

/// Lets the plugins of a topology look at it.
pub(crate) fn check(
    shared: &Shared,
    loaded: &Loaded,
    path: &str,
    understood: Soundness,
) -> Result<CheckedOffline, Failure> {
    if loaded.topology.targets.is_empty() {
        return Ok(CheckedOffline::default());
    }
    let lock = session::lock_of(loaded)?;
    let context = Context {
        topology: &loaded.topology,
        root: &loaded.root,
        topology_path: path.to_owned(),
        topology_digest: loaded.digest.clone(),
        sources: Sources::default(),
        documents: &loaded.sources,
        wanted: Wanted::Topology,
        host: shared.host()?,
        plugins: shared.plugins(),
        lock: lock.as_ref(),
        secret_commands: BTreeMap::new(),
        commands: Commands::default(),
        ssh: Vec::new(),
        trace: None,
        on_event: &|_| {},
        stop: Stop::never(),
        selection: Selection::default(),
        permits: Permits::default(),
    };
    Ok(switchover_engine::check(&context, understood))
}

/// Targets that no plugin could judge.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("plugins failed to check {} of {of} targets", errors.len())]
#[diagnostic(
    code(switchover::validate::plugins),
    help("all other findings are shown; `--no-plugins` validates without plugins")
)]
struct NotChecked {
    #[related]
    errors: Vec<TargetError>,
    of: usize,
}

/// The failure that these targets make, if there are any.
pub(crate) fn failure(errors: Vec<TargetError>, loaded: &Loaded) -> Option<Failure> {
    let of = loaded.topology.targets.len();
    (!errors.is_empty()).then(|| Failure::new(Exit::Failed, NotChecked { errors, of }))
}

/// Puts what plugins found beside what reading and the rules found, in report order.
pub(crate) fn join(
    loaded: &Loaded,
    mut findings: Vec<Diagnostic>,
    mut found: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    // A value that a rule refuses is not refused again because no plugin can use it.
    let refused: HashSet<Span> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && finding.acknowledged.is_none())
        .filter_map(|finding| finding.span)
        .collect();
    found.retain(|finding| {
        !finding.code.starts_with("SW")
            || finding.span.is_none_or(|place| !refused.contains(&place))
    });
    let found = acknowledge(&loaded.topology, found, topology_file::today());
    findings.extend(loaded.origins.relate(found));
    in_report_order(findings)
}

/// How much of a topology can be relied on, by what reading it found.
pub(crate) fn understood(found: &[Diagnostic]) -> Soundness {
    let refused = |finding: &Diagnostic| finding.severity == Severity::Error;
    if found.iter().any(refused) {
        Soundness::InParts
    } else {
        Soundness::Whole
    }
}
