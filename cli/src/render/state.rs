//! Whether a site's state was found. A fresh checkout without it plans as if nothing had ever been applied, so that has to
//! be seen before anything else.

use std::fmt::Write as _;

use anstyle::AnsiColor;
use serde::Serialize;

use crate::render::text::{markdown_safe, visible};
use crate::terminal::Look;

/// Where a site's state is, and whether a generation is recorded there. Without one, nothing counts as ours: journals and
/// the audit log say what was tried, not what is there.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct StateFound<'a> {
    /// As the topology, or the command line, names it.
    place: &'a str,
    pub(crate) found: bool,
}

impl<'a> StateFound<'a> {
    /// `generation` is the last one that is recorded there.
    pub(crate) const fn new(place: &'a str, generation: Option<u64>) -> Self {
        Self {
            place,
            found: generation.is_some(),
        }
    }

    /// One line, where there is no state.
    pub(crate) fn human(&self, look: Look) -> String {
        let mut text = String::new();
        if !self.found {
            let style = match look.color {
                true => AnsiColor::Yellow.on_default(),
                false => anstyle::Style::new(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{style}{}{style:#}{CONSEQUENCE}",
                visible(&format!("no state found at {}", self.place))
            );
        }
        text
    }

    /// The same line above a plan, apart from its targets.
    pub(crate) fn above(&self, plan: &str, look: Look) -> String {
        let line = self.human(look);
        let gap = if line.is_empty() || plan.lines().count() == 1 {
            ""
        } else {
            "\n"
        };
        format!("{line}{gap}{plan}")
    }

    /// One paragraph, where there is no state.
    pub(crate) fn markdown(&self) -> String {
        if self.found {
            return String::new();
        }
        let place = markdown_safe(self.place);
        format!("\n**no state found at {place}**{CONSEQUENCE}\n")
    }
}

const CONSEQUENCE: &str = ": nothing counts as ours, so nothing can be removed";
