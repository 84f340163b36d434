//! Starting, watching and ending the programs of a lab.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use crate::LabError;

/// How long a server may take to be ready, and to end when asked to.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two looks at something that becomes ready by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A server program in a lab. Ends when dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command` with its output going to `log`.
    ///
    /// # Errors
    /// When the log cannot be made or the program cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self, LabError> {
        let output = File::create(log)
            .map_err(|source| LabError::io(format!("create {}", log.display()), source))?;
        let errors = output
            .try_clone()
            .map_err(|source| LabError::io("share a log file", source))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child =
            spawn(command).map_err(|source| LabError::io(format!("start {name}"), source))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// When the program ends before, or is not ready in time; the error holds the end of its log.
    pub fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), LabError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.status()? {
                return Err(LabError::Ended {
                    name: self.name.clone(),
                    status: status.to_string(),
                    log: self.log_tail(),
                });
            }
            if ready() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(LabError::NotReady {
                    name: self.name.clone(),
                    log: self.log_tail(),
                });
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Ends the program: asks it to, then kills it if it does not end in time.
    ///
    /// # Errors
    /// When the program cannot be waited for.
    pub fn stop(&mut self) -> Result<(), LabError> {
        if self.status()?.is_some() {
            return Ok(());
        }
        let pid = rustix::process::Pid::from_child(&self.child);
        // Fails only when the program ended in between, which the wait below finds out.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while self.status()?.is_none() {
            if Instant::now() > deadline {
                self.kill();
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Ends the program at once, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The process id of the program, as the whole machine sees it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything the program has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn status(&mut self) -> Result<Option<ExitStatus>, LabError> {
        self.child
            .try_wait()
            .map_err(|source| LabError::io(format!("wait for {}", self.name), source))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Polls `ready` until it gives a value, for at most [`PATIENCE`].
pub(crate) fn poll<T>(mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ready() {
            return Some(value);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Runs a program to its end and gives its standard output.
pub(crate) fn run(mut command: Command) -> Result<Vec<u8>, LabError> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| LabError::io(format!("run {shown}"), source))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(LabError::Command {
        command: shown,
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
            .trim()
            .to_owned(),
    })
}

/// Copies a program to where it will be run.
///
/// Another program does it: a file that this process had open for writing could be inherited by a child that another
/// thread forks at that moment, and the kernel refuses to run what is open for writing (`ETXTBSY`).
pub(crate) fn copy_program(from: &Path, to: &Path) -> Result<(), LabError> {
    let mut copy = Command::new(program("cp")?);
    copy.arg("-p").arg(from).arg(to);
    run(copy).map(drop)
}

/// Writes a shell script that will be run as a program.
pub(crate) fn write_script(path: &Path, text: &str) -> Result<(), LabError> {
    let draft = path.with_extension("draft");
    fs::write(&draft, text)
        .and_then(|()| fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)))
        .map_err(|source| LabError::io(format!("write {}", draft.display()), source))?;
    copy_program(&draft, path)
}

/// Where a program is. Servers live in `sbin`, which an ordinary user's `PATH` lacks on Debian.
pub(crate) fn program(name: &str) -> Result<PathBuf, LabError> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| LabError::Missing {
            program: name.to_owned(),
        })
}

/// A program of this crate (`phones`, `door`, …). Cargo builds them all with the tests of a workspace, into the folder that
/// the tests lie below.
///
/// # Errors
/// When it has not been built.
pub fn own_program(name: &str) -> Result<PathBuf, LabError> {
    let running =
        env::current_exe().map_err(|source| LabError::io("find the running program", source))?;
    running
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| LabError::NotBuilt {
            program: name.to_owned(),
        })
}

type Job = (Command, Sender<io::Result<Child>>);

/// Starts a program from a thread that lives as long as this process.
///
/// The programs of a lab ask the kernel to be killed with their parent (`PR_SET_PDEATHSIG`), and the kernel takes the
/// *thread* that started them for the parent: started from a test's own thread they would end with that test, even
/// where a lab is shared by several.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                // The asker waits for the answer below, so it cannot be gone.
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, outcome) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts programs is gone");
    spawner
        .send((command, answer))
        .map_err(|_| io::Error::other("the thread that starts programs is gone"))?;
    outcome.recv().map_err(gone)?
}
