//! One file a command.

pub(crate) mod apply;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod generate_reference;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod runbook;
pub(crate) mod show;
pub(crate) mod validate;

use crate::arguments::Command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Runs one command.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Command::Validate(arguments) => validate::run(&arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Import(arguments) => import::run(&arguments, terminal),
        Command::Init(arguments) => init::run(&arguments, terminal),
        Command::Fmt(arguments) => fmt::run(&arguments, terminal),
        Command::Show(arguments) => show::run(&arguments, terminal),
        Command::Plan(arguments) => plan::run(&arguments, terminal),
        Command::Apply(arguments) => apply::run(&arguments, terminal),
        Command::Runbook(arguments) => runbook::run(&arguments, terminal),
        Command::Plugin(command) => plugin::run(command, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
        Command::Help(arguments) => help::run(&arguments, terminal),
        Command::GenerateReference(arguments) => generate_reference::run(&arguments, terminal),
    }
}
