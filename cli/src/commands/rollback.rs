//! `switchover rollback`

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_engine::{
    ApplyError, ApplyOptions, Commands, Generation, Permits, Recorded, Sources, State, StateError,
};
use switchover_topology::{Loaded, Sources as Texts, load};

use super::apply;
use super::recover::Instead;
use crate::arguments::{SiteOption, generation};
use crate::configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::Facts;
use crate::place::Place;
use crate::render::ending::Carried;
use crate::render::outline::Extent;
use crate::render::state::StateFound;
use crate::render::{plan_human, plan_json, plan_markdown};
use crate::session::{self, Session};
use crate::terminal::{Terminal, Verbosity};

/// The command's arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "It is an apply like any other: it shows a plan, asks, and records a new generation. The topology need \
                  not be there: then the state is `.switchover` beside it, or where `--state` says."
)]
pub(crate) struct Arguments {
    /// The generation to bring back; the one before the last if none is named.
    #[arg(value_name = "N", value_parser = generation, allow_negative_numbers = true)]
    number: Option<u64>,
    #[command(flatten)]
    site: SiteOption,
    /// Take the commands of targets from this topology, as it is now, instead of the recorded ones. Both are shown.
    #[arg(long, value_name = "TOPOLOGY")]
    commands_from: Option<PathBuf>,
    /// Roll back without asking.
    #[arg(long, short)]
    yes: bool,
    /// Only show what would be done, and change nothing.
    #[arg(long, conflicts_with_all = ["yes", "lock_timeout"])]
    dry_run: bool,
    /// Roll back even where more is changed or removed than the topology lets pass (`large-change`).
    #[arg(long)]
    allow_large_change: bool,
    /// Wait so long, such as `5m`, where somebody else is changing the site.
    #[arg(long, value_name = "TIME", value_parser = apply::time)]
    lock_timeout: Option<Duration>,
    /// How the result is printed; with `--dry-run`, the plan.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document, also where it fails: `schemas/apply.schema.json`; with `--dry-run`, `schemas/plan.schema.json`.
    Json,
    /// For a comment or an issue.
    Markdown,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("nobody is there to confirm: the standard input is no terminal")]
    #[diagnostic(code(switchover::rollback::unconfirmed), help("pass `--yes`"))]
    NobodyToAsk,
    #[error("not confirmed: nothing was changed")]
    #[diagnostic(code(switchover::rollback::declined), help("only `yes` confirms"))]
    Declined,
    #[error("there is no generation before the last one")]
    #[diagnostic(
        code(switchover::rollback::no_earlier),
        help("`switchover generations` lists those that there are")
    )]
    NoEarlier,
    #[error("no recorded topology has all of these targets: `{targets}`")]
    #[diagnostic(
        code(switchover::rollback::targets),
        help(
            "one that was added and another one that was removed since cannot be reached by one topology: apply a \
             topology that has them all"
        )
    )]
    Targets { targets: String },
    #[error("failed to lay out the recorded topology")]
    #[diagnostic(code(switchover::rollback::sources))]
    Sources(#[source] io::Error),
    #[error("the recorded topology names a file outside of its folder: {0:?}")]
    #[diagnostic(
        code(switchover::rollback::outside),
        help("restore the state from a backup")
    )]
    Outside(String),
}

fn refused(error: CommandError) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// Plans from what a generation recorded, confirms and applies.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    if !arguments.yes && !arguments.dry_run && !terminal.can_ask() {
        return Err(Failure::new(Exit::Usage, CommandError::NobodyToAsk));
    }
    let runtime = session::runtime()?;
    let (recorded, last, sources) = runtime.block_on(recorded(&place.state, arguments.number))?;
    let needed = needed(&recorded, &last);
    let mut loaded = reaching(&place.root, &sources, &needed)?;
    // What it says of the state may be what was so once.
    place.put_into(&mut loaded);
    let mut commands = Commands::default();
    if let Some(path) = &arguments.commands_from {
        let Some(instead) = Instead::read(path, &loaded.topology, |_| true, terminal)? else {
            return Ok(Exit::Findings);
        };
        terminal.tell(Verbosity::Quiet, instead.shown().trim_end());
        commands = instead.commands();
    }

    let path = arguments.site.named().topology.display().to_string();
    let mut facts = Facts::default();
    let opened = Session::of(&Arc::default(), loaded, path, terminal, &mut facts)?;
    let Some(mut session) = opened else {
        return Ok(Exit::Findings);
    };
    facts.tell(terminal);
    let number = recorded.number;
    session.want(recorded);
    session.run_instead(commands);
    session.permit(Permits {
        large_change: arguments.allow_large_change,
        // Who asks for what was there before knows what became of the other.
        rejected: true,
    });
    let Some(plan) = session.plan()? else {
        return Ok(Exit::Findings);
    };
    let planned: BTreeSet<&str> = plan.targets.iter().map(|part| part.name.as_str()).collect();
    all_of(&needed, |name| planned.contains(name))?;
    if arguments.dry_run {
        let state = StateFound::new(session.state(), plan.generation);
        terminal.data(&match arguments.format {
            Format::Human => plan_human::render(&plan, Extent::Brief, terminal.out),
            Format::Json => {
                let findings = (&[][..], &session.loaded().sources);
                plan_json::render(&plan, state, findings, None).map_err(Failure::json)?
            }
            Format::Markdown => plan_markdown::render(&plan, state, Extent::Brief),
        })?;
        return Ok(Exit::Done);
    }
    let carried = Carried {
        plan: &plan,
        rollback_of: Some(number),
        begun: Instant::now(),
    };
    confirm(&carried, arguments, terminal)?;
    // What people take to answer is not its time.
    let carried = Carried {
        begun: Instant::now(),
        ..carried
    };
    let options = ApplyOptions {
        lease: configuration::lease(arguments.lock_timeout)?,
        ..ApplyOptions::default()
    };
    let applied = session
        .run_stoppable(async |context| switchover_engine::apply(context, &plan, &options).await)
        .map_err(|error| arguments.failed(&carried, error, terminal))?;
    terminal.data(&match arguments.format {
        Format::Human => apply::human(&applied),
        Format::Json => carried.done(&applied).map_err(Failure::json)?,
        Format::Markdown => format!("**{}**\n", apply::human(&applied).trim_end()),
    })?;
    Ok(Exit::Done)
}

impl Arguments {
    fn failed(&self, carried: &Carried<'_>, error: ApplyError, terminal: &Terminal) -> Failure {
        let to_programs = matches!(self.format, Format::Json);
        apply::failed(carried, error, to_programs, terminal)
    }
}

fn confirm(
    carried: &Carried<'_>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let plan = carried.plan;
    if plan.summary().is_empty() {
        return Ok(());
    }
    apply::show(plan, None, terminal);
    if !plan.large.is_empty() && !arguments.allow_large_change {
        let error = ApplyError::large_change(&plan.large);
        return Err(arguments.failed(carried, error, terminal));
    }
    let question = "\nRoll back? Only `yes` is accepted: ";
    if arguments.yes || apply::answered(terminal, question)? {
        Ok(())
    } else {
        Err(refused(CommandError::Declined))
    }
}

/// What is to be brought back, the last generation, and the topologies by which targets may be reached: where they are
/// now, and where they were.
async fn recorded(
    state: &State,
    number: Option<u64>,
) -> Result<(Recorded, Generation, Vec<Sources>), Failure> {
    let failed = |error: StateError| Failure::new(Exit::Failed, error);
    let numbers = state.numbers().await.map_err(failed)?;
    let before = numbers.iter().rev().nth(1);
    let (Some(last), Some(number)) = (numbers.last(), number.or(before.copied())) else {
        return Err(refused(CommandError::NoEarlier));
    };
    let wanted = state.generation(number).await.map_err(failed)?;
    let last = state.generation(*last).await.map_err(failed)?;
    let contents = state.contents_of(&wanted).await.map_err(failed)?;
    let (mut sources, mut damaged) = (Vec::new(), None);
    for blob in [&last.sources, &wanted.sources].into_iter().flatten() {
        // One of them is enough.
        match state.sources(blob).await {
            Ok(found) => sources.push(found),
            Err(error) => damaged = Some(error),
        }
    }
    match damaged.filter(|_| sources.is_empty()) {
        Some(error) => Err(failed(error)),
        None => Ok((Recorded { number, contents }, last, sources)),
    }
}

/// The first of these topologies that has all the targets that are needed.
fn reaching(
    root: &Path,
    sources: &[Sources],
    needed: &BTreeSet<String>,
) -> Result<Loaded, Failure> {
    let mut missing = Ok(());
    for sources in sources {
        let loaded = laid_out(root, sources)?;
        let targets = &loaded.topology.targets;
        missing = all_of(needed, |name| {
            targets.iter().any(|target| target.name.value == name)
        });
        if missing.is_ok() {
            return Ok(loaded);
        }
    }
    missing?;
    let targets = needed.iter().cloned().collect::<Vec<_>>().join("`, `");
    Err(refused(CommandError::Targets { targets }))
}

/// Reads a recorded topology as if its files lay where they did.
pub(super) fn laid_out(root: &Path, sources: &Sources) -> Result<Loaded, Failure> {
    let failed = |error| refused(CommandError::Sources(error));
    let folder = tempfile::tempdir().map_err(failed)?;
    for (name, text) in &sources.files {
        let mut parts = Path::new(name).components();
        if !parts.all(|part| matches!(part, Component::Normal(_))) {
            return Err(refused(CommandError::Outside(name.clone())));
        }
        let path = folder.path().join(name);
        let parent = path.parent().unwrap_or(folder.path());
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(failed)?;
    }
    let mut loaded = load(&folder.path().join(&sources.main));
    loaded.root = root.to_owned();
    // Where they were laid out is gone when they are named.
    let mut named = Texts::default();
    for (file, name) in loaded.sources.files().zip(&loaded.names) {
        named.add(format!("{name} (as recorded)"), file.text.clone());
    }
    loaded.sources = named;
    Ok(loaded)
}

/// The targets that are to hold something or hold something now.
fn needed(recorded: &Recorded, last: &Generation) -> BTreeSet<String> {
    let wanted = recorded.contents.iter();
    let wanted = wanted.filter(|(_, contents)| !contents.resources.is_empty());
    let held = last.targets.iter();
    let held = held.filter(|(_, record)| !record.resources.is_empty());
    wanted
        .map(|(name, _)| name.clone())
        .chain(held.map(|(name, _)| name.clone()))
        .collect()
}

fn all_of(needed: &BTreeSet<String>, has: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let missing: Vec<&str> = needed
        .iter()
        .map(String::as_str)
        .filter(|name| !has(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let targets = missing.join("`, `");
    Err(refused(CommandError::Targets { targets }))
}
