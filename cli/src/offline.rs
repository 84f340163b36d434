//! What plugins say of a topology while no server is asked and no secret is resolved.

use std::collections::{BTreeMap, HashSet};

use switchover_engine::{
    CheckedOffline, Commands, Context, Permits, Selection, Soundness, Sources, Stop, TargetError,
    Wanted,
};
use switchover_plugin_host::wit::Basis;
use switchover_rules::{PluginCode, acknowledge_plugins};
use switchover_topology::{Diagnostic, Loaded, Severity, Span, in_report_order};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::rules::{Rule, Rules};
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
    checked: &mut CheckedOffline,
    rules: &Rules,
) -> Vec<Diagnostic> {
    let mut found = std::mem::take(&mut checked.findings);
    let checked = &*checked;
    // What a rule refuses is not refused again at the same place because no plugin can use it.
    let refused: HashSet<Span> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && finding.acknowledged.is_none())
        .filter_map(|finding| finding.span)
        .collect();
    found.retain(|finding| {
        finding.severity != Severity::Error
            || finding.span.is_none_or(|place| !refused.contains(&place))
    });
    let today = topology_file::today();
    let found = acknowledge_plugins(&loaded.topology, found, today, |code| {
        known(checked, rules, code)
    });
    findings.extend(loaded.origins.relate(found));
    in_report_order(findings)
}

/// What is known of a plugin's code after these plugins have looked.
fn known(checked: &CheckedOffline, rules: &Rules, code: &str) -> PluginCode {
    // Where the plugins that come with the command cannot be loaded, nothing can be told of their codes.
    let Ok(found) = rules.find(code) else {
        return PluginCode::NotJudged;
    };
    match found {
        Some(Rule::Plugin(plugin, kind)) => {
            let judged = checked.judged.contains_key(plugin.name());
            // One that no target uses finds nothing here, either.
            let unused = !judged && !checked.not_judged.contains(plugin.name());
            match kind.basis {
                Basis::Topology if judged || unused => PluginCode::Judged,
                Basis::Server if unused => PluginCode::Judged,
                Basis::Topology | Basis::Server => PluginCode::NotJudged,
            }
        }
        Some(Rule::Own(_)) => PluginCode::NotJudged,
        None => match rules.nearest(code) {
            Ok(meant) => PluginCode::Unknown(meant),
            Err(_) => PluginCode::NotJudged,
        },
    }
}

/// How much of a topology can be relied on, by what reading it and the rules found. Below the oldest WMS that has failover,
/// nothing is documented of any device, and one finding says so.
pub(crate) fn understood(found: &[Diagnostic]) -> Soundness {
    let refused = |finding: &Diagnostic| {
        finding.severity == Severity::Error
            && finding.acknowledged.is_none()
            && (finding.code.starts_with("SW00") || finding.code == "SW101")
    };
    if found.iter().any(refused) {
        Soundness::InParts
    } else {
        Soundness::Whole
    }
}
