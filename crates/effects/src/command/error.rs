use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;

use super::Command;
use crate::ssh::{Host, SshError};
use crate::trace::Reporting;

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
    #[diagnostic(code("effects::command::not-found"), help("{help}"))]
    NotFound {
        /// The command.
        name: String,
        /// The program as written.
        program: String,
        /// What to write instead.
        help: String,
    },
    /// What is there cannot be run.
    #[error("the command `{name}` cannot be run: `{program}` {problem}")]
    #[diagnostic(
        code("effects::command::not-executable"),
        help("{}", problem.help())
    )]
    NotExecutable {
        /// The command.
        name: String,
        /// The program as written.
        program: String,
        /// Why not.
        problem: NoProgram,
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
    /// The host it should run on cannot be reached, or not any more.
    #[error("cannot run the command `{name}`")]
    #[diagnostic(code("effects::command::host"))]
    Host {
        /// The command.
        name: String,
        /// Why.
        #[source]
        #[diagnostic_source]
        source: SshError,
    },
    /// The host runs no commands, or ended before the command did.
    #[error(
        "the command `{name}` did not run to its end on {host}{}",
        shown(output)
    )]
    #[diagnostic(
        code("effects::command::host-lost"),
        help("the user must be allowed to run commands there, not only to reach files")
    )]
    HostLost {
        /// The command.
        name: String,
        /// Such as `ssh://deploy@prov.acme.example`.
        host: String,
        /// What was said at the end.
        output: String,
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

/// Why what is there is no program. Printed, it follows the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProgram {
    /// A folder.
    Folder,
    /// A device, a pipe or a socket.
    Special,
    /// Without permission to be run.
    Denied,
}

impl NoProgram {
    const fn help(self) -> &'static str {
        match self {
            Self::Folder => "name the program in that folder, with its absolute path",
            Self::Special => "name a program or a script, with its absolute path",
            Self::Denied => {
                "check its permissions (`chmod +x`), and those of the folders that it is in"
            }
        }
    }
}

impl fmt::Display for NoProgram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Folder => "is a folder",
            Self::Special => "is not a regular file",
            Self::Denied => "is not executable for this user",
        })
    }
}

impl CommandError {
    /// There is no such program.
    pub(super) fn not_found(command: &Command<'_>, reporting: &Reporting) -> Self {
        Self::NotFound {
            name: command.name.to_owned(),
            program: program(command, reporting),
            help: reporting.redact(&instead(command)),
        }
    }

    /// It is there, and cannot be run.
    pub(super) fn not_executable(
        command: &Command<'_>,
        reporting: &Reporting,
        problem: NoProgram,
    ) -> Self {
        Self::NotExecutable {
            name: command.name.to_owned(),
            program: program(command, reporting),
            problem,
        }
    }
}

/// The program as written, redacted.
pub(super) fn program(command: &Command<'_>, reporting: &Reporting) -> String {
    let program = command.argv.first().map_or("", String::as_str);
    reporting.redact(program)
}

/// What to write where there is no such program, by the mistake that is likely.
fn instead(command: &Command<'_>) -> String {
    let (program, arguments) = match command.argv.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments),
        None => ("", &[][..]),
    };
    let by_shell = |character: char| "|&;<>()$`*?\"'\\{}".contains(character);
    let words: Vec<&str> = if !program.trim().contains(char::is_whitespace) {
        Vec::new()
    } else if program.contains(by_shell) {
        vec!["sh", "-c", program]
    } else {
        program.split_whitespace().collect()
    };
    if !words.is_empty() {
        let words = words
            .into_iter()
            .chain(arguments.iter().map(String::as_str));
        let words: Vec<String> = words.map(|word| format!("{word:?}")).collect();
        return format!(
            "the first word after the name is the program, and each argument is a word of its own: write \
             `command {:?} {}`",
            command.name,
            words.join(" ")
        );
    }
    if program.starts_with('~') {
        return "no shell is involved, so `~` stands for nothing: write the absolute path"
            .to_owned();
    }
    let place = command
        .host
        .map_or_else(String::new, |host| format!(" on {}", Host::name(host)));
    if program.starts_with('/') {
        format!("install it{place}, or correct the path")
    } else if program.contains('/') {
        format!(
            "a relative path begins at the target's `root`, here `{}`{place}: write the absolute path",
            command.folder.display()
        )
    } else {
        format!(
            "install it{place}, or write its absolute path; it was looked for in PATH, and no shell is involved, so \
             aliases do not work"
        )
    }
}

fn shown(output: &str) -> String {
    if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    }
}
