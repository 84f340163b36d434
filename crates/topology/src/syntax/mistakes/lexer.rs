//! A lexer that takes any text, one line after the other: for texts that the KDL parser refuses.

use std::ops::Range;

use super::super::lexical::is_newline;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// `// …`, or `/* … */` with its end.
    Comment,
    /// `/* …` that never ends.
    OpenComment,
    /// A string with its quotes; its closing quote may be missing.
    Text {
        closed: bool,
        raw: bool,
        multiline: bool,
    },
    /// What stands between blanks and punctuation: more than KDL takes for a word, such as `10.0.0.0/8`.
    Word,
    /// `#true`
    Keyword,
    /// `#` that begins neither keyword nor string.
    Hash,
    Equals,
    Semicolon,
    Open,
    Close,
    RoundOpen,
    RoundClose,
    SquareOpen,
    SquareClose,
    Slashdash,
    /// `\` that does not end its line.
    Backslash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text { .. })
    }

    pub(super) fn is_value(&self) -> bool {
        self.is_text() || matches!(self.kind, Kind::Word | Kind::Keyword)
    }

    /// Whether it is a string of one line without its closing quote.
    pub(super) fn is_unclosed(&self) -> bool {
        matches!(
            self.kind,
            Kind::Text {
                closed: false,
                raw: false,
                multiline: false,
            }
        )
    }
}

/// Schemes whose `//` nobody means as a comment.
const SCHEMES: [&str; 13] = [
    "http:", "https:", "tftp:", "ftp:", "ftps:", "sftp:", "ssh:", "s3:", "gs:", "file:", "sip:",
    "sips:", "ldap:",
];

/// Whether a word is a URL's scheme with its colon.
pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.contains(&word)
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// How often a search for `*/` may still go to the end of the text for nothing.
    searches: u8,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        let mark = '\u{feff}';
        Self {
            text,
            at: match at == 0 && text.starts_with(mark) {
                true => mark.len_utf8(),
                false => at,
            },
            searches: 8,
        }
    }

    /// The tokens up to the next end of a line, which may be several lines on where a string or a comment has some.
    pub(super) fn line(&mut self, tokens: &mut Vec<Token>) -> Option<Range<usize>> {
        tokens.clear();
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        while let Some(letter) = self.peek() {
            if is_newline(letter) {
                let end = self.at;
                self.at += letter.len_utf8();
                if letter == '\r' && self.rest().starts_with('\n') {
                    self.at += 1;
                }
                return Some(start..end);
            }
            let begin = self.at;
            let kind = self.token(letter);
            if self.at == begin {
                // No letter may stop the way.
                self.at += letter.len_utf8();
            }
            tokens.push(Token {
                kind,
                start: begin,
                end: self.at,
            });
        }
        Some(start..self.at)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn single(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn token(&mut self, letter: char) -> Kind {
        match letter {
            letter if letter.is_whitespace() => {
                self.skip(|letter| letter.is_whitespace() && !is_newline(letter));
                Kind::Blank
            }
            '"' => self.quoted(),
            '#' => self.hash(),
            '=' => self.single(Kind::Equals),
            ';' => self.single(Kind::Semicolon),
            '{' => self.single(Kind::Open),
            '}' => self.single(Kind::Close),
            '(' => self.single(Kind::RoundOpen),
            ')' => self.single(Kind::RoundClose),
            '[' => self.single(Kind::SquareOpen),
            ']' => self.single(Kind::SquareClose),
            '\\' => self.backslash(),
            '/' if self.rest().starts_with("//") => {
                self.skip(|letter| !is_newline(letter));
                Kind::Comment
            }
            '/' if self.rest().starts_with("/*") => self.comment(),
            '/' if self.rest().starts_with("/-") => {
                self.at += 2;
                Kind::Slashdash
            }
            _ => self.word(),
        }
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        while let Some(letter) = self.peek() {
            let rest = self.rest();
            let so_far = &self.text[start..self.at];
            match letter {
                '{' if so_far.ends_with('$') => {
                    let Some(length) = parameter(rest) else { break };
                    self.at += length;
                    continue;
                }
                '"' | '#' | '=' | ';' | '{' | '}' | '(' | ')' | '[' | ']' => break,
                '/' if rest.starts_with("//") && !is_scheme(so_far) => break,
                '/' if rest.starts_with("/*") && self.comment_length().is_some() => break,
                '/' if rest.starts_with("/-") && !so_far.contains('/') => break,
                '\\' if !continues_word(rest) => break,
                letter if letter.is_whitespace() || is_newline(letter) => break,
                '/' if is_scheme(so_far) && rest.starts_with("//") => {
                    self.at += 2;
                    continue;
                }
                _ => {}
            }
            self.at += letter.len_utf8();
        }
        Kind::Word
    }

    /// The length of the comment that begins here, with its end.
    fn comment_length(&mut self) -> Option<usize> {
        if self.searches == 0 {
            return None;
        }
        let rest = self.rest();
        let (mut at, mut depth) = (0, 0_usize);
        while let Some(found) = rest[at..].find(['*', '/']) {
            at += found;
            if rest[at..].starts_with("/*") {
                depth += 1;
                at += 2;
            } else if rest[at..].starts_with("*/") {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            } else {
                at += 1;
            }
        }
        self.searches -= 1;
        None
    }

    fn comment(&mut self) -> Kind {
        match self.comment_length() {
            Some(length) => {
                self.at += length;
                Kind::Comment
            }
            None => {
                self.skip(|letter| !is_newline(letter));
                Kind::OpenComment
            }
        }
    }

    /// `\` and the end of the line, perhaps with a comment before it.
    fn backslash(&mut self) -> Kind {
        let rest = &self.rest()[1..];
        let trimmed =
            rest.trim_start_matches(|letter: char| letter.is_whitespace() && !is_newline(letter));
        let comment = match trimmed.starts_with("//") {
            true => trimmed.find(is_newline).unwrap_or(trimmed.len()),
            false => 0,
        };
        let after = &trimmed[comment..];
        // The parser takes these, too.
        if after.starts_with(';') || after.starts_with("/*") {
            return self.single(Kind::Blank);
        }
        if !(after.is_empty() || after.starts_with(is_newline)) {
            return self.single(Kind::Backslash);
        }
        self.at = self.text.len() - after.len();
        if let Some(newline) = self.peek() {
            self.at += newline.len_utf8();
            if newline == '\r' && self.rest().starts_with('\n') {
                self.at += 1;
            }
        }
        Kind::Blank
    }

    fn quoted(&mut self) -> Kind {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix("\"\"\"")
            && inner.starts_with(is_newline)
        {
            let mut at = 0;
            while let Some(found) = inner[at..].find(['"', '\\']) {
                at += found;
                if inner[at..].starts_with("\"\"\"") {
                    self.at += 3 + at + 3;
                    return text(true, false, true);
                }
                let escaped = inner[at..].starts_with('\\');
                at += 1;
                if escaped {
                    at += inner[at..].chars().next().map_or(0, char::len_utf8);
                }
            }
            self.at = self.text.len();
            return text(false, false, true);
        }
        self.at += 1;
        while let Some(letter) = self.peek() {
            if is_newline(letter) {
                return text(false, false, false);
            }
            self.at += letter.len_utf8();
            match letter {
                '"' => return text(true, false, false),
                '\\' => {
                    // White space with its ends of lines may be escaped as a whole.
                    let blank = |letter: char| letter.is_whitespace() || is_newline(letter);
                    match self.peek() {
                        Some(next) if blank(next) => self.skip(blank),
                        Some(next) => self.at += next.len_utf8(),
                        None => {}
                    }
                }
                _ => {}
            }
        }
        text(false, false, false)
    }

    fn hash(&mut self) -> Kind {
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let behind = &rest[hashes..];
        if behind.starts_with('"') {
            let multiline = behind.starts_with("\"\"\"") && behind[3..].starts_with(is_newline);
            let quotes = if multiline { "\"\"\"" } else { "\"" };
            let close = format!("{quotes}{}", "#".repeat(hashes));
            let inner = &behind[quotes.len()..];
            let room = match multiline {
                true => inner.len(),
                false => inner.find(is_newline).unwrap_or(inner.len()),
            };
            let found = inner[..room].find(&close);
            self.at += hashes + quotes.len() + found.map_or(room, |found| found + close.len());
            return text(found.is_some(), true, multiline);
        }
        if hashes == 1 {
            let word = &behind[..behind.find(ends_word).unwrap_or(behind.len())];
            if matches!(word, "true" | "false" | "null" | "nan" | "inf" | "-inf") {
                self.at += 1 + word.len();
                return Kind::Keyword;
            }
        }
        self.at += hashes;
        Kind::Hash
    }
}

fn text(closed: bool, raw: bool, multiline: bool) -> Kind {
    Kind::Text {
        closed,
        raw,
        multiline,
    }
}

/// What no word of KDL goes on with.
fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || is_newline(letter) || "(){}[]/\\\"#;=".contains(letter)
}

/// The length of `{name}` behind a `$`.
fn parameter(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    let length =
        inner.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '-' | '_')))?;
    (length > 0 && inner[length..].starts_with('}')).then_some(length + 2)
}

/// Whether a `\` inside a word is followed by more of the word, as in `C:\folder`.
fn continues_word(rest: &str) -> bool {
    rest[1..]
        .chars()
        .next()
        .is_some_and(|next| next == '\\' || !ends_word(next))
}
