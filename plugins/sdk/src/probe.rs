//! What a plugin has its server asked once it is changed, where a target's `probe` says so.

use serde::Deserialize;

use crate::{DhcpDiscover, Effect, ServerRole, Step, Target};

/// How long a server that was just restarted may take to answer as it should.
const PATIENCE_MS: u32 = 15_000;
const ASK_EVERY_MS: u32 = 250;

/// The words of a target's `probe`: one argument of a node is a value, several are an array.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Probes {
    /// Of `probe "dhcp"`.
    One(String),
    /// Of `probe "dhcp" "dns"`.
    Many(Vec<String>),
}

impl Default for Probes {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Probes {
    /// Whether this word is among them.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Many(many) => many.iter().any(|one| one == word),
        }
    }
}

/// A step for each network that the target serves: one of its devices is offered what it should be.
pub fn offers(target: &Target) -> impl Iterator<Item = Step> {
    target.expected_offers.iter().map(|expected| {
        Step::new(
            format!("offer-{}", expected.network),
            format!(
                "wait until a device of {} is offered {}",
                expected.network, expected.address
            ),
            Effect::DhcpDiscover(DhcpDiscover {
                service: expected.service.clone(),
                mac: expected.mac.clone(),
                address: expected.address.clone(),
                options: expected.options.clone(),
                deadline_ms: PATIENCE_MS,
                every_ms: ASK_EVERY_MS,
            }),
        )
    })
}

/// The same where a standby answers nobody as long as the other server does.
pub fn offers_of_primaries(target: &Target) -> impl Iterator<Item = Step> {
    let roles = target.expected_offers.iter().map(|expected| expected.role);
    let primary = roles.map(|role| role == ServerRole::Primary);
    offers(target)
        .zip(primary)
        .filter_map(|(step, primary)| primary.then_some(step))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ExpectedOffer;

    fn target() -> Target {
        let offer = |network: &str, role| ExpectedOffer {
            service: "voice".into(),
            role,
            network: network.into(),
            mac: "9c:75:14:00:00:01".into(),
            address: "10.20.30.11".into(),
            options: Vec::new(),
        };
        Target {
            expected_offers: vec![
                offer("desks", ServerRole::Primary),
                offer("lobby", ServerRole::Standby),
            ],
            ..Target::new("kea", &json!({}))
        }
    }

    #[test]
    fn a_network_is_asked_for_once() {
        let ids = |steps: Vec<Step>| steps.into_iter().map(|step| step.id).collect::<Vec<_>>();
        assert_eq!(
            ids(offers(&target()).collect()),
            ["offer-desks", "offer-lobby"]
        );
        assert_eq!(
            ids(offers_of_primaries(&target()).collect()),
            ["offer-desks"]
        );
    }

    #[test]
    fn one_word_or_many() {
        let read = |value| serde_json::from_value::<Probes>(value).unwrap();
        assert!(read(json!("dhcp")).has("dhcp"));
        assert!(read(json!(["dns", "dhcp"])).has("dhcp"));
        assert!(!read(json!("dns")).has("dhcp"));
        assert!(!Probes::default().has("dhcp"));
    }
}
