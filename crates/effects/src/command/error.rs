use std::io;
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;

use crate::ssh::SshError;

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

fn shown(output: &str) -> String {
    if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    }
}
