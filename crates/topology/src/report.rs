//! The findings about a document: one constructor a code, so that codes and names stand in one place.

use switchover_catalogue::mistyped;
pub(crate) use switchover_catalogue::nearest;

use crate::source::Span;
use crate::{Diagnostic, Related, Severity};

fn finding(
    code: &str,
    name: &str,
    severity: Severity,
    span: Option<Span>,
    message: String,
) -> Diagnostic {
    Diagnostic {
        code: code.to_owned(),
        name: name.to_owned(),
        severity,
        message,
        help: None,
        span,
        label: None,
        related: Vec::new(),
        acknowledged: None,
    }
}

/// SW001
pub(crate) fn syntax_error(span: Option<Span>, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW001",
        "syntax-error",
        Severity::Error,
        span,
        message.into(),
    )
}

/// SW002
pub(crate) fn unknown_name(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW002",
        "unknown-name",
        Severity::Error,
        Some(span),
        message.into(),
    )
}

/// SW003
pub(crate) fn bad_value(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW003",
        "bad-value",
        Severity::Error,
        Some(span),
        message.into(),
    )
}

/// SW004
pub(crate) fn duplicate(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW004",
        "duplicate",
        Severity::Error,
        Some(span),
        message.into(),
    )
    .help("keep one of the two, or change one")
}

/// SW005
pub(crate) fn unresolved_reference(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW005",
        "unresolved-reference",
        Severity::Error,
        Some(span),
        message.into(),
    )
}

/// SW006
pub(crate) fn include_failed(span: Option<Span>, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW006",
        "include-failed",
        Severity::Error,
        span,
        message.into(),
    )
}

/// SW008
pub(crate) fn clear_text_secret(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW008",
        "clear-text-secret",
        Severity::Error,
        Some(span),
        message.into(),
    )
}

/// SW009
pub(crate) fn unused_declaration(span: Span, message: impl Into<String>) -> Diagnostic {
    finding(
        "SW009",
        "unused-declaration",
        Severity::Warning,
        Some(span),
        message.into(),
    )
}

impl Diagnostic {
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related {
            message: message.into(),
            span,
        });
        self
    }
}

/// `did you mean …`, or else what there is to choose from, if that is not too long to read.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    match all_nearest(written, known.iter().copied()).as_slice() {
        [] => known_here(&known),
        names => Some(format!("did you mean {}?", either(names))),
    }
}

/// The known names that a mistyped one may stand for: several where they are equally near, but no more than anybody
/// compares.
pub(crate) fn all_nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    const MOST: usize = 3;
    let known: Vec<&str> = known.into_iter().collect();
    let Some(first) = nearest(written, known.iter().copied()) else {
        return Vec::new();
    };
    let distance = mistyped(written, first);
    let rest = known
        .into_iter()
        .filter(|name| *name != first && distance.is_some() && mistyped(written, name) == distance);
    std::iter::once(first).chain(rest).take(MOST).collect()
}

/// What there is to choose from, if that is not too long to read.
pub(crate) fn known_here(known: &[&str]) -> Option<String> {
    (1..=24)
        .contains(&known.len())
        .then(|| format!("known here: {}", listed(known)))
}

/// `a, b and c`, in the order given.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}

/// `a, b or c`, in the order given.
pub(crate) fn either(names: &[&str]) -> String {
    let names = listed(names);
    match names.rsplit_once(" and ") {
        Some((most, last)) => format!("{most} or {last}"),
        None => names,
    }
}

/// A text from the document, fit to stand in a message: cut where it is long, control characters made visible.
pub(crate) fn quoted(text: &str) -> String {
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(64).flat_map(visible).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("`{short}{more}`")
}

fn visible(letter: char) -> Vec<char> {
    if letter.is_control() {
        letter.escape_default().collect()
    } else {
        vec![letter]
    }
}

/// A sentence of somebody else's as a message here: a lower-case fragment.
pub(crate) fn as_fragment(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut letters = sentence.chars();
    match letters.next() {
        // `EOF` stays as it is.
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let known = ["voice", "data", "gäste"];
        for (written, near) in [
            ("voise", Some("voice")),
            ("VOICE", Some("voice")),
            ("vioce", Some("voice")),
            ("gaste", Some("gäste")),
            ("printers", None),
        ] {
            assert_eq!(nearest(written, known), near, "{written}");
        }
    }
}
