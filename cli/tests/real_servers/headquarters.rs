//! `examples/hq`, whole: every server that it names at the address that it names, 50 telephones and two gateways that know
//! nothing but their hardware addresses, and a provider who calls in. The main PBX goes and comes back.

#[path = "headquarters/desk.rs"]
mod desk;

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use switchover_lab::{
    DnsKey, DnsZone, Fleet, Kea, KeaSettings, Lab, NameServer, Pbx, PbxSettings, Provider, Role,
    Silence, Sshd, WebServer, WmsSettings,
};

use self::desk::{Desk, SCALE};
use super::KEA_PASSWORD;
use crate::environment::{Output, TestEnvironment, assert_no_secret};

const MAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);
const FAILOVER: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 10);
const PRIMARY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 53);
const SECONDARY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 54);
const FILES: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 80);
const KEAS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 20, 30, 5), Ipv4Addr::new(10, 20, 30, 6)];
const PROVIDER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const ZONE: &str = "acme.example";
const TOKENS: [&str; 2] = ["main-token-4711", "standby-token-0815"];
/// Of 50 people, a fax and a lift.
const EXTENSIONS: usize = 52;
const LONG: Duration = Duration::from_secs(60);
/// How many seconds of this clock a telephone may be late because the machine is busy.
const BUSY: f64 = 0.5;

struct Headquarters {
    lab: Lab,
    environment: TestEnvironment,
    main: Pbx,
    failover: Pbx,
    keas: [Kea; 2],
    primary: NameServer,
    secondary: NameServer,
    authority: PathBuf,
    secrets: Vec<String>,
    _files: (Sshd, WebServer),
}

impl Headquarters {
    /// The servers as they are before anybody has configured them for telephones.
    fn new() -> Self {
        let lab = Lab::start(&[
            // Kea takes the first address of its interface for what tells the subnet.
            "10.20.30.1/24",
            "10.20.30.5/24",
            "10.20.30.6/24",
            "10.20.0.10/24",
            "10.20.0.53/24",
            "10.20.0.54/24",
            "10.20.0.80/24",
            "10.20.1.10/24",
            "203.0.113.10/24",
        ])
        .unwrap();
        let pbx = |address, hostname: &str, token: &str| {
            let wms = WmsSettings {
                address,
                token: token.to_owned(),
                ..WmsSettings::default()
            };
            let hostname = hostname.to_owned();
            Pbx::start(&lab, PbxSettings { hostname, wms }).unwrap()
        };
        let (main, failover) = (
            pbx(MAIN, "pbx1.acme.example", TOKENS[0]),
            pbx(FAILOVER, "pbx2.acme.example", TOKENS[1]),
        );
        let keas = KEAS.map(|address| {
            let settings = KeaSettings {
                address,
                port: 8000,
                password: Some(KEA_PASSWORD.to_owned()),
                dhcp4: json!({}),
            };
            Kea::start(&lab, settings).unwrap()
        });
        let zone = DnsZone {
            name: ZONE,
            records: "",
            dynamic: true,
            secondary: Some(SECONDARY),
        };
        let primary = NameServer::bind(&lab, PRIMARY, &zone).unwrap();
        let secondary = NameServer::bind_secondary(&lab, SECONDARY, ZONE, PRIMARY).unwrap();
        let folder = lab.folder("provisioning").unwrap();
        let sshd = Sshd::in_lab(&lab, FILES, 22).unwrap();
        let web = WebServer::start_secure(&lab, FILES, "prov.acme.example", &folder).unwrap();

        let authority = lab.path().join("authority.pem");
        let certificates = [main.certificate(), failover.certificate()]
            .into_iter()
            .chain(web.certificate())
            .map(|file| fs::read_to_string(file).unwrap());
        fs::write(&authority, certificates.collect::<String>()).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("SSL_CERT_FILE", authority.to_str().unwrap());
        let words: Vec<String> = sshd
            .client()
            .iter()
            .map(|word| format!("{word:?}"))
            .collect();
        environment.write(
            "../home/.config/switchover/config.kdl",
            &format!("ssh {}\n", words.join(" ")),
        );
        let secrets = copy_example(&mut environment, &sshd.url(&folder));
        Self {
            lab,
            environment,
            main,
            failover,
            keas,
            primary,
            secondary,
            authority,
            secrets,
            _files: (sshd, web),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    /// What the administrators do by hand, as `switchover runbook` tells them: no API does it.
    fn do_what_only_people_can(&self) {
        for (pbx, other) in [(&self.main, "pbx2"), (&self.failover, "pbx1")] {
            let wms = pbx.wms();
            wms.join(other, &format!("{other}.acme.example"));
            wms.join("rome", "pbx.rome.acme.example");
        }
        let wms = self.main.wms();
        wms.add_trunk_from("telco-a", &PROVIDER.to_string());
        wms.add_call_group_of("sales", "linear", &["101", "102"]);
    }

    #[track_caller]
    fn assert_settled(&self) {
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{plan}");
        assert!(plan.stdout.contains("no changes"), "{plan}");
    }

    /// Has the tool itself look for every extension on both PBXs.
    fn compare_registrations(&self) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        let compared = text.replace(
            "plugin=\"wildix\" {\n",
            "plugin=\"wildix\" {\n    verify-registrations #true\n",
        );
        assert_eq!(compared.matches("verify-registrations").count(), 2);
        fs::write(path, compared).unwrap();
    }

    /// What both DHCP servers and the zone hold.
    fn services(&self) -> ([Value; 2], Vec<String>) {
        let keas = self.keas.each_ref().map(|kea| kea.config_get().unwrap());
        (keas, self.primary.records(ZONE).unwrap())
    }

    /// Leases and names get other times, and the generation before brings the old ones back, while every telephone stays
    /// registered.
    fn go_back_a_generation(&self, fleet: &Fleet) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        let before = self.services();
        let registrations = || -> Vec<_> {
            let phones = fleet.phones().into_values();
            phones.map(|phone| (phone.main, phone.failover)).collect()
        };
        let registered = registrations();
        let shorter = text
            .replace("lease \"8h\"", "lease \"4h\"")
            .replace("ttl \"60s\"", "ttl \"30s\"");
        fs::write(&path, shorter).unwrap();
        let applied = self.run(&["apply", "--yes", "--allow-large-change"]);
        assert_eq!(applied.code, Some(0), "{applied}");
        let changed = self.services();
        for (now, old) in changed.0.iter().zip(&before.0) {
            assert_ne!(now, old);
        }
        assert_ne!(changed.1, before.1);

        // Neither the topology nor what it includes is needed.
        fs::remove_file(&path).unwrap();
        let going_back = Instant::now();
        let rolled_back = self.run(&["rollback", "--yes", "--allow-large-change"]);
        assert_eq!(rolled_back.code, Some(0), "{rolled_back}");
        println!("rolled back in {:?}", going_back.elapsed());
        assert_eq!(self.services(), before);
        for kea in &self.keas {
            kea.wait_for_pair("hot-standby").unwrap();
        }
        assert_eq!(registrations(), registered, "registered all the time");
        fs::write(&path, text).unwrap();
        self.assert_settled();
    }

    /// Devices as the topology has them, by name.
    fn devices(&self) -> Vec<Value> {
        let shown = self.run(&["show", "--format", "json"]);
        assert_eq!(shown.code, Some(0), "{shown}");
        let topology: Value = serde_json::from_str(&shown.stdout).unwrap();
        topology["device"].as_array().unwrap().clone()
    }

    /// Every extension has exactly this contact, on this PBX.
    #[track_caller]
    fn assert_registered(&self, pbx: &Pbx, desks: &[Desk]) {
        for desk in desks {
            let contacts = pbx.contacts(desk.extension()).unwrap();
            assert_eq!(contacts.len(), 1, "{contacts:?}");
            let contact = format!("sip:{}@{}:", desk.extension(), desk.address());
            assert!(contacts[0].starts_with(&contact), "{contacts:?}");
        }
    }
}

/// What the lab cannot have as the example has it, and what it has instead.
fn substitutions(files: &str, password_file: &Path) -> [(&'static str, String); 3] {
    [
        // The SSH server here lets in whoever runs the test.
        ("ssh://deploy@10.20.0.80/srv/provisioning", files.to_owned()),
        ("/etc/kea/kea-api-password", password_file.display().to_string()),
        // The pair of DHCP servers goes with the clock of the telephones.
        (
            "ha-user \"kea\"",
            "ha-user \"kea\"\n    ha-heartbeat-delay-ms 500\n    ha-max-response-delay-ms 5000\n    \
             ha-max-unacked-clients 0\n    "
                .to_owned(),
        ),
    ]
}

/// Copies the example as it stands, but for the substitutions, and gives every secret that it names a value. Gives those.
fn copy_example(environment: &mut TestEnvironment, files: &str) -> Vec<String> {
    let password_file = environment.write("kea-password", KEA_PASSWORD);
    let mut substitutions = BTreeMap::from(substitutions(files, &password_file));
    let mut secrets = Vec::new();
    let mut unused: Vec<&str> = substitutions.keys().copied().collect();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hq");
    for entry in fs::read_dir(example).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        for (old, new) in &mut substitutions {
            if text.contains(old) {
                text = text.replace(old, new);
                unused.retain(|one| one != old);
            }
        }
        for named in text.split("env:").skip(1) {
            let is_name = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
            let name: String = named.chars().take_while(is_name).collect();
            let value = match name.as_str() {
                "KEA_PASSWORD" => KEA_PASSWORD.to_owned(),
                "TSIG_SECRET" => DnsKey::SWITCHOVER.secret.to_owned(),
                "WMS_MAIN_TOKEN" => TOKENS[0].to_owned(),
                "WMS_STANDBY_TOKEN" => TOKENS[1].to_owned(),
                name => format!("{name}-of-the-test").to_lowercase(),
            };
            environment.set(&name, &value);
            secrets.push(value);
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        environment.write(name, &text);
    }
    assert_eq!(unused, [""; 0], "the example does not have these any more");
    secrets
}

/// All of them have changed over to that PBX, each within the window that is documented for its model. The main PBX went,
/// or came back, between the two moments.
#[track_caller]
fn assert_in_their_windows(fleet: &Fleet, happened: [SystemTime; 2], to: Role) {
    let tolerance = BUSY / SCALE;
    let since_it_began = fleet.silences(happened[0]);
    assert_eq!(since_it_began.len(), EXTENSIONS);
    for silence in &since_it_began {
        assert_eq!(silence.to, to);
        assert!(
            silence.seconds >= f64::from(silence.window.min) - tolerance,
            "{silence:?}"
        );
    }
    let since_it_was_over = fleet.silences(happened[1]);
    for silence in &since_it_was_over {
        assert!(
            silence.seconds <= f64::from(silence.window.max) + tolerance,
            "{silence:?}"
        );
    }
    let worst = since_it_was_over.iter().max_by(|one, other| {
        let late = |it: &Silence| it.seconds / f64::from(it.window.max);
        late(one).total_cmp(&late(other))
    });
    println!("{EXTENSIONS} devices use the {to}; the latest for its model: {worst:?}");
}

#[test]
fn headquarters_from_nothing_through_a_failover_and_back() {
    let started = Instant::now();
    let mut site = Headquarters::new();
    site.do_what_only_people_can();
    let validated = site.run(&["validate"]);
    assert_eq!(validated.code, Some(0), "{validated}");
    println!("servers after {:?}", started.elapsed());

    let applying = Instant::now();
    let applied = site.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    println!("applied in {:?}", applying.elapsed());
    site.assert_settled();
    let secrets: Vec<&str> = site.secrets.iter().map(String::as_str).collect();
    let state = site.environment.work().join(".switchover");
    assert_no_secret(&secrets, &[&applied.everything()], &state);
    for kea in &site.keas {
        kea.wait_for_pair("hot-standby").unwrap();
    }
    assert_eq!(
        site.secondary.records(ZONE).unwrap(),
        site.primary.records(ZONE).unwrap()
    );
    // What the main PBX does every two hours.
    site.main.wms().sync_to(site.failover.wms());
    site.assert_settled();

    let plugged = Instant::now();
    let desks = desk::set_up(&site.lab, &site.devices(), &site.authority);
    println!(
        "{} devices have their files after {:?}",
        desks.len(),
        plugged.elapsed()
    );
    assert_eq!(desks.len(), EXTENSIONS);
    let fleet = desk::switch_on(&desks);
    let everywhere = |fleet: &Fleet| {
        fleet
            .wait(LONG, |now| {
                now.registered_both == EXTENSIONS && now.on_main == EXTENSIONS
            })
            .unwrap()
    };
    everywhere(&fleet);
    println!("registered on both PBXs after {:?}", plugged.elapsed());
    site.assert_registered(&site.main, &desks);
    site.assert_registered(&site.failover, &desks);
    site.compare_registrations();
    site.assert_settled();

    // A telephone each over TCP and TLS, a gateway each over TLS and UDP, and the call group.
    let provider = Provider::new(&site.lab, PROVIDER);
    let calls_arrive_through = |pbx: Ipv4Addr| {
        for number in ["101", "111", "190", "191", "sales"] {
            let through = provider.call(&[MAIN, FAILOVER], number).unwrap();
            assert_eq!(through, pbx, "{number}");
        }
    };
    calls_arrive_through(MAIN);
    site.go_back_a_generation(&fleet);

    let killing = SystemTime::now();
    site.main.kill();
    let killed = SystemTime::now();
    let summary = fleet
        .wait(LONG, |now| now.on_failover == EXTENSIONS)
        .unwrap();
    assert_eq!(summary.registered_main, 0);
    assert_in_their_windows(&fleet, [killing, killed], Role::Failover);
    calls_arrive_through(FAILOVER);

    let starting = SystemTime::now();
    site.main.restart().unwrap();
    let back = SystemTime::now();
    everywhere(&fleet);
    assert_in_their_windows(&fleet, [starting, back], Role::Main);
    calls_arrive_through(MAIN);
    site.assert_registered(&site.main, &desks);
    site.assert_settled();

    // What else stands in the rack of the main PBX goes, too: whoever is switched on then finds the same on what is left.
    site.primary.stop().unwrap();
    site.keas[0].stop().unwrap();
    site.keas[1].wait_for_pair("partner-down").unwrap();
    let first = desks.iter().find(|desk| desk.extension() == "101");
    first.unwrap().ask_again();
    println!("all in {:?}", started.elapsed());
}
