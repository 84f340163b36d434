use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

use switchover_lab::{Lab, ObjectServer, Sshd, WebServer, akuvox_settings};

use super::{Network, Subject, conforms, files};
use crate::environment::TestEnvironment;
use crate::shared_state;

/// Files that a web server hands to telephones.
struct Files {
    folder: PathBuf,
    _web: WebServer,
    lab: Lab,
}

const FOREIGN: &str = "#!version:1.0.0.1\nConfig.Account1.SIP.Server = other.example\n";

impl Subject for Files {
    const PLUGIN: &'static str = "provisioning";

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        let folder = environment.work().join("files");
        fs::create_dir(&folder).unwrap();
        let web = WebServer::start(lab, Ipv4Addr::new(10, 20, 0, 5), 80, &folder).unwrap();
        Self {
            folder,
            _web: web,
            lab: lab.clone(),
        }
    }

    fn server(&self) -> String {
        let output = self.lab.command("busybox").output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let version = text
            .split_whitespace()
            .nth(1)
            .unwrap()
            .trim_start_matches('v');
        format!("busybox httpd {version}")
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        "dhcp \"office\" {\n    server \"dhcp1\" address=\"10.20.0.5\"\n    lease \"8h\"\n}\n\
         provisioning \"phones\" {\n    url \"http://10.20.0.5/\"\n    target \"subject\"\n}\n\
         target \"subject\" plugin=\"provisioning\" {\n    root \"files\"\n}\n"
            .to_owned()
    }

    /// Each file is fetched from the web server and read as a telephone reads it.
    fn assert_accepted(&self) {
        for (name, bytes) in self.bytes() {
            let url = format!("http://10.20.0.5/{name}");
            let output = self
                .lab
                .command("curl")
                .args(["--silent", "--show-error", "--fail", &url])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(output.stdout, bytes);
            let text = String::from_utf8(bytes).unwrap();
            let settings = akuvox_settings(&text);
            assert!(
                settings.contains_key("Config.Account1.SIP.Server"),
                "{text}"
            );
        }
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.folder)
    }

    fn add_foreign(&mut self) {
        fs::write(self.folder.join("001122334455.cfg"), FOREIGN).unwrap();
    }

    fn has_foreign(&self) -> bool {
        fs::read_to_string(self.folder.join("001122334455.cfg")).is_ok_and(|text| text == FOREIGN)
    }

    fn drift(&mut self) {
        let path = self.folder.join("9c7514000007.cfg");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("pbx1", "pbx9")).unwrap();
    }
}

#[test]
fn provisioning_conforms() {
    conforms::<Files>();
}

#[test]
fn provisioning_survives_faults() {
    super::faults::survives::<Files>(module_path!(), "provisioning_survives_faults");
}

/// The same files on another host.
struct FilesThere {
    files: Files,
    sshd: Sshd,
}

impl Subject for FilesThere {
    const PLUGIN: &'static str = "provisioning";

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        let sshd = Sshd::in_lab(lab, Ipv4Addr::new(10, 20, 0, 5), 22).unwrap();
        let words: Vec<String> = sshd
            .client()
            .iter()
            .map(|word| format!("{word:?}"))
            .collect();
        environment.write(
            "../home/.config/switchover/config.kdl",
            &format!("ssh {}\n", words.join(" ")),
        );
        Self {
            files: Files::start(lab, environment),
            sshd,
        }
    }

    fn server(&self) -> String {
        "OpenSSH".to_owned()
    }

    fn services(&self, devices: &BTreeMap<u8, [u8; 2]>) -> String {
        let url = self.sshd.url(&self.files.folder);
        let services = self.files.services(devices);
        services.replace("root \"files\"", &format!("root \"{url}\""))
    }

    fn assert_accepted(&self) {
        self.files.assert_accepted();
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.bytes()
    }

    fn add_foreign(&mut self) {
        self.files.add_foreign();
    }

    fn has_foreign(&self) -> bool {
        self.files.has_foreign()
    }

    fn drift(&mut self) {
        self.files.drift();
    }

    fn network(&self) -> Option<Network> {
        let words = ["@10.20.0.5:22/", "@10.20.0.6:22/"].map(str::to_owned);
        Some(Network::new("10.20.0.5:22", "10.20.0.6:22", words))
    }

    const RESTARTS: bool = true;

    /// Connections are processes of their own, and they are what ends.
    fn restart(&mut self) {
        self.sshd.cut();
    }
}

#[test]
fn provisioning_survives_faults_over_ssh() {
    super::faults::survives::<FilesThere>(module_path!(), "provisioning_survives_faults_over_ssh");
}

/// The same files on this machine, of a site whose state is in an object store.
struct FilesOfSharedState {
    files: Files,
    _objects: ObjectServer,
}

const OBJECTS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 5), 9000);
const WAY_TO_OBJECTS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 6), 9000);

impl Subject for FilesOfSharedState {
    const PLUGIN: &'static str = "provisioning";
    const STATE_IS_HERE: bool = false;

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        let objects = ObjectServer::in_lab(lab, &shared_state::python(), OBJECTS).unwrap();
        for (name, value) in ObjectServer::environment_at(WAY_TO_OBJECTS) {
            environment.set(name, &value);
        }
        environment.set(shared_state::KEY, shared_state::A_KEY);
        Self {
            files: Files::start(lab, environment),
            _objects: objects,
        }
    }

    fn server(&self) -> String {
        "S3".to_owned()
    }

    fn site(&self) -> String {
        let site = self.files.site();
        let (first, rest) = site.split_once('\n').unwrap();
        // What is kept does not grow: a run makes as many calls as the one before it.
        format!(
            "{first}\n    state \"s3://state/conformance\"\n    retention generations=3\n{rest}"
        )
    }

    fn services(&self, devices: &BTreeMap<u8, [u8; 2]>) -> String {
        self.files.services(devices)
    }

    fn assert_accepted(&self) {
        self.files.assert_accepted();
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.bytes()
    }

    fn add_foreign(&mut self) {
        self.files.add_foreign();
    }

    fn has_foreign(&self) -> bool {
        self.files.has_foreign()
    }

    fn drift(&mut self) {
        self.files.drift();
    }

    fn network(&self) -> Option<Network> {
        Some(Network {
            server: OBJECTS,
            wire: WAY_TO_OBJECTS,
            words: None,
        })
    }
}

#[test]
fn provisioning_survives_faults_of_a_shared_state() {
    let test = "provisioning_survives_faults_of_a_shared_state";
    super::faults::survives::<FilesOfSharedState>(module_path!(), test);
}
