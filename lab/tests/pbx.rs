//! The stand-in for a whole PBX: what its API was given is what its telephones find.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use switchover_lab::{
    Fleet, Lab, LabError, Pbx, PbxSettings, Provider, Registration, SipAccount, SipPhone,
    SipServer, SipTransport, WmsSettings, own_program,
};

const MAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);
const FAILOVER: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 10);
const PROVIDER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const LONG: Duration = Duration::from_secs(30);

struct Pair {
    lab: Lab,
    main: Pbx,
    failover: Pbx,
    authority: PathBuf,
}

fn pair() -> Pair {
    let lab = Lab::start(&["10.20.0.10/24", "10.20.1.10/24", "203.0.113.10/24"]).unwrap();
    let start = |address, hostname: &str| {
        let settings = PbxSettings {
            hostname: hostname.to_owned(),
            wms: WmsSettings {
                address,
                ..WmsSettings::default()
            },
        };
        Pbx::start(&lab, settings).unwrap()
    };
    let (main, failover) = (
        start(MAIN, "pbx1.acme.example"),
        start(FAILOVER, "pbx2.acme.example"),
    );
    let authority = lab.path().join("authority.pem");
    let certificates = [&main, &failover].map(|pbx| fs::read_to_string(pbx.certificate()).unwrap());
    fs::write(&authority, certificates.concat()).unwrap();
    Pair {
        lab,
        main,
        failover,
        authority,
    }
}

impl Pair {
    /// Asks the API of the main PBX, at the port that telephones use as well.
    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let mut curl = self.lab.command("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--request",
            method,
        ])
        .arg("--cacert")
        .arg(&self.authority)
        .args(["--header", "Authorization: Bearer wms-token"]);
        if let Some(body) = body {
            curl.args([
                "--header",
                "Content-Type: application/json",
                "--data",
                &body.to_string(),
            ]);
        }
        let output = curl
            .arg(format!("https://{MAIN}/api/v1/{path}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn add_user(&self, extension: &str) {
        let user =
            json!({ "name": "A user", "extension": extension, "sipPassword": password(extension) });
        let answer = self.api("POST", "PBX/Colleagues", Some(&user));
        assert_eq!(answer, json!({ "result": "Success" }));
    }

    /// The extensions that the API tells to be registered.
    fn registered(&self) -> Vec<String> {
        let answer = self.api("GET", "PBX/Users/Sip/Registrations", None);
        let found = answer["result"].as_object().unwrap();
        let is_online = |value: &Value| value["registrations"][0]["online"] == true;
        assert!(found.values().all(is_online), "{answer}");
        found.keys().cloned().collect()
    }

    fn phone(&self, user: &str, transport: SipTransport) -> SipPhone {
        let port = match transport {
            SipTransport::Udp => 5060,
            SipTransport::Tcp | SipTransport::Tls => 443,
        };
        let server = |address: Ipv4Addr| SipServer::new(address.to_string(), port);
        let account = SipAccount::new(user, password(user));
        let mut phone = SipPhone::new(account, server(MAIN), Some(server(FAILOVER)), transport);
        phone.authority = Some(self.authority.clone());
        phone.time_scale = 0.02;
        phone
    }

    fn fleet(&self, phones: &[SipPhone]) -> Fleet {
        let mut fleet = Fleet::new();
        let command = self.lab.command(own_program("phones").unwrap());
        fleet.add_process(command, phones).unwrap();
        fleet
    }
}

fn password(extension: &str) -> String {
    format!("only-for-tests-{extension}")
}

#[test]
fn telephones_register_with_what_the_api_was_given_and_the_api_tells_of_it() {
    let pair = pair();
    for extension in ["101", "102", "103"] {
        pair.add_user(extension);
    }
    let fleet = pair.fleet(&[
        pair.phone("101", SipTransport::Udp),
        pair.phone("102", SipTransport::Tcp),
        pair.phone("103", SipTransport::Tls),
    ]);
    fleet
        .wait(LONG, |now| now.registered_main == 3)
        .unwrap_or_else(|late| panic!("{late}\n{}", pair.main.log()));
    assert_eq!(pair.registered(), ["101", "102", "103"]);
    let refused = |registration: &Registration| matches!(registration, Registration::Away(..));
    for phone in fleet.phones().keys() {
        fleet
            .wait_for_phone(phone, LONG, |state| refused(&state.failover))
            .unwrap();
    }
    // The failover knows nobody before the first synchronisation.
    pair.main.wms().sync_to(pair.failover.wms());
    fleet.wait(LONG, |now| now.registered_both == 3).unwrap();
    let contacts = pair.failover.contacts("103").unwrap();
    assert!(contacts[0].contains("transport=tls"), "{contacts:?}");
}

#[test]
fn a_user_that_is_gone_or_has_another_password_is_refused() {
    let pair = pair();
    pair.add_user("101");
    pair.add_user("102");
    let users = pair.api(
        "GET",
        "PBX/Colleagues?count=1&searchFields=extension&search=101",
        None,
    );
    let id = users["result"]["records"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    pair.api("DELETE", &format!("PBX/Colleagues/{id}"), None);
    pair.main
        .wms()
        .change_user("102", "sipPassword", "another one");
    let fleet = pair.fleet(&[
        pair.phone("101", SipTransport::Tcp),
        pair.phone("102", SipTransport::Tcp),
    ]);
    for phone in ["101", "102"] {
        fleet
            .wait_for_phone(
                phone,
                LONG,
                |state| matches!(&state.main, Registration::Away(_, why) if why.contains("401")),
            )
            .unwrap();
    }
    assert_eq!(pair.registered(), Vec::<String>::new());
}

#[test]
fn calls_of_the_trunk_reach_telephones_and_groups_wherever_they_are_served() {
    let mut pair = pair();
    let provider = Provider::new(&pair.lab, PROVIDER);
    for extension in ["101", "102", "103"] {
        pair.add_user(extension);
    }
    let servers = [MAIN, FAILOVER];
    let fleet = pair.fleet(&[
        pair.phone("101", SipTransport::Udp),
        pair.phone("102", SipTransport::Tcp),
        pair.phone("103", SipTransport::Tls),
    ]);
    fleet.wait(LONG, |now| now.on_main == 3).unwrap();
    let stranger = provider.call(&servers, "101").unwrap_err();
    assert!(
        matches!(stranger, LabError::Command { .. }),
        "there is no trunk yet: {stranger}"
    );
    let wms = pair.main.wms();
    wms.add_trunk_from("telco", &PROVIDER.to_string());
    // Nobody is registered as 104, so that it is the next one's turn.
    wms.add_call_group_of("sales", "linear", &["104", "103"]);
    wms.sync_to(pair.failover.wms());
    fleet.wait(LONG, |now| now.registered_both == 3).unwrap();
    let numbers = ["101", "102", "103", "sales"];
    for number in numbers {
        assert_eq!(provider.call(&servers, number).unwrap(), MAIN, "{number}");
    }

    pair.main.kill();
    assert_eq!(pair.main.contacts("101").unwrap(), Vec::<String>::new());
    assert!(!pair.lab.listens(MAIN, 443) && !pair.lab.listens(MAIN, 80));
    fleet.wait(LONG, |now| now.on_failover == 3).unwrap();
    for number in numbers {
        assert_eq!(
            provider.call(&servers, number).unwrap(),
            FAILOVER,
            "{number}"
        );
    }

    // What it was configured with survives; who is registered does not.
    pair.main.restart().unwrap();
    fleet
        .wait(LONG, |now| now.on_main == 3)
        .unwrap_or_else(|late| panic!("{late}\n{}", pair.main.log()));
    for number in numbers {
        assert_eq!(provider.call(&servers, number).unwrap(), MAIN, "{number}");
    }
    fleet.wait(LONG, |now| now.registered_both == 3).unwrap();
    assert_eq!(pair.registered(), ["101", "102", "103"]);
    fleet
        .wait_for_phone("103", LONG, |phone| phone.calls_up == 6)
        .unwrap();
}
