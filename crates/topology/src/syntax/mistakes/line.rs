//! One line while it is gone through.

use std::ops::Range;

use super::lexer::{Kind, Token};

/// How far the other end of something is looked for: letters, and tokens.
pub(super) const LONGEST: usize = 256;
pub(super) const NEAR: usize = 64;

/// Where in a node a token stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// Where the name of a node belongs.
    Name,
    /// Behind the name.
    Entry,
    /// Behind a block.
    Closed,
}

/// One line while it is gone through.
pub(super) struct Line<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) range: &'a Range<usize>,
    pub(super) indent: usize,
    pub(super) at: usize,
    pub(super) stand: Stand,
    /// Kinds of mistakes that were found in it: what is the same twice is said once, with both corrected.
    pub(super) said: Vec<(&'static str, usize)>,
}

impl Line<'_> {
    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    /// The next token that is not blank, and where it is.
    pub(super) fn next(&self, at: usize) -> Option<(usize, Token)> {
        let rest = self.tokens.iter().enumerate().skip(at + 1);
        rest.map(|(at, token)| (at, *token))
            .find(|(_, token)| !token.is(Kind::Blank))
    }

    pub(super) fn previous(&self, at: usize) -> Option<Token> {
        let before = self.tokens[..at].iter();
        before.rev().find(|token| !token.is(Kind::Blank)).copied()
    }

    /// The token that directly follows.
    pub(super) fn adjacent(&self, at: usize) -> Option<Token> {
        self.token(at + 1).filter(|token| !token.is(Kind::Blank))
    }

    /// Goes on at a place behind the token that is looked at.
    pub(super) fn go_to(&mut self, at: usize, place: usize) {
        let rest = self.tokens.iter().skip(at + 1);
        self.at = at + 1 + rest.take_while(|token| token.start < place).count();
    }

    /// Whether nothing but words comes behind.
    pub(super) fn is_sentence(&self, at: usize) -> bool {
        let mut rest = self.tokens[at + 1..]
            .iter()
            .filter(|token| !token.is(Kind::Blank))
            .take(NEAR)
            .peekable();
        rest.peek().is_some() && rest.all(|token| token.is(Kind::Word))
    }

    pub(super) fn is_first(&self, at: usize) -> bool {
        self.previous(at).is_none()
    }

    /// Whether nothing but a comment, or what ends a node, comes behind.
    pub(super) fn ends(&self, at: usize) -> bool {
        self.next(at).is_none_or(|(_, token)| {
            matches!(
                token.kind,
                Kind::Comment | Kind::OpenComment | Kind::Semicolon | Kind::Close | Kind::Open
            )
        })
    }
}
