use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use switchover_effects::Reporting;
use switchover_effects::command::{self, Command, CommandError, Output};

use crate::on::{On, on_both};
use crate::recorder::{recording, whole_text};

async fn run(
    on: On,
    argv: &[&str],
    folder: &Path,
    timeout: Duration,
    reporting: &Reporting,
) -> Result<Output, CommandError> {
    let argv: Vec<String> = argv.iter().map(|&part| part.to_owned()).collect();
    let host = on.host(folder);
    command::run(
        &Command {
            name: "check",
            argv: &argv,
            folder,
            host: host.as_ref(),
            timeout,
        },
        reporting,
    )
    .await
}

async fn look_up(on: On, argv: &[&str], folder: &Path) -> Result<(), CommandError> {
    let argv: Vec<String> = argv.iter().map(|&part| part.to_owned()).collect();
    let host = on.host(folder);
    let command = Command {
        name: "check",
        argv: &argv,
        folder,
        host: host.as_ref(),
        timeout: command::DEFAULT_TIMEOUT,
    };
    command::look_up(&command, &Reporting::default()).await
}

async fn quick(on: On, argv: &[&str]) -> Result<Output, CommandError> {
    run(
        on,
        argv,
        Path::new("/tmp"),
        command::DEFAULT_TIMEOUT,
        &Reporting::default(),
    )
    .await
}

/// Whether a process runs: it exists and is no zombie.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

async fn a_command_runs_in_its_folder_without_a_shell(on: On) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(
        on,
        &["pwd"],
        folder.path(),
        command::DEFAULT_TIMEOUT,
        &Reporting::default(),
    )
    .await
    .unwrap();
    assert_eq!(
        output.stdout,
        format!("{}\n", folder.path().canonicalize().unwrap().display()).as_bytes()
    );
    let output = quick(on, &["printf", "%s|", "$HOME", "a b", ";", "*"])
        .await
        .unwrap();
    assert_eq!(output.stdout, b"$HOME|a b|;|*|");
    assert_eq!(quick(on, &["cat"]).await.unwrap(), Output::default());
}

async fn a_command_sees_little_of_the_environment(on: On) {
    let output = String::from_utf8(quick(on, &["env"]).await.unwrap().stdout).unwrap();
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some() && output.contains("PATH="));
    assert!(!output.contains("CARGO"), "{output}");
}

async fn only_the_end_of_much_output_is_kept(on: On) {
    let script =
        "i=0; while [ $i -lt 20000 ]; do echo line-$i; echo error-$i >&2; i=$((i+1)); done";
    let output = quick(on, &["sh", "-c", script]).await.unwrap();
    assert_eq!((output.stdout.len(), output.stdout_cut), (64 * 1024, true));
    assert_eq!((output.stderr.len(), output.stderr_cut), (64 * 1024, true));
    assert!(output.stdout.ends_with(b"line-19999\n") && output.stderr.ends_with(b"error-19999\n"));
}

async fn each_failure_is_told(on: On) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), "").unwrap();
    let plain = folder.path().join("plain");
    let mut seen = String::new();
    for argv in [
        &[
            "sh",
            "-c",
            "echo out; echo 'line 7: bad option' >&2; exit 3",
        ][..],
        &["sh", "-c", "echo only out; exit 1"],
        &["false"],
        &["sh", "-c", "kill -9 $$"],
        &["no-such-program-here", "x"],
        &["/no/such/program"],
        &["./no-such-program"],
        &["~/bin/reload"],
        &["systemctl restart", "dnsmasq"],
        &["systemctl restart dnsmasq && true"],
        &[plain.to_str().unwrap()],
        &["/dev/null"],
        &["/"],
        &[],
        &["echo", "a\0b"],
    ] {
        let error = quick(on, argv).await.unwrap_err();
        // What cannot be run is known before, and of everything else nothing is.
        let is_known = matches!(
            error,
            CommandError::NotFound { .. }
                | CommandError::NotExecutable { .. }
                | CommandError::NoProgram { .. }
        );
        let looked = look_up(on, argv, Path::new("/tmp")).await;
        assert_eq!(
            looked.err().map(|error| error.to_string()),
            is_known.then(|| error.to_string()),
        );
        let diagnostic: &dyn miette::Diagnostic = &error;
        let help = diagnostic
            .help()
            .map(|help| help.to_string())
            .unwrap_or_default();
        seen.push_str(&format!(
            "{}: {error}\n    {help}\n",
            diagnostic.code().unwrap()
        ));
    }
    let error = run(
        on,
        &["true"],
        &folder.path().join("none"),
        command::DEFAULT_TIMEOUT,
        &Reporting::default(),
    )
    .await;
    seen.push_str(&format!("{}\n", error.unwrap_err()));
    let missing = folder.path().join("none");
    let looked = look_up(on, &["true"], &missing).await;
    assert!(looked.is_ok(), "a run may make the folder: {looked:?}");
    let mut seen = seen.replace(folder.path().to_str().unwrap(), "/folder");
    if let Some(host) = on.host(Path::new("/tmp")) {
        seen = seen.replace(&host.name(), "ssh://HOST");
    }
    let name = match on {
        On::Here => "each_failure_is_told",
        On::There => "each_failure_there_is_told",
    };
    insta::assert_snapshot!(name, seen);
}

async fn a_command_that_does_not_end_is_killed_with_all_it_started(on: On) {
    let started = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 1000 & echo $! > child; echo waiting >&2; wait";
    let error = run(
        on,
        &["sh", "-c", script],
        folder.path(),
        Duration::from_millis(700),
        &Reporting::default(),
    )
    .await
    .unwrap_err();
    assert!(
        matches!(&error, CommandError::TimedOut { output, .. } if output == "waiting"),
        "{error:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    let child = fs::read_to_string(folder.path().join("child")).unwrap();
    assert!(ends(child.trim()), "process {child} still runs");
}

async fn a_command_that_nobody_waits_for_is_killed(on: On) {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo $$ > pid; sleep 1000 & echo $! > child; wait";
    let argv = ["sh", "-c", script];
    {
        let reporting = Reporting::default();
        let running = run(
            on,
            &argv,
            folder.path(),
            command::DEFAULT_TIMEOUT,
            &reporting,
        );
        tokio::pin!(running);
        while !fs::read(folder.path().join("child")).is_ok_and(|bytes| bytes.ends_with(b"\n")) {
            assert!(
                tokio::time::timeout(Duration::from_millis(10), &mut running)
                    .await
                    .is_err()
            );
        }
    }
    for name in ["pid", "child"] {
        let pid = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(ends(pid.trim()), "process {pid} still runs");
    }
}

/// Killed processes end when they are next scheduled.
pub(crate) fn ends(pid: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if !runs(pid) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

async fn a_server_left_behind_does_not_hold_the_command_up(on: On) {
    let started = Instant::now();
    let output = quick(on, &["sh", "-c", "sleep 50 & echo $!"])
        .await
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(40));
    let pid = String::from_utf8(output.stdout).unwrap();
    assert!(
        runs(pid.trim()),
        "what a command leaves running is meant to run"
    );
    // The shell's own: a small system has no program of that name.
    let kill = format!("kill {}", pid.trim());
    quick(on, &["sh", "-c", &kill]).await.unwrap();
}

async fn no_secret_is_in_an_error_or_an_event(on: On) {
    let (recorder, reporting) = recording(&[("s", "correct-horse-battery")]);
    let script =
        "echo password correct-horse-battery is wrong >&2; exit 1; : correct-horse-battery";
    let error = run(
        on,
        &["sh", "-c", script],
        Path::new("/tmp"),
        command::DEFAULT_TIMEOUT,
        &reporting,
    )
    .await
    .unwrap_err();
    let texts = format!("{} {}", whole_text(&error), recorder.lines().join(" "));
    assert!(
        texts.contains("password *** is wrong") && !texts.contains("horse"),
        "{texts}"
    );

    // Where the beginning is cut off, so is the line that it is cut in.
    let script = "printf 'correct-horse-battery%065526d\\nthe end\\n' 0 >&2; exit 1";
    let error = run(
        on,
        &["sh", "-c", script],
        Path::new("/tmp"),
        command::DEFAULT_TIMEOUT,
        &reporting,
    )
    .await
    .unwrap_err();
    assert!(
        matches!(&error, CommandError::Failed { output, .. } if output == "the end"),
        "{error}"
    );
}

on_both!(
    a_command_runs_in_its_folder_without_a_shell,
    a_command_sees_little_of_the_environment,
    only_the_end_of_much_output_is_kept,
    each_failure_is_told,
    a_command_that_does_not_end_is_killed_with_all_it_started,
    a_command_that_nobody_waits_for_is_killed,
    a_server_left_behind_does_not_hold_the_command_up,
    no_secret_is_in_an_error_or_an_event,
);
