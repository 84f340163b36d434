//! One file a command.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod confirm;
pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod gc;
pub(crate) mod generate_reference;
pub(crate) mod generations;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod recover;
pub(crate) mod rollback;
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
        Command::Confirm(arguments) => confirm::run(&arguments, terminal),
        Command::Recover(arguments) => recover::run(&arguments, terminal),
        Command::Diff(arguments) => diff::run(&arguments, terminal),
        Command::Drift(arguments) => drift::run(&arguments, terminal),
        Command::Audit(arguments) => audit::run(&arguments, terminal),
        Command::Generations(arguments) => generations::run(&arguments, terminal),
        Command::Rollback(arguments) => rollback::run(&arguments, terminal),
        Command::Gc(arguments) => gc::run(&arguments, terminal),
        Command::Lock(command) => lock::run(&command, terminal),
        Command::Runbook(arguments) => runbook::run(&arguments, terminal),
        Command::Plugin(command) => plugin::run(command, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
        Command::Help(arguments) => help::run(&arguments, terminal),
        Command::GenerateReference(arguments) => generate_reference::run(&arguments, terminal),
    }
}
