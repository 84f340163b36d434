use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::Ipv4Addr;

use switchover_lab::{DnsKey, DnsZone, Lab, LabError, NameServer};

use super::{Network, Subject, conforms, version_of};
use crate::environment::TestEnvironment;

const ZONE: &str = "acme.example";

/// A name server that takes updates.
trait Product {
    const NAME: &'static str;
    const PROGRAM: &'static str;
    const VERSION: &'static str = "--version";

    fn start(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<NameServer, LabError>;
}

struct Bind;
struct Knot;
struct PowerDns;

impl Product for Bind {
    const NAME: &'static str = "BIND";
    const PROGRAM: &'static str = "named";
    const VERSION: &'static str = "-v";

    fn start(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<NameServer, LabError> {
        NameServer::bind(lab, address, zone)
    }
}

impl Product for Knot {
    const NAME: &'static str = "Knot DNS";
    const PROGRAM: &'static str = "knotd";

    fn start(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<NameServer, LabError> {
        NameServer::knot(lab, address, zone)
    }
}

impl Product for PowerDns {
    const NAME: &'static str = "PowerDNS";
    const PROGRAM: &'static str = "pdns_server";

    fn start(lab: &Lab, address: Ipv4Addr, zone: &DnsZone<'_>) -> Result<NameServer, LabError> {
        NameServer::powerdns(lab, address, zone)
    }
}

struct Zone<P> {
    lab: Lab,
    server: NameServer,
    product: PhantomData<P>,
}

impl<P: Product> Subject for Zone<P> {
    const PLUGIN: &'static str = "rfc2136";

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        environment.set("TSIG_SECRET", DnsKey::SWITCHOVER.secret);
        let zone = DnsZone {
            name: ZONE,
            records: "mail A 10.20.0.78",
            dynamic: true,
            secondary: None,
        };
        Self {
            lab: lab.clone(),
            server: P::start(lab, Ipv4Addr::new(10, 20, 0, 5), &zone).unwrap(),
            product: PhantomData,
        }
    }

    fn server(&self) -> String {
        let version = version_of(&self.lab, P::PROGRAM, P::VERSION);
        format!("{} {version}", P::NAME)
    }

    fn services(&self, devices: &BTreeMap<u8, [u8; 2]>) -> String {
        let records: String = devices
            .iter()
            .map(|(number, [high, low])| {
                format!("    record \"d{number}\" \"A\" \"10.20.{high}.{low}\"\n")
            })
            .collect();
        format!(
            "dhcp \"office\" {{\n    server \"dhcp1\" address=\"10.20.0.7\"\n    lease \"8h\"\n}}\n\
             provisioning \"phones\" {{\n    url \"http://10.20.0.80/\"\n}}\n\
             dns \"{ZONE}\" {{\n    server \"ns1\" address=\"10.20.0.5\" role=\"primary\" target=\"subject\"\n    \
             ttl \"60s\"\n{records}}}\n\
             target \"subject\" plugin=\"rfc2136\" {{\n    server \"10.20.0.5\"\n    \
             tsig \"switchover\" algorithm=\"hmac-sha256\" secret=(secret)\"env:TSIG_SECRET\"\n}}\n"
        )
    }

    fn assert_accepted(&self) {
        self.server.check(ZONE).unwrap();
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut records = self.server.records(ZONE).unwrap();
        records.sort();
        BTreeMap::from([("zone".to_owned(), records.join("\n").into_bytes())])
    }

    fn add_foreign(&mut self) {
        self.server
            .edit(ZONE, &["update add printer.acme.example. 300 A 10.20.0.77"])
            .unwrap();
    }

    fn has_foreign(&self) -> bool {
        let found = |name: &str| self.server.lookup(name, "A").unwrap();
        found("printer.acme.example") == ["10.20.0.77"]
            && found("mail.acme.example") == ["10.20.0.78"]
    }

    fn drift(&mut self) {
        self.server
            .edit(ZONE, &["update delete d7.acme.example. A"])
            .unwrap();
    }

    fn network(&self) -> Option<Network> {
        let words = ["    server \"10.20.0.5\"\n", "    server \"10.20.0.6\"\n"].map(str::to_owned);
        Some(Network::new("10.20.0.5:53", "10.20.0.6:53", words))
    }

    const RESTARTS: bool = true;

    fn restart(&mut self) {
        self.server.restart().unwrap();
    }
}

#[test]
fn rfc2136_conforms_with_bind() {
    conforms::<Zone<Bind>>();
}

#[test]
fn rfc2136_conforms_with_knot() {
    conforms::<Zone<Knot>>();
}

#[test]
fn rfc2136_conforms_with_powerdns() {
    conforms::<Zone<PowerDns>>();
}

#[test]
fn rfc2136_survives_faults_with_bind() {
    super::faults::survives::<Zone<Bind>>(module_path!(), "rfc2136_survives_faults_with_bind");
}

#[test]
fn rfc2136_survives_faults_with_knot() {
    super::faults::survives::<Zone<Knot>>(module_path!(), "rfc2136_survives_faults_with_knot");
}

#[test]
fn rfc2136_survives_faults_with_powerdns() {
    super::faults::survives::<Zone<PowerDns>>(
        module_path!(),
        "rfc2136_survives_faults_with_powerdns",
    );
}

#[test]
fn rfc2136_is_finished_in_place() {
    super::faults::is_finished_in_place::<Zone<Bind>>(
        module_path!(),
        "rfc2136_is_finished_in_place",
    );
}
