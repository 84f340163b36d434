//! `switchover generate-reference`: the parts of the documentation that come from code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, CommandFactory};
use miette::Diagnostic;

use crate::arguments::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::plugin as render;
use crate::terminal::Terminal;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder that holds `docs/` and `schemas/`.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to write `{}`", path.display())]
#[diagnostic(
    code(switchover::reference::write),
    help("DIR is the folder of the repository; it must be writable")
)]
struct WriteError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Writes every generated page.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let schema =
        serde_json::to_string_pretty(&switchover_topology::schema()).map_err(Failure::json)? + "\n";
    let pages = [
        ("docs/rules.md", switchover_rules::reference()),
        ("docs/cli.md", command_line()),
        ("docs/plugins.md", plugins()?),
        ("schemas/topology.schema.json", schema),
        (
            "schemas/topology.kdl-schema.kdl",
            switchover_topology::kdl_schema(),
        ),
    ];
    for (name, text) in pages {
        let path = arguments.folder.join(name);
        write(&path, &text).map_err(|source| {
            Failure::new(
                Exit::Failed,
                WriteError {
                    path: path.clone(),
                    source,
                },
            )
        })?;
        terminal.say(format_args!("wrote {}", path.display()));
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// What every bundled plugin says of itself.
fn plugins() -> Result<String, Failure> {
    let mut page = String::from(
        "# Plugins\n\nGenerated from the manifests of the plugins that come with the command.\n",
    );
    for plugin in crate::commands::plugin::all()? {
        let _ = write!(
            page,
            "
{}{}{}",
            render::page(&plugin, 2),
            render::settings_table(&plugin, 3),
            render::explained_findings(&plugin, 3)
        );
    }
    Ok(page)
}

const SITE: &str = "
## Which site

A topology is named by its file, `switchover.kdl` unless it is said otherwise.

- `validate`, `plan`, `apply` and `drift` take any number of files and folders.
- `audit`, `confirm`, `gc`, `generations`, `generations check`, `lock` and `recover` take a file, `FILE` or `--topology FILE`.
- Where numbers of generations are what is taken, as by `rollback`, `generations show` and `generations diff`, the file is
  named with `--topology FILE` alone.

The commands of the last two kinds ask the state. With `--state PLACE` that is the folder or the `s3://BUCKET/FOLDER` that is
named, whatever the topology says and whether or not it is there.
";

/// Every command's help as it is shown in a terminal, and the exit codes.
fn command_line() -> String {
    let mut page = String::from("# Command line\n\nGenerated from the command itself.\n");
    page.push_str(SITE);
    let mut command = Cli::command().term_width(100);
    command.build();
    describe(&mut page, "switchover", &mut command);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n## Exit codes\n\n| code | meaning |\n| --- | --- |");
    for exit in Exit::ALL {
        let _ = writeln!(page, "| {} | {} |", exit.code(), exit.meaning());
    }
    let _ = writeln!(page, "\n{}", crate::exit::order());
    page
}

fn describe(page: &mut String, name: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = writeln!(page, "\n## `{name}`\n\n```text\n{}\n```", lines.join("\n"));
    for subcommand in command
        .get_subcommands_mut()
        .filter(|subcommand| !subcommand.is_hide_set())
    {
        let name = format!("{name} {}", subcommand.get_name());
        describe(page, &name, subcommand);
    }
}
