//! What the WMS versions of the PBXs allow, and that they are the same.

use switchover_catalogue::{Document, LOAD_SHARING_SINCE, Source, edition_outrun_by};
use switchover_topology::model::{Kind, Mode, Pbx, PbxRole};
use switchover_topology::{Severity, Topology};

use super::{SINCE_3_86, main_first, of_role, role_name};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW108: Rule = Rule {
    code: "SW108",
    name: "mode-not-supported",
    severity: Severity::Error,
    summary: "the site's mode is load sharing, which needs WMS 5.0",
    sources: LOAD_SHARING_SINCE.sources,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW108.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx],
    check: Check::Topology(mode),
};

pub(crate) const SW112: Rule = Rule {
    code: "SW112",
    name: "wms-versions-differ",
    severity: Severity::Warning,
    summary: "the PBXs run different WMS versions",
    sources: &[Source {
        document: Document::Practice,
        section: "one version on both sides",
    }],
    wms: "any",
    explanation: include_str!("../../explanations/SW112.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx],
    check: Check::Topology(same_version),
};

pub(crate) const SW114: Rule = Rule {
    code: "SW114",
    name: "newer-than-the-guide",
    severity: Severity::Note,
    summary: "a PBX runs a newer WMS than the newest public guide is for",
    sources: &[Source {
        document: Document::Practice,
        section: "what no source says is unknown",
    }],
    wms: "7.0 and later",
    explanation: include_str!("../../explanations/SW114.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx],
    check: Check::Topology(newer),
};

fn mode(topology: &Topology) -> Vec<Finding> {
    let since = LOAD_SHARING_SINCE.release;
    let too_old = |pbx: &&Pbx| !LOAD_SHARING_SINCE.holds_on(&pbx.wms);
    let Some((site, first)) = topology
        .site
        .as_ref()
        .filter(|site| site.mode.value == Mode::LoadSharing)
        .zip(topology.pbxs.iter().find(too_old))
    else {
        return Vec::new();
    };
    let message = format!(
        "load sharing needs WMS {since}, but `{}` runs {}",
        first.name.value, first.wms.value
    );
    let finding = Finding::new(&SW108, site.span, site.mode.span, message)
        .label(format!("documented from WMS {since} on"))
        .help(format!(
            "use `hot-standby` with one main and one failover PBX, or update the PBXs to WMS {since} or later"
        ));
    let older = topology.pbxs.iter().filter(too_old);
    vec![older.fold(finding, |finding, pbx| {
        let message = format!("`{}` runs {}", pbx.name.value, pbx.wms.value);
        finding.related(pbx.wms.span, message)
    })]
}

/// Against the main PBX, or the first where there is none.
fn same_version(topology: &Topology) -> Vec<Finding> {
    let Some(reference) = of_role(topology, PbxRole::Main)
        .next()
        .or_else(|| topology.pbxs.first())
    else {
        return Vec::new();
    };
    topology
        .pbxs
        .iter()
        .filter(|pbx| pbx.wms.value != reference.wms.value)
        .map(|pbx| {
            let newer = pbx.wms.value.clone().max(reference.wms.value.clone());
            let message = format!(
                "`{}` runs WMS {}, and `{}` runs {}",
                reference.name.value, reference.wms.value, pbx.name.value, pbx.wms.value
            );
            Finding::new(&SW112, pbx.span, pbx.wms.span, message)
                .label(format!("not the version of `{}`", reference.name.value))
                .related(
                    reference.wms.span,
                    format!("{} PBX's version", role_name(reference.role.value)),
                )
                .help(format!(
                    "update both to WMS {newer}, the failover PBX first"
                ))
        })
        .collect()
}

/// Once for the site: it is one thing to know, and every other rule goes on by that guide.
fn newer(topology: &Topology) -> Vec<Finding> {
    let outrun = |pbx: &'_ Pbx| edition_outrun_by(&pbx.wms);
    let mut newer = main_first(topology).filter(|pbx| outrun(pbx).is_some());
    let Some((first, guide)) = newer.next().and_then(|pbx| Some((pbx, outrun(pbx)?))) else {
        return Vec::new();
    };
    let message = format!(
        "the newest public failover guide is for WMS {}, and `{}` runs {}",
        guide.newest, first.name.value, first.wms.value
    );
    let node = topology.site.as_ref().map_or(first.span, |site| site.span);
    let finding = Finding::new(&SW114, node, first.wms.span, message)
        .label("judged by that guide")
        .help(
            "rehearse a failover on this version; acknowledge SW114 in `site` with what you found, or with the \
             vendor's word",
        );
    vec![newer.fold(finding, |finding, pbx| {
        let message = format!("`{}` runs {}", pbx.name.value, pbx.wms.value);
        finding.related(pbx.wms.span, message)
    })]
}
