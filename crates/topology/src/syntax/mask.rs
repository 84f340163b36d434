//! Keeps clear-text secrets out of whatever shows a source text.

use std::ops::Range;

use super::mistakes;
use crate::value::SecretSource;

/// Covers a range of a text. Every character is replaced by one of the same length in bytes, so that all places in the
/// text stay what they are.
pub(crate) fn cover(text: &mut String, range: Range<usize>) {
    let Some(secret) = text.get(range.clone()) else {
        return;
    };
    let covered: String = secret
        .chars()
        .map(|letter| match letter.len_utf8() {
            1 if matches!(letter, '\n' | '\r' | '"' | '#') => letter,
            1 => '*',
            2 => '·',
            3 => '•',
            _ => '\u{10000}',
        })
        .collect();
    text.replace_range(range, &covered);
}

/// Values that are probably secrets, judged by what stands before them: for a text that cannot be parsed, where the
/// meaning of a value is not known, and which is about to be shown.
pub(crate) fn likely_secrets(text: &str) -> Vec<Range<usize>> {
    /// More than any name that a value has.
    const BEFORE: usize = 64;
    let mut found = Vec::new();
    mistakes::for_each_value(text, |line, value| {
        let start = (value.start.saturating_sub(BEFORE).max(line.start)..=value.start)
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(value.start);
        let before = text[start..value.start]
            .rsplit(['{', ';'])
            .next()
            .unwrap_or_default();
        let between = |letter: char| letter.is_whitespace() || "=:>\"'`“„”«‚".contains(letter);
        let before = before.trim_end_matches(between);
        let word = before
            .rsplit(|letter: char| letter.is_whitespace() || letter == '"')
            .next()
            .unwrap_or_default();
        if !crate::schema::names_a_secret(word) {
            return;
        }
        let written = &text[value.clone()];
        let opens =
            written.starts_with(|letter: char| !letter.is_ascii() || matches!(letter, '\'' | '`'));
        if written.parse::<SecretSource>().is_ok() && !opens {
            return;
        }
        // Where it ends is anybody's guess if its quotes are not KDL's.
        found.push(match opens {
            true => value.start..line.end,
            false => value,
        });
    });
    found
}
