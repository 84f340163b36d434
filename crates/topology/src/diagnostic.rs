use crate::source::Span;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fails validation.
    Error,
    /// Shown; fails under `--deny-warnings`.
    Warning,
    /// Feeds the impact report.
    Note,
}

/// A place that helps to understand a finding, with what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What is there, such as `main PBX declared here`.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// One finding about a topology, from the language, a rule or a plugin: the only kind of finding there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `SW104`, or a plugin's own code.
    pub code: String,
    /// Kebab-case name, such as `failover-vm-too-small`.
    pub name: String,
    /// Its weight.
    pub severity: Severity,
    /// What is wrong, with the values in it; a lower-case fragment without a final full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// The most specific value at fault; none where no text exists to point at (a file that cannot be read).
    pub span: Option<Span>,
    /// Short text shown at the span.
    pub label: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
    /// The reason given in an `acknowledge` that accepts this finding.
    pub acknowledged: Option<String>,
}

/// The order of a report: by file and position, then code. Findings without a place come first.
#[must_use]
pub fn in_report_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| (a.span, &a.code, &a.message).cmp(&(b.span, &b.code, &b.message)));
    diagnostics.dedup();
    diagnostics
}
