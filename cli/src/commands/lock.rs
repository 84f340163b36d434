//! `switchover lock`

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use switchover_engine::audit::{Audit, Happening};
use switchover_engine::{Broken, Holder, LeaseError, break_lease, lease_holder, who};

use crate::arguments::SiteArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::text::{markdown_prose, visible};
use crate::session::runtime;
use crate::terminal::Terminal;

/// What about the lock.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show who is changing the site, and who freed it from whom.
    List(ListArguments),
    /// Free the site from a run that is gone for good.
    Break(BreakArguments),
}

/// Arguments of `lock list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    site: SiteArgument,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `lock break`.
#[derive(Debug, Args)]
pub(crate) struct BreakArguments {
    #[command(flatten)]
    site: SiteArgument,
    /// Why; it is kept beside who and when.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document: `schemas/lock.schema.json`.
    Json,
    /// For a comment or an issue.
    Markdown,
}

/// Shows or breaks the lock.
pub(crate) fn run(command: &Command, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Command::List(arguments) => list(arguments, terminal),
        Command::Break(arguments) => free(arguments, terminal),
    }
}

fn list(arguments: &ListArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let (holder, broken) = runtime()?
        .block_on(lease_holder(place.state.store()))
        .map_err(unusable)?;
    terminal.data(&match arguments.format {
        Format::Human => human(holder.as_ref(), broken.as_ref()),
        Format::Json => json(holder.as_ref(), broken.as_ref()).map_err(Failure::json)?,
        Format::Markdown => markdown(holder.as_ref(), broken.as_ref()),
    })?;
    Ok(Exit::Done)
}

fn free(arguments: &BreakArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(Place { state, .. }) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let reason = arguments.reason.clone();
    let broken = runtime()?.block_on(async {
        let who = who();
        let broken = break_lease(state.store(), &who, reason.clone());
        let broken = broken.await.map_err(unusable)?;
        if let Some(holder) = &broken {
            let happening = Happening::LockBroken {
                holder: holder.who.clone(),
                reason,
            };
            let audit = Audit::of(state.store().clone());
            audit
                .write(happening)
                .await
                .map_err(|error| Failure::new(Exit::Failed, error))?;
        }
        Ok::<_, Failure>(broken)
    })?;
    terminal.data(&match broken {
        Some(holder) => format!("freed from {}\n", visible(&shown(&holder))),
        None => "nobody was changing the site\n".to_owned(),
    })?;
    Ok(Exit::Done)
}

fn unusable(error: LeaseError) -> Failure {
    Failure::new(Exit::Failed, error)
}

fn shown(holder: &Holder) -> String {
    let until = if holder.is_gone() {
        ", whose process is gone: the next one has the site at once".to_owned()
    } else {
        format!(", until {:.0} without a sign of life", holder.expires)
    };
    format!(
        "{}: `{}` since {:.0}{until}",
        holder.who, holder.operation, holder.since
    )
}

/// A sentence about who has the site, and one about who had it taken away.
fn sentences(holder: Option<&Holder>, broken: Option<&Broken>) -> Vec<String> {
    let holder = holder.map_or_else(|| "nobody is changing the site".to_owned(), shown);
    let broken = broken.map(|broken| {
        let reason = broken.reason.as_deref().unwrap_or("no reason given");
        format!(
            "{} freed it from {} at {:.0}: {reason}",
            broken.who, broken.holder, broken.when
        )
    });
    std::iter::once(holder).chain(broken).collect()
}

fn human(holder: Option<&Holder>, broken: Option<&Broken>) -> String {
    let lines = sentences(holder, broken).into_iter();
    lines.map(|line| format!("{}\n", visible(&line))).collect()
}

fn markdown(holder: Option<&Holder>, broken: Option<&Broken>) -> String {
    let lines = sentences(holder, broken).into_iter();
    let lines = lines.map(|line| format!("- {}\n", markdown_prose(&line)));
    format!("### Lock\n\n{}", lines.collect::<String>())
}

#[derive(Serialize)]
struct JsonLock<'a> {
    format_version: &'static str,
    holder: Option<JsonHolder<'a>>,
    broken: Option<&'a Broken>,
}

#[derive(Serialize)]
struct JsonHolder<'a> {
    who: &'a str,
    operation: &'a str,
    since: jiff::Timestamp,
    expires: jiff::Timestamp,
    /// Known to be: it ran on this machine.
    gone: bool,
}

fn json(holder: Option<&Holder>, broken: Option<&Broken>) -> Result<String, serde_json::Error> {
    let lock = JsonLock {
        format_version: "1.0",
        holder: holder.map(|holder| JsonHolder {
            who: &holder.who,
            operation: &holder.operation,
            since: holder.since,
            expires: holder.expires,
            gone: holder.is_gone(),
        }),
        broken,
    };
    Ok(serde_json::to_string_pretty(&lock)? + "\n")
}
