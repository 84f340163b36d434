//! The two PBXs: versions, WMS network, roles.

use switchover_catalogue::MINIMAL_WMS;
use switchover_topology::model::{Kind, Mode, Pbx, PbxRole};
use switchover_topology::{Severity, Topology};

use super::{FEATURES, REQUIREMENTS, SINCE_3_86, of_role, role_name};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW101: Rule = Rule {
    code: "SW101",
    name: "wms-too-old",
    severity: Severity::Error,
    summary: "a PBX runs a WMS older than 3.86, which has no failover",
    sources: MINIMAL_WMS.sources,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW101.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx],
    check: Check::Topology(versions),
};

pub(crate) const SW102: Rule = Rule {
    code: "SW102",
    name: "not-in-one-wms-network",
    severity: Severity::Error,
    summary: "the two PBXs are not members of one WMS network",
    sources: REQUIREMENTS,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW102.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::WmsNetwork],
    check: Check::Topology(wms_network),
};

pub(crate) const SW107: Rule = Rule {
    code: "SW107",
    name: "no-hot-standby-pair",
    severity: Severity::Error,
    summary: "hot standby without exactly one main and one failover PBX",
    sources: FEATURES,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW107.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx],
    check: Check::Topology(roles),
};

fn versions(topology: &Topology) -> Vec<Finding> {
    let minimum = MINIMAL_WMS.release;
    topology
        .pbxs
        .iter()
        .filter(|pbx| !MINIMAL_WMS.holds_on(&pbx.wms))
        .map(|pbx| {
            let (name, wms) = (&pbx.name.value, &pbx.wms.value);
            let message = format!("`{name}` runs WMS {wms}, which has no failover: {minimum} is the oldest that has");
            Finding::new(&SW101, pbx.span, pbx.wms.span, message)
                .label(format!("older than {minimum}"))
                .help(format!("update `{name}` to WMS {minimum} or later, and the other PBX to the same version"))
        })
        .collect()
}

fn wms_network(topology: &Topology) -> Vec<Finding> {
    if topology.incomplete.contains(&Kind::WmsNetwork) {
        return Vec::new();
    }
    let Some(network) = &topology.wms_network else {
        return no_wms_network(topology).into_iter().collect();
    };
    topology
        .pbxs
        .iter()
        .filter(|pbx| {
            !network
                .members
                .iter()
                .any(|member| member.name.value == pbx.name.value)
        })
        .map(|pbx| {
            let name = &pbx.name.value;
            Finding::new(
                &SW102,
                network.span,
                network.span,
                format!("`{name}` is not a member of the WMS network"),
            )
            .label(format!("`{name}` is missing here"))
            .related(
                pbx.name.span,
                format!("{} PBX declared here", role_name(pbx.role.value)),
            )
            .help(format!(
                "add `{}`, and join it on the PBX itself",
                member(pbx)
            ))
        })
        .collect()
}

/// At the failover PBX: it is the one that is there for the other's sake. A single PBX is no pair: that is SW107's.
fn no_wms_network(topology: &Topology) -> Option<Finding> {
    let pbxs = &topology.pbxs;
    let alone = pbxs.len() < 2 && !topology.incomplete.contains(&Kind::Pbx);
    let at = of_role(topology, PbxRole::Failover)
        .next()
        .or_else(|| pbxs.first())
        .filter(|_| !alone)?;
    let message = format!(
        "`{}` is in no WMS network: the topology declares none",
        at.name.value
    );
    let members: Vec<String> = pbxs.iter().map(member).collect();
    let finding = Finding::new(&SW102, at.span, at.name.span, message)
        .label("must share a WMS network with its peer")
        .help(format!(
            "connect the PBXs in one WMS network and declare it: `wms-network {{ {} }}`",
            members.join("; ")
        ));
    let peers = pbxs.iter().filter(|pbx| pbx.span != at.span);
    Some(peers.fold(finding, |finding, pbx| {
        finding.related(
            pbx.name.span,
            format!("{} PBX declared here", role_name(pbx.role.value)),
        )
    }))
}

/// How the PBX would usually be declared: the main PBX as the network's server.
fn member(pbx: &Pbx) -> String {
    let role = match pbx.role.value {
        PbxRole::Main => "server",
        PbxRole::Failover => "client",
    };
    format!("member \"{}\" role=\"{role}\"", pbx.name.value)
}

fn roles(topology: &Topology) -> Vec<Finding> {
    let Some(site) = topology
        .site
        .as_ref()
        .filter(|site| site.mode.value == Mode::HotStandby)
    else {
        return Vec::new();
    };
    let mains: Vec<&Pbx> = of_role(topology, PbxRole::Main).collect();
    let failovers: Vec<&Pbx> = of_role(topology, PbxRole::Failover).collect();
    if topology.incomplete.contains(&Kind::Pbx) || (mains.len() == 1 && failovers.len() == 1) {
        return Vec::new();
    }
    let found = match (mains.len(), failovers.len()) {
        (0, 0) => "no PBX is declared".to_owned(),
        (main, failover) => {
            format!("{main} main and {failover} failover are declared")
        }
    };
    let message = format!("hot standby needs one main and one failover PBX, but {found}");
    // The first PBX too many is at fault; where none is, the mode promises what is not there.
    let surplus = mains.get(1).or_else(|| failovers.get(1)).copied();
    let finding = match surplus {
        Some(pbx) => Finding::new(&SW107, pbx.span, pbx.role.span, message)
            .label(format!("one {} PBX too many", role_name(pbx.role.value)))
            .related(site.mode.span, "hot standby declared here"),
        None => Finding::new(&SW107, site.span, site.mode.span, message).label("needs a pair"),
    };
    let help = match (mains.len(), failovers.len()) {
        (0, 2..) => "give the PBX that normally serves the users `role=\"main\"` instead",
        (2.., 0) => "give the PBX that takes over `role=\"failover\"` instead",
        (0, _) => "declare the PBX that normally serves the users with `role=\"main\"`",
        (_, 0) => "declare the PBX that takes over with `role=\"failover\"`",
        _ => "keep one PBX of each role here, and give every other pair a topology of its own",
    };
    let others = topology
        .pbxs
        .iter()
        .filter(|pbx| surplus.is_none_or(|surplus| surplus.span != pbx.span));
    vec![others.fold(finding.help(help), |finding, pbx| {
        finding.related(
            pbx.role.span,
            format!("{} PBX declared here", role_name(pbx.role.value)),
        )
    })]
}
