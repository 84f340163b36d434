//! The `switchover` command: arguments, output formats, progress, exit codes.
//!
//! It must never decide what a topology means, what is sent to a server or in which order: that is the rules', the
//! plugins' and the engine's. Nothing is compiled, connected or started that a command does not need: `validate` asks no
//! server, and starts a WebAssembly engine only where a topology has targets. Start with `arguments::Cli`; each command is a file in `commands/`.

mod arguments;
mod commands;
mod configuration;
mod document;
mod exit;
mod failure;
mod file;
mod fleet;
mod log;
mod offline;
mod place;
mod plan_file;
mod plan_folder;
mod progress;
mod render;
mod report;
mod rules;
mod session;
mod signals;
mod targets;
mod telemetry;
mod terminal;
mod topology_file;

use std::process::ExitCode;

use crate::exit::Exit;
use crate::log::Level;
use crate::telemetry::Run;
use crate::terminal::{Terminal, Verbosity};

/// Runs the command that this process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let (cli, command) = match arguments::read() {
        Ok(read) => read,
        Err(message) => {
            // Help and version are data, and end well; a reader that left is no error.
            let _ = message.print();
            return if message.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let terminal = Terminal::new(
        cli.global.color,
        Verbosity::new(cli.global.verbose, cli.global.quiet),
        cli.global.log_format,
    );
    let run = Run::begin(&command, &terminal);
    let exit = run.work(|| {
        commands::run(cli.command, &terminal).unwrap_or_else(|failure| {
            failure.show(&terminal);
            failure.exit
        })
    });
    run.end(exit, &terminal);
    if terminal.logs_json() && terminal.verbosity > Verbosity::Quiet {
        let exit_code = exit.code();
        terminal.log(Level::Info, &log::Event::Ended { exit_code });
    }
    exit.into()
}
