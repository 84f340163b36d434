//! A configuration file as its statements, with everything between them. Writing it gives the same bytes.

use switchover_sdk::Failure;

/// dhcpd nests by a call of its own for each block; so does this, within reason.
const DEEPEST: usize = 32;

/// A statement and what stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// White space and comments.
    pub(crate) lead: String,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Up to its semicolon, which is part of it.
    Plain(String),
    Block(Block),
}

/// A statement that holds others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands before the opening brace.
    pub(crate) head: String,
    pub(crate) nodes: Vec<Node>,
    /// What stands before the closing brace.
    pub(crate) tail: String,
}

impl Node {
    pub(crate) fn plain(lead: &str, text: impl Into<String>) -> Self {
        Self {
            lead: lead.into(),
            body: Body::Plain(text.into()),
        }
    }

    pub(crate) fn block(lead: &str, head: impl Into<String>, tail: &str) -> Self {
        Self {
            lead: lead.into(),
            body: Body::Block(Block {
                head: format!("{} ", head.into()),
                nodes: Vec::new(),
                tail: tail.into(),
            }),
        }
    }

    /// The statements within; none for one that holds none.
    pub(crate) fn nodes(&self) -> &[Self] {
        match &self.body {
            Body::Plain(_) => &[],
            Body::Block(block) => &block.nodes,
        }
    }

    pub(crate) fn block_mut(&mut self) -> Option<&mut Block> {
        match &mut self.body {
            Body::Plain(_) => None,
            Body::Block(block) => Some(block),
        }
    }

    /// What the statement begins with: all of it, or what stands before the brace.
    pub(crate) fn head(&self) -> &str {
        match &self.body {
            Body::Plain(text) => text.strip_suffix(';').unwrap_or(text),
            Body::Block(block) => &block.head,
        }
    }

    pub(crate) fn is_block(&self) -> bool {
        matches!(self.body, Body::Block(_))
    }

    /// The statement without what stands before it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write_body(&mut text);
        text
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(&self.lead);
        self.write_body(out);
    }

    fn write_body(&self, out: &mut String) {
        match &self.body {
            Body::Plain(text) => out.push_str(text),
            Body::Block(block) => {
                out.push_str(&block.head);
                out.push('{');
                block.nodes.iter().for_each(|node| node.write(out));
                out.push_str(&block.tail);
                out.push('}');
            }
        }
    }
}

/// Takes the statement out. A comment before it stays.
pub(crate) fn remove(nodes: &mut Vec<Node>, at: usize, tail: &mut String) {
    let Node { lead, .. } = nodes.remove(at);
    if lead.trim().is_empty() {
        return;
    }
    let next = nodes.get_mut(at).map_or(tail, |node| &mut node.lead);
    let gap = if next.starts_with(['\n', '\r']) {
        ""
    } else {
        "\n"
    };
    *next = format!("{}{gap}{next}", lead.trim_end());
}

/// The statements of a file and what stands behind the last one.
///
/// # Errors
/// It is not one of dhcpd's: a brace, a quote or a semicolon is missing or too many.
pub(crate) fn parse(file: &str, source: &str) -> Result<(Vec<Node>, String), Failure> {
    let mut reader = Reader { source, at: 0 };
    reader.nodes(0).map_err(|what| {
        let line = 1 + source[..reader.at].matches('\n').count();
        Failure::new(
            "not-dhcpd",
            format!("`{file}` cannot be read, near line {line}: {what}"),
        )
        .with_help("`dhcpd -t -cf FILE` says what is wrong with it")
    })
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> String {
        self.source[start..self.at].into()
    }

    fn nodes(&mut self, depth: usize) -> Result<(Vec<Node>, String), &'static str> {
        let mut nodes = Vec::new();
        loop {
            let start = self.at;
            self.skip_space();
            let lead = self.since(start);
            match self.peek() {
                None if depth == 0 => return Ok((nodes, lead)),
                None => return Err("a block does not end"),
                Some(b'}') if depth == 0 => return Err("a closing brace too many"),
                Some(b'}') => {
                    self.at += 1;
                    return Ok((nodes, lead));
                }
                Some(_) => nodes.push(Node {
                    lead,
                    body: self.body(depth)?,
                }),
            }
        }
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => self.skip_comment(),
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.source[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn body(&mut self, depth: usize) -> Result<Body, &'static str> {
        let start = self.at;
        // The braces of a record type follow an equals sign and open no block.
        let (mut before, mut record) = (0, 0_usize);
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'"' => self.skip_text()?,
                b'{' if before == b'=' || record > 0 => record += 1,
                b'}' if record > 0 => record -= 1,
                b'{' => {
                    let head = self.since(start);
                    self.at += 1;
                    if depth == DEEPEST {
                        return Err("blocks are nested too deeply");
                    }
                    let (nodes, tail) = self.nodes(depth + 1)?;
                    return Ok(Body::Block(Block { head, nodes, tail }));
                }
                b';' => {
                    self.at += 1;
                    return Ok(Body::Plain(self.since(start)));
                }
                b'}' => break,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                before = byte;
            }
            self.at += 1;
        }
        Err("a statement without its semicolon")
    }

    /// To the closing quote.
    fn skip_text(&mut self) -> Result<(), &'static str> {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.source.len();
        Err("a text does not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again(source: &str) -> Option<String> {
        let (nodes, tail) = parse("x", source).ok()?;
        let mut text = String::new();
        nodes.iter().for_each(|node| node.write(&mut text));
        Some(text + &tail)
    }

    #[test]
    fn statements_and_what_is_between_them() {
        let source = "# one;\noption s code 120 = { integer 8, array of ip-address };\n\n  subnet 10.0.0.0 netmask \
                      255.0.0.0 { # {\n option x \"};\\\"\"; if a = b { c; } else { d; } }\n; # end";
        let (nodes, tail) = parse("x", source).expect("statements");
        let heads: Vec<_> = nodes.iter().map(|node| node.head().trim()).collect();
        assert_eq!(
            heads,
            [
                "option s code 120 = { integer 8, array of ip-address }",
                "subnet 10.0.0.0 netmask 255.0.0.0",
                ""
            ]
        );
        assert_eq!(nodes[1].nodes().len(), 3);
        assert_eq!(tail, " # end");
        assert_eq!(again(source).as_deref(), Some(source));
    }

    #[test]
    fn what_dhcpd_would_not_read_is_told_with_its_line() {
        for (source, line, what) in [
            ("a;\nb {", 2, "does not end"),
            ("a;\n}", 2, "brace too many"),
            ("a {\n b }", 2, "semicolon"),
            ("a", 1, "semicolon"),
            ("a \"b", 1, "text does not end"),
            ("a \"\\", 1, "text does not end"),
            (&"a{".repeat(40), 1, "too deeply"),
        ] {
            let failure = parse("x.conf", source).expect_err(source);
            assert_eq!(failure.code, "not-dhcpd");
            let message = failure.message;
            assert!(
                message.contains(&format!("line {line}")) && message.contains(what),
                "{message}"
            );
        }
    }

    #[test]
    fn a_comment_stays_when_its_statement_goes() {
        let (mut nodes, mut tail) = parse("x", "a;\n# about b\nb;\nc;\n").expect("statements");
        remove(&mut nodes, 1, &mut tail);
        let mut text = String::new();
        nodes.iter().for_each(|node| node.write(&mut text));
        assert_eq!(text + &tail, "a;\n# about b\nc;\n");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_written_as_it_was(source in "[a-b{};=\"#\\\\ \nä]{0,30}") {
            if let Some(text) = again(&source) {
                prop_assert_eq!(text, source);
            }
        }
    }
}
