//! `switchover gc`, and what `apply` does of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::{
    Collected, Lease, LeaseError, LeaseOptions, Retention, StateError, spans, who,
};
use switchover_topology::value::{ParseDurationError, parse_duration};

use super::{apply, recover};
use crate::arguments::SiteArgument;
use crate::configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::text::counted;
use crate::session::{Session, runtime};
use crate::terminal::{Terminal, Verbosity};

/// The command's arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "A generation stays that one of both keeps; the last one always does. Without options it is what \
                  `retention` of the site says, else the last 50. Nothing is removed while somebody changes the site."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    site: SiteArgument,
    /// Keep so many of the last generations.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Keep generations that are younger, such as `90d`.
    #[arg(long, value_name = "TIME", value_parser = age)]
    keep_younger_than: Option<Duration>,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Wait so long, such as `5m`, where somebody is changing the site.
    #[arg(long, value_name = "TIME", value_parser = apply::time)]
    lock_timeout: Option<Duration>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document: `schemas/gc.schema.json`.
    Json,
}

/// As topologies spell durations.
fn age(text: &str) -> Result<Duration, ParseDurationError> {
    parse_duration(text)
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the run that {who} began {when:.0} is not at its end")]
#[diagnostic(
    code(switchover::gc::unfinished),
    help(
        "nothing was removed, since it may need it: `switchover recover` brings the run to its end"
    )
)]
struct UnfinishedError {
    who: String,
    when: Timestamp,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("there is no topology `{}`, so nobody says what is to stay", topology.display())]
#[diagnostic(
    code(switchover::gc::no_retention),
    help("pass `--keep` or `--keep-younger-than`, or name the topology")
)]
struct NoRetention {
    topology: PathBuf,
}

/// Removes what is old.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::sound(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let topology = arguments.site.named().topology;
    if arguments.keep.is_none() && arguments.keep_younger_than.is_none() && !topology.exists() {
        // The site may keep more than those that stay unless it is said otherwise.
        let topology = topology.to_owned();
        return Err(Failure::new(Exit::Usage, NoRetention { topology }));
    }
    let declared = place.retention.unwrap_or_default();
    let retention = Retention {
        generations: arguments
            .keep
            .map_or(declared.generations, |keep| keep as usize),
        younger_than: arguments.keep_younger_than.or(declared.younger_than),
    };
    let now = Timestamp::now();
    let collected = runtime()?.block_on(async {
        let found = place.state.collectable(retention, now).await;
        let found = found.map_err(failed)?;
        // Where there are generations, what a killed command has left on its way is swept up even if none of them is old.
        let numbers = place.state.numbers().await.map_err(failed)?;
        if arguments.dry_run || numbers.is_empty() {
            return Ok(found);
        }
        let lease = configuration::lease(arguments.lock_timeout)?;
        collect(&place, retention, now, lease).await
    })?;
    terminal.data(&match arguments.format {
        Format::Human => human(&collected, arguments.dry_run),
        Format::Json => json(&collected, arguments.dry_run).map_err(Failure::json)?,
    })?;
    Ok(Exit::Done)
}

/// Removes what is not to stay while nobody else changes the site.
async fn collect(
    place: &Place,
    retention: Retention,
    now: Timestamp,
    options: LeaseOptions,
) -> Result<Collected, Failure> {
    let lease = Lease::acquire(place.state.store(), &who(), "gc", options)
        .await
        .map_err(locked)?;
    let collected = collect_alone(place, retention, now, &lease).await;
    let released = lease.release().await.map_err(locked);
    let collected = collected?;
    released?;
    Ok(collected)
}

async fn collect_alone(
    place: &Place,
    retention: Retention,
    now: Timestamp,
    lease: &Lease,
) -> Result<Collected, Failure> {
    // A run that was interrupted has kept what it wants, and no generation refers to that yet.
    let unfinished = place.unfinished().await.map_err(recover::failed)?;
    if let Some(run) = unfinished {
        let (who, when) = (run.who, run.when);
        let error = UnfinishedError { who, when };
        return Err(Failure::new(Exit::Partial, error));
    }
    let found = place.state.collectable(retention, now).await;
    let found = found.map_err(failed)?;
    let removed = place.state.remove(&found, || !lease.is_lost()).await;
    removed.map_err(failed)?;
    Ok(found)
}

fn failed(error: StateError) -> Failure {
    Failure::new(Exit::Failed, error)
}

fn locked(error: LeaseError) -> Failure {
    let exit = match error {
        LeaseError::Held { .. } => Exit::LockHeld,
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}

/// More generations than this are told of where the topology does not say how many are to stay.
const MANY: usize = 100;

/// Removes what is not to stay after an apply where the topology says what is; else says when a lot has gathered. The
/// apply is done, and well, whatever becomes of this.
pub(super) fn after_apply(session: &Session<'_>, lease: LeaseOptions, terminal: &Terminal) {
    let work = async {
        let place = Place::of_loaded(session.loaded())?;
        let numbers = place.state.numbers().await.map_err(failed)?;
        let Some(retention) = place.retention else {
            if numbers.len() > MANY {
                terminal.say(format_args!(
                    "{} are kept; `switchover gc` removes old ones, and so does every apply where the site has `retention`",
                    counted(numbers.len(), "generation", "generations")
                ));
            }
            return Ok(());
        };
        if numbers.len() <= retention.generations {
            return Ok(());
        }
        let now = Timestamp::now();
        let lease = LeaseOptions {
            wait: Duration::ZERO,
            ..lease
        };
        let collected = collect(&place, retention, now, lease).await?;
        if !collected.is_empty() {
            terminal.tell(Verbosity::Verbose, human(&collected, false).trim_end());
        }
        Ok(())
    };
    let Err(failure) = runtime().and_then(|runtime| runtime.block_on(work)) else {
        return;
    };
    // Who changes the site by now clears up in their turn.
    if failure.exit != Exit::LockHeld {
        let why = failure.told().message;
        terminal.say(format_args!(
            "old generations are still there: {why}; `switchover gc` removes them"
        ));
    }
}

/// `2 generations (1–2) and 3 contents removed, 50 generations kept`
fn human(collected: &Collected, dry_run: bool) -> String {
    let kept = counted(collected.kept, "generation", "generations");
    if collected.is_empty() {
        return format!("nothing to remove, {kept} kept\n");
    }
    let numbers = match collected.generations.as_slice() {
        [] => String::new(),
        numbers => format!(" ({})", spans(numbers)),
    };
    let verb = if dry_run {
        "would be removed"
    } else {
        "removed"
    };
    format!(
        "{}{numbers} and {} {verb}, {kept} kept\n",
        counted(collected.generations.len(), "generation", "generations"),
        counted(collected.contents.len(), "content", "contents"),
    )
}

#[derive(Serialize)]
struct JsonCollected<'a> {
    format_version: &'static str,
    /// Nothing was removed.
    dry_run: bool,
    generations: &'a [u64],
    contents: &'a [String],
    kept: usize,
}

fn json(collected: &Collected, dry_run: bool) -> Result<String, serde_json::Error> {
    let collected = JsonCollected {
        format_version: "1.0",
        dry_run,
        generations: &collected.generations,
        contents: &collected.contents,
        kept: collected.kept,
    };
    Ok(serde_json::to_string_pretty(&collected)? + "\n")
}
