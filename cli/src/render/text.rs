//! Small pieces of text for people: sizes, counts, and foreign characters made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;

/// GitHub refuses comments of more than 65 536 characters. What a workflow adds, such as a mark by which it finds its own
/// comment again, has room beside this many.
pub(crate) const COMMENT_LIMIT: usize = 65_000;

/// Text of a server or a file, safe to show: characters that steer a terminal, or turn the direction of writing, are
/// shown as their escapes.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    fn steers(character: char) -> bool {
        (character.is_control() && character != '\t')
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if steers(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// How a sentence is wrapped: between words, never inside a name or a path, and not inside code, which is copied as a
/// whole.
pub(crate) const WORDS: textwrap::WordSeparator = textwrap::WordSeparator::Custom(words);

/// Longer code has to end somewhere.
const LONGEST_CODE: usize = 60;

/// Code stands between backticks, or in a colour.
fn words(line: &str) -> Box<dyn Iterator<Item = textwrap::core::Word<'_>> + '_> {
    // An empty line has an indent, too, which is drawn with a word.
    if line.is_empty() {
        return Box::new(std::iter::once(textwrap::core::Word::from("")));
    }
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (word, behind) = rest.split_at(word_end(rest));
        rest = behind;
        Some(textwrap::core::Word::from(word))
    }))
}

/// Where the first word ends, its blanks included.
fn word_end(text: &str) -> usize {
    let mut code_from = None;
    let mut blank = false;
    for (at, character) in text.char_indices() {
        let in_code = code_from.is_some();
        match character {
            ' ' if !in_code => {
                blank = true;
                continue;
            }
            _ if blank => return at,
            '`' if in_code => code_from = None,
            '`' => code_from = closes(&text[at + 1..], "`").then_some(at),
            '\u{1b}' if text[at..].starts_with("\u{1b}[0m") => code_from = None,
            '\u{1b}' if !in_code => {
                code_from = closes(&text[at + 1..], "\u{1b}[0m").then_some(at);
            }
            _ => {}
        }
    }
    text.len()
}

/// Whether code that was opened is closed soon.
fn closes(rest: &str, end: &str) -> bool {
    rest.find(end).is_some_and(|length| length <= LONGEST_CODE)
}

/// The signs that are drawn here, for a terminal that knows nothing but ASCII.
pub(crate) fn in_ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '→' => plain.push_str("->"),
            '…' => plain.push_str("..."),
            '–' | '·' => plain.push('-'),
            other => plain.push(other),
        }
    }
    plain
}

/// Text that means nothing but itself in the middle of HTML and Markdown.
pub(crate) fn markdown_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' | '|' | '~' => {
                let _ = write!(safe, "&#{};", u32::from(character));
            }
            plain => safe.push(plain),
        }
    }
    safe
}

/// The same for a sentence whose backticks stand for code, as in all messages. HTML, because what is in a message may
/// hold anything: inside of Markdown's own backticks nothing can be escaped.
pub(crate) fn markdown_prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return markdown_safe(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    for (at, part) in parts.into_iter().enumerate() {
        if at.is_multiple_of(2) {
            safe.push_str(&markdown_safe(part));
        } else {
            safe.push_str(&markdown_code(part));
        }
    }
    safe
}

/// Text as code.
pub(crate) fn markdown_code(text: &str) -> String {
    format!("<code>{}</code>", markdown_safe(text))
}

/// `9 980`: groups of three digits.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `12 lines`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `512 B`, `1.3 kB`, `20 MB`: decimal units.
pub(crate) fn size(bytes: u64) -> String {
    let mut tenths = u128::from(bytes) * 10;
    for unit in ["B", "kB", "MB", "GB", "TB", "PB", "EB"] {
        // Rounded up here, 999 950 would read `1000.0 kB`.
        if tenths < 9_995 || unit == "EB" {
            return match (unit, tenths) {
                ("B", _) | (_, 100..) => format!("{} {unit}", (tenths + 5) / 10),
                _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
            };
        }
        tenths = (tenths + 500) / 1_000;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let shown = [
            0,
            512,
            999,
            1_000,
            1_349,
            9_949,
            99_949,
            999_949,
            1_000_000,
            u64::MAX,
        ]
        .map(size);
        assert_eq!(
            shown,
            [
                "0 B", "512 B", "999 B", "1.0 kB", "1.3 kB", "9.9 kB", "100 kB", "1.0 MB",
                "1.0 MB", "18 EB"
            ]
        );
    }

    #[test]
    fn backticks_become_code_and_nothing_else_means_anything() {
        for (text, safe) in [
            (
                "left out `a<b`, `c`",
                "left out <code>a&lt;b</code>, <code>c</code>",
            ),
            ("plain *text*", "plain &#42;text&#42;"),
            ("one ` alone", "one &#96; alone"),
            ("`</code>`", "<code>&lt;/code&gt;</code>"),
        ] {
            assert_eq!(markdown_prose(text), safe);
        }
    }

    #[test]
    fn lines_end_between_words_and_outside_of_code() {
        let wrapped = |text: &str| {
            let options = textwrap::Options::new(24)
                .break_words(false)
                .word_separator(WORDS)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            textwrap::fill(text, options)
        };
        for (text, lines) in [
            (
                "cannot open `/etc/a-b/c-d.conf`: permission denied",
                "cannot open\n`/etc/a-b/c-d.conf`:\npermission denied",
            ),
            (
                "run `switchover plugin lock` and `git add`",
                "run\n`switchover plugin lock`\nand `git add`",
            ),
            (
                "one ` alone is no code and is wrapped",
                "one ` alone is no code\nand is wrapped",
            ),
            (
                "say it \u{1b}[36mplan --full a b c d\u{1b}[0m now",
                "say it\n\u{1b}[36mplan --full a b c d\u{1b}[0m now",
            ),
            ("a  b ", "a  b"),
            ("a\n\nb", "a\n\nb"),
        ] {
            assert_eq!(wrapped(text), lines);
        }
    }

    #[test]
    fn counts() {
        assert_eq!(
            [0, 999, 1_000, 9_980, 1_234_567].map(count),
            ["0", "999", "1 000", "9 980", "1 234 567"]
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\td"),
            "a\\u{1b}[31mb\\u{202e}c\td"
        );
        assert!(matches!(visible("plain"), Cow::Borrowed(_)));
    }
}
