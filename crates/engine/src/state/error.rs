use std::fmt::Write as _;

use miette::Diagnostic;
use switchover_effects::store::StoreError;

use crate::journal::JournalError;

/// The state cannot serve.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum StateError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error("failed to read generation {number} in `{place}`: it is damaged: {problem}")]
    #[diagnostic(code(switchover::state::damaged), help("{}", without(*number, *is_last)))]
    Damaged {
        number: u64,
        place: String,
        problem: String,
        /// It is the last generation.
        is_last: bool,
    },
    #[error(
        "failed to read generation {number} in `{place}`: format {found} is not known to this version"
    )]
    #[diagnostic(
        code(switchover::state::format),
        help(
            "use the version of switchover that wrote it, or a later one; this one takes nothing of it for granted"
        )
    )]
    Format {
        number: u64,
        place: String,
        found: String,
    },
    #[error("there is no generation {number}")]
    #[diagnostic(
        code(switchover::state::no_generation),
        help("`switchover generations` lists those that there are")
    )]
    NoGeneration { number: u64 },
    #[error("failed to read `{place}`, which {}: {problem}", needs(needed_by))]
    #[diagnostic(
        code(switchover::state::blob),
        help(
            "restore the file from a backup; the next change that wants the same again writes it anew, and generations \
             that do not need it can be used"
        )
    )]
    Blob {
        place: String,
        problem: String,
        /// Numbers of generations, ascending.
        needed_by: Vec<u64>,
    },
    #[error("generation {number} kept no more of target `{target}` than digests")]
    #[diagnostic(
        code(switchover::state::only_digests),
        help(
            "an earlier version of switchover wrote it: there is nothing in it to bring back or to compare; apply once \
             as the topology says"
        )
    )]
    OnlyDigests { number: u64, target: String },
    #[error("failed to remove what is old: the lease of the site was taken away in between")]
    #[diagnostic(
        code(switchover::state::not_alone),
        help("what was removed was old, and the rest of it can be removed later")
    )]
    NotAlone,
    #[error("failed to write the state")]
    #[diagnostic(code(switchover::state::encode))]
    Encode(#[source] serde_json::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Journal(Box<JournalError>),
}

/// What is lost with a generation, and how to go on without it.
fn without(number: u64, is_last: bool) -> String {
    if is_last {
        format!(
            "restore the file from a backup; it is the last generation, which says which resources are ours. Without a \
             backup move the file away: then the generation before it counts, and what only {number} had added is taken \
             for somebody else's and left alone"
        )
    } else {
        "restore the file from a backup, or move it away; other generations can be used without it"
            .to_owned()
    }
}

fn needs(generations: &[u64]) -> String {
    match generations {
        [] => "no generation that can be read needs".to_owned(),
        [one] => format!("generation {one} needs"),
        many => format!("generations {} need", spans(many)),
    }
}

/// Ascending numbers for people: `1–3, 7`.
#[must_use]
pub fn spans(numbers: &[u64]) -> String {
    let mut text = String::new();
    for span in numbers.chunk_by(|before, after| before + 1 == *after) {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = match span {
            [first, .., last] => write!(text, "{comma}{first}–{last}"),
            [one] => write!(text, "{comma}{one}"),
            [] => Ok(()),
        };
    }
    text
}

impl From<JournalError> for StateError {
    fn from(error: JournalError) -> Self {
        Self::Journal(Box::new(error))
    }
}
