//! GitHub and its runners, as far as the workflows use them: jobs one after the other, each in a checkout of its own, with
//! the secrets of its environment and no others. `gh`, `curl` and `sudo` are played and refuse what they do not know; the
//! shell, the command and all else are real.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::example;
use super::expression::{Before, filled, is_met};
use crate::checkers::{program, python};
use crate::environment::TestEnvironment;

const GH: &str = include_str!("gh.py");
const URL: &str = "https://downloads.example/switchover";

/// What a job got from its environment.
#[derive(Default, Clone)]
pub(super) struct Environment {
    pub(super) secrets: BTreeMap<&'static str, String>,
    pub(super) variables: BTreeMap<&'static str, String>,
}

/// A repository on GitHub, and a runner.
pub(super) struct GitHub {
    test: TestEnvironment,
    pub(super) environments: BTreeMap<&'static str, Environment>,
    pub(super) variables: BTreeMap<&'static str, String>,
    /// What the runner's own environment has.
    runner: Vec<(&'static str, String)>,
    runs: usize,
}

/// What started a workflow.
#[derive(Clone)]
pub(super) struct Event {
    name: &'static str,
    github: Value,
    inputs: Value,
}

/// How a workflow ended.
#[derive(Debug, Default)]
pub(super) struct Run {
    jobs: BTreeMap<String, Job>,
}

#[derive(Debug, Default)]
struct Job {
    result: &'static str,
    outputs: BTreeMap<String, String>,
    log: String,
    summary: String,
}

/// Somebody in the way of a run, before one of its jobs.
pub(super) enum Intruder<'a> {
    Nobody,
    /// Has this job not run: its approval is refused, or it is cancelled.
    Ends(&'a str, &'static str),
    /// Changes what the jobs before left to this one.
    Before(&'a str, &'a dyn Fn(&Path)),
    /// Hands this job another output of an earlier one.
    Outputs(&'a str, &'a str, &'a str),
}

impl Event {
    fn new(name: &'static str, reference: &str, commit: &str, event: &Value) -> Self {
        let github = json!({
            "event_name": name, "event": event, "ref": reference, "sha": commit,
            "repository": "acme/pbx", "token": "token",
        });
        let inputs = json!({});
        Self {
            name,
            github,
            inputs,
        }
    }

    /// Pull request 7, whose newest commit this is, in this event.
    pub(super) fn pull_request(name: &'static str, repository: &str, commit: &str) -> Self {
        let head = json!({"sha": commit, "repo": {"full_name": repository}});
        let event = json!({"pull_request": {"number": 7, "head": head}});
        Self::new(name, "refs/pull/7/merge", "of-the-merge", &event)
    }

    pub(super) fn merge(commit: &str) -> Self {
        Self::new("push", "refs/heads/main", commit, &json!({}))
    }

    pub(super) fn night() -> Self {
        Self::new("schedule", "refs/heads/main", "main", &json!({}))
    }

    /// Somebody starts the workflow, with these inputs.
    pub(super) fn by_hand(reference: &str, inputs: Value) -> Self {
        let inputs_of_event = json!({ "inputs": inputs });
        Self {
            inputs,
            ..Self::new("workflow_dispatch", reference, "main", &inputs_of_event)
        }
    }
}

impl Run {
    pub(super) fn results(&self) -> String {
        let jobs = self.jobs.iter();
        let jobs = jobs.map(|(name, job)| format!("{name}: {}", job.result));
        jobs.collect::<Vec<_>>().join(", ")
    }

    #[track_caller]
    pub(super) fn assert(&self, expected: &str) {
        assert_eq!(self.results(), expected, "{self:#?}");
    }

    pub(super) fn log(&self, job: &str) -> &str {
        &self.jobs[job].log
    }

    pub(super) fn summary(&self, job: &str) -> &str {
        &self.jobs[job].summary
    }

    pub(super) fn outputs(&self, job: &str) -> &BTreeMap<String, String> {
        &self.jobs[job].outputs
    }

    /// Everything that people see of it.
    pub(super) fn texts(&self) -> Vec<&str> {
        let jobs = self.jobs.values();
        jobs.flat_map(|job| [job.log.as_str(), &job.summary])
            .collect()
    }
}

pub(super) fn executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl GitHub {
    /// A repository with the example in it.
    pub(super) fn new(runner: Vec<(&'static str, String)>) -> Self {
        let test = TestEnvironment::new();
        let work = test.work();
        copy(&example(""), &work.join("repository"));
        let python = program("python").get_program().to_owned();
        let gh = format!("#!{}\n{GH}", Path::new(&python).display());
        executable(&work.join("bin/gh"), &gh);
        let wrapper = format!(
            "#!/bin/sh\nexec '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_switchover")
        );
        test.write("downloads/switchover", &wrapper);
        let curl = format!(
            "#!/bin/sh\n\
             wanted=\"--fail --silent --show-error --location --output $RUNNER_TEMP/bin/switchover {URL}\"\n\
             [ \"$*\" = \"$wanted\" ] || {{ echo \"curl: $*\" >&2; exit 22; }}\n\
             cp '{}' \"$RUNNER_TEMP/bin/switchover\"\n",
            work.join("downloads/switchover").display()
        );
        executable(&work.join("bin/curl"), &curl);
        let sums = Command::new("sha256sum")
            .arg(work.join("downloads/switchover"))
            .output()
            .unwrap();
        let sum = String::from_utf8(sums.stdout).unwrap();
        let (sum, _) = sum.split_once(' ').unwrap();
        let github = Self {
            test,
            environments: BTreeMap::new(),
            variables: BTreeMap::from([
                ("SWITCHOVER_URL", URL.to_owned()),
                ("SWITCHOVER_SHA256", sum.to_owned()),
            ]),
            runner,
            runs: 0,
        };
        github.reload("exit 0");
        github.set_played(&json!({"comments": [], "issues": [], "calls": []}));
        github
    }

    pub(super) fn work(&self) -> PathBuf {
        self.test.work()
    }

    /// A file of the repository, as the commit has it that is checked out next.
    pub(super) fn commit(&self, name: &str, text: &str) {
        self.test.write(&format!("repository/{name}"), text);
    }

    /// What becomes of the server when it is reloaded, in the shell.
    pub(super) fn reload(&self, then: &str) {
        let sudo = format!(
            "#!/bin/bash\n[ \"$*\" = 'systemctl restart dnsmasq' ] || {{ echo \"sudo: $*\" >&2; exit 99; }}\n\
             echo reloaded >> '{}'\n{then}\n",
            self.work().join("reloads").display()
        );
        executable(&self.work().join("bin/sudo"), &sudo);
    }

    pub(super) fn played(&self) -> Value {
        let text = fs::read(self.work().join("github.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    pub(super) fn set_played(&self, played: &Value) {
        self.test.write("github.json", &played.to_string());
    }

    /// The bodies of the comments that the workflows made.
    pub(super) fn comments(&self) -> Vec<String> {
        let played = self.played();
        let comments = played["comments"].as_array().unwrap().iter();
        let ours = comments.filter(|comment| comment["user"]["login"] == "github-actions[bot]");
        ours.map(|comment| comment["body"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub(super) fn comment(&self) -> String {
        let mut comments = self.comments();
        assert_eq!(comments.len(), 1, "{comments:#?}");
        comments.remove(0)
    }

    pub(super) fn run(&mut self, workflow: &str, event: &Event) -> Run {
        self.run_with(workflow, event, &Intruder::Nobody)
    }

    pub(super) fn run_with(
        &mut self,
        workflow: &str,
        event: &Event,
        intruder: &Intruder<'_>,
    ) -> Run {
        let folder = self.work().join("repository/.github/workflows");
        let workflow = read(&folder.join(workflow));
        let is_started = workflow["true"].get(event.name).is_some();
        assert!(is_started, "no workflow for {}", event.name);
        assert_eq!(workflow["defaults"]["run"]["shell"], "bash");
        self.runs += 1;
        let artifacts = self.work().join(format!("artifacts-{}", self.runs));
        fs::create_dir(&artifacts).unwrap();
        let mut run = Run::default();
        // The order of the file is one in which every job comes after those that it needs.
        for (name, job) in members(&workflow["jobs"]) {
            let mut contexts = self.contexts(event, job, &run);
            if let Intruder::Outputs(of, output, value) = *intruder
                && contexts["needs"].get(of).is_some()
            {
                contexts["needs"][of]["outputs"][output] = value.into();
            }
            if let Intruder::Before(which, act) = *intruder
                && which == name
            {
                act(&artifacts);
            }
            let results = members(&contexts["needs"]).map(|(_, job)| &job["result"]);
            let results: Vec<&Value> = results.collect();
            let before = Before {
                succeeded: results.iter().all(|result| **result == "success"),
                failed: results.iter().any(|result| **result == "failure"),
            };
            let ended = match *intruder {
                _ if !is_met(job["if"].as_str(), &contexts, before) => Job {
                    result: "skipped",
                    ..Job::default()
                },
                Intruder::Ends(which, result) if which == name => Job {
                    result,
                    ..Job::default()
                },
                _ => self.job(name, &workflow, job, &mut contexts, &artifacts),
            };
            run.jobs.insert(name.to_owned(), ended);
        }
        run
    }

    fn contexts(&self, event: &Event, job: &Value, run: &Run) -> Value {
        let needs = match &job["needs"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().map(|it| it.as_str().unwrap()).collect(),
            _ => vec![],
        };
        let needs = needs.into_iter().map(|name| {
            let job = &run.jobs[name];
            let value = json!({"result": job.result, "outputs": job.outputs});
            (name.to_owned(), value)
        });
        let environment = job["environment"]
            .as_str()
            .map_or_else(Default::default, |name| self.environments[name].clone());
        let mut variables = self.variables.clone();
        variables.extend(environment.variables);
        json!({
            "github": event.github, "inputs": event.inputs, "vars": variables, "secrets": environment.secrets,
            "needs": needs.collect::<serde_json::Map<_, _>>(), "steps": {},
        })
    }

    fn job(
        &self,
        name: &str,
        workflow: &Value,
        job: &Value,
        contexts: &mut Value,
        artifacts: &Path,
    ) -> Job {
        let folder = self.work().join(format!("run-{}/{name}", self.runs));
        let (workspace, temp) = (folder.join("workspace"), folder.join("temp"));
        for folder in [&workspace, &temp] {
            fs::create_dir_all(folder).unwrap();
        }
        let permissions = match &job["permissions"] {
            Value::Null => &workflow["permissions"],
            own => own,
        };
        let mut played = self.played();
        played["permissions"] = permissions.clone();
        self.set_played(&played);
        let mut ended = Job::default();
        let mut path = std::env::join_paths([self.work().join("bin")]).unwrap();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut has_failed = false;
        for step in job["steps"].as_array().unwrap() {
            let before = Before {
                succeeded: !has_failed,
                failed: has_failed,
            };
            if !is_met(step["if"].as_str(), contexts, before) {
                continue;
            }
            if let Some(action) = step["uses"].as_str() {
                self.action(action, &step["with"], &workspace, artifacts);
                continue;
            }
            for file in ["output", "summary", "path"] {
                fs::write(folder.join(file), "").unwrap();
            }
            let mut shell = self.shell(&workspace, &temp, &folder, contexts);
            shell.env("PATH", &path);
            for variables in [&workflow["env"], &job["env"], &step["env"]] {
                for (name, value) in members(variables) {
                    shell.env(name, filled(value.as_str().unwrap(), contexts));
                }
            }
            let script = step["run"].as_str().unwrap();
            assert!(
                !script.contains("${{"),
                "text from outside in a script: {script}"
            );
            let file = folder.join("step.sh");
            fs::write(&file, script).unwrap();
            let output = shell.arg(file).output().unwrap();
            has_failed |= !output.status.success();
            for bytes in [&output.stdout, &output.stderr] {
                ended.log += &String::from_utf8_lossy(bytes);
            }
            let written = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
            ended.summary += &written("summary");
            for added in written("path").lines() {
                path = format!("{added}:{}", path.to_str().unwrap()).into();
            }
            let mut outputs = json!({});
            for line in written("output").lines() {
                let (name, value) = line.split_once('=').unwrap();
                outputs[name] = value.into();
            }
            if let Some(id) = step["id"].as_str() {
                let outcome = if output.status.success() {
                    "success"
                } else {
                    "failure"
                };
                contexts["steps"][id] = json!({ "outputs": outputs, "outcome": outcome });
            }
        }
        for (name, value) in members(&job["outputs"]) {
            let value = filled(value.as_str().unwrap(), contexts);
            ended.outputs.insert(name.to_owned(), value);
        }
        ended.result = if has_failed { "failure" } else { "success" };
        ended
    }

    /// `shell: bash`, with the variables that every step has.
    fn shell(&self, workspace: &Path, temp: &Path, folder: &Path, contexts: &Value) -> Command {
        let mut shell = Command::new("bash");
        shell
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .current_dir(workspace)
            .env_clear()
            .env("HOME", folder)
            .env("XDG_CACHE_HOME", self.test.cache())
            .env("CI", "true")
            .env("RUNNER_TEMP", temp)
            .env("GITHUB_OUTPUT", folder.join("output"))
            .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
            .env("GITHUB_PATH", folder.join("path"))
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REPOSITORY", "acme/pbx")
            .env("GITHUB_RUN_ID", (1000 + self.runs).to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_SHA", contexts["github"]["sha"].as_str().unwrap())
            .env("GITHUB_PLAYED", self.work().join("github.json"))
            .envs(self.runner.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        shell
    }

    /// An action of somebody else, named by the digest of a commit.
    fn action(&self, action: &str, with: &Value, workspace: &Path, artifacts: &Path) {
        let (name, commit) = action.split_once('@').unwrap();
        assert_eq!(commit.len(), 40, "{action}");
        let said = |name: &str| with[name].as_str();
        match name {
            "actions/checkout" => {
                assert_eq!(*with, json!({"persist-credentials": false}));
                copy(&self.work().join("repository"), workspace);
            }
            "actions/upload-artifact" => {
                let (from, to) = (
                    workspace.join(said("path").unwrap()),
                    artifacts.join(said("name").unwrap()),
                );
                if from.is_dir() {
                    copy(&from, &to);
                } else if from.exists() {
                    fs::create_dir_all(&to).unwrap();
                    fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
                } else {
                    assert_eq!(said("if-no-files-found"), Some("ignore"), "{from:?}");
                }
            }
            "actions/download-artifact" => {
                let to = workspace.join(said("path").unwrap());
                if let Some(name) = said("name") {
                    copy(&artifacts.join(name), &to);
                    return;
                }
                assert_eq!(with["merge-multiple"], true);
                let beginning = said("pattern").unwrap().strip_suffix('*').unwrap();
                for entry in fs::read_dir(artifacts).unwrap() {
                    let entry = entry.unwrap();
                    if entry.file_name().to_str().unwrap().starts_with(beginning) {
                        copy(&entry.path(), &to);
                    }
                }
            }
            "github/codeql-action/upload-sarif" => {
                let report = fs::read(workspace.join(said("sarif_file").unwrap())).unwrap();
                let report: Value = serde_json::from_slice(&report).unwrap();
                assert!(report["runs"][0]["results"].is_array(), "{report:#}");
            }
            other => panic!("{other} is not known here"),
        }
    }
}

/// A workflow. Python reads `on` as a truth value.
pub(super) fn read(path: &Path) -> Value {
    let script = "import json, sys, yaml\n\
                  print(json.dumps(yaml.safe_load(open(sys.argv[1])), sort_keys=False))\n";
    let text = python(script, &[path]);
    serde_json::from_str(&text).unwrap()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
