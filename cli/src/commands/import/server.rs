//! What a server holds, as a topology that validates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchover_engine::{AdoptError, Adopted, Document, Origin};
use switchover_rules::judge;
use switchover_topology::{Diagnostic as Finding, Loaded, Severity, format_text, load_text};

use super::origin::origin;
use super::{Arguments, ImportError, Imported};
use crate::commands::plugin;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report;
use crate::session::{self, Session};
use crate::terminal::Terminal;
use crate::topology_file;

/// How findings name what the arguments say.
const ARGUMENTS: &str = "<arguments>";

/// None where the arguments are not acceptable, which is shown.
pub(super) fn read(
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Option<Imported>, Failure> {
    let usage = |error: ImportError| Failure::new(Exit::Usage, error);
    let from = &arguments.from;
    if arguments.file.is_some() || arguments.kind.is_some() {
        return Err(usage(ImportError::Option {
            option: if arguments.file.is_some() {
                "FILE"
            } else {
                "--as"
            },
            from: from.clone(),
            help: "only `import csv` reads a file; the topology is written to `--out`".to_owned(),
        }));
    }
    let plugin = plugin::load(&session::host()?, &session::bundled(), from)?;
    // What it cannot do is said before what it would need for it.
    let origin = match plugin.manifest().adopts {
        true => origin(arguments, plugin.manifest()).map_err(usage)?,
        false => bare(from),
    };
    let folder = arguments
        .out
        .as_deref()
        .and_then(Path::parent)
        .map(PathBuf::from);
    let root = folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_default();
    let loaded = load_text(ARGUMENTS, origin.topology(), &root);
    if loaded
        .diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error)
    {
        show(&loaded, &loaded.diagnostics, terminal);
        return Ok(None);
    }
    let session = Session::unjudged(&Arc::default(), loaded, ARGUMENTS.to_owned(), terminal)?;
    let adopted = match session.adopt(&origin) {
        Ok(adopted) => adopted,
        Err(AdoptError::Settings(findings)) => {
            show(session.loaded(), &findings, terminal);
            return Ok(None);
        }
        Err(error) => return Err(Failure::new(Exit::Failed, error)),
    };
    let counts = adopted.counts;
    if counts.networks + counts.devices + counts.zones == 0 {
        let help = match adopted.left.is_empty() {
            true => "is it the right folder, or the right server?",
            false => {
                "what it holds, a topology does not say; look at the server, or start with `switchover init`"
            }
        };
        let error = ImportError::Nothing(origin.shown.clone(), help);
        return Err(Failure::new(Exit::Failed, error));
    }
    imported(adopted, &origin, &root).map(Some)
}

/// Enough of an origin to be told what the plugin cannot do.
fn bare(plugin: &str) -> Origin {
    Origin {
        plugin: plugin.to_owned(),
        target: plugin.to_owned(),
        lines: Vec::new(),
        site: None,
        address: None,
        host: None,
        shown: plugin.to_owned(),
    }
}

/// Tells what is wrong with the arguments. They stand in no file, so there is no place to show.
fn show(loaded: &Loaded, findings: &[Finding], terminal: &Terminal) {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let told: Vec<Finding> = errors
        .map(|finding| Finding {
            span: None,
            label: None,
            related: Vec::new(),
            ..finding.clone()
        })
        .collect();
    report::tell(&told, &loaded.sources, terminal);
}

fn imported(adopted: Adopted, origin: &Origin, root: &Path) -> Result<Imported, Failure> {
    let Adopted {
        mut document,
        counts,
        unchanged,
        described,
        left,
        refusal,
    } = adopted;
    let acknowledged = acknowledge(&mut document, origin, root)?;
    let mut seen = BTreeSet::new();
    let fill_in = document
        .fill_ins()
        .filter(|what| seen.insert((*what).to_owned()));
    let fill_in = fill_in.map(str::to_owned).collect();
    let laid_out = format_text("import", document.text());
    let laid_out = laid_out.map_err(|error| defect(error.diagnostics.first()))?;
    let parts = [
        (counts.networks, "network"),
        (counts.devices, "device"),
        (counts.zones, "zone"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    Ok(Imported {
        format_version: "1.0",
        topology: laid_out.after,
        summary: format!("{} from {}", parts.join(", "), origin.shown),
        unchanged,
        fill_in,
        acknowledged,
        described: described.into_iter().map(Into::into).collect(),
        left: left.into_iter().map(Into::into).collect(),
        refusal: refusal.map(|refusal| match refusal.help {
            Some(help) => format!("{}; {help}", refusal.message),
            None => refusal.message,
        }),
    })
}

/// What runs today may break rules. Each of those is accepted where it is broken, so that a plan can be made, and told.
fn acknowledge(
    document: &mut Document,
    origin: &Origin,
    root: &Path,
) -> Result<Vec<String>, Failure> {
    let text = document.text();
    let nameless = text.contains("address=\"0.0.0.0\"");
    let errors = errors(text, root);
    let as_it_was = format!("so it was at {} when it was imported", origin.shown);
    let places = errors.iter().filter_map(|finding| {
        let reason = match finding.code.as_str() {
            "SW107" => "imported: the PBX pair is not described yet",
            "SW106" if finding.message.ends_with("no DHCP service") => {
                "imported: described only, its server keeps what it has for it"
            }
            "SW106" if nameless => "imported: the address of the server is not known yet",
            _ => as_it_was.as_str(),
        };
        Some((finding.span?.start as usize, finding.code.as_str(), reason))
    });
    document.acknowledge(places);
    let told =
        |finding: &Finding| format!("{} {}: {}", finding.code, finding.name, finding.message);
    match self::errors(document.text(), root).first() {
        Some(left) => Err(defect(Some(left))),
        None => Ok(errors.iter().map(told).collect()),
    }
}

/// What keeps a topology from being planned.
fn errors(text: String, root: &Path) -> Vec<Finding> {
    let loaded = load_text("import", text, root);
    let findings = judge(&loaded.topology, loaded.diagnostics, topology_file::today());
    let fails =
        |finding: &Finding| finding.severity == Severity::Error && finding.acknowledged.is_none();
    findings.into_iter().filter(fails).collect()
}

fn defect(finding: Option<&Finding>) -> Failure {
    let message = finding.map_or_else(String::new, |finding| {
        format!("{} {}", finding.code, finding.message)
    });
    Failure::new(Exit::Failed, ImportError::Defect(message))
}
