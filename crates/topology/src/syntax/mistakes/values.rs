//! Values, and the way through a line.

use std::ops::Range;

use super::lexer::{Kind, Token, is_scheme};
use super::line::{Line, Stand};
use super::{Certainty, Edit, Mistake, Scan, words};

impl Scan<'_> {
    pub(super) fn values(&mut self, tokens: &[Token], range: &Range<usize>, indent: usize) {
        let mut line = Line {
            tokens,
            range,
            indent,
            at: 0,
            stand: match self.list {
                Some(_) => Stand::Entry,
                None => Stand::Name,
            },
            said: Vec::new(),
        };
        while let Some(token) = line.token(line.at) {
            let at = line.at;
            self.token(&mut line, at, token);
            line.at = line.at.max(at + 1);
        }
    }

    /// Reports a kind of mistake once a line; a further place is corrected with the first.
    pub(super) fn say(
        &mut self,
        line: &mut Line<'_>,
        kind: &'static str,
        certainty: Certainty,
        at: Range<usize>,
        message: String,
        edits: Vec<Edit>,
    ) -> &mut Mistake {
        if let Some((_, index)) = line.said.iter().find(|(said, _)| *said == kind) {
            let mistake = &mut self.found.mistakes[*index];
            mistake.edits.extend(edits);
            return mistake;
        }
        line.said.push((kind, self.found.mistakes.len()));
        let range = line.range.clone();
        let mistake = self.push(certainty, at, message);
        mistake.edits = edits;
        mistake.corrected(&range)
    }

    pub(super) fn token(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let stand = line.stand;
        if stand == Stand::Closed {
            self.behind_block(line, at, token);
        }
        match token.kind {
            Kind::Blank | Kind::Comment => {}
            // A block more, or one that is commented out.
            Kind::Slashdash if stand == Stand::Closed => line.stand = Stand::Entry,
            Kind::Slashdash => {}
            Kind::OpenComment => {
                self.push(
                    Certainty::Structure,
                    token.start..token.start + 2,
                    "no closing `*/` for this comment",
                )
                .hint("write `*/` where the comment ends, or begin each of its lines with `//`")
                .edit(token.end..token.end, " */");
            }
            Kind::Semicolon => self.semicolon(line, at, token),
            Kind::Open => self.open(line, at, token),
            Kind::Close => {
                let first = line.is_first(at);
                let counts = self.close_block(token.start, line.indent, first);
                line.stand = if counts { Stand::Closed } else { Stand::Entry };
            }
            Kind::Equals => self.equals(line, at, token),
            Kind::SquareOpen => self.list_begins(line, token),
            Kind::SquareClose => self.list_ends(line, token),
            Kind::RoundOpen => self.round(line, at, token),
            Kind::RoundClose => {}
            Kind::Backslash => {
                let message =
                    "`\\` continues a line, and must be the last character on it".to_owned();
                let end = line.next(at).map_or(token.end, |(_, next)| next.start);
                let edits = vec![Edit::new(token.start..end, "")];
                self.say(
                    line,
                    "backslash",
                    Certainty::Sure,
                    token.range(),
                    message,
                    edits,
                );
            }
            Kind::Hash => self.hash(line, at, token),
            Kind::Keyword => line.stand = Stand::Entry,
            Kind::Text { .. } => {
                self.text(line, at, token);
                line.stand = Stand::Entry;
            }
            Kind::Word => self.word(line, at, token),
        }
    }

    pub(super) fn word(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let stand = line.stand;
        line.stand = Stand::Entry;
        let word = &self.text[token.range()];
        if self.quoted_otherwise(line, at, token) || self.comment_word(line, at, token, stand) {
            return;
        }
        if matches!(line.adjacent(at), Some(next) if next.is_text())
            && self.before_text(line, at, token, stand)
        {
            return;
        }
        if stand == Stand::Name {
            self.name(line, at, token);
        } else if word == "-" {
        } else if let Some(key) = word
            .strip_suffix(':')
            .filter(|key| !key.is_empty() && !key.ends_with(':'))
            && !is_scheme(word)
            && key.chars().all(words::is_key)
            && let Some((_, value)) = line.next(at).filter(|(_, value)| value.is_value())
        {
            let message = format!("KDL has no `:` after a name such as `{key}`");
            let edits = vec![Edit::new(token.end - 1..value.start, "=")];
            self.say(
                line,
                "colon",
                Certainty::Foreign,
                token.end - 1..token.end,
                message,
                edits,
            );
        } else if line.next(at).is_none_or(|(_, next)| !next.is(Kind::Equals))
            || words::is_numeric(word)
        {
            self.bare_value(line, token.range());
        } else {
            self.letters(line, token.range());
        }
    }

    /// A value without quotes.
    pub(super) fn bare_value(&mut self, line: &mut Line<'_>, mut range: Range<usize>) {
        let mut word = &self.text[range.clone()];
        if word.starts_with(',') {
            self.comma(line, range.start, Certainty::Foreign);
            range.start += 1;
            word = &word[1..];
        }
        if word.ends_with(',') {
            self.comma(line, range.end - 1, Certainty::Foreign);
            range.end -= 1;
            word = &word[..word.len() - 1];
        }
        if word.is_empty() {
            return;
        }
        let quoted = |word: &str| format!("\"{}\"", word.replace('\\', "\\\\"));
        if let Some(meant) = match word {
            "true" => Some("#true"),
            "false" => Some("#false"),
            "null" => Some("#null"),
            _ => None,
        } {
            let message = format!("`{word}` is KDL 1: KDL 2 writes `{meant}`");
            let edits = vec![Edit::new(range.clone(), meant)];
            self.say(line, "keyword", Certainty::Sure, range, message, edits);
        } else if matches!(word, "inf" | "nan") {
            let message = format!("`{word}` is a number to KDL; a text is written in quotes");
            let edits = vec![Edit::new(range.clone(), quoted(word))];
            self.say(line, "reserved", Certainty::Sure, range, message, edits);
        } else if let Some(number) = word
            .strip_suffix('%')
            .filter(|number| words::is_number(number))
        {
            let message = format!("a number has no unit: `{word}`");
            let edits = vec![Edit::new(range.clone(), number)];
            self.say(line, "percent", Certainty::Sure, range, message, edits);
        } else if is_unquoted(word) {
            // Several values may be one with its commas.
            let certainty = match word.contains("://") {
                true => Certainty::Foreign,
                false => Certainty::Sure,
            };
            let parts: Vec<&str> = match word.contains(',') && !word.contains("://") {
                true => word.split(',').filter(|part| !part.is_empty()).collect(),
                false => vec![word],
            };
            let noun = words::noun(parts.first().copied().unwrap_or(word));
            let message = format!(
                "the {noun} `{}` is not in quotes",
                &self.shown[range.clone()]
            );
            let written: Vec<String> = parts.into_iter().map(quoted).collect();
            let edits = vec![Edit::new(range.clone(), written.join(" "))];
            self.say(line, noun, certainty, range, message, edits);
        } else {
            self.letters(line, range);
        }
    }
}

/// Whether a word cannot stand without quotes.
fn is_unquoted(word: &str) -> bool {
    (words::is_numeric(word) && !words::is_number(word)) || word.contains(['/', '\\'])
}
