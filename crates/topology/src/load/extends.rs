//! `extends "base.kdl" octet=21`: another document that this one says its differences from.

use super::params::Extending;
use super::{Layer, Loading};
use crate::report::{bad_value, duplicate, include_failed, quoted, unknown_name};
use crate::source::Span;
use crate::syntax::RawNode;

impl Loading {
    /// Where a file may not extend anything: a part of a document.
    pub(super) fn refuse_in_part(&mut self, raw: &RawNode) {
        self.unread = true;
        self.reader.cover_all(raw);
        let name = &raw.name.value;
        let message = format!("`{name}` stands in an included file");
        let help = "write it in the document that includes this file";
        self.reader
            .diagnostics
            .push(include_failed(Some(raw.header), message).help(help));
    }

    /// Reads the base of the document that is being read. `from` is that document, relative to the root.
    pub(super) fn extend(&mut self, raw: RawNode, from: &str) {
        if let Some(annotation) = &raw.annotation {
            self.reader.diagnostics.push(bad_value(
                annotation.span,
                "a node takes no type annotation",
            ));
        }
        if let Some(child) = raw.children.iter().flatten().next() {
            let message = "`extends` takes no block";
            let help =
                "values for the base's parameters are written `name=value` behind its file name";
            self.reader
                .diagnostics
                .push(unknown_name(child.name.span, message).help(help));
        }
        self.reader.cover_all(&raw);
        let [argument, more @ ..] = raw.arguments.as_slice() else {
            self.unread = true;
            let message = "`extends` needs an argument: the file of the base";
            self.reader.diagnostics.push(bad_value(raw.header, message));
            return;
        };
        for surplus in more {
            let message = "`extends` takes one file";
            let help = "a base can itself extend another; parts of a document are put together with `include`";
            self.reader
                .diagnostics
                .push(unknown_name(surplus.span, message).help(help));
        }
        let at = argument.span;
        let found = match self.matches(argument, from).as_deref() {
            Some([]) | None => return,
            Some([found]) => found.clone(),
            Some([..]) => {
                self.fail(
                    at,
                    "the base is one file, and several match",
                    "name it without `*`, `?` and `[`",
                );
                return;
            }
        };
        let Some((name, shown, text)) = self.open(&found, at, "extends") else {
            return;
        };
        self.layers.push(Layer::default());
        let extending = Extending {
            at: raw.header,
            given: raw.properties,
        };
        self.document(
            &name,
            shown,
            text,
            Some(found.whole),
            Some(at),
            Some(&extending),
        );
    }

    pub(super) fn extended_twice(&mut self, again: &RawNode, first: Span) {
        self.unread = true;
        let message = "a document has one base";
        let help = "a base can itself extend another";
        let found = duplicate(again.header, message)
            .help(help)
            .related(first, "the first is given here");
        self.reader.diagnostics.push(found);
        self.reader.cover_all(again);
    }
}

/// What a file that is read a second time has to be told.
pub(super) fn read_before(name: &str, verb: &str) -> String {
    match verb {
        "include" => format!("{} is included twice", quoted(name)),
        "import" => format!("{} is imported twice", quoted(name)),
        _ => format!(
            "{} was read already, and cannot be the base as well",
            quoted(name)
        ),
    }
}
