//! A PBX of the pair by Kamailio: registrar, call groups and incoming trunks, in one file of its own, which the site's
//! `kamailio.cfg` includes.
//!
//! Each listener, name and setting is one line of the file, and so is each user, call group and trunk: they are the
//! resources. Between them stands the routing, the same text for everybody, which is one resource. A line that this
//! plugin did not write is one too, of the kind `line`, and stays where it is. `kamailio.cfg` itself is read and never
//! written; it has to include the file and call `route(SWITCHOVER)`.
//!
//! The two servers of a pair share nothing: every telephone registers on both, as it does with the vendor's.
//!
//! Kamailio reads its configuration when it starts. Users, call groups and trunks are also changed in the running
//! server, by JSON-RPC, which loses no registration; anything else restarts it.
//!
//! Passwords stand in the file as they are, since a plugin sees no secret that it could hash: the file wants to exist
//! with mode 0640 and Kamailio's group before the first apply, which keeps both.
//!
//! Read [`Kamailio`] first, then `entry`, which says what a line is.

mod desired;
mod document;
mod entry;
mod findings;
mod lines;
mod main_file;
mod manifest;
mod names;
mod procedure;
mod routing;
mod rows;
mod rules;

use switchover_sdk::{
    Answer, Answers, Change, Failure, Finding, Line, Manifest, Plugin, Procedure, Query, Resource,
    ShownResource, Target, View, parse_settings,
};

use document::Document;
use manifest::Settings;

/// The plugin.
pub struct Kamailio;

switchover_sdk::export!(Kamailio);

/// The query for the plugin's own file.
const FILE: &str = "file";
/// The query for the file that includes it.
const MAIN: &str = "main";

impl Plugin for Kamailio {
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
        entry::resources(&desired::desired(view, &parse_settings(target)?))
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
        let (document, _) = read(&parse_settings(target)?, answers)?;
        entry::resources(&document.entries())
    }

    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let settings: Settings = parse_settings(target)?;
        let (mut document, main) = read(&settings, answers)?;
        document.apply(changes)?;
        procedure::procedure(target, &settings, &document, main, changes)
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}

/// The file as it is, where an absent one is empty, and whether the one that includes it is below the root.
fn read(settings: &Settings, answers: &[Answer]) -> Result<(Document, bool), Failure> {
    let answers = Answers::new(answers);
    if answers.get(FILE).is_none() || answers.get(MAIN).is_none() {
        return Err(Failure::new("no-answer", "the files have not been read"));
    }
    let document = Document::parse(&settings.file, answers.text(FILE)?.unwrap_or_default())?;
    let main = answers.text(MAIN)?;
    if let Some(text) = main {
        main_file::check(&settings.main, text, &settings.file)?;
    }
    Ok((document, main.is_some()))
}
