//! How a command that changes a site ended, for programs: one JSON document, also where the command failed.

use std::time::Instant;

use serde::Serialize;
use switchover_engine::plan::{Summary, TargetPlan, Wave};
use switchover_engine::{
    Applied, ApplyError, Course, Operation, Plan, PlanFile, Reached, Recovered, TargetError,
    Unfinished,
};

use crate::commands::recover::Replaced;
use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::fleet::Outcome;

const FORMAT_VERSION: &str = "1.0";

/// A plan that is being carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Carried<'a> {
    pub(crate) plan: &'a Plan,
    /// The generation that is brought back.
    pub(crate) rollback_of: Option<u64>,
    pub(crate) begun: Instant,
}

#[derive(Serialize)]
struct JsonApplied<'a> {
    format_version: &'static str,
    operation: &'static str,
    outcome: &'static str,
    exit_code: u8,
    site: &'a str,
    /// That records it; null where nothing was changed.
    generation: Option<u64>,
    /// The one that was brought back.
    rollback_of: Option<u64>,
    /// As `plan --out` prints it; null of a plan of another format.
    plan: Option<String>,
    /// SHA-256 over the topology's files.
    topology: &'a str,
    summary: Summary,
    targets: Vec<JsonTarget<'a>>,
    /// The target at which it failed.
    failed_at: Option<&'a str>,
    seconds: f64,
    error: Option<Told>,
}

#[derive(Serialize)]
struct JsonTarget<'a> {
    name: &'a str,
    plugin: &'a str,
    wave: Wave,
    outcome: &'static str,
    create: usize,
    update: usize,
    delete: usize,
}

impl Carried<'_> {
    /// What was done.
    pub(crate) fn done(&self, applied: &Applied) -> Result<String, serde_json::Error> {
        let outcome = match applied.generation {
            Some(_) => Outcome::Applied,
            None => Outcome::Unchanged,
        };
        let of = |_: &TargetPlan| "applied";
        self.json((outcome, Exit::Done), applied.generation, of, None, None)
    }

    /// What became of it instead.
    pub(crate) fn failed(
        &self,
        error: ApplyError,
        exit: Exit,
    ) -> (Failure, Result<String, serde_json::Error>) {
        let names = self.plan.targets.iter().map(|part| &part.name);
        let at = failed_at(&error);
        let at = at.and_then(|at| names.into_iter().find(|name| *name == at));
        let outcomes: Vec<(&str, &'static str)> = self
            .plan
            .targets
            .iter()
            .map(|part| (part.name.as_str(), outcome_at(&part.name, &error)))
            .collect();
        let of = |part: &TargetPlan| {
            let found = outcomes.iter().find(|(name, _)| *name == part.name);
            found.map_or("unknown", |(_, outcome)| outcome)
        };
        let failure = Failure::new(exit, error);
        let outcome = (Outcome::of(exit, None), exit);
        let told = failure.told();
        let text = self.json(outcome, None, of, at.map(String::as_str), Some(told));
        (failure, text)
    }

    fn json(
        &self,
        (outcome, exit): (Outcome, Exit),
        generation: Option<u64>,
        of: impl Fn(&TargetPlan) -> &'static str,
        failed_at: Option<&str>,
        error: Option<Told>,
    ) -> Result<String, serde_json::Error> {
        let targets = self.plan.targets.iter().map(|part| {
            let summary = Plan::summary_of(std::slice::from_ref(part));
            JsonTarget {
                name: &part.name,
                plugin: &part.plugin.name,
                wave: part.wave,
                outcome: match part.changes.is_empty() {
                    true => "unchanged",
                    false => of(part),
                },
                create: summary.create,
                update: summary.update,
                delete: summary.delete,
            }
        });
        // One that has another format has no digest.
        let plan = PlanFile::of(self.plan).ok();
        pretty(&JsonApplied {
            format_version: FORMAT_VERSION,
            operation: match self.rollback_of {
                Some(_) => "rollback",
                None => "apply",
            },
            outcome: outcome.name(),
            exit_code: exit.code(),
            site: &self.plan.site,
            generation,
            rollback_of: self.rollback_of,
            plan: plan.map(|file| file.digest.to_string()),
            topology: &self.plan.topology.sha256,
            summary: self.plan.summary(),
            targets: targets.collect(),
            failed_at,
            seconds: seconds(self.begun),
            error,
        })
    }
}

/// The target at which an apply failed, or the site.
fn failed_at(error: &ApplyError) -> Option<&str> {
    match error {
        ApplyError::NothingChanged(error)
        | ApplyError::RolledBack(error)
        | ApplyError::Unrecorded(error)
        | ApplyError::Partial { cause: error, .. } => Some(error.target()),
        _ => None,
    }
}

/// What an apply that failed has left at a target that it was to change.
fn outcome_at(name: &str, error: &ApplyError) -> &'static str {
    let names = |errors: &[TargetError]| errors.iter().any(|error| error.target() == name);
    match error {
        ApplyError::RolledBack(_) => "rolled-back",
        ApplyError::Partial { undo, .. } if names(undo) => "partial",
        ApplyError::Partial { .. } => "rolled-back",
        ApplyError::Unrecorded(_) => "applied",
        ApplyError::Fenced(_) => "unknown",
        _ => "untouched",
    }
}

#[derive(Serialize)]
struct JsonRecovered<'a> {
    format_version: &'static str,
    outcome: &'static str,
    exit_code: u8,
    /// That records what was finished.
    generation: Option<u64>,
    run: Option<JsonRun<'a>>,
    /// What finishing the run does at each target; null where it was not to be finished.
    courses: Option<Vec<JsonCourse<'a>>>,
    /// Run instead of those that the run recorded.
    commands: &'a [Replaced],
    seconds: f64,
    error: Option<Told>,
}

#[derive(Serialize)]
struct JsonRun<'a> {
    operation: &'static str,
    site: &'a str,
    who: &'a str,
    when: jiff::Timestamp,
    /// SHA-256 over the files of the topology that it was made from.
    topology: &'a str,
    targets: Vec<JsonReached<'a>>,
}

#[derive(Serialize)]
struct JsonCourse<'a> {
    name: &'a str,
    course: &'static str,
}

#[derive(Serialize)]
struct JsonReached<'a> {
    name: &'a str,
    reached: &'static str,
}

impl<'a> JsonRun<'a> {
    fn of(run: &'a Unfinished) -> Self {
        let targets = run.targets().into_iter();
        Self {
            operation: match run.operation {
                Operation::Apply => "apply",
                Operation::Rollback => "rollback",
            },
            site: run.site(),
            who: &run.who,
            when: run.when,
            topology: run.topology(),
            targets: targets
                .map(|(name, reached)| JsonReached {
                    name,
                    reached: match reached {
                        Reached::Untouched => "untouched",
                        Reached::Begun => "begun",
                        Reached::Committed => "committed",
                        Reached::Verified => "verified",
                    },
                })
                .collect(),
        }
    }
}

/// A run that is brought to its end.
pub(crate) struct Recovering<'a> {
    /// As it was found.
    pub(crate) run: Option<&'a Unfinished>,
    /// It is to be finished.
    pub(crate) forward: bool,
    /// Run instead of those that the run recorded.
    pub(crate) commands: &'a [Replaced],
    pub(crate) begun: Instant,
}

/// How recovering a run ended.
pub(crate) fn recovered(
    done: Result<Recovered, &Failure>,
    recovering: &Recovering<'_>,
) -> Result<String, serde_json::Error> {
    let &Recovering {
        run,
        forward,
        commands,
        begun,
    } = recovering;
    let (outcome, generation, exit) = match done {
        Ok(Recovered::Nothing) => ("nothing", None, Exit::Done),
        Ok(Recovered::WasOver { recorded }) => ("was-over", recorded, Exit::Done),
        Ok(Recovered::Back) => ("back", None, Exit::Done),
        Ok(Recovered::Forward { generation }) => ("forward", Some(generation), Exit::Done),
        Ok(Recovered::Left) => ("left", None, Exit::Done),
        Err(failure) => (Outcome::of(failure.exit, None).name(), None, failure.exit),
    };
    pretty(&JsonRecovered {
        format_version: FORMAT_VERSION,
        outcome,
        exit_code: exit.code(),
        generation,
        run: run.map(JsonRun::of),
        courses: run.filter(|_| forward).map(courses),
        commands,
        seconds: seconds(begun),
        error: done.err().map(Failure::told),
    })
}

fn courses(run: &Unfinished) -> Vec<JsonCourse<'_>> {
    let courses = run.courses().into_iter();
    courses
        .map(|(name, course)| JsonCourse {
            name,
            course: match course {
                Course::Kept => "kept",
                Course::Completed => "completed",
                Course::RolledBack => "rolled-back",
                Course::Applied => "applied",
            },
        })
        .collect()
}

#[derive(Serialize)]
struct JsonConfirmed<'a> {
    format_version: &'static str,
    outcome: &'static str,
    exit_code: u8,
    run: Option<JsonRun<'a>>,
    error: Option<Told>,
}

/// Whether a run was confirmed, and which.
pub(crate) fn confirmed(
    done: Result<(), &Failure>,
    run: Option<&Unfinished>,
) -> Result<String, serde_json::Error> {
    pretty(&JsonConfirmed {
        format_version: FORMAT_VERSION,
        outcome: match done {
            Ok(()) => "confirmed",
            Err(_) => "failed",
        },
        exit_code: done.err().map_or(Exit::Done, |failure| failure.exit).code(),
        run: run.map(JsonRun::of),
        error: done.err().map(Failure::told),
    })
}

/// Thousandths are enough, and stand in a few digits.
fn seconds(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
