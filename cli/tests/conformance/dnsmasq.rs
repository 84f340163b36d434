use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use switchover_lab::{Dnsmasq, Lab};

use super::{Subject, conforms, files, version_of};
use crate::environment::TestEnvironment;

struct DnsmasqServer {
    lab: Lab,
    server: Dnsmasq,
    folder: PathBuf,
}

const FOREIGN: &str = "host-record=printer.acme.example,10.20.0.77\n";

impl Subject for DnsmasqServer {
    const PLUGIN: &'static str = "dnsmasq";

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        let folder = environment.work().join("dnsmasq.d");
        fs::create_dir(&folder).unwrap();
        let server = Dnsmasq::start(lab, Ipv4Addr::new(10, 20, 0, 5), &folder).unwrap();
        Self {
            lab: lab.clone(),
            server,
            folder,
        }
    }

    fn server(&self) -> String {
        format!("dnsmasq {}", version_of(&self.lab, "dnsmasq", "--version"))
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        let restart = self.server.restart_command().display().to_string();
        format!(
            "dhcp \"office\" {{\n    server \"dhcp1\" address=\"10.20.0.5\" target=\"subject\"\n    lease \"8h\"\n}}\n\
             provisioning \"phones\" {{\n    url \"http://10.20.0.80/\"\n}}\n\
             dns \"acme.example\" {{\n    server \"ns1\" address=\"10.20.0.5\" role=\"primary\" target=\"subject\"\n    \
             server \"ns2\" address=\"10.20.0.54\" role=\"secondary\"\n    ttl \"60s\"\n}}\n\
             target \"subject\" plugin=\"dnsmasq\" {{\n    root \"dnsmasq.d\"\n    \
             command \"test\" \"dnsmasq\" \"--test\" \"--conf-file={{file}}\"\n    command \"reload\" \"{restart}\"\n}}\n"
        )
    }

    fn assert_accepted(&self) {
        let folder = format!("--conf-dir={},*.conf", self.folder.display());
        let output = self
            .lab
            .command("dnsmasq")
            .args(["--test", "--conf-file=/dev/null", &folder])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.folder)
    }

    fn add_foreign(&mut self) {
        fs::write(self.folder.join("foreign.conf"), FOREIGN).unwrap();
    }

    fn has_foreign(&self) -> bool {
        fs::read_to_string(self.folder.join("foreign.conf")).is_ok_and(|text| text == FOREIGN)
    }

    fn drift(&mut self) {
        let path = self.folder.join("switchover.conf");
        let text = fs::read_to_string(&path).unwrap();
        let without: String = text
            .split_inclusive('\n')
            .filter(|line| !line.contains("10.20.30.7"))
            .collect();
        assert_ne!(text, without);
        fs::write(path, without).unwrap();
    }

    const RESTARTS: bool = true;

    fn restart(&mut self) {
        let mut restart = self.lab.command(self.server.restart_command());
        // Where one is under way, there is nothing to end for a moment.
        let restarted = (0..3).any(|_| restart.status().unwrap().success());
        assert!(restarted, "{}", self.server.log());
    }
}

#[test]
fn dnsmasq_conforms() {
    conforms::<DnsmasqServer>();
}

#[test]
fn dnsmasq_survives_faults() {
    super::faults::survives::<DnsmasqServer>(module_path!(), "dnsmasq_survives_faults");
}
