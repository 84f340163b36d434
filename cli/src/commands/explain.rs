//! `switchover explain`

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_rules::{Rule, all, rule};
use switchover_topology::Severity;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::markdown;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A rule's code, such as `SW104`.
    #[arg(value_name = "CODE")]
    code: String,
    /// How the explanation is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// Markdown, as written.
    Markdown,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("there is no rule `{code}`")]
#[diagnostic(code(switchover::explain::unknown_code))]
struct UnknownCode {
    code: String,
    #[help]
    help: String,
}

#[derive(Serialize)]
struct Explanation<'a> {
    format_version: &'static str,
    code: &'a str,
    name: &'a str,
    severity: Severity,
    summary: &'a str,
    wms: &'a str,
    sources: Vec<String>,
    explanation: &'a str,
}

/// Prints what a rule asks, why, and what to do.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(rule) = rule(&arguments.code) else {
        let error = UnknownCode {
            code: arguments.code.chars().take(40).collect(),
            help: nearest(&arguments.code),
        };
        return Err(Failure::new(Exit::Usage, error));
    };
    let text = match arguments.format {
        Format::Human => markdown::render(&page(rule), terminal.out),
        Format::Json => json(rule).map_err(Failure::json)?,
        Format::Markdown => rule.explanation.to_owned(),
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}

/// The explanation, with what the report shows of the rule below its heading.
fn page(rule: &Rule) -> String {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let (heading, text) = rule
        .explanation
        .trim()
        .split_once('\n')
        .unwrap_or((rule.explanation, ""));
    format!(
        "{heading}\n\nSeverity: {severity}. WMS: {}.\n{text}\n",
        rule.wms
    )
}

fn json(rule: &Rule) -> Result<String, serde_json::Error> {
    let explanation = Explanation {
        format_version: "1.0",
        code: rule.code,
        name: rule.name,
        severity: rule.severity,
        summary: rule.summary,
        wms: rule.wms,
        sources: rule.sources.iter().map(ToString::to_string).collect(),
        explanation: rule.explanation,
    };
    Ok(serde_json::to_string_pretty(&explanation)? + "\n")
}

/// Names the rules that were probably meant: by code, or by name.
pub(crate) fn nearest(asked: &str) -> String {
    let upper = asked.to_ascii_uppercase();
    let lower = asked.to_ascii_lowercase();
    let mut rules: Vec<(usize, &Rule)> = all()
        .iter()
        .map(|rule| {
            let by_name = if lower == rule.name {
                0
            } else {
                strsim::damerau_levenshtein(&lower, rule.name)
            };
            (
                strsim::damerau_levenshtein(&upper, rule.code).min(by_name),
                rule,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    rules.sort_by_key(|(distance, rule)| (*distance, rule.code));
    let closest = rules.first().map(|(distance, _)| *distance);
    let names: Vec<String> = rules
        .iter()
        .take_while(|(distance, _)| Some(*distance) == closest)
        .take(3)
        .map(|(_, rule)| format!("`{}` ({})", rule.code, rule.name))
        .collect();
    match names.as_slice() {
        [] => "codes are SW and three digits, such as `SW104`; `switchover validate` shows them"
            .to_owned(),
        [one] => format!("did you mean {one}?"),
        several => format!("did you mean one of {}?", several.join(", ")),
    }
}
