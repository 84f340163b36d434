//! Findings, each kind declared once.

use crate::{Basis, Finding, FindingKind, Severity};

/// One kind of finding. The manifest lists it, and each finding of the kind is made from it, so that both say the same.
///
/// ```
/// use switchover_sdk::{FindingKind, Rule, Severity};
///
/// const MOTD001: Rule = Rule::warning(
///     "MOTD001",
///     "no-pbx",
///     "the topology has no PBX",
///     "The file would be empty.\n\nTo fix it, declare a `pbx`.",
/// );
///
/// let finding = MOTD001.at("target/motd", "there is no PBX to write down");
/// assert_eq!((finding.code.as_str(), finding.severity), ("MOTD001", Severity::Warning));
/// assert_eq!(FindingKind::from(MOTD001).summary, "the topology has no PBX");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    code: &'static str,
    name: &'static str,
    severity: Severity,
    basis: Basis,
    summary: &'static str,
    explanation: &'static str,
}

impl Rule {
    /// A finding that refuses a plan. What the texts are, `finding-kind` in the contract says.
    #[must_use]
    pub const fn error(
        code: &'static str,
        name: &'static str,
        summary: &'static str,
        explanation: &'static str,
    ) -> Self {
        Self {
            code,
            name,
            severity: Severity::Error,
            basis: Basis::Topology,
            summary,
            explanation,
        }
    }

    /// A finding that is shown, and fails under `--deny-warnings`.
    #[must_use]
    pub const fn warning(
        code: &'static str,
        name: &'static str,
        summary: &'static str,
        explanation: &'static str,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, name, summary, explanation)
        }
    }

    /// A finding that only informs.
    #[must_use]
    pub const fn note(
        code: &'static str,
        name: &'static str,
        summary: &'static str,
        explanation: &'static str,
    ) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(code, name, summary, explanation)
        }
    }

    /// The same kind, raised by [`examine`](crate::Plugin::examine) from what the server answered, never by
    /// [`check`](crate::Plugin::check).
    #[must_use]
    pub const fn of_the_server(self) -> Self {
        Self {
            basis: Basis::Server,
            ..self
        }
    }

    /// A finding of this kind. `path` is a place in the topology, such as `network/voice/pool`.
    #[must_use]
    pub fn at(self, path: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            code: self.code.into(),
            name: self.name.into(),
            severity: self.severity,
            message: message.into(),
            help: None,
            path: path.into(),
        }
    }

    /// The kinds as a manifest lists them.
    #[must_use]
    pub fn declare(rules: &[Self]) -> Vec<FindingKind> {
        rules.iter().copied().map(FindingKind::from).collect()
    }
}

impl From<Rule> for FindingKind {
    fn from(rule: Rule) -> Self {
        Self {
            code: rule.code.into(),
            name: rule.name.into(),
            severity: rule.severity,
            basis: rule.basis,
            summary: rule.summary.into(),
            explanation: rule.explanation.trim().into(),
        }
    }
}
