//! Strings, and what stands around them.

use std::ops::Range;

use super::lexer::{Kind, Token};
use super::line::{LONGEST, Line, Stand};
use super::{Certainty, Edit, Scan, words};

impl Scan<'_> {
    pub(super) fn text(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let Kind::Text {
            closed,
            raw,
            multiline,
        } = token.kind
        else {
            return;
        };
        let written = &self.text[token.range()];
        if !closed {
            let quote = if multiline { "\"\"\"" } else { "\"" };
            let hashes = "#".repeat(written.len() - written.trim_start_matches('#').len());
            let close = format!("{quote}{hashes}");
            let opening = token.start..token.start + close.len();
            let message = format!("no closing `{close}` for this string");
            let newline = if multiline { "\n" } else { "" };
            let closing =
                match written.ends_with(quote) && written.len() > opening.len() && !multiline {
                    true => hashes,
                    false => format!("{newline}{close}"),
                };
            if multiline {
                // All that follows is in the string, the ends of the blocks too.
                let closing = closing + &"\n}".repeat(self.forget_blocks());
                let edit = Edit::new(token.end..token.end, closing);
                self.push(Certainty::Structure, opening, message)
                    .hint(format!(
                        "write `{close}` on a line of its own where the text ends"
                    ))
                    .edits = vec![edit];
            } else {
                let edits = vec![Edit::new(token.end..token.end, closing)];
                self.say(line, "raw", Certainty::Sure, opening, message, edits);
            }
            return;
        }
        if let Some(inside) = written
            .strip_prefix("\"\"\"")
            .and_then(|rest| rest.strip_suffix("\"\"\""))
            .filter(|_| !multiline)
            && !inside.is_empty()
        {
            self.three_quotes(line, token.range(), inside);
            return;
        }
        if !raw {
            self.escapes(line, token);
        }
        if let Some((at, letter)) = written
            .char_indices()
            .find(|(_, letter)| words::is_forbidden(*letter))
        {
            let place = token.start + at..token.start + at + letter.len_utf8();
            let message = format!(
                "the string contains an invisible character (U+{:04X})",
                u32::from(letter)
            );
            let edits = vec![Edit::new(place.clone(), "")];
            self.say(line, "invisible", Certainty::Sure, place, message, edits);
        }
        let Some(next) = line.adjacent(at) else {
            return;
        };
        self.behind_text(line, at, token, next);
    }

    /// `"""text"""` is lexed as three strings: the rest is passed over.
    pub(super) fn three_quotes(&mut self, line: &mut Line<'_>, range: Range<usize>, inside: &str) {
        let message = "`\"\"\"` starts a text of several lines".to_owned();
        let edits = vec![Edit::new(range.clone(), format!("\"{inside}\""))];
        self.say(line, "three quotes", Certainty::Sure, range, message, edits);
    }

    pub(super) fn behind_text(
        &mut self,
        line: &mut Line<'_>,
        at: usize,
        token: Token,
        next: Token,
    ) {
        let written = &self.text[next.range()];
        match next.kind {
            Kind::Word if written.starts_with(',') => self.comma(line, next.start, Certainty::Sure),
            Kind::Word if written.starts_with(':') => {
                let key = self.text[token.range()].trim_matches('"').to_owned();
                let blank = if written.len() == 1
                    && line
                        .token(at + 2)
                        .is_some_and(|after| after.is(Kind::Blank))
                {
                    ""
                } else {
                    " "
                };
                let names = line
                    .previous(at)
                    .is_none_or(|before| matches!(before.kind, Kind::Open | Kind::Semicolon));
                let plain = names && !key.is_empty() && key.chars().all(words::is_key);
                let mut edits = vec![Edit::new(next.start..next.start + 1, blank)];
                if plain {
                    edits.push(Edit::new(token.range(), key.clone()));
                }
                let message = format!(
                    "KDL has no `:` after a name such as `{}`",
                    self.shown[token.range()].trim_matches('"')
                );
                self.say(
                    line,
                    "colon",
                    Certainty::Sure,
                    next.start..next.start + 1,
                    message,
                    edits,
                );
                line.at = at + 2;
                if written.len() > 1 {
                    self.bare_value(line, next.start + 1..next.end);
                }
            }
            Kind::Word | Kind::Text { .. } if self.text[token.range()].len() == 2 => {
                // `""text""`, and `"""text"""`.
                let rest = &self.text[token.end..line.range.end];
                let (skip, rest) = match rest.strip_prefix('"') {
                    Some(rest) => (1, rest),
                    None => (0, rest),
                };
                let close = if skip == 1 { "\"\"\"" } else { "\"\"" };
                let near = rest
                    .char_indices()
                    .nth(LONGEST)
                    .map_or(rest, |(at, _)| &rest[..at]);
                if let Some(length) = near
                    .find(close)
                    .filter(|length| *length > 0 && !rest[..*length].contains('"'))
                {
                    let inside = token.end + skip..token.end + skip + length;
                    let whole = token.start..inside.end + close.len();
                    if skip == 1 {
                        let inside = self.text[inside].to_owned();
                        self.three_quotes(line, whole.clone(), &inside);
                    } else {
                        let edits = vec![
                            Edit::new(token.range(), "\""),
                            Edit::new(inside.end..whole.end, "\""),
                        ];
                        let message = "the quotes are doubled".to_owned();
                        self.say(
                            line,
                            "doubled",
                            Certainty::Sure,
                            whole.clone(),
                            message,
                            edits,
                        );
                    }
                    line.go_to(at, whole.end);
                }
            }
            Kind::Word | Kind::Text { .. } | Kind::Hash | Kind::Keyword => {
                let message = "a space is missing after the string".to_owned();
                let edits = vec![Edit::new(next.start..next.start, " ")];
                let place = token.end.saturating_sub(1)
                    ..next.start
                        + self.text[next.start..]
                            .chars()
                            .next()
                            .map_or(0, char::len_utf8);
                self.say(line, "blank", Certainty::Sure, place, message, edits);
            }
            _ => {}
        }
    }

    /// `\` before what it cannot stand before.
    pub(super) fn escapes(&mut self, line: &mut Line<'_>, token: Token) {
        let written = &self.text[token.range()];
        let mut bad = Vec::new();
        let mut letters = written.char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter != '\\' {
                continue;
            }
            let rest = &written[at + 1..];
            let good = match letters.next() {
                Some((_, 'u')) => is_code_point(&rest[1..]),
                Some((_, next)) => {
                    matches!(next, '\\' | '"' | 'n' | 'r' | 't' | 'b' | 'f' | 's')
                        || next.is_whitespace()
                        || super::super::lexical::is_newline(next)
                }
                None => true,
            };
            if !good {
                bad.push(token.start + at);
            }
        }
        let Some(first) = bad.first().copied() else {
            return;
        };
        let escaped = self.text[first + 1..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        let shown = &self.shown[first..first + 1 + escaped];
        let message =
            format!("`{shown}` is not an escape; a backslash in a string is written `\\\\`");
        let edits = bad.iter().map(|at| Edit::new(*at..*at, "\\")).collect();
        self.say(
            line,
            "escape",
            Certainty::Sure,
            first..first + 1 + escaped,
            message,
            edits,
        );
    }

    /// A word with a string directly behind it.
    pub(super) fn before_text(
        &mut self,
        line: &mut Line<'_>,
        at: usize,
        token: Token,
        stand: Stand,
    ) -> bool {
        let word = &self.text[token.range()];
        let Some(string) = line.token(at + 1) else {
            return false;
        };
        let Kind::Text { raw, .. } = string.kind else {
            return false;
        };
        if word == "r" {
            let mut edits = vec![Edit::new(token.range(), if raw { "" } else { "#" })];
            if !raw {
                edits.push(Edit::new(string.end..string.end, "#"));
            }
            let message = "`r\"…\"` is KDL 1: KDL 2 writes raw strings as `#\"…\"#`".to_owned();
            self.say(
                line,
                "raw",
                Certainty::Sure,
                token.start..string.end,
                message,
                edits,
            );
            line.at = at + 2;
            return true;
        }
        if word.ends_with([':', ',']) || words::is_numeric(word) {
            return false;
        }
        if word
            .chars()
            .any(|letter| words::plain_punctuation(letter).is_some())
        {
            self.letters(line, token.range());
            return true;
        }
        let between = match stand {
            Stand::Entry if word.chars().all(words::is_key) && self.list.is_none() => "=",
            _ => " ",
        };
        let what = if between == "=" { "a `=`" } else { "a space" };
        let message = format!(
            "{what} is missing between `{}` and its value",
            &self.shown[token.range()]
        );
        let edits = vec![Edit::new(token.end..token.end, between)];
        self.say(
            line,
            "between",
            Certainty::Sure,
            string.start..string.start + 1,
            message,
            edits,
        );
        true
    }

    /// A value between quotation marks that are not KDL's.
    pub(super) fn quoted_otherwise(
        &mut self,
        line: &mut Line<'_>,
        at: usize,
        token: Token,
    ) -> bool {
        let Some(open) = self.text[token.range()]
            .chars()
            .next()
            .filter(|letter| words::is_foreign_quote(*letter))
        else {
            return false;
        };
        let inside = token.start + open.len_utf8();
        let rest = &self.text[inside..line.range.end];
        let ends = |behind: &str| {
            behind
                .chars()
                .next()
                .is_none_or(|next| next.is_whitespace() || ",;{})]=".contains(next))
        };
        let close = rest.char_indices().take(LONGEST).find(|(at, letter)| {
            (words::closes(open, *letter) || (*letter == '"' && *at > 0))
                && ends(&rest[at + letter.len_utf8()..])
        });
        let (content, end) = match close {
            Some((length, letter)) => {
                (inside..inside + length, inside + length + letter.len_utf8())
            }
            None => (inside..token.end, token.end),
        };
        let mut edits = vec![Edit::new(token.start..inside, "\"")];
        for (at, letter) in self.text[content.clone()].char_indices() {
            if letter == '"' || letter == '\\' {
                edits.push(Edit::new(content.start + at..content.start + at, "\\"));
            }
        }
        edits.push(Edit::new(content.end..end, "\""));
        let what = match open {
            '\'' => "single quotes",
            '`' | '´' => "backticks",
            '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' => "curly quotes",
            _ => "quotes of another kind",
        };
        let message = format!("values go in `\"…\"`, not in {what}");
        self.say(
            line,
            "quotes",
            Certainty::Foreign,
            token.start..end,
            message,
            edits,
        );
        line.go_to(at, end);
        // A comma may come with it, in a word of its own.
        if let Some(next) = line.token(line.at)
            && next.start == end
            && self.text[next.range()].starts_with(',')
        {
            self.comma(line, next.start, Certainty::Foreign);
        } else if self.text[end..token.end.max(end)].starts_with(',') {
            self.comma(line, end, Certainty::Foreign);
        }
        true
    }
}

fn is_code_point(rest: &str) -> bool {
    let Some(digits) = rest
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .map(|(digits, _)| digits)
    else {
        return false;
    };
    (1..=6).contains(&digits.len())
        && u32::from_str_radix(digits, 16).is_ok_and(|code| char::from_u32(code).is_some())
}
