//! Running other programs, with a line about each.

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Why a task failed, for people.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// A failure of `action` for this reason.
    pub(crate) fn of(action: impl Display, reason: impl Display) -> Self {
        Self(format!("failed to {action}: {reason}"))
    }
}

/// A named part of a task: it says when it begins and how long it took.
pub(crate) struct Step {
    name: String,
    started: Instant,
}

impl Step {
    pub(crate) fn start(name: &str) -> Self {
        eprintln!("── {name}");
        Self {
            name: name.to_owned(),
            started: Instant::now(),
        }
    }

    pub(crate) fn done(self) {
        eprintln!(
            "   {} done in {:.1} s",
            self.name,
            self.started.elapsed().as_secs_f64()
        );
    }

    /// Runs one command as a step of its own.
    pub(crate) fn run(name: &str, command: Command) -> Result<(), Failure> {
        let step = Self::start(name);
        run(command)?;
        step.done();
        Ok(())
    }
}

/// The cargo that runs this task, in the repository.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(crate::root());
    command
}

/// Runs a command to its end, sharing this terminal.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|problem| Failure::of(format!("run {}", shown(&command)), problem))?;
    judged(status, &command)
}

/// Runs a command to its end and gives what it wrote to its standard output.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|problem| Failure::of(format!("run {}", shown(&command)), problem))?;
    judged(output.status, &command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command silently and tells whether it ended well within the time; then it is killed.
pub(crate) fn succeeds_within(mut command: Command, limit: Duration) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = quiet.spawn() else {
        return false;
    };
    ends_well_within(&mut child, limit)
}

fn ends_well_within(child: &mut Child, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

/// Where a program is. Servers live in `sbin`, which an ordinary user's `PATH` lacks on Debian.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(usual)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn judged(status: ExitStatus, command: &Command) -> Result<(), Failure> {
    if status.success() {
        Ok(())
    } else {
        Err(Failure(format!("{} ended with {status}", shown(command))))
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
