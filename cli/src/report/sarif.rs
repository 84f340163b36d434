//! `validate --format sarif`: SARIF 2.1.0, which GitHub, GitLab and editors read.
//!
//! Only what is known is said: a page on the web only of a build whose package names its repository, and no place in the file
//! system for `%SRCROOT%`, which is wherever the reader has checked the files out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use switchover_topology::Diagnostic;
use url::Url;

use crate::failure::Failure;
use crate::render::markdown;
use crate::report::{Documents, Occurrences, Range, Report, place, word};
use crate::rules::Rule;
use crate::terminal::Look;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const ROOT: &str = "%SRCROOT%";

/// The key of our fingerprint: another recipe gets another number. It is none of the names that GitHub computes itself,
/// where it would warn of a value other than its own.
const FINGERPRINT: &str = "switchoverFinding/v1";

/// Where this version is published; empty where the package does not say.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How the plain text of an explanation is laid out.
const PLAIN: Look = Look {
    width: 100,
    color: false,
    terminal: false,
    unicode: true,
};

/// One log with one run, with a final line break.
pub(crate) fn sarif(report: &Report<'_>) -> Result<String, Failure> {
    let rules = report.selection.rules(report.diagnostics)?;
    let documents = Documents::new(report.sources);
    let mut seen = Occurrences::default();
    let results = report
        .diagnostics
        .iter()
        .map(|diagnostic| finding(diagnostic, report, &rules, &documents, &mut seen))
        .collect();
    let driver = Driver {
        name: "switchover",
        version: VERSION,
        semantic_version: VERSION,
        information_uri: page_of(REPOSITORY),
        rules: rules.iter().map(|rule| described(*rule)).collect(),
    };
    let description = Text::new("the folder in which switchover was run");
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            invocations: [Invocation {
                execution_successful: true,
            }],
            original_uri_base_ids: BTreeMap::from([(ROOT, Base { description })]),
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    let mut text = serde_json::to_string_pretty(&log).map_err(Failure::json)?;
    text.push('\n');
    Ok(text)
}

fn described(rule: Rule<'_>) -> RuleDescription<'_> {
    let summary = sentence(&rule.summary());
    let full = match rule {
        Rule::Own(own) => {
            let sources: Vec<String> = own.sources.iter().map(ToString::to_string).collect();
            let sources = sources.join("; ");
            let sources = sources.trim_end_matches('.');
            format!("{summary}. {} Source: {sources}.", rule.origin())
        }
        Rule::Plugin(..) => format!("{summary}. {}", rule.origin()),
    };
    let markdown = rule.explanation();
    RuleDescription {
        id: rule.code(),
        name: rule.name(),
        help_uri: explanation_of(REPOSITORY, rule),
        short_description: Text::new(summary),
        full_description: Text::new(full),
        help: Help {
            text: markdown::render(&markdown, PLAIN),
            markdown,
        },
        default_configuration: Configuration {
            level: word(rule.severity()),
        },
    }
}

fn page_of(repository: &str) -> Option<&str> {
    (!repository.is_empty()).then_some(repository)
}

/// A rule's explanation as this version has it.
fn explanation_of(repository: &str, rule: Rule<'_>) -> Option<String> {
    let page = page_of(repository)?.trim_end_matches('/');
    let (folder, code) = match rule {
        Rule::Own(own) => ("crates/rules".to_owned(), own.code),
        Rule::Plugin(plugin, kind) => (format!("plugins/{}", plugin.name()), kind.code.as_str()),
    };
    Some(format!(
        "{page}/blob/v{VERSION}/{folder}/explanations/{code}.md"
    ))
}

fn finding<'a>(
    diagnostic: &'a Diagnostic,
    report: &Report<'_>,
    rules: &[Rule<'_>],
    documents: &'a Documents<'_>,
    seen: &mut Occurrences<(&'a str, &'a str, &'a str)>,
) -> Finding<'a> {
    let rule_index = rules.iter().position(|rule| rule.code() == diagnostic.code);
    let location = match Range::of(diagnostic.span, documents) {
        Some(range) => PhysicalLocation::new(&range),
        // GitHub takes no result without a line.
        None => PhysicalLocation {
            artifact_location: Artifact::new(&report.topology),
            region: Region::default(),
        },
    };
    let related = diagnostic.related.iter().enumerate();
    let related = related.filter_map(|(id, related)| {
        let range = Range::of(Some(related.span), documents)?;
        Some(Location {
            id: Some(id),
            physical_location: PhysicalLocation::new(&range),
            message: Some(Text::new(literal(&related.message))),
        })
    });
    let suppressions = diagnostic
        .acknowledged
        .as_deref()
        .map(|justification| Suppression {
            kind: "inSource",
            status: "accepted",
            justification,
        });
    Finding {
        rule_id: &diagnostic.code,
        rule_index,
        level: word(diagnostic.severity),
        message: Text::new(literal(&message(diagnostic))),
        locations: [Location {
            id: None,
            physical_location: location,
            message: None,
        }],
        related_locations: related.collect(),
        partial_fingerprints: BTreeMap::from([(
            FINGERPRINT,
            fingerprint(diagnostic, documents, seen),
        )]),
        suppressions: suppressions.into_iter().collect(),
    }
}

/// Sentences: where there is no room, viewers show the first one only.
fn message(diagnostic: &Diagnostic) -> String {
    let mut text = sentence(&diagnostic.message);
    if let Some(help) = &diagnostic.help {
        let end = if text.ends_with(['.', '?', '!']) {
            ""
        } else {
            "."
        };
        text = format!("{text}{end}\nHelp: {help}");
    }
    text
}

/// A fragment with a capital letter, unless it begins with a name or a value.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Text that a viewer must not read as a link, `[text](target)`.
fn literal(text: &str) -> String {
    if !text.contains("](") {
        return text.to_owned();
    }
    text.replace('\\', r"\\")
        .replace('[', r"\[")
        .replace(']', r"\]")
}

/// The same for as long as the same thing is written in the same file, wherever it moves.
fn fingerprint<'a>(
    diagnostic: &'a Diagnostic,
    documents: &'a Documents<'_>,
    seen: &mut Occurrences<(&'a str, &'a str, &'a str)>,
) -> String {
    let (file, written) = place(diagnostic.span, documents).map_or(("", ""), |(document, span)| {
        (document.name(), document.text_at(span))
    });
    let occurrence = seen.next((&diagnostic.code, file, written));
    let mut hash = Sha256::new();
    for part in [&diagnostic.code, file, written] {
        // Lengths keep the parts apart.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest: String = hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{digest}:{occurrence}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    column_kind: &'static str,
    results: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<&'static str>,
    rules: Vec<RuleDescription<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleDescription<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    short_description: Text,
    full_description: Text,
    help: Help<'a>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Help<'a> {
    text: String,
    markdown: Cow<'a, str>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Serialize)]
struct Base {
    description: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    /// Empty says that it is not suppressed; none would say that nobody knows.
    suppressions: Vec<Suppression<'a>>,
}

#[derive(Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    justification: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    region: Region,
}

impl PhysicalLocation {
    fn new(range: &Range<'_>) -> Self {
        Self {
            artifact_location: Artifact::new(range.file),
            region: Region {
                start_line: range.start.line,
                start_column: range.start.column,
                end_line: range.end.line,
                end_column: range.end.column,
            },
        }
    }
}

/// Both ends count from 1; the end column is the one after the last, as ours is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// The beginning of a file.
impl Default for Region {
    fn default() -> Self {
        Self {
            start_line: 1,
            start_column: 1,
            end_line: 1,
            end_column: 1,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl Artifact {
    /// Relative to the working directory where the file is below it, else its whole place.
    fn new(name: &str) -> Self {
        let path = Path::new(name);
        let below = path
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if below && let Ok(url) = Url::from_file_path(Path::new("/").join(path)) {
            // A colon in the first segment would end a scheme.
            let uri = url.path().trim_start_matches('/').replace(':', "%3A");
            return Self {
                uri,
                uri_base_id: Some(ROOT),
            };
        }
        let absolute = std::path::absolute(path).ok();
        let url = absolute.and_then(|path| Url::from_file_path(path).ok());
        Self {
            uri: url.map_or_else(String::new, String::from),
            uri_base_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use switchover_plugin_host::{Host, HostConfig};
    use switchover_topology::{Severity, Sources};

    use super::*;
    use crate::report::Selection;
    use crate::rules::Rules;
    use crate::{commands, session};

    #[test]
    fn files_below_are_relative_and_encoded() {
        for (name, uri) in [
            ("site/switchover.kdl", "site/switchover.kdl"),
            ("./a b%.kdl", "a%20b%25.kdl"),
            ("süd:#1?.kdl", "s%C3%BCd%3A%231%3F.kdl"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            let artifact = Artifact::new(name);
            assert_eq!(
                (artifact.uri.as_str(), artifact.uri_base_id),
                (uri, Some(ROOT))
            );
        }
    }

    #[test]
    fn files_elsewhere_are_named_whole() {
        let artifact = Artifact::new("/etc/a b.kdl");
        assert_eq!(
            (artifact.uri.as_str(), artifact.uri_base_id),
            ("file:///etc/a%20b.kdl", None)
        );
        let artifact = Artifact::new("../shared.kdl");
        assert!(artifact.uri.starts_with("file:///"), "{}", artifact.uri);
        assert!(artifact.uri_base_id.is_none());
    }

    #[test]
    fn pages_are_named_where_there_are_any() {
        let rule = Rule::Own(&switchover_rules::all()[0]);
        assert_eq!(
            explanation_of(
                "https://git.example/switchover/",
                Rule::Own(&switchover_rules::all()[0])
            ),
            Some(format!(
                "https://git.example/switchover/blob/v{VERSION}/crates/rules/explanations/SW001.md"
            ))
        );
        assert_eq!((page_of(""), explanation_of("", rule)), (None, None));
    }

    #[test]
    fn a_message_holds_no_link() {
        assert_eq!(literal("[a](http://b)"), r"\[a\](http://b)");
        assert_eq!(literal("pool [1]"), "pool [1]");
    }

    fn found(code: &str) -> Diagnostic {
        Diagnostic {
            code: code.into(),
            name: "no-template".into(),
            severity: Severity::Warning,
            message: "the file format is not known".into(),
            help: None,
            span: None,
            label: None,
            related: Vec::new(),
            acknowledged: None,
        }
    }

    #[test]
    fn rules_of_plugins_are_described_where_they_were_found() {
        let config = HostConfig {
            cache: None,
            ..HostConfig::default()
        };
        let host = Host::new(config).expect("a host");
        let plugins = session::bundled();
        let name = "provisioning";
        let plugin = commands::plugin::load(&host, &plugins, name).expect("a plugin");
        let selection = Selection::everything(Rules::with(vec![plugin]));
        // One of a plugin that does not come with the command has a result, and nothing is known of its rule.
        let diagnostics = ["PROV003", "PROV001", "PROV003", "OTHER001"].map(found);
        let report = Report {
            diagnostics: &diagnostics,
            sources: &Sources::default(),
            selection: &selection,
            topology: "site.kdl".into(),
            deny_warnings: false,
            each: true,
        };
        let log: serde_json::Value =
            serde_json::from_str(&sarif(&report).expect("a log")).expect("JSON");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let own = switchover_rules::all().len();
        let ids: Vec<_> = rules[own..].iter().map(|rule| &rule["id"]).collect();
        assert_eq!(ids, ["PROV001", "PROV003"]);
        insta::assert_snapshot!(format!("{:#}", rules[own + 1]));
        let indexes = run["results"].as_array().expect("results").iter();
        let indexes: Vec<_> = indexes.map(|result| result["ruleIndex"].as_u64()).collect();
        let at = |place: usize| u64::try_from(own + place).ok();
        assert_eq!(indexes, [at(1), at(0), at(1), None]);
    }
}
