//! Servers that are asked as telephones ask them, once they are changed: by an administrator's machine beside them.

use std::fs;
use std::net::Ipv4Addr;

use switchover_lab::{Dnsmasq, Lab, Phone};

use super::Site;
use crate::environment::{Output, TestEnvironment};

/// A machine in the servers' network, with an address of its own.
fn laptop(lab: &Lab) -> Phone {
    let laptop = lab.phone("02:00:5e:00:53:01").unwrap();
    let mut ip = laptop.command("ip");
    ip.args(["address", "add", "10.20.30.250/24", "dev", "eth0"]);
    assert!(ip.status().unwrap().success());
    laptop
}

fn run_on(laptop: &Phone, environment: &TestEnvironment, arguments: &[&str]) -> Output {
    let command = environment.command(arguments);
    let mut moved = laptop.command("env");
    // Files look otherwise there, and so it begins in the root.
    moved.arg("--chdir").arg(environment.work());
    moved.arg(command.get_program());
    let output = TestEnvironment::moved_into(moved, &command)
        .output()
        .unwrap();
    environment.shown(&output)
}

#[test]
fn a_dnsmasq_that_offers_or_answers_otherwise_is_put_back() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
    let environment = TestEnvironment::new();
    let folder = environment.work().join("dnsmasq.d");
    fs::create_dir(&folder).unwrap();
    let dnsmasq = Dnsmasq::start(&lab, Ipv4Addr::new(10, 20, 30, 5), &folder).unwrap();
    let restart = dnsmasq.restart_command().display().to_string();
    let topology = include_str!("small.kdl")
        .replace("RESTART", &restart)
        .replace(
            "root \"dnsmasq.d\"",
            "root \"dnsmasq.d\"\n    probe \"dhcp\" \"dns\"",
        );
    environment.write("switchover.kdl", &topology);
    let laptop = laptop(&lab);
    let run = |arguments: &[&str]| run_on(&laptop, &environment, arguments);

    // A relay on the server's own machine would hear nothing: said before anything is changed.
    let file = folder.join("switchover.conf");
    let here = environment.run_in(&lab, &["apply", "--yes"]);
    assert_eq!(here.code, Some(1), "{here}");
    assert!(
        here.stderr.contains("effects::dhcp::same_machine"),
        "{here}"
    );
    assert!(!file.exists());

    let applied = run(&["apply", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", dnsmasq.log());
    for seen in [
        "DHCPDISCOVER of 9c:75:14:00:01:01 in 10.20.30.11 at 10.20.30.5:67 in ",
        "A pbx1.acme.example at 10.20.30.5:53 in ",
        "SRV _sips._tcp.acme.example at 10.20.30.5:53 in ",
    ] {
        assert!(applied.stderr.contains(seen), "no {seen}: {applied}");
    }

    // Another file gives the telephone another address. The file itself is as wanted, so that reading it back shows nothing.
    let before = fs::read(&file).unwrap();
    let rival = folder.join("rival.conf");
    fs::write(&rival, "dhcp-option=tag:voice,66,\"http://10.20.30.6/\"\n").unwrap();
    let edited = topology.replace("10.20.30.21", "10.20.30.22");
    environment.write("switchover.kdl", &edited);
    let refused = run(&["apply", "--yes"]);
    fs::remove_file(&rival).unwrap();
    assert_eq!(refused.code, Some(6), "{refused}\n{}", dnsmasq.log());
    assert_eq!(fs::read(&file).unwrap(), before);
    insta::assert_snapshot!("offered_otherwise", refused.stderr);
}

#[test]
fn a_kea_offers_what_it_was_told() {
    let site = Site::new();
    let endpoint = "    endpoint \"http://10.20.30.5:8000/\"";
    site.edit(endpoint, &format!("{endpoint}\n    probe \"dhcp\""));
    let laptop = laptop(&site.lab);
    let applied = run_on(&laptop, &site.environment, &["apply", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", site.kea.log());
    let seen = "DHCPDISCOVER of 9c:75:14:00:01:01 in 10.20.30.11 at 10.20.30.5:67 in ";
    assert!(applied.stderr.contains(seen), "{applied}");
}
