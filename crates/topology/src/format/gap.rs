//! What stands between two nodes.

/// A piece of what stands between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    EndOfLine,
    /// With its `//`, without the end of the line; or with its `/*` and `*/`.
    Comment {
        text: &'a str,
        at: usize,
    },
    /// Something commented out with `/-`, and whatever follows it up to the next node.
    CommentedOut(&'a str),
}

/// What KDL calls the end of a line.
pub(super) const fn ends_line(letter: char) -> bool {
    matches!(
        letter,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Takes a gap apart; blanks, semicolons and continuations of lines are dropped.
pub(super) fn pieces(gap: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    // Whether a line that ends in a comment goes on behind it.
    let mut continued = false;
    while let Some(letter) = gap[at..].chars().next() {
        let rest = &gap[at..];
        let length = if rest.starts_with("//") {
            let length = rest.find(ends_line).unwrap_or(rest.len());
            found.push(Piece::Comment {
                text: rest[..length].trim_end(),
                at,
            });
            length
        } else if rest.starts_with("/*") {
            let length = block_comment(rest);
            found.push(Piece::Comment {
                text: &rest[..length],
                at,
            });
            length
        } else if rest.starts_with("/-") {
            found.push(Piece::CommentedOut(rest));
            return found;
        } else if letter == '\\' {
            // The line goes on behind its end.
            let end = rest.find(ends_line).unwrap_or(rest.len());
            continued = rest[1..end].trim_start().starts_with('/');
            if continued {
                1
            } else {
                end + end_length(&rest[end..])
            }
        } else if ends_line(letter) {
            if !std::mem::take(&mut continued) {
                found.push(Piece::EndOfLine);
            }
            end_length(rest)
        } else {
            letter.len_utf8()
        };
        at += length;
    }
    found
}

/// Length of the end of a line that a text begins with.
fn end_length(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        text.chars().next().map_or(0, char::len_utf8)
    }
}

/// Where a character stands outside of comments; none also where something is commented out before it.
pub(super) fn outside_comments(text: &str, wanted: char) -> Option<usize> {
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        at += if rest.starts_with("//") {
            rest.find(ends_line).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if rest.starts_with("/-") {
            return None;
        } else if letter == wanted {
            return Some(at);
        } else {
            letter.len_utf8()
        };
    }
    None
}

/// Length of the comment that a text begins with; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += letter.len_utf8();
        }
        if depth == 0 {
            break;
        }
    }
    at
}
