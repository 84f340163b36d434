use switchover_catalogue::{DottedVersion, Edition, edition};
use switchover_topology::{Diagnostic, Related, Severity, Span};

use crate::registry::Rule;

/// What a rule found, and the node that it found it in.
///
/// The node is kept beside the diagnostic because a value may be written elsewhere (in `defaults`, in a base): an
/// acknowledgement counts where the node is.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) node: Span,
    pub(crate) diagnostic: Diagnostic,
}

/// Where a statement comes from that the edition in force for this WMS version does not repeat.
pub(crate) fn not_repeated(stated: &Edition, wms: &DottedVersion) -> String {
    let but_not = match edition(wms) {
        Some(in_force) => format!(", not repeated for WMS {}", in_force.name),
        None => String::new(),
    };
    format!(" (stated for WMS {}{but_not})", stated.name)
}

impl Finding {
    pub(crate) fn new(rule: &Rule, node: Span, span: Span, message: String) -> Self {
        let diagnostic = Diagnostic {
            code: rule.code.to_owned(),
            name: rule.name.to_owned(),
            severity: rule.severity,
            message,
            help: None,
            span: Some(span),
            label: None,
            related: Vec::new(),
            acknowledged: None,
        };
        Self { node, diagnostic }
    }

    /// Another weight than the rule's own, where the topology asks for it.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.diagnostic.severity = severity;
        self
    }

    /// What it rests on is stated by an earlier edition than the one in force: no source says that it still holds, and
    /// none that it does not, so it warns.
    pub(crate) fn not_repeated(mut self, stated: &Edition, wms: &DottedVersion) -> Self {
        self.diagnostic.severity = self.diagnostic.severity.max(Severity::Warning);
        self.diagnostic.message.push_str(&not_repeated(stated, wms));
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.diagnostic.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.diagnostic.related.push(Related {
            message: message.into(),
            span,
        });
        self
    }
}
