use std::io;

use miette::Diagnostic;

use super::sftp::SftpError;

/// A host that cannot be reached, or not any more. Every text is what `ssh` says, which holds no secret.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum SshError {
    #[error("cannot run `{program}`, which connects to {host}")]
    #[diagnostic(
        code("effects::ssh::program"),
        help(
            "install OpenSSH's client, or name the program in your own configuration: `ssh \"/path/to/ssh\"`"
        )
    )]
    Program {
        host: String,
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot find {host}: {text}")]
    #[diagnostic(
        code("effects::ssh::host-unknown"),
        help("correct the target's `root`, or give the host its name in `~/.ssh/config` or DNS")
    )]
    HostUnknown { host: String, text: String },
    #[error("cannot reach {host}: {text}")]
    #[diagnostic(
        code("effects::ssh::unreachable"),
        help("does an SSH server listen there? try `{by_hand}`")
    )]
    Unreachable {
        host: String,
        text: String,
        by_hand: String,
    },
    #[error("the key of {host} is not known")]
    #[diagnostic(
        code("effects::ssh::host-key-unknown"),
        help("connect once by hand with `{by_hand}`, and accept the key after comparing it")
    )]
    HostKeyUnknown { host: String, by_hand: String },
    #[error("the key of {host} is not the one that is known: {text}")]
    #[diagnostic(
        code("effects::ssh::host-key-changed"),
        help(
            "somebody may be in between. Only where the host was installed anew: remove the old key \
             (`ssh-keygen -R HOST`), and connect once by hand with `{by_hand}`"
        )
    )]
    HostKeyChanged {
        host: String,
        text: String,
        by_hand: String,
    },
    #[error("{host} does not let us in: {text}")]
    #[diagnostic(
        code("effects::ssh::denied"),
        help(
            "a key that the host accepts must be in the agent or in `~/.ssh/config`; no password is ever asked \
             for. `{by_hand}` must work without a question"
        )
    )]
    Denied {
        host: String,
        text: String,
        by_hand: String,
    },
    #[error("{host} serves no SFTP: {text}")]
    #[diagnostic(
        code("effects::ssh::no-sftp"),
        help(
            "files are reached through SFTP: let its server have `Subsystem sftp /usr/lib/openssh/sftp-server` or \
             `Subsystem sftp internal-sftp`"
        )
    )]
    NoSftp { host: String, text: String },
    #[error("{host} cannot replace a file at once")]
    #[diagnostic(
        code("effects::ssh::no-replace"),
        help(
            "its SFTP server has no `posix-rename@openssh.com`, without which telephones could read half a file; \
             OpenSSH's has it"
        )
    )]
    NoReplace { host: String },
    #[error("{host} did not answer within {seconds} s")]
    #[diagnostic(
        code("effects::ssh::silent"),
        help("does `{by_hand}` connect, without a question, in less time?")
    )]
    Silent {
        host: String,
        seconds: u64,
        by_hand: String,
    },
    #[error("lost the connection to {host}{}", behind(text))]
    #[diagnostic(
        code("effects::ssh::lost"),
        help("the network, the host, or its SSH server went away in the middle")
    )]
    Lost { host: String, text: String },
    #[error("cannot connect to {host}{}", behind(text))]
    #[diagnostic(
        code("effects::ssh::refused"),
        help("`{by_hand}` must connect without a question")
    )]
    Refused {
        host: String,
        text: String,
        by_hand: String,
    },
    #[error("cannot speak SFTP with {host}: {problem}")]
    #[diagnostic(
        code("effects::ssh::protocol"),
        help("the host's login scripts must print nothing where nobody is there to read it")
    )]
    Protocol { host: String, problem: String },
}

fn behind(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

/// Who is connected to, for messages.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// `ssh://…`
    pub(super) host: String,
    /// What a person would type.
    pub(super) by_hand: String,
}

/// Says why `ssh` ended before there was a connection. It has one exit status for everything, and its texts are the
/// same in every language.
pub(super) fn not_connected(peer: &Peer, error: &SftpError, said: &str) -> SshError {
    let Peer { host, by_hand } = peer.clone();
    let has = |part: &str| said.contains(part);
    let text = last_line(said);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let offending = said.lines().find(|line| line.contains("Offending"));
        return SshError::HostKeyChanged {
            host,
            text: offending.map_or(text, |line| line.trim().to_owned()),
            by_hand,
        };
    }
    if has("Host key verification failed") || has("host key is known for") {
        return SshError::HostKeyUnknown { host, by_hand };
    }
    if has("Permission denied (") || has("Too many authentication failures") {
        return SshError::Denied {
            host,
            text: after_colon(&text),
            by_hand,
        };
    }
    if has("Could not resolve hostname") {
        return SshError::HostUnknown {
            host,
            text: after_colon(&text),
        };
    }
    if has("subsystem request failed") {
        return SshError::NoSftp { host, text };
    }
    if said.lines().any(|line| line.starts_with("ssh: connect to")) {
        return SshError::Unreachable {
            host,
            text: after_colon(&text),
            by_hand,
        };
    }
    match error {
        SftpError::Protocol(problem) => SshError::Protocol {
            host,
            problem: (*problem).to_owned(),
        },
        _ => SshError::Refused {
            host,
            text,
            by_hand,
        },
    }
}

/// The last thing that was said, on one line and of bearable length.
pub(super) fn last_line(said: &str) -> String {
    let line = said
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars()
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect()
}

/// `ssh: connect to host 10.0.0.1 port 22: Connection refused` is told without what is known already.
fn after_colon(text: &str) -> String {
    let told = text.rsplit_once(": ").map_or(text, |(_, end)| end);
    let mut letters = told.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
