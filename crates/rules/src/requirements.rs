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
pub(crate) use versions::{SW108, SW112};

use switchover_catalogue::{Document, Edition, Source, Statement, stated_earlier, states};
use switchover_topology::Topology;
use switchover_topology::model::{Kind, Pbx, PbxRole};

use crate::finding::Finding;

/// Stated for these versions by the two editions of the guide, in the same words.
const BOTH_EDITIONS: &str = "3.86, 5.0X, 6.0X";

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

/// Something that the guide says, as it bears on a pair.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated<'a> {
    /// The first PBX, main before failover, that runs such a version. What is said for one of the two concerns the
    /// pair: each serves with what it runs.
    pbx: &'a Pbx,
    /// None where it is said of that very version.
    earlier: Option<&'static Edition>,
}

impl Stated<'_> {
    /// A finding that rests on it.
    pub(crate) fn bears_on(&self, finding: Finding) -> Finding {
        match self.earlier {
            None => finding,
            Some(edition) => finding.undocumented(edition, &self.pbx.wms.value),
        }
    }

    /// The same, with the PBX's version beside it.
    pub(crate) fn bears_with_version_on(&self, finding: Finding) -> Finding {
        let version = match self.earlier {
            None => "the version that says so",
            Some(_) => "nothing is documented for this version",
        };
        self.bears_on(finding.related(self.pbx.wms.span, version))
    }
}

/// What the guide says for a PBX's WMS version; else what it says for an earlier one.
pub(crate) fn stated(topology: &Topology, statement: Statement) -> Option<Stated<'_>> {
    let documented = main_first(topology).find(|pbx| states(statement, &pbx.wms).is_some());
    let earlier = || {
        main_first(topology).find_map(|pbx| {
            let edition = stated_earlier(statement, &pbx.wms)?;
            Some(Stated {
                pbx,
                earlier: Some(edition),
            })
        })
    };
    documented
        .map(|pbx| Stated { pbx, earlier: None })
        .or_else(earlier)
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
