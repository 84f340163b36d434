//! DNS zones at BIND, Knot DNS and PowerDNS. The command asks through a relay that counts and misbehaves; a second BIND
//! gets the zone by NOTIFY.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use switchover_lab::{DnsKey, DnsRelay, DnsZone, Lab, LabError, NameServer, UpdateFault};

use crate::environment::{Output, TestEnvironment};

const ZONE: &str = "acme.example";
const RELAY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 52);
const PRIMARY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 53);
const SECONDARY: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 54);

/// What other people keep in the zone.
const FOREIGN: &str = "printer A 10.20.30.77\n@ TXT \"v=spf1 -all\"\n@ MX 10 mail\nmail A 10.20.30.78\n\
                       odd\\.name TXT \"${secret:target/zone/tsig} \\\\ \\\"q\\\" \\195\\164\"";

/// The same, SOA aside, as `dig` shows it.
const FOREIGN_LINES: [&str; 7] = [
    "acme.example. 300 IN MX 10 mail.acme.example.",
    "acme.example. 300 IN NS ns1.acme.example.",
    "acme.example. 300 IN TXT \"v=spf1 -all\"",
    "mail.acme.example. 300 IN A 10.20.30.78",
    "ns1.acme.example. 300 IN A 10.20.0.53",
    "odd\\.name.acme.example. 300 IN TXT \"${secret:target/zone/tsig} \\\\ \\\"q\\\" \\195\\164\"",
    "printer.acme.example. 300 IN A 10.20.30.77",
];

/// What follows from the PBX pair.
const DERIVED_LINES: [&str; 11] = [
    "_sip._tcp.acme.example. 60 IN SRV 10 100 443 pbx1.acme.example.",
    "_sip._tcp.acme.example. 60 IN SRV 20 100 443 pbx2.acme.example.",
    "_sip._udp.acme.example. 60 IN SRV 10 100 5060 pbx1.acme.example.",
    "_sip._udp.acme.example. 60 IN SRV 20 100 5060 pbx2.acme.example.",
    "_sips._tcp.acme.example. 60 IN SRV 10 100 443 pbx1.acme.example.",
    "_sips._tcp.acme.example. 60 IN SRV 20 100 443 pbx2.acme.example.",
    "acme.example. 60 IN NAPTR 10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example.",
    "acme.example. 60 IN NAPTR 20 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.",
    "acme.example. 60 IN NAPTR 30 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.acme.example.",
    "pbx1.acme.example. 60 IN A 10.20.0.10",
    "pbx2.acme.example. 60 IN A 10.20.1.10",
];

type Start = fn(&Lab, Ipv4Addr, &DnsZone<'_>) -> Result<NameServer, LabError>;

struct Site {
    lab: Lab,
    environment: TestEnvironment,
    primary: NameServer,
    secondary: Option<NameServer>,
    relay: DnsRelay,
}

impl Site {
    fn new(start: Start) -> Self {
        let zone = DnsZone {
            name: ZONE,
            records: FOREIGN,
            dynamic: true,
            secondary: Some(SECONDARY),
        };
        Self::with(start, &zone)
    }

    fn with(start: Start, zone: &DnsZone<'_>) -> Self {
        let lab = Lab::start(&["10.20.0.52/24", "10.20.0.53/24", "10.20.0.54/24"]).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("TSIG_SECRET", DnsKey::SWITCHOVER.secret);
        environment.write("switchover.kdl", include_str!("zone.kdl"));
        let primary = start(&lab, PRIMARY, zone).unwrap();
        let secondary = zone
            .secondary
            .map(|address| NameServer::bind_secondary(&lab, address, ZONE, PRIMARY).unwrap());
        let relay = DnsRelay::start(&lab, RELAY, PRIMARY).unwrap();
        let site = Self {
            lab,
            environment,
            primary,
            secondary,
            relay,
        };
        if site.secondary.is_none() {
            site.topology("", "ns2\" address", "ns3\" address");
            site.edit(
                "role=\"secondary\" failure-domain=\"rack-b\"",
                "role=\"primary\" failure-domain=\"rack-b\"",
            );
        }
        site
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    /// Writes the topology with these records, and one other text put in place of another.
    fn topology(&self, records: &str, old: &str, new: &str) {
        let text = include_str!("zone.kdl").replace("// RECORDS", records);
        assert!(text.contains(old), "nothing to edit: {old}");
        self.environment
            .write("switchover.kdl", &text.replace(old, new));
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    /// Applies once with the answer to the update cut off, which has to leave the zone as it was, and then for good.
    /// Afterwards the zone holds what is wanted and what is others', on both servers, and nothing is left to do.
    #[track_caller]
    fn transition(&self, wanted: &[String]) {
        let before = self.primary.records(ZONE).unwrap();
        self.relay.fail_update(UpdateFault::CutAnswer);
        let cut = self.run(&["apply", "--yes", "--allow-large-change"]);
        assert_one_error(&cut, 6, &["in the middle of its answer", "rolled back"]);
        assert_eq!(
            self.primary.records(ZONE).unwrap(),
            before,
            "not undone\n{cut}"
        );

        let updates = self.relay.updates();
        let applied = self.run(&["apply", "--yes", "--allow-large-change"]);
        assert_eq!(applied.code, Some(0), "{applied}\n{}", self.primary.log());
        assert_eq!(self.relay.updates(), updates + 1, "one zone, one update");
        self.assert_holds(wanted);
    }

    #[track_caller]
    fn assert_holds(&self, wanted: &[String]) {
        let expected: BTreeSet<&str> = FOREIGN_LINES
            .into_iter()
            .chain(wanted.iter().map(String::as_str))
            .collect();
        let expected: Vec<&str> = expected.into_iter().collect();
        let mut lines = self.primary.records(ZONE).unwrap();
        lines.sort();
        assert_eq!(lines, expected);
        self.primary.check(ZONE).unwrap();
        if let Some(secondary) = &self.secondary {
            assert_eq!(secondary.records(ZONE).unwrap(), expected, "the secondary");
            assert_eq!(secondary.serial(ZONE), self.primary.serial(ZONE));
        }
        let (updates, again) = (
            self.relay.updates(),
            self.run(&["plan", "--detailed-exitcode"]),
        );
        assert_eq!(again.code, Some(0), "{again}");
        assert_eq!(self.relay.updates(), updates, "a plan changes nothing");
    }
}

/// One clear error that names the target, and nothing that was not meant to be told.
#[track_caller]
fn assert_one_error(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    let flat = output.stderr.replace(['│', '\n'], " ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts.iter().chain(&["`zone`"]) {
        assert!(flat.contains(part), "`{part}` is not told:\n{output}");
    }
    for hidden in ["panicked", DnsKey::SWITCHOVER.secret] {
        assert!(!output.everything().contains(hidden), "{output}");
    }
}

fn lines(records: &[&str]) -> Vec<String> {
    DERIVED_LINES
        .iter()
        .chain(records)
        .map(|&line| line.to_owned())
        .collect()
}

/// Empty, one, changed, a hundred more, one less, drift, repaired: the transitions that every plugin goes through.
fn transitions(start: Start) {
    let site = Site::new(start);
    site.transition(&lines(&[]));
    assert_eq!(
        site.primary
            .lookup("_sips._tcp.acme.example", "SRV")
            .unwrap(),
        [
            "10 100 443 pbx1.acme.example.",
            "20 100 443 pbx2.acme.example."
        ]
    );
    assert_eq!(
        site.primary.lookup(ZONE, "NAPTR").unwrap(),
        [
            "10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example.",
            "20 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.",
            "30 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.acme.example.",
        ]
    );

    let kinds = "record \"prov\" \"A\" \"10.20.0.80\"\nrecord \"prov\" \"AAAA\" \"2001:db8::80\"\n\
                 record \"www\" \"CNAME\" \"prov\"\nrecord \"note\" \"TXT\" \"a \\\"b\\\" ${{x}}\"\n\
                 record \"sub\" \"MX\" \"10 mail\"\nrecord \"sub\" \"CAA\" \"0 issue \\\"ca.example\\\"\"";
    let kinds = kinds.replace("${{x}}", "$ä");
    site.topology(&kinds, "ns2", "ns2");
    let of_kinds = [
        "note.acme.example. 60 IN TXT \"a \\\"b\\\" $\\195\\164\"",
        "prov.acme.example. 60 IN A 10.20.0.80",
        "prov.acme.example. 60 IN AAAA 2001:db8::80",
        "sub.acme.example. 60 IN CAA 0 issue \"ca.example\"",
        "sub.acme.example. 60 IN MX 10 mail.acme.example.",
        "www.acme.example. 60 IN CNAME prov.acme.example.",
    ];
    site.transition(&lines(&of_kinds));

    // An alias becomes an address and an address an alias, in one update.
    site.topology(
        "record \"prov\" \"CNAME\" \"www\"\nrecord \"www\" \"A\" \"10.20.0.81\"",
        "ns2",
        "ns2",
    );
    let changed = [
        "prov.acme.example. 60 IN CNAME www.acme.example.",
        "www.acme.example. 60 IN A 10.20.0.81",
    ];
    site.transition(&lines(&changed));

    let hosts = 0..100;
    let records: Vec<String> = hosts
        .clone()
        .map(|n| format!("record \"h{n}\" \"A\" \"10.20.40.{n}\""))
        .collect();
    site.topology(&records.join("\n"), "60s", "2m");
    let mut many: Vec<String> = DERIVED_LINES
        .iter()
        .map(|line| line.replace(" 60 IN", " 120 IN"))
        .collect();
    many.extend(hosts.map(|n| format!("h{n}.acme.example. 120 IN A 10.20.40.{n}")));
    site.transition(&many);

    site.topology(&records[1..].join("\n"), "60s", "2m");
    many.retain(|line| !line.starts_with("h0."));
    site.transition(&many);

    // Somebody changes one of ours, deletes another and adds to a third; ours come back, theirs stays.
    site.primary
        .edit(
            ZONE,
            &[
                "update delete h1.acme.example. A",
                "update add h1.acme.example. 60 A 10.66.66.66",
                "update delete h2.acme.example. A",
                "update add h3.acme.example. 120 A 10.66.66.67",
                "update add theirs.acme.example. 120 A 10.66.66.68",
            ],
        )
        .unwrap();
    let drifted = site.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(drifted.code, Some(4), "{drifted}");
    let repaired = site.run(&["apply", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{repaired}");
    many.push("theirs.acme.example. 120 IN A 10.66.66.68".to_owned());
    site.assert_holds(&many);
}

/// An editor who comes between reading and writing is noticed where it matters, and only there.
fn races(start: Start) {
    let site = Site::new(start);
    let race = |lines: &[&str]| {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        site.relay
            .fail_update(UpdateFault::Race(ZONE.to_owned(), lines));
    };
    race(&["update add pbx1.acme.example. 60 A 10.66.66.66"]);
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        6,
        &["somebody else changed the records", "make a new plan"],
    );
    let theirs = "pbx1.acme.example. 60 IN A 10.66.66.66";
    let mut expected: Vec<&str> = FOREIGN_LINES.to_vec();
    expected.push(theirs);
    expected.sort_unstable();
    assert_eq!(
        site.primary.records(ZONE).unwrap(),
        expected,
        "nothing changed, nothing undone"
    );
    assert!(
        !site
            .environment
            .work()
            .join(".switchover/generations/000001.json")
            .exists()
    );

    race(&["update add theirs.acme.example. 60 A 10.66.66.68"]);
    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(0), "{output}");
    site.assert_holds(&lines(&["theirs.acme.example. 60 IN A 10.66.66.68"]));

    // One of ours is changed while it is deleted.
    site.topology("", "\"10.20.0.10\"", "\"10.20.0.11\"");
    race(&[
        "update delete pbx1.acme.example. A",
        "update add pbx1.acme.example. 60 A 10.66.66.69",
    ]);
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["somebody else changed the records"]);
    assert_eq!(
        site.primary.lookup("pbx1.acme.example", "A").unwrap(),
        ["10.66.66.69"]
    );
}

/// Keys that do not fit, an update that never arrives, a server that is gone, and a plan that waited too long.
fn faults(start: Start, unknown: &str, wrong: &str) {
    let mut site = Site::new(start);
    let before = site.primary.records(ZONE).unwrap();

    site.topology("", "tsig \"switchover\"", "tsig \"nobody\"");
    assert_one_error(&site.run(&["plan"]), 1, &["`nobody`", unknown]);
    site.topology("", "hmac-sha256", "hmac-sha384");
    assert_one_error(&site.run(&["plan"]), 1, &["`switchover`", unknown]);
    site.topology("", "env:TSIG_SECRET", "env:OTHER_SECRET");
    site.environment.set("OTHER_SECRET", "bm90LXRoZS1zZWNyZXQ=");
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 1, &["`switchover`", wrong]);
    assert!(
        !output.everything().contains("bm90LXRoZS1zZWNyZXQ="),
        "{output}"
    );
    site.topology("", "env:TSIG_SECRET", "env:NOT_BASE64");
    site.environment.set("NOT_BASE64", "hunter2!");
    let output = site.run(&["plan"]);
    assert_one_error(&output, 1, &["is not base64"]);
    assert!(!output.everything().contains("hunter2"), "{output}");
    site.topology("", "tsig ", "// tsig ");
    assert_one_error(&site.run(&["plan"]), 1, &["without a key"]);
    assert_eq!(site.relay.updates(), 0);

    site.topology("", "ns2", "ns2");
    site.relay.fail_update(UpdateFault::Close);
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        6,
        &["closed the connection before its answer", "rolled back"],
    );
    assert_eq!(site.primary.records(ZONE).unwrap(), before);

    let planned = site.run(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let plan = fs::read_to_string(site.environment.work().join("plan.json")).unwrap();
    assert!(plan.contains("dns-update") && !plan.contains(DnsKey::SWITCHOVER.secret));
    site.primary
        .edit(ZONE, &["update add late.acme.example. 60 A 10.66.66.70"])
        .unwrap();
    let updates = site.relay.updates();
    assert_one_error(
        &site.run(&["apply", "plan.json", "--yes"]),
        9,
        &["changed since"],
    );
    assert_eq!(site.relay.updates(), updates);

    site.edit("server \"10.20.0.52\"\n", "server \"10.20.0.99\"\n");
    assert_one_error(&site.run(&["plan"]), 1, &["10.20.0.99:53"]);
    site.edit("server \"10.20.0.99\"\n", "server \"10.20.0.53\"\n");
    site.primary.stop().unwrap();
    assert_one_error(
        &site.run(&["apply", "--yes"]),
        1,
        &["connection refused", "10.20.0.53:53"],
    );
}

#[test]
fn bind_goes_through_the_transitions() {
    transitions(NameServer::bind);
}

#[test]
fn knot_goes_through_the_transitions() {
    transitions(NameServer::knot);
}

#[test]
fn powerdns_goes_through_the_transitions() {
    transitions(NameServer::powerdns);
}

#[test]
fn a_racing_editor_is_noticed_at_bind() {
    races(NameServer::bind);
}

#[test]
fn a_racing_editor_is_noticed_at_knot() {
    races(NameServer::knot);
}

#[test]
fn a_racing_editor_is_noticed_at_powerdns() {
    races(NameServer::powerdns);
}

#[test]
fn bind_and_the_way_to_it_misbehave() {
    faults(NameServer::bind, "BADKEY", "BADSIG");
}

#[test]
fn knot_and_the_way_to_it_misbehave() {
    faults(NameServer::knot, "BADKEY", "BADSIG");
}

#[test]
fn powerdns_and_the_way_to_it_misbehave() {
    faults(NameServer::powerdns, "NOTAUTH", "NOTAUTH");
}

#[test]
fn a_zone_that_is_not_dynamic_is_left_alone() {
    let servers: [(Start, &str); 3] = [
        (NameServer::bind, "REFUSED"),
        (NameServer::knot, "BADKEY"),
        (NameServer::powerdns, "REFUSED"),
    ];
    for (start, code) in servers {
        let zone = DnsZone {
            name: ZONE,
            records: FOREIGN,
            dynamic: false,
            secondary: None,
        };
        let site = Site::with(start, &zone);
        let before = site.primary.records(ZONE).unwrap();
        assert_one_error(&site.run(&["apply", "--yes"]), 6, &[code]);
        assert_eq!(site.primary.records(ZONE).unwrap(), before);
        assert_eq!(site.relay.updates(), 1, "nothing had to be taken back");
    }
}

#[test]
fn a_secondary_that_does_not_follow_takes_the_change_back() {
    let mut site = Site::new(NameServer::bind);
    let before = site.primary.records(ZONE).unwrap();
    site.secondary.as_mut().unwrap().stop().unwrap();
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["ns2", "connection refused", "10.20.0.54:53"]);
    assert_eq!(site.primary.records(ZONE).unwrap(), before);

    site.edit(
        "server \"10.20.0.52\"\n",
        "server \"10.20.0.52\"\n    await-secondaries #false\n",
    );
    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn a_foreign_alias_in_the_way_is_named_before_anything_is_sent() {
    let site = Site::new(NameServer::bind);
    site.topology("record \"printer\" \"CNAME\" \"mail\"", "ns2", "ns2");
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        1,
        &[
            "`printer.acme.example` would be an alias (CNAME)",
            "A, CNAME",
        ],
    );
    assert_eq!(site.relay.updates(), 0);
}

#[test]
fn a_plan_sends_nothing_but_a_transfer() {
    let site = Site::new(NameServer::bind);
    let output = site.run(&["plan"]);
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!((site.relay.messages(), site.relay.updates()), (1, 0));
}

#[test]
fn a_journal_that_cannot_be_written_is_the_servers_failure() {
    let site = Site::new(NameServer::bind);
    let before = site.primary.records(ZONE).unwrap();
    // BIND keeps its journal beside the zone; a folder in its place cannot be written.
    fs::create_dir(site.lab.path().join("bind/zone.jnl")).unwrap();
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        6,
        &["SERVFAIL", "a journal that cannot be written"],
    );
    assert_eq!(site.primary.records(ZONE).unwrap(), before);
}

#[test]
fn a_zone_that_somebody_has_frozen_is_told_and_left_alone() {
    let site = Site::new(NameServer::bind);
    let before = site.primary.records(ZONE).unwrap();
    site.primary.freeze(ZONE).unwrap();
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["UPDATE acme.example", "REFUSED", "frozen"]);
    assert_eq!(site.primary.records(ZONE).unwrap(), before);
    site.primary.thaw(ZONE).unwrap();
    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn a_clock_that_is_wrong_is_told_by_how_much() {
    let site = Site::new(NameServer::bind);
    let before = site.primary.records(ZONE).unwrap();
    for (offset, told) in [("+1h", "ahead"), ("-1h", "behind")] {
        for arguments in [&["plan"][..], &["apply", "--yes"]] {
            let command = site.environment.command(arguments);
            let mut shifted = Command::new("faketime");
            shifted.args(["-f", offset]);
            shifted.arg(command.get_program()).args(command.get_args());
            for (name, value) in command.get_envs() {
                if let Some(value) = value {
                    shifted.env(name, value);
                }
            }
            shifted.current_dir(site.environment.work());
            let mut moved = site.environment.moved(&site.lab, &shifted);
            let output = site.environment.shown(&moved.output().unwrap());
            assert_one_error(&output, 1, &["BADTIME", told, "set both by NTP"]);
        }
    }
    assert_eq!(site.relay.updates(), 0);
    assert_eq!(site.primary.records(ZONE).unwrap(), before);
}

#[test]
fn a_secondary_that_answers_only_those_with_a_key_is_asked_with_it() {
    let mut site = Site::new(NameServer::bind);
    site.secondary.as_mut().unwrap().stop().unwrap();
    let start = NameServer::bind_secondary_with_keys;
    let secondary = start(&site.lab, SECONDARY, ZONE, PRIMARY).unwrap();
    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(0), "{output}\n{}", secondary.log());
    assert!(
        secondary.log().contains("denied"),
        "it was asked without first"
    );
    assert_eq!(secondary.serial(ZONE), site.primary.serial(ZONE));
}

#[test]
fn what_says_how_the_server_is_reached_is_checked_with_the_topology() {
    let mut environment = TestEnvironment::new();
    environment.set("TSIG_SECRET", DnsKey::SWITCHOVER.secret);
    for (old, new, said) in [
        ("server \"10.20.0.52\"\n", "", "has no `server`"),
        (
            "server \"10.20.0.52\"\n",
            "server \"10.20.0.52:0\"\n",
            "is no address of a server",
        ),
        (
            " secret=(secret)\"env:TSIG_SECRET\"",
            "",
            "`tsig` is written",
        ),
        (
            " algorithm=\"hmac-sha256\"",
            " hash=\"sha256\"",
            "`tsig` is written",
        ),
        (
            "tsig \"switchover\"",
            "await \"5s\"\n    tsig \"switchover\"",
            "has no setting `await`",
        ),
        (
            "role=\"primary\"",
            "role=\"secondary\"",
            "is a secondary server of `acme.example`",
        ),
    ] {
        let text = include_str!("zone.kdl");
        assert!(text.contains(old), "nothing to edit: {old}");
        environment.write("switchover.kdl", &text.replace(old, new));
        let output = environment.run(["plan"]);
        assert_eq!(output.code, Some(3), "{output}");
        let flat = output.stderr.replace(['│', '\n'], " ");
        let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "`{said}` is not told:\n{output}");
    }
}
