use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;
use switchover_lab::{Kamailio, Lab};

use super::{Network, Subject, conforms, files, version_of};
use crate::environment::TestEnvironment;

/// One of the two: what is done to a pair is in the tests of real servers.
struct KamailioServer {
    lab: Lab,
    server: Kamailio,
    folder: PathBuf,
    /// Of the topologies that were asked for: each has another provider, so that there is always something to do.
    turn: Cell<u8>,
}

const MAIN: &str = "#!KAMAILIO\nimport_file \"switchover.cfg\"\n\
    #!ifndef SWITCHOVER_REALM\nloadmodule \"jsonrpcs.so\"\nlisten=udp:127.0.0.1:5099\n#!endif\n\
    request_route {\n#!ifdef SWITCHOVER_REALM\n    route(SWITCHOVER);\n#!endif\n    exit;\n}\n";

/// Rows are read when Kamailio starts, and this one in a route of somebody else.
const FOREIGN: &str = "route[THEIRS] { exit; }\n";
const FOREIGN_ROW: &str = "    $sht(switchover_users=>900) = 'by hand';\n";

impl KamailioServer {
    /// By hand, and as somebody who does that by hand would go on: Kamailio reads it.
    fn edit(&mut self, edit: impl FnOnce(&str) -> String) {
        let path = self.folder.join("switchover.cfg");
        let text = fs::read_to_string(&path).unwrap();
        let edited = edit(&text);
        assert_ne!(text, edited, "nothing to edit");
        fs::write(path, edited).unwrap();
        self.server.restart().unwrap();
    }
}

impl Subject for KamailioServer {
    const PLUGIN: &'static str = "kamailio";
    const ADDRESSES: &'static [&'static str] = &["10.20.0.1/16", "10.20.0.10/16"];

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        environment.set("SIP_PASSWORD", "sip-secret-0815");
        environment.write("sip/kamailio.cfg", MAIN);
        let folder = environment.work().join("sip");
        let server = Kamailio::start(lab, &folder).unwrap();
        Self {
            lab: lab.clone(),
            server,
            folder,
            turn: Cell::new(0),
        }
    }

    fn server(&self) -> String {
        format!("Kamailio {}", version_of(&self.lab, "kamailio", "-v"))
    }

    fn site(&self) -> String {
        let site = include_str!("site.kdl");
        let main = "    failure-domain \"rack-a\"\n";
        assert!(site.contains(main));
        site.replace(main, &format!("{main}    target \"subject\"\n"))
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        self.turn.set(self.turn.get() + 1);
        let turn = self.turn.get();
        let restart = json!(self.server.restart_command().display().to_string());
        format!(
            "dhcp \"office\" {{\n    server \"dhcp1\" address=\"10.20.0.7\"\n    lease \"8h\"\n}}\n\
             provisioning \"phones\" {{\n    url \"http://10.20.0.80/\"\n}}\n\
             defaults \"user\" sip-password=(secret)\"env:SIP_PASSWORD\"\n\
             trunk \"telco\" direction=\"incoming\" {{\n    provider \"203.0.113.{turn}\"\n    \
             register-to \"pbx1\" \"pbx2\"\n}}\n\
             target \"subject\" plugin=\"kamailio\" {{\n    root \"sip\"\n    endpoint \"http://127.0.0.1:5065\"\n    \
             command \"test\" \"kamailio\" \"-c\" \"-f\" \"{{file}}\"\n    command \"restart\" {restart}\n}}\n"
        )
    }

    fn assert_accepted(&self) {
        let mut check = self.lab.command("kamailio");
        let checked = check
            .args(["-c", "-f"])
            .arg(self.folder.join("kamailio.cfg"))
            .output()
            .unwrap();
        assert!(
            checked.status.success(),
            "{checked:?}\n{}",
            self.server.log()
        );
    }

    /// The files, and what the running server has of the same: it is told of each row by itself.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut bytes = files(&self.folder);
        for table in ["switchover_users", "switchover_groups", "switchover_trunks"] {
            if let Ok(rows) = self.server.rpc("htable.dump", &json!([table])) {
                let slots = rows.as_array().into_iter().flatten();
                let rows = slots.filter_map(|slot| slot["slot"].as_array()).flatten();
                let rows: BTreeMap<_, _> = rows
                    .map(|row| (row["name"].to_string(), row["value"].to_string()))
                    .collect();
                bytes.insert(
                    format!("the running {table}"),
                    format!("{rows:#?}").into_bytes(),
                );
            }
        }
        bytes
    }

    fn add_foreign(&mut self) {
        let end = "    return;\n}\n";
        self.edit(|text| text.replace(end, &format!("{FOREIGN_ROW}{end}{FOREIGN}")));
    }

    fn has_foreign(&self) -> bool {
        let text = fs::read_to_string(self.folder.join("switchover.cfg")).unwrap();
        let main = fs::read_to_string(self.folder.join("kamailio.cfg")).unwrap();
        text.contains(FOREIGN) && text.contains(FOREIGN_ROW) && main == MAIN
    }

    fn drift(&mut self) {
        self.edit(|text| text.replace("sip-secret-0815", "changed by hand"));
    }

    fn network(&self) -> Option<Network> {
        let words = ["127.0.0.1:5065", "127.0.0.1:5066"].map(str::to_owned);
        Some(Network::new("127.0.0.1:5065", "127.0.0.1:5066", words))
    }

    const RESTARTS: bool = true;

    fn restart(&mut self) {
        let restarted = (0..3).any(|_| self.server.restart().is_ok());
        assert!(restarted, "{}", self.server.log());
    }
}

#[test]
fn kamailio_conforms() {
    conforms::<KamailioServer>();
}

#[test]
fn kamailio_survives_faults() {
    super::faults::survives::<KamailioServer>(module_path!(), "kamailio_survives_faults");
}
