//! SW3xx: what is lost while the failover PBX serves, raised only where the topology says that it is used.
//!
//! The facts are the catalogue's, and they are stated for WMS 3.86 alone. On another version a rule still speaks,
//! because nobody said that the limitation was lifted, and says that nothing is documented there.

mod features;
mod telephones;

pub(crate) use features::{
    SW301, SW302, SW303, SW304, SW305, SW307, SW308, SW309, SW310, SW311, SW313,
};
pub(crate) use telephones::{SW306, SW312};

use switchover_catalogue::{DottedVersion, Limitation};
use switchover_topology::model::PbxRole;
use switchover_topology::{Severity, Topology};

use crate::registry::{Check, Rule};
use crate::requirements::of_role;

/// What these rules have in common.
const LOST: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Warning,
    summary: "",
    sources: &[],
    wms: "3.86",
    explanation: "",
    acknowledgeable: true,
    looks_at: &[],
    check: Check::Reading,
};

/// `subject: what is lost`, and that nothing is documented where the failover PBX runs another version than the
/// source speaks of.
fn told(topology: &Topology, subject: &str, limitation: &Limitation) -> String {
    let lost = limitation.lost;
    match serving(topology).filter(|wms| !limitation.documented_for(wms)) {
        None => format!("{subject}: {lost}"),
        Some(wms) => format!(
            "{subject}: {lost} (stated for WMS {}; nothing is documented for WMS {wms})",
            limitation.covers.from
        ),
    }
}

/// The version that serves after the switch.
fn serving(topology: &Topology) -> Option<&DottedVersion> {
    of_role(topology, PbxRole::Failover)
        .next()
        .map(|pbx| &pbx.wms.value)
}
