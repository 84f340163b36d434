use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{fs, process, thread};

use crate::{PHONE, kea, lab, until};

/// The processes that hold an environment variable of this value, which what a lab starts inherits.
fn marked(mark: &str) -> Vec<PathBuf> {
    let entry = format!("SWITCHOVER_LAB_MARK={mark}");
    let processes = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    processes
        .filter(|path| {
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == entry.as_bytes())
        })
        .collect()
}

/// Starts a whole lab in a process of its own and waits until it stands.
fn lab_elsewhere(mark: &str) -> (Child, PathBuf) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lab-shell"))
        .args(["sh", "-c", "echo standing; exec cat"])
        .env("SWITCHOVER_LAB_MARK", mark)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .take_while(|line| line != "standing")
        .collect();
    let folder = lines
        .iter()
        .find_map(|line| line.strip_prefix("folder"))
        .expect("a lab that stands");
    (child, folder.trim().into())
}

#[test]
fn nothing_is_left_of_a_killed_process() {
    let mark = format!("killed-{}", process::id());
    let (mut child, folder) = lab_elsewhere(&mark);
    // The program itself, the holders of two namespaces, Kea's two, the web server, and `cat`.
    assert!(marked(&mark).len() >= 7, "{:?}", marked(&mark));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        until(|| marked(&mark).is_empty()),
        "still there: {:?}",
        marked(&mark)
    );
    // Its folder is the next lab's to remove.
    drop(lab());
    assert!(!folder.exists());
}

#[test]
fn nothing_is_left_of_a_dropped_lab() {
    let mark = format!("dropped-{}", process::id());
    let (mut child, folder) = lab_elsewhere(&mark);
    assert!(folder.exists());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(
        until(|| marked(&mark).is_empty()),
        "still there: {:?}",
        marked(&mark)
    );
    assert!(!folder.exists());
}

#[test]
fn a_lab_outlives_the_thread_that_started_it() {
    let (lab, kea) = thread::spawn(|| {
        let lab = lab();
        let kea = kea(&lab, None);
        (lab, kea)
    })
    .join()
    .unwrap();
    lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert!(kea.config_get().is_ok());
}

#[test]
fn a_living_labs_folder_is_left_alone() {
    let first = lab();
    drop(lab());
    assert!(first.path().exists());
}
