//! DHCP and DNS of a small site by dnsmasq: one file of its own, which the site's configuration includes.
//!
//! Each line that this plugin writes is a resource: a range, an option, a host, a record. A line that it did not write
//! is one too, of the kind `line`, and stays where it is, as do comments. The file is changed line by line and never
//! built from the topology alone.
//!
//! dnsmasq reads its configuration when it starts and at no other time (SIGHUP is for other files), so the command
//! `reload` has to restart it.
//!
//! Read [`Dnsmasq`] first, then `entry`, which says what a line is.

mod adopt;
mod desired;
mod document;
mod entry;
mod findings;
mod lines;
mod manifest;
mod names;
mod option;
mod procedure;
mod questions;
mod record;
mod rules;
mod words;

use switchover_sdk::{
    Adopting, Answer, Answers, Change, Failure, Finding, Line, Manifest, Plugin, Procedure, Query,
    Resource, ShownResource, Target, View, parse_settings,
};

use document::Document;
use manifest::Settings;

/// The plugin.
pub struct Dnsmasq;

switchover_sdk::export!(Dnsmasq);

/// The one query.
const FILE: &str = "file";

impl Plugin for Dnsmasq {
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
        let settings: Settings = parse_settings(target)?;
        entry::resources(&desired::desired(view, &settings)?)
    }

    fn queries(
        target: &Target,
        _: &[String],
        round: u32,
        _: &[Answer],
    ) -> Result<Vec<Query>, Failure> {
        let settings: Settings = parse_settings(target)?;
        Ok(match round {
            0 => vec![Query::file(FILE, settings.file)],
            _ => Vec::new(),
        })
    }

    fn current(_: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        entry::resources(&read(answers)?.entries())
    }

    fn adopt(target: &Target, answers: &[Answer]) -> Result<Adopting, Failure> {
        adopt::adopt(&parse_settings(target)?, answers)
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        let mut document = read(answers)?;
        document.apply(changes)?;
        Ok(procedure::procedure(target, &settings, &document, changes))
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}

/// The file as it is; an absent one is empty.
fn read(answers: &[Answer]) -> Result<Document, Failure> {
    let answers = Answers::new(answers);
    if answers.get(FILE).is_none() {
        return Err(Failure::new("no-answer", "the file has not been read"));
    }
    Ok(Document::parse(answers.text(FILE)?.unwrap_or_default()))
}
