use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use switchover_lab::{IscDhcpd, Lab};

use super::PHONE;
use crate::environment::{Output, TestEnvironment};

/// Two machines with a dhcpd each, and a topology that makes them a pair.
struct Pair {
    lab: Lab,
    environment: TestEnvironment,
    servers: [IscDhcpd; 2],
    folders: [PathBuf; 2],
}

const NAMES: [&str; 2] = ["dhcp1", "dhcp2"];

impl Pair {
    fn new() -> Self {
        let lab = Lab::start(&["10.20.30.1/24"]).unwrap();
        let environment = TestEnvironment::new();
        let folders = NAMES.map(|name| {
            let folder = environment.work().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("switchover.conf"), "").unwrap();
            fs::write(folder.join("dhcpd.conf"), main_file(&folder)).unwrap();
            folder
        });
        let start = |address: &str, folder: &Path| IscDhcpd::start(&lab, address, folder).unwrap();
        let servers = [
            start("10.20.30.5/24", &folders[0]),
            start("10.20.30.6/24", &folders[1]),
        ];
        let path = |path: &Path| path.display().to_string();
        let topology = include_str!("pair.kdl")
            .replace("DHCPD", &path(servers[0].program()))
            .replace("RESTART-1", &path(servers[0].restart_command()))
            .replace("RESTART-2", &path(servers[1].restart_command()));
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
    }

    fn files(&self) -> [String; 2] {
        let text = |folder: &PathBuf| fs::read_to_string(folder.join("switchover.conf")).unwrap();
        [text(&self.folders[0]), text(&self.folders[1])]
    }

    fn logs(&self) -> String {
        self.servers.each_ref().map(IscDhcpd::log).join("\n----\n")
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }
}

/// What somebody wrote by hand.
fn main_file(folder: &Path) -> String {
    format!(
        "# by hand\nauthoritative;\nsubnet 192.0.2.0 netmask 255.255.255.0 {{ range 192.0.2.10 192.0.2.20; }}\n\
         include \"{}/switchover.conf\";\n",
        folder.display()
    )
}

#[test]
fn both_servers_of_a_pair_offer_what_they_were_told() {
    let pair = Pair::new();
    for name in NAMES {
        let root = format!("    root \"{name}\"");
        pair.edit(&root, &format!("{root}\n    probe \"dhcp\""));
    }
    let applied = pair.run(&["apply", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", pair.logs());
    for server in ["10.20.30.5", "10.20.30.6"] {
        let seen = format!("DHCPDISCOVER of 9c:75:14:00:01:01 in 10.20.30.11 at {server}:67 in ");
        assert!(applied.stderr.contains(&seen), "no {seen}: {applied}");
    }
}

#[test]
fn a_pair_becomes_normal_and_a_telephone_is_served_by_either() {
    let mut pair = Pair::new();
    pair.apply();
    for server in &pair.servers {
        server.wait_for_failover("normal").unwrap();
    }
    let again = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");
    for folder in &pair.folders {
        let main = fs::read_to_string(folder.join("dhcpd.conf")).unwrap();
        assert_eq!(main, main_file(folder), "what was written by hand stays");
    }

    let phone = pair.lab.phone(PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));
    assert_eq!(
        lease.addresses(6),
        [Ipv4Addr::new(10, 20, 0, 53), Ipv4Addr::new(10, 20, 0, 54)]
    );
    assert_eq!(
        lease.sip_servers(),
        [Ipv4Addr::new(10, 20, 0, 10), Ipv4Addr::new(10, 20, 1, 10)]
    );
    assert_eq!(lease.text(160).as_deref(), Some("a \"b\""));
    let computer = pair.lab.phone("02:00:00:00:00:01").unwrap();
    let lease = computer.dhcp().unwrap();
    assert!(lease.address().octets()[3] >= 100, "{}", lease.address());
    assert_eq!(lease.option(66), None, "it is no telephone");

    pair.servers[0].kill();
    pair.servers[1]
        .wait_for_failover("communications-interrupted")
        .unwrap();
    let other = pair.lab.phone("9c:75:14:00:02:01").unwrap();
    let lease = other.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 21));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));
}

#[test]
fn what_the_second_server_refuses_is_undone_on_the_first_too() {
    let pair = Pair::new();
    pair.apply();
    let before = pair.files();

    // Each file by itself is right: the name is taken in the file that includes it, which the plugin sees as well.
    let main = pair.folders[1].join("dhcpd.conf");
    let by_hand = fs::read_to_string(&main).unwrap();
    let declared = "host lobby { hardware ethernet 02:00:00:00:00:09; }\n";
    fs::write(&main, by_hand.clone() + declared).unwrap();
    pair.edit("device \"reception\"", "device \"lobby\"");
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("isc-dhcpd::declared-elsewhere"),
        "{refused}"
    );
    assert_eq!(pair.files(), before);

    // In a file that the plugin does not read, only the server's own check can see it.
    let hidden = pair.folders[1].join("hidden.conf");
    fs::write(&hidden, declared).unwrap();
    let include = format!("include \"{}\";\n", hidden.display());
    fs::write(&main, by_hand + &include).unwrap();
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(6), "{refused}\n{}", pair.logs());
    assert!(refused.stderr.contains("host lobby: already"), "{refused}");
    assert_eq!(pair.files(), before, "{refused}");

    // The first server runs with what it had.
    let lease = pair.lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
}

#[test]
fn a_file_that_nobody_includes_is_told_before_anything_is_done() {
    let pair = Pair::new();
    fs::write(pair.folders[0].join("dhcpd.conf"), "authoritative;\n").unwrap();
    let plan = pair.run(&["plan"]);
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stderr.contains("isc-dhcpd::not-included"), "{plan}");
    assert_eq!(pair.files(), ["", ""]);
}
