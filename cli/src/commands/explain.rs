//! `switchover explain`

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_plugin_host::wit::Basis;
use switchover_topology::Severity;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::markdown;
use crate::rules::{Rule, Rules};
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Code of a rule or of a plugin's finding, such as `SW104` or `KEA001`.
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
    #[serde(flatten)]
    origin: Origin<'a>,
    explanation: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Origin<'a> {
    Own {
        wms: &'a str,
        sources: Vec<String>,
    },
    Plugin {
        plugin: PluginOrigin<'a>,
        /// `server`: `validate` cannot raise it.
        basis: &'static str,
    },
}

#[derive(Serialize)]
struct PluginOrigin<'a> {
    name: &'a str,
    version: &'a str,
}

/// Prints what a rule asks, why, and what to do.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let rules = Rules::default();
    let code = arguments.code.trim();
    let Some(rule) = rules.find(code)? else {
        let error = UnknownCode {
            code: code.chars().take(40).collect(),
            help: rules.nearest(code)?,
        };
        return Err(Failure::new(Exit::Usage, error));
    };
    let text = match arguments.format {
        Format::Human => markdown::render(&rule.page(1), terminal.out),
        Format::Json => json(rule).map_err(Failure::json)?,
        Format::Markdown => rule.explanation().into_owned(),
    };
    terminal.data(&text)?;
    Ok(Exit::Done)
}

fn json(rule: Rule<'_>) -> Result<String, serde_json::Error> {
    let origin = match rule {
        Rule::Own(rule) => Origin::Own {
            wms: rule.wms,
            sources: rule.sources.iter().map(ToString::to_string).collect(),
        },
        Rule::Plugin(plugin, kind) => Origin::Plugin {
            plugin: PluginOrigin {
                name: plugin.name(),
                version: plugin.version(),
            },
            basis: match kind.basis {
                Basis::Topology => "topology",
                Basis::Server => "server",
            },
        },
    };
    let explanation = Explanation {
        format_version: "1.0",
        code: rule.code(),
        name: rule.name(),
        severity: rule.severity(),
        summary: &rule.summary(),
        origin,
        explanation: &rule.explanation(),
    };
    Ok(serde_json::to_string_pretty(&explanation)? + "\n")
}
