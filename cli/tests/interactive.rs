//! What a person at a terminal does: answer the question, press Ctrl-C.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::environment::TestEnvironment;
use crate::plan_and_apply::{GOOD, site};

/// Our side of a pseudo-terminal.
pub(crate) struct Person(File);

impl Person {
    /// Starts the command with the other side as its standard input and error.
    pub(crate) fn start(test: &TestEnvironment, arguments: &[&str]) -> (Self, Child) {
        Self::before(test, arguments, |_| Stdio::piped())
    }

    /// The same with all its streams on the other side.
    pub(crate) fn start_alone(test: &TestEnvironment, arguments: &[&str]) -> (Self, Child) {
        Self::before(test, arguments, |theirs| theirs.try_clone().unwrap().into())
    }

    fn before(
        test: &TestEnvironment,
        arguments: &[&str],
        stdout: impl FnOnce(&OwnedFd) -> Stdio,
    ) -> (Self, Child) {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs: OwnedFd = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap()
            .into();
        let child = test
            .command(arguments)
            .env("TERM", "xterm")
            .stdin(theirs.try_clone().unwrap())
            .stdout(stdout(&theirs))
            .stderr(theirs)
            .spawn()
            .unwrap();
        (Self(ours.into()), child)
    }

    /// Reads until this is on the screen, and gives everything that came.
    pub(crate) fn sees(&mut self, awaited: &str) -> String {
        let mut screen = Vec::new();
        let mut part = [0; 4096];
        loop {
            // The other side is closed when the command ends: then this is an error.
            let read = self.0.read(&mut part).unwrap_or_default();
            screen.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&screen).into_owned();
            if text.contains(awaited) {
                return text;
            }
            assert!(read > 0, "`{awaited}` never came:\n{text}");
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }
}

#[test]
fn yes_applies_what_was_shown() {
    let test = site();
    let (mut person, child) = Person::start(&test, &["apply"]);
    let screen = person.sees("Only `yes` is accepted: ");
    assert!(
        screen.contains(" to add, 0 to change, 0 to remove"),
        "{screen}"
    );
    person.types("yes\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("applied as generation 1: "), "{told}");
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
}

#[test]
fn many_sites_are_shown_and_asked_for_once() {
    let test = site();
    for name in ["berlin", "rome"] {
        let topology = GOOD.replace("\"acme-hq\"", &format!("\"acme-{name}\""));
        test.write(&format!("sites/{name}/switchover.kdl"), &topology);
    }
    test.write("sites/turin/switchover.kdl", "nonsense\n");
    let (mut person, child) = Person::start(&test, &["apply", "sites"]);
    let screen = person.sees("Only `yes` is accepted: ");
    for shown in [
        "── acme-berlin ──",
        "── acme-rome ──",
        "2 sites: ",
        "1 failed and will not be touched",
    ] {
        assert!(screen.contains(shown), "{shown} is not in\n{screen}");
    }
    assert_eq!(screen.matches("Only `yes`").count(), 1, "{screen}");
    person.types("yes\n");
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains("3 sites: 2 applied, 1 with findings"),
        "{told}"
    );
}

#[test]
fn anything_else_changes_nothing() {
    for answer in ["no\n", "y\n", "\n", "\u{4}"] {
        let test = site();
        let (mut person, mut child) = Person::start(&test, &["apply"]);
        person.sees("Only `yes` is accepted: ");
        person.types(answer);
        person.sees("not confirmed: nothing was changed");
        assert_eq!(child.wait().unwrap().code(), Some(1), "{answer:?}");
        assert!(!test.work().join(".switchover").exists());
    }
}

#[test]
fn a_signal_during_an_apply_takes_everything_back() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let test = site();
        let work = test.work();
        // The first reload tells that it runs and waits for what never comes; the one of the undo does not.
        let script = "[ -e once ] && exit; : > once; echo running > started; read never < never";
        test.write(
            "switchover.kdl",
            &GOOD.replace(
                "root \"dnsmasq.d\"",
                &format!(
                    "root \"dnsmasq.d\"\n    command \"reload\" \"sh\" \"-c\" \"cd '{}'; {script}\"",
                    work.display()
                ),
            ),
        );
        for name in ["started", "never"] {
            let status = std::process::Command::new("mkfifo")
                .arg(work.join(name))
                .status();
            assert!(status.unwrap().success());
        }
        let child = test
            .command(["apply", "--yes"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(
            std::fs::read_to_string(work.join("started")).unwrap(),
            "running\n"
        );
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = test.shown(&child.wait_with_output().unwrap());
        assert_eq!(output.code, Some(6), "{output}");
        assert!(output.stderr.contains("it was asked to stop"), "{output}");
        assert!(!work.join(".switchover/generations/000001.json").exists());
        let left = |folder: &str| std::fs::read_dir(work.join(folder)).unwrap().count();
        assert_eq!(
            (left("dnsmasq.d"), left("provisioning")),
            (0, 0),
            "{output}"
        );
    }
}

#[test]
fn a_signal_stops_all_sites_and_begins_none() {
    let test = site();
    let work = test.work();
    let script = "[ -e once ] && exit; : > once; echo running > started; read never < never";
    for name in ["berlin", "rome"] {
        let topology = GOOD.replace("\"acme-hq\"", &format!("\"acme-{name}\""));
        let command = format!(
            "root \"dnsmasq.d\"\n    command \"reload\" \"sh\" \"-c\" \"cd '{}'; {script}\"",
            work.display()
        );
        let topology = match name {
            "berlin" => topology.replace("root \"dnsmasq.d\"", &command),
            _ => topology,
        };
        test.write(&format!("sites/{name}/switchover.kdl"), &topology);
    }
    for name in ["started", "never"] {
        let status = std::process::Command::new("mkfifo")
            .arg(work.join(name))
            .status();
        assert!(status.unwrap().success());
    }
    let child = test
        .command(["apply", "sites", "--yes", "--jobs", "1", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(work.join("started")).unwrap(),
        "running\n"
    );
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = test.shown(&child.wait_with_output().unwrap());
    assert_eq!(output.code, Some(6), "{output}");
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let results = [0, 1].map(|at| document["sites"][at]["result"].as_str().unwrap());
    assert_eq!(results, ["rolled-back", "not-begun"], "{output}");
    for name in ["berlin", "rome"] {
        let generation = format!("sites/{name}/.switchover/generations/000001.json");
        assert!(!work.join(generation).exists());
    }
}
