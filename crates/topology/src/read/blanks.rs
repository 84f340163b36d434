//! What cannot be seen around a value and in it.

/// What cannot be seen, and that computers take for a letter.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// What may stand around a value and means nothing; not the end of a line.
pub(super) fn is_blank(letter: char) -> bool {
    (letter.is_whitespace() && letter != '\n') || is_invisible(letter)
}
