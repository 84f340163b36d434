//! A command on another host, through the connection that there is.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::error::{self, NoProgram};
use super::here::Group;
use super::output::Tail;
use super::{Command, CommandError, End, Ran};
use crate::ssh::Host;
use crate::ssh::script::{Outcome, Script, What};
use crate::trace::Reporting;

/// How long a program that exited may leave its output open: what it printed may still be on its way.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

pub(super) async fn run(
    command: &Command<'_>,
    host: &Host,
    reporting: &Reporting,
) -> Result<Ran, CommandError> {
    script(command, host, reporting, What::Run).await
}

/// Has the shell there look for the program.
pub(super) async fn look_up(
    command: &Command<'_>,
    host: &Host,
    reporting: &Reporting,
) -> Result<(), CommandError> {
    let looked = script(command, host, reporting, What::LookUp).await?;
    match looked.end {
        End::Exit(_) => Ok(()),
        // It is no fault of the command's.
        _ => Err(CommandError::HostLost {
            name: command.name.to_owned(),
            host: host.name(),
            output: super::excerpt(&looked.stdout, &looked.stderr, false, reporting),
        }),
    }
}

async fn script(
    command: &Command<'_>,
    host: &Host,
    reporting: &Reporting,
    what: What,
) -> Result<Ran, CommandError> {
    let name = || command.name.to_owned();
    let not_started = |source| CommandError::Spawn {
        name: name(),
        program: error::program(command, reporting),
        source,
    };
    let argv = match what {
        What::Run => command.argv,
        // What is in the others is not looked at.
        What::LookUp => command.argv.get(..1).unwrap_or_default(),
    };
    let script = Script::new(argv, command.folder, what)
        .ok_or_else(|| not_started(io::ErrorKind::InvalidInput.into()))?;
    let link = host.link().await.map_err(|error| CommandError::Host {
        name: name(),
        source: error,
    })?;
    let mut child = link
        .shell()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_started)?;
    // Its end is the program's: the script there kills what it runs when its input ends.
    let group = Group::of(&child);
    let mut input = child.stdin.take();
    let mut stdout = Tail::of(child.stdout.take());
    let mut stderr = Tail::of(child.stderr.take());
    let outcome = {
        let whole = async {
            if let Some(input) = &mut input {
                // Where it cannot be written, the channel has ended, which is told below.
                let _ = input.write_all(script.text().as_bytes()).await;
                let _ = input.flush().await;
            }
            let outcome = tokio::select! {
                outcome = stderr.read_to_line(script.marker()) => outcome,
                never = stdout.read_for_ever() => match never {},
            };
            let rest = async { tokio::join!(stdout.read_to_end(), stderr.read_to_end()) };
            // What is still open then belongs to a server that the program left behind.
            let _ = tokio::time::timeout(OUTPUT_GRACE, rest).await;
            outcome
        };
        tokio::time::timeout(command.timeout, whole).await
    };
    drop(group);
    // Killed above, or ended by itself; this only collects it.
    let _ = child.wait().await;
    let end = match outcome {
        Err(_) => End::Timeout,
        Ok(line) => match line.as_deref().and_then(Outcome::read) {
            Some(Outcome::Exit(status)) => End::Exit(status),
            Some(Outcome::NoFolder) => {
                return Err(CommandError::NoFolder {
                    name: name(),
                    folder: command.folder.to_owned(),
                });
            }
            Some(Outcome::NotFound) => {
                return Err(CommandError::not_found(command, reporting));
            }
            Some(Outcome::IsFolder) => {
                let problem = NoProgram::Folder;
                return Err(CommandError::not_executable(command, reporting, problem));
            }
            Some(Outcome::IsSpecial) => {
                let problem = NoProgram::Special;
                return Err(CommandError::not_executable(command, reporting, problem));
            }
            Some(Outcome::NotExecutable) => {
                let problem = NoProgram::Denied;
                return Err(CommandError::not_executable(command, reporting, problem));
            }
            None => End::HostLost(host.name()),
        },
    };
    Ok(Ran {
        end,
        stdout: stdout.end(),
        stderr: stderr.end(),
    })
}
