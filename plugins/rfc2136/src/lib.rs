//! DNS records by dynamic updates (RFC 2136), for any server that has them: BIND, Knot DNS, PowerDNS and others.
//!
//! A resource is an RRset: all records of one owner and one type. The zone is read by AXFR; what changes goes into one
//! UPDATE, which the server carries out whole or not at all. The update says of every RRset that it changes what was
//! there when the zone was read, so that a change that somebody else made in between is noticed instead of lost.
//!
//! It never touches an RRset that the topology does not name and no earlier generation made: SOA, NS and everything
//! that other people keep in the zone stay as they are.
//!
//! Read [`Rfc2136`] first, then `rrset`, which says what a resource looks like.

mod data;
mod findings;
mod lines;
mod manifest;
mod procedure;
mod rrset;
mod rules;
mod words;

use switchover_sdk::{
    Answer, Change, Failure, Finding, Line, Manifest, Plugin, Procedure, Query, Resource,
    ShownResource, Target, View, parse_settings,
};

use manifest::Settings;

/// The plugin.
pub struct Rfc2136;

switchover_sdk::export!(Rfc2136);

impl Plugin for Rfc2136 {
    fn describe() -> Manifest {
        manifest::manifest()
    }

    fn check(view: &View, target: &Target) -> Vec<Finding> {
        findings::findings(view, target)
    }

    fn desired(view: &View, _: &Target) -> Result<Vec<Resource>, Failure> {
        rrset::desired(view)
    }

    fn queries(
        target: &Target,
        _: &[String],
        round: u32,
        _: &[Answer],
    ) -> Result<Vec<Query>, Failure> {
        if round > 0 {
            return Ok(Vec::new());
        }
        let zone = |name: &String| Query::zone(rrset::query(name), name);
        Ok(target
            .zones
            .iter()
            .map(|served| zone(&served.name))
            .collect())
    }

    fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        rrset::current(target, answers)
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        procedure::procedure(&settings, target, answers, changes)
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}
