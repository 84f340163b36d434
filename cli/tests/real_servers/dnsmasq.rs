use std::fs;
use std::net::Ipv4Addr;

use switchover_lab::{Dnsmasq, Lab};

use super::PHONE;
use crate::environment::TestEnvironment;

#[test]
fn a_telephone_finds_lease_and_records_at_a_real_dnsmasq() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
    let environment = TestEnvironment::new();
    let folder = environment.work().join("dnsmasq.d");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("foreign.conf"),
        "host-record=printer.acme.example,10.20.30.77\n",
    )
    .unwrap();
    let dnsmasq = Dnsmasq::start(&lab, Ipv4Addr::new(10, 20, 30, 5), &folder).unwrap();
    let restart = dnsmasq.restart_command().display().to_string();
    environment.write(
        "switchover.kdl",
        &include_str!("small.kdl").replace("RESTART", &restart),
    );

    let applied = environment.run_in(&lab, &["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", dnsmasq.log());
    let phone = lab.phone(PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.5/"));
    assert_eq!(
        lease.addresses(6),
        [Ipv4Addr::new(10, 20, 30, 5), Ipv4Addr::new(10, 20, 0, 54)]
    );
    assert_eq!(
        lease.sip_servers(),
        [Ipv4Addr::new(10, 20, 0, 10), Ipv4Addr::new(10, 20, 1, 10)]
    );

    let lookup = |name: &str, kind: &str| {
        let mut answers = phone.lookup(name, kind).unwrap();
        answers.sort();
        answers
    };
    assert_eq!(lookup("pbx1.acme.example", "A"), ["10.20.0.10"]);
    assert_eq!(lookup("printer.acme.example", "A"), ["10.20.30.77"]);
    assert_eq!(
        lookup("_sips._tcp.acme.example", "SRV"),
        [
            "10 100 443 pbx1.acme.example.",
            "20 100 443 pbx2.acme.example."
        ]
    );
    assert_eq!(
        lookup("_sip._udp.acme.example", "SRV"),
        [
            "10 100 5060 pbx1.acme.example.",
            "20 100 5060 pbx2.acme.example."
        ]
    );
    assert_eq!(lookup("acme.example", "NAPTR").len(), 3);
    let again = environment.run_in(&lab, &["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");

    // What dnsmasq refuses is found by its own check, before anything is changed.
    let file = folder.join("switchover.conf");
    let before = fs::read(&file).unwrap();
    fs::write(
        folder.join("foreign.conf"),
        "host-record=printer.acme.example,10.20.30.78\n",
    )
    .unwrap();
    environment.write(
        "switchover.kdl",
        &include_str!("small.kdl")
            .replace("RESTART", "false")
            .replace("10.20.30.11", "10.20.30.12"),
    );
    let refused = environment.run_in(&lab, &["apply", "--yes"]);
    assert_eq!(
        refused.code,
        Some(7),
        "the undo restarts with the same failing command: {refused}"
    );
    assert_eq!(fs::read(&file).unwrap(), before, "the file is as before");
}
