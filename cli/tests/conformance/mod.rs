//! One set of transitions for every plugin, through the command itself, against the plugin's real server.
//!
//! Each transition is tried twice: first with a target behind it that fails while it is committed, so that everything
//! must come back byte for byte; then in earnest. After that the server accepts what it has, and a second plan is empty,
//! which is to say that what is read back is what was wanted. The results become `docs/conformance.md`.

mod dnsmasq;
mod faults;
mod isc_dhcpd;
mod kamailio;
mod kea;
mod provisioning;
mod rfc2136;
mod wildix;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddrV4;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use switchover_lab::Lab;

use crate::environment::{Output, TestEnvironment};

/// A plugin's server as the transitions see it.
trait Subject {
    /// Name of the plugin.
    const PLUGIN: &'static str;
    /// Addresses that its servers have in the lab, each with its prefix length.
    const ADDRESSES: &'static [&'static str] = &["10.20.0.1/16", "10.20.0.5/16", "10.20.0.6/16"];

    fn start(lab: &Lab, environment: &mut TestEnvironment) -> Self;

    /// Product and version, as it says itself.
    fn server(&self) -> String;

    /// The site, its PBXs and its network.
    fn site(&self) -> String {
        include_str!("site.kdl").to_owned()
    }

    /// The services and the targets of the topology. The devices, whose own nodes are added behind them, by number with
    /// the last two bytes of their addresses.
    fn services(&self, devices: &BTreeMap<u8, [u8; 2]>) -> String;

    /// Panics unless the server takes its configuration as it is now.
    fn assert_accepted(&self);

    /// Everything that is configured: what must be there again after an undo.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>>;

    /// Configures by hand what no topology names.
    fn add_foreign(&mut self);

    /// Whether that is as it was put there.
    fn has_foreign(&self) -> bool;

    /// Changes by hand something that the topology names.
    fn drift(&mut self);

    /// Whether the state is in a folder beside the topology. Where it is not, the network is that of the state.
    const STATE_IS_HERE: bool = true;

    /// How the server is asked over a network; none where that is done by commands of this machine.
    fn network(&self) -> Option<Network> {
        None
    }

    /// Whether what is made again after a deletion gets another id: then an undo leaves another input behind.
    const GIVES_IDS: bool = false;

    /// Whether there is a server that can be restarted.
    const RESTARTS: bool = false;

    /// Ends the server and starts it again with what it has kept.
    fn restart(&mut self) {}

    /// Transitions that the plugin cannot make, and why: what its manifest says it is without.
    fn skips(&self) -> &'static [(Transition, &'static str)] {
        &[]
    }
}

/// Where a server is asked, and where a wire that leads to it begins.
struct Network {
    server: SocketAddrV4,
    wire: SocketAddrV4,
    /// What says the one in a topology, and what says the other; none where the topology does not say it.
    words: Option<[String; 2]>,
}

impl Network {
    fn new(server: &str, wire: &str, words: [String; 2]) -> Self {
        Self {
            server: server.parse().unwrap(),
            wire: wire.parse().unwrap(),
            words: Some(words),
        }
    }

    fn led_through_the_wire(&self, services: &str) -> String {
        let Some([server, wire]) = &self.words else {
            return services.to_owned();
        };
        assert!(services.contains(server), "{services}");
        services.replace(server, wire)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transition {
    OneDevice,
    ChangedDevice,
    HundredDevices,
    DeletedDevice,
    ForeignObject,
    Drift,
    Nothing,
}

impl Transition {
    const ALL: [Self; 7] = [
        Self::OneDevice,
        Self::ChangedDevice,
        Self::HundredDevices,
        Self::DeletedDevice,
        Self::ForeignObject,
        Self::Drift,
        Self::Nothing,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::OneDevice => "empty → one device",
            Self::ChangedDevice => "one device changed",
            Self::HundredDevices => "100 devices added",
            Self::DeletedDevice => "one device deleted",
            Self::ForeignObject => "a foreign object stays",
            Self::Drift => "drift repaired",
            Self::Nothing => "nothing to do",
        }
    }
}

/// What the topology says beside the services.
struct Devices {
    /// Last two bytes of the address, by number.
    all: BTreeMap<u8, [u8; 2]>,
    /// Counts the transitions: the target that fails has something to do in each.
    turn: u32,
}

impl Devices {
    /// Gives whether the topology changes.
    fn make(&mut self, transition: Transition) {
        match transition {
            Transition::OneDevice => {
                self.all.insert(1, [30, 1]);
            }
            Transition::ChangedDevice | Transition::ForeignObject => {
                if let Some(address) = self.all.get_mut(&1) {
                    address[0] += 1;
                }
            }
            Transition::HundredDevices => {
                self.all
                    .extend((2..=101).map(|number| (number, [30, number])));
            }
            Transition::DeletedDevice => {
                self.all.remove(&50);
                // A target that only deletes comes after all others: another change keeps it before the one that fails.
                self.all.insert(51, [31, 51]);
            }
            Transition::Drift | Transition::Nothing => {}
        }
    }

    fn topology(&self, site: &str, services: &str, work: &Path) -> String {
        let mut text = format!("{site}{services}");
        for (number, [high, low]) in &self.all {
            text += &format!(
                "user \"{user}\" name=\"Desk {high}\" pbx=\"pbx1\"\n\
                 device \"d{number}\" model=\"WP480\" year=2017 mac=\"9c:75:14:00:00:{number:02x}\" user=\"{user}\" \
                 address=\"10.20.{high}.{low}\"\n",
                user = 100 + u32::from(*number)
            );
        }
        text += &format!(
            "network \"spare\" {{\n    subnet \"10.99.0.0/24\"\n    pool \"10.99.0.10\" \"10.99.0.20\"\n    \
             dhcp \"spare\"\n}}\n\
             dhcp \"spare\" {{\n    server \"spare\" address=\"10.20.0.9\" target=\"zz-spare\"\n    \
             lease \"{}h\"\n}}\n\
             target \"zz-spare\" plugin=\"dnsmasq\" {{\n    root \"spare\"\n    command \"test\" \"true\"\n    \
             command \"reload\" {}\n}}\n",
            self.turn,
            json!(work.join("reload-or-fail").display().to_string())
        );
        text
    }
}

/// Runs all transitions and writes down how they went.
fn conforms<S: Subject>() {
    let lab = Lab::start(S::ADDRESSES).unwrap();
    let mut environment = TestEnvironment::new();
    let mut subject = S::start(&lab, &mut environment);
    let work = environment.work();
    fs::create_dir(work.join("spare")).unwrap();
    let script = environment.write(
        "reload-or-fail",
        "#!/bin/sh\ncd \"${0%/*}\"\n[ ! -e armed ] || { rm armed; echo 'armed' >&2; exit 1; }\n",
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |arguments: &[&str]| environment.run_in(&lab, arguments);
    let mut devices = Devices {
        all: BTreeMap::new(),
        turn: 1,
    };
    let mut results = Vec::new();
    for transition in Transition::ALL {
        let title = transition.title();
        let skip = subject.skips().iter().find(|(of, _)| *of == transition);
        if let Some((_, why)) = skip {
            results.push((title, *why));
            continue;
        }
        match transition {
            Transition::ForeignObject => subject.add_foreign(),
            Transition::Drift => {
                drifts(&mut subject, &run);
                subject.drift();
            }
            _ => {}
        }
        devices.make(transition);
        if transition == Transition::Nothing {
            nothing_to_do(&subject, &run);
        } else {
            devices.turn += 1;
            environment.write(
                "switchover.kdl",
                &devices.topology(&subject.site(), &subject.services(&devices.all), &work),
            );
            undone(&subject, &run, &work, title);
            done(&subject, &run, title);
        }
        if Transition::ALL.iter().position(|of| *of == transition)
            >= Transition::ALL
                .iter()
                .position(|of| *of == Transition::ForeignObject)
        {
            assert!(subject.has_foreign(), "{title}: the foreign object is gone");
        }
        results.push((title, "✓"));
    }
    record(S::PLUGIN, &subject.server(), &results);
}

/// The apply fails behind the subject's target, and nothing of it stays.
fn undone<S: Subject>(subject: &S, run: &impl Fn(&[&str]) -> Output, work: &Path, title: &str) {
    let before = subject.bytes();
    fs::write(work.join("armed"), "").unwrap();
    let output = run(&["apply", "--yes", "-vv"]);
    assert_eq!(output.code, Some(6), "{title}: {output}");
    assert!(!work.join("armed").exists(), "{title}: {output}");
    let after = subject.bytes();
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>(),
        "{title}: {output}"
    );
    for (name, bytes) in &before {
        assert_eq!(
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(&after[name]),
            "{title}: `{name}` is not as before\n{output}"
        );
    }
    subject.assert_accepted();
}

fn done<S: Subject>(subject: &S, run: &impl Fn(&[&str]) -> Output, title: &str) {
    let pending = run(&["plan", "--detailed-exitcode"]);
    assert_eq!(pending.code, Some(4), "{title}: {pending}");
    if !S::GIVES_IDS {
        // The same was rolled back just before.
        let refused = run(&["apply", "--yes"]);
        assert_eq!(refused.code, Some(9), "{title}: {refused}");
    }
    let applied = run(&["apply", "--yes", "--allow-rejected"]);
    assert_eq!(applied.code, Some(0), "{title}: {applied}");
    subject.assert_accepted();
    let again = run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{title}: {again}");
}

/// What somebody else changed is told and not touched, and comes back without anything else being done.
fn drifts<S: Subject>(subject: &mut S, run: &impl Fn(&[&str]) -> Output) {
    let none = run(&["drift"]);
    assert_eq!(none.code, Some(0), "{none}");
    subject.drift();
    let changed = subject.bytes();
    let told = run(&["drift"]);
    assert_eq!(told.code, Some(5), "{told}");
    assert_eq!(subject.bytes(), changed, "drift is only read");
    let back = run(&["apply", "--yes", "--only-drift"]);
    assert_eq!(back.code, Some(0), "{back}");
    subject.assert_accepted();
    let none = run(&["drift"]);
    assert_eq!(none.code, Some(0), "{none}");
}

fn nothing_to_do<S: Subject>(subject: &S, run: &impl Fn(&[&str]) -> Output) {
    let before = subject.bytes();
    let applied = run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(before, subject.bytes());
    assert!(applied.everything().contains("no changes"), "{applied}");
}

/// What `cargo xtask generate` makes the matrix from: titles and results, each pair on a line.
fn record(plugin: &str, server: &str, results: &[(&str, &str)]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    fs::create_dir_all(&folder).unwrap();
    let mut text = format!("\t`{plugin}`\nserver\t{server}\n");
    for (title, result) in results {
        text += &format!("{title}\t{result}\n");
    }
    let product = server.split(' ').next().unwrap_or_default();
    fs::write(folder.join(format!("{plugin}-{product}")), text).unwrap();
}

/// The files below a folder, by their paths.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    crate::environment::files_below(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

/// What a program says of its version: the first words of what it prints that begin with a digit.
fn version_of(lab: &Lab, program: &str, argument: &str) -> String {
    let output = lab.command(program).arg(argument).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.split([' ', '\n', ',', '-'])
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.'))
        .unwrap_or_else(|| panic!("no version in {text}"))
        .to_owned()
}
