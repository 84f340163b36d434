use switchover_catalogue::{DottedVersion, Edition};
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

    /// What it rests on is stated for another WMS version than the one that it is about: no source says that it holds
    /// here, and none that it does not, so it warns.
    pub(crate) fn undocumented(mut self, edition: &Edition, wms: &DottedVersion) -> Self {
        self.diagnostic.severity = self.diagnostic.severity.max(Severity::Warning);
        self.diagnostic.message.push_str(&format!(
            " (stated for WMS {}; nothing is documented for WMS {wms})",
            edition.name
        ));
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
