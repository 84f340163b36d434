use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use switchover_lab::{IscDhcpd, Lab};

use crate::PHONE;

const CONFIGURATION: &str = "
PEER
subnet 10.20.30.0 netmask 255.255.255.0 {
    pool { FAILOVER range 10.20.30.100 10.20.30.120; }
    option domain-name-servers 10.20.30.5;
    if substring(hardware, 1, 3) = 9c:75:14 { option tftp-server-name \"http://prov.acme.example/\"; }
}
host reception { hardware ethernet 9c:75:14:00:01:01; fixed-address 10.20.30.11; }
";

/// The gateway only: each server has a machine of its own.
fn lab() -> Lab {
    Lab::start(&["10.20.30.1/24"]).unwrap()
}

fn write(folder: &Path, peer: &str) {
    let failover = if peer.is_empty() {
        ""
    } else {
        "failover peer \"hq\";"
    };
    let text = CONFIGURATION
        .replace("PEER", peer)
        .replace("FAILOVER", failover);
    fs::write(folder.join("dhcpd.conf"), text).unwrap();
}

#[test]
fn a_phone_gets_what_is_for_it_and_a_computer_does_not() {
    let lab = lab();
    let folder = lab.folder("conf").unwrap();
    write(&folder, "");
    let dhcpd = IscDhcpd::start(&lab, "10.20.30.5/24", &folder).unwrap();
    let lease = lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(
        lease.address(),
        Ipv4Addr::new(10, 20, 30, 11),
        "{}",
        dhcpd.log()
    );
    assert_eq!(lease.text(66).as_deref(), Some("http://prov.acme.example/"));
    let computer = lab.phone("00:11:22:00:00:01").unwrap().dhcp().unwrap();
    assert_eq!(computer.option(66), None);
    assert_eq!(computer.addresses(6), [Ipv4Addr::new(10, 20, 30, 5)]);
}

#[test]
fn two_servers_share_a_pool_and_one_goes_on_alone() {
    let lab = lab();
    let (one, other) = (lab.folder("one").unwrap(), lab.folder("other").unwrap());
    write(
        &one,
        "failover peer \"hq\" { primary; address 10.20.30.5; peer address 10.20.30.6; port 647; peer port 647; mclt 60; \
         split 128; max-response-delay 60; max-unacked-updates 10; load balance max seconds 3; }",
    );
    write(
        &other,
        "failover peer \"hq\" { secondary; address 10.20.30.6; peer address 10.20.30.5; port 647; peer port 647; \
         max-response-delay 60; max-unacked-updates 10; load balance max seconds 3; }",
    );
    let mut primary = IscDhcpd::start(&lab, "10.20.30.5/24", &one).unwrap();
    let secondary = IscDhcpd::start(&lab, "10.20.30.6/24", &other).unwrap();
    primary.wait_for_failover("normal").unwrap();
    secondary.wait_for_failover("normal").unwrap();
    primary.kill();
    secondary
        .wait_for_failover("communications-interrupted")
        .unwrap();
    let lease = lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
}

#[test]
fn a_restart_reads_the_file_again_and_tells_of_a_broken_one() {
    let lab = lab();
    let folder = lab.folder("conf").unwrap();
    write(&folder, "");
    let file = folder.join("dhcpd.conf");
    let dhcpd = IscDhcpd::start(&lab, "10.20.30.5/24", &folder).unwrap();
    let restart = || lab.command(dhcpd.restart_command()).output().unwrap();
    let good = fs::read_to_string(&file).unwrap();

    fs::write(&file, "no such thing;\n").unwrap();
    let failed = restart();
    assert!(!failed.status.success());
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(said.contains("ended with a failure"), "{said}");

    fs::write(&file, good.replace("10.20.30.11;", "10.20.30.12;")).unwrap();
    assert!(restart().status.success(), "{}", dhcpd.log());
    let lease = lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 12));
}

#[test]
fn a_broken_file_is_told() {
    let lab = lab();
    let folder = lab.folder("conf").unwrap();
    fs::write(folder.join("dhcpd.conf"), "no such thing;\n").unwrap();
    let problem = IscDhcpd::start(&lab, "10.20.30.5/24", &folder)
        .unwrap_err()
        .to_string();
    assert!(
        problem.contains("expecting a parameter or declaration"),
        "{problem}"
    );
}
