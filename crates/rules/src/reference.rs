use std::fmt::Write as _;

use switchover_topology::Severity;

use crate::registry::all;

const INTRODUCTION: &str = "\
# Rules

What `switchover validate` checks. An error fails validation, a warning is shown and fails under `--deny-warnings`.
The column *WMS* names the versions for which the vendor's guide in force states the rule. Where a later edition does
not repeat a limitation, the rule warns and says so. `switchover explain CODE` prints an explanation in the terminal.

Plugins check what only they can know about their servers. Their findings, such as `KEA001`, are explained in
[plugins](plugins.md), and by `switchover explain`, too.

";

/// The reference of all rules as one Markdown page, for `docs/rules.md`: links are relative to `docs/`.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("| code | name | severity | raised when | WMS | source |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for rule in all() {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let sources: Vec<String> = rule.sources.iter().map(ToString::to_string).collect();
        let (code, name, summary, wms, sources) = (
            rule.code,
            rule.name,
            rule.summary,
            rule.wms,
            sources.join("; "),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| [{code}](../crates/rules/explanations/{code}.md) | `{name}` | {severity} | {summary} | {wms} | {sources} |"
        );
    }
    page
}
