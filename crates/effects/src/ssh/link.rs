use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;

use super::error::{Peer, last_line, not_connected};
use super::sftp::{Sftp, SftpError};
use super::{Location, SshError};

/// How long a connection may take, with all hosts on the way.
const CONNECT: Duration = Duration::from_secs(30);

/// A host from which nothing at all comes for so long while something is asked of it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is said is heard for so long after the connection has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// More than `ssh` has to say.
const KEPT_BYTES: usize = 16 * 1024;

/// What goes before the user's own configuration, and why: nothing is asked, no key of a host is taken on trust,
/// nothing but files and commands goes through, and a dead connection is noticed.
const OPTIONS: [&str; 13] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "LogLevel=ERROR",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ControlPersist=no",
];

/// A connection: the process that holds it, and SFTP through it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) sftp: Sftp,
    said: Arc<Mutex<Vec<u8>>>,
    /// Closed when it has said its last.
    listens: watch::Receiver<()>,
    peer: Peer,
    program: Vec<String>,
    location: Location,
    /// The socket through which further channels are opened is in here.
    folder: TempDir,
    /// Killed when this is dropped.
    _ssh: Child,
}

impl Link {
    pub(super) async fn connect(location: &Location, program: &[String]) -> Result<Self, SshError> {
        let peer = Peer {
            host: location.authority(),
            by_hand: location.by_hand(program),
        };
        let cannot = |source| SshError::Program {
            host: peer.host.clone(),
            program: program.join(" "),
            source,
        };
        let folder = socket_folder().map_err(cannot)?;
        let mut ssh = command(program, location, &folder, "yes")
            .args(["-s", "--", &location.host, "sftp"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let said = Arc::<Mutex<Vec<u8>>>::default();
        let mut listens = listen(ssh.stderr.take(), Arc::clone(&said));
        let pipes = ssh.stdin.take().zip(ssh.stdout.take());
        let (input, output) = pipes.ok_or_else(|| cannot(std::io::ErrorKind::BrokenPipe.into()))?;
        let sftp = match tokio::time::timeout(CONNECT, Sftp::start(input, output, PATIENCE)).await {
            Ok(Ok(sftp)) => sftp,
            Ok(Err(error)) => {
                let _ = tokio::time::timeout(LAST_WORDS, listens.changed()).await;
                return Err(not_connected(&peer, &error, &text(&said)));
            }
            Err(_) => {
                return Err(SshError::Silent {
                    host: peer.host,
                    seconds: CONNECT.as_secs(),
                    by_hand: peer.by_hand,
                });
            }
        };
        Ok(Self {
            sftp,
            said,
            listens,
            peer,
            program: program.to_vec(),
            location: location.clone(),
            folder,
            _ssh: ssh,
        })
    }

    /// A further channel, for a command: the shell that every host has reads it from its input.
    pub(crate) fn shell(&self) -> Command {
        let mut ssh = command(&self.program, &self.location, &self.folder, "no");
        ssh.args(["--", &self.location.host, "sh", "-s"]);
        ssh
    }

    /// What an error of SFTP means for the connection; none where it means nothing for it.
    pub(crate) async fn broken(&self, error: &SftpError) -> Option<SshError> {
        let host = self.peer.host.clone();
        match error {
            SftpError::Lost => {
                // What `ssh` says of it comes a moment later.
                let _ = tokio::time::timeout(LAST_WORDS, self.listens.clone().changed()).await;
                Some(SshError::Lost {
                    host,
                    text: last_line(&text(&self.said)),
                })
            }
            SftpError::Silent => Some(SshError::Silent {
                host,
                seconds: PATIENCE.as_secs(),
                by_hand: self.peer.by_hand.clone(),
            }),
            SftpError::Protocol(problem) => Some(SshError::Protocol {
                host,
                problem: (*problem).to_owned(),
            }),
            SftpError::NotFound
            | SftpError::Denied
            | SftpError::Failure(_)
            | SftpError::Unsupported => None,
        }
    }

    /// The host's name, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.peer.host
    }
}

fn command(program: &[String], location: &Location, folder: &TempDir, master: &str) -> Command {
    let (name, arguments) = program
        .split_first()
        .map_or(("ssh", &[][..]), |(name, rest)| (name.as_str(), rest));
    let mut ssh = Command::new(name);
    ssh.args(arguments);
    for option in OPTIONS {
        ssh.args(["-o", option]);
    }
    ssh.args(["-o", &format!("ControlMaster={master}")]);
    let socket = folder.path().join("s");
    // `ssh` puts names into it behind percent signs.
    ssh.args(["-S", &socket.to_string_lossy().replace('%', "%%")])
        .args(location.arguments())
        // No window that asks for a password.
        .env("SSH_ASKPASS_REQUIRE", "never")
        // An interrupt at the keyboard is for this program, which still needs the connection to take things back.
        .process_group(0)
        .kill_on_drop(true);
    ssh
}

/// A folder that only this user can look into, of a name short enough for a socket.
fn socket_folder() -> std::io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("switchover-").tempdir()?;
    if folder.path().as_os_str().len() < 70 {
        return Ok(folder);
    }
    tempfile::Builder::new()
        .prefix("switchover-")
        .tempdir_in("/tmp")
}

/// Keeps the end of what `ssh` says.
fn listen(pipe: Option<ChildStderr>, said: Arc<Mutex<Vec<u8>>>) -> watch::Receiver<()> {
    let (hears, receiver) = watch::channel(());
    tokio::spawn(async move {
        // Dropped at the end of what it says.
        let _hears = hears;
        let Some(mut pipe) = pipe else { return };
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(&chunk[..count]);
            let surplus = said.len().saturating_sub(KEPT_BYTES);
            said.drain(..surplus);
        }
    });
    receiver
}

fn text(said: &Mutex<Vec<u8>>) -> String {
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&said).into_owned()
}
