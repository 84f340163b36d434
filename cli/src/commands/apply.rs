//! `switchover apply`

mod many;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use switchover_engine::plan::Summary;
use switchover_engine::{Applied, ApplyError, ApplyOptions, LeaseError, Permits, Plan};

use super::gc;
use crate::configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{Sites, Which};
use crate::plan_file::{self, Approval};
use crate::render::ending::Carried;
use crate::render::outline::Extent;
use crate::render::plan_human;
use crate::render::state::StateFound;
use crate::render::text::count;
use crate::session::Session;
use crate::targets::TargetArguments;
use crate::terminal::{Terminal, Verbosity};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sites: Sites,
    /// Apply without asking.
    #[arg(long, short)]
    yes: bool,
    /// Apply even where more is changed or removed than the topology lets pass (`large-change`).
    #[arg(long)]
    allow_large_change: bool,
    /// Apply even where the same was applied before and rolled back.
    #[arg(long)]
    allow_rejected: bool,
    /// Bring back what somebody else changed since the last apply, and leave what else the topology wants for later.
    #[arg(long)]
    only_drift: bool,
    #[command(flatten)]
    targets: TargetArguments,
    #[command(flatten)]
    approval: Approval,
    /// Take everything back again unless `switchover confirm` follows within this time, such as `5m`.
    ///
    /// A lost connection to the terminal does not end the wait: who locked themselves out needs to do nothing.
    #[arg(long, value_name = "TIME", value_parser = time)]
    confirm_within: Option<Duration>,
    /// Wait so long, such as `5m`, where somebody else is changing the site.
    #[arg(long, value_name = "TIME", value_parser = time)]
    lock_timeout: Option<Duration>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Arguments {
    /// What a plan is to be about, and where what it wants comes from.
    fn direct(&self, session: &mut Session<'_>) -> Result<(), Failure> {
        session.select(&self.targets)?;
        if self.only_drift {
            session.want_what_was_left()?;
        }
        Ok(())
    }

    fn failed(&self, carried: &Carried<'_>, error: ApplyError, terminal: &Terminal) -> Failure {
        failed(
            carried,
            error,
            matches!(self.format, Format::Json),
            terminal,
        )
    }
}

/// A run keeps everybody else from working on the site.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A time that is worth waiting.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "a time is written like `90s`, `5m` or `1h 30m`".to_owned())?;
    match Duration::try_from(time) {
        Ok(time) if !time.is_zero() && time <= LONGEST_WAIT => Ok(time),
        _ => Err("it must be between a moment and a day".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document, also where it fails: `schemas/apply.schema.json`.
    Json,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum CommandError {
    #[error("nobody is there to confirm: the standard input is no terminal")]
    #[diagnostic(
        code(switchover::apply::unconfirmed),
        help("review the plan with `switchover plan`, then pass `--yes`")
    )]
    NobodyToAsk,
    #[error("not confirmed: nothing was changed")]
    #[diagnostic(code(switchover::apply::declined), help("only `yes` confirms"))]
    Declined,
    #[error("there is no topology `{topology}`, which the plan `{}` was made from", plan.display())]
    #[diagnostic(
        code(switchover::plan::topology_not_found),
        help(
            "a plan names its topology as `plan` was told it: change to the folder in which the plan was made"
        )
    )]
    TopologyGone { plan: PathBuf, topology: String },
    #[error("`{}` is a plan: which targets and changes it is about is settled", plan.display())]
    #[diagnostic(
        code(switchover::plan::targets_of_plan),
        help("`switchover plan --target NAME --out PLAN` keeps a plan of one target")
    )]
    TargetsOfPlan { plan: PathBuf },
}

/// Confirms or plans, then applies.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let file = match arguments.sites.which_or_plans()? {
        Which::One(file) => file,
        Which::Many(fleet) => {
            somebody_to_ask(arguments, terminal)?;
            return many::run(&fleet, arguments, terminal);
        }
    };
    let kept = plan_file::read(&file, &arguments.approval, terminal)?;
    let topology = match &kept {
        Some(plan) => topology_of(plan, &file)?,
        None => &file,
    };
    let Some(mut session) = Session::open(topology, terminal)? else {
        return Ok(Exit::Findings);
    };
    // That there is no topology, or none without errors, matters more.
    somebody_to_ask(arguments, terminal)?;
    let plan = match kept {
        Some(_) if arguments.targets.are_given() || arguments.only_drift => {
            return Err(Failure::new(
                Exit::Usage,
                CommandError::TargetsOfPlan { plan: file },
            ));
        }
        Some(plan) => {
            session.select_as(&plan);
            plan
        }
        None => {
            arguments.direct(&mut session)?;
            match session.plan()? {
                Some(plan) => plan,
                None => return Ok(Exit::Findings),
            }
        }
    };
    if !plan.summary().is_empty() {
        offer(&session, &plan, arguments, terminal)?;
        if !arguments.yes && !answered(terminal, QUESTION)? {
            return Err(Failure::new(Exit::Failed, CommandError::Declined));
        }
    }
    carry_out(&mut session, &plan, arguments, terminal)?;
    Ok(Exit::Done)
}

fn somebody_to_ask(arguments: &Arguments, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.yes || terminal.can_ask() {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, CommandError::NobodyToAsk))
}

/// The topology that a kept plan was made from.
fn topology_of<'p>(plan: &'p Plan, file: &Path) -> Result<&'p Path, Failure> {
    let topology = Path::new(&plan.topology.path);
    if topology.exists() {
        return Ok(topology);
    }
    let error = CommandError::TopologyGone {
        plan: file.to_owned(),
        topology: plan.topology.path.clone(),
    };
    Err(Failure::new(Exit::Failed, error))
}

/// Shows what is going to be done, unless it is refused.
fn offer(
    session: &Session<'_>,
    plan: &Plan,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let state = StateFound::new(session.state(), plan.generation);
    show(plan, Some(state), terminal);
    let refused = |error| arguments.failed(&carried(plan), error, terminal);
    if !plan.large.is_empty() && !arguments.allow_large_change {
        return Err(refused(ApplyError::large_change(&plan.large)));
    }
    if let Some(rejection) = plan.rejected.clone().filter(|_| !arguments.allow_rejected) {
        return Err(refused(ApplyError::Rejected { rejection }));
    }
    Ok(())
}

fn carried(plan: &Plan) -> Carried<'_> {
    Carried {
        plan,
        rollback_of: None,
        begun: Instant::now(),
    }
}

/// Does it, and says that it is done.
fn carry_out(
    session: &mut Session<'_>,
    plan: &Plan,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Applied, Failure> {
    session.permit(Permits {
        large_change: arguments.allow_large_change,
        rejected: arguments.allow_rejected,
    });
    let options = ApplyOptions {
        confirm_within: arguments.confirm_within,
        lease: configuration::lease(arguments.lock_timeout)?,
    };
    if options.confirm_within.is_some() {
        session.outlive_terminal();
    }
    let carried = carried(plan);
    let applied = session
        .run_stoppable(async |context| switchover_engine::apply(context, plan, &options).await)
        .map_err(|error| arguments.failed(&carried, error, terminal))?;
    terminal.data(&written(&carried, &applied, arguments.format)?)?;
    if applied.generation.is_some() {
        gc::after_apply(session, options.lease, terminal);
    }
    Ok(applied)
}

fn written(carried: &Carried<'_>, applied: &Applied, format: Format) -> Result<String, Failure> {
    Ok(match format {
        Format::Human => human(applied),
        Format::Json => carried.done(applied).map_err(Failure::json)?,
    })
}

/// An error of an apply as it is told. Programs are told on the standard output as well.
pub(super) fn failed(
    carried: &Carried<'_>,
    error: ApplyError,
    to_programs: bool,
    terminal: &Terminal,
) -> Failure {
    let exit = exit_of(&error);
    let (failure, text) = carried.failed(error, exit);
    if let (true, Ok(text)) = (to_programs, text) {
        // What becomes of a site matters more than that nobody reads it here: that is what is told.
        let _ = terminal.data(&text);
    }
    failure
}

pub(super) const fn exit_of(error: &ApplyError) -> Exit {
    match error {
        ApplyError::Stale { .. } | ApplyError::LargeChange { .. } | ApplyError::Rejected { .. } => {
            Exit::Stale
        }
        ApplyError::Busy { .. }
        | ApplyError::Fenced(_)
        | ApplyError::Lease(LeaseError::Held { .. }) => Exit::LockHeld,
        ApplyError::NothingChanged(_) | ApplyError::Secret(_) | ApplyError::Lease(_) => {
            Exit::Failed
        }
        ApplyError::RolledBack(_) => Exit::RolledBack,
        ApplyError::Partial { .. } | ApplyError::Unrecorded(_) | ApplyError::Unfinished { .. } => {
            Exit::Partial
        }
    }
}

/// What is confirmed is shown where the question is asked.
pub(super) fn show(plan: &Plan, state: Option<StateFound<'_>>, terminal: &Terminal) {
    if !terminal.logs_json() && (terminal.verbosity > Verbosity::Quiet || terminal.can_ask()) {
        let text = plan_human::render(plan, Extent::Brief, terminal.err);
        terminal.error(&match state {
            Some(state) => state.above(&text, terminal.err),
            None => text,
        });
    }
}

const QUESTION: &str = "\nApply these changes? Only `yes` is accepted: ";

pub(super) fn answered(terminal: &Terminal, question: &str) -> Result<bool, Failure> {
    let answer = terminal.ask(question).map_err(Failure::stdin)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    answer.trim() == "yes"
}

pub(super) fn human(applied: &Applied) -> String {
    let Summary {
        create,
        update,
        delete,
        ..
    } = applied.summary;
    match applied.generation {
        None => "no changes\n".to_owned(),
        Some(generation) => format!(
            "applied as generation {generation}: {} added, {} changed, {} removed\n",
            count(create),
            count(update),
            count(delete)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        assert!(is_yes("yes\n") && is_yes(" yes\r\n"));
        for answer in ["", "\n", "y\n", "YES\n", "yes please\n", "no\n"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
