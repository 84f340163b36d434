//! `switchover validate`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};
use switchover_engine::Unfinished;
use switchover_rules::judge;
use switchover_topology::{Diagnostic, Loaded, Sources, in_report_order};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{self, Findings, Fleet, JudgedSite, Printer, Sites, Style, Which};
use crate::render::text::counted;
use crate::report::{self, Report, Selection, Shown, Tally};
use crate::session::{self, Shared};
use crate::terminal::{Terminal, Verbosity};
use crate::{offline, topology_file};

/// The command's arguments.
#[derive(Debug, Args)]
#[command(
    after_help = "Plugins check the topology too, without asking any server and without resolving a secret. An interrupted \
                  run is reported if the state is a local folder; for a state in an object store, use `plan` or `recover`."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sites: Sites,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Report only rules whose codes are, or begin with, one of these: `SW104`, `SW1`, `PROV`.
    ///
    /// Whatever keeps the topology from being understood (SW001 to SW006, SW008) is reported in any case.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    only: Vec<String>,
    /// Report no rules whose codes are, or begin with, one of these; wins over `--only`.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    skip: Vec<String>,
    /// Do not ask the plugins: settings, commands and what only a plugin can know to be wrong stay unchecked.
    #[arg(long)]
    no_plugins: bool,
    /// Show each finding by itself: for people and in Markdown, findings of one cause are one entry otherwise.
    #[arg(long)]
    all: bool,
    /// Let warnings fail, too.
    #[arg(long)]
    deny_warnings: bool,
    /// Let no finding fail: the exit code is 0 wherever findings could be printed.
    #[arg(long, conflicts_with = "deny_warnings")]
    exit_zero: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people: each finding drawn into its file.
    #[default]
    Human,
    /// One JSON document: `schemas/findings.schema.json`.
    Json,
    /// SARIF 2.1.0, for GitHub's code scanning and editors.
    Sarif,
    /// Workflow commands, which GitHub shows beside the changed lines.
    Github,
    /// A test report, for GitLab and Jenkins.
    Junit,
    /// For a comment on a change request; at most as long as GitHub takes.
    Markdown,
}

/// Prints all findings of a run.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let selection = Selection::new(&arguments.only, &arguments.skip)?;
    match arguments.sites.which()? {
        Which::One(file) => {
            let mut judged = judged(&Arc::default(), &file, arguments, &selection)?;
            let (findings, sources) = (&judged.findings, &judged.loaded.sources);
            let report = report_of(findings, sources, &judged.shown, arguments, &selection);
            terminal.data(&written(&report, arguments, terminal)?)?;
            let exit = arguments.exit(report.failed());
            fleet::tell_interrupted(interrupted(&judged.loaded).as_ref(), terminal);
            if let Some(failed) = judged.failed.take() {
                return Err(failed);
            }
            // The process ends here: giving a large topology back piece by piece would only take time.
            std::mem::forget(judged);
            Ok(exit)
        }
        Which::Many(fleet) => many(&fleet, arguments, &selection, terminal),
    }
}

/// A topology and what was found about it.
struct Judged {
    loaded: Loaded,
    /// In report order.
    findings: Vec<Diagnostic>,
    /// The topology as findings name it.
    shown: String,
    /// Why plugins could not judge it.
    failed: Option<Failure>,
}

fn judged(
    shared: &Shared,
    file: &Path,
    arguments: &Arguments,
    selection: &Selection,
) -> Result<Judged, Failure> {
    let mut loaded = topology_file::read(file)?;
    let found = std::mem::take(&mut loaded.diagnostics);
    let findings = judge(&loaded.topology, found, topology_file::today());
    let mut findings = loaded.origins.relate(findings);
    let understood = offline::understood(&findings);
    let mut failed = None;
    if !arguments.no_plugins {
        let path = file.display().to_string();
        match offline::check(shared, &loaded, &path, understood) {
            Ok(mut checked) => {
                findings = offline::join(&loaded, findings, &mut checked, selection.known());
                failed = offline::failure(checked.errors, &loaded);
            }
            Err(failure) => failed = Some(failure),
        }
    }
    Ok(Judged {
        findings: selection.of(findings),
        loaded,
        shown: topology_file::shown(file),
        failed,
    })
}

/// The run of a site that is not at its end. Validating asks nobody: of a state elsewhere nothing is known here.
fn interrupted(loaded: &Loaded) -> Option<Unfinished> {
    let location = session::state_of(loaded);
    if loaded.root == Path::new("") || location.is_some_and(|location| location.contains("://")) {
        return None;
    }
    let unfinished = switchover_engine::unfinished(&loaded.root, location);
    // That a state cannot be read is told where it is used.
    session::runtime().ok()?.block_on(unfinished).ok().flatten()
}

fn written(
    report: &Report<'_>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<String, Failure> {
    let (findings, sources) = (report.diagnostics, report.sources);
    Ok(match arguments.format {
        Format::Human => report::human(findings, sources, arguments.shown(terminal)),
        Format::Json => report::json(findings, sources).map_err(Failure::json)?,
        Format::Sarif => report::sarif(report)?,
        Format::Github => report::github(report),
        Format::Junit => report::junit(report).map_err(Failure::junit)?,
        Format::Markdown => report::markdown(report),
    })
}

/// All sites: formats for other programs know one report of one run, so that findings of all sites go into one.
fn many(
    fleet: &Fleet,
    arguments: &Arguments,
    selection: &Selection,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let together = !arguments.all && matches!(arguments.format, Format::Human | Format::Markdown);
    let style = match arguments.format {
        Format::Human => Style::Human,
        Format::Json => Style::Json,
        Format::Sarif | Format::Github | Format::Junit | Format::Markdown => Style::Silent,
    };
    let shared = Shared::default();
    let sites = Mutex::new(BTreeMap::new());
    let mut all = Vec::new();
    let take = |ended| {
        all.push(ended);
        Ok(())
    };
    fleet::each(
        fleet,
        terminal,
        || false,
        take,
        |part| {
            let Judged {
                loaded,
                findings,
                failed,
                ..
            } = judged(&shared, part.file, arguments, selection)?;
            part.facts.learn(&loaded, Tally::of(&findings));
            part.facts.interrupted = interrupted(&loaded);
            fleet::tell_interrupted(part.facts.interrupted.as_ref(), part.terminal);
            let site = JudgedSite::of(loaded, findings, part.file);
            let mut sites = sites.lock().unwrap_or_else(PoisonError::into_inner);
            sites.insert(part.at, site);
            failed.map_or(Ok(Exit::Done), Err)
        },
    )?;
    // What sites have in common is known once all are read.
    let mut sites = sites.into_inner().unwrap_or_else(PoisonError::into_inner);
    fleet::add_clashes(&mut sites, |at| fleet.files.get(at).cloned())?;
    let mut merged = Vec::new();
    let mut comment = report::groups_of_markdown();
    let findings = Findings::printed(terminal, arguments.shown(terminal));
    let mut printer = Printer::with(terminal, style, findings)?;
    for (at, mut ended) in all.into_iter().enumerate() {
        if let Some(site) = sites.remove(&at) {
            let findings = in_report_order(selection.of(site.findings));
            let shown = topology_file::shown(&ended.file);
            let report = report_of(&findings, &site.sources, &shown, arguments, selection);
            ended.conclude(arguments.exit(report.failed()), Tally::of(&findings));
            if together {
                ended.kept.findings.push((findings, site.sources));
            } else if style != Style::Silent {
                ended.kept.out = written(&report, arguments, terminal)?;
            } else {
                merged.push((findings, site.sources));
            }
        }
        if style == Style::Silent {
            ended.give_findings(&mut comment);
        }
        printer.site(ended)?;
    }
    let exit = printer.end()?;
    if style != Style::Silent {
        return Ok(exit);
    }
    let text = if together {
        report::markdown_of(&comment, &counted(fleet.files.len(), "site", "sites"))
    } else {
        let (findings, sources) = report::merged(merged);
        let report = report_of(&findings, &sources, "", arguments, selection);
        written(&report, arguments, terminal)?
    };
    terminal.data(&text)?;
    Ok(exit)
}

fn report_of<'a>(
    findings: &'a [Diagnostic],
    sources: &'a Sources,
    shown: &str,
    arguments: &Arguments,
    selection: &'a Selection,
) -> Report<'a> {
    Report {
        diagnostics: findings,
        sources,
        selection,
        topology: shown.to_owned(),
        deny_warnings: arguments.deny_warnings,
        each: arguments.all,
    }
}

impl Arguments {
    fn shown(&self, terminal: &Terminal) -> Shown {
        Shown {
            look: terminal.out,
            each: self.all,
            accepted: terminal.verbosity > Verbosity::Quiet,
            by: "`--all` shows each",
        }
    }

    fn exit(&self, failed: bool) -> Exit {
        if failed && !self.exit_zero {
            Exit::Findings
        } else {
            Exit::Done
        }
    }
}
