//! The example as README.md says to set it up: with the real command, a bucket, and servers that are folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use switchover_lab::Bucket;

use super::example;
use super::runner::{Environment, Event, GitHub, Run};
use crate::checkers::succeeded;
use crate::environment::{assert_no_secret, files_below};
use crate::shared_state::A_KEY;

pub(super) const PASSWORD: &str = "s1p-s3cr3t";
const SECRET_ACCESS_KEY: &str = "b0cket-s3cr3t";

/// The device of this name and all that belongs to it.
pub(super) const FRONT_DOOR: &str = "device \"front-door\" model=\"WP410\" mac=\"9c:75:14:00:01:04\" user=\"104\" {\n    \
    acknowledge \"SW205\" reason=\"the voice network is closed to everybody else\"\n}\n";

pub(super) struct Site {
    pub(super) github: GitHub,
    pub(super) bucket: Bucket,
    pub(super) topology: String,
    signing_key: String,
}

/// A key of OpenSSH's own making: the private one, and the public one.
pub(super) fn ssh_key(folder: &Path, name: &str) -> (String, String) {
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", name])
        .current_dir(folder);
    succeeded(&mut keygen);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    (
        read(name).trim_end().to_owned(),
        read(&format!("{name}.pub")),
    )
}

impl Site {
    pub(super) fn new() -> Self {
        let bucket = Bucket::start().unwrap();
        let mut known = BTreeMap::from(bucket.environment());
        let mut take = |name| known.remove(name).unwrap();
        let (region, endpoint) = (take("AWS_REGION"), take("AWS_ENDPOINT_URL"));
        // Only a store without TLS asks for it.
        let mut github = GitHub::new(vec![("AWS_ALLOW_HTTP", take("AWS_ALLOW_HTTP"))]);
        github.variables.insert("AWS_REGION", region);
        github.variables.insert("AWS_ENDPOINT_URL", endpoint);
        let (signing_key, public) = ssh_key(&github.work(), "signing");
        let plan = Environment {
            secrets: BTreeMap::from([
                ("SIP_PASSWORD_101", PASSWORD.to_owned()),
                ("AWS_ACCESS_KEY_ID", take("AWS_ACCESS_KEY_ID")),
                ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ]),
            variables: BTreeMap::new(),
        };
        let (mut main, mut apply) = (plan.clone(), plan.clone());
        let signing = signing_key.clone();
        main.secrets.insert("SWITCHOVER_SIGNING_KEY", signing);
        let state_key = A_KEY.to_owned();
        apply.secrets.insert("SWITCHOVER_STATE_KEY", state_key);
        let signers = format!("ci@acme.example namespaces=\"switchover-plan\" {public}");
        apply
            .variables
            .insert("SWITCHOVER_ALLOWED_SIGNERS", signers);
        github.environments = BTreeMap::from([
            ("switchover-plan", plan),
            ("switchover-main", main),
            ("switchover-apply", apply),
        ]);

        let mut topology = fs::read_to_string(example("switchover.kdl")).unwrap();
        let mut replace = |old: &str, new: &str| {
            assert!(topology.contains(old), "{old}");
            topology = topology.replace(old, new);
        };
        // The name that the bucket in memory has.
        replace("s3://acme-switchover/acme", "s3://state/acme");
        for (root, name) in [
            ("/etc/dnsmasq.d", "dnsmasq"),
            ("/srv/provisioning", "files"),
        ] {
            let folder = github.work().join("servers").join(name);
            fs::create_dir_all(&folder).unwrap();
            replace(&format!("root \"{root}\""), &format!("root {folder:?}"));
        }
        let site = Self {
            github,
            bucket,
            topology,
            signing_key,
        };
        site.commit(&site.topology);
        site
    }

    pub(super) fn commit(&self, topology: &str) {
        self.github.commit("switchover.kdl", topology);
    }

    /// The topology with a part replaced.
    pub(super) fn with(&self, old: &str, new: &str) -> String {
        assert!(self.topology.contains(old), "{old}");
        self.topology.replace(old, new)
    }

    pub(super) fn pull_request(&mut self, commit: &str) -> Run {
        let event = Event::pull_request("pull_request", "acme/pbx", commit);
        self.github.run("check.yml", &event)
    }

    pub(super) fn merge(&mut self) -> Run {
        self.github.run("apply.yml", &Event::merge("main"))
    }

    /// One where all is well.
    pub(super) fn applied(&mut self) {
        self.merge().assert("apply: success, plan: success");
    }

    /// The files of the servers.
    pub(super) fn servers(&self) -> Vec<(String, String)> {
        let folder = self.github.work().join("servers");
        let files = files_below(&folder).into_iter();
        let mut files: Vec<_> = files
            .map(|path| {
                let name = path.strip_prefix(&folder).unwrap().display().to_string();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    pub(super) fn assert_no_secret(&self, runs: &[&Run]) {
        let work = self.github.work();
        let secrets = [PASSWORD, SECRET_ACCESS_KEY, A_KEY, &self.signing_key];
        let mut texts: Vec<&str> = runs.iter().flat_map(|run| run.texts()).collect();
        let played = self.github.played().to_string();
        texts.push(&played);
        for entry in fs::read_dir(&work).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("artifacts-") || name.starts_with("run-") {
                assert_no_secret(&secrets, &texts, &path);
            }
        }
    }
}
