//! What somebody has to know before reading what would change: both formats for people show it before the targets.

use switchover_engine::Plan;

/// One short notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Names it, in bold: `partial`.
    pub(crate) word: &'static str,
    /// One sentence; what stands between backticks is code.
    pub(crate) text: String,
}

impl Notice {
    fn new(word: &'static str, text: impl Into<String>) -> Self {
        Self {
            word,
            text: text.into(),
        }
    }
}

/// Everything that is said before the targets of a plan, what matters most first. A new notice is added here, and every
/// place that shows plans has it.
pub(crate) fn of_plan(plan: &Plan) -> Vec<Notice> {
    let mut notices = Vec::new();
    if !plan.left_out.is_empty() {
        let names = plan.left_out.iter().map(|left_out| left_out.name.as_str());
        notices.push(Notice::new("partial", format!("left out {}", all(names))));
    }
    let mut skipped = plan.skipped_turns().peekable();
    if skipped.peek().is_some() {
        let names = all(skipped.map(|left_out| left_out.name.as_str()));
        notices.push(Notice::new(
            "out of turn",
            format!(
                "{names} would come first: what is changed here may point at something that is not there yet"
            ),
        ));
    }
    for large in &plan.large {
        notices.push(Notice::new(
            "large change",
            format!("{large}; `apply` needs `--allow-large-change`"),
        ));
    }
    if let Some(number) = plan.rolled_back_to {
        notices.push(Notice::new(
            "rolled back before",
            format!(
                "this topology was rolled back to generation {number}; `apply` would do again what was undone then"
            ),
        ));
    }
    if let Some(rejection) = &plan.rejected {
        notices.push(Notice::new(
            "rejected",
            format!("{rejection}; `apply` needs `--allow-rejected`"),
        ));
    }
    notices
}

fn all<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
