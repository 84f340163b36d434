//! Commands: a program with its arguments, never a shell, bounded in time and output.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use miette::Diagnostic;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;

use crate::trace::{Event, Reporting};

/// Long enough for a service to restart, short enough to wait for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How much of each output is kept: its end, where programs say what went wrong.
const KEPT_BYTES: usize = 64 * 1024;

/// How much of it an error shows.
const SHOWN_LINES: usize = 20;
const SHOWN_CHARS: usize = 2000;

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

/// A command to run.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// The program and its arguments.
    pub argv: &'a [String],
    /// The folder it runs in.
    pub folder: &'a Path,
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

/// A command that did not succeed. Every text is redacted.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum CommandError {
    /// No program.
    #[error("the command `{name}` names no program")]
    #[diagnostic(
        code("effects::command::empty"),
        help("write the program and its arguments behind the name")
    )]
    NoProgram {
        /// The command.
        name: String,
    },
    /// The program does not exist.
    #[error("the command `{name}` cannot be run: there is no program `{program}`")]
    #[diagnostic(
        code("effects::command::not-found"),
        help(
            "install it, or write its absolute path; it was looked for in PATH, and no shell is involved, so \
             neither aliases nor `~` work"
        )
    )]
    NotFound {
        /// The command.
        name: String,
        /// The program as written.
        program: String,
    },
    /// The program may not be run.
    #[error("the command `{name}` cannot be run: `{program}` is not executable for this user")]
    #[diagnostic(
        code("effects::command::not-executable"),
        help("check its permissions, and that it is not a folder")
    )]
    NotExecutable {
        /// The command.
        name: String,
        /// The program as written.
        program: String,
    },
    /// The folder it should run in does not exist.
    #[error("the command `{name}` cannot be run: its folder `{}` does not exist", folder.display())]
    #[diagnostic(
        code("effects::command::no-folder"),
        help("create the folder, or correct the target's `root`")
    )]
    NoFolder {
        /// The command.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
    /// The system refuses to start it.
    #[error("the command `{name}` cannot be run: `{program}` does not start")]
    #[diagnostic(code("effects::command::spawn"))]
    Spawn {
        /// The command.
        name: String,
        /// The program as written.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its end or its output could not be awaited.
    #[error("lost the command `{name}` while it ran")]
    #[diagnostic(code("effects::command::lost"))]
    Lost {
        /// The command.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It says that it failed.
    #[error(
        "the command `{name}` failed with exit status {status}{}",
        shown(output)
    )]
    #[diagnostic(code("effects::command::failed"), help("it ran as `{line}`"))]
    Failed {
        /// The command.
        name: String,
        /// Program and arguments.
        line: String,
        /// Its exit status, not 0.
        status: i32,
        /// The end of what it printed.
        output: String,
    },
    /// A signal ended it.
    #[error("the command `{name}` was ended by signal {signal}{}", shown(output))]
    #[diagnostic(code("effects::command::killed"), help("it ran as `{line}`"))]
    Killed {
        /// The command.
        name: String,
        /// Program and arguments.
        line: String,
        /// The signal's number.
        signal: i32,
        /// The end of what it printed.
        output: String,
    },
    /// It took too long and was killed.
    #[error("the command `{name}` did not end within {} s and was killed{}", limit.as_secs_f32(), shown(output))]
    #[diagnostic(
        code("effects::command::timeout"),
        help(
            "it ran as `{line}`; a program that stays in the foreground or asks a question cannot be used here"
        )
    )]
    TimedOut {
        /// The command.
        name: String,
        /// Program and arguments.
        line: String,
        /// The time it had.
        limit: Duration,
        /// The end of what it printed.
        output: String,
    },
}

fn shown(output: &str) -> String {
    if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    }
}

/// Runs a command to its end. It gets no input, and of the environment only what says where and in which language it
/// runs. Dropping the future kills the program and everything it started.
///
/// # Errors
/// Where it cannot be run, does not end in time, or does not succeed.
pub async fn run(command: &Command<'_>, reporting: &Reporting) -> Result<Output, CommandError> {
    execute(command, reporting, false).await
}

/// [`run`] for a command that prints a secret: its standard output is in no error.
pub(crate) async fn run_silently(
    command: &Command<'_>,
    reporting: &Reporting,
) -> Result<Output, CommandError> {
    execute(command, reporting, true).await
}

/// How a program that was started came to its end.
enum End {
    Exit(ExitStatus),
    Timeout,
    Lost(io::Error),
}

async fn execute(
    command: &Command<'_>,
    reporting: &Reporting,
    silent: bool,
) -> Result<Output, CommandError> {
    let started = Instant::now();
    let (program, arguments) =
        command
            .argv
            .split_first()
            .ok_or_else(|| CommandError::NoProgram {
                name: command.name.to_owned(),
            })?;
    let line = reporting.redact(&command.argv.join(" "));
    let tell = |status| {
        reporting.tell(&Event::Command {
            line: &line,
            status,
            elapsed: started.elapsed(),
        });
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
    let mut child = spawned.map_err(|source| {
        tell(None);
        not_started(command, reporting.redact(program), source)
    })?;
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
            Ok(Ok(status)) => End::Exit(status),
            Ok(Err(source)) => End::Lost(source),
            Err(_) => End::Timeout,
        }
    };
    tell(if let End::Exit(status) = &end {
        status.code()
    } else {
        None
    });

    let name = command.name.to_owned();
    match end {
        End::Exit(status) => {
            group.release();
            if status.success() {
                return Ok(Output {
                    stdout: stdout.kept,
                    stdout_cut: stdout.cut,
                    stderr: stderr.kept,
                    stderr_cut: stderr.cut,
                });
            }
            let output = excerpt(&stdout, &stderr, silent, reporting);
            match status.code() {
                Some(status) => Err(CommandError::Failed {
                    name,
                    line,
                    status,
                    output,
                }),
                None => Err(CommandError::Killed {
                    name,
                    line,
                    signal: status.signal().unwrap_or_default(),
                    output,
                }),
            }
        }
        End::Lost(source) => Err(CommandError::Lost { name, source }),
        End::Timeout => {
            drop(group);
            // Killed above; this only collects it.
            let _ = child.wait().await;
            let output = excerpt(&stdout, &stderr, silent, reporting);
            Err(CommandError::TimedOut {
                name,
                line,
                limit: command.timeout,
                output,
            })
        }
    }
}

fn not_started(command: &Command<'_>, program: String, source: io::Error) -> CommandError {
    let name = command.name.to_owned();
    match source.kind() {
        // The system does not say which of the two is missing.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if !command.folder.is_dir() => {
            CommandError::NoFolder {
                name,
                folder: command.folder.to_owned(),
            }
        }
        io::ErrorKind::NotFound => CommandError::NotFound { name, program },
        // A folder in PATH that may not be read hides that no folder has the program.
        io::ErrorKind::PermissionDenied
            if !command.argv.first().is_some_and(|program| exists(program)) =>
        {
            CommandError::NotFound { name, program }
        }
        io::ErrorKind::PermissionDenied => CommandError::NotExecutable { name, program },
        _ => CommandError::Spawn {
            name,
            program,
            source,
        },
    }
}

/// Whether there is such a program, be it executable or not.
fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    program.contains('/')
        || std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// A program with everything it started, which dies when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
        )
    }

    /// The program has exited by itself; what it left running is meant to run.
    fn release(&mut self) {
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

/// The end of an output.
struct Tail<R> {
    pipe: Option<R>,
    kept: Vec<u8>,
    cut: bool,
}

impl<R: AsyncRead + Unpin> Tail<R> {
    fn of(pipe: Option<R>) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            cut: false,
        }
    }

    async fn read_to_end(&mut self) {
        let mut chunk = [0; 8192];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => self.pipe = None,
                Ok(count) => {
                    self.kept.extend_from_slice(&chunk[..count]);
                    // Twice the limit before cutting: each byte is then moved once at most.
                    if self.kept.len() > 2 * KEPT_BYTES {
                        self.trim();
                    }
                }
            }
        }
        self.trim();
    }

    async fn read_for_ever(&mut self) -> std::convert::Infallible {
        self.read_to_end().await;
        std::future::pending().await
    }

    fn trim(&mut self) {
        if let Some(surplus) = self.kept.len().checked_sub(KEPT_BYTES + 1) {
            self.kept.drain(..=surplus);
            self.cut = true;
        }
    }

    /// As text, beginning with a whole line where the beginning is missing: a line cut in two could show the half of
    /// a secret that nothing recognises.
    fn text(&self) -> String {
        let whole = if self.cut {
            self.kept
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(&[][..], |at| &self.kept[at + 1..])
        } else {
            &self.kept[..]
        };
        String::from_utf8_lossy(whole).into_owned()
    }
}

/// The last lines of what a command printed: its standard error, or where that is empty its standard output.
fn excerpt<O, E>(stdout: &Tail<O>, stderr: &Tail<E>, silent: bool, reporting: &Reporting) -> String
where
    O: AsyncRead + Unpin,
    E: AsyncRead + Unpin,
{
    let mut text = stderr.text();
    if text.trim().is_empty() && !silent {
        text = stdout.text();
    }
    let text = reporting.redact(&text);
    let lines: Vec<&str> = text.trim().lines().collect();
    let end = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    let surplus = end.chars().count().saturating_sub(SHOWN_CHARS);
    end.chars()
        .skip(surplus)
        .filter(|&c| c == '\n' || !c.is_control())
        .collect()
}
