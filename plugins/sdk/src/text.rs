//! References inside text: `${secret:NAME}`, `${observed:QUERY#/pointer}`, `${step.NAME}`.
//!
//! The engine puts values in their place while sending. A literal `${` is therefore written `$${`, in both directions:
//! that is how one reaches a plugin inside an answer, and how a plugin must write one.

/// The reference to the value that a step captured under `name`.
#[must_use]
pub fn captured(name: &str) -> String {
    format!("${{step.{name}}}")
}

/// Text that means itself: every `${` doubled to `$${`. For text that is not from the topology or an answer, where
/// this has been done.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// Whether the text holds a reference: a `${` that is not a doubled one.
#[must_use]
pub fn has_reference(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if !rest[..at].ends_with('$') {
            return true;
        }
        rest = &rest[at + 2..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_no_reference() {
        for text in ["${secret:x}", "a${b}${c}", "$", "plain", "$${x}", "${"] {
            assert!(!has_reference(&literal(text)), "{text}");
        }
        assert!(has_reference("a ${secret:x}"));
        assert!(has_reference("$${x} ${y}"));
        assert!(!has_reference("$${x}"));
        assert!(has_reference(&captured("hash")));
    }
}
