//! A topology to be written: nodes with what a person has to know of them.

use std::fmt::Write as _;

use switchover_topology::kdl_text;

/// A topology that is not a file yet.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Stands above everything.
    pub(super) heading: Vec<String>,
    pub(super) nodes: Vec<Node>,
}

/// A node with its comments.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// What stands above it, for people.
    notes: Vec<String>,
    /// What a person has to put in, in a few words: marked above it.
    fill_in: Vec<String>,
    /// Its name, arguments and properties; nothing for comments without a node.
    text: String,
    /// Whether it is there for a person to complete, and means nothing until then.
    out: bool,
    children: Vec<Self>,
}

/// Begins every line that a person has to look at.
const FILL_IN: &str = "FILL IN";

impl Document {
    /// The text, before it is laid out.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_and_ends().0
    }

    /// What a person has to put in before the topology says all that it should.
    pub fn fill_ins(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().flat_map(Node::fill_ins)
    }

    /// Accepts findings where they are: of each the first byte in [`text`](Self::text), the code and the reason. It is
    /// done in the node of the top level, once for each code.
    pub fn acknowledge<'a>(
        &mut self,
        findings: impl IntoIterator<Item = (usize, &'a str, &'a str)>,
    ) {
        let (_, ends) = self.text_and_ends();
        for (byte, code, reason) in findings {
            let at = ends.partition_point(|end| *end <= byte);
            let node = self.nodes.get_mut(at);
            if let Some(node) = node.filter(|node| !node.text.is_empty()) {
                node.acknowledge(code, reason);
            }
        }
    }

    /// The text, and where each node of the top level ends in it.
    fn text_and_ends(&self) -> (String, Vec<usize>) {
        let mut text = String::new();
        for line in &self.heading {
            comment(&mut text, 0, line);
        }
        let mut ends = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            // Devices are many: one line each where that is enough.
            let before = at.checked_sub(1).and_then(|at| self.nodes.get(at));
            let dense = before.is_some_and(|before| before.is_device() && node.is_plain_device());
            if !text.is_empty() && !dense {
                text.push('\n');
            }
            node.write(&mut text, 0);
            ends.push(text.len());
        }
        (text, ends)
    }
}

impl Node {
    fn acknowledge(&mut self, code: &str, reason: &str) {
        let begins = format!("acknowledge {} ", kdl_text(code));
        let there = |child: &Self| child.text.starts_with(&begins);
        if !self.children.iter().any(there) {
            let reason = kdl_text(reason);
            let node = Self::new(format!("{begins}reason={reason}"));
            self.children.push(node);
        }
    }

    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A node of this name with texts as arguments.
    pub(super) fn of<'a>(name: &str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut node = Self::new(name);
        for argument in arguments {
            node.text.push(' ');
            node.text.push_str(&kdl_text(argument));
        }
        node
    }

    pub(super) fn property(mut self, key: &str, value: &str) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.text, " {key}={}", kdl_text(value));
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(super) fn fill_in(mut self, what: impl Into<String>) -> Self {
        self.fill_in.push(what.into());
        self
    }

    /// To be completed by a person.
    pub(super) fn out(mut self) -> Self {
        self.out = true;
        self
    }

    fn is_device(&self) -> bool {
        self.text.starts_with("device ")
    }

    fn is_plain_device(&self) -> bool {
        self.is_device()
            && self.children.is_empty()
            && self.notes.is_empty()
            && self.fill_in.is_empty()
    }

    fn fill_ins(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        let own = self.fill_in.iter().map(String::as_str);
        Box::new(own.chain(self.children.iter().flat_map(Self::fill_ins)))
    }

    fn write(&self, text: &mut String, depth: usize) {
        for note in &self.notes {
            comment(text, depth, note);
        }
        for what in &self.fill_in {
            comment(text, depth, &format!("{FILL_IN}: {what}"));
        }
        if self.text.is_empty() {
            return;
        }
        indent(text, depth);
        text.push_str(if self.out { "/-" } else { "" });
        text.push_str(&self.text);
        if self.children.is_empty() {
            text.push('\n');
            return;
        }
        text.push_str(" {\n");
        for child in &self.children {
            child.write(text, depth + 1);
        }
        indent(text, depth);
        text.push_str("}\n");
    }
}

fn indent(text: &mut String, depth: usize) {
    text.push_str(&"    ".repeat(depth));
}

/// One line; what would end it, or is not allowed in it, is shown as an escape.
fn comment(text: &mut String, depth: usize, line: &str) {
    indent(text, depth);
    let quoted = kdl_text(line);
    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    // A comment needs no escapes but for what is not seen.
    let line = inside
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
        .replace("$${", "${");
    text.push_str("// ");
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use switchover_topology::{format_text, load_text};

    use super::*;

    #[test]
    fn a_finding_is_accepted_in_the_node_where_it_is() {
        let mut document = Document {
            heading: vec!["heading".into()],
            nodes: vec![
                Node::of("site", ["a"])
                    .property("mode", "hot-standby")
                    .fill_in("the pair"),
                Node::of("network", ["b"]).child(Node::of("subnet", ["10.0.0.0/8"])),
            ],
        };
        let text = document.text();
        let at = |what| text.find(what).unwrap();
        document.acknowledge([
            (at("mode"), "SW107", "no \"pair\" yet"),
            (at("mode"), "SW107", "again"),
            (at("10.0"), "SW401", "so it is"),
            (text.len() + 7, "SW000", "nowhere"),
        ]);
        assert_eq!(
            document.text(),
            "// heading\n\n// FILL IN: the pair\nsite \"a\" mode=\"hot-standby\" {\n    \
             acknowledge \"SW107\" reason=\"no \\\"pair\\\" yet\"\n}\n\nnetwork \"b\" {\n    subnet \"10.0.0.0/8\"\n    \
             acknowledge \"SW401\" reason=\"so it is\"\n}\n"
        );
        assert_eq!(document.fill_ins().collect::<Vec<_>>(), ["the pair"]);
    }

    proptest! {
        /// A server decides what stands in texts and comments.
        #[test]
        fn whatever_a_server_says_stays_in_its_place(text in "\\PC{0,20}|[\\x00-\\x1f\"\\\\/*{}$\u{85}\u{2028}\u{feff}]{0,12}") {
            // The language refuses control characters, so none of them comes this far.
            let value = format!("a{}", text.replace(char::is_control, ""));
            let site = Node::of("site", ["a"]).property("mode", "hot-standby");
            let document = Document {
                heading: vec![text.clone()],
                nodes: vec![
                    site.note(text.clone()).fill_in(text.clone()).child(Node::of("description", [value.as_str()])),
                ],
            };
            let loaded = load_text("x", document.text(), std::path::Path::new(""));
            prop_assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
            let site = loaded.topology.site.unwrap();
            prop_assert_eq!(site.description.map(|text| text.value).unwrap_or_default(), value);
            prop_assert!(format_text("x", document.text()).is_ok());
        }
    }
}
