//! `validate --format json`: see `schemas/findings.schema.json`.

use serde::Serialize;
use switchover_topology::{Diagnostic, Related, Severity, Sources};

use crate::report::{Documents, Range, Tally};

/// The format of `validate --format json`.
const FORMAT_VERSION: &str = "1.0";

/// `validate --format json`. The order of members is part of the format.
#[derive(Serialize)]
struct Findings<'a> {
    format_version: &'static str,
    diagnostics: Vec<JsonFinding<'a>>,
    summary: JsonSummary,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    related: Vec<JsonRelated<'a>>,
    /// Null until the rules have a site.
    url: Option<&'a str>,
    acknowledged: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
}

/// Accepted findings are not counted.
#[derive(Serialize)]
struct JsonSummary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

/// Each finding as it stands in `diagnostics`, for documents that hold more than findings.
pub(crate) fn json_members(
    diagnostics: &[Diagnostic],
    sources: &Sources,
) -> Result<Vec<serde_json::Value>, serde_json::Error> {
    let documents = Documents::new(sources);
    diagnostics
        .iter()
        .map(|diagnostic| serde_json::to_value(json_finding(diagnostic, &documents)))
        .collect()
}

/// All findings as one JSON document with a final line break.
pub(crate) fn json(
    diagnostics: &[Diagnostic],
    sources: &Sources,
) -> Result<String, serde_json::Error> {
    let documents = Documents::new(sources);
    let tally = Tally::of(diagnostics);
    let findings = Findings {
        format_version: FORMAT_VERSION,
        diagnostics: diagnostics
            .iter()
            .map(|diagnostic| json_finding(diagnostic, &documents))
            .collect(),
        summary: JsonSummary {
            errors: tally.errors,
            warnings: tally.warnings,
            notes: tally.notes,
        },
    };
    let mut text = serde_json::to_string_pretty(&findings)?;
    text.push('\n');
    Ok(text)
}

fn json_finding<'a>(diagnostic: &'a Diagnostic, documents: &'a Documents<'_>) -> JsonFinding<'a> {
    let range = Range::of(diagnostic.span, documents);
    let related = diagnostic
        .related
        .iter()
        .filter_map(|Related { message, span }| {
            let at = Range::of(Some(*span), documents)?;
            Some(JsonRelated {
                message,
                file: at.file,
                line: at.start.line,
                column: at.start.column,
            })
        });
    JsonFinding {
        code: &diagnostic.code,
        name: &diagnostic.name,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        file: range.map(|range| range.file),
        line: range.map(|range| range.start.line),
        column: range.map(|range| range.start.column),
        end_line: range.map(|range| range.end.line),
        end_column: range.map(|range| range.end.column),
        related: related.collect(),
        url: None,
        acknowledged: diagnostic.acknowledged.as_deref(),
    }
}
