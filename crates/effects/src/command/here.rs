//! A command on this machine.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use super::error::{self, NoProgram};
use super::output::Tail;
use super::{Command, CommandError, End, Ran};
use crate::trace::Reporting;

/// How long a program that exited may leave its output open, as one does that started a server in the background.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// What a program sees of the environment; everything else may hold what is none of its business.
const ENVIRONMENT: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
];

pub(super) async fn run(command: &Command<'_>, reporting: &Reporting) -> Result<Ran, CommandError> {
    let (program, arguments) = match command.argv.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments),
        None => ("", &[][..]),
    };
    let spawned = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(command.folder)
        .env_clear()
        .envs(
            ENVIRONMENT
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|source| not_started(command, reporting, source))?;
    let mut group = Group::of(&child);
    let mut stdout = Tail::of(child.stdout.take());
    let mut stderr = Tail::of(child.stderr.take());

    let end = {
        let whole = async {
            let status = tokio::select! {
                status = child.wait() => status?,
                // Never done: reading goes on beside waiting, so that a full pipe holds nobody up.
                never = async { tokio::join!(stdout.read_for_ever(), stderr.read_for_ever()) } => match never.0 {},
            };
            let rest = async { tokio::join!(stdout.read_to_end(), stderr.read_to_end()) };
            // What is still open then belongs to a server that the program left behind.
            let _ = tokio::time::timeout(OUTPUT_GRACE, rest).await;
            Ok(status)
        };
        match tokio::time::timeout(command.timeout, whole).await {
            Ok(Ok(status)) => {
                group.release();
                match status.code() {
                    Some(status) => End::Exit(status),
                    None => End::Signal(status.signal().unwrap_or_default()),
                }
            }
            Ok(Err(source)) => End::Lost(source),
            Err(_) => End::Timeout,
        }
    };
    if matches!(end, End::Timeout) {
        drop(group);
        // Killed above; this only collects it.
        let _ = child.wait().await;
    }
    Ok(Ran {
        end,
        stdout: stdout.end(),
        stderr: stderr.end(),
    })
}

fn not_started(command: &Command<'_>, reporting: &Reporting, source: io::Error) -> CommandError {
    let name = command.name.to_owned();
    match source.kind() {
        // The system does not say which of the two is missing.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if !command.folder.is_dir() => {
            CommandError::NoFolder {
                name,
                folder: command.folder.to_owned(),
            }
        }
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            match look_up(command, reporting) {
                Err(error) => error,
                // What runs the script, perhaps: the system does not say.
                Ok(()) => spawn(command, reporting, source),
            }
        }
        _ => spawn(command, reporting, source),
    }
}

fn spawn(command: &Command<'_>, reporting: &Reporting, source: io::Error) -> CommandError {
    CommandError::Spawn {
        name: command.name.to_owned(),
        program: error::program(command, reporting),
        source,
    }
}

/// Where programs are looked for when nobody says otherwise.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Looks where the system would look.
pub(super) fn look_up(command: &Command<'_>, reporting: &Reporting) -> Result<(), CommandError> {
    let program = command.argv.first().map_or("", String::as_str);
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let places: Vec<PathBuf> = match program {
        "" => Vec::new(),
        _ if program.contains('/') => vec![command.folder.join(program)],
        _ => std::env::split_paths(&path)
            .map(|folder| command.folder.join(folder).join(program))
            .collect(),
    };
    let mut unusable = None;
    for place in places {
        match judged(&place) {
            Some(Ok(())) => return Ok(()),
            Some(Err(problem)) => drop(unusable.get_or_insert(problem)),
            None => {}
        }
    }
    Err(match unusable {
        Some(problem) => CommandError::not_executable(command, reporting, problem),
        None => CommandError::not_found(command, reporting),
    })
}

/// Whether a file can be run; none where there is none, or nobody may know.
fn judged(place: &Path) -> Option<Result<(), NoProgram>> {
    let found = place.metadata().ok()?;
    Some(if found.is_dir() {
        Err(NoProgram::Folder)
    } else if !found.is_file() {
        Err(NoProgram::Special)
    } else {
        rustix::fs::access(place, rustix::fs::Access::EXEC_OK).map_err(|_| NoProgram::Denied)
    })
}

/// A program with everything it started, which dies when this is dropped.
pub(super) struct Group(Option<Pid>);

impl Group {
    pub(super) fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
        )
    }

    /// The program has exited by itself; what it left running is meant to run.
    pub(super) fn release(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended meanwhile.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
