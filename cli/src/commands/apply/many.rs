//! `switchover apply` over many sites: plans all of them, or takes plans that were kept, asks once, and applies those that
//! have changes.

use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io, vec};

use miette::Diagnostic;
use sha2::{Digest, Sha256};
use switchover_engine::{Applied, Plan};

use super::{
    Arguments, CommandError, Format, answered, carried, carry_out, offer, topology_of, written,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{self, Apart, Ended, Findings, Fleet, Outcome, Part, Printer, Style};
use crate::plan_file;
use crate::render::outline;
use crate::render::text::{count, counted};
use crate::session::{Session, Shared};
use crate::terminal::Terminal;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum ManyError {
    #[error("`{}` is a plan and `{}` is none", plan.display(), other.display())]
    #[diagnostic(
        code(switchover::apply::plan_among_sites),
        help("name kept plans, or sites that are planned anew, and not both")
    )]
    Mixed { plan: PathBuf, other: PathBuf },
    #[error("`--digest` and `--allowed-signers` are about kept plans, and these are sites")]
    #[diagnostic(
        code(switchover::apply::approval_of_sites),
        help(
            "keep their plans with `switchover plan SITES --out FOLDER`, then `switchover apply FOLDER`"
        )
    )]
    Approval,
    #[error("failed to put plans aside in `{}`", path.display())]
    #[diagnostic(
        code(switchover::apply::aside),
        help("the folder of temporary files must be writable and have room")
    )]
    Aside {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Plans that wait for the question to be answered. They are in files: of a site that is planned nothing stays in memory.
struct Waiting(tempfile::TempDir);

/// Where plans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Every site is planned now.
    Sites,
    /// They were kept, and are taken as they are or not at all.
    Plans,
}

impl Source {
    /// The plan of a file, where it is one.
    fn kept(
        self,
        file: &Path,
        arguments: &Arguments,
        terminal: &Terminal,
    ) -> Result<Option<Plan>, Failure> {
        match self {
            Self::Sites => Ok(None),
            Self::Plans => plan_file::require(file, &arguments.approval, terminal).map(Some),
        }
    }

    fn of(fleet: &Fleet, arguments: &Arguments) -> Result<Self, Failure> {
        let usage = |error: ManyError| Failure::new(Exit::Usage, error);
        let is_plan = |file: &&PathBuf| plan_file::is_named_so(file) || plan_file::is_plan(file);
        let (plans, others): (Vec<_>, Vec<_>) = fleet.files.iter().partition(is_plan);
        match (plans.first(), others.first()) {
            (Some(&plan), Some(&other)) => Err(usage(ManyError::Mixed {
                plan: plan.clone(),
                other: other.clone(),
            })),
            (Some(&plan), None) if arguments.targets.are_given() || arguments.only_drift => {
                let plan = plan.clone();
                Err(Failure::new(
                    Exit::Usage,
                    CommandError::TargetsOfPlan { plan },
                ))
            }
            (Some(_), None) => Ok(Self::Plans),
            (None, _) if arguments.approval.is_given() => Err(usage(ManyError::Approval)),
            (None, _) => Ok(Self::Sites),
        }
    }
}

/// Plans every site, asks once, applies those that have changes.
pub(super) fn run(
    fleet: &Fleet,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let source = Source::of(fleet, arguments)?;
    let waiting = Waiting::new()?;
    let shared = Arc::new(Shared::default());
    let planned = plan_all(fleet, source, arguments, terminal, &shared, &waiting)?;
    let pending = planned
        .iter()
        .filter(|site| site.outcome == Outcome::Changes);
    let sites = Fleet {
        files: pending.clone().map(|site| site.file.clone()).collect(),
        top: fleet.top.clone(),
        jobs: fleet.jobs,
    };
    if !sites.files.is_empty() && !arguments.yes {
        let changes = fleet::sum(pending.filter_map(|site| site.facts.changes));
        let failed = planned.iter().filter(|site| site.outcome.is_failure());
        let left_out = match failed.count() {
            0 => String::new(),
            failed => format!("; {} failed and will not be touched", count(failed)),
        };
        let question = format!(
            "\n{}: {}{left_out}\nApply these changes? Only `yes` is accepted: ",
            counted(sites.files.len(), "site", "sites"),
            outline::sum(&changes)
        );
        if !answered(terminal, &question)? {
            return Err(Failure::new(Exit::Failed, CommandError::Declined));
        }
    }
    let style = match arguments.format {
        Format::Human => Style::Human,
        Format::Json => Style::Json,
    };
    let mut output = Output {
        printer: Printer::new(terminal, style)?,
        planned: planned.into_iter().peekable(),
    };
    if !sites.files.is_empty() {
        let outlives = arguments.confirm_within.is_some();
        fleet::stoppable(terminal, outlives, |stop| {
            let shared = Arc::new(shared.stopped_by(stop));
            let take = |ended| output.applied(ended);
            fleet::each(
                &sites,
                terminal,
                || stop.is_asked(),
                take,
                |mut part| apply_one(&mut part, source, arguments, &shared, &waiting),
            )
        })??;
    }
    output.end()
}

/// Plans every site and shows what is to be done; what it came to, in the order of the files.
fn plan_all(
    fleet: &Fleet,
    source: Source,
    arguments: &Arguments,
    terminal: &Terminal,
    shared: &Arc<Shared>,
    waiting: &Waiting,
) -> Result<Vec<Ended>, Failure> {
    let (mut planned, mut apart) = (Vec::new(), Apart::default());
    let mut findings = Findings::told(terminal);
    let take = |mut ended: Ended| {
        apart.check(&mut ended, terminal);
        ended.show_told(terminal);
        findings.take(&mut ended);
        planned.push(ended);
        Ok(())
    };
    fleet::each(
        fleet,
        terminal,
        || false,
        take,
        |part| {
            let kept = source.kept(part.file, arguments, part.terminal)?;
            let topology = match &kept {
                Some(plan) => topology_of(plan, part.file)?,
                None => part.file,
            };
            let opened = Session::open_among(shared, topology, part.terminal, part.facts)?;
            let Some(mut session) = opened else {
                return Ok(Exit::Findings);
            };
            let plan = match kept {
                Some(plan) => {
                    session.select_as(&plan);
                    if plan.summary().is_empty() {
                        // Nothing is asked for it, but that nothing moved.
                        carry_out(&mut session, &plan, arguments, part.terminal)?;
                        part.facts.planned(&plan.summary());
                        return Ok(Exit::Done);
                    }
                    Some(plan)
                }
                None => {
                    arguments.direct(&mut session)?;
                    session.plan()?
                }
            };
            let Some(plan) = plan else {
                return Ok(Exit::Findings);
            };
            if part.facts.planned(&plan.summary()) {
                offer(&session, &plan, arguments, part.terminal)?;
                waiting.put(part.file, &plan)?;
            } else {
                let nothing = Applied {
                    generation: None,
                    summary: plan.summary(),
                };
                let text = written(&carried(&plan), &nothing, arguments.format)?;
                part.terminal.data(&text)?;
            }
            Ok(Exit::Done)
        },
    )?;
    findings.show()?;
    Ok(planned)
}

/// Applies the plan of one site. It is read again, and refused where anything moved since it was shown.
fn apply_one(
    part: &mut Part<'_>,
    source: Source,
    arguments: &Arguments,
    shared: &Arc<Shared>,
    waiting: &Waiting,
) -> Result<Exit, Failure> {
    let plan = waiting.take(part.file)?;
    let topology = match source {
        Source::Sites => part.file,
        Source::Plans => topology_of(&plan, part.file)?,
    };
    let opened = Session::open_among(shared, topology, part.terminal, part.facts)?;
    let Some(mut session) = opened else {
        return Ok(Exit::Findings);
    };
    part.facts.changes = Some(plan.summary());
    session.select_as(&plan);
    if arguments.only_drift {
        session.want_what_was_left()?;
    }
    carry_out(&mut session, &plan, arguments, part.terminal)?;
    part.facts.outcome = Some(Outcome::Applied);
    Ok(Exit::Done)
}

/// Prints every site once, in the order of the files: those that were applied as they are done.
struct Output<'a> {
    printer: Printer<'a>,
    planned: Peekable<vec::IntoIter<Ended>>,
}

impl Output<'_> {
    fn applied(&mut self, mut ended: Ended) -> Result<(), Failure> {
        while let Some(before) = self.planned.next_if(|site| site.file != ended.file) {
            self.printer.apart(before)?;
        }
        if let Some(plan) = self.planned.next() {
            ended.elapsed += plan.elapsed;
            ended.facts.name = ended.facts.name.or(plan.facts.name);
        }
        self.printer.apart(ended)
    }

    fn end(mut self) -> Result<Exit, Failure> {
        for site in self.planned {
            self.printer.apart(site)?;
        }
        self.printer.end()
    }
}

impl Waiting {
    fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("switchover-plans-")
            .tempdir();
        let path = std::env::temp_dir();
        folder.map(Self).map_err(|source| aside(path, source))
    }

    fn place(&self, file: &Path) -> PathBuf {
        let digest = Sha256::digest(file.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.path().join(name)
    }

    fn put(&self, file: &Path, plan: &Plan) -> Result<(), Failure> {
        let path = self.place(file);
        let text = serde_json::to_vec(plan).map_err(Failure::json)?;
        fs::write(&path, text).map_err(|source| aside(path, source))
    }

    fn take(&self, file: &Path) -> Result<Plan, Failure> {
        let path = self.place(file);
        let read = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        read.map_err(|source| aside(path, source))
    }
}

fn aside(path: PathBuf, source: io::Error) -> Failure {
    Failure::new(Exit::Failed, ManyError::Aside { path, source })
}
