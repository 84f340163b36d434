use std::fs;
use std::net::Ipv4Addr;

use serde_json::json;
use switchover_lab::{Kamailio, Lab, RegistrarSettings, SipTransport};

use crate::until;

const GOOD: &str =
    "#!KAMAILIO\nloadmodule \"jsonrpcs.so\"\nlisten=udp:10.20.0.10:5060\nrequest_route { exit; }\n";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);

/// Registers a user by sipp, and gives whether that was accepted.
fn registers(lab: &Lab, user: &str, password: &str) -> bool {
    let folder = lab.folder("sipp").unwrap();
    let scenario = folder.join("register.xml");
    fs::write(&scenario, include_str!("kamailio/register.xml")).unwrap();
    lab.command("sipp")
        .arg("-sf")
        .arg(&scenario)
        .args([
            "-m",
            "1",
            "-i",
            "10.20.0.1",
            "-nostdin",
            "-timeout",
            "10s",
            "-s",
            user,
            "-au",
            user,
            "-ap",
            password,
        ])
        .arg(format!("{ADDRESS}:5060"))
        .current_dir(&folder)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn a_registrar_asks_for_the_password_and_remembers_until_it_restarts() {
    let lab = Lab::start(&["10.20.0.1/24", "10.20.0.10/24"]).unwrap();
    let settings = RegistrarSettings {
        listen: vec![
            (SipTransport::Udp, 5060),
            (SipTransport::Tcp, 443),
            (SipTransport::Tls, 5061),
        ],
        names: vec!["pbx1.acme.example".to_owned()],
        users: vec![("101".to_owned(), "right".to_owned())],
        ..RegistrarSettings::default()
    };
    let mut kamailio = Kamailio::registrar(&lab, &settings).unwrap();
    assert!(lab.listens(ADDRESS, 443) && lab.listens(ADDRESS, 5061));
    assert!(!registers(&lab, "101", "wrong"));
    assert!(!registers(&lab, "102", "right"));
    assert_eq!(kamailio.contacts("101").unwrap(), Vec::<String>::new());
    assert!(registers(&lab, "101", "right"), "{}", kamailio.log());
    let contacts = kamailio.contacts("101").unwrap();
    assert!(
        contacts.len() == 1 && contacts[0].starts_with("sip:101@10.20.0.1:"),
        "{contacts:?}"
    );

    kamailio.restart().unwrap();
    assert_eq!(kamailio.contacts("101").unwrap(), Vec::<String>::new());
    kamailio.kill();
    assert!(
        until(|| !lab.listens(ADDRESS, 443)),
        "its workers are gone too"
    );
}

#[test]
fn a_configuration_that_is_refused_is_told_and_a_later_restart_heals() {
    let lab = Lab::start(&["10.20.0.10/24"]).unwrap();
    let folder = lab.folder("conf").unwrap();
    let write = |text: &str| fs::write(folder.join("kamailio.cfg"), text).unwrap();
    write("#!KAMAILIO\nlisten=udp:10.20.0.10:5060\nrequest_route { no_such_thing(); }\n");
    let problem = Kamailio::start(&lab, &folder).unwrap_err().to_string();
    assert!(problem.contains("no_such_thing"), "{problem}");

    write(GOOD);
    let kamailio = Kamailio::start(&lab, &folder).unwrap();
    let version = kamailio.rpc("core.version", &json!([])).unwrap();
    assert!(
        version.as_str().unwrap().starts_with("kamailio 5."),
        "{version}"
    );
    write("nonsense\n");
    let restart = || lab.command(kamailio.restart_command()).output().unwrap();
    let refused = restart();
    assert!(!refused.status.success());
    assert!(kamailio.rpc("core.version", &json!([])).is_err());
    write(GOOD);
    let healed = restart();
    assert!(healed.status.success(), "{healed:?}");
}
