//! What a whole line says about itself: other languages, conflicts, comments.

use std::ops::Range;

use super::lexer::{Kind, Token};
use super::{Certainty, Edit, Scan, quotes};

/// The last line of a merge conflict's second side, if `line` begins that side: all of it is passed over. `more` is
/// whether there may be conflicts from there on.
pub(super) fn second_side(text: &str, line: &Range<usize>, more: &mut bool) -> Option<usize> {
    let begins = ["=======", "|||||||"]
        .iter()
        .any(|mark| text[line.clone()].starts_with(mark));
    if !begins || !*more {
        return None;
    }
    let Some(found) = text[line.end..].find("\n>>>>>>>") else {
        *more = false;
        return None;
    };
    let last = line.end + found + 1;
    Some(text[last..].find('\n').map_or(text.len(), |end| last + end))
}

impl Scan<'_> {
    /// Gives the place behind which to go on.
    pub(super) fn line(&mut self, tokens: &[Token], line: &Range<usize>) -> usize {
        let mut significant = tokens
            .iter()
            .filter(|token| !matches!(token.kind, Kind::Blank | Kind::Comment));
        let Some(first) = significant.next().copied() else {
            return line.end;
        };
        if let Some(end) = self.whole_line(&first, line) {
            return end;
        }
        let indent = self.text[line.start..first.start].chars().count();
        if let Some((_, mistake)) = self.list {
            let newline = Edit::new(self.line_end..first.start, " ");
            let mistake = &mut self.found.mistakes[mistake];
            mistake.edits.push(newline);
            if let Some(corrected) = &mut mistake.corrected {
                corrected.end = line.end;
            }
        } else if !matches!(first.kind, Kind::Open | Kind::Close) {
            self.begins(&first.range(), indent, line);
        }
        let end = match tokens.last().filter(|token| token.is_unclosed()) {
            Some(_) => self.quotes(tokens, line, indent),
            None => {
                self.values(tokens, line, indent);
                line.end
            }
        };
        let last = tokens
            .iter()
            .rfind(|token| !matches!(token.kind, Kind::Blank | Kind::Comment | Kind::OpenComment));
        self.last = last.copied().or(self.last);
        self.last_line = line.start;
        end
    }

    fn quotes(&mut self, tokens: &[Token], line: &Range<usize>, indent: usize) -> usize {
        let repair = quotes::repair(self.text, tokens, line);
        for (kind, at) in quotes::braces(self.text, line, &repair.edits) {
            match kind {
                Kind::Open => self.open_block(at, indent, false),
                _ => drop(self.close_block(at, indent, false)),
            }
        }
        let mistake = self.push(Certainty::Sure, repair.at, repair.message);
        mistake.edits = repair.edits;
        match repair.hint {
            Some(hint) => mistake.hint(hint),
            None => mistake.corrected(line),
        };
        repair.end
    }

    /// A line that is a mistake from its beginning to its end. Gives the place behind it.
    fn whole_line(&mut self, first: &Token, line: &Range<usize>) -> Option<usize> {
        let text = &self.text[first.start..line.end];
        if self.list.is_some() {
            return None;
        }
        match first.kind {
            Kind::Word => {
                if first.start == line.start
                    && (text.starts_with("<<<<<<<") || text.starts_with(">>>>>>>"))
                {
                    self.conflict(line, line.end);
                } else if first.start == line.start && text.starts_with("|||||||") {
                    return Some(self.side(line));
                } else if text.starts_with("```") || text.starts_with("~~~") {
                    self.fence(line);
                } else if is_markup(text) {
                    self.markup(line);
                } else if text.trim_end() == "---" && first.start == line.start {
                    self.push(Certainty::Loose, first.range(), "KDL has no `---`")
                        .hint("delete the line")
                        .edit(line.clone(), "");
                } else {
                    return None;
                }
                Some(line.end)
            }
            Kind::Equals if first.start == line.start && text.starts_with("=======") => {
                Some(self.side(line))
            }
            Kind::SquareOpen if is_section(text) => {
                let name = text.trim().trim_matches(['[', ']']).trim();
                let name: Vec<&str> = name.split_whitespace().collect();
                let hint = format!(
                    "write a node and its block: `{} {{`, its values, and `}}`",
                    name.join(" ")
                );
                self.push(
                    Certainty::Sure,
                    first.start..first.start + text.trim_end().len(),
                    "KDL has no sections in brackets",
                )
                .hint(hint)
                .edit(line.clone(), "");
                Some(line.end)
            }
            Kind::Open | Kind::SquareOpen if self.last.is_none() => {
                let json = self.text[first.end..]
                    .trim_start()
                    .starts_with(['"', '{', '[', '}']);
                if !json {
                    return None;
                }
                self.push(Certainty::Structure, first.range(), "this file is JSON, and a topology is KDL")
                    .hint("write `key \"value\"` without colons and commas; `switchover init` writes an example");
                self.found.other_language = true;
                Some(line.end)
            }
            _ => None,
        }
    }

    /// The line that begins the second side of a conflict, and the whole side with it.
    fn side(&mut self, line: &Range<usize>) -> usize {
        let end = second_side(self.text, line, &mut self.conflicts).unwrap_or(line.end);
        self.conflict(line, end);
        end
    }

    fn conflict(&mut self, line: &Range<usize>, end: usize) {
        let delete = line.start..end;
        if let Some(mistake) = self.conflict {
            self.found.mistakes[mistake].edit(delete, "");
            if self.text[line.clone()].starts_with("=======") {
                self.conflict = None;
            }
            return;
        }
        self.conflict = Some(self.found.mistakes.len());
        let marker = line.start..(line.start + 7).min(line.end);
        self.push(Certainty::Foreign, marker, "a merge conflict is not resolved")
            .hint("keep one of the two sides, and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`")
            .edit(delete, "");
    }

    fn fence(&mut self, line: &Range<usize>) {
        if let Some(mistake) = self.fence.take() {
            self.found.mistakes[mistake].edit(line.clone(), "");
            return;
        }
        self.fence = Some(self.found.mistakes.len());
        self.push(
            Certainty::Foreign,
            line.clone(),
            "this is a fence of Markdown, not KDL",
        )
        .hint("delete it, and the one that closes it")
        .edit(line.clone(), "");
    }

    fn markup(&mut self, line: &Range<usize>) {
        if let Some(mistake) = self.markup {
            self.found.mistakes[mistake].edit(line.clone(), "");
            return;
        }
        let whole = self.last.is_none();
        self.markup = Some(self.found.mistakes.len());
        let (message, hint) = match whole {
            true => (
                "this file is HTML or XML, and a topology is KDL",
                "look whether a web page was saved in place of the file",
            ),
            false => (
                "this line is HTML or XML, not KDL",
                "delete the tags; a comment is written `// …`",
            ),
        };
        self.push(Certainty::Foreign, line.clone(), message)
            .hint(hint)
            .edit(line.clone(), "");
        self.found.other_language = whole;
    }
}

fn is_markup(text: &str) -> bool {
    text.strip_prefix('<').is_some_and(|rest| {
        let rest = rest.strip_prefix(['/', '!', '?']).unwrap_or(rest);
        let name = rest
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '-'))
            .unwrap_or(rest.len());
        rest.starts_with(|letter: char| letter.is_alphabetic() || letter == '-')
            && text[1 + name..].contains('>')
    })
}

/// `[name]`, `[[name]]`, `[name "x"]`
fn is_section(text: &str) -> bool {
    let text = text.trim();
    text.ends_with(']')
        && !text.contains([',', '='])
        && text
            .trim_start_matches('[')
            .starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}
