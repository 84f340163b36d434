//! What only a connection can get wrong.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use switchover_effects::Reporting;
use switchover_effects::command::{self, Command, CommandError};
use switchover_effects::folder::{Batch, Change, Expected, Folder, FolderError, NewFile};
use switchover_effects::ssh::{Host, Location, SshError};
use switchover_lab::{Line, Offer, Sshd};
use tempfile::TempDir;

use crate::folder::tree;
use crate::on::{SSHD, host};
use crate::recorder::{code, whole_text};

/// A root with files in it: some to be changed, some to be removed.
fn root_with(files: usize) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for number in 0..files {
        fs::write(
            root.path().join(format!("{number}.cfg")),
            format!("before {number}"),
        )
        .unwrap();
    }
    root
}

/// Changes of all kinds: each third file removed, the others rewritten, as many created.
fn names(files: usize) -> Vec<(String, Option<String>)> {
    let mut names = Vec::new();
    for number in 0..files {
        let text = (number % 3 != 0).then(|| format!("after {number}"));
        names.push((format!("{number}.cfg"), text));
        names.push((format!("new/{number}.cfg"), Some(format!("new {number}"))));
    }
    names
}

fn changes(names: &[(String, Option<String>)]) -> Vec<Change<'_>> {
    names
        .iter()
        .map(|(path, text)| match text {
            Some(text) => Change::Write {
                path,
                bytes: text.as_bytes(),
                expected: Expected::Anything,
                new: NewFile::PUBLIC,
            },
            None => Change::Remove {
                path,
                expected: Expected::Anything,
            },
        })
        .collect()
}

fn folder(sshd: &Sshd, root: &Path) -> Folder {
    let reporting = Reporting::default();
    Folder::remote(
        host(sshd, &sshd.client(), root, &reporting),
        true,
        &reporting,
    )
}

fn folder_through(line: &Line, root: &Path) -> Folder {
    let reporting = Reporting::default();
    let location = Location::parse(&SSHD.url_at(line.address(), root)).unwrap();
    let host = Host::new(location, &SSHD.client(), &reporting);
    Folder::remote(host, true, &reporting)
}

#[tokio::test]
async fn each_way_not_to_be_connected_is_told() {
    let root = root_with(0);
    let reporting = Reporting::default();
    let without_files = Sshd::on_loopback(Offer::Commands).unwrap();
    let mut gone = Sshd::on_loopback(Offer::Everything).unwrap();
    gone.stop();
    let unknown = Location::parse(&format!("ssh://host.invalid{}", root.path().display())).unwrap();
    let mut hosts = vec![
        host(
            &SSHD,
            &SSHD.client_that_knows_nobody(),
            root.path(),
            &reporting,
        ),
        host(
            &SSHD,
            &SSHD.client_that_knows_another_key(),
            root.path(),
            &reporting,
        ),
        host(
            &SSHD,
            &SSHD.client_that_is_refused(),
            root.path(),
            &reporting,
        ),
        host(
            &without_files,
            &without_files.client(),
            root.path(),
            &reporting,
        ),
        host(&gone, &gone.client(), root.path(), &reporting),
        Host::new(unknown, &[], &reporting),
    ];
    for program in [
        &["no-such-ssh"][..],
        &["ssh", "-F", "/no/such/file"],
        &["false"],
        &["sh", "-c", "echo Welcome to this machine; cat >/dev/null"],
    ] {
        let program: Vec<String> = program.iter().map(|&word| word.to_owned()).collect();
        hosts.push(host(&SSHD, &program, root.path(), &reporting));
    }
    let mut seen = String::new();
    for host in hosts {
        let folder = Folder::remote(host, true, &reporting);
        let error = folder.read("x").await.unwrap_err();
        assert!(matches!(error, FolderError::Host(_)), "{error:?}");
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        seen.push_str(&format!(
            "{}: {error}\n    {}\n",
            code(&error),
            help.unwrap_or_default()
        ));
        // All that is done says the same.
        assert_eq!(code(&folder.list("").await.unwrap_err()), code(&error));
        assert_eq!(code(&folder.batch().await.unwrap_err()), code(&error));
    }
    for (address, name) in [
        (SSHD.address(), "SERVER"),
        (without_files.address(), "COMMANDS-ONLY"),
        (gone.address(), "GONE"),
    ] {
        seen = seen
            .replace(&address.to_string(), name)
            .replace(&format!("-p {}", address.port()), &format!("-p {name}"));
    }
    for (own, shown) in [
        (SSHD.client(), "CONFIG"),
        (without_files.client(), "CONFIG"),
        (gone.client(), "CONFIG"),
    ] {
        let file = Path::new(&own[2]);
        seen = seen.replace(file.parent().unwrap().to_str().unwrap(), shown);
    }
    let user = SSHD.url(Path::new("")).replace("ssh://", "");
    let user = user.split_once('@').unwrap().0;
    let seen = seen
        .replace(&format!("{user}@"), "USER@")
        .replace(&format!("-l {user}"), "-l USER");
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn a_root_that_is_missing_is_told_and_made_where_it_may_be() {
    let parent = root_with(0);
    let root = parent.path().join("a/b");
    let reporting = Reporting::default();
    let host = host(&SSHD, &SSHD.client(), &root, &reporting);
    let must_exist = Folder::remote(host.clone(), false, &reporting);
    let error = must_exist.read("x").await.unwrap_err();
    assert_eq!(code(&error), "effects::folder::root-missing");
    assert!(error.to_string().contains("ssh://"), "{error}");
    let mut batch = Folder::remote(host, true, &reporting)
        .batch()
        .await
        .unwrap();
    batch
        .stage_write("x", b"1", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    batch.discard().await;
    assert_eq!(fs::read(root.join("x")).unwrap(), b"1");
}

#[tokio::test]
async fn what_waits_goes_on_over_a_new_connection() {
    let sshd = Sshd::on_loopback(Offer::Everything).unwrap();
    let root = root_with(3);
    let before = tree(root.path());
    let folder = folder(&sshd, root.path());
    let names = names(3);
    let mut batch = folder.batch().await.unwrap();
    batch.stage(&changes(&names)).await.unwrap();
    assert!(sshd.cut() > 0);
    batch.commit_all().await.unwrap();
    assert_eq!(fs::read(root.path().join("1.cfg")).unwrap(), b"after 1");
    assert!(sshd.cut() > 0);
    batch.undo().await.unwrap();
    assert!(sshd.cut() > 0);
    batch.discard().await;
    assert_eq!(tree(root.path()), before);
}

/// Stages and commits.
async fn put(batch: &mut Batch, changes: &[Change<'_>]) -> Result<(), FolderError> {
    batch.stage(changes).await.map_err(|failed| failed.error)?;
    batch.commit_all().await
}

#[tokio::test]
async fn wherever_the_line_breaks_everything_is_brought_back() {
    let root = root_with(12);
    let before = tree(root.path());
    let names = names(12);
    let line = Line::to(SSHD.address()).unwrap();
    // How much is sent where nothing breaks: the first connection, and the work.
    let folder = folder_through(&line, root.path());
    let mut batch = folder.batch().await.unwrap();
    let connected = line.sent();
    put(&mut batch, &changes(&names)).await.unwrap();
    let work = u32::try_from(line.sent() - connected).unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), before);

    let (mut broken, steps) = (0, 24);
    for step in 0..steps {
        let folder = folder_through(&line, root.path());
        let mut batch = folder.batch().await.unwrap();
        line.break_after(work * step / steps);
        let done = put(&mut batch, &changes(&names)).await;
        if let Err(error) = &done {
            assert!(
                matches!(error, FolderError::Host(lost) if matches!(**lost, SshError::Lost { .. })),
                "{step}: {error:?}"
            );
            broken += 1;
        }
        // Where it did not come to break, it breaks while everything is brought back; after that it is whole.
        batch
            .undo()
            .await
            .unwrap_or_else(|error| panic!("{step}: {}", whole_text(&error)));
        batch.discard().await;
        assert_eq!(tree(root.path()), before, "{step}");
    }
    // The same for what is brought back.
    for step in 0..steps {
        let folder = folder_through(&line, root.path());
        let mut batch = folder.batch().await.unwrap();
        put(&mut batch, &changes(&names)).await.unwrap();
        line.break_after(work * step / steps / 4);
        let undone = batch.undo().await;
        undone.unwrap_or_else(|error| panic!("{step}: {}", whole_text(&error)));
        batch.discard().await;
        assert_eq!(tree(root.path()), before, "{step}");
    }
    assert!(broken > steps / 2, "{broken} of {steps} runs were broken");
}

/// Somebody tidies up on the host, between the commit and the undo.
#[tokio::test]
async fn what_was_there_before_and_is_gone_is_not_called_restored() {
    let root = root_with(3);
    let names = names(3);
    let mut batch = folder(&SSHD, root.path()).batch().await.unwrap();
    put(&mut batch, &changes(&names)).await.unwrap();
    let waiting = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        name.starts_with(".switchover-stage-")
    };
    let entries = fs::read_dir(root.path()).unwrap();
    let staging = entries
        .map(|entry| entry.unwrap().path())
        .find(|path| waiting(path));
    let mut removed = 0;
    for entry in fs::read_dir(staging.unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "before")
        {
            fs::remove_file(path).unwrap();
            removed += 1;
        }
    }
    assert!(removed > 0);
    let error = batch.undo().await.unwrap_err();
    assert!(
        matches!(&error, FolderError::UndoIncomplete { failures, .. } if failures.len() == removed),
        "{removed}: {error:?}"
    );
}

#[tokio::test]
async fn where_the_host_stays_away_it_is_told_what_waits_there() {
    let root = root_with(6);
    let before = tree(root.path());
    let mut sshd = Sshd::on_loopback(Offer::Everything).unwrap();
    let names = names(6);
    let mut batch = folder(&sshd, root.path()).batch().await.unwrap();
    put(&mut batch, &changes(&names)).await.unwrap();
    let staged = tree(root.path());
    sshd.stop();
    let error = batch.undo().await.unwrap_err();
    assert!(
        matches!(&error, FolderError::UndoIncomplete { kept: Some(_), failures, .. } if failures.len() == 1),
        "{error:?}"
    );
    batch.discard().await;
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(
        help.contains("what was there before waits in `ssh://"),
        "{help}"
    );
    // Nothing is lost: the originals are there under their second names.
    assert_eq!(tree(root.path()), staged);
    let originals = staged.iter().filter(|(path, _)| path.ends_with(".before"));
    for (_, original) in originals {
        assert!(before.values().any(|file| file == original));
    }

    // A later batch does not clear them away.
    let sshd = Sshd::on_loopback(Offer::Everything).unwrap();
    let mut batch = folder(&sshd, root.path()).batch().await.unwrap();
    batch
        .stage_write("other", b"", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), staged);
}

#[tokio::test]
async fn what_a_killed_process_left_is_cleared_and_what_another_uses_is_not() {
    let root = root_with(0);
    let folder = folder(&SSHD, root.path());
    let mut first = folder.batch().await.unwrap();
    first
        .stage_write("a", b"a", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    let own = fs::read_dir(root.path()).unwrap().next().unwrap().unwrap();
    let own = own.file_name().into_string().unwrap();
    // The same machine, and a process that is none.
    let parts: Vec<&str> = own.split('-').collect();
    let dead = format!(".switchover-stage-ssh-{}-4194305-1-0", parts[3]);
    let elsewhere = ".switchover-stage-ssh-0123456789ab-1-1-0";
    let local = ".switchover-stage-1-0";
    for name in [dead.as_str(), elsewhere, local] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("0-secret"), "s").unwrap();
    }
    let mut second = folder.batch().await.unwrap();
    second
        .stage_write("b", b"b", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    assert!(!root.path().join(&dead).exists());
    assert!(
        root.path().join(elsewhere).exists(),
        "somebody may be using it"
    );
    first.commit_all().await.unwrap();
    second.commit_all().await.unwrap();
    first.discard().await;
    second.discard().await;
    let mut left: Vec<String> = fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [local, elsewhere, "a", "b"]);

    // A batch of this machine leaves those of other hosts alone, which cannot lock theirs.
    let here = Folder::open(root.path(), false, &Reporting::default()).unwrap();
    let mut batch = here.batch().await.unwrap();
    batch
        .stage_write("c", b"", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.discard().await;
    assert!(root.path().join(elsewhere).exists() && !root.path().join(local).exists());
}

#[tokio::test]
async fn a_batch_that_is_dropped_is_cleared_in_the_background() {
    let root = root_with(1);
    let before = tree(root.path());
    let folder = folder(&SSHD, root.path());
    let mut batch = folder.batch().await.unwrap();
    batch.stage(&changes(&names(1))).await.unwrap();
    assert_ne!(tree(root.path()), before);
    drop(batch);
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_dir(root.path()).unwrap().count() > 1 {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    assert_eq!(tree(root.path()), before);
}

#[tokio::test]
async fn a_thousand_files_do_not_take_a_thousand_round_trips() {
    let root = root_with(500);
    let line = Line::to(SSHD.address()).unwrap();
    line.delay(Duration::from_millis(20));
    let folder = folder_through(&line, root.path());
    let names = names(500);
    let started = Instant::now();
    let mut batch = folder.batch().await.unwrap();
    put(&mut batch, &changes(&names)).await.unwrap();
    let put = started.elapsed();
    let paths: Vec<&str> = names.iter().map(|(path, _)| path.as_str()).collect();
    let read = folder.read_all(&paths).await.unwrap();
    let read_at = started.elapsed();
    batch.discard().await;
    // Shown with --nocapture.
    println!(
        "put {put:?}, read {:?}, done {:?}",
        read_at - put,
        started.elapsed()
    );
    for ((_, wanted), found) in names.iter().zip(read) {
        let found = found.map(|content| String::from_utf8(content.bytes).unwrap());
        assert_eq!(&found, wanted);
    }
    // One after the other, it would be six round trips of 40 ms for each of 1 000 files: four minutes.
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_large_file_comes_through_whole() {
    let root = root_with(0);
    let folder = folder(&SSHD, root.path());
    for size in [32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 5_000_000] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        let mut batch = folder.batch().await.unwrap();
        batch
            .stage_write("large", &bytes, Expected::Anything, NewFile::PUBLIC)
            .await
            .unwrap();
        batch.commit_all().await.unwrap();
        batch.discard().await;
        assert!(
            folder.read("large").await.unwrap().unwrap().bytes == bytes,
            "{size}"
        );
        assert!(
            fs::read(root.path().join("large")).unwrap() == bytes,
            "{size}"
        );
    }
}

#[tokio::test]
async fn names_that_are_not_utf_8_are_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = root_with(1);
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9.cfg");
    fs::write(root.path().join(odd), "x").unwrap();
    let folder = folder(&SSHD, root.path());
    assert_eq!(folder.list("").await.unwrap(), ["0.cfg"]);
    assert_eq!(
        folder.read("0.cfg").await.unwrap().unwrap().bytes,
        b"before 0"
    );
}

async fn run(host: &Host, argv: &[&str], folder: &Path) -> Result<command::Output, CommandError> {
    let argv: Vec<String> = argv.iter().map(|&part| part.to_owned()).collect();
    let command = Command {
        name: "check",
        argv: &argv,
        folder,
        host: Some(host),
        timeout: command::DEFAULT_TIMEOUT,
    };
    command::run(&command, &Reporting::default()).await
}

#[tokio::test]
async fn every_argument_arrives_as_it_is() {
    let root = root_with(0);
    let host = host(&SSHD, &SSHD.client(), root.path(), &Reporting::default());
    let arguments = [
        "",
        " ",
        "a b",
        "'",
        "''",
        "\"",
        "\\",
        "\\'",
        "$HOME",
        "$(touch evil)",
        "`touch evil`",
        "; touch evil",
        "&&",
        "|",
        ">evil",
        "*",
        "?",
        "~",
        "#",
        "!",
        "!!",
        "-n",
        "--",
        "\n",
        "a\nb",
        "\t",
        "\r",
        "{a,b}",
        "é",
        "%s",
        "\u{1}",
        "EOF",
        "'; touch evil; '",
    ];
    let mut argv = vec!["printf", "%s\\0"];
    argv.extend(arguments);
    let output = run(&host, &argv, root.path()).await.unwrap();
    let wanted: String = arguments
        .iter()
        .map(|argument| format!("{argument}\0"))
        .collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
    let odd = root.path().join("it's; touch evil $(touch evil)");
    fs::create_dir(&odd).unwrap();
    let output = run(&host, &["pwd"], &odd).await.unwrap();
    assert_eq!(output.stdout, format!("{}\n", odd.display()).as_bytes());
    assert!(!root.path().join("evil").exists() && !odd.join("evil").exists());
}

#[tokio::test]
async fn commands_and_files_share_one_connection() {
    let sshd = Sshd::on_loopback(Offer::Everything).unwrap();
    let root = root_with(1);
    let host = host(&sshd, &sshd.client(), root.path(), &Reporting::default());
    let folder = Folder::remote(host.clone(), true, &Reporting::default());
    for _ in 0..3 {
        assert!(folder.read("0.cfg").await.unwrap().is_some());
        let output = run(&host, &["cat", "0.cfg"], root.path()).await.unwrap();
        assert_eq!(output.stdout, b"before 0");
    }
    let log = sshd.log();
    assert_eq!(log.matches("Accepted publickey").count(), 1, "{log}");
}

#[tokio::test]
async fn a_command_dies_with_its_connection() {
    let sshd = Sshd::on_loopback(Offer::Everything).unwrap();
    let root = root_with(0);
    let host = host(&sshd, &sshd.client(), root.path(), &Reporting::default());
    let script = "echo $$ > pid; sleep 1000 & echo $! > child; wait";
    let argv = ["sh", "-c", script];
    let running = run(&host, &argv, root.path());
    tokio::pin!(running);
    let child = root.path().join("child");
    while !fs::read(&child).is_ok_and(|bytes| bytes.ends_with(b"\n")) {
        let waited = tokio::time::timeout(Duration::from_millis(10), &mut running);
        assert!(waited.await.is_err());
    }
    assert!(sshd.cut() > 0);
    let error = running.await.unwrap_err();
    assert_eq!(code(&error), "effects::command::host-lost", "{error}");
    for name in ["pid", "child"] {
        let pid = fs::read_to_string(root.path().join(name)).unwrap();
        assert!(crate::command::ends(pid.trim()), "process {pid} still runs");
    }
}

#[tokio::test]
async fn a_host_that_runs_no_commands_says_so() {
    let sshd = Sshd::on_loopback(Offer::Files).unwrap();
    let root = root_with(1);
    let reporting = Reporting::default();
    let host = host(&sshd, &sshd.client(), root.path(), &reporting);
    let folder = Folder::remote(host.clone(), true, &reporting);
    assert!(folder.read("0.cfg").await.unwrap().is_some());
    let error = run(&host, &["true"], root.path()).await.unwrap_err();
    assert_eq!(code(&error), "effects::command::host-lost", "{error}");
    assert!(
        error
            .to_string()
            .contains("did not run to its end on ssh://"),
        "{error}"
    );
}
