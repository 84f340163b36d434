//! Keeps clear-text secrets out of whatever shows a source text.

use std::ops::Range;

use super::lexical;

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

/// Strings that are probably secrets, judged by what stands before them: for a text that cannot be parsed, where the
/// meaning of a string is not known, and which is about to be shown.
pub(crate) fn likely_secrets(text: &str) -> Vec<Range<usize>> {
    let follows_secret_name = |range: &Range<usize>| {
        let line = text[..range.start]
            .rsplit(['\n', '{', ';'])
            .next()
            .unwrap_or_default();
        let before = line.trim_end_matches(|letter: char| letter.is_whitespace() || letter == '=');
        let word = before
            .rsplit(|letter: char| letter.is_whitespace() || letter == '"')
            .next()
            .unwrap_or_default();
        crate::schema::names_a_secret(word)
    };
    lexical::strings(text)
        .into_iter()
        .filter(follows_secret_name)
        .collect()
}
