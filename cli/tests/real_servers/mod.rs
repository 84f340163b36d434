//! The command against real servers and a simulated telephone, each test in a network of its own.

mod dnsmasq;
mod faults;
mod headquarters;
mod import;
mod isc_dhcpd;
mod kamailio;
mod kamailio_site;
mod kea;
mod kea_pair;
mod probes;
mod read_only;
mod rfc2136;
mod ssh;
mod wildix;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab, Proxy, WebServer};

use crate::environment::{Output, TestEnvironment};

pub(crate) const KEA_PASSWORD: &str = "kea-secret-4711";
pub(crate) const SIP_PASSWORD: &str = "sip-secret-0815";
const PHONE: &str = "9c:75:14:00:01:01";

/// A Kea behind a recording proxy, a web server for provisioning files, and a topology that uses both.
struct Site {
    lab: Lab,
    environment: TestEnvironment,
    kea: Kea,
    proxy: Proxy,
    _web: WebServer,
    before: Value,
}

/// What somebody else has configured in the same Kea.
fn foreign() -> Value {
    json!({
        "option-data": [{ "name": "time-offset", "code": 2, "space": "dhcp4", "data": "3600" }],
        "client-classes": [{ "name": "printers", "test": "substring(pkt4.mac,0,3) == 0x001122" }],
        "subnet4": [{
            "id": 7,
            "subnet": "192.0.2.0/24",
            "pools": [{ "pool": "192.0.2.10 - 192.0.2.20" }],
            "option-data": [{ "name": "routers", "data": "192.0.2.1" }],
            "reservations": [{ "hw-address": "00:11:22:33:44:55", "ip-address": "192.0.2.9" }],
            "user-context": { "comment": "not ours: ${secret:target/kea/auth}" }
        }]
    })
}

impl Site {
    fn new() -> Self {
        let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24", "10.20.30.80/24"]).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("KEA_PASSWORD", KEA_PASSWORD);
        environment.set("SIP_PASSWORD", SIP_PASSWORD);
        environment.write("switchover.kdl", include_str!("site.kdl"));
        fs::create_dir(environment.work().join("files")).unwrap();
        let address = Ipv4Addr::new(10, 20, 30, 5);
        let settings = KeaSettings {
            address,
            port: 8001,
            password: Some(KEA_PASSWORD.to_owned()),
            dhcp4: foreign(),
        };
        let kea = Kea::start(&lab, settings).unwrap();
        let proxy = Proxy::start(&lab, (address, 8000), kea.address()).unwrap();
        let web = WebServer::start(
            &lab,
            Ipv4Addr::new(10, 20, 30, 80),
            80,
            &environment.work().join("files"),
        )
        .unwrap();
        let before = kea.config_get().unwrap();
        Self {
            lab,
            environment,
            kea,
            proxy,
            _web: web,
            before,
        }
    }

    /// Runs the command where the servers are.
    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.environment.work().join("files")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The server takes everything again, and what waits beside the files is put back.
    #[track_caller]
    fn recover(&self) {
        self.proxy.heal();
        let recovered = self.run(&["recover", "--back", "--yes"]);
        assert_eq!(recovered.code, Some(0), "{recovered}");
        self.assert_untouched();
    }

    /// Kea holds what it held at first, byte for byte, and no file was written.
    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(
            self.kea.config_get().unwrap().to_string(),
            self.before.to_string()
        );
        assert_eq!(self.files(), Vec::<PathBuf>::new());
    }

    /// Puts other text into the topology.
    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }
}

impl TestEnvironment {
    /// Runs the command in the servers' network.
    pub(crate) fn run_in(&self, lab: &Lab, arguments: &[&str]) -> Output {
        let output = self.moved(lab, &self.command(arguments)).output().unwrap();
        self.shown(&output)
    }

    /// The same command, to be run in the servers' network.
    pub(crate) fn moved(&self, lab: &Lab, command: &Command) -> Command {
        Self::moved_into(lab.command(command.get_program()), command)
    }

    /// The same command, to be run wherever `moved` runs its program.
    pub(crate) fn moved_into(mut moved: Command, command: &Command) -> Command {
        moved.args(command.get_args()).env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                moved.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            moved.current_dir(folder);
        }
        moved
    }
}
