use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use switchover_lab::{IscDhcpd, Lab};

use super::{Subject, conforms, files, version_of};
use crate::environment::TestEnvironment;

/// One of a failover pair; the other one is for the tests with real servers.
struct DhcpdServer {
    lab: Lab,
    server: IscDhcpd,
    folder: PathBuf,
}

const FOREIGN: &str = "class \"printers\" { match if substring(hardware, 1, 3) = 00:11:22; }\n";

impl Subject for DhcpdServer {
    const PLUGIN: &'static str = "isc-dhcpd";
    const ADDRESSES: &'static [&'static str] = &["10.20.0.1/16"];

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        let folder = environment.work().join("dhcp");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("switchover.conf"), "").unwrap();
        let main = format!(
            "subnet 192.0.2.0 netmask 255.255.255.0 {{ }}\ninclude \"{}\";\n",
            folder.join("switchover.conf").display()
        );
        fs::write(folder.join("dhcpd.conf"), main).unwrap();
        let server = IscDhcpd::start(lab, "10.20.0.5/16", &folder).unwrap();
        Self {
            lab: lab.clone(),
            server,
            folder,
        }
    }

    fn server(&self) -> String {
        let program = self.server.program().display().to_string();
        format!("dhcpd {}", version_of(&self.lab, &program, "--version"))
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        let restart = self.server.restart_command().display().to_string();
        let program = self.server.program().display().to_string();
        format!(
            "dhcp \"office\" {{\n    server \"dhcp1\" address=\"10.20.0.5\" target=\"subject\"\n    lease \"8h\"\n}}\n\
             provisioning \"phones\" {{\n    url \"http://10.20.0.80/\"\n}}\n\
             target \"subject\" plugin=\"isc-dhcpd\" {{\n    root \"dhcp\"\n    \
             command \"test\" \"{program}\" \"-t\" \"-cf\" \"{{file}}\"\n    command \"reload\" \"{restart}\"\n}}\n"
        )
    }

    fn assert_accepted(&self) {
        let output = self
            .lab
            .command(self.server.program())
            .args(["-t", "-cf"])
            .arg(self.folder.join("dhcpd.conf"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.folder)
    }

    fn add_foreign(&mut self) {
        let path = self.folder.join("switchover.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + FOREIGN).unwrap();
    }

    fn has_foreign(&self) -> bool {
        fs::read_to_string(self.folder.join("switchover.conf"))
            .is_ok_and(|text| text.contains(FOREIGN))
    }

    fn drift(&mut self) {
        let path = self.folder.join("switchover.conf");
        let text = fs::read_to_string(&path).unwrap();
        let changed = text.replace("max-lease-time 28800;", "max-lease-time 60;");
        assert_ne!(text, changed);
        fs::write(path, changed).unwrap();
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
fn isc_dhcpd_conforms() {
    conforms::<DhcpdServer>();
}

#[test]
fn isc_dhcpd_survives_faults() {
    super::faults::survives::<DhcpdServer>(module_path!(), "isc_dhcpd_survives_faults");
}
