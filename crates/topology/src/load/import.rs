//! `import "phones.csv" as="device"`: the rows of a table as nodes.

use super::include::Match;
use super::{Layer, Loading};
use crate::element::Element;
use crate::model::Kind;
use crate::read::Headers;
use crate::report::{bad_value, quoted};
use crate::schema::{IMPORT, kind_named, spec_of};
use crate::source::Span;
use crate::syntax::RawNode;

/// A table that was read, for what is said about it as a whole.
pub(super) struct Table {
    kind: Kind,
    header: Span,
    /// Properties that each node needs and that are not among the columns; how many rows have them from nowhere else.
    absent: Vec<(&'static str, usize)>,
}

impl Loading {
    pub(super) fn import(&mut self, raw: &RawNode, from: &str) {
        // The files are looked at one by one below.
        let mut properties = raw.clone();
        properties.arguments.clear();
        let mut node = self.reader.node(&properties, &IMPORT);
        node.missing
            .retain(|key| *key != "files" || raw.arguments.is_empty());
        self.reader.report_missing(&mut node);
        let Some(kind) = node
            .value("as")
            .and_then(|kind| kind_named(&kind.value.to_string()))
        else {
            self.unread = true;
            return;
        };
        for argument in &raw.arguments {
            for found in self.matches(argument, from).unwrap_or_default() {
                self.import_file(&found, argument.span, kind);
            }
        }
    }

    fn import_file(&mut self, found: &Match, span: Span, kind: Kind) {
        let Some((name, shown, mut text)) = self.open(found, span, "import") else {
            return;
        };
        // Excel begins a file with it; in a frame it would stand before the first heading.
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        self.included.enter(Some(found.whole.clone()), Some(span));
        self.included.leave();
        let file = self.source(&name, shown, text, true);
        let rows = self.reader.table(
            file,
            &self.sources.file(file).text,
            spec_of(kind),
            &mut Headers::Properties,
        );
        self.unread |= rows.unread;
        let Layer {
            rows: all, tables, ..
        } = self.layer();
        all.extend(rows.elements.into_iter().map(|element| (kind, element)));
        tables.push(Table {
            kind,
            header: rows.header,
            absent: rows.absent.into_iter().map(|key| (key, 0)).collect(),
        });
    }

    /// One finding a missing column, not one a row.
    pub(super) fn report_absent(&mut self, table: &Table) {
        for (key, count) in table.absent.iter().filter(|(_, count)| *count > 0) {
            let kind = table.kind;
            let message = match count {
                1 => format!(
                    "the table has no column {}, which its {kind} needs",
                    quoted(key)
                ),
                count => format!(
                    "the table has no column {}, which its {count} {kind} rows need",
                    quoted(key)
                ),
            };
            let help = format!("add the column, or say it for all: `defaults \"{kind}\" {key}=…`");
            self.reader
                .diagnostics
                .push(bad_value(table.header, message).help(help));
        }
    }
}

/// Takes from what a row lacks that for which its table has no column.
pub(super) fn note_absent(tables: &mut [Table], element: &mut Element) {
    let Some(table) = tables
        .iter_mut()
        .find(|table| table.header.file == element.span.file)
    else {
        return;
    };
    for (key, count) in &mut table.absent {
        let before = element.missing.len();
        element.missing.retain(|missing| missing != key);
        if element.missing.len() != before {
            element.broken = true;
            *count += 1;
        }
    }
}
