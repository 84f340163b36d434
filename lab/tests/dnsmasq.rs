use std::fs;
use std::net::Ipv4Addr;

use switchover_lab::{Dnsmasq, WebServer, akuvox_settings};

use crate::{PHONE, lab};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 5);

const CONFIGURATION: &str = "
dhcp-range=10.20.30.100,10.20.30.110,255.255.255.0,8h
dhcp-host=9c:75:14:00:01:01,10.20.30.11
dhcp-option=option:dns-server,10.20.30.5
dhcp-option=option:tftp-server,\"http://prov.acme.example/\"
host-record=prov.acme.example,10.20.30.5
srv-host=_sips._tcp.acme.example,pbx1.acme.example,443,10,100
srv-host=_sips._tcp.acme.example,pbx2.acme.example,443,20,100
naptr-record=acme.example,10,50,s,SIPS+D2T,,_sips._tcp.acme.example
";

#[test]
fn a_phone_finds_its_file_by_name_and_both_servers() {
    let lab = lab();
    let (configuration, files) = (lab.folder("conf").unwrap(), lab.folder("files").unwrap());
    fs::write(configuration.join("site.conf"), CONFIGURATION).unwrap();
    fs::write(
        files.join("9c7514000101.cfg"),
        "#!version:1.0.0.1\nConfig.Account1.SIP.Server = pbx1\n",
    )
    .unwrap();
    let _dnsmasq = Dnsmasq::start(&lab, SERVER, &configuration).unwrap();
    let web = WebServer::start(&lab, SERVER, 80, &files).unwrap();

    let phone = lab.phone(PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
    assert_eq!(lease.addresses(6), [SERVER]);
    let url = lease.text(66).unwrap();
    let file = phone.fetch(&format!("{url}9c7514000101.cfg")).unwrap();
    let settings = akuvox_settings(&String::from_utf8(file).unwrap());
    assert_eq!(settings["Config.Account1.SIP.Server"], "pbx1");
    assert!(web.log().contains("9c7514000101.cfg"), "{}", web.log());
    assert!(phone.fetch(&format!("{url}nothing.cfg")).is_err());

    let mut servers = phone.lookup("_sips._tcp.acme.example", "SRV").unwrap();
    servers.sort();
    assert_eq!(
        servers,
        [
            "10 100 443 pbx1.acme.example.",
            "20 100 443 pbx2.acme.example."
        ]
    );
    let naptr = phone.lookup("acme.example", "NAPTR").unwrap();
    assert_eq!(
        naptr,
        ["10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example."]
    );
}

#[test]
fn a_restart_reads_the_files_again() {
    let lab = lab();
    let configuration = lab.folder("conf").unwrap();
    let file = configuration.join("site.conf");
    fs::write(&file, CONFIGURATION).unwrap();
    let dnsmasq = Dnsmasq::start(&lab, SERVER, &configuration).unwrap();
    let phone = lab.phone(PHONE).unwrap();
    phone.dhcp().unwrap();
    fs::write(
        &file,
        CONFIGURATION.replace(
            "prov.acme.example,10.20.30.5",
            "prov.acme.example,10.20.30.6",
        ),
    )
    .unwrap();
    assert_eq!(
        phone.lookup("prov.acme.example", "A").unwrap(),
        ["10.20.30.5"]
    );
    assert!(
        lab.command(dnsmasq.restart_command())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        phone.lookup("prov.acme.example", "A").unwrap(),
        ["10.20.30.6"]
    );
}

#[test]
fn a_broken_file_is_told() {
    let lab = lab();
    let configuration = lab.folder("conf").unwrap();
    fs::write(configuration.join("site.conf"), "no-such-option\n").unwrap();
    let problem = Dnsmasq::start(&lab, SERVER, &configuration)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("bad option at line 1"), "{problem}");
}
