//! A command on another host, through the connection that there is.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::here::Group;
use super::output::Tail;
use super::{Command, CommandError, End, Ran};
use crate::ssh::Host;
use crate::ssh::script::{Outcome, Script};

/// How long a program that exited may leave its output open: what it printed may still be on its way.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// `shown` is the program, redacted.
pub(super) async fn run(
    command: &Command<'_>,
    host: &Host,
    shown: &str,
) -> Result<Ran, CommandError> {
    let name = || command.name.to_owned();
    let not_started = |source| CommandError::Spawn {
        name: name(),
        program: shown.to_owned(),
        source,
    };
    let script = Script::new(command.argv, command.folder)
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
    let program = shown.to_owned();
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
                return Err(CommandError::NotFound {
                    name: name(),
                    program,
                });
            }
            Some(Outcome::NotExecutable) => {
                return Err(CommandError::NotExecutable {
                    name: name(),
                    program,
                });
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
