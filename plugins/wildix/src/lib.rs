//! The PBX pair: users, devices and settings of Wildix PBXs, through the HTTP API of WMS.
//!
//! Users, devices, trunks and call groups are written on the source of the synchronisation only: it carries them to the
//! destination and overwrites what is there. Language, region and NTP server, which it does not carry, are written on
//! both. What the API documents no way to write (the version, the WMS network, trunks, call groups) is read and
//! held against the topology: what differs is a finding, and what people have to do is a task of the runbook.
//!
//! Nothing here ever restarts a PBX: no pattern of the manifest lets such a request through.
//!
//! Read [`Wildix`] first, then `shape`, which says what a resource looks like.

mod current;
mod desired;
mod devices;
mod evidence;
mod examine;
mod findings;
mod lines;
mod manifest;
mod place;
mod procedure;
mod reading;
mod records;
mod rules;
mod settings;
mod shape;
mod tasks;
mod users;

use switchover_sdk::{
    Answer, Change, Examination, Failure, Finding, Line, Manifest, Plugin, Procedure, Query,
    Resource, ShownResource, Target, View, parse_settings,
};

use manifest::Settings;
use records::Records;

/// The plugin.
pub struct Wildix;

switchover_sdk::export!(Wildix);

impl Plugin for Wildix {
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
        wanted: &[String],
        round: u32,
        answers: &[Answer],
    ) -> Result<Vec<Query>, Failure> {
        let settings: Settings = parse_settings(target)?;
        match round {
            0 => Ok(reading::first(&settings, wanted)),
            _ => reading::missing_pages(&settings, answers),
        }
    }

    fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        let settings: Settings = parse_settings(target)?;
        Ok(current::current(
            &settings,
            &Records::from_answers(answers)?,
        ))
    }

    fn examine(view: &View, target: &Target, answers: &[Answer]) -> Result<Examination, Failure> {
        let settings: Settings = parse_settings(target)?;
        let records = match answers {
            [] => None,
            answers => Some(Records::from_answers(answers)?),
        };
        Ok(Examination {
            findings: records.as_ref().map_or_else(Vec::new, |records| {
                examine::findings(view, target, &settings, records)
            }),
            tasks: tasks::tasks(view, &settings, records.as_ref()),
        })
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        let records = Records::from_answers(answers)?;
        procedure::procedure(&settings, &records, changes)
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}
