//! `examples/gitops/` and the definition of the pre-commit hook, as far as they can be tried without GitHub and GitLab.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::checkers::{program, python, succeeded};
use crate::environment::TestEnvironment;

mod expression;
mod merge;
mod review;
mod runner;
mod scripts;
mod site;

const GOOD: &str = include_str!("topologies/good.kdl");
const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn example(name: &str) -> PathBuf {
    repository().join("examples/gitops").join(name)
}

fn check_schema(schema: &str, file: &Path) {
    let mut check = program("python");
    check.args(["-m", "check_jsonschema", "--data-transform", "gitlab-ci"]);
    succeeded(check.arg("--builtin-schema").arg(schema).arg(file));
}

fn workflows() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(example(".github/workflows")).unwrap();
    let found: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    found
}

#[test]
fn the_workflows_are_ones_of_github() {
    for workflow in workflows() {
        check_schema("vendor.github-workflows", &workflow);
    }
}

#[test]
fn the_workflows_have_no_known_weakness() {
    let mut lint = program("zizmor");
    succeeded(lint.args(["--offline", "--no-progress"]).args(workflows()));
}

#[test]
fn the_gitlab_file_is_one_of_gitlab() {
    check_schema("vendor.gitlab-ci", &example(".gitlab-ci.yml"));
}

/// The scripts of a job, one after the other, by the path to them in the file.
fn script(file: &Path, path: &str) -> String {
    let script = python(
        "import json, sys, yaml\n\
         value = yaml.safe_load(open(sys.argv[1]))\n\
         for part in sys.argv[2].split('/'):\n\
         \x20   if isinstance(value, list):\n\
         \x20       value = next(step for step in value if step.get('name') == part)\n\
         \x20   else:\n\
         \x20       value = value[part]\n\
         print(json.dumps('\\n'.join(value) if isinstance(value, list) else value))\n",
        &[file, Path::new(path)],
    );
    let script: Value = serde_json::from_str(&script).unwrap();
    script.as_str().unwrap().to_owned()
}

/// Runs a script as a runner does, in the working directory of the test.
fn run_script(test: &TestEnvironment, script: &str, variables: &[(&str, &str)]) -> Command {
    let mut shell = Command::new("bash");
    shell
        .args([
            "--noprofile",
            "--norc",
            "-e",
            "-o",
            "pipefail",
            "-c",
            script,
        ])
        .current_dir(test.work())
        .env("PATH", path_with(&[&test.work().join("bin")]))
        .env("TOPOLOGY", "switchover.kdl")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    shell
}

/// A `PATH` on which the command is, behind these folders.
fn path_with(folders: &[&Path]) -> std::ffi::OsString {
    let command = Path::new(env!("CARGO_BIN_EXE_switchover"))
        .parent()
        .unwrap();
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().copied().chain([command]).map(Path::to_owned);
    std::env::join_paths(all.chain(std::env::split_paths(&usual))).unwrap()
}

fn site(topology: &str) -> TestEnvironment {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", topology);
    for folder in ["dnsmasq.d", "provisioning", "bin"] {
        std::fs::create_dir(test.work().join(folder)).unwrap();
    }
    test
}

#[test]
fn the_gitlab_jobs_do_what_they_say() {
    let file = example(".gitlab-ci.yml");
    let test = site(TEN_MISTAKES);
    let validated = run_script(&test, &script(&file, "validate/script"), &[])
        .output()
        .unwrap();
    assert_eq!(validated.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&validated.stdout).contains("SW101 wms-too-old"));
    let report = std::fs::read_to_string(test.work().join("findings.xml")).unwrap();
    assert!(report.contains("<failure"), "{report}");

    let test = site(GOOD);
    let plan = script(&file, "plan/script");
    let secret = [("RECEPTION_SIP", "s3cr3t")];
    let shown = succeeded(&mut run_script(&test, &plan, &secret));
    assert!(shown.starts_with("### Plan for acme-hq: "), "{shown}");

    // The comment has the plan, or says that there is none. Without a token, none is made.
    let curl = "#!/bin/bash\necho \"$*\" >> asked\ncp plan.md \"note-$CI_JOB_STATUS\"\n";
    runner::executable(&test.work().join("bin/curl"), curl);
    let comment = script(&file, "plan/after_script");
    for (status, token) in [("success", ""), ("success", "t0ken"), ("failed", "t0ken")] {
        let variables = [
            ("SWITCHOVER_NOTE_TOKEN", token),
            ("CI_JOB_STATUS", status),
            ("CI_COMMIT_SHA", "0123abc"),
            ("CI_JOB_URL", "https://gitlab.example/jobs/1"),
            ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
            ("CI_PROJECT_ID", "5"),
            ("CI_MERGE_REQUEST_IID", "7"),
        ];
        succeeded(&mut run_script(&test, &comment, &variables));
    }
    let read = |name: &str| std::fs::read_to_string(test.work().join(name)).unwrap();
    let asked = "--fail --silent --show-error --output /dev/null --header PRIVATE-TOKEN: t0ken --form body=<plan.md \
                 https://gitlab.example/api/v4/projects/5/merge_requests/7/notes\n";
    assert_eq!(read("asked"), asked.repeat(2));
    let footer = "\nCommit 0123abc · [job](https://gitlab.example/jobs/1)\n";
    let (made, failed) = (read("note-success"), read("note-failed"));
    assert!(
        made.starts_with("### Plan for acme-hq: ") && made.ends_with(footer),
        "{made}"
    );
    assert!(
        failed.starts_with("### No plan: planning failed\n") && failed.ends_with(footer),
        "{failed}"
    );
}

/// A Git repository of these files, with nobody's configuration.
fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args([
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.com",
        "-c",
        "init.defaultBranch=main",
    ])
    .args(arguments)
    .current_dir(folder)
    .env("GIT_CONFIG_GLOBAL", "/dev/null")
    .env("GIT_CONFIG_SYSTEM", "/dev/null");
    succeeded(&mut git);
}

fn pre_commit(test: &TestEnvironment, arguments: &[&str]) -> Command {
    let mut command = program("python");
    command
        .args(["-m", "pre_commit"])
        .args(arguments)
        .current_dir(test.work())
        .env("PATH", path_with(&[]))
        .env("PRE_COMMIT_HOME", test.work().join(".git/pre-commit"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .stdin(Stdio::null());
    command
}

/// Runs the hook on a good topology, then on one with mistakes, both only staged.
fn assert_hook_judges(test: &TestEnvironment, run: &[&str]) {
    git(&test.work(), &["add", "--all"]);
    let passed = succeeded(&mut pre_commit(test, run));
    assert!(passed.contains("Passed"), "{passed}");
    test.write("switchover.kdl", TEN_MISTAKES);
    git(&test.work(), &["add", "--all"]);
    let refused = pre_commit(test, run).output().unwrap();
    let text = String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("SW101 wms-too-old"), "{text}");
}

#[test]
fn the_pre_commit_example_judges_what_is_committed() {
    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    let configuration = std::fs::read_to_string(example(".pre-commit-config.yaml")).unwrap();
    test.write(".pre-commit-config.yaml", &configuration);
    git(&test.work(), &["init", "--quiet"]);
    succeeded(&mut pre_commit(
        &test,
        &["validate-config", ".pre-commit-config.yaml"],
    ));
    assert_hook_judges(&test, &["run", "--color", "never"]);
}

#[test]
fn the_hook_of_this_repository_judges_what_is_committed() {
    let definition = repository().join(".pre-commit-hooks.yaml");
    let hooks = TestEnvironment::new();
    hooks.write(
        ".pre-commit-hooks.yaml",
        &std::fs::read_to_string(definition).unwrap(),
    );
    git(&hooks.work(), &["init", "--quiet"]);
    git(&hooks.work(), &["add", "--all"]);
    git(&hooks.work(), &["commit", "--quiet", "--message", "hooks"]);

    let test = TestEnvironment::new();
    test.write("switchover.kdl", GOOD);
    git(&test.work(), &["init", "--quiet"]);
    let home = hooks.work().display().to_string();
    assert_hook_judges(
        &test,
        &["try-repo", &home, "switchover-validate", "--color", "never"],
    );
}
