//! The words of a statement as dhcpd reads them (`conflex.c`): white space and comments part them, some characters
//! stand for themselves, and inside quotes a backslash takes the next character's meaning.

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A keyword, a name, a number, an address.
    Bare(String),
    /// What is between quotes, without its escapes.
    Text(String),
    /// A character that stands for itself.
    Mark(char),
}

const MARKS: [char; 9] = ['{', '}', ';', ',', '=', '(', ')', '<', '>'];

impl Word {
    /// Whether this is the keyword, which dhcpd takes in either case.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn bare(&self) -> Option<&str> {
        match self {
            Self::Bare(word) => Some(word),
            Self::Text(_) | Self::Mark(_) => None,
        }
    }

    /// A name, which may stand in quotes or without.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Bare(text) | Self::Text(text) => Some(text),
            Self::Mark(_) => None,
        }
    }

    pub(crate) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.bare()?.parse().ok()
    }
}

/// The words of a piece of configuration; none where a text does not end or is no UTF-8.
pub(crate) fn words(source: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = match letter {
            '#' => after.split_once('\n').map_or("", |(_, after)| after),
            '"' => {
                let (text, after) = unquote(after)?;
                words.push(Word::Text(text));
                after
            }
            _ if MARKS.contains(&letter) => {
                words.push(Word::Mark(letter));
                after
            }
            _ if letter.is_ascii_whitespace() => after,
            _ => {
                let ends = |letter: char| {
                    letter.is_ascii_whitespace()
                        || matches!(letter, '"' | '#')
                        || MARKS.contains(&letter)
                };
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                words.push(Word::Bare(word.into()));
                after
            }
        };
    }
    Some(words)
}

/// The text up to the closing quote, and what is behind it.
fn unquote(source: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut letters = source.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((String::from_utf8(bytes).ok()?, &source[at + 1..])),
            '\\' => match letters.next()?.1 {
                't' => bytes.push(b'\t'),
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                'b' => bytes.push(8),
                first @ '0'..='3' => {
                    let mut digits = String::from(first);
                    while digits.len() < 3
                        && let Some((_, digit @ '0'..='7')) = letters.clone().next()
                    {
                        letters.next();
                        digits.push(digit);
                    }
                    bytes.push(u8::from_str_radix(&digits, 8).ok()?);
                }
                // Hexadecimal is never written here, and dhcpd takes one or two digits for it.
                'x' => return None,
                other => push(&mut bytes, other),
            },
            other => push(&mut bytes, other),
        }
    }
    None
}

fn push(bytes: &mut Vec<u8>, letter: char) {
    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A text in quotes. It must hold no NUL.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            // Three digits, so that a digit behind it is not taken for a part of it.
            control if control.is_ascii_control() => {
                out.push_str(&format!("\\{:03o}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Words as they are written on one line.
pub(crate) fn written(words: &[Word]) -> String {
    let mut out = String::new();
    let mut joined = true;
    for word in words {
        let closes = matches!(word, Word::Mark(',' | ')' | ';'));
        if !joined && !closes && !matches!(word, Word::Mark('(')) {
            out.push(' ');
        }
        match word {
            Word::Bare(word) => out.push_str(word),
            Word::Text(text) => out.push_str(&quote(text)),
            Word::Mark(mark) => out.push(*mark),
        }
        joined = matches!(word, Word::Mark('('));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_parted_as_dhcpd_parts_them() {
        let bare = |word: &str| Word::Bare(word.into());
        for (source, expected) in [
            ("a b\tc", vec![bare("a"), bare("b"), bare("c")]),
            ("a # \"b\n c", vec![bare("a"), bare("c")]),
            (
                "option x \"a b\\\"\\\\\\303\\274\\t\";",
                vec![
                    bare("option"),
                    bare("x"),
                    Word::Text("a b\"\\ü\t".into()),
                    Word::Mark(';'),
                ],
            ),
            (
                "f(a,1)=9c:75:14",
                vec![
                    bare("f"),
                    Word::Mark('('),
                    bare("a"),
                    Word::Mark(','),
                    bare("1"),
                    Word::Mark(')'),
                    Word::Mark('='),
                    bare("9c:75:14"),
                ],
            ),
        ] {
            assert_eq!(words(source), Some(expected), "{source}");
        }
        for source in ["\"a", "\"a\\", "\"\\377\"", "\"\\x41\""] {
            assert_eq!(words(source), None, "{source}");
        }
    }

    #[test]
    fn words_are_written_as_a_person_would() {
        let line = "if substring(hardware, 1, 3) = 9c:75:14 or not known";
        assert_eq!(
            written(&words(&line.replace(' ', "  ")).expect("words")),
            line
        );
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(text in "[ -~\u{1}-\u{1f}äß0-9]{0,20}") {
            prop_assert_eq!(words(&quote(&text)), Some(vec![Word::Text(text)]));
        }

        #[test]
        fn what_is_written_has_the_same_words(source in "[a-c\"{};,=()# \\\\1]{0,20}") {
            if let Some(read) = words(&source) {
                prop_assert_eq!(words(&written(&read)), Some(read));
            }
        }
    }
}
