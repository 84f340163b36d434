//! What stands between values: braces, brackets, commas, comments.

use std::ops::Range;

use super::lexer::{Kind, Token};
use super::line::{Line, NEAR, Stand};
use super::{Certainty, Edit, Scan};

impl Scan<'_> {
    /// What stands behind a `}`.
    pub(super) fn behind_block(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        if matches!(
            token.kind,
            Kind::Blank | Kind::Comment | Kind::OpenComment | Kind::Slashdash
        ) {
            return;
        }
        line.stand = Stand::Name;
        if matches!(token.kind, Kind::Semicolon | Kind::Close) || line.is_first(at) {
            return;
        }
        // A comma is dealt with as such.
        if token.is(Kind::Word) && self.text[token.range()].starts_with(',') {
            line.stand = Stand::Entry;
            return;
        }
        let message = "nothing may follow the `}` of a block on its line".to_owned();
        let edits = vec![Edit::new(
            line.tokens[..at]
                .iter()
                .rfind(|token| token.is(Kind::Close))
                .map_or(token.start..token.start, |close| close.end..close.end),
            ";",
        )];
        self.say(
            line,
            "behind block",
            Certainty::Sure,
            token.range(),
            message,
            edits,
        );
    }

    pub(super) fn semicolon(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        line.stand = Stand::Name;
        // Between the nodes of the top level, it is passed over.
        let counts = self.is_in_block();
        if counts
            && line.is_first(at)
            && line
                .next(at)
                .is_some_and(|(_, next)| !next.is(Kind::Semicolon))
        {
            self.comment(line, Certainty::Sure, token.range());
        } else if self.is_prose(line, at) {
            self.comment(line, Certainty::Loose, token.range());
        } else if counts
            && line
                .previous(at)
                .is_none_or(|before| before.is(Kind::Semicolon))
        {
            let message = "there is nothing before this `;`".to_owned();
            let edits = vec![Edit::new(token.range(), "")];
            self.say(
                line,
                "semicolon",
                Certainty::Sure,
                token.range(),
                message,
                edits,
            );
        }
    }

    /// Whether what stands behind a `;` is a sentence, not a node.
    pub(super) fn is_prose(&self, line: &Line<'_>, at: usize) -> bool {
        let rest = line.tokens[at + 1..]
            .iter()
            .filter(|token| !token.is(Kind::Blank));
        let mut words = rest.take(NEAR).peekable();
        let first = words.peek().map(|token| &self.text[token.range()]);
        first.is_some_and(|word| !crate::schema::is_known(word))
            && words.clone().count() > 1
            && words.all(|token| token.is(Kind::Word))
    }

    /// What other languages begin a comment with: the rest of the line is one.
    pub(super) fn comment(
        &mut self,
        line: &mut Line<'_>,
        certainty: Certainty,
        mark: Range<usize>,
    ) {
        let message = format!(
            "comments begin with `//`, not with `{}`",
            &self.text[mark.clone()]
        );
        let mut edits = Vec::new();
        let behind = &self.text[mark.end..line.range.end];
        let blank = if behind.is_empty() || behind.starts_with(char::is_whitespace) {
            "//"
        } else {
            "// "
        };
        edits.push(Edit::new(mark.clone(), blank));
        self.say(line, "comment", certainty, mark, message, edits);
        line.at = line.tokens.len();
    }

    pub(super) fn hash(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let word = line.adjacent(at).filter(|next| next.is(Kind::Word));
        if let Some(word) = word
            && line.stand == Stand::Entry
        {
            let written = &self.text[word.range()];
            let meant = match written.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some("#true"),
                "false" | "no" | "off" => Some("#false"),
                "null" | "none" | "nil" => Some("#null"),
                _ => None,
            };
            if let Some(meant) = meant {
                let range = token.start..word.end;
                let message = format!("`#{written}` is not a keyword of KDL");
                let edits = vec![Edit::new(range.clone(), meant)];
                self.say(line, "keyword", Certainty::Sure, range, message, edits);
                line.at = at + 2;
                return;
            }
        }
        self.comment(line, Certainty::Sure, token.range());
    }

    pub(super) fn open(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        if line.stand == Stand::Name && line.is_first(at) && self.list.is_none() {
            self.block_on_its_own(line, token);
        }
        let void = line
            .previous(at)
            .is_some_and(|before| before.is(Kind::Slashdash));
        self.open_block(token.start, line.indent, void);
        line.stand = Stand::Name;
    }

    pub(super) fn block_on_its_own(&mut self, line: &Line<'_>, token: Token) {
        let Some(last) = self
            .last
            .filter(|last| !matches!(last.kind, Kind::Open | Kind::Close | Kind::Semicolon))
        else {
            return;
        };
        let lines = self.last_line..line.range.end;
        // Comments in between stay where they are: the brace goes to what it belongs to.
        let between = &self.text[last.end..token.start];
        let mistake = self.push(
            Certainty::Structure,
            token.range(),
            "the `{` belongs on the line of its node",
        );
        if between.trim().is_empty() {
            mistake.edit(last.end..token.start, " ").corrected(&lines);
        } else {
            mistake
                .hint("write it at the end of that line")
                .edit(last.end..last.end, " {")
                .edit(token.range(), "");
        }
    }

    pub(super) fn equals(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        if let Some(next) = line.adjacent(at).filter(|next| next.is(Kind::Equals)) {
            let message = "one `=` stands between a name and its value".to_owned();
            let edits = vec![Edit::new(next.range(), "")];
            self.say(
                line,
                "equals",
                Certainty::Sure,
                token.start..next.end,
                message,
                edits,
            );
            return;
        }
        let arrow = line
            .adjacent(at)
            .filter(|next| next.is(Kind::Word) && self.text[next.range()].starts_with('>'));
        if let Some(next) = arrow {
            let message = "KDL has no `=>`".to_owned();
            let mut edits = vec![Edit::new(next.start..next.start + 1, "")];
            let before = line.tokens[..at]
                .iter()
                .rfind(|token| !token.is(Kind::Blank));
            if let Some(before) = before {
                edits.push(Edit::new(before.end..token.start, ""));
            }
            if self.text[next.range()].len() == 1 {
                // Only the blanks in between: the value follows.
                if let Some((_, value)) = line.next(at + 1) {
                    edits[0] = Edit::new(next.start..value.start, "");
                }
                line.at = at + 2;
            }
            self.say(
                line,
                "arrow",
                Certainty::Foreign,
                token.start..next.start + 1,
                message,
                edits,
            );
            return;
        }
        if self.list.is_none()
            && line.ends(at)
            && !matches!(
                line.previous(at).map(|token| token.kind),
                None | Some(Kind::Equals)
            )
        {
            let name = line.previous(at).filter(Token::is_value);
            let Some(name) = name else { return };
            let range = name.start..token.end;
            let written = self.shown[name.range()].trim_matches('"').to_owned();
            let opens = line.next(at).is_some_and(|(_, next)| next.is(Kind::Open));
            let mistake = if opens {
                self.say(
                    line,
                    "block",
                    Certainty::Sure,
                    token.range(),
                    format!("`=` stands between `{written}` and its block"),
                    vec![Edit::new(token.range(), "")],
                )
            } else {
                self.push(Certainty::Sure, range, format!("`{written}` has no value"))
            };
            if !opens {
                mistake
                    .hint(format!(
                        "write its value after the `=`, or leave out `{written}`"
                    ))
                    .edit(name.start..token.end, "");
            }
        }
    }

    pub(super) fn list_begins(&mut self, line: &mut Line<'_>, token: Token) {
        if let Some((depth, mistake)) = &mut self.list {
            *depth += 1;
            let mistake = *mistake;
            self.found.mistakes[mistake].edit(token.range(), " ");
            return;
        }
        let index = self.found.mistakes.len();
        let range = line.range.clone();
        self.push(
            Certainty::Sure,
            token.range(),
            "KDL has no lists in brackets; values are separated by spaces",
        )
        .edit(token.range(), "")
        .corrected(&range);
        self.list = Some((1, index));
        line.stand = Stand::Entry;
    }

    pub(super) fn list_ends(&mut self, line: &mut Line<'_>, token: Token) {
        if let Some((depth, mistake)) = self.list {
            self.found.mistakes[mistake].edit(token.range(), "");
            self.list = (depth > 1).then_some((depth - 1, mistake));
        } else {
            let edits = vec![Edit::new(token.range(), "")];
            self.say(
                line,
                "bracket",
                Certainty::Sure,
                token.range(),
                "this `]` closes nothing".to_owned(),
                edits,
            );
        }
    }

    /// `(secret)` is the one thing that stands in parentheses.
    pub(super) fn round(&mut self, line: &mut Line<'_>, at: usize, token: Token) {
        let inside = line
            .next(at)
            .filter(|(_, inside)| inside.is(Kind::Word) || inside.is_text());
        let close = inside
            .and_then(|(inside, _)| line.next(inside))
            .filter(|(_, close)| close.is(Kind::RoundClose));
        if let Some((close, _)) = close
            && line
                .next(close)
                .is_some_and(|(_, value)| value.is_value() || value.is(Kind::Hash))
        {
            line.at = close + 1;
            return;
        }
        let mut edits = vec![Edit::new(token.range(), "")];
        let last = line.tokens[at..]
            .iter()
            .take(NEAR)
            .find(|token| token.is(Kind::RoundClose));
        edits.extend(last.map(|close| Edit::new(close.range(), "")));
        let message = "KDL has no lists in parentheses; values are separated by spaces".to_owned();
        self.say(
            line,
            "parentheses",
            Certainty::Sure,
            token.range(),
            message,
            edits,
        );
    }

    pub(super) fn comma(&mut self, line: &mut Line<'_>, at: usize, certainty: Certainty) {
        let behind = self.text[at + 1..].chars().next();
        let blank = match behind {
            Some(letter) if !letter.is_whitespace() && !matches!(letter, ')' | ']' | '}' | ';') => {
                " "
            }
            _ => "",
        };
        let edit = Edit::new(at..at + 1, blank);
        if let Some((_, mistake)) = self.list {
            self.found.mistakes[mistake].edits.push(edit);
            return;
        }
        let message = "KDL has no commas; values are separated by spaces".to_owned();
        self.say(line, "comma", certainty, at..at + 1, message, vec![edit]);
    }

    /// A word that other languages begin a comment with.
    pub(super) fn comment_word(
        &mut self,
        line: &mut Line<'_>,
        at: usize,
        token: Token,
        stand: Stand,
    ) -> bool {
        let word = &self.text[token.range()];
        let is_mark = match word {
            "--" | "—" | "–" => line.is_sentence(at),
            "!" => line.is_first(at) && line.is_sentence(at),
            "*/" => {
                let edits = vec![Edit::new(token.range(), "")];
                self.say(
                    line,
                    "comment end",
                    Certainty::Sure,
                    token.range(),
                    "this `*/` closes no comment".to_owned(),
                    edits,
                );
                return true;
            }
            _ => {
                stand == Stand::Name
                    && word.starts_with("--")
                    && word.trim_start_matches('-').is_empty()
                    && (line.is_sentence(at) || line.next(at).is_none())
            }
        };
        if is_mark {
            self.comment(line, Certainty::Loose, token.range());
        }
        is_mark
    }
}
