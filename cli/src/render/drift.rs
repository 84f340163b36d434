//! What somebody else changed since the last generation, as it happened, and what an apply would do about it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use switchover_engine::plan::{Change, KnownDrift, PluginRef, Wave};
use switchover_engine::{Drift, TargetDrift};

use crate::render::happened::{self, Difference, Drifted, Happened};
use crate::render::outline::{self, Extent};
use crate::render::plan_human;
use crate::render::plan_markdown::{self, fenced};
use crate::render::state::StateFound;
use crate::render::text::{count, counted, markdown_prose, markdown_safe, visible};
use crate::terminal::Look;

/// So many differences of one resource are shown, unless all are asked for.
const SHOWN: usize = 20;

/// For people, ending in the line that sums up.
pub(crate) fn human(drift: &Drift, state: StateFound<'_>, extent: Extent, look: Look) -> String {
    let mut page = plan_human::Page::new(look);
    page.text.push_str(&state.human(look));
    for target in moved(drift) {
        // Writing to a string cannot fail.
        let turn = outline::turn(None, &target.name, target.wave);
        let _ = page.heading(&turn, &outline::plugin(&target.plugin));
        for change in &target.drifted {
            draw(&mut page.text, &happened::drifted(change), extent, look);
        }
        let known = outline::known_drift(&target.known_drift);
        for remark in way_back(target).iter().chain(&known) {
            let _ = page.remark(remark);
        }
        page.gap();
    }
    let _ = page.sum(&sum(drift));
    page.finish()
}

/// GitHub-flavoured Markdown, the counts in the heading.
pub(crate) fn markdown(drift: &Drift, state: StateFound<'_>, extent: Extent) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = plan_markdown::heading(
        &mut text,
        &format!("Drift of {}", markdown_safe(&drift.site)),
        &sum(drift),
    );
    text.push_str(&state.markdown());
    for target in moved(drift) {
        let plugin = outline::plugin(&target.plugin);
        let _ = writeln!(
            text,
            "\n<details><summary><b>{}</b> – {} ({}): {} drifted</summary>\n",
            markdown_safe(&target.name),
            outline::wave(target.wave),
            markdown_safe(&plugin),
            count(target.drifted.len())
        );
        let mut block = String::new();
        for change in &target.drifted {
            draw(&mut block, &happened::drifted(change), extent, COMMENT);
        }
        text.push_str(&fenced(&block, "text"));
        for remark in way_back(target) {
            // Nothing in it is foreign.
            let _ = writeln!(text, "{remark}\n");
        }
        for remark in outline::known_drift(&target.known_drift) {
            let _ = writeln!(text, "{}\n", markdown_prose(&remark));
        }
        text.push_str("</details>\n");
    }
    text
}

/// As in a comment.
const COMMENT: Look = Look {
    width: 120,
    color: false,
    terminal: false,
    unicode: true,
};

/// One resource: what happened to it, and where it is not what was applied.
fn draw(text: &mut String, drifted: &Drifted<'_>, extent: Extent, look: Look) {
    let (style, faint) = match (look.color, drifted.happened) {
        (false, _) => (Style::new(), Style::new()),
        (true, Happened::Deleted) => (AnsiColor::Red.on_default(), Style::new().dimmed()),
        (true, Happened::Changed) => (AnsiColor::Magenta.on_default(), Style::new().dimmed()),
    };
    let word = drifted.happened.word();
    let address = visible(&drifted.change.address);
    // Writing to a string cannot fail.
    let _ = write!(text, "  {style}{word}{style:#}  {address}");
    if let Some(note) = &drifted.note {
        let _ = write!(text, "  {faint}{}{faint:#}", visible(note));
    }
    text.push('\n');
    let all = &drifted.differences;
    // A remark that one more follows is as long as that one.
    let shown = match extent {
        Extent::Brief if all.len() > SHOWN + 1 => SHOWN,
        _ => all.len(),
    };
    for difference in &all[..shown] {
        draw_difference(text, difference, look.width);
    }
    if shown < all.len() {
        let more = counted(all.len() - shown, "more difference", "more differences");
        let _ = writeln!(text, "      {faint}… {more} (--full shows all){faint:#}");
    }
}

fn draw_difference(text: &mut String, difference: &Difference, width: usize) {
    let title = difference.title();
    let line = match difference.values() {
        (Some(before), Some(after)) => {
            let line = format!("{title}: {before} → {after}");
            if line.chars().count() + 6 > width {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "      {}\n        from {}\n        to   {}",
                    visible(&title),
                    visible(&before),
                    visible(&after)
                );
                return;
            }
            line
        }
        (Some(value), None) | (None, Some(value)) => format!("{title}: {value}"),
        (None, None) => title,
    };
    let _ = writeln!(text, "      {}", visible(&line));
}

/// What an apply would do.
fn way_back(target: &TargetDrift) -> Vec<String> {
    let mut remarks = Vec::new();
    let known = |change: &&Change| change.after.is_some();
    let restored = target.drifted.iter().filter(known);
    let (mut again, mut back) = (0, 0);
    for change in restored {
        match happened::drifted(change).happened {
            Happened::Deleted => again += 1,
            Happened::Changed => back += 1,
        }
    }
    let parts = [(again, "create", "again"), (back, "put", "back as applied")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(resources, ..)| *resources > 0)
        .map(|(resources, verb, how)| format!("{verb} {} {how}", count(resources)))
        .collect();
    if !parts.is_empty() {
        remarks.push(format!(
            "`switchover apply --only-drift` would {}",
            parts.join(" and ")
        ));
    }
    let unknown = target.drifted.len() - again - back;
    if unknown > 0 {
        let resources = counted(unknown, "resource", "resources");
        remarks.push(format!(
            "`switchover apply` would bring {resources} to what the topology wants now"
        ));
    }
    remarks
}

/// Targets at which there is something to tell.
fn moved(drift: &Drift) -> impl Iterator<Item = &TargetDrift> {
    let targets = drift.targets.iter();
    targets.filter(|target| !target.drifted.is_empty() || !target.known_drift.is_empty())
}

/// `2 drifted, 1 known, 40 as generation 3 left them`
fn sum(drift: &Drift) -> String {
    let Some(generation) = drift.generation else {
        return "no drift found: no apply is recorded".to_owned();
    };
    let Counts {
        drifted,
        known,
        as_left,
    } = counts(drift);
    let known = match known {
        0 => String::new(),
        known => format!(", {} known", count(known)),
    };
    let drifted = match drifted {
        0 => "no drift".to_owned(),
        drifted => format!("{} drifted", count(drifted)),
    };
    let as_left = counted(as_left, "resource", "resources");
    format!("{drifted}{known}, {as_left} as generation {generation} left them")
}

#[derive(Serialize)]
struct Counts {
    drifted: usize,
    known: usize,
    as_left: usize,
}

fn counts(drift: &Drift) -> Counts {
    let known = drift.targets.iter().map(|target| target.known_drift.len());
    Counts {
        drifted: drift.count(),
        known: known.sum(),
        as_left: drift.targets.iter().map(|target| target.as_left).sum(),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    site: &'a str,
    generation: Option<u64>,
    state: StateFound<'a>,
    targets: Vec<JsonTarget<'a>>,
    summary: Counts,
}

#[derive(Serialize)]
struct JsonTarget<'a> {
    name: &'a str,
    plugin: &'a PluginRef,
    wave: Wave,
    drifted: Vec<JsonDrifted<'a>>,
    known_drift: &'a [KnownDrift],
    as_left: usize,
}

#[derive(Serialize)]
struct JsonDrifted<'a> {
    /// What would bring it back.
    #[serde(flatten)]
    change: &'a Change,
    happened: Happened,
    differences: Vec<Difference>,
}

impl<'a> JsonTarget<'a> {
    fn of(target: &'a TargetDrift) -> Self {
        let drifted = target.drifted.iter().map(happened::drifted);
        Self {
            name: &target.name,
            plugin: &target.plugin,
            wave: target.wave,
            drifted: drifted
                .map(|drifted| JsonDrifted {
                    change: drifted.change,
                    happened: drifted.happened,
                    differences: drifted.differences,
                })
                .collect(),
            known_drift: &target.known_drift,
            as_left: target.as_left,
        }
    }
}

/// One JSON document, indented, with a final line break.
pub(crate) fn json(drift: &Drift, state: StateFound<'_>) -> Result<String, serde_json::Error> {
    let document = Document {
        format_version: "1.0",
        site: &drift.site,
        generation: drift.generation,
        state,
        targets: drift.targets.iter().map(JsonTarget::of).collect(),
        summary: counts(drift),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
