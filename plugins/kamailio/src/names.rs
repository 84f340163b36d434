//! What can stand where in the file, and the words of its lines.

/// An extension or the name of a call group: it is a key of a table, bare in a line, and the user of a SIP address.
pub(crate) fn is_number(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+'))
}

/// A host name or an address: bare in a line, or in quotes.
pub(crate) fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':'))
}

/// A word inside a value of a table, whose parts a semicolon ends.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text
            .chars()
            .any(|letter| letter.is_control() || matches!(letter, '\'' | ';'))
}

/// What is between two equal quotes around all of the text.
pub(crate) fn quoted(text: &str, quote: char) -> Option<&str> {
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inside.contains(quote)).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, number, host, word) in [
            ("101", true, true, true),
            ("+39.0432-1", true, false, true),
            ("sales team", false, false, true),
            ("pbx1.acme.example", true, true, true),
            ("fe80::1", false, true, true),
            ("a;b", false, false, false),
            ("a'b", false, false, false),
            (" a", false, false, false),
            ("#1", false, false, true),
            ("", false, false, false),
        ] {
            assert_eq!(
                (is_number(name), is_host(name), is_word(name)),
                (number, host, word),
                "{name}"
            );
        }
    }

    #[test]
    fn quotes_are_all_around_or_not_there() {
        assert_eq!(quoted("'a\"b'", '\''), Some("a\"b"));
        assert_eq!(quoted("''", '\''), Some(""));
        for text in ["'", "a'", "'a", "'a'b'", ""] {
            assert_eq!(quoted(text, '\''), None, "{text}");
        }
    }
}
