//! A spreadsheet of devices or users as nodes of a topology, for whoever has one and no topology yet.

use std::fmt::Write as _;
use std::path::Path;

use crate::load::read_file;
use crate::model::Kind;
use crate::read::{Headers, Reader, Separated, is_of_devices};
use crate::schema::spec_of;
use crate::show::{node_text, write_text};
use crate::{Diagnostic, Severity, Sources, in_report_order};

/// What the rows of a spreadsheet are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableOf {
    /// Telephones, gateways, clients.
    Devices,
    /// Users.
    Users,
}

/// A spreadsheet as nodes.
#[derive(Debug, Clone, Default)]
pub struct TableNodes {
    /// The nodes as KDL. Those that lack a value they need are commented out, with the value empty.
    pub text: String,
    /// How many there are.
    pub rows: usize,
    /// How many lack something, and what.
    pub incomplete: usize,
    /// The properties that some of them lack.
    pub missing: Vec<&'static str>,
    /// Columns that were not taken over, as they are called.
    pub ignored: Vec<String>,
    /// What is wrong with it; where there is an error, there are no nodes.
    pub diagnostics: Vec<Diagnostic>,
    /// What that points into.
    pub sources: Sources,
}

/// Reads a spreadsheet: commas, semicolons, tabs or pipes between its cells, and a first line that says what the columns are.
/// Where `of` is not said, a table with models or hardware addresses is one of devices.
#[must_use]
pub fn table(path: &Path, of: Option<TableOf>) -> TableNodes {
    match read_file(path) {
        Ok((shown, text)) => table_text(&shown, text, of),
        Err(diagnostic) => TableNodes {
            diagnostics: vec![*diagnostic],
            ..TableNodes::default()
        },
    }
}

/// The same of a text that findings call `name`.
#[must_use]
pub fn table_text(name: &str, text: String, of: Option<TableOf>) -> TableNodes {
    let separated = Separated::of(&text);
    let header = separated.header(&text);
    let of = of.unwrap_or(match is_of_devices(header, separated.by) {
        true => TableOf::Devices,
        false => TableOf::Users,
    });
    let spec = spec_of(match of {
        TableOf::Devices => Kind::Device,
        TableOf::Users => Kind::User,
    });
    let mut headers = Headers::Anybodys {
        ignored: Vec::new(),
    };
    let mut reader = Reader::default();
    let mut sources = Sources::default();
    let file = sources.add(name.to_owned(), text);

    let read = reader.table(file, &sources.file(file).text, spec, &mut headers);
    let ignored = match headers {
        Headers::Anybodys { ignored } => ignored.into_iter().map(|name| name.value).collect(),
        Headers::Properties => Vec::new(),
    };
    let mut nodes = TableNodes {
        ignored,
        rows: read.elements.len(),
        ..TableNodes::default()
    };
    for mut element in read.elements {
        let missing = std::mem::take(&mut element.missing);
        let node = node_text(&element);
        if missing.is_empty() {
            nodes.text.push_str(&node);
            continue;
        }
        nodes.incomplete += 1;
        // A node of a table has no children, so it is one line unless it has a list.
        let (line, rest) = node.split_at(node.find([' ', '\n']).unwrap_or(node.len()));
        let (argument, rest) = match element.called() {
            Some(called) => {
                let mut argument = String::from(" ");
                write_text(&mut argument, &called.value);
                let rest = rest
                    .strip_prefix(argument.as_str())
                    .unwrap_or(rest)
                    .to_owned();
                (argument, rest)
            }
            None => (String::new(), rest.to_owned()),
        };
        // Writing to a string cannot fail.
        let _ = write!(nodes.text, "/-{line}{argument}");
        for key in missing {
            let _ = write!(nodes.text, " {key}=\"\"");
            if !nodes.missing.contains(&key) {
                nodes.missing.push(key);
            }
        }
        nodes.text.push_str(&rest);
    }
    for span in reader.secrets.drain(..) {
        sources.cover(span);
    }
    nodes.diagnostics = in_report_order(std::mem::take(&mut reader.diagnostics));
    nodes.sources = sources;
    if nodes
        .diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        nodes.text = String::new();
    }
    nodes
}

#[cfg(test)]
mod tests;
