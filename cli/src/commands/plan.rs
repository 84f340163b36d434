//! `switchover plan`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use switchover_engine::{Plan, Planned};
use switchover_topology::{Diagnostic, Loaded, Sources, Span};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{self, Facts, Fleet, Sites, Style, Which};
use crate::plan_file::{self, Kept};
use crate::plan_folder::PlanFolder;
use crate::render::notices::{self, Notice};
use crate::render::outline::{self, Extent};
use crate::render::state::StateFound;
use crate::render::text::{markdown_prose, markdown_safe, visible};
use crate::render::{plan_human, plan_json, plan_markdown};
use crate::report::{self, Tally};
use crate::session::Session;
use crate::targets::TargetArguments;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sites: Sites,
    /// Keep the plan in a file that `apply` takes; it holds no secret. Of many sites, keep a file of each in this folder.
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// Sign every kept plan by this OpenSSH key, into `PLAN.sig`.
    #[arg(long, value_name = "KEY", requires = "out")]
    sign: Option<PathBuf>,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show every change in full, and every request that `apply` would send.
    #[arg(long)]
    full: bool,
    /// Show no changes, only how many there are and what to know before they are applied.
    #[arg(long, conflicts_with = "full")]
    summary: bool,
    /// End with exit code 4 where changes are pending.
    #[arg(long)]
    detailed_exitcode: bool,
    /// End with exit code 3 where there are warnings. The plan is shown all the same.
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    targets: TargetArguments,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`--summary` is for people, and `--format json` for programs")]
#[diagnostic(
    code(switchover::plan::summary),
    help("leave out one of the two: the JSON document has the summary beside the changes")
)]
struct SummaryOfJson;

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document: the plan and its summary.
    Json,
    /// For a comment on a change request.
    Markdown,
}

/// Shows what apply would do.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.summary && matches!(arguments.format, Format::Json) {
        return Err(Failure::new(Exit::Usage, SummaryOfJson));
    }
    let fleet = match arguments.sites.which()? {
        Which::One(file) => {
            let mut facts = Facts::default();
            let session = Session::open_among(&Arc::default(), &file, terminal, &mut facts)?;
            let Some(session) = session else {
                return Ok(Exit::Findings);
            };
            // The plan has all findings, so nobody needs to be told how many there are.
            facts.findings = None;
            facts.tell(terminal);
            let out = arguments.out.as_deref();
            return one(session, arguments, out, terminal, &mut facts);
        }
        Which::Many(fleet) => fleet,
    };
    many(&fleet, arguments, terminal)
}

/// Every site's plan.
fn many(fleet: &Fleet, arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let style = match arguments.format {
        Format::Human => Style::Human,
        Format::Json => Style::Json,
        Format::Markdown => Style::Markdown,
    };
    let kept = match &arguments.out {
        Some(folder) => Some(PlanFolder::prepare(folder, fleet)?),
        None => None,
    };
    fleet::each_session(fleet, style, terminal, |session, terminal, facts| {
        let kept = kept.as_ref();
        let out = kept.and_then(|kept| kept.place(Path::new(session.path())));
        one(session, arguments, out, terminal, facts)
    })
}

/// The plan of one site.
fn one(
    mut session: Session<'_>,
    arguments: &Arguments,
    out: Option<&Path>,
    terminal: &Terminal,
    facts: &mut Facts,
) -> Result<Exit, Failure> {
    session.select(&arguments.targets)?;
    let Some(planned) = session.plan_with_findings()? else {
        return Ok(Exit::Findings);
    };
    let Planned { plan, findings } = planned;
    let tally = Tally::of(&findings);
    facts.findings = Some(tally);
    let kept = match out {
        Some(path) => Some(plan_file::keep(&plan, path, arguments.sign.as_deref())?),
        None => None,
    };
    if matches!(arguments.format, Format::Human) {
        session.tell(&findings);
    }
    let findings = (findings.as_slice(), &session.loaded().sources);
    let state = StateFound::new(session.state(), plan.generation);
    terminal.data(&rendered(
        &plan,
        state,
        findings,
        kept.as_ref(),
        arguments,
        terminal,
    )?)?;
    facts.state_found = Some(state.found);
    if !arguments.full && kept.is_none() {
        facts.parameters = Some(parameters(session.loaded()));
    }
    let pending = facts.planned(&plan.summary());
    Ok(if arguments.deny_warnings && tally.warnings > 0 {
        Exit::Findings
    } else if pending && arguments.detailed_exitcode {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

/// What a site gives the base that it extends.
fn parameters(loaded: &Loaded) -> Vec<fleet::Parameter> {
    let written = |span: Span| {
        let text = loaded.sources.file(span.file).text.as_str();
        let value = text.get(span.start as usize..span.end as usize);
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    let given = loaded.origins.given().into_iter();
    given
        .map(|(name, span)| (name.to_owned(), written(span)))
        .collect()
}

fn rendered(
    plan: &Plan,
    state: StateFound<'_>,
    findings: (&[Diagnostic], &Sources),
    kept: Option<&Kept>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<String, Failure> {
    let extent = if arguments.full {
        Extent::Full
    } else {
        Extent::Brief
    };
    let with_digest = |text: String, named: fn(&Kept) -> String| match kept {
        Some(kept) => text + &named(kept),
        None => text,
    };
    match arguments.format {
        Format::Human if arguments.summary => {
            let text = summarized(plan, state, terminal);
            Ok(with_digest(text, plan_human::kept))
        }
        Format::Markdown if arguments.summary => {
            let text = summarized_for_comment(plan, state, terminal.is_among_many());
            Ok(with_digest(text, plan_markdown::kept))
        }
        Format::Human => {
            let text = plan_human::render(plan, extent, terminal.out);
            let text = state.above(&text, terminal.out);
            Ok(with_digest(text, plan_human::kept))
        }
        Format::Json => plan_json::render(plan, state, findings, kept).map_err(Failure::json),
        Format::Markdown => {
            let text = plan_markdown::render(plan, state, extent);
            let text = with_digest(text, plan_markdown::kept);
            let (findings, sources) = findings;
            let section = report::markdown_section(findings, sources, text.chars().count());
            Ok(text + &section)
        }
    }
}

/// The line that sums up, and what is to be known of the plan as a whole. Of one site among many, the table has the line.
fn summarized(plan: &Plan, state: StateFound<'_>, terminal: &Terminal) -> String {
    let mut text = state.human(terminal.out);
    for Notice { word, text: notice } in notices::of_plan(plan) {
        text += &format!("{word}: {}\n", visible(&notice));
    }
    if !terminal.is_among_many() {
        text += &format!("{}\n", outline::sum(&plan.summary()));
    }
    text
}

/// The same for a comment.
fn summarized_for_comment(plan: &Plan, state: StateFound<'_>, is_among_many: bool) -> String {
    let notices: String = notices::of_plan(plan)
        .iter()
        .map(|Notice { word, text }| format!("\n**{word}**: {}\n", markdown_prose(text)))
        .collect();
    let site = markdown_safe(&plan.site);
    let state = state.markdown();
    match (is_among_many, notices.is_empty() && state.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("### Plan for {site}\n{state}{notices}"),
        (false, _) => {
            let sum = outline::sum(&plan.summary());
            format!("### Plan for {site}: {sum}\n{state}{notices}")
        }
    }
}
