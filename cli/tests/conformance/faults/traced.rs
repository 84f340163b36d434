//! The command under `strace`: which calls to the system it makes, killed at one of them, or stopped there for as long
//! as something else happens.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use switchover_lab::Lab;

use crate::environment::{Output, TestEnvironment};

/// Calls by which something changes, or becomes durable, or is asked of a server, or is taken for answered.
const CALLS: &str = "fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,unlink,unlinkat,rmdir,\
                     ftruncate,connect,write,writev,pwrite64,sendto,sendmsg,recvfrom,clone,clone3,vfork,fchmod,fchown,\
                     flock";

/// What `strace` writes where a process stands still.
const STANDS: &str = "stopped by SIGSTOP";

/// The pause between two looks at what it writes.
const LOOK_AGAIN: Duration = Duration::from_millis(3);

/// A call to the system by the main thread: its name, and the how many-th of that name it is.
pub(super) type Point = (String, usize);

/// The command as these faults run it.
pub(super) struct Tracer<'a> {
    pub(super) environment: &'a TestEnvironment,
    pub(super) lab: &'a Lab,
}

/// The clock of a run, as a file says how wrong it is.
pub(super) struct Clock(PathBuf);

impl Clock {
    pub(super) fn new(folder: &Path) -> Self {
        let clock = Self(folder.join("clock"));
        clock.set("+0");
        clock
    }

    /// Sets how wrong it is from now on, such as `-1h`.
    pub(super) fn set(&self, offset: &str) {
        // In place at once: it is read at any time.
        let draft = self.0.with_extension("draft");
        fs::write(&draft, offset).unwrap();
        fs::rename(draft, &self.0).unwrap();
    }

    /// Options of `strace` for a run that goes by it. Only the time of day is meant: what measures time goes on.
    fn options(&self) -> Vec<String> {
        let variables = [
            format!("LD_PRELOAD={}", faketime()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.0.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "NO_FAKE_STAT=1".to_owned(),
        ];
        let each = variables
            .into_iter()
            .flat_map(|variable| ["-E".to_owned(), variable]);
        each.collect()
    }
}

/// The library by which `faketime` works; it knows where that is.
fn faketime() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut command = Command::new("faketime");
        command.args(["-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""]);
        let output = command.output().unwrap();
        let library = String::from_utf8(output.stdout).unwrap();
        assert!(library.contains("faketime"), "{library}");
        library
    })
}

impl<'a> Tracer<'a> {
    /// Runs it to its end, and gives its calls from the first thing on that it puts into its state.
    pub(super) fn points(&self, clock: Option<&Clock>, arguments: &[&str]) -> (Output, Vec<Point>) {
        let trace = self.trace();
        let filter = ["-e".to_owned(), format!("trace=openat,{CALLS}")];
        let mut traced = self.strace(&trace, clock, &filter, arguments);
        let output = self.environment.shown(&traced.output().unwrap());
        let text = fs::read_to_string(&trace).unwrap();
        (output, points(&text))
    }

    /// Runs it, and kills it as it makes this call: the call itself does not happen.
    pub(super) fn killed_at(&self, (call, number): &Point, arguments: &[&str]) -> Output {
        let filter = [
            "-e".to_owned(),
            format!("trace={call}"),
            "-e".to_owned(),
            format!("inject={call}:signal=KILL:when={number}"),
        ];
        let trace = Path::new("/dev/null");
        let mut traced = self.strace(trace, None, &filter, arguments);
        self.environment.shown(&traced.output().unwrap())
    }

    /// Begins to run it, and stops it when this call is made.
    pub(super) fn held_at(
        &self,
        (call, number): &Point,
        clock: Option<&Clock>,
        arguments: &[&str],
    ) -> Held<'a> {
        let trace = self.trace();
        let filter = [
            "-e".to_owned(),
            format!("trace={call}"),
            "-e".to_owned(),
            format!("inject={call}:signal=STOP:when={number}"),
        ];
        let mut traced = self.strace(&trace, clock, &filter, arguments);
        let child = traced
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Held {
            environment: self.environment,
            child,
            trace,
        }
    }

    fn trace(&self) -> PathBuf {
        let trace = self.lab.path().join("trace");
        let _ = fs::remove_file(&trace);
        trace
    }

    fn strace(
        &self,
        trace: &Path,
        clock: Option<&Clock>,
        filter: &[String],
        arguments: &[&str],
    ) -> Command {
        let command = self.environment.command(arguments);
        let command = self.environment.moved(self.lab, &command);
        let mut traced = Command::new(command.get_program());
        // What moves it into the lab comes before the command itself.
        let whole: Vec<_> = command.get_args().collect();
        let program = OsStr::new(env!("CARGO_BIN_EXE_switchover"));
        let at = whole
            .iter()
            .position(|argument| *argument == program)
            .unwrap();
        traced.args(&whole[..at]).arg("strace").arg("-o").arg(trace);
        traced.args(clock.map(Clock::options).unwrap_or_default());
        traced.args(filter).args(&whole[at..]).env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                traced.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            traced.current_dir(folder);
        }
        traced.stdin(Stdio::null());
        traced
    }
}

/// A run that stands still, or is about to.
pub(super) struct Held<'a> {
    environment: &'a TestEnvironment,
    child: Child,
    trace: PathBuf,
}

impl Held<'_> {
    /// Waits until it stands still; false where it came to its end before.
    pub(super) fn stands(&mut self) -> bool {
        loop {
            let told = fs::read_to_string(&self.trace).unwrap_or_default();
            if told.contains(STANDS) {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Lets it go on, to its end.
    pub(super) fn goes_on(self) -> Output {
        for child in children_of(self.child.id()) {
            // One that is over cannot go on.
            let _ = kill_process(child, Signal::CONT);
        }
        let output = self.child.wait_with_output().unwrap();
        self.environment.shown(&output)
    }
}

fn children_of(parent: u32) -> Vec<Pid> {
    let parent = parent.to_string();
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        if fields.split_whitespace().nth(1) == Some(parent.as_str()) {
            children.extend(Pid::from_raw(id));
        }
    }
    children
}

/// The points in what `strace` wrote.
fn points(text: &str) -> Vec<Point> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut begun = false;
    let mut points = Vec::new();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once('(') else {
            continue;
        };
        if name == "openat" {
            begun |= rest.contains("/.switchover/") && rest.contains("O_CREAT");
            continue;
        }
        // What puts something into an object store.
        begun |= rest.contains("\"PUT /");
        if line.starts_with("---") || !CALLS.split(',').any(|call| call == name) {
            continue;
        }
        let count = counts.entry(name).or_default();
        *count += 1;
        if begun {
            points.push((name.to_owned(), *count));
        }
    }
    points
}
