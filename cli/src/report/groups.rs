//! Findings of one or many sites, each cause once with every place that has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use switchover_topology::{Diagnostic, Sources};

use super::cause::{Cause, quoted};
use super::{Documents, Range, Tally};
use crate::render::text::count;

/// Causes of one rule that are drawn. A table whose every row breaks a rule in a way of its own is not read to its end.
const MOST_DRAWN: usize = 10;

/// Places, names and sites that are listed of many.
const LISTED: usize = 6;

/// How the first finding of a cause is shown.
type Draw<'a> = Box<dyn Fn(&Diagnostic, &Documents<'_>) -> String + 'a>;

/// Collects findings. Only the first of a cause is drawn, at once, so that no text of a site is kept.
pub(crate) struct Groups<'a> {
    draw: Draw<'a>,
    known: HashMap<Cause, usize>,
    /// By the order of their first findings.
    groups: Vec<Group>,
    /// Causes drawn of each rule, and the group of the others.
    of_rule: HashMap<String, (usize, Option<usize>)>,
    accepted: BTreeMap<String, Accepted>,
    files: Vec<String>,
    file_of: HashMap<String, u32>,
    sites: Vec<String>,
    tally: Tally,
}

/// Findings of one cause; or of one rule, beyond the causes that are drawn.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) first: Diagnostic,
    /// Where the first one is; none where that has no place.
    pub(super) place: Option<String>,
    /// The first one, drawn; none beyond those that are.
    pub(super) drawn: Option<String>,
    spots: Vec<Option<Spot>>,
    /// What the messages of a few others quote first.
    values: Vec<String>,
    sites: Vec<u32>,
}

/// Accepted findings of one rule.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) place: Option<String>,
    /// The reason of the first one.
    pub(super) reason: String,
    reasons: BTreeSet<String>,
    sites: Vec<u32>,
}

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    file: u32,
    line: usize,
}

impl<'a> Groups<'a> {
    pub(super) fn new(draw: impl Fn(&Diagnostic, &Documents<'_>) -> String + 'a) -> Self {
        Self {
            draw: Box::new(draw),
            known: HashMap::new(),
            groups: Vec::new(),
            of_rule: HashMap::new(),
            accepted: BTreeMap::new(),
            files: Vec::new(),
            file_of: HashMap::new(),
            sites: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Adds the findings of a site, in report order; the site is named where there are several.
    pub(crate) fn add(&mut self, findings: &[Diagnostic], sources: &Sources, site: Option<&str>) {
        if findings.is_empty() {
            return;
        }
        let documents = Documents::new(sources);
        let site = site.map(|site| {
            self.sites.push(site.to_owned());
            u32::try_from(self.sites.len() - 1).unwrap_or(u32::MAX)
        });
        self.tally.add(&Tally::of(findings));
        for finding in findings {
            let range = Range::of(finding.span, &documents);
            match &finding.acknowledged {
                Some(reason) => self.accept(finding, reason, range, site),
                None => self.open(finding, range, site, &documents),
            }
        }
    }

    fn accept(
        &mut self,
        finding: &Diagnostic,
        reason: &str,
        range: Option<Range<'_>>,
        site: Option<u32>,
    ) {
        if let Some(accepted) = self.accepted.get_mut(&finding.code) {
            accepted.count += 1;
            if !accepted.reasons.contains(reason) {
                accepted.reasons.insert(reason.to_owned());
            }
            note(&mut accepted.sites, site);
            return;
        }
        let accepted = Accepted {
            name: finding.name.clone(),
            count: 1,
            place: range.map(|range| range.to_string()),
            reason: reason.to_owned(),
            reasons: [reason.to_owned()].into(),
            sites: site.into_iter().collect(),
        };
        self.accepted.insert(finding.code.clone(), accepted);
    }

    fn open(
        &mut self,
        finding: &Diagnostic,
        range: Option<Range<'_>>,
        site: Option<u32>,
        documents: &Documents<'_>,
    ) {
        let spot = range.map(|range| self.spot(&range));
        let cause = Cause::of(finding);
        let at = match self.known.get(&cause) {
            Some(&at) => Some(at),
            None => match self.of_rule.get(&finding.code) {
                Some((MOST_DRAWN.., others)) => *others,
                _ => None,
            },
        };
        if let Some(at) = at {
            self.groups[at].add(finding, spot, site);
            return;
        }
        let (drawn, others) = self.of_rule.entry(finding.code.clone()).or_default();
        let is_drawn = *drawn < MOST_DRAWN;
        if is_drawn {
            *drawn += 1;
            self.known.insert(cause, self.groups.len());
        } else {
            *others = Some(self.groups.len());
        }
        self.groups.push(Group {
            first: finding.clone(),
            place: range.map(|range| range.to_string()),
            drawn: is_drawn.then(|| (self.draw)(finding, documents)),
            spots: vec![spot],
            values: Vec::new(),
            sites: site.into_iter().collect(),
        });
    }

    fn spot(&mut self, range: &Range<'_>) -> Spot {
        let file = match self.file_of.get(range.file) {
            Some(&file) => file,
            None => {
                let file = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
                self.files.push(range.file.to_owned());
                self.file_of.insert(range.file.to_owned(), file);
                file
            }
        };
        Spot {
            file,
            line: range.start.line,
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.accepted.is_empty()
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// What is not accepted, in the order of the first findings.
    pub(super) fn open_groups(&self) -> &[Group] {
        &self.groups
    }

    /// What is accepted, by code.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (&str, &Accepted)> {
        let all = self.accepted.iter();
        all.map(|(code, accepted)| (code.as_str(), accepted))
    }

    /// The sites of a group, where there are several: `at 53 sites: a, b, c and 50 more`.
    pub(super) fn sites_of(&self, group: &Group) -> Option<String> {
        let names = group
            .sites
            .iter()
            .map(|site| self.sites[*site as usize].as_str());
        let few: Vec<&str> = names.take(LISTED).collect();
        let more = group.sites.len() - few.len();
        let listed = and_more(few.join(", "), more);
        match group.sites.len() {
            0 => None,
            1 => Some(format!("at site {listed}")),
            all => Some(format!("at {} sites: {listed}", count(all))),
        }
    }

    /// Sites that have accepted findings of a rule.
    pub(super) fn sites_of_accepted(&self, accepted: &Accepted) -> usize {
        accepted.sites.len()
    }

    /// The other places of a group, and whether some are left out: `phones.csv:3-20, 22 and 38 more`.
    pub(super) fn others(&self, group: &Group) -> Option<(String, bool)> {
        let (first, others) = group.spots.split_first()?;
        if others.is_empty() {
            return None;
        }
        if others.iter().all(|other| other == first) {
            if group.sites.len() == group.count() {
                // One finding a site, at one place: the sites say it all.
                return None;
            }
            let values: Vec<String> = group.values.iter().map(|it| format!("`{it}`")).collect();
            let place = format!("{} more at the same place", count(others.len()));
            if values.is_empty() {
                return Some((place, true));
            }
            let more = others.len().saturating_sub(values.len());
            return Some((
                format!("{place}: {}", and_more(values.join(", "), more)),
                more > 0,
            ));
        }
        let runs = runs(others);
        let mut shown = Vec::new();
        let mut covered = 0;
        let mut file = None;
        for run in runs.iter().take(LISTED) {
            covered += run.findings;
            let lines = match run.last - run.first {
                0 => run.first.to_string(),
                _ => format!("{}-{}", run.first, run.last),
            };
            shown.push(match file {
                Some(file) if file == run.file => lines,
                _ => format!("{}:{lines}", self.files[run.file as usize]),
            });
            file = Some(run.file);
        }
        let more = others.len() - covered;
        Some((and_more(shown.join(", "), more), more > 0))
    }
}

impl Group {
    pub(super) fn count(&self) -> usize {
        self.spots.len()
    }

    fn add(&mut self, finding: &Diagnostic, spot: Option<Spot>, site: Option<u32>) {
        self.spots.push(spot);
        note(&mut self.sites, site);
        if self.values.len() < LISTED
            && let Some(value) = quoted(&finding.message).next()
        {
            self.values.push(value.to_owned());
        }
    }
}

impl Accepted {
    /// Reasons other than that of the first one.
    pub(super) fn other_reasons(&self) -> usize {
        self.reasons.len() - 1
    }
}

/// Sites come one after the other.
fn note(sites: &mut Vec<u32>, site: Option<u32>) {
    if let Some(site) = site.filter(|site| sites.last() != Some(site)) {
        sites.push(site);
    }
}

/// `a, b`, `a, b and 12 more`, `12 more`.
fn and_more(listed: String, more: usize) -> String {
    match (listed.is_empty(), more) {
        (_, 0) => listed,
        (true, more) => format!("{} more", count(more)),
        (false, more) => format!("{listed} and {} more", count(more)),
    }
}

/// Findings in lines of a file that follow each other.
struct Run {
    file: u32,
    first: usize,
    last: usize,
    findings: usize,
}

/// Places in the order of their files' first ones, lines ascending. What has no place is in none.
fn runs(spots: &[Option<Spot>]) -> Vec<Run> {
    let mut order = HashMap::new();
    for spot in spots.iter().flatten() {
        let next = order.len();
        order.entry(spot.file).or_insert(next);
    }
    let mut sorted: Vec<Spot> = spots.iter().flatten().copied().collect();
    sorted.sort_by_key(|spot| (order[&spot.file], spot.line));
    let mut runs: Vec<Run> = Vec::new();
    for Spot { file, line } in sorted {
        match runs.last_mut() {
            Some(run) if run.file == file && line <= run.last + 1 => {
                run.last = line;
                run.findings += 1;
            }
            _ => runs.push(Run {
                file,
                first: line,
                last: line,
                findings: 1,
            }),
        }
    }
    runs
}
