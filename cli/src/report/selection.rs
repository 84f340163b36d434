//! `--only` and `--skip`: which rules a run reports.

use miette::Diagnostic as Explained;
use switchover_rules::{Rule, all, rule};
use switchover_topology::{Diagnostic, Severity};

use crate::commands::explain;

/// Which rules a run reports. Rules that say that the topology cannot be understood are always among them: whatever else
/// is found, or not found, would prove nothing.
#[derive(Debug)]
pub(crate) struct Selection {
    only: Vec<Codes>,
    skip: Vec<Codes>,
}

/// A rule's code, or the beginning of several: `SW104`, `SW1`. At least one rule's code begins so.
#[derive(Debug)]
struct Codes(String);

/// Codes that cannot be chosen so.
#[derive(Debug, thiserror::Error, Explained)]
pub(crate) enum SelectionError {
    #[error("no rule has a code that is or begins with `{written}`")]
    #[diagnostic(code(switchover::validate::unknown_code))]
    Unknown {
        written: String,
        #[help]
        help: String,
    },
    #[error("{code} cannot be skipped")]
    #[diagnostic(
        code(switchover::validate::not_skippable),
        help(
            "repair what it reports ({summary}); a topology that is not understood cannot be judged"
        )
    )]
    NotSkippable {
        code: &'static str,
        summary: &'static str,
    },
}

impl Selection {
    /// What the command line asks for. No `only` means every rule; `skip` takes away from what `only` chooses.
    pub(crate) fn new(only: &[String], skip: &[String]) -> Result<Self, SelectionError> {
        let parse = |written: &[String]| -> Result<Vec<Codes>, SelectionError> {
            written.iter().map(|text| Codes::new(text)).collect()
        };
        let selection = Self {
            only: parse(only)?,
            skip: parse(skip)?,
        };
        // The beginning of several codes skips those of them that can be skipped.
        let refused = selection.skip.iter().find_map(|codes| rule(&codes.0));
        match refused.filter(|rule| is_always_reported(rule)) {
            Some(rule) => Err(SelectionError::NotSkippable {
                code: rule.code,
                summary: rule.summary,
            }),
            None => Ok(selection),
        }
    }

    /// The rules that are reported, by ascending code.
    pub(crate) fn rules(&self) -> Vec<&'static Rule> {
        all()
            .iter()
            .filter(|rule| self.reports(rule.code))
            .collect()
    }

    /// The findings that are reported, in the order given.
    pub(crate) fn of(&self, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        findings.retain(|finding| self.reports(&finding.code));
        findings
    }

    fn reports(&self, code: &str) -> bool {
        let among = |codes: &[Codes]| codes.iter().any(|codes| codes.cover(code));
        let chosen = (self.only.is_empty() || among(&self.only)) && !among(&self.skip);
        chosen || rule(code).is_some_and(is_always_reported)
    }
}

impl Codes {
    fn new(written: &str) -> Result<Self, SelectionError> {
        let codes = Self(written.trim().to_ascii_uppercase());
        if !codes.0.is_empty() && all().iter().any(|rule| codes.cover(rule.code)) {
            return Ok(codes);
        }
        Err(SelectionError::Unknown {
            written: written.chars().take(40).collect(),
            help: explain::nearest(written.trim()),
        })
    }

    fn cover(&self, code: &str) -> bool {
        code.get(..self.0.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(&self.0))
    }
}

/// Without what these ask for, the topology is not understood, and no acknowledgement can accept that either.
fn is_always_reported(rule: &Rule) -> bool {
    rule.severity == Severity::Error && !rule.acknowledgeable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(only: &[&str], skip: &[&str]) -> Vec<&'static str> {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let selection = Selection::new(&owned(only), &owned(skip)).expect("known codes");
        selection.rules().iter().map(|rule| rule.code).collect()
    }

    #[test]
    fn without_a_choice_every_rule_is_reported() {
        assert_eq!(codes(&[], &[]).len(), all().len());
    }

    #[test]
    fn a_beginning_chooses_all_that_begin_so() {
        let chosen = codes(&["sw10"], &["SW101"]);
        assert!(chosen.contains(&"SW104"), "{chosen:?}");
        assert!(
            !chosen.contains(&"SW101") && !chosen.contains(&"SW009"),
            "{chosen:?}"
        );
    }

    #[test]
    fn what_cannot_be_understood_is_reported_in_any_case() {
        for chosen in [codes(&["SW101"], &[]), codes(&[], &["SW"])] {
            assert!(
                chosen.contains(&"SW001") && chosen.contains(&"SW003"),
                "{chosen:?}"
            );
        }
        assert!(!codes(&[], &["SW0"]).contains(&"SW009"));
        let named = Selection::new(&[], &["SW001".to_owned()]);
        assert!(matches!(
            named,
            Err(SelectionError::NotSkippable { code: "SW001", .. })
        ));
    }

    #[test]
    fn unknown_codes_are_refused() {
        for written in ["", " ", "SW9999", "é", "S\u{301}W", "wms-too-old", "SW1011"] {
            let refused = Selection::new(&[written.to_owned()], &[]);
            assert!(
                matches!(refused, Err(SelectionError::Unknown { .. })),
                "{written:?}"
            );
        }
    }
}
