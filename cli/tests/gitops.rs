//! `examples/gitops/` and the definition of the pre-commit hook, as far as they can be tried without GitHub and GitLab.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::checkers::{program, python, succeeded};
use crate::environment::TestEnvironment;

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

#[test]
fn the_workflow_is_one_of_github() {
    check_schema(
        "vendor.github-workflows",
        &example(".github/workflows/switchover.yml"),
    );
}

#[test]
fn the_workflow_has_no_known_weakness() {
    let mut lint = program("zizmor");
    succeeded(
        lint.args(["--offline", "--no-progress"])
            .arg(example(".github/workflows/switchover.yml")),
    );
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
fn the_workflows_steps_do_what_they_say() {
    let workflow = example(".github/workflows/switchover.yml");
    let step = |job: &str, name: &str| script(&workflow, &format!("jobs/{job}/steps/{name}/run"));
    let test = site(TEN_MISTAKES);
    let annotated = run_script(&test, &step("validate", "Annotate the changed lines"), &[])
        .output()
        .unwrap();
    assert_eq!(annotated.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&annotated.stdout).starts_with("::error title=SW"));
    succeeded(&mut run_script(
        &test,
        &step("validate", "Report for code scanning"),
        &[],
    ));
    let report: Value =
        serde_json::from_slice(&std::fs::read(test.work().join("findings.sarif")).unwrap())
            .unwrap();
    assert_ne!(report["runs"][0]["results"][0], Value::Null);

    let test = site(GOOD);
    succeeded(&mut run_script(
        &test,
        &step("plan", "Plan"),
        &[("RECEPTION_SIP", "s3cr3t")],
    ));
    let plan = std::fs::read_to_string(test.work().join("plan.md")).unwrap();
    assert!(plan.starts_with("### Plan for acme-hq\n"), "{plan}");
    assert!(!plan.contains("s3cr3t"), "{plan}");
}

/// The comment is made once, and changed from then on. GitHub's command is played: it keeps what it is asked.
#[test]
fn the_workflow_has_one_comment() {
    use std::os::unix::fs::PermissionsExt;
    let comment = script(
        &example(".github/workflows/switchover.yml"),
        "jobs/comment/steps/Comment/run",
    );
    let test = site(GOOD);
    test.write("plan.md", "### Plan\n");
    let gh = test.write(
        "bin/gh",
        "#!/bin/bash\nif [ \"$2\" = --paginate ]; then printf '%s' \"$EXISTING\"; else echo \"$*\" >> asked; fi\n",
    );
    std::fs::set_permissions(gh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pull_request = [("GH_REPO", "acme/pbx"), ("NUMBER", "7")];
    for existing in ["", "41\n42\n"] {
        let mut variables = pull_request.to_vec();
        variables.push(("EXISTING", existing));
        succeeded(&mut run_script(&test, &comment, &variables));
    }
    assert_eq!(
        std::fs::read_to_string(test.work().join("asked")).unwrap(),
        "api --silent --method POST repos/acme/pbx/issues/7/comments --field body=@comment.md\n\
         api --silent --method PATCH repos/acme/pbx/issues/comments/41 --field body=@comment.md\n"
    );
    let body = std::fs::read_to_string(test.work().join("comment.md")).unwrap();
    assert_eq!(body, "<!-- switchover plan -->\n### Plan\n");
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
    let variables = [("RECEPTION_SIP", "s3cr3t"), ("SWITCHOVER_NOTE_TOKEN", "")];
    let shown = succeeded(&mut run_script(&test, &plan, &variables));
    assert!(shown.starts_with("### Plan for acme-hq\n"), "{shown}");
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
