//! What a plugin says of a resource, made fit for a terminal, a comment and a plan file.

use crate::wit::Line;

/// Columns of a line, and further values of its last one; the contract names both.
const COLUMNS: usize = 12;
const MORE: usize = 32;
/// Characters of a text.
const LONGEST: usize = 240;

/// The line without what steers a terminal, and no longer than the contract allows.
pub(crate) fn harmless(line: Line) -> Line {
    Line {
        columns: list(line.columns, COLUMNS),
        more: list(line.more, MORE),
    }
}

/// What is left out is told in the last place.
fn list(mut texts: Vec<String>, most: usize) -> Vec<String> {
    let given = texts.len();
    if given > most {
        texts.truncate(most - 1);
        texts.push(format!("… and {} more", given - texts.len()));
    }
    texts.into_iter().map(text).collect()
}

fn text(text: String) -> String {
    let short = text.len() <= LONGEST;
    if short && !text.contains(is_harmful) {
        return text;
    }
    let mut out = String::with_capacity(text.len().min(LONGEST * 4));
    for (at, character) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            break;
        }
        if is_harmful(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Steers a terminal, ends a line, or turns the direction of writing.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(columns: &[&str], more: usize) -> Line {
        Line {
            columns: columns.iter().map(ToString::to_string).collect(),
            more: (0..more).map(|number| number.to_string()).collect(),
        }
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        let given = line(&["host 9c:75:14:00:01:01", "Empfang, Zürich", ""], MORE);
        assert_eq!(harmless(given.clone()), given);
    }

    #[test]
    fn nothing_steers_a_terminal_or_begins_a_line() {
        let shown = harmless(line(
            &["a\u{1b}[2Jb", "c\nd\te", "\u{202e}f\u{2028}", "\u{9b}g"],
            0,
        ));
        assert_eq!(
            shown.columns,
            [
                "a\\u{1b}[2Jb",
                "c\\nd\\te",
                "\\u{202e}f\\u{2028}",
                "\\u{9b}g"
            ]
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = "é".repeat(LONGEST + 1);
        let shown = harmless(line(&[long.as_str()], MORE + 1));
        assert_eq!(shown.columns, [format!("{}…", "é".repeat(LONGEST))]);
        assert_eq!(shown.more.len(), MORE);
        assert_eq!(shown.more[MORE - 1], "… and 2 more");
        let fits = "é".repeat(LONGEST);
        assert_eq!(harmless(line(&[fits.as_str()], 0)).columns, [fits]);
        let wide = harmless(line(&["x"; COLUMNS + 5], 0));
        assert_eq!(wide.columns.len(), COLUMNS);
        assert_eq!(wide.columns[COLUMNS - 1], "… and 6 more");
    }
}
