//! The names of nodes, and letters that are not what they seem.

use std::ops::Range;

use super::lexer::{Kind, Token};
use super::line::Line;
use super::{Certainty, Edit, Scan, words};

impl Scan<'_> {
    /// The name of a node.
    pub(super) fn name(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let word = &self.text[token.range()];
        if words::is_numeric(word) {
            if !matches!(line.next(at), Some((_, next)) if next.is(Kind::Equals)) {
                let message = format!(
                    "expected the name of a node, not `{}`",
                    &self.shown[token.range()]
                );
                self.push(Certainty::Sure, token.range(), message)
                    .hint("a node begins with its kind, such as `user \"101\"`; its values are on the same line")
                    .edit(token.range(), format!("\"{word}\""));
            }
            return;
        }
        if word == "-" {
            if line.next(at).is_some_and(|(_, next)| next.is_value()) {
                self.push(Certainty::Loose, token.range(), "KDL has no lists with `-`")
                    .hint("write the values after their name: `dns \"10.20.0.53\" \"10.20.0.54\"`");
            }
            return;
        }
        let (key, colon) = match word.split_once(':') {
            Some((key, "")) => (key, true),
            Some((key, _)) => (key, crate::schema::is_known(key)),
            None => (word, false),
        };
        if colon && !key.is_empty() && key.chars().all(words::is_key) {
            let value = token.start + key.len() + 1..token.end;
            let blank = match value.is_empty() && line.adjacent(at).is_none() {
                true => "",
                false => " ",
            };
            let message = format!("KDL has no `:` after a name such as `{key}`");
            let edits = vec![Edit::new(value.start - 1..value.start, blank)];
            self.say(
                line,
                "colon",
                Certainty::Foreign,
                value.start - 1..value.start,
                message,
                edits,
            );
            if !value.is_empty() {
                self.bare_value(line, value);
            }
            return;
        }
        self.letters(line, token.range());
        let Some((equals, sign)) = line.next(at).filter(|(_, next)| next.is(Kind::Equals)) else {
            return;
        };
        let written = self.shown[token.range()].to_owned();
        let mut behind = sign.end;
        let mut next = equals;
        while let Some(more) = line.token(next + 1) {
            let word = &self.text[more.range()];
            if more.is(Kind::Equals) || (more.is(Kind::Word) && word == ">") {
                behind = more.end;
                next += 1;
            } else {
                break;
            }
        }
        // What follows is not a value of its own: it has `=>` before it.
        if let Some(value) = line.token(next + 1)
            && value.is(Kind::Word)
            && self.text[value.range()].starts_with('>')
        {
            behind = value.start + 1;
        }
        let Some((_, value)) = line.next(next) else {
            self.push(
                Certainty::Sure,
                token.start..behind,
                format!("`{written}` has no value"),
            )
            .hint(format!(
                "write its value after the name, or leave out `{written}`"
            ))
            .edit(token.start..behind, "");
            line.at = next + 1;
            return;
        };
        if value.is(Kind::SquareOpen) {
            self.list_begins(line, value);
            if let Some((_, mistake)) = self.list {
                let blank = if line.next(next + 1).is_some() {
                    " "
                } else {
                    ""
                };
                self.found.mistakes[mistake].edit(token.end..value.start, blank);
            }
            line.at = next
                + 2
                + usize::from(
                    line.token(next + 1)
                        .is_some_and(|next| next.is(Kind::Blank)),
                );
            return;
        }
        let what = if value.is(Kind::Open) {
            "block"
        } else {
            "value"
        };
        let message = format!("`{written}` takes its {what} without `=`");
        let edits = vec![Edit::new(token.end..value.start.max(behind), " ")];
        self.say(
            line,
            "assignment",
            Certainty::Sure,
            sign.start..behind,
            message,
            edits,
        );
        line.at = next + 1;
        if behind > value.start {
            self.bare_value(line, behind..value.end);
            line.at = next + 2;
        }
    }

    /// Letters of a word that are not what they seem.
    pub(super) fn letters(&mut self, line: &mut Line<'_>, range: Range<usize>) {
        let word = &self.text[range.clone()];
        if word.is_ascii() && !word.bytes().any(|byte| byte.is_ascii_control()) {
            return;
        }
        let place =
            |at: usize, letter: char| range.start + at..range.start + at + letter.len_utf8();
        let odd = word
            .char_indices()
            .filter(|(_, letter)| words::is_forbidden(*letter) || words::is_invisible(*letter));
        let edits: Vec<Edit> = odd
            .map(|(at, letter)| Edit::new(place(at, letter), ""))
            .collect();
        if let Some(first) = edits.first() {
            let at = first.range.clone();
            let letter = self.text[at.clone()].chars().next().unwrap_or_default();
            let message = format!(
                "this word contains an invisible character (U+{:04X})",
                u32::from(letter)
            );
            self.say(line, "invisible", Certainty::Foreign, at, message, edits);
            return;
        }
        let punctuation = word.char_indices().filter_map(|(at, letter)| {
            Some((place(at, letter), words::plain_punctuation(letter)?))
        });
        let edits: Vec<Edit> = punctuation
            .map(|(at, plain)| Edit::new(at, plain))
            .collect();
        if let Some(first) = edits.first() {
            let at = first.range.clone();
            let message = format!(
                "`{}` is a letter to KDL, not punctuation",
                &self.text[at.clone()]
            );
            self.say(line, "punctuation", Certainty::Foreign, at, message, edits);
        }
    }
}
