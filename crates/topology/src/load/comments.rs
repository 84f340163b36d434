//! Comments as other languages write them. KDL takes `; the hall` for a node called `the`, so they are found when that
//! node turns out not to exist.

use std::collections::HashSet;

use crate::report::syntax_error;
use crate::source::Span;
use crate::{Diagnostic, Sources};

/// Says once a line that it holds a comment, in place of what else was said about the comment's words.
pub(super) fn explain(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    let suspicious =
        |found: &Diagnostic| matches!(found.code.as_str(), "SW002" | "SW003" | "SW005");
    if !diagnostics.iter().any(|found| found.code == "SW002") {
        return;
    }
    let mut said = HashSet::new();
    let mut comments = Vec::new();
    diagnostics.retain(|found| {
        let Some(comment) = found
            .span
            .filter(|_| suspicious(found))
            .and_then(|span| comment(sources, span))
        else {
            return true;
        };
        if said.insert(comment.span) {
            comments.push(comment);
        }
        false
    });
    diagnostics.extend(comments.into_iter().map(|comment| {
        let message = format!("comments begin with `//`, not with `{}`", comment.mark);
        syntax_error(Some(comment.span), message).help(format!("write `{}`", comment.corrected))
    }));
}

struct Comment {
    /// The mark that begins it.
    span: Span,
    mark: String,
    corrected: String,
}

/// The comment in which a place is.
fn comment(sources: &Sources, span: Span) -> Option<Comment> {
    /// Longer than anybody writes, so that looking at one line often costs little.
    const LONG: usize = 1024;
    let text = sources.file(span.file).text.as_str();
    let at = span.start as usize;
    let from = (at.saturating_sub(LONG)..=at).find(|from| text.is_char_boundary(*from))?;
    let start = from
        + text
            .get(from..at)?
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
    let until = (at..=(at + LONG).min(text.len())).rfind(|until| text.is_char_boundary(*until))?;
    let end = at + text.get(at..until)?.find('\n').unwrap_or(until - at);
    let line = text.get(start..end)?.trim_end();
    let (mark, length) = mark(line, at - start)?;
    let behind = line[mark + length..].trim();
    // A sentence: what holds more than words is a node.
    let is_word = |word: &str| !word.contains(|letter| "\"={}()/\\#".contains(letter));
    let mut words = behind.split_whitespace();
    let least = if line[mark..].starts_with(';') { 2 } else { 1 };
    if words.clone().count() < least || !words.all(is_word) {
        return None;
    }
    let place = |at: usize| u32::try_from(start + at).unwrap_or(u32::MAX);
    Some(Comment {
        span: Span {
            file: span.file,
            start: place(mark),
            end: place(mark + length),
        },
        mark: line[mark..mark + length].to_owned(),
        corrected: format!("{}// {behind}", &line[..mark]).trim().to_owned(),
    })
}

/// Where a comment begins in a line, at or before a place in it, and how long its mark is.
fn mark(line: &str, before: usize) -> Option<(usize, usize)> {
    let is_outside = |at: usize| line[..at].matches('"').count().is_multiple_of(2);
    let alone = |at: usize, mark: &str| {
        let behind = &line[at + mark.len()..];
        line[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
            && behind.starts_with(char::is_whitespace)
    };
    for (mark, free) in [
        (";", true),
        ("--", false),
        ("—", false),
        ("–", false),
        ("!", false),
    ] {
        let found = line
            .match_indices(mark)
            .map(|(at, _)| at)
            .take_while(|at| *at <= before)
            .find(|at| (free || alone(*at, mark)) && is_outside(*at));
        if let Some(at) = found {
            return Some((at, mark.len()));
        }
    }
    None
}
