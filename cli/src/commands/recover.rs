//! `switchover recover`

mod commands;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_engine::{
    ApplyError, Commands, Course, Direction, LeaseError, Operation, Reached, RecoverError,
    Recovered, Unfinished,
};

pub(crate) use commands::{Instead, Replaced};

use super::{apply, rollback};
use switchover_topology::Loaded;

use crate::arguments::SiteArgument;
use crate::configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::ending::{self, Recovering};
use crate::render::text::visible;
use crate::session::{self, Session};
use crate::terminal::{Terminal, Verbosity};

/// The command's arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a direction it shows what is known of the run and asks. The topology need not be as it was, nor be \
                  there: then the state is `.switchover` beside it, or where `--state` says."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    site: SiteArgument,
    /// Take the run back: everything becomes as it was before.
    #[arg(long, group = "direction")]
    back: bool,
    /// Finish the run: everything becomes as it was wanted.
    #[arg(long, group = "direction")]
    forward: bool,
    /// Leave everything as it is now, and forget the run. What waits beside files is removed.
    #[arg(long, group = "direction")]
    leave: bool,
    /// Take the commands of the run's targets from this topology, as it is now, instead of those that the run recorded. Both are
    /// shown.
    #[arg(long, value_name = "TOPOLOGY", conflicts_with = "leave")]
    commands_from: Option<PathBuf>,
    /// Recover without asking; needs a direction.
    #[arg(long, short, requires = "direction")]
    yes: bool,
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
    /// One JSON document, also where it fails: `schemas/recover.schema.json`.
    Json,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("nobody is there to decide: the standard input is no terminal")]
    #[diagnostic(
        code(switchover::recover::unconfirmed),
        help("pass `--back`, `--forward` or `--leave`, and `--yes`")
    )]
    NobodyToAsk,
    #[error("not decided: nothing was changed")]
    #[diagnostic(
        code(switchover::recover::declined),
        help("`back`, `forward` and `leave` are understood; after a direction, only `yes`")
    )]
    Declined,
}

/// Shows what is known of an interrupted run, and brings it to its end.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let mut ended = Ended {
        run: None,
        forward: false,
        instead: None,
        begun: Instant::now(),
    };
    let Some(done) = bring_to_its_end(&place, arguments, terminal, &mut ended).transpose() else {
        return Ok(Exit::Findings);
    };
    ended.told(done, arguments, terminal)
}

/// None where the topology that commands are taken from has errors, which are shown.
fn bring_to_its_end(
    place: &Place,
    arguments: &Arguments,
    terminal: &Terminal,
    ended: &mut Ended,
) -> Result<Option<Recovered>, Failure> {
    let runtime = session::runtime()?;
    let found = runtime.block_on(switchover_engine::runs(&place.state));
    let mut runs = found.map_err(failed)?.into_iter();
    let Some(first) = runs.next() else {
        // What a killed process was writing is nobody's.
        let swept = runtime.block_on(place.state.store().sweep());
        swept.map_err(|error| Failure::new(Exit::Failed, error))?;
        return Ok(Some(Recovered::Nothing));
    };
    let first = &*ended.run.insert(first);
    let direction = if first.alive || first.over || first.is_done() {
        // What remains of a run that is over is cleared away, and one that is done is recorded, whatever the direction.
        arguments.direction().unwrap_or(Direction::Back)
    } else {
        terminal.say(shown(first).trim_end());
        if let Some(path) = &arguments.commands_from {
            let recorded = recorded(place, first)?;
            let Some(recorded) = recorded else {
                return Ok(Some(Recovered::Nothing));
            };
            let touched = first.targets();
            let takes = |target: &str| touched.iter().any(|(name, _)| *name == target);
            let instead = Instead::read(path, &recorded.topology, takes, terminal)?;
            let Some(instead) = instead else {
                return Ok(None);
            };
            terminal.tell(Verbosity::Quiet, instead.shown().trim_end());
            ended.instead = Some(instead);
        }
        decided(first, arguments, terminal)?
    };
    ended.forward = direction == Direction::Forward;
    let commands = ended.instead.as_ref().map(Instead::commands);
    let commands = commands.unwrap_or_default();
    // What people take to decide is not its time.
    ended.begun = Instant::now();
    let done = recover(place, first, direction, commands, arguments, terminal)?;
    let mut failure = None;
    for run in runs {
        // One whose host is gone keeps none of the others from being cleared away.
        let none = Commands::default();
        if let Err(error) = recover(place, &run, direction, none, arguments, terminal) {
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(Some(done)), Err)
}

/// The topology that a run recorded: it says how its targets are reached, whatever became of the file since. None where
/// nothing of the run was written down.
fn recorded(place: &Place, run: &Unfinished) -> Result<Option<Loaded>, Failure> {
    let sources = session::runtime()?.block_on(switchover_engine::sources_of(&place.state, run));
    let Some(sources) = sources.map_err(failed)? else {
        return Ok(None);
    };
    let mut loaded = rollback::laid_out(&place.root, &sources)?;
    run.topology().clone_into(&mut loaded.digest);
    // What it says of the state may be what was so once.
    place.put_into(&mut loaded);
    Ok(Some(loaded))
}

/// Brings one run to its end.
fn recover(
    place: &Place,
    run: &Unfinished,
    direction: Direction,
    commands: Commands,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Recovered, Failure> {
    let options = configuration::lease(arguments.lock_timeout)?;
    let Some(loaded) = recorded(place, run)? else {
        return Ok(Recovered::Nothing);
    };
    let path = arguments.site.named().topology.display().to_string();
    let mut session = Session::unjudged(&Arc::default(), loaded, path, terminal)?;
    session.take(run.selection());
    session.run_instead(commands);
    let recovered = match direction {
        Direction::Forward => session.run_stoppable(async |context| {
            switchover_engine::recover(context, run, direction, options).await
        }),
        // It can be done again: a signal ends it at once.
        Direction::Back | Direction::Leave => session.run(async |context| {
            switchover_engine::recover(context, run, direction, options).await
        }),
    };
    recovered.map_err(failed)
}

/// A run that was brought to its end, or was not.
struct Ended {
    /// As it was found.
    run: Option<Unfinished>,
    /// It is to be finished.
    forward: bool,
    instead: Option<Instead>,
    begun: Instant,
}

impl Ended {
    fn told(
        &self,
        done: Result<Recovered, Failure>,
        arguments: &Arguments,
        terminal: &Terminal,
    ) -> Result<Exit, Failure> {
        match (arguments.format, &done) {
            (Format::Human, Ok(recovered)) => terminal.data(&human(*recovered))?,
            (Format::Human, Err(_)) => {}
            (Format::Json, _) => {
                let done = done.as_ref().copied();
                let instead = self.instead.as_ref();
                let recovering = Recovering {
                    run: self.run.as_ref(),
                    forward: self.forward,
                    commands: instead.map_or(&[], |instead| &instead.replaced),
                    begun: self.begun,
                };
                let text = ending::recovered(done, &recovering);
                terminal.data(&text.map_err(Failure::json)?)?;
            }
        }
        done.map(|_| Exit::Done)
    }
}

impl Arguments {
    const fn direction(&self) -> Option<Direction> {
        if self.back {
            Some(Direction::Back)
        } else if self.forward {
            Some(Direction::Forward)
        } else if self.leave {
            Some(Direction::Leave)
        } else {
            None
        }
    }
}

fn decided(
    run: &Unfinished,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Direction, Failure> {
    if !arguments.yes && !terminal.can_ask() {
        return Err(Failure::new(Exit::Usage, CommandError::NobodyToAsk));
    }
    let declined = || Failure::new(Exit::Failed, CommandError::Declined);
    let Some(direction) = arguments.direction() else {
        let answer = terminal
            .ask("\nTake it `back`, finish it (`forward`), or `leave` everything as it is? ")
            .map_err(Failure::stdin)?;
        return match answer.trim() {
            "back" => Ok(Direction::Back),
            "forward" => match forward(run, terminal) {
                // Who says forward does not mean that.
                true if !apply::answered(terminal, FINISH)? => Err(declined()),
                _ => Ok(Direction::Forward),
            },
            "leave" => Ok(Direction::Leave),
            _ => Err(declined()),
        };
    };
    if direction == Direction::Forward {
        forward(run, terminal);
    }
    if arguments.yes {
        return Ok(direction);
    }
    let question = match direction {
        Direction::Back => "\nTake it back? Only `yes` is accepted: ",
        Direction::Forward => FINISH,
        Direction::Leave => "\nLeave everything as it is now? Only `yes` is accepted: ",
    };
    match terminal.ask(question).map_err(Failure::stdin)?.trim() {
        "yes" => Ok(direction),
        _ => Err(declined()),
    }
}

const FINISH: &str = "\nFinish it? Only `yes` is accepted: ";

/// Says what finishing the run does at each target; true where something is rolled back on the way.
fn forward(run: &Unfinished, terminal: &Terminal) -> bool {
    let courses = run.courses();
    let mut text = "finishing it:\n".to_owned();
    for (target, course) in &courses {
        let course = match course {
            Course::Kept => "stays as it is: done and read back",
            Course::Completed => "will be completed",
            Course::RolledBack => "will be rolled back, then applied again",
            Course::Applied => "will be applied",
        };
        text += &format!("  {}: {course}\n", visible(target));
    }
    terminal.tell(Verbosity::Quiet, text.trim_end());
    courses
        .iter()
        .any(|(_, course)| *course == Course::RolledBack)
}

/// An error with what it leaves behind: until a run is at its end, the site needs attention.
pub(crate) fn failed(error: RecoverError) -> Failure {
    let exit = match &error {
        RecoverError::Busy { .. }
        | RecoverError::Fenced(_)
        | RecoverError::Lease(LeaseError::Held { .. }) => Exit::LockHeld,
        RecoverError::Forward(ApplyError::Stale { .. }) => Exit::Stale,
        RecoverError::State(_) | RecoverError::Lease(_) | RecoverError::LeftBehind { .. } => {
            Exit::Failed
        }
        _ => Exit::Partial,
    };
    Failure::new(exit, error)
}

/// What is known of a run, a line a target.
fn shown(run: &Unfinished) -> String {
    let mut text = format!(
        "the {} of {} on site `{}`, begun {:.0}, was interrupted{}:\n",
        match run.operation {
            Operation::Apply => "run",
            Operation::Rollback => "rollback",
        },
        visible(&run.who),
        visible(run.site()),
        run.when,
        if run.undoing {
            " while it was taken back"
        } else if run.confirmed {
            " after it was confirmed"
        } else if run.waiting.is_some() {
            " while it waited to be confirmed"
        } else {
            ""
        }
    );
    for (target, reached) in run.targets() {
        let reached = match reached {
            Reached::Untouched => "not begun",
            Reached::Begun => "begun: some of it may be done",
            Reached::Committed => "done, not read back",
            Reached::Verified => "done and read back",
        };
        text += &format!("  {}: {reached}\n", visible(target));
    }
    text
}

fn human(recovered: Recovered) -> String {
    match recovered {
        Recovered::Nothing => "nothing to recover\n".to_owned(),
        Recovered::WasOver { recorded: None } => {
            "nothing to recover; what a run had left was cleared away\n".to_owned()
        }
        Recovered::WasOver {
            recorded: Some(generation),
        } => format!(
            "nothing to recover: everything is as it was wanted, recorded as generation {generation} now\n"
        ),
        Recovered::Back => "taken back: everything is as it was before\n".to_owned(),
        Recovered::Forward { generation } => {
            format!("finished: everything is as it was wanted, as generation {generation}\n")
        }
        Recovered::Left => "left: everything is as it is\n".to_owned(),
    }
}
