//! Mounts of one test alone: a small disk for the working directory, which can be filled.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tells the process that has the mounts which test it is for.
const INSIDE: &str = "SWITCHOVER_FAULTS_INSIDE";

/// Much more than a site of a few devices takes, and soon filled.
const SIZE: &str = "size=16m,nr_inodes=3000,mode=755";

/// What fills it.
const FILLER: &str = ".filler";

/// Runs this test once more, in a process that has mounts of its own. Gives whether this process is that one.
pub(super) fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return true;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    // The mounts, and whatever the test starts, end with the process.
    command.args(["setpriv", "--pdeathsig", "KILL", "--"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]);
    let output = command.env(INSIDE, test).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// A file system of a few megabytes.
pub(super) struct Disk {
    filler: PathBuf,
}

impl Disk {
    /// Mounts it, empty. What programs share by memory goes away with this process as well.
    pub(super) fn mount(folder: &Path) -> Self {
        for folder in [folder, Path::new("/dev/shm")] {
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(folder);
            let output = mount.output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        Self {
            filler: folder.join(FILLER),
        }
    }

    /// Leaves no byte and no name on it.
    pub(super) fn fill(&self) {
        fs::create_dir(&self.filler).unwrap();
        let mut all = File::create(self.filler.join("bytes")).unwrap();
        for size in [64 * 1024, 4 * 1024, 1] {
            let block = vec![0; size];
            until_full(|_| all.write_all(&block));
        }
        until_full(|number| File::create(self.filler.join(number.to_string())).map(drop));
    }

    /// Takes away what fills it.
    pub(super) fn free(&self) {
        match fs::remove_dir_all(&self.filler) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }
}

fn until_full(mut more: impl FnMut(usize) -> io::Result<()>) {
    let mut number = 0;
    let error = loop {
        match more(number) {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
}
