use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab};

use super::{Network, Subject, conforms};
use crate::environment::TestEnvironment;

struct KeaServer(Kea);

impl KeaServer {
    fn set(&self, change: impl Fn(&mut Value)) {
        let mut config = self.0.config_get().unwrap();
        change(&mut config);
        for command in ["config-set", "config-write"] {
            let arguments = match command {
                "config-set" => json!({ "command": command, "arguments": { "Dhcp4": config } }),
                _ => json!({ "command": command }),
            };
            let answer = self.0.command(&arguments).unwrap();
            assert_eq!(answer["result"], 0, "{answer}");
        }
    }
}

impl Subject for KeaServer {
    const PLUGIN: &'static str = "kea";

    fn start(lab: &Lab, _: &mut TestEnvironment) -> Self {
        let settings = KeaSettings {
            address: Ipv4Addr::new(10, 20, 0, 5),
            port: 8000,
            password: None,
            dhcp4: json!({}),
        };
        Self(Kea::start(lab, settings).unwrap())
    }

    fn server(&self) -> String {
        let answer = self
            .0
            .command(&json!({ "command": "version-get" }))
            .unwrap();
        format!("Kea {}", answer["text"].as_str().unwrap())
    }

    fn services(&self, _: &BTreeMap<u8, [u8; 2]>) -> String {
        "dhcp \"office\" {\n    server \"dhcp1\" address=\"10.20.0.5\" target=\"subject\"\n    lease \"8h\"\n}\n\
         provisioning \"phones\" {\n    url \"http://10.20.0.80/\"\n}\n\
         target \"subject\" plugin=\"kea\" {\n    endpoint \"http://10.20.0.5:8000/\"\n}\n"
            .to_owned()
    }

    fn assert_accepted(&self) {
        let config = self.0.config_get().unwrap();
        let test = json!({ "command": "config-test", "arguments": { "Dhcp4": config } });
        let answer = self.0.command(&test).unwrap();
        assert_eq!(answer["result"], 0, "{answer}");
    }

    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let config = self.0.config_get().unwrap().to_string();
        BTreeMap::from([("configuration".to_owned(), config.into_bytes())])
    }

    fn add_foreign(&mut self) {
        self.set(|config| {
            let subnets = config["subnet4"].as_array_mut().unwrap();
            subnets.push(json!({ "id": 4711, "subnet": "192.0.2.0/24", "valid-lifetime": 777 }));
        });
    }

    fn has_foreign(&self) -> bool {
        let config = self.0.config_get().unwrap();
        let subnets = config["subnet4"].as_array().unwrap().clone();
        subnets
            .iter()
            .any(|subnet| subnet["subnet"] == "192.0.2.0/24" && subnet["valid-lifetime"] == 777)
    }

    fn drift(&mut self) {
        self.set(|config| {
            let subnets = config["subnet4"].as_array_mut().unwrap();
            let ours = subnets
                .iter_mut()
                .find(|subnet| subnet["subnet"] == "10.20.0.0/16")
                .unwrap();
            let reservations = ours["reservations"].as_array_mut().unwrap();
            reservations.retain(|reservation| reservation["ip-address"] != "10.20.30.7");
        });
    }

    fn network(&self) -> Option<Network> {
        let words = ["10.20.0.5:8000", "10.20.0.6:8000"].map(str::to_owned);
        Some(Network::new("10.20.0.5:8000", "10.20.0.6:8000", words))
    }

    const RESTARTS: bool = true;

    fn restart(&mut self) {
        self.0.restart().unwrap();
    }
}

#[test]
fn kea_conforms() {
    conforms::<KeaServer>();
}

#[test]
fn kea_survives_faults() {
    super::faults::survives::<KeaServer>(module_path!(), "kea_survives_faults");
}
