//! DHCP by ISC dhcpd: one file of its own, which the site's `dhcpd.conf` includes.
//!
//! Each statement that this plugin writes is a resource: a subnet, an option, a host, a failover peer, the definition of
//! an option. A statement that it did not write is one too, of the kind `statement`, and stays where it is, as do
//! comments. The file is changed statement by statement and never built from the topology alone; `dhcpd.conf` itself is
//! read and never written.
//!
//! A service with two servers that each have a target gets a failover peer on both, of which one is the primary.
//!
//! dhcpd reads its configuration when it starts and at no other time, so the command `reload` has to restart it.
//!
//! Read [`IscDhcpd`] first, then `entry`, which says what a statement is.

mod adopt;
mod desired;
mod document;
mod entry;
mod failover;
mod findings;
mod host;
mod lines;
mod main_file;
mod manifest;
mod option;
mod procedure;
mod rules;
mod subnet;
mod tree;
mod words;

use switchover_sdk::{
    Adopting, Answer, Answers, Change, Failure, Finding, Line, Manifest, Plugin, Procedure, Query,
    Resource, ShownResource, Target, View, parse_settings,
};

use document::Document;
use main_file::MainFile;
use manifest::Settings;

/// The plugin.
pub struct IscDhcpd;

switchover_sdk::export!(IscDhcpd);

/// The query for the plugin's own file.
const FILE: &str = "file";
/// The query for the file that includes it.
const MAIN: &str = "main";

impl Plugin for IscDhcpd {
    fn describe() -> Manifest {
        manifest::manifest()
    }

    fn check(view: &View, target: &Target) -> Vec<Finding> {
        match parse_settings::<Settings>(target) {
            Ok(_) => findings::findings(view, target),
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
            0 => vec![
                Query::file(FILE, settings.file),
                Query::file(MAIN, settings.main),
            ],
            _ => Vec::new(),
        })
    }

    fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        let (document, main) = read(&parse_settings(target)?, answers)?;
        let mut entries = document.entries();
        entries.extend(main.iter().flat_map(MainFile::entries));
        entry::resources(&entries)
    }

    fn adopt(target: &Target, answers: &[Answer]) -> Result<Adopting, Failure> {
        let settings: Settings = parse_settings(target)?;
        adopt::adopt(&settings, Answers::new(answers)).map(Adopting::Found)
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        let (mut document, main) = read(&settings, answers)?;
        document.apply(changes)?;
        if let Some(main) = &main {
            main.hold_against(&document.entries())?;
        }
        Ok(procedure::procedure(
            target,
            &settings,
            &document,
            main.is_some(),
        ))
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}

/// The file as it is, where an absent one is empty, and the one that includes it, where it is below the root.
fn read(settings: &Settings, answers: &[Answer]) -> Result<(Document, Option<MainFile>), Failure> {
    let answers = Answers::new(answers);
    if answers.get(FILE).is_none() || answers.get(MAIN).is_none() {
        return Err(Failure::new("no-answer", "the files have not been read"));
    }
    let file = settings.file.as_str();
    let document = Document::parse(file, answers.text(FILE)?.unwrap_or_default())?;
    let main = answers
        .text(MAIN)?
        .map(|text| MainFile::parse(&settings.main, text, file))
        .transpose()?;
    Ok((document, main))
}
