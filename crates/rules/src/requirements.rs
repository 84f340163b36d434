//! SW1xx: what the guide requires of the pair and of the networks around it.

mod capacity;
mod networks;
mod pair;
mod sync;
mod versions;

pub(crate) use capacity::{SW103, SW104, SW110};
pub(crate) use networks::{SW105, SW106};
pub(crate) use pair::{SW101, SW102, SW107};
pub(crate) use sync::{SW109, SW111, SW113};
pub(crate) use versions::{SW108, SW112, SW114};

use switchover_catalogue::{Document, Source, Statement, states};
use switchover_topology::Topology;
use switchover_topology::model::{Kind, Pbx, PbxRole};

/// What both editions of the guide say, in the same words.
pub(crate) const SINCE_3_86: &str = "3.86 and later";

const REQUIREMENTS: &[Source] = &[
    Source {
        document: Document::Guide386,
        section: "Requirements",
    },
    Source {
        document: Document::Guide50X60X,
        section: "Requirements",
    },
];

const FEATURES: &[Source] = &[
    Source {
        document: Document::Guide386,
        section: "Currently supported features & scenarios",
    },
    Source {
        document: Document::Guide50X60X,
        section: "Currently supported features & scenarios",
    },
];

pub(crate) fn of_role(topology: &Topology, role: PbxRole) -> impl Iterator<Item = &Pbx> {
    topology
        .pbxs
        .iter()
        .filter(move |pbx| pbx.role.value == role)
}

/// The main and the failover PBX, where there is exactly one of each and no PBX was left out.
pub(crate) fn pair(topology: &Topology) -> Option<(&Pbx, &Pbx)> {
    let only = |role| {
        let mut all = of_role(topology, role);
        all.next().filter(|_| all.next().is_none())
    };
    let complete = !topology.incomplete.contains(&Kind::Pbx);
    complete
        .then(|| only(PbxRole::Main).zip(only(PbxRole::Failover)))
        .flatten()
}

/// The first PBX, main before failover, for whose WMS version the guide says so. What is said for one of the two
/// concerns the pair: each serves with what it runs.
pub(crate) fn stated(topology: &Topology, statement: Statement) -> Option<&Pbx> {
    main_first(topology).find(|pbx| states(statement, &pbx.wms).is_some())
}

/// Every PBX, those of the main role before those of the failover role.
pub(crate) fn main_first(topology: &Topology) -> impl Iterator<Item = &Pbx> {
    of_role(topology, PbxRole::Main).chain(of_role(topology, PbxRole::Failover))
}

/// `1 user`, `2 users`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

pub(crate) fn role_name(role: PbxRole) -> &'static str {
    match role {
        PbxRole::Main => "main",
        PbxRole::Failover => "failover",
    }
}
