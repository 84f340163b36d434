//! What two revisions of a topology, or two generations, want differently.

use std::fmt;

use serde::Serialize;
use switchover_engine::plan::{Plan, Procedure, Summary, TargetPlan, Undo};
use switchover_engine::{Comparison, TargetComparison};

use crate::render::outline::{self, Extent, TargetOutline, outline_target};
use crate::render::text::markdown_safe;
use crate::render::{plan_human, plan_markdown};
use crate::terminal::Look;

/// A comparison with its sides.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    pub(crate) earlier: Side<'a>,
    pub(crate) later: Side<'a>,
    pub(crate) comparison: &'a Comparison,
}

/// What is compared; in JSON its name, its number or null.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Side<'a> {
    /// Such as `main`.
    Revision(&'a str),
    Generation(u64),
    /// The files as they are.
    Files,
}

impl fmt::Display for Side<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(name) => formatter.write_str(name),
            Self::Generation(number) => write!(formatter, "generation {number}"),
            Self::Files => formatter.write_str("the files as they are"),
        }
    }
}

/// The targets as a plan has them: there is nothing to do at them, and nothing that was seen there.
fn parts(comparison: &Comparison) -> Vec<TargetPlan> {
    let part = |target: &TargetComparison| TargetPlan {
        name: target.name.clone(),
        plugin: target.plugin.clone(),
        wave: target.wave,
        observed: String::new(),
        changes: target.changes.clone(),
        unchanged: target.unchanged,
        foreign: Vec::new(),
        known_drift: Vec::new(),
        resources: Default::default(),
        undo: Undo::Native,
        procedure: Procedure::default(),
    };
    comparison.targets.iter().map(part).collect()
}

fn changed(parts: &[TargetPlan], extent: Extent) -> impl Iterator<Item = TargetOutline<'_>> {
    let changed = parts.iter().filter(|part| !part.changes.is_empty());
    changed.map(move |part| outline_target(part, extent))
}

fn summary(parts: &[TargetPlan]) -> Summary {
    Plan::summary_of(parts)
}

/// For people, ending in the line that sums up.
pub(crate) fn human(named: &Named<'_>, extent: Extent, look: Look) -> String {
    let parts = parts(named.comparison);
    let mut page = plan_human::Page::new(look);
    let targets: Vec<_> = changed(&parts, extent).collect();
    // Writing to a string cannot fail.
    let _ = page.targets(targets.iter());
    let _ = page.sum(&outline::sum(&summary(&parts)));
    page.finish()
}

/// GitHub-flavoured Markdown, the counts in the heading.
pub(crate) fn markdown(named: &Named<'_>, extent: Extent) -> String {
    let parts = parts(named.comparison);
    let what = format!(
        "{}: {} to {}",
        markdown_safe(&named.comparison.site),
        markdown_safe(&named.earlier.to_string()),
        markdown_safe(&named.later.to_string())
    );
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = plan_markdown::heading(&mut text, &what, &outline::sum(&summary(&parts)));
    plan_markdown::draw_targets(&mut text, changed(&parts, extent), extent);
    text
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    site: &'a str,
    earlier: Side<'a>,
    later: Side<'a>,
    targets: &'a [TargetComparison],
    summary: Counts,
}

#[derive(Serialize)]
struct Counts {
    create: usize,
    update: usize,
    delete: usize,
    unchanged: usize,
}

/// One JSON document, indented, with a final line break.
pub(crate) fn json(named: &Named<'_>) -> Result<String, serde_json::Error> {
    let Summary {
        create,
        update,
        delete,
        unchanged,
        ..
    } = summary(&parts(named.comparison));
    let document = Document {
        format_version: "1.0",
        site: &named.comparison.site,
        earlier: named.earlier,
        later: named.later,
        targets: &named.comparison.targets,
        summary: Counts {
            create,
            update,
            delete,
            unchanged,
        },
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
