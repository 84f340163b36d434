//! Where a line of text for people may break: at a space, but not inside of what backticks quote. A name, a code or a
//! command that is cut in two can neither be searched for nor copied.

use textwrap::{Options, WordSeparator, WordSplitter};

use crate::render::text::WORDS;

/// The words of a line.
pub(crate) fn separator() -> WordSeparator {
    WORDS
}

/// Lines of at most so many columns, unless a single word is longer. The first begins with `first`, others with `other`.
pub(crate) fn filled(text: &str, width: usize, first: &str, other: &str) -> String {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(other)
        .break_words(false)
        .word_separator(separator())
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_longer_rather_than_cut() {
        let text = filled("run `switchover plan --out a.json` now", 12, "  ", "    ");
        assert_eq!(text, "  run\n    `switchover plan --out a.json`\n    now");
        assert_eq!(filled("a\n\nb", 12, "| ", "| "), "| a\n| \n| b");
    }
}
