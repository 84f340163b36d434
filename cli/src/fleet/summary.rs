//! What many sites came to, for people and for programs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miette::Diagnostic;
use serde::Serialize;
use serde_json::Value;
use switchover_engine::plan::Summary;

use super::findings::Findings;
use super::repeats::Repeats;
use super::run::{Ended, Facts};
use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::render::outline;
use crate::render::text::{COMMENT_LIMIT, count, counted, markdown_prose, markdown_safe, visible};
use crate::render::words;
use crate::report::{Groups, Tally};
use crate::terminal::{Look, Terminal, Verbosity};

/// The format of `--format json` over many sites.
const FORMAT_VERSION: &str = "1.0";

/// Characters of a message in the table; the whole of it stands above.
const NOTE: usize = 60;

/// What is needed after the last block of a comment.
const RESERVED: usize = 500;

/// How one site ended. The order is that of the line that sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nothing that fails its topology was found.
    Passed,
    /// Everything is as wanted.
    Unchanged,
    /// Changes were made.
    Applied,
    /// Changes are pending.
    Changes,
    /// Servers are not as they were left.
    Drift,
    /// Findings fail its topology.
    Findings,
    /// Its plan was refused.
    Refused,
    /// Somebody else holds its lock.
    Locked,
    /// The run was asked to stop before.
    NotBegun,
    /// Nothing was changed.
    Failed,
    /// Failed, and everything is as it was.
    RolledBack,
    /// Failed, and not everything could be taken back.
    Partial,
}

impl Outcome {
    /// From the exit code, and what else is known.
    pub(crate) fn of(exit: Exit, known: Option<Self>) -> Self {
        match exit {
            Exit::Done => known.unwrap_or(Self::Passed),
            Exit::ChangesPending => Self::Changes,
            Exit::Failed | Exit::Usage => Self::Failed,
            Exit::Findings => Self::Findings,
            Exit::Drift => Self::Drift,
            Exit::RolledBack => Self::RolledBack,
            Exit::Partial => Self::Partial,
            Exit::LockHeld => Self::Locked,
            Exit::Stale => Self::Refused,
        }
    }

    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Changes => "changes",
            Self::Drift => "drift",
            Self::Findings => "findings",
            Self::Refused => "refused",
            Self::Locked => "locked",
            Self::NotBegun => "not-begun",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Partial => "partial",
        }
    }

    /// For people.
    const fn words(self) -> &'static str {
        match self {
            Self::Unchanged => "no changes",
            Self::NotBegun => "not begun",
            Self::RolledBack => "rolled back",
            Self::Partial => "partly taken back",
            other => other.name(),
        }
    }

    /// For people, after a number of sites.
    const fn counted(self) -> &'static str {
        match self {
            Self::Unchanged => "without changes",
            Self::Changes => "with changes",
            Self::Drift => "with drift",
            Self::Findings => "with findings",
            other => other.words(),
        }
    }

    /// Whether a person has to look.
    pub(crate) const fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::Passed | Self::Unchanged | Self::Applied | Self::Changes
        )
    }
}

/// How it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// What each site printed, then a table.
    Human,
    /// One document with an entry a site, which holds what the site printed.
    Json,
    /// A table, then what each site printed, as much as a comment takes.
    Markdown,
    /// Nothing: whoever asked prints it otherwise.
    Silent,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Clash {
    #[error("site `{name}` is `{}`, too", other.display())]
    #[diagnostic(
        code(switchover::sites::same_name),
        help("give each site a name of its own: it names the site in plans and records")
    )]
    Name { name: String, other: PathBuf },
    #[error("the state of this site is that of `{}`, too", other.display())]
    #[diagnostic(
        code(switchover::sites::same_state),
        help(
            "set `state` of the site to a place of its own; without one it is kept beside the topology"
        )
    )]
    State { other: PathBuf },
}

/// Tells sites apart by their names and where their states are.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    names: HashMap<String, PathBuf>,
    states: HashMap<String, PathBuf>,
}

impl Apart {
    /// Makes a site that is not apart from an earlier one a failure.
    pub(crate) fn check(&mut self, ended: &mut Ended, terminal: &Terminal) {
        if let Some(clash) = self.clash(&ended.facts, &ended.file) {
            ended.fail(&Failure::new(Exit::Failed, clash), terminal);
        }
    }

    fn clash(&mut self, facts: &Facts, file: &Path) -> Option<Clash> {
        let earlier = |known: &mut HashMap<String, PathBuf>, what: &Option<String>| {
            let other = known
                .entry(what.clone()?)
                .or_insert_with(|| file.to_owned());
            (other != file).then(|| other.clone())
        };
        if let Some(other) = earlier(&mut self.names, &facts.name) {
            let name = facts.name.clone().unwrap_or_default();
            return Some(Clash::Name { name, other });
        }
        let other = earlier(&mut self.states, &facts.state)?;
        Some(Clash::State { other })
    }
}

/// Prints sites as they are done, in the order given, and the summary at the end.
pub(crate) struct Printer<'a> {
    terminal: &'a Terminal,
    style: Style,
    started: Instant,
    apart: Apart,
    findings: Findings<'a>,
    repeats: Repeats,
    rows: Vec<Row>,
    /// Blocks of a comment, as far as there is room.
    blocks: String,
    unpinned: usize,
    warned: usize,
    without_state: usize,
}

/// What is kept of a site.
#[derive(Debug)]
struct Row {
    site: String,
    outcome: Outcome,
    exit: Exit,
    note: String,
    changes: Option<Summary>,
    elapsed: Duration,
}

/// One site as JSON.
#[derive(Serialize)]
struct JsonSite<'a> {
    /// Null where it could not be read so far.
    name: Option<&'a str>,
    file: String,
    result: &'static str,
    exit_code: u8,
    seconds: f64,
    /// What the command prints of one site alone; null where it ended before.
    report: Value,
    error: Option<Told>,
}

#[derive(Serialize)]
struct JsonSummary {
    sites: usize,
    /// How many ended so; only those that happened.
    results: BTreeMap<&'static str, usize>,
    create: usize,
    update: usize,
    delete: usize,
    drifted: usize,
    exit_code: u8,
    seconds: f64,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(terminal: &'a Terminal, style: Style) -> Result<Self, Failure> {
        Self::with(terminal, style, Findings::told(terminal))
    }

    /// The same; findings are shown like this.
    pub(crate) fn with(
        terminal: &'a Terminal,
        style: Style,
        findings: Findings<'a>,
    ) -> Result<Self, Failure> {
        if style == Style::Json {
            terminal.data(&format!(
                "{{\"format_version\":\"{FORMAT_VERSION}\",\"sites\":["
            ))?;
        }
        Ok(Self {
            terminal,
            style,
            started: Instant::now(),
            apart: Apart::default(),
            findings,
            repeats: Repeats::default(),
            rows: Vec::new(),
            blocks: String::new(),
            unpinned: 0,
            warned: 0,
            without_state: 0,
        })
    }

    /// Prints one site. Where it is not apart from an earlier one, that is what is told of it.
    pub(crate) fn site(&mut self, mut ended: Ended) -> Result<(), Failure> {
        self.apart.check(&mut ended, self.terminal);
        self.apart(ended)
    }

    /// Prints one site that is apart from the others.
    pub(crate) fn apart(&mut self, mut ended: Ended) -> Result<(), Failure> {
        self.unpinned += usize::from(ended.facts.unpinned);
        let warnings = ended.facts.findings.map_or(0, |tally| tally.warnings);
        self.warned += usize::from(warnings > 0);
        self.without_state += usize::from(ended.facts.state_found == Some(false));
        match self.style {
            Style::Human => self.human(&ended)?,
            Style::Json => self.json(&mut ended)?,
            Style::Markdown => self.markdown(&ended),
            Style::Silent => {}
        }
        ended.show_told(self.terminal);
        self.findings.take(&mut ended);
        self.rows.push(Row::of(&ended));
        Ok(())
    }

    fn human(&mut self, ended: &Ended) -> Result<(), Failure> {
        if ended.facts.uneventful || ended.kept.out.is_empty() {
            return Ok(());
        }
        let site = ended.shown();
        let printed = &ended.kept.out;
        let new = match &ended.facts.parameters {
            Some(parameters) => self.repeats.new_in(&site, parameters, printed),
            None => Some(printed.clone()),
        };
        match new {
            Some(new) => self
                .terminal
                .data(&format!("{}{new}\n", heading(&site, self.terminal.out))),
            None => Ok(()),
        }
    }

    fn json(&self, ended: &mut Ended) -> Result<(), Failure> {
        let mut error = ended.error.clone();
        let report = match ended.kept.out.trim() {
            "" => Value::Null,
            printed => serde_json::from_str(printed).unwrap_or_else(|cause| {
                // What was done is done: the site says that its answer is lost, and the others go on.
                let failure = Failure::json(cause);
                failure.show(self.terminal);
                ended.exit = ended.exit.or_worse(failure.exit);
                error.get_or_insert_with(|| failure.told());
                Value::Null
            }),
        };
        let site = JsonSite {
            name: ended.facts.name.as_deref(),
            file: ended.file.display().to_string(),
            result: ended.outcome.name(),
            exit_code: ended.exit.code(),
            seconds: seconds(ended.elapsed),
            report,
            error,
        };
        let comma = if self.rows.is_empty() { "" } else { "," };
        let text = serde_json::to_string(&site).map_err(Failure::json)?;
        self.terminal.data(&format!("{comma}\n{text}"))
    }

    fn markdown(&mut self, ended: &Ended) {
        if ended.facts.uneventful || ended.kept.out.is_empty() {
            return;
        }
        if let Some(parameters) = &ended.facts.parameters
            && self
                .repeats
                .knows(&ended.shown(), parameters, &ended.kept.out)
        {
            return;
        }
        if self.blocks.len() + ended.kept.out.len() < COMMENT_LIMIT / 2 {
            // Writing to a string cannot fail.
            let _ = writeln!(self.blocks, "\n{}", ended.kept.out);
        }
    }

    /// Prints the summary; gives the exit code of all.
    pub(crate) fn end(mut self) -> Result<Exit, Failure> {
        let warned = if self.findings.are_printed() {
            0
        } else {
            self.warned
        };
        std::mem::replace(&mut self.findings, Findings::told(self.terminal)).show()?;
        let worst = self.rows.iter().map(|row| row.exit);
        let worst = worst.fold(Exit::Done, Exit::or_worse);
        match self.style {
            Style::Human => {
                let width = self.terminal.out.width;
                let mut text = String::new();
                for line in self.repeats.alike().lines() {
                    text += &format!("{}\n\n", words::filled(line, width, "", "  "));
                }
                self.terminal.data(&(text + &self.table()))?;
            }
            Style::Json => {
                let summary = serde_json::to_string(&self.json_summary(worst));
                let summary = summary.map_err(Failure::json)?;
                self.terminal
                    .data(&format!("\n],\"summary\":{summary}}}\n"))?;
            }
            Style::Markdown => self.terminal.data(&self.comment())?,
            Style::Silent => {}
        }
        if warned > 0 {
            let sites = counted(warned, "site has", "sites have");
            self.terminal.say(format_args!(
                "{sites} warnings; `switchover validate` shows them"
            ));
        }
        if self.unpinned > 0 {
            let sites = counted(self.unpinned, "site has", "sites have");
            self.terminal.tell(
                Verbosity::Verbose,
                format_args!(
                    "{sites} no {}: plugins are not pinned; `switchover plugin lock` pins them",
                    crate::session::LOCK
                ),
            );
        }
        Ok(worst)
    }

    fn changes(&self) -> Summary {
        sum(self.rows.iter().filter_map(|row| row.changes))
    }

    fn json_summary(&self, worst: Exit) -> JsonSummary {
        let changes = self.changes();
        let mut results = BTreeMap::new();
        for row in &self.rows {
            *results.entry(row.outcome.name()).or_default() += 1;
        }
        JsonSummary {
            sites: self.rows.len(),
            results,
            create: changes.create,
            update: changes.update,
            delete: changes.delete,
            drifted: changes.drifted,
            exit_code: worst.code(),
            seconds: seconds(self.started.elapsed()),
        }
    }

    /// `3 sites: 1 without changes, 2 failed; in 0.4 s`
    fn sum(&self) -> String {
        let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
        for row in &self.rows {
            *outcomes.entry(row.outcome).or_default() += 1;
        }
        let parts: Vec<String> = outcomes
            .into_iter()
            .map(|(outcome, sites)| format!("{} {}", count(sites), outcome.counted()))
            .collect();
        let sites = counted(self.rows.len(), "site", "sites");
        let changes = match self.changes() {
            none if none.is_empty() => String::new(),
            changes if self.rows.iter().any(|row| row.outcome == Outcome::Applied) => {
                format!("; {}", done(&changes))
            }
            changes => format!("; {}", outline::sum(&changes)),
        };
        if parts.is_empty() {
            return sites;
        }
        format!("{sites}: {}{changes}", parts.join(", "))
    }

    /// One line, where a site has no state; each of them says where it was looked for.
    fn no_state(&self) -> String {
        if self.without_state == 0 {
            return String::new();
        }
        let sites = counted(self.without_state, "site", "sites");
        format!(
            "no state found for {sites}: nothing counts as ours there, so nothing can be removed\n"
        )
    }

    fn table(&self) -> String {
        let cells: Vec<[String; 4]> = self.rows.iter().map(Row::cells).collect();
        let header = ["site", "result", "changes", "time"].map(str::to_owned);
        let widths: [usize; 4] = std::array::from_fn(|column| {
            let rows = cells.iter().chain([&header]);
            let widths = rows.map(|row| textwrap::core::display_width(&row[column]));
            widths.max().unwrap_or_default()
        });
        let mut text = String::new();
        if !cells.is_empty() {
            for row in std::iter::once(&header).chain(&cells) {
                for (column, cell) in row.iter().enumerate() {
                    let gap = widths[column] - textwrap::core::display_width(cell);
                    let gap = " ".repeat(gap);
                    // Times stand right, below each other.
                    let _ = match column {
                        3 => writeln!(text, "{gap}{cell}"),
                        _ => write!(text, "{cell}{gap}  "),
                    };
                }
            }
            text.push('\n');
        }
        let elapsed = shown_seconds(self.started.elapsed());
        let _ = writeln!(text, "{} in {elapsed}", self.sum());
        text.push_str(&self.no_state());
        text
    }

    fn comment(&self) -> String {
        let mut text = format!("### Sites\n\n**{}**\n", self.sum());
        if self.without_state > 0 {
            let _ = write!(text, "\n{}", self.no_state());
        }
        let (eventful, uneventful): (Vec<&Row>, Vec<&Row>) = self
            .rows
            .iter()
            .partition(|row| !matches!(row.outcome, Outcome::Unchanged | Outcome::Passed));
        if !eventful.is_empty() {
            text.push_str("\n| site | result | changes | time |\n| --- | --- | --- | ---: |\n");
        }
        let mut left_out = 0;
        for row in eventful {
            let [site, result, note, time] = row.cells();
            let line = format!(
                "| {} | {result} | {} | {time} |\n",
                markdown_safe(&site),
                markdown_prose(&note)
            );
            if text.len() + line.len() + self.blocks.len() + RESERVED > COMMENT_LIMIT {
                left_out += 1;
            } else {
                text.push_str(&line);
            }
        }
        if left_out > 0 {
            let _ = writeln!(
                text,
                "\n{} are not shown.",
                counted(left_out, "more site", "more sites")
            );
        }
        if !uneventful.is_empty() {
            let sites = counted(uneventful.len(), "site has", "sites have");
            let _ = writeln!(text, "\n{sites} nothing to show.");
        }
        text.push_str(&self.blocks);
        for line in self.repeats.alike().lines() {
            let _ = writeln!(text, "\n{}", markdown_safe(line));
        }
        text
    }
}

/// Changes of several sites together.
pub(crate) fn sum(changes: impl Iterator<Item = Summary>) -> Summary {
    let mut sum = Summary::default();
    for changes in changes {
        sum.create += changes.create;
        sum.update += changes.update;
        sum.delete += changes.delete;
        sum.drifted += changes.drifted;
    }
    sum
}

impl Row {
    fn of(ended: &Ended) -> Self {
        let changes = ended
            .facts
            .changes
            .filter(|changes| !changes.is_empty() || ended.outcome == Outcome::Drift);
        let note = match (&ended.error, changes, ended.facts.findings) {
            (Some(error), ..) => shortened(&error.message),
            (None, Some(changes), _) if changes.is_empty() => {
                format!("{} drifted", count(changes.drifted))
            }
            (None, Some(changes), _) if ended.outcome == Outcome::Applied => done(&changes),
            (None, Some(changes), _) => outline::sum(&changes),
            (None, None, Some(tally)) if ended.outcome != Outcome::Unchanged => tally.to_string(),
            _ => String::new(),
        };
        Self {
            site: ended.shown(),
            outcome: ended.outcome,
            exit: ended.exit,
            note,
            changes: match ended.outcome {
                Outcome::Applied | Outcome::Changes | Outcome::Drift => changes,
                _ => None,
            },
            elapsed: ended.elapsed,
        }
    }

    fn cells(&self) -> [String; 4] {
        [
            visible(&self.site).into_owned(),
            self.outcome.words().to_owned(),
            visible(&self.note).into_owned(),
            shown_seconds(self.elapsed),
        ]
    }
}

impl Ended {
    /// Its name where it is known, else its file.
    fn shown(&self) -> String {
        let file = || self.file.display().to_string();
        self.facts.name.clone().unwrap_or_else(file)
    }

    /// Shows what it told on stderr, once.
    pub(crate) fn show_told(&mut self, terminal: &Terminal) {
        let told = std::mem::take(&mut self.kept.err);
        if !told.is_empty() {
            terminal.error(&format!("{}{told}", heading(&self.shown(), terminal.err)));
        }
    }

    /// Makes it what its findings make of it.
    pub(crate) fn conclude(&mut self, exit: Exit, findings: Tally) {
        let Tally {
            errors,
            warnings,
            notes,
            ..
        } = findings;
        self.facts.findings = Some(findings);
        self.facts.uneventful = errors + warnings + notes == 0;
        // One that could not be judged whole has failed, whatever was found.
        if self.error.is_none() {
            self.exit = exit;
            self.outcome = Outcome::of(exit, None);
        }
    }

    /// Hands over what was found about it, once.
    pub(crate) fn give_findings(&mut self, groups: &mut Groups<'_>) {
        let site = self.shown();
        for (findings, sources) in std::mem::take(&mut self.kept.findings) {
            groups.add(&findings, &sources, Some(&site));
        }
    }

    /// Makes it a failure, whatever it was; nothing that it printed counts then.
    fn fail(&mut self, failure: &Failure, terminal: &Terminal) {
        let own = terminal.of_site(&self.file.display().to_string());
        failure.show(&own);
        self.kept = own.take();
        self.exit = failure.exit;
        self.outcome = Outcome::Failed;
        self.error = Some(failure.told());
    }
}

fn heading(site: &str, look: Look) -> String {
    let line = if look.unicode { "──" } else { "--" };
    format!("{line} {} {line}\n", visible(site))
}

/// Changes that were made.
fn done(changes: &Summary) -> String {
    format!(
        "{} added, {} changed, {} removed",
        count(changes.create),
        count(changes.update),
        count(changes.delete)
    )
}

/// The first line of a message, as much as a table takes.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(NOTE).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e3).round() / 1e3
}

fn shown_seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
