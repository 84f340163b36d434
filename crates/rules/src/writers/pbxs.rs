//! PBXs that nothing is written to, and sites of which nothing is written at all.

use switchover_topology::model::Kind;
use switchover_topology::{Severity, Topology};

use super::{WRITTEN, has_targets};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW504: Rule = Rule {
    code: "SW504",
    name: "pbx-not-configured",
    summary: "a PBX has no target: people configure it by hand",
    explanation: include_str!("../../explanations/SW504.md"),
    looks_at: &[Kind::Pbx, Kind::Target],
    check: Check::Topology(pbxs),
    ..WRITTEN
};

pub(crate) const SW505: Rule = Rule {
    code: "SW505",
    name: "site-without-target",
    severity: Severity::Note,
    summary: "the site has no target at all: it is validated, and nothing is configured",
    explanation: include_str!("../../explanations/SW505.md"),
    looks_at: &[Kind::Site, Kind::Target],
    check: Check::Topology(site),
    ..WRITTEN
};

fn pbxs(topology: &Topology) -> Vec<Finding> {
    if !has_targets(topology) {
        return Vec::new();
    }
    let left_out = topology.pbxs.iter().filter(|pbx| pbx.target.is_none());
    left_out
        .map(|pbx| {
            let name = &pbx.name.value;
            let message = format!("`{name}` has no target: people configure it by hand");
            Finding::new(&SW504, pbx.span, pbx.name.span, message)
                .label("no `target` here")
                .help(format!(
                    "name a target in `{name}`; or acknowledge SW504 there, and do what `switchover runbook` lists for it"
                ))
        })
        .collect()
}

fn site(topology: &Topology) -> Vec<Finding> {
    let site = topology.site.as_ref().filter(|_| !has_targets(topology));
    site.map(|site| {
        let message = format!(
            "site `{}` has no target: it is validated, and nothing is configured",
            site.name.value
        );
        Finding::new(&SW505, site.span, site.name.span, message)
            .label("no `target` in this site")
            .help(
                "declare a `target` for each server that switchover is to configure; `switchover runbook` lists what \
                 people do by hand meanwhile",
            )
    })
    .into_iter()
    .collect()
}
