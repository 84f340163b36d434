use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use switchover_lab::{Lab, Wms, WmsSettings};

use super::{Network, Subject, conforms};
use crate::environment::TestEnvironment;

const TOKEN: &str = "wms-token-4711";

/// The source of the synchronisation. A WMS cannot be had, so it is the stand-in for its documented API.
struct Pbx {
    wms: Wms,
    lab: Lab,
}

impl Subject for Pbx {
    const PLUGIN: &'static str = "wildix";

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self {
        environment.set("WMS_TOKEN", TOKEN);
        environment.set("SIP_PASSWORD", "sip-secret-0815");
        let settings = WmsSettings {
            address: Ipv4Addr::new(10, 20, 0, 5),
            token: TOKEN.to_owned(),
            ..WmsSettings::default()
        };
        let wms = Wms::start(lab, settings).unwrap();
        wms.join("pbx2", "pbx2.acme.example");
        Self {
            wms,
            lab: lab.clone(),
        }
    }

    fn server(&self) -> String {
        format!("WMS stand-in {}", WmsSettings::default().version)
    }

    fn site(&self) -> String {
        let site = include_str!("site.kdl");
        let main = "    failure-domain \"rack-a\"\n";
        assert!(site.contains(main));
        site.replace(main, &format!("{main}    target \"subject\"\n"))
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        "dhcp \"office\" {\n    server \"dhcp1\" address=\"10.20.0.7\"\n    lease \"8h\"\n}\n\
         defaults \"user\" sip-password=(secret)\"env:SIP_PASSWORD\"\n\
         provisioning \"phones\" {\n    url \"http://10.20.0.80/\"\n}\n\
         target \"subject\" plugin=\"wildix\" {\n    endpoint \"http://10.20.0.5\"\n    \
         auth \"bearer\" token=(secret)\"env:WMS_TOKEN\"\n}\n"
            .to_owned()
    }

    /// It checks each request for itself, and has refused none.
    fn assert_accepted(&self) {
        for request in self.wms.requests() {
            assert_eq!(request.status, 200, "{request:?}");
        }
        assert_eq!(self.wms.reboots(), 0);
    }

    /// But for ids, and for the order of records: what is made again gets another.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut configuration = self.wms.configuration();
        for records in configuration.as_object_mut().unwrap().values_mut() {
            if let Value::Array(records) = records {
                records.sort_by_key(ToString::to_string);
            }
        }
        let parts = configuration.as_object().unwrap().iter();
        parts
            .map(|(name, records)| (name.clone(), records.to_string().into_bytes()))
            .collect()
    }

    fn add_foreign(&mut self) {
        self.wms
            .add_user(&json!({ "name": "Somebody", "extension": "7000" }));
        self.wms.add_device("001122334455");
    }

    fn has_foreign(&self) -> bool {
        self.wms
            .user("7000")
            .is_some_and(|user| user["name"] == "Somebody")
            && self.wms.device("001122334455").is_some()
    }

    fn drift(&mut self) {
        self.wms.change_user("107", "name", "Somebody else's desk");
    }

    fn network(&self) -> Option<Network> {
        let words = ["http://10.20.0.5\"", "http://10.20.0.6\""].map(str::to_owned);
        Some(Network::new("10.20.0.5:80", "10.20.0.6:80", words))
    }

    const GIVES_IDS: bool = true;
    const RESTARTS: bool = true;

    fn restart(&mut self) {
        self.wms.restart(&self.lab).unwrap();
    }
}

#[test]
fn wildix_conforms() {
    conforms::<Pbx>();
}

#[test]
fn wildix_survives_faults() {
    super::faults::survives::<Pbx>(module_path!(), "wildix_survives_faults");
}

#[test]
fn wildix_is_taken_back_in_pieces() {
    super::faults::is_taken_back_in_pieces::<Pbx>(module_path!(), "wildix_is_taken_back_in_pieces");
}

#[test]
fn wildix_is_finished_in_place() {
    super::faults::is_finished_in_place::<Pbx>(module_path!(), "wildix_is_finished_in_place");
}
