//! `switchover import`

mod origin;
mod server;
mod spreadsheet;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use serde::Serialize;
use switchover_engine::LeftOut;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Access};
use crate::render::text::visible;
use crate::terminal::Terminal;

/// What a spreadsheet is called in the place of a plugin.
const CSV: &str = "csv";

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The plugin whose server is read: `kea`, `isc-dhcpd`, `dnsmasq`; or `csv`.
    #[arg(value_name = "FROM")]
    from: String,
    /// The spreadsheet, for `csv`.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the topology there in place of the standard output.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace that file where there is one.
    #[arg(long, requires = "out")]
    force: bool,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    server: ServerArguments,
    /// What the rows are; where it is not said, rows with models or hardware addresses are devices.
    #[arg(
        long = "as",
        value_enum,
        value_name = "KIND",
        help_heading = "Spreadsheet"
    )]
    kind: Option<Kind>,
}

/// How a server is reached, and what the topology calls it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
struct ServerArguments {
    /// Base URL of an HTTP interface.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Credentials for it.
    #[arg(long, value_enum, value_name = "SCHEME", requires = "endpoint")]
    auth: Option<Scheme>,
    /// User of `--auth basic`.
    #[arg(long, value_name = "NAME", requires = "auth")]
    user: Option<String>,
    /// Where the password of `--auth basic` is: `env:NAME`, `file:PATH` or `cmd:NAME`; never the password.
    #[arg(long, value_name = "SOURCE", requires = "auth")]
    password: Option<String>,
    /// Where the token of `--auth bearer` is, likewise.
    #[arg(long, value_name = "SOURCE", requires = "auth")]
    token: Option<String>,
    /// A PEM file of certificates that are trusted there beside those of the system.
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    ca: Option<PathBuf>,
    /// Folder of the server's configuration, or `ssh://USER@HOST/FOLDER`.
    #[arg(long, value_name = "FOLDER")]
    root: Option<String>,
    /// A setting of the plugin, as a target has it; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The server's address, where it does not tell.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// What the target is called. Default: as the plugin.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// What the site is called.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// A topology.
    #[default]
    Kdl,
    /// One JSON document: the topology, and what there is to know of it.
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scheme {
    /// `--user` and `--password`
    Basic,
    /// `--token`
    Bearer,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Telephones, gateways, clients.
    Device,
    /// Users.
    User,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum ImportError {
    #[error("`{}` is there already", .0.display())]
    #[diagnostic(
        code(switchover::import::exists),
        help("name another file, or replace this one with `--force`")
    )]
    Exists(PathBuf),
    #[error("failed to write `{}`", path.display())]
    #[diagnostic(
        code(switchover::import::write),
        help("the folder must be there and be writable")
    )]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{option}` does not go with `import {from}`")]
    #[diagnostic(code(switchover::import::option), help("{help}"))]
    Option {
        option: &'static str,
        from: String,
        help: String,
    },
    #[error("`import {from}` needs `{option}`")]
    #[diagnostic(code(switchover::import::needs), help("{help}"))]
    Needs {
        option: &'static str,
        from: String,
        help: String,
    },
    #[error("`{0}` holds no source of a secret")]
    #[diagnostic(
        code(switchover::import::secret),
        help(
            "name where it is to be had: `env:NAME`, `file:PATH` or `cmd:NAME`; a topology never holds a secret"
        )
    )]
    Secret(&'static str),
    #[error("`--set {0}` is not of the form NAME=VALUE")]
    #[diagnostic(
        code(switchover::import::set),
        help("`switchover plugin inspect PLUGIN` shows the settings that a plugin knows")
    )]
    Set(String),
    #[error("there is nothing to import at {0}")]
    #[diagnostic(code(switchover::import::nothing), help("{1}"))]
    Nothing(String, &'static str),
    #[error("what was imported is no topology: {0}")]
    #[diagnostic(
        code(switchover::import::defect),
        help("this is a defect of switchover: please report it with this message")
    )]
    Defect(String),
}

/// Reads what there is and writes it as a topology.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    // Before anything is read: nobody waits for what cannot be written.
    if let Some(path) = arguments
        .out
        .as_ref()
        .filter(|path| !arguments.force && path.exists())
    {
        return Err(Failure::new(
            Exit::Failed,
            ImportError::Exists(path.clone()),
        ));
    }
    let imported = if arguments.from == CSV {
        spreadsheet::read(arguments, terminal)?
    } else {
        server::read(arguments, terminal)?
    };
    let Some(imported) = imported else {
        return Ok(Exit::Findings);
    };
    let text = match arguments.format {
        Format::Kdl => imported.topology.clone(),
        Format::Json => serde_json::to_string_pretty(&imported).map_err(Failure::json)? + "\n",
    };
    match &arguments.out {
        None => terminal.data(&text)?,
        Some(path) => write(path, &text, arguments.force)?,
    }
    terminal.say(imported.notes(arguments.out.as_deref()).trim_end());
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let written = if force {
        file::replace(path, text, Access::Everybody)
    } else {
        create(path, text)
    };
    written.map_err(|source| {
        let path = path.to_owned();
        let error = match source.kind() {
            io::ErrorKind::AlreadyExists => ImportError::Exists(path),
            _ => ImportError::Write { path, source },
        };
        Failure::new(Exit::Failed, error)
    })
}

/// Never over a file that somebody else wrote meanwhile.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// What was imported.
#[derive(Debug, Default, Serialize)]
struct Imported {
    format_version: &'static str,
    /// The text of the topology, or of a part of one.
    topology: String,
    /// What there is in it: `2 networks, 3 devices`.
    summary: String,
    /// How many resources of the server are as the topology wants them.
    unchanged: usize,
    /// What a person has to put in.
    fill_in: Vec<String>,
    /// Codes of the rules that what runs today breaks, each acknowledged where it does.
    acknowledged: Vec<String>,
    /// What is described and not handed over to the target.
    described: Vec<Left>,
    /// What stays as it is and is not in the topology.
    left: Vec<Left>,
    /// Why a plan is refused as things are.
    refusal: Option<String>,
}

#[derive(Debug, Serialize)]
struct Left {
    what: String,
    reason: String,
}

impl From<LeftOut> for Left {
    fn from(left: LeftOut) -> Self {
        Self {
            what: left.address,
            reason: left.reason,
        }
    }
}

impl Imported {
    /// What a person has to know, for stderr.
    fn notes(&self, written: Option<&Path>) -> String {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(&visible(line));
            text.push('\n');
        };
        line(&match written {
            Some(path) => format!("wrote {}: {}", path.display(), self.summary),
            None => format!("imported {}", self.summary),
        });
        if self.unchanged > 0 {
            line(&format!(
                "handed over as they are: {} resources, of which a plan changes none",
                self.unchanged
            ));
        }
        if let Some(refusal) = &self.refusal {
            line(&format!(
                "`switchover plan` will be refused for now: {refusal}"
            ));
        }
        let list = |text: &mut String, title: &str, items: &mut dyn Iterator<Item = String>| {
            let mut items = items.peekable();
            if items.peek().is_some() {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{title}:");
                for item in items {
                    let _ = writeln!(text, "  {}", visible(&item));
                }
            }
        };
        let lefts = |lefts: &[Left]| -> Vec<String> {
            lefts
                .iter()
                .map(|left| format!("{}: {}", left.what, left.reason))
                .collect()
        };
        list(
            &mut text,
            "to fill in (marked FILL IN)",
            &mut self.fill_in.iter().cloned(),
        );
        list(
            &mut text,
            "broken by what runs today, and acknowledged where it is",
            &mut self.acknowledged.iter().cloned(),
        );
        list(
            &mut text,
            "described, and not handed over",
            &mut lefts(&self.described).into_iter(),
        );
        list(
            &mut text,
            "not in the topology, and left as it is",
            &mut lefts(&self.left).into_iter(),
        );
        text
    }
}
