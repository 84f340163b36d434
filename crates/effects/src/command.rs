//! Commands: a program with its arguments, never words for a shell, bounded in time and output; on this machine or on
//! another host.

mod error;
mod here;
mod output;
mod there;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

pub use error::{CommandError, NoProgram};
use output::{Printed, excerpt};

use crate::ssh::Host;
use crate::trace::{Event, Reporting};

/// Long enough for a service to restart, short enough to wait for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A command to run.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// The program and its arguments.
    pub argv: &'a [String],
    /// The folder it runs in.
    pub folder: &'a Path,
    /// The host it runs on; none for this machine.
    pub host: Option<&'a Host>,
    /// It and everything it started are killed after this.
    pub timeout: Duration,
}

/// What a command that succeeded printed: the last 64 KiB of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Its standard output, not redacted.
    pub stdout: Vec<u8>,
    /// Whether the beginning of it is missing.
    pub stdout_cut: bool,
    /// Its standard error, not redacted.
    pub stderr: Vec<u8>,
    /// Whether the beginning of it is missing.
    pub stderr_cut: bool,
}

/// Runs a command to its end. It gets no input, and of the environment only what says where and in which language it
/// runs. Dropping the future kills the program and everything it started; on another host, so does the end of the
/// connection.
///
/// # Errors
/// Where it cannot be run, does not end in time, or does not succeed.
pub async fn run(command: &Command<'_>, reporting: &Reporting) -> Result<Output, CommandError> {
    execute(command, reporting, false).await
}

/// Whether the program of a command is there and can be run, where the command would run. Nothing is run but, on another
/// host, the shell that looks.
///
/// # Errors
/// Where it is not, or that host cannot be asked.
pub async fn look_up(command: &Command<'_>, reporting: &Reporting) -> Result<(), CommandError> {
    match command.host {
        _ if command.argv.is_empty() => Err(CommandError::NoProgram {
            name: command.name.to_owned(),
        }),
        None => here::look_up(command, reporting),
        Some(host) => there::look_up(command, host, reporting).await,
    }
}

/// [`run`] for a command that prints a secret: its standard output is in no error.
pub(crate) async fn run_silently(
    command: &Command<'_>,
    reporting: &Reporting,
) -> Result<Output, CommandError> {
    execute(command, reporting, true).await
}

/// How a program that was started came to its end.
#[derive(Debug)]
enum End {
    Exit(i32),
    Signal(i32),
    Timeout,
    /// It could not be waited for.
    Lost(io::Error),
    /// The host ended before it said how the program did.
    HostLost(String),
}

/// A program that came to its end, with what it printed.
#[derive(Debug)]
struct Ran {
    end: End,
    stdout: Printed,
    stderr: Printed,
}

async fn execute(
    command: &Command<'_>,
    reporting: &Reporting,
    silent: bool,
) -> Result<Output, CommandError> {
    let started = Instant::now();
    let name = command.name.to_owned();
    if command.argv.is_empty() {
        return Err(CommandError::NoProgram { name });
    }
    let line = reporting.redact(&command.argv.join(" "));
    let ran = match command.host {
        None => here::run(command, reporting).await,
        Some(host) => there::run(command, host, reporting).await,
    };
    let status = match &ran {
        Ok(Ran {
            end: End::Exit(status),
            ..
        }) => Some(*status),
        _ => None,
    };
    let told = match command.host {
        None => line.clone(),
        Some(host) => format!("{line} on {}", host.name()),
    };
    reporting.tell(&Event::Command {
        line: &told,
        status,
        elapsed: started.elapsed(),
    });

    let Ran {
        end,
        stdout,
        stderr,
    } = ran?;
    let output = || excerpt(&stdout, &stderr, silent, reporting);
    match end {
        End::Exit(0) => Ok(Output {
            stdout: stdout.kept,
            stdout_cut: stdout.cut,
            stderr: stderr.kept,
            stderr_cut: stderr.cut,
        }),
        End::Exit(status) => Err(CommandError::Failed {
            name,
            line,
            status,
            output: output(),
        }),
        End::Signal(signal) => Err(CommandError::Killed {
            name,
            line,
            signal,
            output: output(),
        }),
        End::Timeout => Err(CommandError::TimedOut {
            name,
            line,
            limit: command.timeout,
            output: output(),
        }),
        End::Lost(source) => Err(CommandError::Lost { name, source }),
        End::HostLost(host) => Err(CommandError::HostLost {
            name,
            host,
            output: output(),
        }),
    }
}
