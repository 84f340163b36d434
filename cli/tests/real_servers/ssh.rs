//! Provisioning files on another host: a real SSH server, the user's own `ssh`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddrV4;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use switchover_lab::{Line, Offer, Sshd};

use super::SIP_PASSWORD;
use crate::environment::{Output, TestEnvironment, assert_no_secret};
use crate::plan_and_apply::GOOD;

/// What was there before anything was applied: a file that will be replaced, and somebody else's.
const OURS: &str = "9c7514000101.cfg";
const FOREIGN: &str = "foreign.txt";

struct Site {
    environment: TestEnvironment,
    sshd: Sshd,
    root: PathBuf,
    before: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Site {
    fn new() -> Self {
        Self::with(Sshd::on_loopback(Offer::Everything).unwrap())
    }

    fn with(sshd: Sshd) -> Self {
        let mut environment = TestEnvironment::new();
        environment.set("RECEPTION_SIP", SIP_PASSWORD);
        let root = environment.work().join("there");
        fs::create_dir_all(&root).unwrap();
        for (name, mode) in [(OURS, 0o600), (FOREIGN, 0o644)] {
            fs::write(root.join(name), "as the last admin left it\n").unwrap();
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let site = Self {
            before: files(&root),
            environment,
            sshd,
            root,
        };
        site.client(&site.sshd.client());
        site.topology(GOOD, site.sshd.address(), "");
        site
    }

    /// What the user has configured to be run for `ssh`.
    fn client(&self, program: &[String]) {
        let words: Vec<String> = program.iter().map(|word| format!("{word:?}")).collect();
        let text = format!("ssh {}\n", words.join(" "));
        self.environment
            .write("../home/.config/switchover/config.kdl", &text);
    }

    /// Writes the topology with its files at this address of the server, and these commands at the target.
    fn topology(&self, text: &str, address: SocketAddrV4, commands: &str) {
        let url = self.sshd.url_at(address, &self.root);
        let text = text.replace(
            "root \"provisioning\"",
            &format!("root \"{url}\"\n    {commands}"),
        );
        assert!(text.contains(&url));
        self.environment.write("switchover.kdl", &text);
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(files(&self.root), self.before);
    }

    /// One error with these parts, nothing changed, no panic.
    #[track_caller]
    fn assert_refused(&self, output: &Output, code: i32, parts: &[&str]) {
        assert_told(output, code, parts);
        self.assert_untouched();
    }
}

/// The topology with so many devices more.
fn with_devices(count: usize) -> String {
    let mut text = GOOD.to_owned();
    for number in 0..count {
        text.push_str(&format!(
            "device \"d{number}\" model=\"WP600A\" mac=\"9c:75:14:00:02:{number:02x}\" firmware=\"2.8.30\"\n"
        ));
    }
    text
}

#[track_caller]
fn assert_told(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    let flat = output.stderr.replace(['│', '\n'], " ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts.iter().chain(&["`files`"]) {
        assert!(flat.contains(part), "`{part}` is not told:\n{output}");
    }
    assert!(!output.stderr.contains("panicked"), "{output}");
}

/// Mode and content of every file in a folder; folders for files in waiting would be seen as such.
fn files(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        let content = fs::read(entry.path()).unwrap_or_default();
        found.insert(entry.file_name().into_string().unwrap(), (mode, content));
    }
    found
}

#[test]
fn files_on_another_host_are_planned_applied_and_changed() {
    let site = Site::new();
    let run = |arguments: &[&str]| site.environment.run(arguments);
    let planned = run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(4), "{planned}");
    site.assert_untouched();
    let applied = run(&["apply", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    for part in ["connected to ssh://", "staged ssh://", "wrote ssh://"] {
        assert!(applied.stderr.contains(part), "{part}: {applied}");
    }
    let again = run(&["plan", "--detailed-exitcode"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (Some(0), "no changes\n"),
        "{again}"
    );

    // The same bytes as in a folder of this machine, and the same permissions where the file is new.
    let local = crate::plan_and_apply::site();
    let mut local = local;
    local.set("RECEPTION_SIP", SIP_PASSWORD);
    assert_eq!(local.run(["apply", "--yes"]).code, Some(0));
    let wanted = files(&local.work().join("provisioning"));
    let mut there = files(&site.root);
    assert_eq!(there.remove(FOREIGN), site.before.get(FOREIGN).cloned());
    assert_eq!(there[OURS].0 & 0o777, 0o600, "it keeps its mode");
    for (name, (mode, content)) in &there {
        assert_eq!(content, &wanted[name].1, "{name}");
        assert!(name == OURS || mode == &wanted[name].0, "{name}");
    }
    assert!(wanted.len() == there.len() && there.len() >= 2);

    let edited = GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09");
    site.topology(&edited, site.sshd.address(), "");
    let planned = run(&["plan", "--format", "json"]);
    let summary = &serde_json::from_str::<Value>(&planned.stdout).unwrap()["summary"];
    assert_eq!(
        [&summary["create"], &summary["delete"]],
        [1, 1],
        "{summary}"
    );
    let applied = run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(!site.root.join("9c7514000102.cfg").exists());
    assert!(site.root.join("9c7514000109.cfg").exists());
    assert_no_secret(
        &[SIP_PASSWORD],
        &[&planned.everything(), &applied.everything()],
        &site.environment.work().join(".switchover"),
    );
}

#[test]
fn commands_of_the_target_run_on_its_host() {
    let site = Site::new();
    let odd = "it's $HOME; \\\"a b\\\" `x` *";
    let commands = format!(
        "command \"reload\" \"sh\" \"-c\" \"pwd > reloaded; echo \\\"$SSH_CONNECTION\\\" >> reloaded; \
         printf '%s' \\\"$1\\\" >> reloaded\" \"sh\" \"{odd}\""
    );
    site.topology(GOOD, site.sshd.address(), &commands);
    let applied = site.environment.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let told = fs::read_to_string(site.root.join("reloaded")).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(Path::new(lines[0]), site.root);
    let port = site.sshd.address().port().to_string();
    assert!(lines[1].ends_with(&port), "{told}");
    assert_eq!(lines[2], "it's $HOME; \"a b\" `x` *");

    // One connection for the plan and one for the apply: files and commands share it.
    let log = site.sshd.log();
    assert_eq!(log.matches("Accepted publickey").count(), 2, "{log}");
}

#[test]
fn a_program_that_its_host_does_not_have_is_told_before_anything_is_changed() {
    let site = Site::new();
    for (command, why) in [
        (
            "\"systemctl restart dnsmasq\"",
            "\"systemctl\" \"restart\" \"dnsmasq\"",
        ),
        ("\"no-such-program-here\"", "install it on ssh://"),
        ("\"/etc\"", "is a folder"),
        ("\"./foreign.txt\"", "is not executable"),
    ] {
        let command = format!("command \"reload\" {command}");
        site.topology(GOOD, site.sshd.address(), &command);
        let applied = site.environment.run(["apply", "--yes", "--format", "json"]);
        assert_eq!(applied.code, Some(1), "{applied}");
        let told = applied.stdout.replace("\\\"", "\"");
        assert!(told.contains(why), "{why}: {applied}");
        assert_eq!(files(&site.root), site.before, "{applied}");
    }
}

#[test]
fn a_host_that_is_not_to_be_trusted_or_does_not_trust_us_is_told_and_nothing_changed() {
    let site = Site::new();
    for (client, code) in [
        (
            site.sshd.client_that_knows_nobody(),
            "effects::ssh::host-key-unknown",
        ),
        (
            site.sshd.client_that_knows_another_key(),
            "effects::ssh::host-key-changed",
        ),
        (site.sshd.client_that_is_refused(), "effects::ssh::denied"),
    ] {
        site.client(&client);
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let output = site.environment.run(command);
            site.assert_refused(&output, 1, &[code, "ssh://"]);
            assert_eq!(output.stderr.matches("effects::ssh").count(), 1, "{output}");
        }
    }
    site.client(&site.sshd.client());
    assert_eq!(site.environment.run(["apply", "--yes"]).code, Some(0));
}

#[test]
fn a_disk_that_is_full_there_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site::with(Sshd::on_small_disk(folder.path(), 64 * 1024).unwrap());
    // Through the server, the folder is the small disk; from here it is empty.
    folder.path().clone_into(&mut site.root);
    site.before = BTreeMap::new();
    let fill = "command \"reload\" \"true\"";
    site.topology(GOOD, site.sshd.address(), fill);
    let applied = site.environment.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");

    // A command of the target fills it; the next change finds no space.
    let fill = "command \"reload\" \"sh\" \"-c\" \"head -c 1000000 /dev/zero > full; true\"";
    let edited = GOOD.replace("\"Reception\"", "\"The reception\"");
    site.topology(&edited, site.sshd.address(), fill);
    let applied = site.environment.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    site.topology(&with_devices(40), site.sshd.address(), fill);
    let refused = site.environment.run(["apply", "--yes"]);
    site.assert_refused(&refused, 1, &["the disk is full", "nothing was changed"]);
    // What was there is there: the plan is the same, and what was applied last is still in place.
    site.topology(&edited, site.sshd.address(), fill);
    let plan = site.environment.run(["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_the_commit_is_taken_back() {
    let site = Site::new();
    // The command runs when the files are in place; it cuts the connection that it runs through.
    let cutting = format!(
        "for session in $(cat /proc/{0}/task/{0}/children); do kill -9 $session; done; sleep 60\n",
        site.sshd.pid()
    );
    let cut = site.environment.write("cut", &cutting);
    let commands = format!("command \"reload\" \"sh\" \"{}\"", cut.display());
    site.topology(GOOD, site.sshd.address(), &commands);
    let output = site.environment.run(["apply", "--yes"]);
    // The undo runs the command again, which cuts its own connection once more.
    assert_told(&output, 7, &["effects::command::host-lost"]);
    fs::write(&cut, "exit 0\n").unwrap();
    let recovered = site.environment.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    site.assert_untouched();

    // A command that cuts the first time only.
    let once = format!("test -e cut-once && exit 0; touch cut-once; {cutting}");
    fs::write(site.environment.work().join("once"), once).unwrap();
    let commands = format!(
        "command \"reload\" \"sh\" \"{}/once\"",
        site.environment.work().display()
    );
    site.topology(GOOD, site.sshd.address(), &commands);
    let output = site.environment.run(["apply", "--yes"]);
    fs::remove_file(site.root.join("cut-once")).unwrap();
    site.assert_refused(&output, 6, &["effects::command::host-lost", "rolled back"]);
    fs::write(site.root.join("cut-once"), "").unwrap();
    assert_eq!(site.environment.run(["apply", "--yes"]).code, Some(0));
}

#[test]
fn wherever_the_line_breaks_nothing_is_half_done() {
    let site = Site::new();
    let line = Line::to(site.sshd.address()).unwrap();
    site.topology(&with_devices(40), line.address(), "");
    // How much is sent where nothing breaks.
    let applied = site.environment.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let whole = u32::try_from(line.sent()).unwrap();
    let restore = || {
        fs::remove_dir_all(site.environment.work().join(".switchover")).unwrap();
        for entry in fs::read_dir(&site.root).unwrap() {
            let path = entry.unwrap().path();
            match site.before.get(path.file_name().unwrap().to_str().unwrap()) {
                None => fs::remove_file(path).unwrap(),
                Some((_, content)) => fs::write(path, content).unwrap(),
            }
        }
        site.assert_untouched();
    };
    restore();
    let mut codes = BTreeMap::new();
    for part in 1..12 {
        line.break_after(whole * part / 12);
        let output = site.environment.run(["apply", "--yes"]);
        assert!(
            matches!(output.code, Some(1 | 6)) && output.stderr.contains("effects::ssh::"),
            "{part}: {output}"
        );
        site.assert_untouched();
        *codes.entry(output.code).or_insert(0) += 1;
    }
    assert_eq!(
        codes.len(),
        2,
        "some were broken off before the commit, some in it: {codes:?}"
    );
    let applied = site.environment.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

#[test]
fn a_signal_ends_the_command_there_and_takes_everything_back() {
    let site = Site::new();
    let folder = site.environment.work();
    // The first reload tells that it runs and never ends; the one of the undo does.
    let script = format!(
        "[ -e '{0}/once' ] && exit; : > '{0}/once'; sleep 1000 & echo $$ $! > '{0}/started'; wait",
        folder.display()
    );
    let status = Command::new("mkfifo").arg(folder.join("started")).status();
    assert!(status.unwrap().success());
    let commands = format!("command \"reload\" \"sh\" \"-c\" \"{script}\"");
    site.topology(GOOD, site.sshd.address(), &commands);
    let child = site
        .environment
        .command(["apply", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let running = fs::read_to_string(folder.join("started")).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = site.environment.shown(&child.wait_with_output().unwrap());
    site.assert_refused(&output, 6, &["it was asked to stop"]);
    for process in running.split_whitespace() {
        let deadline = Instant::now() + Duration::from_secs(20);
        let runs = || {
            fs::read_to_string(format!("/proc/{process}/stat"))
                .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
        };
        while runs() {
            assert!(Instant::now() < deadline, "{process} still runs");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_host_that_stays_away_is_told_with_what_waits_there() {
    let site = Site::new();
    let end = site.environment.write(
        "end",
        &format!(
            "kill -9 {0} $(cat /proc/{0}/task/{0}/children); sleep 60\n",
            site.sshd.pid()
        ),
    );
    let commands = format!("command \"reload\" \"sh\" \"{}\"", end.display());
    site.topology(GOOD, site.sshd.address(), &commands);
    let output = site.environment.run(["apply", "--yes"]);
    assert_told(
        &output,
        7,
        &[
            "effects::ssh::unreachable",
            "what was there before waits in",
            "could not be rolled back",
        ],
    );
    let waits = fs::read_dir(&site.root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    let original = fs::read_dir(waits)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "before"))
        .unwrap();
    assert_eq!(fs::read(original).unwrap(), site.before[OURS].1);
}
