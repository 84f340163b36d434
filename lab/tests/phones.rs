//! Simulated phones against a real pair of Kamailios.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use switchover_lab::{
    Dnsmasq, Fleet, FleetError, Kamailio, Keepalive, Lab, RegistrarSettings, Registration, Role,
    SecondsWindow, SipAccount, SipPhone, SipServer, SipTransport, Summary, WebServer, Windows,
};

use crate::until;

#[path = "phones/scripted.rs"]
mod scripted;

const MAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);
const FAILOVER: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 10);
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
const PASSWORD: &str = "only-for-tests";
/// A minute in three seconds.
const SCALE: f64 = 0.05;
/// How many seconds of this clock a phone may be late because the machine is busy.
const BUSY: f64 = 0.5;
const LONG: Duration = Duration::from_secs(60);

/// Two registrars with the same users, and the certificates of both.
struct Pair {
    lab: Lab,
    main: Kamailio,
    failover: Kamailio,
    main_folder: PathBuf,
    authority: PathBuf,
}

fn pair(users: &[String]) -> Pair {
    let lab = Lab::start(&["10.20.0.1/16", "10.20.0.10/16", "10.20.1.10/16"]).unwrap();
    let settings = |address, name: &str| RegistrarSettings {
        address,
        names: vec![name.to_owned()],
        listen: vec![
            (SipTransport::Udp, 5060),
            (SipTransport::Tcp, 5060),
            (SipTransport::Tls, 443),
        ],
        users: users
            .iter()
            .map(|user| (user.clone(), PASSWORD.to_owned()))
            .collect(),
    };
    let main = Kamailio::registrar(&lab, &settings(MAIN, "pbx1.acme.example")).unwrap();
    let failover = Kamailio::registrar(&lab, &settings(FAILOVER, "pbx2.acme.example")).unwrap();
    let main_folder = main.folder().to_owned();
    let certificates =
        [&main, &failover].map(|server| fs::read_to_string(server.certificate().unwrap()).unwrap());
    let authority = lab.path().join("authority.pem");
    fs::write(&authority, certificates.concat()).unwrap();
    Pair {
        lab,
        main,
        failover,
        main_folder,
        authority,
    }
}

impl Pair {
    fn phone(&self, user: &str, transport: SipTransport) -> SipPhone {
        let port = if transport == SipTransport::Tls {
            443
        } else {
            5060
        };
        let server = |address: Ipv4Addr| SipServer::new(address.to_string(), port);
        let account = SipAccount::new(user, PASSWORD);
        let mut phone = SipPhone::new(account, server(MAIN), Some(server(FAILOVER)), transport);
        phone.authority = Some(self.authority.clone());
        phone.time_scale = SCALE;
        phone
    }

    fn fleet(&self, phones: &[SipPhone]) -> Fleet {
        let mut fleet = Fleet::new();
        let command = self.lab.command(env!("CARGO_BIN_EXE_phones"));
        fleet.add_process(command, phones).unwrap();
        fleet
    }

    /// Calls an extension through a server with sipp, hangs up, and tells what went wrong.
    fn call(&self, server: Ipv4Addr, extension: &str) -> Result<(), String> {
        let folder = self.lab.folder("sipp").unwrap();
        let scenario = folder.join("call.xml");
        fs::write(&scenario, include_str!("phones/call.xml")).unwrap();
        let output = self
            .lab
            .command("sipp")
            .arg("-sf")
            .arg(&scenario)
            .args(["-m", "1", "-i", "10.20.0.1", "-nostdin", "-timeout", "10s"])
            .args(["-s", extension, "-au", "900", "-ap", PASSWORD])
            .args(["-trace_err", "-error_file", "errors.log"])
            .arg(format!("{server}:5060"))
            .current_dir(&folder)
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(());
        }
        let errors = fs::read_to_string(folder.join("errors.log")).unwrap_or_default();
        Err(format!("{}: {errors}", output.status))
    }
}

fn users(count: usize) -> Vec<String> {
    (101..101 + count).map(|user| user.to_string()).collect()
}

fn with_caller(count: usize) -> Vec<String> {
    let mut all = users(count);
    all.push("900".to_owned());
    all
}

/// What the published table says of three models.
const W02FXSR2: Windows = windows((30, 60), (10, 30));
const WP: Windows = windows((60, 105), (60, 105));
const WP2015: Windows = windows((30, 60), (10, 60));

const fn windows(to_failover: (u32, u32), to_main: (u32, u32)) -> Windows {
    Windows {
        to_failover: SecondsWindow::new(to_failover.0, to_failover.1),
        to_main: SecondsWindow::new(to_main.0, to_main.1),
    }
}

/// Every phone has changed over to that server, each within the window of its model.
fn changed_in_their_windows(fleet: &Fleet, since: SystemTime, to: Role, scale: f64) {
    let count = fleet.phones().len();
    let silences = fleet.silences(since);
    assert_eq!(silences.len(), count);
    let of = |pick: fn(f64, f64) -> f64| silences.iter().map(|it| it.seconds).reduce(pick).unwrap();
    println!(
        "{count} phones to the {to} in {:.1} to {:.1} s of their models",
        of(f64::min),
        of(f64::max)
    );
    for silence in &silences {
        assert_eq!(silence.to, to);
        assert!(silence.is_within(BUSY / scale), "{silence:?}");
    }
}

#[test]
fn phones_register_on_both_servers_by_every_transport() {
    let pair = pair(&users(3));
    let phones = [
        pair.phone("101", SipTransport::Udp),
        pair.phone("102", SipTransport::Tcp),
        pair.phone("103", SipTransport::Tls),
    ];
    let mut fleet = pair.fleet(&phones);
    let summary = fleet
        .wait(LONG, |now| now.registered_both == 3 && now.on_main == 3)
        .unwrap();
    assert_eq!(summary.on_failover, 0);
    for (user, transport) in [
        ("101", ""),
        ("102", ";transport=tcp"),
        ("103", ";transport=tls"),
    ] {
        for server in [&pair.main, &pair.failover] {
            let contacts = server.contacts(user).unwrap();
            assert_eq!(contacts.len(), 1, "{contacts:?}");
            assert!(
                contacts[0].starts_with(&format!("sip:{user}@10.20.")),
                "{contacts:?}"
            );
            let parameter = contacts[0].find(';').map_or("", |at| &contacts[0][at..]);
            assert_eq!(parameter, transport);
        }
    }
    for phone in &phones {
        fleet.leave(&phone.name).unwrap();
    }
    let summary = fleet.wait(LONG, |now| now.left == 3).unwrap();
    assert_eq!((summary.registered_main, summary.on_main), (0, 0));
    for user in users(3) {
        assert_eq!(pair.main.contacts(&user).unwrap(), Vec::<String>::new());
        assert_eq!(pair.failover.contacts(&user).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_password_and_an_unknown_certificate_are_told() {
    let pair = pair(&users(2));
    let mut wrong = pair.phone("101", SipTransport::Udp);
    wrong.account.password = "guessed".to_owned();
    let mut distrustful = pair.phone("102", SipTransport::Tls);
    let stranger = rcgen::generate_simple_self_signed(vec!["elsewhere".to_owned()]).unwrap();
    let authority = pair.lab.path().join("elsewhere.pem");
    fs::write(&authority, stranger.cert.pem()).unwrap();
    distrustful.authority = Some(authority);
    let fleet = pair.fleet(&[wrong, distrustful]);
    let is_away = |registration: &Registration, reason: &str| matches!(registration, Registration::Away(_, why) if why.contains(reason));
    for (phone, reason) in [("101", "401 Unauthorized"), ("102", "certificate")] {
        fleet
            .wait_for_phone(phone, LONG, |phone| {
                is_away(&phone.main, reason) && is_away(&phone.failover, reason)
            })
            .unwrap();
    }
    assert_eq!(fleet.summary().on_main + fleet.summary().on_failover, 0);
    assert_eq!(pair.main.contacts("101").unwrap(), Vec::<String>::new());
}

#[test]
fn phones_change_over_when_the_main_server_dies_and_return_when_it_is_back() {
    let mut pair = pair(&with_caller(50));
    let models = [
        (SipTransport::Udp, W02FXSR2),
        (SipTransport::Tcp, WP),
        (SipTransport::Tls, WP2015),
    ];
    let phones: Vec<SipPhone> = users(50)
        .iter()
        .zip(models.iter().cycle())
        .map(|(user, (transport, windows))| {
            let mut phone = pair.phone(user, *transport);
            phone.windows = *windows;
            phone
        })
        .collect();
    let fleet = pair.fleet(&phones);
    fleet
        .wait(LONG, |now| now.registered_both == 50 && now.on_main == 50)
        .unwrap();
    pair.call(MAIN, "101").unwrap();

    let killed = SystemTime::now();
    pair.main.kill();
    let summary = fleet.wait(LONG, |now| now.on_failover == 50).unwrap();
    assert_eq!(summary.registered_main, 0);
    changed_in_their_windows(&fleet, killed, Role::Failover, SCALE);
    pair.call(FAILOVER, "101").unwrap();
    pair.call(FAILOVER, "102").unwrap();
    pair.call(FAILOVER, "103").unwrap();

    let back = SystemTime::now();
    pair.main = Kamailio::start(&pair.lab, &pair.main_folder).unwrap();
    fleet
        .wait(LONG, |now| now.on_main == 50 && now.registered_both == 50)
        .unwrap();
    changed_in_their_windows(&fleet, back, Role::Main, SCALE);
    pair.call(MAIN, "102").unwrap();
    for phone in ["101", "102", "103"] {
        let state = fleet
            .wait_for_phone(phone, LONG, |state| state.calls.is_empty())
            .unwrap();
        assert!(state.calls_up > 0);
    }
}

/// The processes of this lab's main server, by the name of its configuration.
fn processes(folder: &Path) -> Vec<Pid> {
    let argument = folder.join("kamailio.cfg");
    let argument = argument.as_os_str().as_encoded_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let processes = entries.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read(entry.path().join("cmdline")).ok()?;
        let is_it = arguments.split(|byte| *byte == 0).any(|it| it == argument);
        Pid::from_raw(pid).filter(|_| is_it)
    });
    processes.collect()
}

#[test]
fn phones_notice_a_main_server_that_is_only_silent() {
    let pair = pair(&users(9));
    let models = [
        (SipTransport::Udp, Keepalive::Usual),
        (SipTransport::Tcp, Keepalive::Usual),
        (SipTransport::Tls, Keepalive::Options),
    ];
    let phones: Vec<SipPhone> = users(9)
        .iter()
        .zip(models.iter().cycle())
        .map(|(user, (transport, keepalive))| {
            let mut phone = pair.phone(user, *transport);
            phone.keepalive = *keepalive;
            phone.windows = WP;
            phone
        })
        .collect();
    let fleet = pair.fleet(&phones);
    fleet
        .wait(LONG, |now| now.registered_both == 9 && now.on_main == 9)
        .unwrap();
    let stopped = processes(&pair.main_folder);
    assert!(stopped.len() > 3, "{stopped:?}");
    let silent = SystemTime::now();
    for pid in &stopped {
        kill_process(*pid, Signal::STOP).unwrap();
    }
    fleet.wait(LONG, |now| now.on_failover == 9).unwrap();
    changed_in_their_windows(&fleet, silent, Role::Failover, SCALE);
    let back = SystemTime::now();
    for pid in &stopped {
        kill_process(*pid, Signal::CONT).unwrap();
    }
    fleet.wait(LONG, |now| now.on_main == 9).unwrap();
    changed_in_their_windows(&fleet, back, Role::Main, SCALE);
}

#[test]
fn a_phone_calls_another_through_the_server_in_use() {
    let mut pair = pair(&users(2));
    let phones = [
        pair.phone("101", SipTransport::Udp),
        pair.phone("102", SipTransport::Tls),
    ];
    let mut fleet = pair.fleet(&phones);
    fleet
        .wait(LONG, |now| now.registered_both == 2 && now.on_main == 2)
        .unwrap();
    fleet.call("101", "102").unwrap();
    fleet.wait(LONG, |now| now.in_calls == 2).unwrap();
    let (caller, called) = (fleet.phone("101").unwrap(), fleet.phone("102").unwrap());
    assert_eq!(
        caller.calls,
        [(Role::Main, "sip:102@10.20.0.10".to_owned())]
    );
    assert_eq!(
        called.calls,
        [(Role::Main, "sip:101@10.20.0.10".to_owned())]
    );
    fleet.hang_up("102").unwrap();
    fleet.wait(LONG, |now| now.in_calls == 0).unwrap();

    fleet.call("102", "999").unwrap();
    let failed = fleet
        .wait_for_phone("102", LONG, |phone| phone.call_failed.is_some())
        .unwrap();
    let why = failed.call_failed.unwrap();
    assert!(why.contains("404 Not Found"), "{why}");

    pair.main.kill();
    fleet.wait(LONG, |now| now.on_failover == 2).unwrap();
    fleet.call("102", "101").unwrap();
    fleet.wait(LONG, |now| now.in_calls == 2).unwrap();
    assert_eq!(
        fleet.phone("101").unwrap().calls,
        [(Role::Failover, "sip:102@10.20.1.10".to_owned())]
    );
    fleet.hang_up("102").unwrap();
    fleet.wait(LONG, |now| now.in_calls == 0).unwrap();
}

/// Leases and names of the site.
const SITE: &str = "
dhcp-range=10.20.30.11,10.20.30.11,255.255.0.0,8h
dhcp-option=option:dns-server,10.20.0.1
dhcp-option=option:tftp-server,\"http://prov.acme.example/\"
host-record=prov.acme.example,10.20.0.1
host-record=pbx1.acme.example,10.20.0.10
host-record=pbx2.acme.example,10.20.1.10
";

/// What a telephone fetches, but for its password.
const FILE: &str = "#!version:1.0.0.1
Config.Account1.SIP.TransType = 2
Config.Account1.SIP.Server = pbx1.acme.example
Config.Account1.SIP.Port = 443
Config.Account1.SIP.Server2 = pbx2.acme.example
Config.Account1.SIP.Port2 = 443
Config.Account1.GENERAL.Enable = 1
Config.Account1.GENERAL.UserName = 101
";

#[test]
fn a_phone_registers_as_its_lease_and_its_file_say() {
    let pair = pair(&users(1));
    let (configuration, files) = (
        pair.lab.folder("conf").unwrap(),
        pair.lab.folder("files").unwrap(),
    );
    fs::write(configuration.join("site.conf"), SITE).unwrap();
    let file = format!("{FILE}Config.Account1.GENERAL.Pwd = {PASSWORD}\n");
    fs::write(files.join("9c7514000101.cfg"), &file).unwrap();
    let _dnsmasq = Dnsmasq::start(&pair.lab, NETWORK, &configuration).unwrap();
    let _web = WebServer::start(&pair.lab, NETWORK, 80, &files).unwrap();

    let phone = pair.lab.phone(crate::PHONE).unwrap();
    let lease = phone.dhcp().unwrap();
    let fetched = phone.device_file(&lease).unwrap();
    assert_eq!(fetched, file);
    // The program reads the file itself, as it would on its own.
    let copy = pair.lab.path().join("fetched.cfg");
    fs::write(&copy, fetched).unwrap();
    let mut command = phone.command(env!("CARGO_BIN_EXE_phones"));
    let mut running = command
        .arg(&copy)
        .args(["--time-scale", "0.05", "--to-failover", "30-60"])
        .arg("--authority")
        .arg(&pair.authority)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = running.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(output));
    let mut told = Vec::new();
    while told.iter().filter(|what| *what == "registered").count() < 2 {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(event["phone"], "fetched");
        told.push(event["change"].as_str().unwrap().to_owned());
    }
    for server in [&pair.main, &pair.failover] {
        let contacts = server.contacts("101").unwrap();
        assert!(
            contacts[0].starts_with("sip:101@10.20.30.11:"),
            "{contacts:?}"
        );
    }
    // Without standard input it ends by itself.
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_fleet_names_its_phones_and_tells_why_it_waits_in_vain() {
    let server = SipServer::new("127.0.0.1", 9);
    let account = SipAccount::new("101", PASSWORD);
    let phone = SipPhone::new(account, server, None, SipTransport::Tcp);
    let mut fleet = Fleet::new();
    fleet.add_here(std::slice::from_ref(&phone)).unwrap();
    assert!(matches!(fleet.add_here(&[phone]), Err(FleetError::Twice { name }) if name == "101"));
    assert!(matches!(fleet.call("999", "101"), Err(FleetError::Unknown { name }) if name == "999"));
    fleet
        .wait_for_phone("101", LONG, |phone| {
            matches!(phone.main, Registration::Away(..))
        })
        .unwrap();
    let late = fleet
        .wait(Duration::from_millis(1), |now| now.on_main == 1)
        .unwrap_err()
        .to_string();
    assert!(
        late.contains("1 in all, 0 on the main server")
            && late.contains("101: uses none; main: away (Connection refused"),
        "{late}"
    );
    fleet.call("101", "102").unwrap();
    let failed = fleet
        .wait_for_phone("101", LONG, |phone| phone.call_failed.is_some())
        .unwrap();
    assert_eq!(failed.call_failed.unwrap(), "102: no server in use");
}

/// The number that the last registration of a user had (`CSeq`): it counts on with each.
fn registrations(server: &Kamailio, user: &str) -> u64 {
    let found = server.rpc("ul.lookup", &json!(["location", user])).unwrap();
    let number = found.pointer("/Contacts/0/Contact/CSeq");
    number.and_then(Value::as_u64).unwrap()
}

#[test]
fn registrations_are_refreshed_before_they_expire() {
    let pair = pair(&users(2));
    let phones: Vec<SipPhone> = [("101", SipTransport::Udp), ("102", SipTransport::Tcp)]
        .into_iter()
        .map(|(user, transport)| {
            let mut phone = pair.phone(user, transport);
            phone.expires = 3;
            // Refreshed each 1.2 s: Kamailio counts whole seconds.
            phone.time_scale = 0.5;
            phone
        })
        .collect();
    let fleet = pair.fleet(&phones);
    fleet.wait(LONG, |now| now.registered_both == 2).unwrap();
    let since = fleet.phones();
    for user in users(2) {
        // The first and the one that proves who it is; each later one is a refresh: three seconds are over before the third.
        assert!(until(|| registrations(&pair.main, &user) >= 6));
        assert_eq!(pair.main.contacts(&user).unwrap().len(), 1);
    }
    let now = fleet.phones();
    for (name, phone) in &since {
        assert_eq!(phone.main, now[name].main, "registered all the time");
    }
}

#[test]
fn a_thousand_phones_share_a_process() {
    let mut pair = pair(&users(1000));
    let transports = [SipTransport::Udp, SipTransport::Tcp, SipTransport::Tls];
    let phones: Vec<SipPhone> = users(1000)
        .iter()
        .zip(transports.iter().cycle())
        .map(|(user, transport)| {
            let mut phone = pair.phone(user, *transport);
            // In true seconds, so that nothing is sent again while the servers are busy with all of them.
            phone.time_scale = 1.0;
            phone.windows = windows((3, 12), (3, 12));
            phone
        })
        .collect();
    let start = Instant::now();
    let fleet = pair.fleet(&phones);
    fleet
        .wait(LONG, |now| {
            now.registered_both == 1000 && now.on_main == 1000
        })
        .unwrap();
    let took = start.elapsed();
    let contacts = (
        pair.main.contacts("101").unwrap(),
        pair.failover.contacts("1100").unwrap(),
    );
    assert_eq!((contacts.0.len(), contacts.1.len()), (1, 1));

    let killed = SystemTime::now();
    pair.main.kill();
    fleet.wait(LONG, |now| now.on_failover == 1000).unwrap();
    changed_in_their_windows(&fleet, killed, Role::Failover, 1.0);
    pair.main = Kamailio::start(&pair.lab, &pair.main_folder).unwrap();
    // All at once they keep the server busier than any window allows for: that they return is what counts.
    let all_back = |now: &Summary| now.on_main == 1000 && now.registered_both == 1000;
    let summary = fleet
        .wait(LONG, all_back)
        .unwrap_or_else(|late| panic!("{late}; the main server:\n{}", pair.main.log()));

    // Measured: 2 to 9 s and 47 MB, with a debug build on two busy cores. Ten times that would be another kind of program.
    let memory = fleet.memory();
    println!("registered after {took:?} with {memory:?} bytes; {summary}");
    assert!(memory.len() == 1 && memory[0] < 400_000_000, "{memory:?}");
}
