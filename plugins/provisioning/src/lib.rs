//! Provisioning files: what tells a telephone or a gateway which PBXs there are.
//!
//! One file `{mac}.cfg` for each device with a hardware address whose network uses the target's provisioning service.
//! Each names both PBXs of the pair with the transport and port that the vendor documents for the model, so that the
//! device registers on both and changes over by itself. The text comes from a template by model family, which a site
//! can override without touching this plugin.
//!
//! Files that no device of the topology stands for, and that no earlier apply wrote, are neither read nor touched.
//! Nothing from the topology can add a line to a file: see [`context`].
//!
//! Read [`Provisioning`] first.

mod context;
mod findings;
mod lines;
mod rules;
mod scope;
mod settings;
mod template;

use std::collections::HashSet;

use switchover_sdk::{
    Action, Answer, Answers, Change, CommandUse, Effect, Failure, Finding, Line, Manifest, Pattern,
    Plugin, Procedure, Query, Reach, Resource, ResourceKind, Response, Rule, ServerSupport,
    ShownResource, Step, Target, UndoStep, UndoSupport, View,
};

use crate::settings::Settings;

/// The plugin.
pub struct Provisioning;

switchover_sdk::export!(Provisioning);

/// The kind of every resource here.
const FILE: &str = "file";
/// Id of the query that lists the target's folder.
const LISTING: &str = "listing";
/// What every address begins with, and the id of the query that reads the file.
const ADDRESS: &str = "file/";
/// The command that a target may declare.
const RELOAD: &str = "reload";

impl Plugin for Provisioning {
    fn describe() -> Manifest {
        let served = |product: &str| ServerSupport {
            product: product.into(),
            versions: "any".into(),
        };
        Manifest {
            resources: vec![ResourceKind {
                name: FILE.into(),
                summary: "the provisioning file of one device".into(),
            }],
            servers: vec![
                served("web server that serves a folder"),
                served("TFTP server"),
            ],
            findings: Rule::declare(rules::ALL),
            settings_schema: settings::SCHEMA.into(),
            reach: vec![Reach::Files],
            reads: vec![
                Pattern::Folder(String::new()),
                Pattern::File("*.cfg".into()),
            ],
            writes: vec![Pattern::File("*.cfg".into())],
            commands: vec![CommandUse::optional(
                RELOAD,
                "run once after the files have changed",
            )],
            undo: UndoSupport::Native,
            templates: template::all(),
            ..Manifest::new(
                "provisioning",
                env!("CARGO_PKG_VERSION"),
                "writes a provisioning file for each telephone and gateway",
            )
        }
    }

    fn check(view: &View, target: &Target) -> Vec<Finding> {
        // The host has checked the settings; `desired` says it if they are still not understood.
        findings::all(view, target, &Settings::of(target).unwrap_or_default())
    }

    fn desired(view: &View, target: &Target) -> Result<Vec<Resource>, Failure> {
        let settings = Settings::of(target)?;
        scope::devices(view)
            .filter_map(|device| {
                Some((
                    device.file_name()?,
                    template::name(settings.family(device.device))?,
                    device,
                ))
            })
            .map(|(file, template, device)| {
                let context = context::of(view, &device, settings.register_seconds)?;
                let hint = lines::hint(&device)?;
                Ok(Resource::rendered(&file, FILE, template, &context).hint(hint))
            })
            .collect()
    }

    fn queries(
        target: &Target,
        wanted: &[String],
        round: u32,
        answers: &[Answer],
    ) -> Result<Vec<Query>, Failure> {
        if round == 0 {
            return Ok(vec![Query::folder(LISTING, "")]);
        }
        if round > 1 {
            return Ok(Vec::new());
        }
        let ours: HashSet<&str> = wanted
            .iter()
            .chain(&target.owned)
            .filter_map(|address| address.strip_prefix(ADDRESS))
            .collect();
        Ok(Answers::new(answers)
            .folder(LISTING)
            .unwrap_or_default()
            .iter()
            .filter(|name| ours.contains(name.as_str()))
            .map(|name| Query::file(format!("{ADDRESS}{name}"), name))
            .collect())
    }

    fn current(_target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure> {
        let answers = Answers::new(answers);
        Ok(answers
            .with_prefix(ADDRESS)
            // A file that went away since the folder was listed is not there.
            .filter(|(_, answer)| matches!(answer, Response::File(_)))
            .map(|(name, _)| Resource::answered(name, FILE, format!("{ADDRESS}{name}")))
            .collect())
    }

    fn procedure(
        target: &Target,
        _answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure> {
        let mut commit = changes
            .iter()
            .map(step)
            .collect::<Result<Vec<Step>, Failure>>()?;
        if target.has_command(RELOAD) && !commit.is_empty() {
            // When this is taken back, the engine has already put the files back.
            let again = UndoStep::new(
                "reload with the files from before",
                Effect::run(RELOAD, None),
            );
            commit.push(
                Step::new(
                    RELOAD,
                    "reload with the new files",
                    Effect::run(RELOAD, None),
                )
                .undo(again),
            );
        }
        Ok(Procedure {
            commit,
            ..Procedure::default()
        })
    }

    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        lines::lines(resources)
    }
}

/// The one step that makes the change.
fn step(change: &Change) -> Result<Step, Failure> {
    let path = change.file_path().ok_or_else(|| {
        Failure::new(
            "not-a-file",
            format!("the resource `{}` is not a file", change.address),
        )
    })?;
    let (title, effect) = match change.action {
        Action::Create | Action::Update => (format!("write {path}"), Effect::write_wanted(path)),
        Action::Delete => (format!("remove {path}"), Effect::RemoveFile(path.into())),
    };
    Ok(Step::new(&change.address, title, effect))
}
