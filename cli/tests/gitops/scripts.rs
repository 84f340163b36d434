//! The scripts of the workflows by themselves: what cannot be brought about by way of a topology.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use super::runner::{GitHub, executable, read};
use super::{example, workflows};
use crate::checkers::{program, succeeded};
use crate::environment::TestEnvironment;

/// Neither in the scripts nor in the steps of the workflows.
#[test]
fn shellcheck_finds_nothing() {
    let folder = example(".github/scripts");
    let scripts = fs::read_dir(folder).unwrap();
    let scripts = scripts.map(|entry| entry.unwrap().path());
    let mut lint = program("shellcheck");
    succeeded(lint.arg("--norc").args(scripts));

    let test = TestEnvironment::new();
    let mut steps = 0;
    for workflow in workflows() {
        let workflow = read(&workflow);
        let jobs = workflow["jobs"].as_object().unwrap().values();
        for step in jobs.flat_map(|job| job["steps"].as_array().unwrap()) {
            if let Some(script) = step["run"].as_str() {
                steps += 1;
                test.write(&format!("{steps}.sh"), script);
            }
        }
    }
    assert!(steps > 10, "{steps}");
    let steps = (1..=steps).map(|number| format!("{number}.sh"));
    let mut lint = program("shellcheck");
    lint.args(["--norc", "--shell=bash"]).args(steps);
    succeeded(lint.current_dir(test.work()));
}

/// Runs `comment.sh result` of a plan that ended so, with these reports.
fn comment(planned: &str, reports: &[(&str, &[u8])]) -> String {
    let github = GitHub::new(Vec::new());
    let mut played = github.played();
    played["permissions"] = json!({"pull-requests": "write"});
    github.set_played(&played);
    for (name, bytes) in reports {
        let path = github.work().join("reports").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut script = Command::new(example(".github/scripts/comment.sh"));
    script.arg("result").current_dir(github.work()).envs([
        ("VALIDATED", "success"),
        ("PLANNED", planned),
        ("GH_TOKEN", "token"),
        ("NUMBER", "7"),
        ("COMMIT", "0123abc"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/pbx"),
        ("GITHUB_RUN_ID", "1"),
        ("GITHUB_RUN_ATTEMPT", "1"),
    ]);
    let path = format!(
        "{}:{}",
        github.work().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    script
        .env("PATH", path)
        .env("GITHUB_PLAYED", github.work().join("github.json"));
    succeeded(&mut script);
    github.comment()
}

/// A topology may be anybody's text, and an error quotes it.
#[test]
fn a_log_stays_in_its_block() {
    let hostile = b"# a heading\n```\n</details><script>alert(1)</script>\r@acme/everybody ![x](http://evil)\n\n\
        - a list\n\x1b[31mred\0\xff\xe2\x80 <!-- -->\n\ttab\x0b\x0cend\n1. one";
    let comment = comment("failure", &[("plan.log", hostile)]);
    let mut parser = Parser::new_ext(&comment, Options::all());
    let mut code = String::new();
    let mut outside = String::new();
    while let Some(event) = parser.next() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                for event in parser.by_ref() {
                    match event {
                        Event::End(TagEnd::CodeBlock) => break,
                        Event::Text(text) => code += &text,
                        other => panic!("{other:?}"),
                    }
                }
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) | Event::Code(text) => {
                outside += &text;
            }
            _ => {}
        }
    }
    for part in [
        "# a heading",
        "```",
        "<script>",
        "@acme/everybody",
        "![x](http://evil)",
        "- a list",
        "1. one",
    ] {
        assert!(code.contains(part), "{part}: {code}");
        assert!(!outside.contains(part), "{part}: {outside}");
    }
    assert!(outside.contains("Commit 0123abc, "), "{outside}");
    assert!(
        !comment.contains(['\0', '\r', '\u{1b}', '\u{fffd}']),
        "{comment:?}"
    );
}

/// GitHub counts characters, and takes no more than 65,536.
#[test]
fn a_comment_fits_or_says_where_to_look() {
    let heading = "### Plan for acme\n\n";
    let fits = format!("{heading}{}\n", "ü".repeat(65_000));
    let fits = comment("success", &[("plan.md", fits.as_bytes())]);
    assert!(fits.contains("### Plan for acme") && fits.contains("Commit 0123abc, "));
    let long = format!("{heading}{}\n", "ü".repeat(65_536));
    let long = comment("success", &[("plan.md", long.as_bytes())]);
    assert!(
        long.contains("### No plan: too long for a comment\n"),
        "{long}"
    );
    assert!(long.contains("Commit 0123abc, "), "{long}");
    // The end of a log is always short enough.
    let log = format!("{}\n", "ü".repeat(1_000)).repeat(1_000);
    let log = comment("failure", &[("plan.log", log.as_bytes())]);
    assert!(
        log.contains("### No plan: planning failed\n") && log.contains("üüü"),
        "{log}"
    );
}

/// Runs `apply.sh` with a `switchover` that does this.
fn applied(switchover: &str) -> (Output, String) {
    let test = TestEnvironment::new();
    let work = test.work();
    executable(&work.join("bin/switchover"), switchover);
    test.write("reports/plan.json", "{}");
    let mut script = Command::new(example(".github/scripts/apply.sh"));
    script.current_dir(&work).envs([
        ("DIGEST", "sha256:0"),
        ("ALLOWED_SIGNERS", "ci@acme.example ssh-ed25519 AAAA"),
        ("ALLOW_LARGE_CHANGE", ""),
        ("ALLOW_REJECTED", ""),
    ]);
    let path = format!(
        "{}:{}",
        work.join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    script
        .env("PATH", path)
        .env("RUNNER_TEMP", &work)
        .env("GITHUB_STEP_SUMMARY", work.join("summary"));
    let output = script.output().unwrap();
    (output, fs::read_to_string(work.join("summary")).unwrap())
}

/// Each way to end has its own advice, and the job ends the same way.
#[test]
fn every_exit_code_is_told() {
    let listed = TestEnvironment::new().run(["help", "exit-codes"]);
    let codes = listed
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let codes: Vec<i32> = codes.collect();
    assert!(codes.contains(&9), "{listed}");
    for code in codes {
        let (output, summary) = applied(&format!("#!/bin/sh\nexit {code}\n"));
        assert_eq!(output.status.code(), Some(code));
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.starts_with("::error title="), code != 0, "{told}");
        assert_eq!(told.lines().count(), usize::from(code != 0), "{told}");
        assert!(summary.starts_with("### "), "{summary}");
        if code != 0 {
            assert!(summary.contains(&format!("xit code {code}")), "{summary}");
        }
    }
}

/// GitHub interrupts only the shell of a step. What the shell runs has to know: it undoes what it did, or ends at once as
/// long as it did nothing.
#[test]
fn who_cancels_the_job_interrupts_the_run() {
    let python = program("python").get_program().to_owned();
    let undoes = "signal.signal(signal.SIGINT, lambda *_: sys.exit(6))";
    for (handler, code, told) in [
        (undoes, 6, "### Rolled back (exit code 6)\n"),
        ("pass", 130, "### Ended with exit code 130\n"),
    ] {
        let run = format!(
            "#!{}\n\
             import os, signal, sys\n\
             {handler}\n\
             # Nobody waits for ever.\n\
             signal.alarm(60)\n\
             os.kill(os.getppid(), signal.SIGINT)\n\
             signal.pause()\n",
            Path::new(&python).display()
        );
        let (output, summary) = applied(&run);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(summary.starts_with(told), "{summary}");
    }
}

/// Whatever is tried with it, the played command refuses what the workflows do not ask.
#[test]
fn the_played_github_is_strict() {
    let github = GitHub::new(Vec::new());
    let before: Value = github.played();
    for arguments in [
        &["pr", "comment", "7"][..],
        &[
            "api",
            "repos/acme/pbx/issues/7/comments?per_page=100",
            "--jq",
            ".",
        ],
        &[
            "api",
            "--method",
            "DELETE",
            "repos/acme/pbx/issues/comments/1",
        ],
        &[
            "api",
            "--method",
            "POST",
            "repos/acme/other/issues",
            "--raw-field",
            "title=x",
            "--raw-field",
            "body=x",
        ],
        &[
            "api",
            "--hostname",
            "x",
            "repos/acme/pbx/issues?state=open&per_page=100",
        ],
    ] {
        let mut gh = Command::new(github.work().join("bin/gh"));
        gh.args(arguments)
            .env("GH_TOKEN", "token")
            .env("GITHUB_PLAYED", github.work().join("github.json"));
        let mut played = before.clone();
        // Reading comments is not refused for what it is, but for what the job may do.
        played["permissions"] = json!({"contents": "read"});
        github.set_played(&played);
        let refused = gh.output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {refused:?}");
        assert_eq!(github.played(), played);
    }
}
