//! The words of a line as dnsmasq reads it (`read_file` in its `option.c`): a comma parts them, quotes hide what is
//! between them, and inside quotes a backslash takes the next character's meaning. Outside it is a plain character.

use std::borrow::Cow;

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

impl Word {
    /// The word where it stands without quotes.
    pub(crate) fn bare(&self) -> Option<&str> {
        (!self.quoted).then_some(self.text.as_str())
    }

    /// Back to how it is written.
    pub(crate) fn written(&self) -> Cow<'_, str> {
        if self.quoted {
            Cow::Owned(quote(&self.text))
        } else {
            Cow::Borrowed(&self.text)
        }
    }
}

/// The words of what follows a `=`; none where it is not written as this plugin would: a quote that does not end, one
/// in the middle of a word, or a comment.
pub(crate) fn split(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    loop {
        let (word, after) = match rest.strip_prefix('"') {
            Some(inside) => unquote(inside)?,
            None => bare(rest)?,
        };
        words.push(word);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(words),
        }
    }
}

fn bare(text: &str) -> Option<(Word, &str)> {
    let (word, after) = text.split_at(text.find(',').unwrap_or(text.len()));
    if word.contains(['"', '#']) || word.trim() != word {
        return None;
    }
    let word = Word {
        text: word.into(),
        quoted: false,
    };
    Some((word, after))
}

fn unquote(text: &str) -> Option<(Word, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let word = Word {
                    text: out,
                    quoted: true,
                };
                return Some((word, &text[at + 1..]));
            }
            '\\' => match letters.clone().next()?.1 {
                escaped @ ('"' | '\\') => {
                    letters.next();
                    out.push(escaped);
                }
                't' => {
                    letters.next();
                    out.push('\t');
                }
                // The other escapes are never written here; a backslash before anything else is one.
                'n' | 'e' | 'b' | 'r' => return None,
                _ => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    None
}

/// A text in quotes. It must hold no control character but a tab.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Whether [`quote`] can write the text.
pub(crate) fn is_quotable(text: &str) -> bool {
    text.chars()
        .all(|letter| letter == '\t' || !letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(line: &str) -> Option<Vec<(String, bool)>> {
        let words = split(line)?;
        Some(
            words
                .into_iter()
                .map(|word| (word.text, word.quoted))
                .collect(),
        )
    }

    #[test]
    fn words_are_parted_at_commas_outside_of_quotes() {
        let word = |text: &str, quoted| (text.to_owned(), quoted);
        for (line, expected) in [
            ("a,b", vec![word("a", false), word("b", false)]),
            ("a,", vec![word("a", false), word("", false)]),
            (r#"66,"a,b""#, vec![word("66", false), word("a,b", true)]),
            (
                r#""a \"q\" \\ \t #x""#,
                vec![word("a \"q\" \\ \t #x", true)],
            ),
            (r#""","x""#, vec![word("", true), word("x", true)]),
            (r#""a\b""#, vec![]),
            (r#""a\c""#, vec![word("a\\c", true)]),
        ] {
            assert_eq!(
                written(line),
                (!expected.is_empty()).then_some(expected),
                "{line}"
            );
        }
        for line in [r#"a"b""#, r#""a"#, r#""a\"#, r#""a"b"#, "a #c", "a, b"] {
            assert_eq!(written(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(texts in proptest::collection::vec("[ -~\tä]{0,12}", 1..4)) {
            let line: Vec<String> = texts.iter().map(|text| quote(text)).collect();
            let words = split(&line.join(","));
            let back: Option<Vec<String>> = words.map(|words| words.into_iter().map(|word| word.text).collect());
            prop_assert_eq!(back, Some(texts));
        }

        #[test]
        fn words_are_written_as_they_were_read(line in "[a-c\",\\\\ #]{0,12}") {
            if let Some(words) = split(&line) {
                let again: Vec<String> = words.iter().map(|word| word.written().into_owned()).collect();
                prop_assert_eq!(split(&again.join(",")), Some(words));
            }
        }
    }
}
