//! Braces: which one has no other.

use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};
use super::{Certainty, Scan, lines, quotes};

/// Deeper than any topology nests.
const DEEP: usize = 64;

/// A block that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    at: usize,
    /// Of the line in which it opens.
    indent: usize,
    /// Of the first line in it.
    inside: Option<usize>,
    /// Commented out: another block may follow.
    void: bool,
}

pub(super) struct Blocks {
    open: Vec<Block>,
    /// How many more `{` than `}` there are.
    balance: isize,
}

impl Blocks {
    pub(super) fn new(balance: isize) -> Self {
        Self {
            open: Vec::new(),
            balance,
        }
    }
}

/// How many more `{` than `}` a text has, outside of strings and comments.
pub(super) fn balance(text: &str) -> isize {
    let mut lexer = Lexer::new(text, 0);
    let mut tokens = Vec::new();
    let mut balance = 0;
    let mut conflicts = true;
    while let Some(line) = lexer.line(&mut tokens) {
        let mut count = |kind: Kind| match kind {
            Kind::Open => balance += 1,
            Kind::Close => balance -= 1,
            _ => {}
        };
        if tokens.last().is_some_and(Token::is_unclosed) {
            let repair = quotes::repair(text, &tokens, &line);
            for (kind, _) in quotes::braces(text, &line, &repair.edits) {
                count(kind);
            }
            if repair.end > line.end {
                lexer = Lexer::new(text, repair.end);
            }
        } else if let Some(end) = lines::second_side(text, &line, &mut conflicts) {
            lexer = Lexer::new(text, end);
        } else {
            tokens.iter().for_each(|token| count(token.kind));
        }
    }
    balance
}

impl Scan<'_> {
    pub(super) fn open_block(&mut self, at: usize, indent: usize, void: bool) {
        self.blocks.open.push(Block {
            at,
            indent,
            inside: None,
            void,
        });
    }

    /// `first` is whether it begins its line. Gives whether it ends the node.
    pub(super) fn close_block(&mut self, at: usize, indent: usize, first: bool) -> bool {
        let open = &mut self.blocks.open;
        let Some(top) = open.last().copied() else {
            self.surplus(at);
            return true;
        };
        if first && indent != top.indent {
            let mut near = open.iter().rev().take(DEEP);
            let is_outer = near.any(|block| block.indent == indent);
            if self.blocks.balance > 0 && indent < top.indent && is_outer {
                // It belongs to a block further out.
                while self
                    .blocks
                    .open
                    .last()
                    .is_some_and(|block| block.indent > indent)
                    && self.blocks.balance > 0
                {
                    let before = self.line_start(at);
                    self.unclosed(before);
                }
            } else if self.blocks.balance < 0 && indent > top.indent {
                self.surplus(at);
                return true;
            }
        }
        self.blocks.open.pop().is_none_or(|block| !block.void)
    }

    /// The first word of a line. A line further out than the block that it would be in says that the block is over.
    pub(super) fn begins(&mut self, word: &Range<usize>, indent: usize, line: &Range<usize>) {
        while self.blocks.balance > 0 {
            let Some(top) = self.blocks.open.last().copied() else {
                return;
            };
            let over = match top.inside {
                Some(inside) => inside > top.indent && indent <= top.indent,
                None => {
                    indent < top.indent
                        || (indent == 0
                            && top.indent == 0
                            && only_outside(&self.text[word.clone()]))
                }
            };
            if !over {
                break;
            }
            self.unclosed(line.start);
        }
        if let Some(top) = self.blocks.open.last_mut() {
            top.inside.get_or_insert(indent);
        }
    }

    pub(super) fn unclosed_blocks(&mut self, end: usize) {
        if self.found.other_language {
            return;
        }
        while self.blocks.balance > 0 && !self.blocks.open.is_empty() {
            self.unclosed(end);
        }
    }

    pub(super) fn is_in_block(&self) -> bool {
        !self.blocks.open.is_empty()
    }

    /// Leaves off looking for the ends of blocks; gives how many are open.
    pub(super) fn forget_blocks(&mut self) -> usize {
        self.blocks.balance = 0;
        std::mem::take(&mut self.blocks.open).len().min(DEEP)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The innermost block is not closed, and is over at `end`.
    fn unclosed(&mut self, end: usize) {
        let Some(block) = self.blocks.open.pop() else {
            return;
        };
        self.blocks.balance -= 1;
        let opened = self.line_number(block.at);
        let message = format!("the `{{` opened in line {opened} is not closed");
        let hint = match end < self.text.len() {
            true => {
                let next = self.line_number(end);
                format!("write its `}}` on a line of its own before line {next}")
            }
            false => "write its `}` on a line of its own where the block ends".to_owned(),
        };
        let newline = if end < self.text.len() || self.text.ends_with('\n') {
            "}\n"
        } else {
            "\n}"
        };
        self.push(Certainty::Structure, block.at..block.at + 1, message)
            .hint(hint)
            .edit(end..end, newline);
    }

    fn surplus(&mut self, at: usize) {
        self.blocks.balance += 1;
        self.push(Certainty::Structure, at..at + 1, "this `}` closes nothing")
            .hint("delete it, or look above for a block that ends too early")
            .edit(at..at + 1, "");
    }
}

/// Whether a word names a node of the top level and nothing else.
fn only_outside(word: &str) -> bool {
    let is_outer = crate::schema::kind_named(word).is_some()
        || crate::schema::STRUCTURE
            .iter()
            .any(|spec| spec.name == word);
    is_outer && !crate::schema::is_inside(word)
}
