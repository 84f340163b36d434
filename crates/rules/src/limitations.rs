//! SW3xx: what is lost while the failover PBX serves, raised only where the topology says that it is used.
//!
//! The facts are the catalogue's, and only the edition for WMS 3.86 states them. Where a later edition is in force a
//! rule still speaks, because nobody said that the limitation was lifted, and says that it is not repeated there.

mod features;
mod telephones;

pub(crate) use features::{
    SW301, SW302, SW303, SW304, SW305, SW307, SW308, SW309, SW310, SW311, SW313,
};
pub(crate) use telephones::{SW306, SW312};

use switchover_catalogue::{DottedVersion, Limitation, edition_of};
use switchover_topology::model::PbxRole;
use switchover_topology::{Severity, Topology};

use crate::finding::not_repeated;
use crate::registry::{Check, Rule};
use crate::requirements::of_role;

/// What these rules have in common.
const LOST: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Warning,
    summary: "",
    sources: &[],
    wms: "3.86 to 4.X",
    explanation: "",
    acknowledgeable: true,
    looks_at: &[],
    check: Check::Reading,
};

/// `subject: what is lost`, and that it is not repeated where another edition is in force for the failover PBX.
fn told(topology: &Topology, subject: &str, limitation: &Limitation) -> String {
    let lost = limitation.lost;
    let elsewhere = serving(topology)
        .filter(|wms| !limitation.documented_for(wms))
        .zip(edition_of(limitation.source.document))
        .map(|(wms, stated)| not_repeated(stated, wms));
    format!("{subject}: {lost}{}", elsewhere.unwrap_or_default())
}

/// The version that serves after the switch.
fn serving(topology: &Topology) -> Option<&DottedVersion> {
    of_role(topology, PbxRole::Failover)
        .next()
        .map(|pbx| &pbx.wms.value)
}
