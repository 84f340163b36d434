//! What checking everything that is kept of a site found.

use serde::Serialize;
use switchover_engine::Checked;

use crate::failure::{Failure, Told};
use crate::render::text::{counted, markdown_prose};

const FORMAT_VERSION: &str = "1.0";

/// What is damaged, as it is told on stderr.
pub(crate) struct Damaged {
    pub(crate) place: Option<String>,
    /// Numbers of generations that cannot be used for it.
    pub(crate) generations: Vec<u64>,
    pub(crate) failure: Failure,
}

/// `3 generations, 5 contents and 8 records of the audit log read, 12.3 kB: nothing is damaged`
pub(crate) fn human(checked: &Checked, damaged: &[Damaged]) -> String {
    let mut text = sum(checked, damaged);
    if checked.unneeded > 0 {
        let contents = counted(checked.unneeded, "content is", "contents are");
        text += &format!("\n{contents} needed by no generation; `switchover gc` removes such");
    }
    text + "\n"
}

fn sum(checked: &Checked, damaged: &[Damaged]) -> String {
    let verdict = match damaged.len() {
        0 => "nothing is damaged".to_owned(),
        many => counted(many, "damage", "damages"),
    };
    format!(
        "{}, {} and {} of the audit log read: {verdict}",
        counted(checked.generations, "generation", "generations"),
        counted(checked.contents, "content", "contents"),
        counted(checked.audit_records, "record", "records"),
    )
}

/// The same with what is damaged.
pub(crate) fn markdown(checked: &Checked, damaged: &[Damaged]) -> String {
    let mut text = format!("### Check\n\n**{}**\n", sum(checked, damaged));
    if !damaged.is_empty() {
        text.push('\n');
    }
    for damaged in damaged {
        let Told { message, help, .. } = damaged.failure.told();
        text += &format!("- {}", markdown_prose(&message));
        if let Some(help) = help {
            text += &format!(" – {}", markdown_prose(&help));
        }
        text.push('\n');
    }
    text
}

#[derive(Serialize)]
struct JsonChecked<'a> {
    format_version: &'static str,
    generations: usize,
    contents: usize,
    /// Contents that neither a generation nor a run needs.
    unneeded: usize,
    audit_records: usize,
    /// How long generations and contents are together.
    bytes: u64,
    damage: Vec<JsonDamage<'a>>,
}

#[derive(Serialize)]
struct JsonDamage<'a> {
    place: Option<&'a str>,
    generations: &'a [u64],
    error: Told,
}

/// One JSON document.
pub(crate) fn json(checked: &Checked, damaged: &[Damaged]) -> Result<String, serde_json::Error> {
    let damage = damaged.iter().map(|damaged| JsonDamage {
        place: damaged.place.as_deref(),
        generations: &damaged.generations,
        error: damaged.failure.told(),
    });
    let checked = JsonChecked {
        format_version: FORMAT_VERSION,
        generations: checked.generations,
        contents: checked.contents,
        unneeded: checked.unneeded,
        audit_records: checked.audit_records,
        bytes: checked.bytes,
        damage: damage.collect(),
    };
    Ok(serde_json::to_string_pretty(&checked)? + "\n")
}
