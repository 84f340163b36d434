//! The rows of a CSV file → checked elements. Straight from the cells: a site may have ten thousand of them.

mod records;
mod separator;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use csv::StringRecord;
use rayon::prelude::*;

use super::blanks::is_blank;
use super::{Headers, Reader, headers, scalar};
use crate::element::{Element, Scalar};
use crate::report::{
    bad_value, clear_text_secret, did_you_mean, either, known_here, listed, nearest, quoted,
    syntax_error, unknown_name,
};
use crate::schema::{Arity, Field, Shape, Spec, names_a_secret};
use crate::source::{FileId, Span, Spanned};
use records::{Found, Place, Problem, Records, parts};
pub(crate) use separator::Separated;

/// What was read from a CSV file.
pub(crate) struct Rows {
    pub(crate) elements: Vec<Element>,
    /// The header line.
    pub(crate) header: Span,
    /// Properties that each node needs and that are not among the columns.
    pub(crate) absent: Vec<&'static str>,
    /// Whether there are rows that could not be read at all.
    pub(crate) unread: bool,
}

/// What the cells of a column are.
enum Column {
    Field(&'static Field),
    /// Reported once, in the header.
    Unknown {
        secret: bool,
    },
    /// Without a name, as spreadsheets leave them behind the last column: nothing may be in it.
    Nameless,
}

impl Column {
    fn is_secret(&self) -> bool {
        match self {
            Self::Field(field) => field.shape == Shape::Secret,
            Self::Unknown { secret } => *secret,
            Self::Nameless => true,
        }
    }
}

struct Columns {
    all: Vec<Column>,
    /// Known names that unknown ones were probably meant to be.
    meant: Vec<&'static str>,
    /// Whether a cell in the wrong place may be a secret.
    secret: bool,
}

impl Reader {
    /// Reads a table of nodes of one kind. The first line names the property of each column.
    pub(crate) fn table(
        &mut self,
        file: FileId,
        text: &str,
        spec: &'static Spec,
        headers: &mut Headers,
    ) -> Rows {
        let separated = Separated::of(text);
        let place = Place {
            file,
            text,
            delimiter: separated.byte(),
        };
        let mut rows = Rows {
            elements: Vec::new(),
            header: place.span(&(0..0)),
            absent: Vec::new(),
            unread: false,
        };
        let mut records = Records::new(&place, separated.start..text.len());
        while let Some(Found { whole, problem }) = records.next() {
            if let Some(problem) = problem {
                self.unreadable(&place, &whole, problem, true);
                rows.unread = true;
                continue;
            }
            rows.header = place.span(&whole);
            let (record, cells) = (&records.record, &records.cells);
            let columns = self.columns(record, &place, cells, spec, (&mut rows, headers));
            if let Some(columns) = columns {
                let body = records.at()..text.len();
                let before = self.diagnostics.len();
                self.body(&place, body, &columns, spec, &mut rows);
                self.gather(before, rows.elements.len());
            }
            return rows;
        }
        if !rows.unread {
            rows.unread = true;
            let finding = syntax_error(Some(rows.header), "the table has no header line");
            let help = "the first line names the property of each column";
            self.diagnostics.push(finding.help(help));
        }
        rows
    }

    /// Reads what is below the header line, the parts of a long table side by side.
    fn body(
        &mut self,
        place: &Place<'_>,
        body: Range<usize>,
        columns: &Columns,
        spec: &'static Spec,
        rows: &mut Rows,
    ) {
        let parts: Vec<_> = parts(place.text, body)
            .into_par_iter()
            .map(|part| {
                let mut reader = Self::default();
                let (elements, unread) = reader.rows(place, part, columns, spec);
                (reader, elements, unread)
            })
            .collect();
        for (reader, elements, unread) in parts {
            self.extend(reader);
            rows.elements.extend(elements);
            rows.unread |= unread;
        }
    }

    /// What is the same in all rows is said of the first.
    fn gather(&mut self, from: usize, rows: usize) {
        /// Fewer are shown as they are.
        const MANY: usize = 3;
        // What is said of a value is the same whatever the value is.
        let cause = |message: &str| {
            let end = message.rfind(", not `").unwrap_or(message.len());
            message[..end].to_owned()
        };
        let found = self.diagnostics.split_off(from);
        let mut counts = HashMap::<String, usize>::new();
        for finding in &found {
            *counts.entry(cause(&finding.message)).or_default() += 1;
        }
        let mut said = HashSet::new();
        for mut finding in found {
            let cause = cause(&finding.message);
            let count = counts.get(&cause).copied().unwrap_or(1);
            // Rows of another length are no elements.
            let is_same = count >= MANY && (count >= rows || finding.code == "SW001");
            if is_same {
                if !said.insert(cause) {
                    continue;
                }
                finding.message = format!("{} (and in {} more rows)", finding.message, count - 1);
            }
            self.diagnostics.push(finding);
        }
    }

    /// The rows of a stretch, and whether some could not be read.
    fn rows(
        &mut self,
        place: &Place<'_>,
        range: Range<usize>,
        columns: &Columns,
        spec: &'static Spec,
    ) -> (Vec<Element>, bool) {
        let mut elements = Vec::new();
        let mut unread = false;
        let mut records = Records::new(place, range);
        while let Some(Found { whole, problem }) = records.next() {
            let (record, cells) = (&records.record, &records.cells);
            if let Some(problem) = problem {
                self.unreadable(place, &whole, problem, columns.secret);
                unread = true;
            } else if record.iter().all(|cell| blank(cell).is_empty()) {
                // A line of commas, as spreadsheets leave them.
            } else if record.len() != columns.all.len() {
                if columns.secret {
                    self.secrets.push(place.span(&whole));
                }
                self.diagnostics
                    .push(wrong_length(place, &whole, cells, columns));
                unread = true;
            } else {
                elements.push(self.row(record, place, &whole, cells, columns, spec));
            }
        }
        (elements, unread)
    }

    /// Reports a record whose cells cannot be told apart; `secret` is whether one of them may be a secret.
    fn unreadable(
        &mut self,
        place: &Place<'_>,
        whole: &Range<usize>,
        (at, problem): (usize, Problem),
        secret: bool,
    ) {
        if secret {
            self.secrets.push(place.span(whole));
        }
        let at = whole.start + at;
        let letter = place.text.get(at..).and_then(|rest| rest.chars().next());
        let end = at + letter.map_or(0, char::len_utf8);
        self.diagnostics.push(problem(place.span(&(at..end))));
    }

    /// None where the rows have no names.
    fn columns(
        &mut self,
        record: &StringRecord,
        place: &Place<'_>,
        cells: &[Range<usize>],
        spec: &'static Spec,
        (rows, headers): (&mut Rows, &mut Headers),
    ) -> Option<Columns> {
        let known = || spec.arguments.iter().chain(spec.fields);
        if let (1, Some(header)) = (record.len(), record.get(0))
            && let Some(word) = separator::inside(header)
        {
            let message =
                format!("the cells of this table are in one pair of quotes, separated by {word}");
            let help = "take away the quotes around each line, or export the table again as CSV";
            self.diagnostics
                .push(syntax_error(Some(rows.header), message).help(help));
            rows.unread = true;
            // Nothing below is read, and all of it may be shown.
            let end = cells.last().map_or(0, |cell| cell.end);
            self.secrets.push(place.span(&(end..place.text.len())));
            return None;
        }
        let named = (0..record.len())
            .rfind(|at| record.get(*at).is_some_and(|name| !blank(name).is_empty()))
            .map_or(0, |last| last + 1);
        let mut columns = Columns {
            all: Vec::with_capacity(record.len()),
            meant: Vec::new(),
            secret: false,
        };
        let mut strange = Vec::new();
        for (at, (name, cell)) in record.iter().zip(cells).enumerate() {
            let written = blank(name);
            if at >= named && matches!(headers, Headers::Properties) {
                columns.all.push(Column::Nameless);
                continue;
            }
            let name = headers.key(written, spec);
            let span = place.span(cell);
            let unknown = |secret| Column::Unknown { secret };
            let there = |key: &str| {
                columns
                    .all
                    .iter()
                    .any(|other| matches!(other, Column::Field(of) if of.key == key))
            };
            let field = known().find(|field| field.key == name);
            if let Headers::Anybodys { ignored } = headers {
                // A spreadsheet holds secrets in clear text, which are never taken over.
                let wanted =
                    field.filter(|field| field.shape != Shape::Secret && !there(field.key));
                columns.all.push(match wanted {
                    Some(field) => Column::Field(field),
                    None => {
                        ignored.push(Spanned::new(written.to_owned(), span));
                        columns.secret = true;
                        unknown(true)
                    }
                });
                continue;
            }
            let column = match field {
                Some(field) if there(field.key) => {
                    let message = format!("there are two columns {}", quoted(name));
                    self.diagnostics
                        .push(unknown_name(span, message).help("keep one of them"));
                    unknown(field.shape == Shape::Secret)
                }
                Some(field) => Column::Field(field),
                None if name.is_empty() => {
                    let message = format!("column {} has no name", at + 1);
                    let help = "name the property that its cells are, or delete the column";
                    self.diagnostics
                        .push(unknown_name(span, message).help(help));
                    unknown(true)
                }
                None => {
                    columns.meant.extend(headers::meant(name, spec));
                    strange.push(Spanned::new(name, span));
                    let words = ["password", "sip-password", "token", "secret"];
                    unknown(names_a_secret(name) || nearest(name, words).is_some())
                }
            };
            columns.secret |= column.is_secret();
            columns.all.push(column);
        }
        self.strange(&strange, record, place, spec, rows.header);
        let has = |key: &str| {
            columns.meant.contains(&key)
                || columns
                    .all
                    .iter()
                    .any(|column| matches!(column, Column::Field(field) if field.key == key))
        };
        let required = |fields: &'static [Field]| {
            fields
                .iter()
                .filter(|field| field.arity == Arity::Required)
                .map(|field| field.key)
                .filter(|key| !has(key))
        };
        let nameless: Vec<&str> = required(spec.arguments).collect();
        rows.absent = required(spec.fields).collect();
        let named = spec
            .arguments
            .iter()
            .all(|field| !columns.meant.contains(&field.key));
        if !nameless.is_empty() {
            let message = format!("the table has no column {}", listed(&nameless));
            let help = format!(
                "it tells one {} from another: the first line names the property of each column",
                spec.name
            );
            self.diagnostics
                .push(bad_value(rows.header, message).help(help));
        }
        if nameless.is_empty() && named {
            return Some(columns);
        }
        rows.unread = true;
        if columns.secret {
            // Nothing below is read, and all of it may be shown.
            self.secrets
                .push(place.span(&(cells.last().map_or(0, |cell| cell.end)..place.text.len())));
        }
        None
    }

    /// Reports columns of unknown names: several of them with the header line as it should be.
    fn strange(
        &mut self,
        strange: &[Spanned<&str>],
        record: &StringRecord,
        place: &Place<'_>,
        spec: &'static Spec,
        header: Span,
    ) {
        let keys = || {
            spec.arguments
                .iter()
                .chain(spec.fields)
                .map(|field| field.key)
        };
        let (first, others) = match strange {
            [] => return,
            [one] => {
                let message = format!("`{}` has no property {}", spec.name, quoted(one.value));
                let help = match headers::meant(one.value, spec) {
                    Some(key) => Some(format!("did you mean `{key}`?")),
                    None => did_you_mean(one.value, keys()),
                };
                self.diagnostics
                    .push(unknown_name(one.span, message).maybe_help(help));
                return;
            }
            [first, others @ ..] => (first, others),
        };
        let names: Vec<String> = std::iter::once(first)
            .chain(others)
            .map(|name| quoted(name.value).trim_matches('`').to_owned())
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let message = format!("`{}` has no properties {}", spec.name, either(&names));
        let mut line: Vec<&str> = Vec::new();
        let mut unclear: Vec<&str> = Vec::new();
        for name in record.iter().map(blank) {
            let known = keys().find(|key| key.eq_ignore_ascii_case(name));
            match known.or_else(|| headers::meant(name, spec)) {
                Some(key) if !line.contains(&key) => line.push(key),
                _ => {
                    unclear.push(name);
                    line.push(name);
                }
            }
        }
        let unclear: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| unclear.contains(name))
            .collect();
        let corrected = line.join(&char::from(place.delimiter).to_string());
        let help = match unclear.as_slice() {
            [] => Some(format!("write the header line as {}", quoted(&corrected))),
            all if all.len() == names.len() => known_here(&keys().collect::<Vec<_>>()),
            some => Some(format!(
                "write the header line as {}, and rename or delete the {} {}",
                quoted(&corrected),
                if some.len() == 1 { "column" } else { "columns" },
                listed(some)
            )),
        };
        self.diagnostics
            .push(unknown_name(header, message).maybe_help(help));
    }

    fn row(
        &mut self,
        record: &StringRecord,
        place: &Place<'_>,
        whole: &Range<usize>,
        cells: &[Range<usize>],
        columns: &Columns,
        spec: &'static Spec,
    ) -> Element {
        let mut element = Element::new(spec, place.span(whole));
        element.values.reserve(cells.len());
        for (at, ((column, text), cell)) in columns.all.iter().zip(record).zip(cells).enumerate() {
            // A quoted cell is pointed at as a whole: what is doubled in it moves everything behind it.
            let quoted = place.text.as_bytes().get(cell.start) == Some(&b'"');
            let text = match quoted && text.contains('\r') {
                true => Cow::Owned(text.replace("\r\n", "\n")),
                false => Cow::Borrowed(text),
            };
            let text = text.as_ref();
            let content = blank(text);
            if content.is_empty() {
                continue;
            }
            let within = |part: &str| {
                if quoted {
                    return cell.clone();
                }
                let start = cell.start + (part.as_ptr() as usize - text.as_ptr() as usize);
                start..start + part.len()
            };
            match column {
                Column::Field(field) if field.arity == Arity::Many => {
                    for part in content.split_ascii_whitespace() {
                        self.cell(&mut element, field, part, place.span(&within(part)));
                    }
                }
                Column::Field(field) => {
                    self.cell(&mut element, field, content, place.span(&within(content)));
                }
                Column::Unknown { secret: true } => self.secrets.push(place.span(cell)),
                Column::Nameless => {
                    self.secrets.push(place.span(cell));
                    element.broken = true;
                    let message = format!("column {} has no name and holds a value", at + 1);
                    let help = "name the property that its cells are, or empty the column";
                    self.diagnostics
                        .push(unknown_name(place.span(cell), message).help(help));
                }
                Column::Unknown { secret: false } => {}
            }
        }
        let needed = spec
            .arguments
            .iter()
            .chain(spec.fields)
            .filter(|field| field.arity == Arity::Required);
        for field in needed {
            // A cell that was refused has been reported.
            if element.broken || element.value(field.key).is_some() {
                continue;
            }
            if columns.meant.contains(&field.key) {
                element.broken = true;
            } else if spec
                .arguments
                .iter()
                .any(|argument| argument.key == field.key)
            {
                element.broken = true;
                let message = format!("this row has no {}", quoted(field.key));
                let help = format!(
                    "it tells one {} from another: fill in the cell, or delete the row",
                    spec.name
                );
                self.diagnostics
                    .push(bad_value(element.header, message).help(help));
            } else {
                element.missing.push(field.key);
            }
        }
        element
    }

    fn cell(&mut self, element: &mut Element, field: &'static Field, text: &str, span: Span) {
        if field.shape == Shape::Secret {
            // Nothing can be annotated here: what names a source is one.
            match text.parse() {
                Ok(source) => element
                    .values
                    .push((field.key, Spanned::new(Scalar::Secret(source), span))),
                Err(_) => {
                    element.broken = true;
                    self.secrets.push(span);
                    let message = format!("`{}` holds a secret in clear text", field.key);
                    let help = "name where it is to be had: `env:NAME`, `file:PATH` or `cmd:NAME`";
                    self.diagnostics
                        .push(clear_text_secret(span, message).help(help));
                }
            }
            return;
        }
        match scalar::parse_plain(text, field) {
            Ok(scalar) => element.values.push((field.key, Spanned::new(scalar, span))),
            Err(refused) => {
                element.broken = true;
                let message = format!("`{}` {}", field.key, refused.message);
                let diagnostic = if refused.secret {
                    self.secrets.push(span);
                    clear_text_secret(span, message)
                } else {
                    bad_value(span, message)
                };
                self.diagnostics.push(diagnostic.maybe_help(refused.help));
            }
        }
    }
}

/// Without the blanks that people put around cells.
fn blank(cell: &str) -> &str {
    cell.trim_matches(is_blank)
}

fn wrong_length(
    place: &Place<'_>,
    whole: &Range<usize>,
    cells: &[Range<usize>],
    columns: &Columns,
) -> crate::Diagnostic {
    let (has, wanted) = (cells.len(), columns.all.len());
    let count = |number: usize| match number {
        1 => "1 cell".to_owned(),
        number => format!("{number} cells"),
    };
    let range = match cells.get(wanted) {
        Some(surplus) => surplus.start..whole.end,
        None => whole.clone(),
    };
    let help = if has > wanted {
        match place.delimiter {
            b';' => "put a cell that holds a semicolon in quotes: `\"Sales; Udine\"`",
            b'\t' | b'|' => "put a cell that holds the separator in quotes",
            _ => "put a cell that holds a comma in quotes: `\"Sales, Udine\"`",
        }
    } else {
        match place.delimiter {
            b',' => "a cell may be empty, but its comma must be there",
            _ => "a cell may be empty, but its separator must be there",
        }
    };
    let separator = char::from(place.delimiter);
    let is_quoted = |cell: &Range<usize>| {
        place
            .text
            .get(cell.clone())
            .is_some_and(|text| text.starts_with('"') && text.contains(separator))
    };
    if has == 1 && cells.first().is_some_and(is_quoted) {
        let help = "take away the quotes around the row, or export the table again as CSV";
        return syntax_error(
            Some(place.span(&range)),
            "this row is one cell: it stands in quotes as a whole",
        )
        .help(help);
    }
    let message = format!("this row has {}, the header line has {wanted}", count(has));
    syntax_error(Some(place.span(&range)), message).help(help)
}
