//! A plan for programs: the plan file's own format, with a summary and what was found about the topology.

use serde::Serialize;
use switchover_engine::PlanDigest;
use switchover_engine::plan::{Plan, Summary};

use switchover_topology::{Diagnostic, Sources};

use crate::plan_file::Kept;
use crate::render::state::StateFound;
use crate::report;

#[derive(Serialize)]
struct PlanWithSummary<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    state: StateFound<'a>,
    summary: Summary,
    /// As `validate --format json` has them.
    diagnostics: Vec<serde_json::Value>,
    /// Of the file in which the plan is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a PlanDigest>,
}

/// One JSON document, indented, with a final line break.
pub(crate) fn render(
    plan: &Plan,
    state: StateFound<'_>,
    findings: (&[Diagnostic], &Sources),
    kept: Option<&Kept>,
) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&PlanWithSummary {
        plan,
        state,
        summary: plan.summary(),
        diagnostics: report::json_members(findings.0, findings.1)?,
        digest: kept.map(|kept| &kept.digest),
    })?;
    text.push('\n');
    Ok(text)
}
