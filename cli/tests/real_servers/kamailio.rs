#[path = "kamailio/faults.rs"]
mod faults;

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use switchover_lab::{Kamailio, Lab};

use crate::environment::{Output, TestEnvironment};

/// Two Kamailios and a topology that makes them a pair.
struct Pair {
    lab: Lab,
    environment: TestEnvironment,
    servers: [Kamailio; 2],
    folders: [PathBuf; 2],
}

const ADDRESSES: [&str; 2] = ["10.20.0.10", "10.20.1.10"];
/// A telephone's, and the provider's.
const PHONE: &str = "10.20.30.11";
const OTHER_PHONE: &str = "10.20.30.12";
const PROVIDER: &str = "203.0.113.10";

/// What somebody wrote by hand: complete before the first apply, too.
pub(super) const MAIN: &str = "#!KAMAILIO\n# by hand\nimport_file \"switchover.cfg\"\n\
    #!ifndef SWITCHOVER_REALM\nloadmodule \"jsonrpcs.so\"\nlisten=udp:127.0.0.1:5099\n#!endif\n\
    request_route {\n#!ifdef SWITCHOVER_REALM\n    route(SWITCHOVER);\n#!endif\n    exit;\n}\n";

impl Pair {
    fn new() -> Self {
        let addresses = ADDRESSES.iter().chain(&[PHONE, OTHER_PHONE, PROVIDER]);
        let addresses: Vec<String> = addresses.map(|address| format!("{address}/24")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let lab = Lab::start(&addresses).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("SIP_101", "secret\\n101 \"$x\" #!define");
        environment.set("SIP_102", "secret102");
        environment.set("SIP_103", "secret103");
        let folders = ["sip1", "sip2"].map(|name| {
            environment.write(&format!("{name}/kamailio.cfg"), MAIN);
            environment.work().join(name)
        });
        let servers = folders
            .each_ref()
            .map(|folder| Kamailio::start(&lab, folder).unwrap());
        let (certificate, key) =
            Kamailio::write_certificate(&environment.work(), &ADDRESSES).unwrap();
        let restart = |server: &Kamailio| server.restart_command().display().to_string();
        let topology = include_str!("kamailio/site.kdl")
            .replace("CERTIFICATE", &certificate.display().to_string())
            .replace("PRIVATE-KEY", &key.display().to_string())
            .replace("RESTART-1", &restart(&servers[0]))
            .replace("RESTART-2", &restart(&servers[1]));
        environment.write("switchover.kdl", &topology);
        Self {
            lab,
            environment,
            servers,
            folders,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    #[track_caller]
    fn apply(&self) {
        let applied = self.run(&["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}\n{}", self.logs());
        assert!(!applied.everything().contains("secret10"), "{applied}");
        let again = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.code, Some(0), "{again}");
    }

    fn logs(&self) -> String {
        self.servers.each_ref().map(Kamailio::log).join("\n----\n")
    }

    fn files(&self) -> [String; 2] {
        self.folders
            .each_ref()
            .map(|folder| fs::read_to_string(folder.join("switchover.cfg")).unwrap())
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    fn sipp(&self, scenario: &str, text: &str, from: &str, arguments: &[&str]) -> Child {
        let folder = self.lab.folder("sipp").unwrap();
        fs::write(folder.join(scenario), text).unwrap();
        let output = fs::File::create(folder.join("output")).unwrap();
        self.lab
            .command("sipp")
            .args([
                "-sf",
                scenario,
                "-m",
                "1",
                "-i",
                from,
                "-nostdin",
                "-timeout",
                "15s",
                "-timeout_error",
            ])
            .args(arguments)
            .current_dir(&folder)
            .stdin(std::process::Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap()
    }

    /// A telephone at this address registers, and gives whether that was accepted.
    fn registers(&self, pbx: usize, phone: &str, user: &str, password: &str) -> bool {
        let mut sipp = self.sipp(
            "register.xml",
            include_str!("kamailio/register.xml"),
            phone,
            &[
                "-p",
                "5070",
                "-s",
                user,
                "-au",
                user,
                "-ap",
                password,
                &format!("{}:5060", ADDRESSES[pbx]),
            ],
        );
        sipp.wait().unwrap().success()
    }

    /// Whether a call from this address to the number is answered by the telephone at the other.
    fn calls(&self, pbx: usize, from: &str, number: &str, phone: &str) -> bool {
        let text = include_str!("kamailio/phone.xml");
        let mut answering = self.sipp("phone.xml", text, phone, &["-p", "5070"]);
        let text = include_str!("kamailio/caller.xml");
        let to = format!("{}:5060", ADDRESSES[pbx]);
        let mut calling = self.sipp("caller.xml", text, from, &["-p", "5060", "-s", number, &to]);
        let called = calling.wait().unwrap().success();
        if !called {
            answering.kill().unwrap();
        }
        answering.wait().unwrap().success() && called
    }

    fn contacts(&self, user: &str) -> [usize; 2] {
        self.servers
            .each_ref()
            .map(|server| server.contacts(user).unwrap().len())
    }
}

const RIGHT: &str = "secret\\n101 \"$x\" #!define";

#[test]
fn both_nodes_answer_options_at_every_port() {
    let pair = Pair::new();
    let path = pair.environment.work().join("switchover.kdl");
    let mut topology = fs::read_to_string(&path).unwrap();
    for name in ["sip1", "sip2"] {
        let root = format!("    root \"{name}\"");
        topology = topology.replace(&root, &format!("{root}\n    probe \"sip\""));
    }
    fs::write(&path, topology).unwrap();
    let applied = pair.run(&["apply", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", pair.logs());
    for address in ADDRESSES {
        let seen = format!("OPTIONS at {address}:5060 over UDP in ");
        assert!(applied.stderr.contains(&seen), "no {seen}: {applied}");
    }
}

#[test]
fn a_pair_from_nothing_registers_telephones_and_takes_calls_of_the_trunk_on_both() {
    let pair = Pair::new();
    pair.apply();
    for folder in &pair.folders {
        assert_eq!(
            fs::read_to_string(folder.join("kamailio.cfg")).unwrap(),
            MAIN,
            "what was written by hand stays"
        );
    }
    for (number, address) in ADDRESSES.iter().enumerate() {
        assert!(
            pair.lab.listens(address.parse().unwrap(), 443),
            "{}",
            pair.logs()
        );
        assert!(!pair.registers(number, PHONE, "101", "wrong"));
        assert!(
            !pair.registers(number, PHONE, "103", "secret103"),
            "nobody has declared it"
        );
        assert_eq!(pair.contacts("101")[number], 0);
        assert!(
            pair.registers(number, PHONE, "101", RIGHT),
            "{}",
            pair.logs()
        );
    }
    assert_eq!(pair.contacts("101"), [1, 1]);
    for number in [0, 1] {
        assert!(
            pair.calls(number, PROVIDER, "101", PHONE),
            "{}",
            pair.logs()
        );
        assert!(
            !pair.calls(number, OTHER_PHONE, "101", PHONE),
            "it is no provider and has no password"
        );
        for group in ["everybody", "sales", "+390432555"] {
            assert!(
                pair.calls(number, PROVIDER, group, PHONE),
                "{group}: {}",
                pair.logs()
            );
        }
    }
    // The first of the group does not answer, so that it is the second one's turn.
    assert!(pair.registers(0, OTHER_PHONE, "102", "secret102"));
    assert!(pair.calls(0, PROVIDER, "sales", PHONE), "{}", pair.logs());
}

#[test]
fn users_come_and_go_without_a_restart_and_a_listener_with_one() {
    let pair = Pair::new();
    pair.apply();
    for number in [0, 1] {
        assert!(pair.registers(number, PHONE, "101", RIGHT));
    }
    let user = "user \"103\" name=\"Lab\" pbx=\"pbx1\" sip-password=(secret)\"env:SIP_103\"";
    pair.edit("// more users", user);
    let planned = pair.run(&["plan", "--full"]);
    assert!(
        planned
            .stdout
            .contains("set user/103 in the running Kamailio"),
        "{planned}"
    );
    pair.apply();
    assert_eq!(pair.contacts("101"), [1, 1], "no registration is lost");
    for number in [0, 1] {
        assert!(pair.registers(number, OTHER_PHONE, "103", "secret103"));
    }
    pair.edit(user, "// more users");
    pair.apply();
    assert!(!pair.registers(0, OTHER_PHONE, "103", "secret103"));
    assert_eq!(pair.contacts("101"), [1, 1]);

    pair.edit(
        "model=\"WP480\" mac=\"9c:75:14:00:01:02\" user=\"102\" year=2017 {\n    \
         acknowledge \"SW205\" reason=\"a test network\"\n}",
        "model=\"W04FXS\" mac=\"9c:75:14:00:01:02\" user=\"102\" port=5061",
    );
    let planned = pair.run(&["plan", "--full"]);
    assert!(
        planned
            .stdout
            .contains("restart Kamailio with the new switchover.cfg"),
        "{planned}"
    );
    pair.apply();
    assert_eq!(pair.contacts("101"), [0, 0], "a restart forgets them");
    for address in ADDRESSES.map(|address| address.parse().unwrap()) {
        assert!(pair.lab.listens(address, 5061) && !pair.lab.listens(address, 443));
    }
    assert!(pair.registers(0, PHONE, "101", RIGHT));
}

#[test]
fn what_the_check_refuses_changes_nothing() {
    let mut pair = Pair::new();
    pair.apply();
    assert!(pair.registers(0, PHONE, "101", RIGHT));
    let before = pair.files();
    // An apostrophe ends the text in which the password stands.
    pair.environment.set("SIP_103", "it's");
    pair.edit(
        "// more users",
        "user \"103\" name=\"Lab\" pbx=\"pbx1\" sip-password=(secret)\"env:SIP_103\"",
    );
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused
            .stderr
            .contains("failed to stage \"check the new switchover.cfg\""),
        "{refused}"
    );
    assert!(refused.stderr.contains("nothing was changed"), "{refused}");
    assert!(!refused.everything().contains("it's"), "{refused}");
    assert_eq!(pair.files(), before);
    assert_eq!(pair.contacts("101"), [1, 0]);
}

#[test]
fn what_fails_on_one_is_undone_on_the_other_in_the_file_and_in_the_running_server() {
    let mut pair = Pair::new();
    pair.apply();
    for number in [0, 1] {
        assert!(pair.registers(number, PHONE, "101", RIGHT));
    }
    let before = pair.files();
    // The standby comes first, and has the new user when the main PBX turns out to be gone.
    pair.servers[0].kill();
    pair.edit(
        "// more users",
        "user \"103\" name=\"Lab\" pbx=\"pbx1\" sip-password=(secret)\"env:SIP_103\"",
    );
    let failed = pair.run(&["apply", "--yes"]);
    assert_eq!(
        failed.code,
        Some(7),
        "the main PBX cannot be asked to undo, either: {failed}"
    );
    assert!(failed.stderr.contains("`sip1`"), "{failed}");
    assert_eq!(pair.files(), before);
    assert!(!pair.registers(1, OTHER_PHONE, "103", "secret103"));
    let left = pair.servers[1].contacts("101").unwrap();
    assert_eq!(left.len(), 1, "the undo restarts nothing: {left:?}");

    // A restart that fails is followed by one with the old file, which fails here as well.
    pair.edit("ring-seconds 1", "ring-seconds 2");
    let failed = pair.run(&["apply", "--yes"]);
    assert_eq!(failed.code, Some(7), "{failed}");
    assert_eq!(pair.files(), before);
    assert!(pair.registers(1, PHONE, "101", RIGHT), "{}", pair.logs());
}
