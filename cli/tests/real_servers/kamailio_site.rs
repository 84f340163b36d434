//! `examples/kamailio`, whole: two Kamailios, dnsmasq and a web server configured from nothing, 200 telephones with what
//! their lease and their files say, and a provider who calls in. The main PBX goes and comes back.

#[path = "kamailio_site/telephones.rs"]
mod telephones;

use std::fs;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use switchover_lab::{Dnsmasq, Fleet, Kamailio, Lab, Phone, Provider, Role, Sshd, WebServer};

use self::telephones::{SCALE, Telephones};
use super::kamailio::MAIN as BY_HAND;
use crate::environment::{Output, TestEnvironment, assert_no_secret};

const MAIN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);
const FAILOVER: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 10);
/// Of leases, names and files.
const OFFICE: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 5);
/// Where the administrator sits.
const DESK: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const PROVIDER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const TELEPHONES: usize = 200;
const LONG: Duration = Duration::from_secs(60);
/// How many seconds of this clock a telephone may be late because the machine is busy.
const BUSY: f64 = 1.5;

struct Site {
    lab: Lab,
    environment: TestEnvironment,
    desk: Phone,
    main: Kamailio,
    failover: Kamailio,
    authority: PathBuf,
    passwords: Vec<String>,
    _office: (Dnsmasq, WebServer, Sshd),
}

impl Site {
    /// The servers as they are before anything of the topology has been applied.
    fn new() -> Self {
        let addresses = [
            MAIN,
            FAILOVER,
            OFFICE,
            PROVIDER,
            Ipv4Addr::new(10, 20, 30, 1),
        ];
        let addresses = addresses.map(|address| format!("{address}/24"));
        let lab = Lab::start(&addresses.each_ref().map(String::as_str)).unwrap();
        let desk = lab.phone("02:00:00:00:00:02").unwrap();
        let mut ip = desk.command("ip");
        ip.args(["address", "add", &format!("{DESK}/16"), "dev", "eth0"]);
        assert!(ip.status().unwrap().success());

        let pbx = |hostname: &str| {
            let folder = lab.folder(hostname).unwrap();
            fs::write(folder.join("kamailio.cfg"), BY_HAND).unwrap();
            let identity =
                Kamailio::write_certificate(&folder, &[&format!("{hostname}.acme.example")])
                    .unwrap();
            (Kamailio::start(&lab, &folder).unwrap(), identity)
        };
        let ((main, main_identity), (failover, failover_identity)) = (pbx("pbx1"), pbx("pbx2"));
        let authority = lab.path().join("authority.pem");
        let certificates = [&main_identity, &failover_identity]
            .map(|(certificate, _)| fs::read_to_string(certificate).unwrap());
        fs::write(&authority, certificates.concat()).unwrap();

        let (leases, files) = (
            lab.folder("dnsmasq.d").unwrap(),
            lab.folder("files").unwrap(),
        );
        let dnsmasq = Dnsmasq::start(&lab, OFFICE, &leases).unwrap();
        let web = WebServer::start(&lab, OFFICE, 80, &files).unwrap();
        let sshd = Sshd::in_lab(&lab, OFFICE, 22).unwrap();

        let environment = TestEnvironment::new();
        let words: Vec<String> = sshd
            .client()
            .iter()
            .map(|word| format!("{word:?}"))
            .collect();
        environment.write(
            "../home/.config/switchover/config.kdl",
            &format!("ssh {}\n", words.join(" ")),
        );
        let shown = |path: &Path| path.display().to_string();
        let restart = |program: &Path| format!("\"restart\" {:?}", shown(program));
        let kamailio = "\"restart\" \"systemctl\" \"restart\" \"kamailio\"";
        let passwords = copy_example(
            &environment,
            &[
                // One SSH server lets in whoever runs the test, for the folders of all three machines.
                (
                    "ssh://root@10.20.0.10/etc/kamailio",
                    sshd.url(main.folder()),
                ),
                (
                    "ssh://root@10.20.1.10/etc/kamailio",
                    sshd.url(failover.folder()),
                ),
                ("ssh://root@10.20.30.5/etc/dnsmasq.d", sshd.url(&leases)),
                ("ssh://root@10.20.30.5/srv/provisioning", sshd.url(&files)),
                // No machine of the lab has a service manager.
                (kamailio, restart(main.restart_command())),
                (kamailio, restart(failover.restart_command())),
                (
                    "\"systemctl\" \"restart\" \"dnsmasq\"",
                    format!("{:?}", shown(dnsmasq.restart_command())),
                ),
                ("/etc/kamailio/pbx1.pem", shown(&main_identity.0)),
                ("/etc/kamailio/pbx1.key", shown(&main_identity.1)),
                ("/etc/kamailio/pbx2.pem", shown(&failover_identity.0)),
                ("/etc/kamailio/pbx2.key", shown(&failover_identity.1)),
            ],
        );
        Self {
            lab,
            environment,
            desk,
            main,
            failover,
            authority,
            passwords,
            _office: (dnsmasq, web, sshd),
        }
    }

    /// Runs the command where the administrator sits: JSON-RPC answers there and nowhere else.
    fn run(&self, arguments: &[&str]) -> Output {
        let command = self.environment.command(arguments);
        // Entering another machine ends up in its root.
        let mut there = self.desk.command("env");
        there
            .arg("--chdir")
            .arg(self.environment.work())
            .arg(command.get_program());
        let output = TestEnvironment::moved_into(there, &command)
            .output()
            .unwrap();
        self.environment.shown(&output)
    }

    #[track_caller]
    fn assert_settled(&self) {
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{plan}");
        assert!(plan.stdout.contains("no changes"), "{plan}");
    }

    /// Devices as the topology has them.
    fn devices(&self) -> Vec<Value> {
        let shown = self.run(&["show", "--format", "json"]);
        assert_eq!(shown.code, Some(0), "{shown}");
        let topology: Value = serde_json::from_str(&shown.stdout).unwrap();
        topology["device"].as_array().unwrap().clone()
    }

    /// A call of the provider to the first of these servers that takes it. Gives which one it was.
    #[track_caller]
    fn called_in(&self, servers: &[Ipv4Addr], number: &str) -> Ipv4Addr {
        Provider::new(&self.lab, PROVIDER)
            .call(servers, number)
            .unwrap_or_else(|error| panic!("{number}: {error}\n{}", self.logs()))
    }

    fn logs(&self) -> String {
        [&self.main, &self.failover]
            .map(Kamailio::log)
            .join("\n----\n")
    }
}

/// Copies the example as it stands, but for one occurrence of each substitution, and writes the passwords that it names.
/// Gives those.
fn copy_example(environment: &TestEnvironment, substitutions: &[(&str, String)]) -> Vec<String> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/kamailio");
    let read = |name: &str| fs::read_to_string(example.join(name)).unwrap();
    let mut topology = read("switchover.kdl");
    for (old, new) in substitutions {
        assert!(
            topology.contains(old),
            "the example does not have {old} any more"
        );
        topology = topology.replacen(old, new, 1);
    }
    environment.write("switchover.kdl", &topology);
    environment.write("phones.csv", &read("phones.csv"));
    let users = read("users.csv");
    environment.write("users.csv", &users);
    let named = users
        .split("file:")
        .skip(1)
        .filter_map(|rest| rest.lines().next());
    let passwords = named.map(|file| {
        let password = format!("{}-of-the-test", file.replace('/', "-"));
        environment.write(file, &format!("{password}\n"));
        password
    });
    passwords.collect()
}

/// All of them have changed over to that PBX, each within the window that is documented for its model. What made them change
/// over happened at some moment in `when`: a server takes its time to start.
#[track_caller]
fn assert_in_their_windows(fleet: &Fleet, when: Range<SystemTime>, to: Role) {
    let (longest, shortest) = (fleet.silences(when.start), fleet.silences(when.end));
    assert_eq!((longest.len(), shortest.len()), (TELEPHONES, TELEPHONES));
    let seconds = |pick: fn(f64, f64) -> f64| shortest.iter().map(|it| it.seconds).reduce(pick);
    println!(
        "{TELEPHONES} telephones to the {to} in {:.1} to {:.1} s of their models",
        seconds(f64::min).unwrap(),
        seconds(f64::max).unwrap()
    );
    let late = BUSY / SCALE;
    for (longest, shortest) in longest.iter().zip(&shortest) {
        assert_eq!((longest.to, &longest.phone), (to, &shortest.phone));
        assert!(
            longest.seconds >= f64::from(longest.window.min),
            "{longest:?}"
        );
        assert!(
            shortest.seconds <= f64::from(shortest.window.max) + late,
            "{shortest:?}"
        );
    }
}

/// The provider's calls come to this PBX, one to a device of each kind.
#[track_caller]
fn assert_calls_come_in(site: &Site, pbx: Ipv4Addr) -> usize {
    let numbers = ["201", "281", "331", "361", "381", "391"];
    for number in numbers {
        assert_eq!(site.called_in(&[pbx], number), pbx);
    }
    numbers.len()
}

/// Telephones call one another through the PBX that they use: from TCP to TLS, from TLS to UDP, from UDP to TCP. Meanwhile the
/// provider's calls to call groups find the member who is not engaged.
#[track_caller]
fn assert_telephones_and_groups_are_called(site: &Site, fleet: &mut Fleet, through: Role) -> usize {
    let calls = [
        ("201", "281"),
        ("202", "203"),
        ("261", "331"),
        ("362", "391"),
        ("332", "361"),
        ("381", "204"),
    ];
    for (from, to) in calls {
        fleet.call(from, to).unwrap();
    }
    fleet
        .wait(LONG, |now| now.in_calls == 2 * calls.len())
        .unwrap();
    for (phone, peer) in calls.into_iter().chain(calls.map(|(from, to)| (to, from))) {
        let state = fleet.phone(phone).unwrap();
        assert_eq!(state.calls.len(), 1, "{phone}");
        assert_eq!(state.calls[0].0, through, "{phone}");
        assert!(state.calls[0].1.contains(peer), "{:?}", state.calls);
    }
    let address = if through == Role::Main {
        MAIN
    } else {
        FAILOVER
    };
    // All but one of the first group are engaged, and so is the first of the second. Nobody has the last number, which is what
    // `incoming` is for.
    let groups = ["reception", "sales", "+390432555"];
    for number in groups {
        assert_eq!(site.called_in(&[address], number), address);
    }
    for (_, called) in calls {
        fleet.hang_up(called).unwrap();
    }
    fleet.wait(LONG, |now| now.in_calls == 0).unwrap();
    calls.len() + groups.len()
}

#[test]
fn two_hundred_telephones_of_a_kamailio_pair_from_nothing_through_a_failover_and_back() {
    let started = Instant::now();
    let mut site = Site::new();
    println!("servers after {:?}", started.elapsed());
    let applying = Instant::now();
    let applied = site.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}\n{}", site.logs());
    println!("applied in {:?}", applying.elapsed());
    site.assert_settled();
    let passwords: Vec<&str> = site.passwords.iter().map(String::as_str).collect();
    assert_eq!(passwords.len(), TELEPHONES);
    let state = site.environment.work().join(".switchover");
    assert_no_secret(&passwords, &[&applied.everything()], &state);

    let plugged = Instant::now();
    let telephones = Telephones::unpack(&site.lab, &site.devices(), &site.authority);
    println!("files after {:?}", plugged.elapsed());
    let switched_on = Instant::now();
    let mut fleet = telephones.switch_on();
    let everywhere = |fleet: &Fleet| {
        fleet
            .wait(LONG, |now| {
                now.registered_both == TELEPHONES && now.on_main == TELEPHONES
            })
            .unwrap();
    };
    everywhere(&fleet);
    println!(
        "{TELEPHONES} registered on both after {:?}",
        switched_on.elapsed()
    );
    for pbx in [&site.main, &site.failover] {
        telephones.assert_registered(pbx);
    }
    site.assert_settled();

    let mut calls = assert_telephones_and_groups_are_called(&site, &mut fleet, Role::Main);
    for pbx in [MAIN, FAILOVER] {
        calls += assert_calls_come_in(&site, pbx);
    }

    let killed = SystemTime::now();
    site.main.kill();
    let gone = SystemTime::now();
    let summary = fleet
        .wait(LONG, |now| now.on_failover == TELEPHONES)
        .unwrap();
    assert_eq!(summary.registered_main, 0);
    assert_in_their_windows(&fleet, killed..gone, Role::Failover);
    // The provider tries the main one first, which takes its time; the other numbers are called straight at the failover.
    assert_eq!(site.called_in(&[MAIN, FAILOVER], "201"), FAILOVER);
    calls += 1 + assert_calls_come_in(&site, FAILOVER);
    calls += assert_telephones_and_groups_are_called(&site, &mut fleet, Role::Failover);

    let folder = site.main.folder().to_owned();
    let started_again = SystemTime::now();
    site.main = Kamailio::start(&site.lab, &folder).unwrap();
    let back = SystemTime::now();
    everywhere(&fleet);
    assert_in_their_windows(&fleet, started_again..back, Role::Main);
    telephones.assert_registered(&site.main);
    assert_eq!(site.called_in(&[MAIN, FAILOVER], "201"), MAIN);
    calls += 1 + assert_calls_come_in(&site, MAIN);
    calls += assert_telephones_and_groups_are_called(&site, &mut fleet, Role::Main);
    site.assert_settled();
    println!("{calls} calls; all in {:?}", started.elapsed());
}
