//! `switchover audit`

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::audit::{Audit, AuditError, Break, Entry, Happening, Operation, Trail};

use crate::arguments::SiteArgument;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::text::{counted, visible};
use crate::session::runtime;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    site: SiteArgument,
    /// Fail where a record was changed or removed since it was written.
    #[arg(long)]
    verify: bool,
    /// How records are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people: each record in a few lines, the last one last.
    #[default]
    Human,
    /// One JSON document: `schemas/audit.schema.json`.
    Json,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("failed to read the audit log")]
    #[diagnostic(code(switchover::audit::read))]
    Read(
        #[source]
        #[diagnostic_source]
        AuditError,
    ),
    #[error("the audit log is not what was written: {0}")]
    #[diagnostic(
        code(switchover::audit::broken),
        help("compare it with a backup; the records before are what was written")
    )]
    Broken(Break),
}

/// Prints what was done to a site.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let failed = |error| Failure::new(Exit::Failed, CommandError::Read(error));
    let audit = Audit::of(place.state.store().clone());
    let trail = runtime()?.block_on(audit.read()).map_err(failed)?;
    terminal.data(&match arguments.format {
        Format::Human => human(&trail),
        Format::Json => json(&trail).map_err(Failure::json)?,
    })?;
    match trail.broken {
        Some(broken) if arguments.verify => {
            Err(Failure::new(Exit::Failed, CommandError::Broken(broken)))
        }
        Some(broken) => {
            terminal.say(format_args!("this is not what was written: {broken}"));
            Ok(Exit::Done)
        }
        None => Ok(Exit::Done),
    }
}

fn human(trail: &Trail) -> String {
    let mut text = String::new();
    for entry in &trail.entries {
        // Writing to a string cannot fail.
        let _ = draw(&mut text, entry);
    }
    let records = counted(trail.entries.len(), "record", "records");
    let _ = match &trail.head {
        Some(head) => writeln!(text, "{records}; the last one is sha256:{head}"),
        None => writeln!(text, "{records}"),
    };
    text
}

fn draw(text: &mut String, entry: &Entry) -> std::fmt::Result {
    let Entry {
        number, when, who, ..
    } = entry;
    write!(text, "{number}  {when:.0}  {}  ", visible(who))?;
    match &entry.happening {
        Happening::Begun {
            operation,
            site,
            plan,
            wanted_generation,
            targets,
            commands,
            ..
        } => {
            writeln!(text, "{} of {} begun", words(*operation), visible(site))?;
            if let Some(generation) = wanted_generation {
                writeln!(text, "    to what generation {generation} wanted")?;
            }
            if let Some(plan) = plan {
                writeln!(text, "    plan {}", visible(plan))?;
            }
            for (target, commands) in commands {
                for (name, argv) in commands {
                    let words: Vec<String> = argv.iter().map(|word| format!("{word:?}")).collect();
                    let line = format!(
                        "{target}: command {name}, not as recorded: {}",
                        words.join(" ")
                    );
                    writeln!(text, "    {}", visible(&line))?;
                }
            }
            for (target, counts) in targets {
                writeln!(
                    text,
                    "    {}: {} to add, {} to change, {} to remove",
                    visible(target),
                    counts.create,
                    counts.update,
                    counts.delete
                )?;
            }
        }
        Happening::Ended {
            begun,
            result,
            generation,
            error,
            confirmed_by,
            steps,
        } => {
            write!(text, "{} (record {begun})", visible(result))?;
            if let Some(generation) = generation {
                write!(text, ", generation {generation}")?;
            }
            if let Some(who) = confirmed_by {
                write!(text, ", confirmed by {}", visible(who))?;
            }
            writeln!(text)?;
            if let Some(error) = error {
                writeln!(text, "    {}", visible(error))?;
            }
            for step in steps {
                writeln!(
                    text,
                    "    {}: {}: {}",
                    visible(&step.target),
                    visible(&step.phase),
                    visible(&step.title)
                )?;
            }
        }
        Happening::LockBroken { holder, reason } => {
            writeln!(text, "lock of {} broken", visible(holder))?;
            if let Some(reason) = reason {
                writeln!(text, "    {}", visible(reason))?;
            }
        }
    }
    Ok(())
}

const fn words(operation: Operation) -> &'static str {
    match operation {
        Operation::Apply => "apply",
        Operation::Rollback => "rollback",
        Operation::ApplyOnlyDrift => "apply --only-drift",
        Operation::RecoverBack => "recover --back",
        Operation::RecoverForward => "recover --forward",
        Operation::RecoverLeave => "recover --leave",
    }
}

#[derive(Serialize)]
struct JsonTrail<'a> {
    format_version: &'static str,
    records: &'a [Entry],
    /// SHA-256 of the last one.
    head: Option<&'a str>,
    /// Why this is not what was written.
    broken: Option<String>,
}

fn json(trail: &Trail) -> Result<String, serde_json::Error> {
    let document = JsonTrail {
        format_version: "1.0",
        records: &trail.entries,
        head: trail.head.as_deref(),
        broken: trail.broken.as_ref().map(ToString::to_string),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
