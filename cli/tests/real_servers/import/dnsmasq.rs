use std::fs;
use std::net::Ipv4Addr;

use insta::assert_snapshot;
use switchover_lab::{Dnsmasq, Lab};

use super::{assert_valid, fill_in_models, unchanged};
use crate::environment::TestEnvironment;

const BY_HAND: &str = "\
# The office, as it grew
domain=acme.example
dhcp-authoritative
dhcp-range=set:voice,10.20.30.100,10.20.30.220,255.255.255.0,12h
dhcp-option=tag:voice,option:router,10.20.30.1   # the firewall
dhcp-option=tag:voice,option:dns-server,10.20.0.53,10.20.0.54
dhcp-option=42,10.20.30.1
dhcp-option=tag:voice,66,\"https://prov.acme.example/\"
dhcp-option=vendor:PXEClient,1,0.0.0.0
dhcp-host=9c:75:14:00:01:01,10.20.30.11,wp480-hall
dhcp-host=00:11:22:33:44:55,10.20.30.77,printer,infinite
host-record=pbx1.acme.example,10.20.0.10
host-record=mail,mail.acme.example,10.20.0.25,600
cname=www.acme.example,pbx1.acme.example
srv-host=_sip._udp.acme.example,pbx1.acme.example,5060,10,100
address=/blocked.example/0.0.0.0
";

/// What switchover itself writes for a network, a device and a zone, with a line of somebody else's.
const LIKE_OURS: &str = "\
# -- server
local-ttl=60

# -- networks
dhcp-range=set:net-voice,10.20.30.100,10.20.30.220,255.255.255.0,28800
dhcp-option=tag:net-voice,3,10.20.30.1
dhcp-option=tag:net-voice,6,10.20.0.53,10.20.0.54
dhcp-option=tag:net-voice,160,\"https://prov.acme.example/\"

# -- devices
dhcp-host=9c:75:14:00:01:01,10.20.30.11,wp480-hall
dhcp-host=9c:75:14:00:01:02,10.20.30.12,sales
dhcp-host=9c:75:14:00:01:03,10.20.30.13,attic,12h

# -- records
host-record=pbx1.acme.example,10.20.0.10,60
srv-host=_sip._udp.acme.example,pbx1.acme.example,5060,10,100
txt-record=acme.example,\"v=spf1 -all\"
log-queries
";

struct Office {
    lab: Lab,
    environment: TestEnvironment,
    _dnsmasq: Dnsmasq,
}

impl Office {
    fn new(name: &str, text: &str) -> Self {
        let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
        let environment = TestEnvironment::new();
        let folder = environment.work().join("dnsmasq.d");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        // It would not start with anything that it does not understand.
        let dnsmasq = Dnsmasq::start(&lab, Ipv4Addr::new(10, 20, 30, 5), &folder).unwrap();
        Self {
            lab,
            environment,
            _dnsmasq: dnsmasq,
        }
    }

    fn run(&self, arguments: &[&str]) -> crate::environment::Output {
        self.environment.run_in(&self.lab, arguments)
    }

    fn topology(&self) -> String {
        fs::read_to_string(self.environment.work().join("switchover.kdl")).unwrap()
    }
}

#[test]
fn what_was_written_by_hand_is_described() {
    let office = Office::new("office.conf", BY_HAND);
    let imported = office.run(&[
        "import",
        "dnsmasq",
        "--root",
        "dnsmasq.d",
        "-o",
        "switchover.kdl",
    ]);
    assert_eq!(imported.code, Some(0), "{imported}");
    assert_snapshot!("dnsmasq_topology", office.topology());
    assert_snapshot!("dnsmasq_notes", imported);
    assert_valid(&office.environment);
    assert_eq!(unchanged(|arguments| office.run(arguments)), 0);
    let file = office.environment.work().join("dnsmasq.d/office.conf");
    assert_eq!(fs::read_to_string(file).unwrap(), BY_HAND);
}

#[test]
fn lines_as_the_plugin_writes_them_are_handed_over() {
    let office = Office::new("switchover.conf", LIKE_OURS);
    let import = [
        "import",
        "dnsmasq",
        "--root",
        "dnsmasq.d",
        "--address",
        "10.20.30.5",
        "-o",
        "switchover.kdl",
    ];
    let imported = office.run(&import);
    assert_eq!(imported.code, Some(0), "{imported}");
    assert_snapshot!("dnsmasq_own_topology", office.topology());
    assert_snapshot!("dnsmasq_own_notes", imported);
    assert_valid(&office.environment);
    let handed_over = unchanged(|arguments| office.run(arguments));
    fill_in_models(&office.environment);
    assert_eq!(
        unchanged(|arguments| office.run(arguments)),
        handed_over + 1
    );
}
