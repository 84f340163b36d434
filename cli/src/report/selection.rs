//! `--only` and `--skip`: which rules a run reports.

use std::collections::BTreeSet;

use miette::Diagnostic as Explained;
use switchover_rules::rule;
use switchover_topology::{Diagnostic, Severity};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::rules::{Rule, Rules, begins_with};

/// Which rules a run reports. Rules that say that the topology cannot be understood are always among them: whatever else
/// is found, or not found, would prove nothing.
#[derive(Debug)]
pub(crate) struct Selection {
    only: Vec<Codes>,
    skip: Vec<Codes>,
    known: Rules,
}

/// A rule's code, or the beginning of several: `SW104`, `SW1`, `PROV`. At least one rule's code begins so.
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
    /// What the command line asks for. No `only` means every rule; `skip` takes away from what `only` chooses. Plugins
    /// are loaded only for what is none of switchover's own codes.
    pub(crate) fn new(only: &[String], skip: &[String]) -> Result<Self, Failure> {
        let known = Rules::default();
        let parse = |written: &[String]| -> Result<Vec<Codes>, Failure> {
            let codes = written.iter();
            codes.map(|text| Codes::new(text, &known)).collect()
        };
        let (only, skip) = (parse(only)?, parse(skip)?);
        // The beginning of several codes skips those of them that can be skipped.
        let refused = skip.iter().find_map(|codes| rule(&codes.0));
        if let Some(rule) = refused.filter(|rule| is_always_reported(rule)) {
            let error = SelectionError::NotSkippable {
                code: rule.code,
                summary: rule.summary,
            };
            return Err(Failure::new(Exit::Usage, error));
        }
        Ok(Self { only, skip, known })
    }

    /// Every rule, of these.
    #[cfg(test)]
    pub(crate) fn everything(known: Rules) -> Self {
        Self {
            only: Vec::new(),
            skip: Vec::new(),
            known,
        }
    }

    /// Switchover's own rules that are reported, by ascending code.
    pub(crate) fn own(&self) -> Vec<Rule<'static>> {
        let own = Rules::own();
        own.filter(|rule| self.reports(rule.code())).collect()
    }

    /// All rules that there are.
    pub(crate) const fn known(&self) -> &Rules {
        &self.known
    }

    /// The same, and those rules of plugins that these findings are of.
    pub(crate) fn rules(&self, findings: &[Diagnostic]) -> Result<Vec<Rule<'_>>, Failure> {
        let mut rules: Vec<Rule<'_>> = self.own();
        let codes = findings.iter().map(|finding| finding.code.as_str());
        let foreign: BTreeSet<&str> = codes.filter(|code| rule(code).is_none()).collect();
        if !foreign.is_empty() {
            let plugins = self.known.of_plugins()?;
            rules.extend(plugins.filter(|rule| foreign.contains(rule.code())));
        }
        Ok(rules)
    }

    /// The findings that are reported, in the order given.
    pub(crate) fn of(&self, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        findings.retain(|finding| self.reports(&finding.code));
        findings
    }

    fn reports(&self, code: &str) -> bool {
        let among = |codes: &[Codes]| codes.iter().any(|codes| begins_with(code, &codes.0));
        let chosen = (self.only.is_empty() || among(&self.only)) && !among(&self.skip);
        chosen || rule(code).is_some_and(is_always_reported)
    }
}

impl Codes {
    fn new(written: &str, known: &Rules) -> Result<Self, Failure> {
        let codes = written.trim();
        if known.any_begins_with(codes)? {
            return Ok(Self(codes.to_owned()));
        }
        let error = SelectionError::Unknown {
            written: written.chars().take(40).collect(),
            help: known.nearest(codes)?,
        };
        Err(Failure::new(Exit::Usage, error))
    }
}

/// Without what these ask for, the topology is not understood, and no acknowledgement can accept that either.
fn is_always_reported(rule: &switchover_rules::Rule) -> bool {
    rule.severity == Severity::Error && !rule.acknowledgeable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(only: &[&str], skip: &[&str]) -> Result<Selection, Failure> {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        Selection::new(&owned(only), &owned(skip))
    }

    fn codes(only: &[&str], skip: &[&str]) -> Vec<&'static str> {
        let selection = select(only, skip).expect("known codes");
        selection.own().iter().map(|rule| rule.code()).collect()
    }

    /// The code of the error.
    fn refused(only: &[&str], skip: &[&str]) -> Option<String> {
        let failure = select(only, skip).expect_err("cannot be chosen");
        assert_eq!(failure.exit, Exit::Usage);
        failure.told().code
    }

    #[test]
    fn without_a_choice_every_rule_is_reported() {
        assert_eq!(codes(&[], &[]).len(), switchover_rules::all().len());
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
    fn our_own_codes_load_no_plugin() {
        for (only, skip) in [(vec![], vec![]), (vec!["SW1", "s"], vec!["sw104"])] {
            let selection = select(&only, &skip).expect("known codes");
            assert!(!selection.known.is_loaded(), "{only:?} {skip:?}");
            selection.rules(&[]).expect("nothing to load");
            assert!(!selection.known.is_loaded(), "{only:?} {skip:?}");
        }
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
        let code = refused(&[], &["SW001"]);
        assert_eq!(code.as_deref(), Some("switchover::validate::not_skippable"));
    }

    #[test]
    fn unknown_codes_are_refused() {
        for written in ["SW9999", "sw9", "SW1011", "SW 101"] {
            let code = refused(&[written], &[]);
            let unknown = Some("switchover::validate::unknown_code");
            assert_eq!(code.as_deref(), unknown, "{written:?}");
        }
    }
}
