//! A line with a quotation mark too few: where it is missing.

use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};
use super::{Edit, words};

/// What is wrong with the quotes of a line.
pub(super) struct Repair {
    pub(super) at: Range<usize>,
    pub(super) message: &'static str,
    pub(super) hint: Option<&'static str>,
    pub(super) edits: Vec<Edit>,
    /// Where the mistake ends: behind the line, if a string goes on in the next ones.
    pub(super) end: usize,
}

/// `tokens` are those of a line that ends in an unclosed string.
pub(super) fn repair(text: &str, tokens: &[Token], line: &Range<usize>) -> Repair {
    let insert = |at: usize| Edit::new(at..at, "\"");
    let unclosed = tokens.last().map_or(line.clone(), Token::range);
    let done = |at: Range<usize>, message, edits| Repair {
        at,
        message,
        hint: None,
        edits,
        end: line.end,
    };
    let missing_end = "no closing `\"` for this string";
    if let Some(repair) = foreign_end(text, &unclosed) {
        return done(
            unclosed,
            "this string starts with `\"` and ends with another quote",
            vec![repair],
        );
    }
    // `pbx "pbx1 role="main"`: the string that seems to end in `role=` ends before it.
    for token in tokens.iter().filter(|token| token.is_text()) {
        let content = &text[token.start + 1..token.end];
        if let Some(content) = content.strip_suffix("=\"")
            && let Some(at) = before_key(content)
        {
            let place = token.start + 1 + at;
            return done(token.start..place, missing_end, vec![insert(place)]);
        }
    }
    // `pbx=pbx1"`
    for (at, pair) in tokens.windows(2).enumerate() {
        let [word, string] = pair else { continue };
        if word.is(Kind::Word) && string.is_text() && &text[word.range()] != "r" {
            let first = first_of_value(tokens, at);
            let start = tokens[first].start;
            let message = "no opening `\"` for this string";
            return done(start..string.start + 1, message, vec![insert(start)]);
        }
    }
    if let Some((end, edits)) = goes_on(text, &unclosed, line.end) {
        return Repair {
            at: unclosed,
            message: "a string in quotes must end on the line where it starts",
            hint: Some(
                "write a text of several lines between `\"\"\"` and `\"\"\"`, each on a line of its own",
            ),
            edits,
            end,
        };
    }
    let end = unclosed.start + 1 + likely_end(&text[unclosed.start + 1..unclosed.end]);
    let mut edits = vec![insert(end)];
    let rest = &text[end..unclosed.end];
    if rest.starts_with(',') {
        edits = vec![Edit::new(end..end + 1, "\"")];
    }
    done(unclosed.start..end, missing_end, edits)
}

/// A closing quotation mark of another kind in an unclosed string.
fn foreign_end(text: &str, unclosed: &Range<usize>) -> Option<Edit> {
    let content = &text[unclosed.start + 1..unclosed.end];
    let (at, mark) = content.char_indices().find(|(_, letter)| {
        words::is_foreign_quote(*letter) && *letter != '\'' && *letter != '’'
    })?;
    let start = unclosed.start + 1 + at;
    Some(Edit::new(start..start + mark.len_utf8(), "\""))
}

/// Where the blanks before a last word begin that is nothing but the key of a property.
fn before_key(content: &str) -> Option<usize> {
    let key = content.len()
        - content
            .chars()
            .rev()
            .take_while(|letter| words::is_key(*letter))
            .map(char::len_utf8)
            .sum::<usize>();
    let before = content[..key].trim_end();
    (key < content.len() && before.len() < key && !before.is_empty()).then_some(before.len())
}

/// The first token of a value of several words.
fn first_of_value(tokens: &[Token], last: usize) -> usize {
    let mut first = last;
    for at in (0..last).rev() {
        match tokens[at].kind {
            Kind::Word => first = at,
            Kind::Blank => {}
            Kind::Equals => return first,
            _ => break,
        }
    }
    // The first word is the name of the node.
    let words = (first..=last).filter(|at| tokens[*at].is(Kind::Word));
    let begins = tokens[..first]
        .iter()
        .all(|token| matches!(token.kind, Kind::Blank));
    match begins {
        true => words.take(2).last().unwrap_or(last),
        false => first,
    }
}

/// Where an unclosed string most likely ends.
fn likely_end(content: &str) -> usize {
    // `"pbx1 role=main`
    let mut from = 0;
    while let Some(found) = content[from..].find('=') {
        let equals = from + found;
        if let Some(at) = before_key(&content[..equals]) {
            return at;
        }
        from = equals + 1;
    }
    let until = content.find(" //").unwrap_or(content.len());
    let mut end = content[..until].trim_end();
    for more in ["{", "}", ";", ","] {
        if let Some(shorter) = end.strip_suffix(more) {
            end = shorter.trim_end();
        }
    }
    end.len()
}

/// Whether a string goes on in the next lines, as KDL 1 allowed: where it ends, and how it is written now.
fn goes_on(text: &str, unclosed: &Range<usize>, line_end: usize) -> Option<(usize, Vec<Edit>)> {
    const LINES: usize = 10;
    let mut at = line_end;
    for line in text[line_end..].split_inclusive('\n').take(LINES) {
        let start = at;
        at += line.len();
        if start == line_end {
            // What ends the first line.
            if line.trim().is_empty() {
                continue;
            }
            return None;
        }
        let line = line.trim_end();
        if line.contains(['{', '}', '=']) {
            return None;
        }
        if let Some(quote) = line.find('"') {
            if line[quote + 1..].trim_start().is_empty() {
                let quote = start + quote;
                let edits = vec![
                    Edit::new(unclosed.start..unclosed.start + 1, "\"\"\"\n"),
                    Edit::new(quote..quote + 1, "\n\"\"\""),
                ];
                return Some((start + line.len(), edits));
            }
            return None;
        }
    }
    None
}

/// The braces of a line as they are once its quotes are repaired, with the places that they have in it now.
pub(super) fn braces(text: &str, line: &Range<usize>, edits: &[Edit]) -> Vec<(Kind, usize)> {
    let mut repaired = String::new();
    let mut at = line.start;
    for edit in edits.iter().filter(|edit| edit.range.end <= line.end) {
        repaired.push_str(&text[at..edit.range.start]);
        repaired.push_str(&edit.replacement);
        at = edit.range.end;
    }
    repaired.push_str(&text[at..line.end]);
    let mut tokens = Vec::new();
    let mut lexer = Lexer::new(&repaired, 0);
    let mut found = Vec::new();
    while lexer.line(&mut tokens).is_some() {
        let braces = tokens
            .iter()
            .filter(|token| matches!(token.kind, Kind::Open | Kind::Close));
        // Quotes were put in before most of them: one too far is still in the line.
        found.extend(braces.map(|token| {
            let place = (line.start + token.start).min(line.end.saturating_sub(1));
            let brace = if token.is(Kind::Open) { b'{' } else { b'}' };
            let near = text.as_bytes()[line.start..=place.max(line.start)]
                .iter()
                .rposition(|byte| *byte == brace);
            (token.kind, near.map_or(place, |near| line.start + near))
        }));
    }
    found
}
