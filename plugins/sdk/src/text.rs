//! References inside text: `${secret:NAME}`, `${observed:QUERY#/pointer}`, `${step.NAME}`.
//!
//! The engine puts values in their place while sending. A run of `$` directly before a `{` is read in pairs: each pair
//! is one literal `$`, and a single one left over opens a reference. So a literal `${` is written `$${`, in both
//! directions: that is how one reaches a plugin inside an answer, and how a plugin must write one.

/// The reference to the value that a step captured under `name`.
#[must_use]
pub fn captured(name: &str) -> String {
    format!("${{step.{name}}}")
}

/// Text that means itself: every `$` of a run before a `{` doubled. For text that is not from the topology or an
/// answer, where this has been done.
#[must_use]
pub fn literal(text: &str) -> String {
    runs(text, |run| run * 2)
}

/// What a text without references means: the opposite of [`literal`].
#[must_use]
pub fn plain(text: &str) -> String {
    runs(text, |run| run.div_ceil(2))
}

/// Whether the text holds a reference: a `{` behind an odd number of `$`.
#[must_use]
pub fn has_reference(text: &str) -> bool {
    text.match_indices("${")
        .any(|(at, _)| dollars(&text[..=at]) % 2 == 1)
}

/// The text with each run of `$` directly before a `{` as long as `length` says.
fn runs(text: &str, length: impl Fn(usize) -> usize) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = rest.split_at(at + 1);
        let run = dollars(before);
        written.push_str(&before[..before.len() - run]);
        written.extend(std::iter::repeat_n('$', length(run)));
        rest = behind;
    }
    written.push_str(rest);
    written
}

/// How many `$` the text ends in.
fn dollars(text: &str) -> usize {
    text.len() - text.trim_end_matches('$').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_no_reference_and_means_itself() {
        for text in [
            "${secret:x}",
            "a${b}${c}",
            "$",
            "plain",
            "$${x}",
            "$$${x}",
            "${",
            "$$",
            "${${",
            "ü$${",
        ] {
            let written = literal(text);
            assert!(!has_reference(&written), "{text}");
            assert_eq!(plain(&written), text);
        }
    }

    #[test]
    fn dollars_before_a_brace_are_read_in_pairs() {
        for (text, reference) in [
            ("a ${secret:x}", true),
            ("$${x}", false),
            ("$$${x}", true),
            ("$${x} ${y}", true),
            ("$ {x}", false),
        ] {
            assert_eq!(has_reference(text), reference, "{text}");
        }
        assert!(has_reference(&captured("hash")));
        assert_eq!(literal("${a} $${b} $c"), "$${a} $$$${b} $c");
    }
}
