//! What somebody else did to a resource: told as it happened, from what was applied to what was found. A plan tells the
//! way back, in which a deleted file is an addition.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use similar::{DiffOp, TextDiff};
use switchover_engine::plan::{Action, Change, Content};

use crate::render::fields;
use crate::render::outline::{measure, named};

/// An object whose fields fit into this many characters is shown beside its address.
const INLINE: usize = 90;
/// Two files that share hardly a line are not worth a longer search for the smallest difference.
const DIFF_TIME: Duration = Duration::from_millis(500);

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Happened {
    /// It is gone.
    Deleted,
    /// It holds something else.
    Changed,
}

impl Happened {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed",
        }
    }
}

/// A resource that somebody else changed, as people and programs read it.
#[derive(Debug)]
pub(crate) struct Drifted<'a> {
    pub(crate) change: &'a Change,
    pub(crate) happened: Happened,
    /// Beside the address.
    pub(crate) note: Option<String>,
    pub(crate) differences: Vec<Difference>,
}

/// One place at which what was found is not what was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    #[serde(flatten)]
    place: Place,
    change: How,
    /// As applied; none of what was added.
    before: Option<Value>,
    /// As found; none of what was removed.
    after: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    /// Of the text that was found; of a line that is gone, of the one that was applied.
    Line(usize),
    /// Of an object, such as `pools[0].pool`; empty for all of it.
    Field(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    Added,
    Removed,
    Changed,
}

/// What happened, given the change that would bring the resource back: its `after` is what was applied, its `before` what
/// was found.
pub(crate) fn drifted(change: &Change) -> Drifted<'_> {
    let (applied, found) = (&change.after, &change.before);
    let happened = match change.action {
        Action::Create => Happened::Deleted,
        Action::Update | Action::Delete => Happened::Changed,
    };
    let (note, differences) = match (applied, found) {
        (Some(Content::Text(applied)), Some(Content::Text(found))) => (None, lines(applied, found)),
        (Some(Content::Object(applied)), Some(Content::Object(found))) => {
            (None, members(applied, found))
        }
        (Some(applied), Some(found)) => (
            Some(format!("{} → {}", measure(applied), measure(found))),
            Vec::new(),
        ),
        (Some(Content::Object(applied)), None) => (inline(applied), Vec::new()),
        (Some(applied), None) => (Some(measure(applied)), Vec::new()),
        (None, Some(_)) => (Some("what was applied is not known".to_owned()), Vec::new()),
        (None, None) => (None, Vec::new()),
    };
    Drifted {
        change,
        happened,
        note,
        differences,
    }
}

fn inline(value: &Value) -> Option<String> {
    let leaves = fields::leaves(value);
    let inline: Vec<String> = leaves
        .iter()
        .map(|(path, value)| named(path, value, "="))
        .collect();
    let inline = inline.join(" ");
    (inline.chars().count() <= INLINE).then_some(inline)
}

fn members(applied: &Value, found: &Value) -> Vec<Difference> {
    // They were written from values.
    let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let differences = fields::difference(applied, found).into_iter();
    differences
        .map(|field| {
            let (before, after) = (field.before.map(value), field.after.map(value));
            Difference::new(Place::Field(field.path), before, after)
        })
        .collect()
}

fn lines(applied: &str, found: &str) -> Vec<Difference> {
    let difference = TextDiff::configure()
        .timeout(DIFF_TIME)
        .diff_lines(applied, found);
    let (old, new) = (difference.old_slices(), difference.new_slices());
    let mut lines = Vec::new();
    for operation in difference.ops() {
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        let (old_range, new_range) = (operation.old_range(), operation.new_range());
        let both = old_range.len().min(new_range.len());
        for (before, after) in old_range.clone().zip(new_range.clone()) {
            let (was, is) = (old[before], new[after]);
            // Where nothing else differs, the line break at the end does.
            let text = match without_break(was) == without_break(is) {
                true => str::to_owned,
                false => |line: &str| without_break(line).to_owned(),
            };
            lines.push(Difference::line(after, Some(text(was)), Some(text(is))));
        }
        for at in old_range.skip(both) {
            lines.push(Difference::line(
                at,
                Some(without_break(old[at]).to_owned()),
                None,
            ));
        }
        for at in new_range.skip(both) {
            lines.push(Difference::line(
                at,
                None,
                Some(without_break(new[at]).to_owned()),
            ));
        }
    }
    lines
}

fn without_break(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

impl Difference {
    fn new(place: Place, before: Option<Value>, after: Option<Value>) -> Self {
        let change = match (&before, &after) {
            (None, _) => How::Added,
            (Some(_), None) => How::Removed,
            (Some(_), Some(_)) => How::Changed,
        };
        Self {
            place,
            change,
            before,
            after,
        }
    }

    fn line(at: usize, before: Option<String>, after: Option<String>) -> Self {
        Self::new(
            Place::Line(at + 1),
            before.map(Value::from),
            after.map(Value::from),
        )
    }

    /// Where, and what happened there: `line 14 added`.
    pub(crate) fn title(&self) -> String {
        let how = match self.change {
            How::Added => "added",
            How::Removed => "removed",
            How::Changed => "changed",
        };
        match &self.place {
            Place::Line(line) => format!("line {line} {how}"),
            Place::Field(field) if field.is_empty() => how.to_owned(),
            Place::Field(field) => format!("{field} {how}"),
        }
    }

    /// What was applied, and what was found.
    pub(crate) fn values(&self) -> (Option<String>, Option<String>) {
        let text = |value: &Value| match (&self.place, value) {
            (Place::Line(_), Value::String(line)) => shown_break(line),
            _ => value.to_string(),
        };
        (
            self.before.as_ref().map(text),
            self.after.as_ref().map(text),
        )
    }
}

/// A line break is only in a text where it is all that differs.
fn shown_break(text: &str) -> String {
    match text.strip_suffix('\n') {
        Some(line) => format!("{line} (with a line break)"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(applied: &str, found: &str) -> Vec<String> {
        let differences = lines(applied, found);
        differences
            .iter()
            .map(|difference| {
                let (before, after) = difference.values();
                format!("{}: {before:?} → {after:?}", difference.title())
            })
            .collect()
    }

    #[test]
    fn lines_have_the_numbers_that_an_editor_shows() {
        let applied = "one\ntwo\nthree\nfour\n";
        for (found, expected) in [
            (
                "one\ntwo\nthree\nfour\nfive\n",
                "line 5 added: None → Some(\"five\")",
            ),
            (
                "zero\none\ntwo\nthree\nfour\n",
                "line 1 added: None → Some(\"zero\")",
            ),
            ("one\nthree\nfour\n", "line 2 removed: Some(\"two\") → None"),
            (
                "one\n2\nthree\nfour\n",
                "line 2 changed: Some(\"two\") → Some(\"2\")",
            ),
            (
                "one\ntwo\nthree\nfour",
                "line 4 changed: Some(\"four (with a line break)\") → Some(\"four\")",
            ),
        ] {
            assert_eq!(told(applied, found), [expected], "{found:?}");
        }
        assert_eq!(told(applied, applied), [""; 0]);
        assert_eq!(
            told(applied, ""),
            [1, 2, 3, 4].map(|line| format!(
                "line {line} removed: Some({:?}) → None",
                applied.lines().nth(line - 1).unwrap_or_default()
            ))
        );
        assert_eq!(
            told(applied, "one\nA\nB\nC\nfour\n"),
            [
                "line 2 changed: Some(\"two\") → Some(\"A\")",
                "line 3 changed: Some(\"three\") → Some(\"B\")",
                "line 4 added: None → Some(\"C\")",
            ]
        );
    }

    #[test]
    fn fields_are_told_from_what_was_applied_to_what_was_found() {
        let applied = serde_json::json!({ "a": 1, "b": [1, 2], "c": "x" });
        let found = serde_json::json!({ "a": 2, "b": [1, 2], "d": null });
        let differences = members(&applied, &found);
        let told = serde_json::to_value(&differences).unwrap();
        assert_eq!(
            told,
            serde_json::json!([
                { "field": "a", "change": "changed", "before": 1, "after": 2 },
                { "field": "d", "change": "added", "before": null, "after": null },
                { "field": "c", "change": "removed", "before": "x", "after": null },
            ])
        );
        assert_eq!(differences[1].title(), "d added");
    }
}
