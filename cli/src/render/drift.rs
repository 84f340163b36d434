//! What somebody else changed since the last generation.

use std::fmt::Write as _;

use serde::Serialize;
use switchover_engine::{Drift, TargetDrift};

use crate::render::outline::{self, Extent, outline_change};
use crate::render::state::StateFound;
use crate::render::text::{count, counted, markdown_safe, visible};
use crate::render::{plan_human, plan_markdown};
use crate::terminal::Look;

/// For people, ending in the line that sums up.
pub(crate) fn human(drift: &Drift, state: StateFound<'_>, extent: Extent, look: Look) -> String {
    let mut page = plan_human::Page::new(look);
    page.text.push_str(&state.human(look));
    for target in moved(drift) {
        // Writing to a string cannot fail.
        let _ = page.heading(&target.name, &about(target));
        for change in &target.drifted {
            let _ = page.change(&outline_change(change, extent));
        }
        for remark in outline::known_drift(&target.known_drift) {
            let _ = page.remark(&remark);
        }
        page.text.push('\n');
    }
    let _ = writeln!(page.text, "{}", sum(drift));
    page.text
}

/// GitHub-flavoured Markdown, the line that sums up first.
pub(crate) fn markdown(drift: &Drift, state: StateFound<'_>, extent: Extent) -> String {
    let mut text = format!(
        "### Drift of {}\n\n{}**{}**\n",
        markdown_safe(&drift.site),
        state.markdown(),
        sum(drift)
    );
    for target in moved(drift) {
        let (name, about) = (markdown_safe(&target.name), markdown_safe(&about(target)));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\n<details><summary><b>{name}</b> ({about}): {} drifted</summary>\n",
            count(target.drifted.len())
        );
        let outlines = target
            .drifted
            .iter()
            .map(|change| outline_change(change, extent));
        text.push_str(&plan_markdown::block(outlines));
        for remark in outline::known_drift(&target.known_drift) {
            let _ = writeln!(text, "{}\n", markdown_safe(&remark));
        }
        text.push_str("</details>\n");
    }
    text
}

/// Targets at which there is something to tell.
fn moved(drift: &Drift) -> impl Iterator<Item = &TargetDrift> {
    let targets = drift.targets.iter();
    targets.filter(|target| !target.drifted.is_empty() || !target.known_drift.is_empty())
}

fn about(target: &TargetDrift) -> String {
    let plugin = &target.plugin;
    let about = format!(
        "{} · {} {}",
        outline::wave(target.wave),
        plugin.name,
        plugin.version
    );
    visible(&about).into_owned()
}

/// `2 drifted, 1 known, 40 as generation 3 left them`
fn sum(drift: &Drift) -> String {
    let Some(generation) = drift.generation else {
        return "no drift: nothing was applied yet".to_owned();
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
    targets: &'a [TargetDrift],
    summary: Counts,
}

/// One JSON document, indented, with a final line break.
pub(crate) fn json(drift: &Drift, state: StateFound<'_>) -> Result<String, serde_json::Error> {
    let document = Document {
        format_version: "1.0",
        site: &drift.site,
        generation: drift.generation,
        state,
        targets: &drift.targets,
        summary: counts(drift),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
