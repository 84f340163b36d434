//! `switchover recover`

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_engine::{
    ApplyError, Direction, LeaseError, Operation, Reached, RecoverError, Recovered, Unfinished,
};

use super::{apply, rollback};
use crate::arguments::SiteArgument;
use crate::configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::place::Place;
use crate::render::ending;
use crate::render::text::visible;
use crate::session::{self, Session};
use crate::terminal::Terminal;

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
    if !arguments.yes && !terminal.can_ask() {
        return Err(Failure::new(Exit::Usage, CommandError::NobodyToAsk));
    }
    let Some(place) = Place::of(arguments.site.named(), terminal)? else {
        return Ok(Exit::Findings);
    };
    let mut ended = Ended {
        run: None,
        begun: Instant::now(),
    };
    let done = bring_to_its_end(&place, arguments, terminal, &mut ended);
    ended.told(done, arguments, terminal)
}

fn bring_to_its_end(
    place: &Place,
    arguments: &Arguments,
    terminal: &Terminal,
    ended: &mut Ended,
) -> Result<Recovered, Failure> {
    let runtime = session::runtime()?;
    let found = runtime.block_on(switchover_engine::runs(&place.state));
    let mut runs = found.map_err(failed)?.into_iter();
    let Some(first) = runs.next() else {
        // What a killed process was writing is nobody's.
        let swept = runtime.block_on(place.state.store().sweep());
        swept.map_err(|error| Failure::new(Exit::Failed, error))?;
        return Ok(Recovered::Nothing);
    };
    let first = &*ended.run.insert(first);
    let direction = if first.alive || first.over || first.is_done() {
        // What remains of a run that is over is cleared away, and one that is done is recorded, whatever the direction.
        arguments.direction().unwrap_or(Direction::Back)
    } else {
        terminal.say(shown(first).trim_end());
        decided(arguments, terminal)?
    };
    // What people take to decide is not its time.
    ended.begun = Instant::now();
    let done = recover(place, first, direction, arguments, terminal)?;
    let mut failure = None;
    for run in runs {
        // One whose host is gone keeps none of the others from being cleared away.
        if let Err(error) = recover(place, &run, direction, arguments, terminal) {
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(done), Err)
}

/// Brings one run to its end.
fn recover(
    place: &Place,
    run: &Unfinished,
    direction: Direction,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Recovered, Failure> {
    let options = configuration::lease(arguments.lock_timeout)?;
    let sources = session::runtime()?.block_on(switchover_engine::sources_of(&place.state, run));
    let Some(sources) = sources.map_err(failed)? else {
        return Ok(Recovered::Nothing);
    };
    // Its own topology says how its targets are reached, whatever became of the file since.
    let mut loaded = rollback::laid_out(&place.root, &sources)?;
    run.topology().clone_into(&mut loaded.digest);
    // What it says of the state may be what was so once.
    place.put_into(&mut loaded);
    let path = arguments.site.named().topology.display().to_string();
    let mut session = Session::unjudged(&Arc::default(), loaded, path, terminal)?;
    session.take(run.selection());
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
                let text = ending::recovered(done, self.run.as_ref(), self.begun);
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

fn decided(arguments: &Arguments, terminal: &Terminal) -> Result<Direction, Failure> {
    let declined = || Failure::new(Exit::Failed, CommandError::Declined);
    let Some(direction) = arguments.direction() else {
        let answer = terminal
            .ask("\nTake it `back`, finish it (`forward`), or `leave` everything as it is? ")
            .map_err(Failure::stdin)?;
        return match answer.trim() {
            "back" => Ok(Direction::Back),
            "forward" => Ok(Direction::Forward),
            "leave" => Ok(Direction::Leave),
            _ => Err(declined()),
        };
    };
    if arguments.yes {
        return Ok(direction);
    }
    let question = match direction {
        Direction::Back => "\nTake it back? Only `yes` is accepted: ",
        Direction::Forward => "\nFinish it? Only `yes` is accepted: ",
        Direction::Leave => "\nLeave everything as it is now? Only `yes` is accepted: ",
    };
    match terminal.ask(question).map_err(Failure::stdin)?.trim() {
        "yes" => Ok(direction),
        _ => Err(declined()),
    }
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
