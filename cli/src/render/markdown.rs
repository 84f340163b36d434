//! Markdown on a terminal: explanations of rules.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::render::text::WORDS;
use crate::terminal::Look;

/// Longer lines of prose tire the eye.
const PROSE: usize = 100;

/// Prose wrapped to the width of the stream, code indented and left as it is.
pub(crate) fn render(source: &str, look: Look) -> String {
    let mut page = Page {
        text: String::new(),
        color: look.color,
        width: look.width.min(PROSE),
        paragraph: String::new(),
        heading: None,
        lists: Vec::new(),
        bullet: None,
        code: None,
        link: None,
        quotes: 0,
        row: Vec::new(),
    };
    for event in Parser::new_ext(source, Options::ENABLE_TABLES) {
        page.event(event);
    }
    page.text
}

struct Page {
    text: String,
    color: bool,
    width: usize,
    /// Text of the block that is being read.
    paragraph: String,
    heading: Option<HeadingLevel>,
    /// Enclosing lists: the next number where they are ordered.
    lists: Vec<Option<u64>>,
    /// What stands before the next block of an item.
    bullet: Option<String>,
    code: Option<String>,
    link: Option<String>,
    quotes: usize,
    row: Vec<String>,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.paragraph.push_str(&text),
            },
            Event::Code(text) => {
                let code = self.paint(AnsiColor::Cyan.on_default(), &text, "`");
                self.paragraph.push_str(&code);
            }
            Event::SoftBreak => self.paragraph.push(' '),
            Event::HardBreak => self.paragraph.push('\n'),
            Event::Rule => {
                self.gap();
                self.text.push_str("---\n");
            }
            Event::Html(text) | Event::InlineHtml(text) => self.paragraph.push_str(&text),
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(level),
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let bullet = format!("{number}. ");
                        *number += 1;
                        bullet
                    }
                    _ => "- ".to_owned(),
                });
            }
            Tag::BlockQuote(_) => self.quotes += 1,
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.into_string()),
            Tag::TableHead | Tag::TableRow => self.row.clear(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let heading = std::mem::take(&mut self.paragraph);
                let mark = if self.heading.take() == Some(HeadingLevel::H1) {
                    ""
                } else {
                    "## "
                };
                let painted = self.paint(Style::new().bold(), &heading, "");
                self.gap();
                // Without colour a heading is told by its marks.
                let mark = if self.color { "" } else { mark };
                let _ = writeln!(self.text, "{mark}{painted}");
            }
            TagEnd::Paragraph | TagEnd::Item => self.flush(),
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.gap();
                let indent = "  ".repeat(self.lists.len() + 2);
                for line in code.lines() {
                    let _ = writeln!(self.text, "{}", format!("{indent}{line}").trim_end());
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.bullet = None;
            }
            TagEnd::Link => {
                // Relative links lead nowhere on a terminal.
                if let Some(url) = self.link.take().filter(|url| url.starts_with("http")) {
                    let _ = write!(self.paragraph, " ({url})");
                }
            }
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.paragraph)),
            TagEnd::TableHead | TagEnd::TableRow => {
                self.paragraph = self.row.join(" | ");
                if tag == TagEnd::TableHead {
                    self.gap();
                }
                let _ = writeln!(self.text, "  {}", std::mem::take(&mut self.paragraph));
            }
            _ => {}
        }
    }

    /// Writes the paragraph that was read.
    fn flush(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if paragraph.trim().is_empty() {
            return;
        }
        let bullet = self.bullet.take();
        // Items of a list stand together.
        if bullet.is_none() || !self.in_item() {
            self.gap();
        }
        let outer = "  ".repeat(self.lists.len().saturating_sub(1)) + &"> ".repeat(self.quotes);
        let rest = if self.lists.is_empty() {
            outer.clone()
        } else {
            format!("{outer}  ")
        };
        let first = bullet.map_or_else(|| rest.clone(), |bullet| outer + &bullet);
        let options = textwrap::Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .break_words(false)
            .word_separator(WORDS)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        self.text.push_str(&textwrap::fill(&paragraph, options));
        self.text.push('\n');
    }

    /// Whether the last line belongs to a list.
    fn in_item(&self) -> bool {
        let last = self
            .text
            .trim_end_matches('\n')
            .rsplit('\n')
            .next()
            .unwrap_or_default();
        last.trim_start().starts_with("- ")
            || last.starts_with("  ")
            || last.starts_with(|first: char| first.is_ascii_digit())
    }

    /// One empty line between two blocks.
    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn paint(&self, style: Style, text: &str, mark: &str) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            format!("{mark}{text}{mark}")
        }
    }
}
