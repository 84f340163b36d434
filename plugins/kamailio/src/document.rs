//! The file: lines, the routing, and rows.

use std::collections::{HashMap, HashSet};

use switchover_sdk::{Action, Change, Failure};

use crate::entry::{Entry, Place, Routing, addresses};
use crate::routing::{BEGIN, END, TEXT, digest};

/// The first lines of a new file.
const HEADER: &str = "\
# Written by switchover. Lines that it made are put right by the next apply; other lines stay as they are.

";

/// Where the rows begin: Kamailio runs this once, when it starts.
const ROWS: &str = "event_route[htable:mod-init] {";
/// Where they end.
const ROWS_END: &str = "}";
/// What the block holds when it holds nothing else.
const NOTHING: &str = "    return;";

/// A file as its lines. A line that nothing changes keeps its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// What comes before the routing.
    head: Vec<Line>,
    /// None where there is none yet.
    routing: Option<String>,
    /// What stands between the routing and the rows.
    between: Vec<Line>,
    rows: Vec<Line>,
    /// What comes after the rows.
    tail: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    text: String,
    entry: Option<Entry>,
}

impl Line {
    fn of(entry: Entry) -> Self {
        Self {
            text: entry.line(),
            entry: Some(entry),
        }
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
    ///
    /// # Errors
    /// A part of the file has no end.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let text = if text.trim().is_empty() { HEADER } else { text };
        // Not `lines`, which would drop a carriage return.
        let lines: Vec<&str> = text
            .strip_suffix('\n')
            .unwrap_or(text)
            .split('\n')
            .collect();
        let unended = |part: &str, end: &str| {
            Failure::new(
                "no-end",
                format!("{part} in `{name}` has no end: the line `{end}` is missing"),
            )
            .with_help(format!(
                "write that line again, or remove {name} to have it written anew"
            ))
        };
        let read = |lines: &[&str], parse: fn(&str) -> Option<Entry>| -> Vec<Line> {
            let line = |text: &&str| Line {
                text: (*text).into(),
                entry: parse(text),
            };
            lines.iter().map(line).collect()
        };
        let (head, routing, rest) = match cut(&lines, BEGIN, END) {
            Part::None => (Vec::new(), None, lines.as_slice()),
            Part::NoEnd => return Err(unended("the routing", END)),
            Part::Found {
                before,
                inside,
                after,
            } => {
                let text = inside
                    .iter()
                    .fold(String::new(), |text, line| text + line + "\n");
                (read(before, Entry::parse_head), Some(text), after)
            }
        };
        let (between, rows, tail) = match cut(rest, ROWS, ROWS_END) {
            Part::None => (rest, Vec::new(), &[][..]),
            Part::NoEnd => return Err(unended("the block of rows", ROWS_END)),
            Part::Found {
                before,
                inside,
                after,
            } => {
                let inside: Vec<&str> = inside
                    .iter()
                    .copied()
                    .filter(|line| *line != NOTHING)
                    .collect();
                (before, read(&inside, Entry::parse_row), after)
            }
        };
        // Without a routing everything before the rows is the head.
        let (head, between) = match routing {
            Some(_) => (head, read(between, Entry::parse_other)),
            None => (read(between, Entry::parse_head), Vec::new()),
        };
        Ok(Self {
            head,
            routing,
            between,
            rows,
            tail: read(tail, Entry::parse_other),
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let mut all = |lines: &[Line]| lines.iter().for_each(|line| push(&line.text));
        all(&self.head);
        if let Some(routing) = &self.routing {
            let lines = [BEGIN].into_iter().chain(routing.lines()).chain([END]);
            let lines: Vec<Line> = lines
                .map(|text| Line {
                    text: text.into(),
                    entry: None,
                })
                .collect();
            all(&lines);
        }
        all(&self.between);
        let block = |text: &str| Line {
            text: text.into(),
            entry: None,
        };
        all(&[block(ROWS)]);
        all(&self.rows);
        all(&[block(NOTHING), block(ROWS_END)]);
        all(&self.tail);
        text
    }

    /// What the file says, in its order.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let routing = self.routing.as_ref().map(|text| {
            Entry::Routing(Routing {
                digest: digest(text),
            })
        });
        let lines = |lines: &[Line]| -> Vec<Entry> {
            lines.iter().filter_map(|line| line.entry.clone()).collect()
        };
        let mut entries = lines(&self.head);
        entries.extend(routing);
        entries.extend(lines(&self.between));
        entries.extend(lines(&self.rows));
        entries.extend(lines(&self.tail));
        entries
    }

    /// Applies the changes, and touches no other line.
    ///
    /// # Errors
    /// A change is not one of this plugin's.
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), Failure> {
        let mut new = Vec::new();
        let mut edits: HashMap<&str, Option<Entry>> = HashMap::new();
        let entries = self.entries();
        let there: HashSet<String> = addresses(&entries).collect();
        for change in changes {
            let wanted = match change.action {
                Action::Create | Action::Update => Some(entry(change)?),
                Action::Delete => None,
            };
            match wanted {
                Some(Entry::Routing(_)) => {
                    self.begin_routing();
                }
                None if change.address.starts_with("routing/") => self.routing = None,
                Some(entry) if !there.contains(&change.address) => new.push(Line::of(entry)),
                wanted => {
                    edits.insert(&change.address, wanted);
                }
            }
        }
        self.edit(&entries, &edits);
        let (rows, head): (Vec<Line>, Vec<Line>) = new
            .into_iter()
            .partition(|line| matches!(line.entry, Some(Entry::Row(_))));
        self.head = merge(std::mem::take(&mut self.head), head);
        self.rows = merge(std::mem::take(&mut self.rows), rows);
        Ok(())
    }

    fn begin_routing(&mut self) {
        if self.routing.replace(TEXT.into()).is_none() {
            self.between = vec![Line {
                text: String::new(),
                entry: None,
            }];
        }
    }

    /// Replaces lines, or takes them out, by the addresses of their entries.
    fn edit(&mut self, entries: &[Entry], edits: &HashMap<&str, Option<Entry>>) {
        // In the order of the entries; the routing is no line.
        let mut lines = addresses(entries)
            .zip(entries)
            .filter_map(|(address, entry)| {
                (!matches!(entry, Entry::Routing(_))).then_some(address)
            });
        for part in [
            &mut self.head,
            &mut self.between,
            &mut self.rows,
            &mut self.tail,
        ] {
            part.retain_mut(|line| {
                if line.entry.is_none() {
                    return true;
                }
                let edit = lines.next().and_then(|address| edits.get(address.as_str()));
                if let Some(Some(entry)) = edit {
                    *line = Line::of(entry.clone());
                }
                !matches!(edit, Some(None))
            });
        }
    }
}

/// A part of a file between two lines.
enum Part<'a, 'b> {
    None,
    NoEnd,
    Found {
        before: &'a [&'b str],
        inside: &'a [&'b str],
        after: &'a [&'b str],
    },
}

fn cut<'a, 'b>(lines: &'a [&'b str], begin: &str, end: &str) -> Part<'a, 'b> {
    let Some(at) = lines.iter().position(|line| line.trim_end() == begin) else {
        return Part::None;
    };
    let (before, rest) = (&lines[..at], &lines[at + 1..]);
    match rest.iter().position(|line| line.trim_end() == end) {
        None => Part::NoEnd,
        Some(at) => Part::Found {
            before,
            inside: &rest[..at],
            after: &rest[at + 1..],
        },
    }
}

/// Lines with new ones between them: each before the first line that comes after it, the rest behind the last line that
/// is not blank.
fn merge(old: Vec<Line>, mut new: Vec<Line>) -> Vec<Line> {
    new.sort_by_key(Line::place);
    let used = old
        .iter()
        .rposition(|line| !line.is_blank())
        .map_or(0, |last| last + 1);
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut new = new.into_iter().peekable();
    // A file that holds nothing but its first comment begins after the blank line that follows it.
    let first_used = if old.iter().any(|line| line.entry.is_some()) {
        used
    } else {
        old.len()
    };
    for (at, line) in old.into_iter().enumerate() {
        let place = line.place();
        let before = |new: &Line| at >= first_used || place.is_some() && new.place() < place;
        while let Some(new) = new.next_if(before) {
            merged.push(new);
        }
        merged.push(line);
    }
    merged.extend(new);
    merged
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
