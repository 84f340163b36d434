//! The file, line by line.

use std::collections::{BTreeMap, HashMap, HashSet};

use switchover_sdk::{Action, Change, Failure};

use crate::entry::{Entry, Place, SECTIONS, addresses};

/// The first lines of a new file.
const HEADER: &str = "\
# Written by switchover. Lines that it made are put right by the next apply; other lines stay as they are.
";

/// A file as its lines. A line that nothing changes keeps its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    text: String,
    entry: Option<Entry>,
}

impl Line {
    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            entry: Entry::parse(text),
        }
    }

    fn of(entry: Entry) -> Self {
        Self {
            text: entry.line(),
            entry: Some(entry),
        }
    }

    /// The section that begins here.
    fn section(&self) -> Option<usize> {
        let name = self.text.trim().strip_prefix("# -- ")?;
        SECTIONS.iter().position(|section| *section == name)
    }

    fn place(&self) -> Option<Place> {
        self.entry.as_ref()?.place()
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

impl Document {
    /// An empty text is a file that is to be made.
    pub(crate) fn parse(text: &str) -> Self {
        let text = if text.trim().is_empty() { HEADER } else { text };
        Self {
            // Not `lines`, which would drop a carriage return.
            lines: text
                .strip_suffix('\n')
                .unwrap_or(text)
                .split('\n')
                .map(Line::new)
                .collect(),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |mut text, line| {
            text.push_str(&line.text);
            text.push('\n');
            text
        })
    }

    /// What the lines say, in their order.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lines
            .iter()
            .filter_map(|line| line.entry.clone())
            .collect()
    }

    /// Applies the changes, and touches no other line.
    ///
    /// # Errors
    /// A change is not one of this plugin's.
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), Failure> {
        let places = self.addressed();
        let mut new = Vec::new();
        let mut gone = HashSet::new();
        for change in changes {
            let place = places.get(&change.address).copied();
            match (change.action, place) {
                (Action::Create | Action::Update, Some(at)) => {
                    self.lines[at] = Line::of(entry(change)?);
                }
                (Action::Create | Action::Update, None) => new.push(Line::of(entry(change)?)),
                (Action::Delete, Some(at)) => {
                    gone.insert(at);
                }
                (Action::Delete, None) => {}
            }
        }
        let mut at = 0..;
        self.lines
            .retain(|_| at.next().is_some_and(|at| !gone.contains(&at)));
        self.insert(new);
        self.drop_empty_sections();
        Ok(())
    }

    /// Where the lines are that hold an entry, by their addresses.
    fn addressed(&self) -> HashMap<String, usize> {
        let held = self.lines.iter().enumerate();
        let (places, entries): (Vec<usize>, Vec<&Entry>) = held
            .filter_map(|(at, line)| Some((at, line.entry.as_ref()?)))
            .unzip();
        addresses(entries).zip(places).collect()
    }

    /// Puts lines at their places in their sections, which are begun where they are missing.
    fn insert(&mut self, new: Vec<Line>) {
        let mut sections: BTreeMap<usize, Vec<(Place, Line)>> = BTreeMap::new();
        for line in new {
            match line.place() {
                Some(place) => sections.entry(place.0).or_default().push((place, line)),
                None => self.lines.push(line),
            }
        }
        for (section, mut new) in sections {
            new.sort_by(|(one, _), (other, _)| one.cmp(other));
            let start = self.begin_section(section);
            let end = self.next_section(start);
            let merged = merge(self.lines.drain(start..end).collect(), new);
            self.lines.splice(start..start, merged);
        }
    }

    /// The line after the section's title.
    fn begin_section(&mut self, section: usize) -> usize {
        let titled = |line: &Line| line.section() == Some(section);
        if let Some(at) = self.lines.iter().position(titled) {
            return at + 1;
        }
        let later = |line: &Line| line.section().is_some_and(|other| other > section);
        let title = Line::new(&format!("# -- {}", SECTIONS[section]));
        match self.lines.iter().position(later) {
            Some(at) => {
                self.lines.splice(at..at, [title, Line::new("")]);
                at + 1
            }
            None => {
                if self.lines.last().is_some_and(|line| !line.is_blank()) {
                    self.lines.push(Line::new(""));
                }
                self.lines.push(title);
                self.lines.len()
            }
        }
    }

    /// The first title at or after the line, or the end of the file.
    fn next_section(&self, from: usize) -> usize {
        let rest = &self.lines[from..];
        rest.iter()
            .position(|line| line.section().is_some())
            .map_or(self.lines.len(), |at| from + at)
    }

    /// A section that holds nothing any more goes with its title.
    fn drop_empty_sections(&mut self) {
        for section in 0..SECTIONS.len() {
            let titled = |line: &Line| line.section() == Some(section);
            let Some(title) = self.lines.iter().position(titled) else {
                continue;
            };
            let end = self.next_section(title + 1);
            if self.lines[title + 1..end].iter().all(Line::is_blank) {
                self.lines.drain(title..end);
                while end_is_blank(&self.lines) {
                    self.lines.pop();
                }
            }
        }
    }
}

/// A section's lines with new ones between them: each before the first line that comes after it, the rest behind the
/// last line that is not blank.
fn merge(old: Vec<Line>, new: Vec<(Place, Line)>) -> Vec<Line> {
    let used = old
        .iter()
        .rposition(|line| !line.is_blank())
        .map_or(0, |last| last + 1);
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut new = new.into_iter().peekable();
    for (at, line) in old.into_iter().enumerate() {
        let place = line.place();
        let before = |(new, _): &(Place, Line)| {
            at >= used || place.as_ref().is_some_and(|place| new < place)
        };
        while let Some((_, line)) = new.next_if(before) {
            merged.push(line);
        }
        merged.push(line);
    }
    merged.extend(new.map(|(_, line)| line));
    merged
}

fn end_is_blank(lines: &[Line]) -> bool {
    lines.last().is_some_and(Line::is_blank)
}

/// What a change wants.
fn entry(change: &Change) -> Result<Entry, Failure> {
    let refuse = |why: String| {
        let address = &change.address;
        Failure::new(
            "change",
            format!("cannot apply the change of `{address}`: {why}"),
        )
    };
    let after = change
        .after
        .as_ref()
        .ok_or_else(|| refuse("it has no value".into()))?;
    Entry::from_value(&change.kind, after)
        .ok_or_else(|| refuse(format!("`{}` is not a kind of this plugin", change.kind)))?
        .map_err(|error| refuse(error.to_string()))
}
