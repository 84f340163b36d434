//! A spreadsheet as a part of a topology.

use switchover_topology::{Severity, TableOf, format_text, table};

use super::{Arguments, ImportError, Imported, Kind, Left, ServerArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::counted;
use crate::report;
use crate::terminal::Terminal;
use crate::topology_file;

/// None where it has errors, which are shown.
pub(super) fn read(
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Option<Imported>, Failure> {
    let usage = |error: ImportError| Failure::new(Exit::Usage, error);
    if let Some(option) = of_server(&arguments.server) {
        return Err(usage(ImportError::Option {
            option,
            from: arguments.from.clone(),
            help: "it is for importing from a server".to_owned(),
        }));
    }
    let Some(path) = &arguments.file else {
        return Err(usage(ImportError::Needs {
            option: "FILE",
            from: arguments.from.clone(),
            help: "the spreadsheet, saved as CSV: `switchover import csv phones.csv`".to_owned(),
        }));
    };
    let of = arguments.kind.map(|kind| match kind {
        Kind::Device => TableOf::Devices,
        Kind::User => TableOf::Users,
    });
    topology_file::exists(path)?;
    let nodes = table(path, of);
    if nodes
        .diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        report::tell(&nodes.diagnostics, &nodes.sources, terminal);
        return Ok(None);
    }
    let shown = path.display().to_string();
    if nodes.rows == 0 {
        let error = ImportError::Nothing(shown, "there is a header line and no row below it");
        return Err(Failure::new(Exit::Failed, error));
    }
    let missing: Vec<String> = nodes.missing.iter().map(|key| format!("`{key}`")).collect();
    let incomplete = (nodes.incomplete > 0).then(|| {
        let rows = counted(nodes.incomplete, "row", "rows");
        format!(
            "{} of {rows}; then remove the `/-` before each",
            missing.join(" and ")
        )
    });
    let heading = shown.escape_debug();
    let mut text = format!("// Imported from {heading}, to be included: `include \"…\"`.\n");
    if let Some(what) = &incomplete {
        text.push_str(&format!("// FILL IN: {what}\n"));
    }
    text.push('\n');
    text.push_str(&nodes.text);
    let laid_out = format_text("import", text).map_err(|error| {
        let first = error.diagnostics.first();
        let message = first.map_or_else(String::new, |finding| finding.message.clone());
        Failure::new(Exit::Failed, ImportError::Defect(message))
    })?;
    let ignored = nodes.ignored.into_iter().map(|column| Left {
        what: format!("column `{column}`"),
        reason: "it is no property of such a node, is there twice, or holds secrets".to_owned(),
    });
    Ok(Some(Imported {
        format_version: "1.0",
        topology: laid_out.after,
        summary: format!("{} from {shown}", counted(nodes.rows, "row", "rows")),
        fill_in: incomplete.into_iter().collect(),
        left: ignored.collect(),
        ..Imported::default()
    }))
}

/// An option that says how a server is reached, where one is given.
fn of_server(server: &ServerArguments) -> Option<&'static str> {
    let given = [
        ("--endpoint", server.endpoint.is_some()),
        ("--root", server.root.is_some()),
        ("--set", !server.set.is_empty()),
        ("--address", server.address.is_some()),
        ("--target", server.target.is_some()),
        ("--site", server.site.is_some()),
    ];
    given
        .iter()
        .find(|(_, given)| *given)
        .map(|(option, _)| *option)
}
