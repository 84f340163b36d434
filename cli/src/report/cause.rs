//! Which findings have one cause: what a single entry stands for in a report for people.

use switchover_topology::Diagnostic;

/// What findings of one cause share: the rule, its weight, and all words but the values of the place.
///
/// Messages quote the values of a place in backticks (its name, what is written there) and write what the rule knows
/// without: the model, the version, the limit. So devices of one model have one cause and those of another have
/// another, whatever they are called. Help and label differ by the same values only, or they say something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cause(String);

impl Cause {
    pub(super) fn of(finding: &Diagnostic) -> Self {
        let values: Vec<&str> = quoted(&finding.message).collect();
        let without = |text: &str| without(text, |value| values.contains(&value));
        let parts = [
            finding.code.clone(),
            format!("{:?}", finding.severity),
            without(&finding.message),
            without(finding.label.as_deref().unwrap_or_default()),
            without(finding.help.as_deref().unwrap_or_default()),
        ];
        Self(parts.join("\0"))
    }
}

/// What a text quotes.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let unpaired = !text.matches('`').count().is_multiple_of(2);
    let parts = if unpaired { "" } else { text }.split('`');
    parts.skip(1).step_by(2)
}

/// A text without those of its quoted values.
fn without(text: &str, is_left_out: impl Fn(&str) -> bool) -> String {
    let mut rest = String::with_capacity(text.len());
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            rest.push('`');
        }
        if at.is_multiple_of(2) || !is_left_out(part) {
            rest.push_str(part);
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use switchover_topology::Severity;

    use super::*;

    fn finding(message: &str, help: &str) -> Diagnostic {
        Diagnostic {
            code: "SW205".to_owned(),
            name: "signalling-not-encrypted".to_owned(),
            severity: Severity::Warning,
            message: message.to_owned(),
            help: Some(help.to_owned()),
            span: None,
            label: None,
            related: Vec::new(),
            acknowledged: None,
        }
    }

    fn cause(message: &str, help: &str) -> Cause {
        Cause::of(&finding(message, help))
    }

    #[test]
    fn devices_of_one_model_have_one_cause() {
        let first = cause(
            "`a` goes down: failover does not carry a W-AIR",
            "declare `year` of `a`",
        );
        let second = cause(
            "`b` goes down: failover does not carry a W-AIR",
            "declare `year` of `b`",
        );
        assert_eq!(first, second);
        let other = cause(
            "`b` goes down: failover does not carry a W04BRI",
            "declare `year` of `b`",
        );
        assert_ne!(first, other);
    }

    #[test]
    fn what_is_to_be_done_is_part_of_the_cause() {
        let first = cause("no network `voise`", "did you mean `voice`?");
        assert_eq!(first, cause("no network `voicee`", "did you mean `voice`?"));
        assert_ne!(first, cause("no network `dta`", "did you mean `data`?"));
    }

    #[test]
    fn weight_and_rule_are_part_of_the_cause() {
        let warning = finding("`a` is wrong", "");
        let mut error = warning.clone();
        error.severity = Severity::Error;
        assert_ne!(Cause::of(&warning), Cause::of(&error));
        let mut other = warning.clone();
        other.code = "SW206".to_owned();
        assert_ne!(Cause::of(&warning), Cause::of(&other));
    }

    #[test]
    fn a_lone_backtick_quotes_nothing() {
        assert_eq!(quoted("a ` b").count(), 0);
        assert_ne!(cause("it holds ` and a", ""), cause("it holds ` and b", ""));
        assert_eq!(quoted("`a` and `b`").collect::<Vec<_>>(), ["a", "b"]);
    }
}
