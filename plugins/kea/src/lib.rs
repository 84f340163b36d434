//! DHCP by ISC Kea: subnets, pools, reservations, options, and a class for the telephones of each network.
//!
//! Kea's configuration is one JSON document that is read and replaced as a whole. This plugin reads it, changes the
//! objects that the plan names, and gives it back with everything else as it was: hooks, databases, global options,
//! other people's subnets. It never builds a configuration from the topology alone.
//!
//! Options for telephones are in a client class that matches the first bytes of their hardware addresses. The class is
//! evaluated only where a subnet requires it, so that a telephone gets them in its own network and nowhere else.
//!
//! Two servers of one service that have a target each become a hot-standby pair: each gets the hook for it, which knows
//! both servers and which of them it runs in. Kea begins the pair's dance anew whenever a configuration is set.
//!
//! Read [`Kea`] first, then `shape`, which says what a resource looks like.

mod adopt;
mod configuration;
mod current;
mod desired;
mod edit;
mod encode;
mod findings;
mod high_availability;
mod lines;
mod manifest;
mod procedure;
mod rules;
mod shape;

use switchover_sdk::{
    Adopting, Answer, Change, Failure, Finding, Line, Manifest, Plugin, Procedure, Query, Resource,
    ShownResource, Target, View, parse_settings,
};

use configuration::Configuration;
use manifest::{HighAvailability, Settings};
use shape::kind;

/// The plugin.
pub struct Kea;

switchover_sdk::export!(Kea);

impl Plugin for Kea {
    fn describe() -> Manifest {
        manifest::manifest()
    }

    fn check(view: &View, target: &Target) -> Vec<Finding> {
        match parse_settings(target) {
            Ok(settings) => findings::findings(view, target, &settings),
            // The same failure comes back from every other call, where it can be told as what it is.
            Err(_) => Vec::new(),
        }
    }

    fn desired(view: &View, target: &Target) -> Result<Vec<Resource>, Failure> {
        desired::desired(view, &parse_settings(target)?)
    }

    fn queries(
        target: &Target,
        _: &[String],
        round: u32,
        _: &[Answer],
    ) -> Result<Vec<Query>, Failure> {
        let settings: Settings = parse_settings(target)?;
        Ok(match round {
            0 => configuration::queries(settings.control),
            _ => Vec::new(),
        })
    }

    fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        let settings: Settings = parse_settings(target)?;
        let configuration = Configuration::from_answers(answers)?;
        Ok(current::current(&configuration, &settings))
    }

    fn adopt(target: &Target, answers: &[Answer]) -> Result<Adopting, Failure> {
        let settings: Settings = parse_settings(target)?;
        let configuration = Configuration::from_answers(answers)?;
        Ok(Adopting::Found(adopt::adopt(&configuration, &settings)))
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        let before = Configuration::from_answers(answers)?;
        let mut after = before.clone();
        edit::apply(&mut after, changes, &settings)?;
        let ours = |change: &Change| change.kind == kind::HIGH_AVAILABILITY;
        if settings.high_availability == HighAvailability::Present
            || changes.iter().any(ours)
            || target.owns(kind::HIGH_AVAILABILITY)
        {
            high_availability::check(&after, &settings)?;
        }
        Ok(procedure::procedure(target, &settings, &before, &after))
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}
