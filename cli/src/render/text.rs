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
