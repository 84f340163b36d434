use std::ops::RangeInclusive;

use crate::editions::edition;
use crate::source::{Document, Source};
use crate::version::DottedVersion;

/// Something that works on the main PBX and does not, or not fully, while the failover PBX serves its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limitation {
    /// What a site has to have or use to be affected.
    pub trigger: Trigger,
    /// What is lost, as a clause: `calls cannot be picked up by BLF key`.
    pub lost: &'static str,
    /// Whom it concerns.
    pub direction: Direction,
    /// Who says so.
    pub source: Source,
}

impl Limitation {
    /// Whether its source is the edition in force for this WMS version. Of a version with another edition nothing is
    /// known: neither that it still holds, nor that it was lifted.
    #[must_use]
    pub fn documented_for(&self, wms: &DottedVersion) -> bool {
        edition(wms).is_some_and(|in_force| in_force.document() == self.source.document)
    }
}

/// What a limitation hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A feature that people use, by its name in the topology language.
    Feature(&'static str),
    /// A call group with this strategy.
    CallGroupStrategy(&'static str),
    /// A PBX of the WMS network that is none of the pair.
    RemotePbx,
    /// A telephone of one of these models, made in one of these years.
    Made {
        /// The catalogue's names of the models. That the revisions of a model are meant too is inferred: the years
        /// tell them apart.
        models: &'static [&'static str],
        /// First and last year of production.
        years: (u16, u16),
    },
    /// Any telephone.
    Phone,
}

impl Trigger {
    /// The years of production, where the limitation depends on them.
    #[must_use]
    pub fn years(&self) -> Option<RangeInclusive<u16>> {
        match *self {
            Self::Made {
                years: (first, last),
                ..
            } => Some(first..=last),
            _ => None,
        }
    }
}

/// Whom a limitation concerns. A *failover user* is one whom the failover PBX serves, a *local user* one on the PBX
/// that is looked from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What failover users do themselves.
    OfFailoverUsers,
    /// Calls of others to failover users.
    ToFailoverUsers,
    /// Between failover users and others, from either side.
    Between,
    /// Everybody, while the main PBX is down.
    WhileMainIsDown,
    /// The moment of the switch itself.
    AtSwitch,
}

/// A limitation as the edition for WMS 3.86 lists it. Which of them a later version lifted is not known.
const fn listed(trigger: Trigger, direction: Direction, lost: &'static str) -> Limitation {
    Limitation {
        trigger,
        lost,
        direction,
        source: Source {
            document: Document::Guide386,
            section: "Current (temporary) limitations/special configuration",
        },
    }
}

/// Call groups that ring up to 32 members at once.
pub const CALL_ALL_32: Limitation = listed(
    Trigger::CallGroupStrategy("call-all-32"),
    Direction::ToFailoverUsers,
    "calls of such a group do not work for users on the failover PBX",
);
/// A call that goes on in spite of a loss of the network.
pub const CONTINUITY: Limitation = listed(
    Trigger::Feature("continuity"),
    Direction::OfFailoverUsers,
    "continuity does not work after the switch",
);
/// Services before a call is answered.
pub const PRE_ANSWER: Limitation = listed(
    Trigger::Feature("pre-answer"),
    Direction::OfFailoverUsers,
    "pre-answer services do not work after the switch",
);
/// What a telephone shows by its XML browser.
pub const XML_BROWSER: Limitation = listed(
    Trigger::Feature("xml-browser"),
    Direction::OfFailoverUsers,
    "history, phonebooks and other XML browser services are missing on the telephone",
);
/// Calls through other sites' PBXs.
pub const REMOTE_PBX: Limitation = listed(
    Trigger::RemotePbx,
    Direction::WhileMainIsDown,
    "calls through it do not work while the main PBX is down",
);
/// One generation of one model.
pub const WP480_OF_2015_2016: Limitation = listed(
    Trigger::Made {
        models: &["WP480", "WP480R2", "WP480R3"],
        years: (2015, 2016),
    },
    Direction::ToFailoverUsers,
    "calls to it cannot be completed normally while it is on the failover PBX",
);
/// A transfer before the third party has answered.
pub const SEMI_ATTENDED_TRANSFER: Limitation = listed(
    Trigger::Feature("semi-attended-transfer"),
    Direction::Between,
    "a semi-attended transfer between remote and failover users does not return",
);
/// Lamps and keys that show and pick up others' calls.
pub const BLF: Limitation = listed(
    Trigger::Feature("blf"),
    Direction::Between,
    "presence between local and failover users is unknown, and calls cannot be picked up by BLF key",
);
/// Calls from the web.
pub const KITE: Limitation = listed(
    Trigger::Feature("kite"),
    Direction::ToFailoverUsers,
    "calls from Kite cannot reach failover users through the WMS network's server PBX while the main PBX is down",
);
/// Mails about calls and messages.
pub const EMAIL_NOTIFICATIONS: Limitation = listed(
    Trigger::Feature("email-notifications"),
    Direction::OfFailoverUsers,
    "no e-mail notifications are sent for users on the failover PBX",
);
/// Logging in and out at a telephone, by service 99.
pub const HOT_DESKING: Limitation = listed(
    Trigger::Feature("hot-desking"),
    Direction::OfFailoverUsers,
    "login and logout by service 99 are refused",
);
/// What people see of the switch.
pub const NO_DISPLAY_MESSAGE: Limitation = listed(
    Trigger::Phone,
    Direction::AtSwitch,
    "no message on the display tells that the telephone has switched",
);
/// Features that a user switches on for himself.
pub const USER_FEATURES: Limitation = listed(
    Trigger::Feature("user-features"),
    Direction::OfFailoverUsers,
    "user features are not available on the failover PBX",
);

/// Every limitation, in the order of the rules that raise them.
#[must_use]
pub const fn limitations() -> &'static [Limitation] {
    &[
        CALL_ALL_32,
        CONTINUITY,
        PRE_ANSWER,
        XML_BROWSER,
        REMOTE_PBX,
        WP480_OF_2015_2016,
        SEMI_ATTENDED_TRANSFER,
        BLF,
        KITE,
        EMAIL_NOTIFICATIONS,
        HOT_DESKING,
        NO_DISPLAY_MESSAGE,
        USER_FEATURES,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::model;

    #[test]
    fn no_trigger_is_listed_twice_and_each_model_is_known() {
        let mut seen: Vec<Trigger> = Vec::new();
        for limitation in limitations() {
            assert!(
                !seen.contains(&limitation.trigger),
                "{:?}",
                limitation.trigger
            );
            seen.push(limitation.trigger);
            if let Trigger::Made { models, .. } = limitation.trigger {
                for &name in models {
                    assert_eq!(model(name).map(|model| model.name), Some(name));
                }
            }
        }
    }

    #[test]
    fn other_versions_are_not_spoken_of() {
        for (wms, documented) in [
            ("3.86", true),
            ("3.86.30011", true),
            ("3.87", true),
            ("4.02.1", true),
            ("3.85.9999", false),
            ("5.00", false),
            ("7.08", false),
        ] {
            assert_eq!(
                BLF.documented_for(&wms.parse().unwrap()),
                documented,
                "{wms}"
            );
        }
    }

    #[test]
    fn years_hold_both_ends() {
        let years = WP480_OF_2015_2016.trigger.years().unwrap();
        let made: Vec<u16> = (2013..2019).filter(|year| years.contains(year)).collect();
        assert_eq!(made, [2015, 2016]);
        assert_eq!(BLF.trigger.years(), None);
    }
}
