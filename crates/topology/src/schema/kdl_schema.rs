//! The language as a KDL Schema document, for editors.

use std::fmt::Write as _;

use super::{Arity, Field, KINDS, STRUCTURE, Shape, Spec};
use crate::choice;
use crate::resolve::occurs_once;
use crate::show::write_text;

/// The language in the KDL Schema language (1.0.0): `schemas/topology.kdl-schema.kdl`.
#[must_use]
pub fn kdl_schema() -> String {
    let mut out = Out::default();
    out.text += "// The topology language in the KDL Schema language, generated from the table of the language.\n";
    out.block("document", |out| {
        out.block("info", |out| {
            out.line("title", &["Topology of a PBX failover pair"]);
            let what = "A scalar is written as a property or as a child, so no schema can say that it is required: \
                        `switchover validate` does.";
            out.line("description", &[what]);
        });
        for spec in STRUCTURE {
            out.node(spec, None);
        }
        for (kind, spec) in KINDS {
            out.node(spec, occurs_once(*kind).then_some(1));
        }
    });
    out.text
}

#[derive(Default)]
struct Out {
    text: String,
    depth: usize,
}

impl Out {
    fn indent(&mut self) {
        self.text += &"    ".repeat(self.depth);
    }

    fn line(&mut self, name: &str, values: &[&str]) {
        self.indent();
        self.text += name;
        for value in values {
            self.text.push(' ');
            write_text(&mut self.text, value);
        }
        self.text.push('\n');
    }

    fn plain(&mut self, line: &str) {
        self.indent();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn block(&mut self, header: &str, inner: impl FnOnce(&mut Self)) {
        self.indent();
        self.text += header;
        self.text += " {\n";
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.plain("}");
    }

    fn described(kind: &str, name: &str, doc: &str) -> String {
        let mut header = format!("{kind} ");
        write_text(&mut header, name);
        header += " description=";
        write_text(&mut header, doc);
        header
    }

    fn node(&mut self, spec: &Spec, most: Option<usize>) {
        self.block(&Self::described("node", spec.name, spec.doc), |out| {
            out.times(most);
            out.arguments(spec);
            for field in spec.fields {
                out.block(&Self::described("prop", field.key, field.doc), |out| {
                    out.shape(field.shape);
                });
            }
            if spec.open {
                out.plain("other-props-allowed #true");
            }
            if spec.fields.is_empty() && spec.nodes.is_empty() && !spec.open {
                return;
            }
            out.block("children", |out| {
                for field in spec.fields {
                    out.scalar_child(spec, field);
                }
                for child in spec.nodes {
                    out.node(child.spec, (child.arity != Arity::Many).then_some(1));
                }
                if spec.open {
                    out.plain("other-nodes-allowed #true");
                }
            });
        });
    }

    fn times(&mut self, most: Option<usize>) {
        if let Some(most) = most {
            self.plain(&format!("max {most}"));
        }
    }

    /// The schema language has one description of all values of a node.
    fn arguments(&mut self, spec: &Spec) {
        let Some(first) = spec.arguments.first() else {
            return;
        };
        let required = spec
            .arguments
            .iter()
            .filter(|field| field.arity != Arity::Optional)
            .count();
        let list = spec
            .arguments
            .iter()
            .any(|field| field.arity == Arity::Many);
        self.block("value", |out| {
            out.plain(&format!("min {required}"));
            out.times((!list).then_some(spec.arguments.len()));
            if spec.arguments.len() == 1 {
                out.shape(first.shape);
            }
        });
    }

    fn scalar_child(&mut self, spec: &Spec, field: &Field) {
        let list = field.arity == Arity::Many;
        self.block(&Self::described("node", field.key, field.doc), |out| {
            out.times((!list).then_some(1));
            out.block("value", |out| {
                out.plain("min 1");
                out.times((!list).then_some(1));
                out.shape(field.shape);
            });
            // The one scalar that another may stand beside.
            if let Some(port) = spec.field("port").filter(|_| field.key == "transport") {
                out.block(&Self::described("prop", port.key, port.doc), |out| {
                    out.shape(port.shape);
                });
            }
        });
    }

    fn shape(&mut self, shape: Shape) {
        match shape {
            Shape::Boolean => self.line("type", &["boolean"]),
            Shape::Integer(least, most) => {
                self.line("type", &["number"]);
                self.plain(&format!("\">=\" {least}"));
                self.plain(&format!("\"<=\" {most}"));
            }
            // A number or a name; a text, a number or a boolean.
            Shape::OptionCode | Shape::Loose => {}
            Shape::Choice(words) => {
                self.line("type", &["string"]);
                self.line("enum", words);
            }
            Shape::Scheme => {
                self.line("type", &["string"]);
                self.line("enum", choice::AUTH_SCHEMES);
            }
            shape => {
                self.line("type", &["string"]);
                match shape {
                    Shape::Date => self.line("format", &["date"]),
                    Shape::Url(_) => self.line("format", &["url"]),
                    Shape::Email => self.line("format", &["email"]),
                    Shape::Hostname => self.line("format", &["hostname"]),
                    Shape::Address => self.line("format", &["ipv4", "ipv6"]),
                    Shape::Secret => self.line("tag", &["secret"]),
                    _ => self.plain("min-length 1"),
                }
            }
        }
    }
}
