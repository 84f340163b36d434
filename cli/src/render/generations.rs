//! Generations: a line each, or one of them with everything that it holds.

use std::fmt::Write as _;

use serde::Serialize;
use switchover_engine::{Counts, Generation, StateError, TargetRecord};

use crate::render::outline;
use crate::render::plan_human::Page;
use crate::render::text::{count, counted, markdown_safe, visible};
use crate::terminal::Look;

const FORMAT_VERSION: &str = "1.0";

/// A generation, or why it cannot be read.
pub(crate) type Read = (u64, Result<Generation, StateError>);

/// What a line of the list says.
struct Line {
    number: String,
    applied: String,
    by: String,
    changes: String,
    topology: String,
    note: String,
}

impl Line {
    fn of((number, read): &Read, all: &[Read]) -> Self {
        let number = number.to_string();
        match read {
            Ok(generation) => Self {
                number,
                applied: format!("{:.0}", generation.created),
                by: generation.who.clone().unwrap_or_else(|| "–".to_owned()),
                changes: generation.changes.map_or_else(|| "–".to_owned(), changes),
                topology: topology_of(generation, all).map_or("–", short).to_owned(),
                note: generation.rollback_of.map_or_else(String::new, back_to),
            },
            Err(error) => Self {
                number,
                applied: "–".to_owned(),
                by: "–".to_owned(),
                changes: "–".to_owned(),
                topology: "–".to_owned(),
                note: match error {
                    StateError::Format { .. } => "of another version".to_owned(),
                    StateError::Store(error) if error.is_unread() => "cannot be read".to_owned(),
                    _ => "damaged".to_owned(),
                },
            },
        }
    }

    const HEADER: [&'static str; 6] = ["number", "applied", "by", "changes", "topology", ""];

    fn cells(&self) -> [&str; 6] {
        [
            &self.number,
            &self.applied,
            &self.by,
            &self.changes,
            &self.topology,
            &self.note,
        ]
    }
}

fn changes(changes: Counts) -> String {
    let Counts {
        create,
        update,
        delete,
    } = changes;
    format!("+{} ~{} -{}", count(create), count(update), count(delete))
}

fn back_to(number: u64) -> String {
    format!("rollback to {number}")
}

/// The topology that wanted what a generation holds: a rollback records the one by which targets were reached, which is
/// another one. None where the generation that was brought back is not among these.
fn topology_of<'g>(generation: &'g Generation, all: &'g [Read]) -> Option<&'g str> {
    let mut generation = generation;
    while let Some(number) = generation.rollback_of {
        let earlier = all.binary_search_by_key(&number, |(number, _)| *number);
        let read = all.get(earlier.ok()?)?.1.as_ref();
        // Only what was there before can be brought back: this comes to an end.
        generation = read
            .ok()
            .filter(|earlier| earlier.number < generation.number)?;
    }
    Some(&generation.topology)
}

/// As much of a digest as people compare.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `3 generations, the last one holds 14 resources`
fn sum(generations: &[Read]) -> String {
    let Some((_, last)) = generations.last() else {
        return "nothing was applied yet".to_owned();
    };
    let all = counted(generations.len(), "generation", "generations");
    match last {
        Ok(last) => format!("{all}, the last one holds {}", held(last)),
        Err(_) => all,
    }
}

fn held(generation: &Generation) -> String {
    counted(resources(generation), "resource", "resources")
}

fn resources(generation: &Generation) -> usize {
    let records = generation.targets.values();
    records.map(|record| record.resources.len()).sum()
}

fn lines(generations: &[Read]) -> impl Iterator<Item = Line> {
    generations.iter().map(|read| Line::of(read, generations))
}

/// A table for people, the last generation and a line that sums up at its end.
pub(crate) fn list_human(generations: &[Read]) -> String {
    let mut text = String::new();
    let lines: Vec<Line> = lines(generations).collect();
    let mut cells: Vec<[String; 6]> = Vec::with_capacity(lines.len() + 1);
    if !lines.is_empty() {
        cells.push(Line::HEADER.map(str::to_owned));
    }
    cells.extend(
        lines
            .iter()
            .map(|line| line.cells().map(|cell| visible(cell).into_owned())),
    );
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let widths = cells
            .iter()
            .map(|row| textwrap::core::display_width(&row[column]));
        widths.max().unwrap_or_default()
    });
    for row in &cells {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column] - textwrap::core::display_width(cell));
            // Numbers stand right, below each other.
            line += &match column {
                0 => format!("{gap}{cell}  "),
                _ => format!("{cell}{gap}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if !cells.is_empty() {
        text.push('\n');
    }
    text.push_str(&sum(generations));
    text.push('\n');
    text
}

/// The same as a table of GitHub's, the line that sums up first.
pub(crate) fn list_markdown(generations: &[Read]) -> String {
    let mut text = format!("### Generations\n\n**{}**\n", sum(generations));
    if generations.is_empty() {
        return text;
    }
    text.push_str("\n| number | applied | by | changes | topology | |\n| ---: | --- | --- | --- | --- | --- |\n");
    for line in lines(generations) {
        let cells = line.cells().map(markdown_safe);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[derive(Serialize)]
struct List<'a> {
    format_version: &'static str,
    generations: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Whole {
        number: u64,
        created: jiff::Timestamp,
        who: Option<&'a str>,
        site: &'a str,
        topology: &'a str,
        rollback_of: Option<u64>,
        changes: Option<Counts>,
        /// How many resources it holds.
        resources: usize,
    },
    Damaged {
        number: u64,
        /// Why it cannot be read.
        damaged: String,
    },
}

impl<'a> Entry<'a> {
    fn of((number, read): &'a Read) -> Self {
        let generation = match read {
            Ok(generation) => generation,
            Err(error) => {
                return Self::Damaged {
                    number: *number,
                    damaged: error.to_string(),
                };
            }
        };
        Self::Whole {
            number: *number,
            created: generation.created,
            who: generation.who.as_deref(),
            site: &generation.site,
            topology: &generation.topology,
            rollback_of: generation.rollback_of,
            changes: generation.changes,
            resources: resources(generation),
        }
    }
}

/// One JSON document with an entry a generation.
pub(crate) fn list_json(generations: &[Read]) -> Result<String, serde_json::Error> {
    let list = List {
        format_version: FORMAT_VERSION,
        generations: generations.iter().map(Entry::of).collect(),
    };
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

/// What is said of a generation as a whole, a line each.
fn facts(generation: &Generation) -> Vec<(&'static str, String)> {
    let mut facts = vec![("applied", format!("{:.0}", generation.created))];
    facts.extend(generation.who.clone().map(|who| ("by", who)));
    facts.extend(generation.changes.map(|of| ("changes", changes(of))));
    facts.extend(
        generation
            .rollback_of
            .map(|of| ("rollback to", of.to_string())),
    );
    let label = match generation.rollback_of {
        // What was wanted is the other generation's; of a topology only how targets are reached.
        Some(_) => "reached by",
        None => "topology",
    };
    facts.push((label, generation.topology.clone()));
    facts
}

fn title(generation: &Generation) -> String {
    format!("generation {} of {}", generation.number, generation.site)
}

fn about(record: &TargetRecord) -> String {
    let plugin = format!("{} {}", record.plugin.name, record.plugin.version);
    match record.wave {
        Some(wave) => format!("{} · {plugin}", outline::wave(wave)),
        None => plugin,
    }
}

/// Everything that a generation holds, for people.
pub(crate) fn show_human(generation: &Generation, look: Look) -> String {
    let mut page = Page::new(look);
    // Writing to a string cannot fail.
    let number = format!("generation {}", generation.number);
    let _ = page.heading(&number, &generation.site);
    for (name, value) in facts(generation) {
        let _ = page.remark(&format!("{name:<11}  {value}"));
    }
    page.text.push('\n');
    for (name, record) in &generation.targets {
        let _ = page.heading(name, &about(record));
        for (address, owned) in &record.resources {
            let adopted = if owned.adopted { "  adopted" } else { "" };
            let _ = writeln!(page.text, "  {}{adopted}", visible(address));
        }
        if record.resources.is_empty() {
            let _ = page.remark("no resources");
        }
        page.text.push('\n');
    }
    let _ = writeln!(page.text, "{}", held(generation));
    page.finish()
}

/// The same in GitHub-flavoured Markdown: one folded block a target.
pub(crate) fn show_markdown(generation: &Generation) -> String {
    let mut text = format!("### {}\n\n", markdown_safe(&title(generation)));
    for (name, value) in facts(generation) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {name}: {}", markdown_safe(&value));
    }
    for (name, record) in &generation.targets {
        let resources = counted(record.resources.len(), "resource", "resources");
        let _ = writeln!(
            text,
            "\n<details><summary><b>{}</b> ({}): {resources}</summary>\n",
            markdown_safe(name),
            markdown_safe(&about(record)),
        );
        for (address, owned) in &record.resources {
            let adopted = if owned.adopted { ", adopted" } else { "" };
            let _ = writeln!(text, "- {}{adopted}", markdown_safe(address));
        }
        text.push_str("\n</details>\n");
    }
    text
}

#[derive(Serialize)]
struct Shown<'a> {
    format_version: &'static str,
    generation: &'a Generation,
}

/// One JSON document: the generation as it is kept.
pub(crate) fn show_json(generation: &Generation) -> Result<String, serde_json::Error> {
    let shown = Shown {
        format_version: FORMAT_VERSION,
        generation,
    };
    Ok(serde_json::to_string_pretty(&shown)? + "\n")
}
