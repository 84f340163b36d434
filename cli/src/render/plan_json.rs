//! A plan for programs: the plan file's own format, with a summary.

use serde::Serialize;
use switchover_engine::plan::{Plan, Summary};

#[derive(Serialize)]
struct PlanWithSummary<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    summary: Summary,
}

/// One JSON document, indented, with a final line break.
pub(crate) fn render(plan: &Plan) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&PlanWithSummary {
        plan,
        summary: plan.summary(),
    })?;
    text.push('\n');
    Ok(text)
}
