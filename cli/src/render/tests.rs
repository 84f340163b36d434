//! Snapshots of plans made by hand.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::Timestamp;
use serde_json::{Value, json};
use switchover_engine::plan::{
    Action, Change, Content, DnsUpdate, Effect, FORMAT_VERSION, HttpBody, HttpRequest, LeftOut,
    Line, Plan, PluginRef, Procedure, Reason, Rrset, Step, TargetPlan, TopologyRef, Undo, Wave,
};
use switchover_topology::Sources;

use crate::render::outline::Extent;
use crate::render::state::StateFound;
use crate::render::{plan_human, plan_json, plan_markdown};
use crate::terminal::Look;

const PLAIN: Look = Look {
    width: 80,
    color: false,
    terminal: false,
    unicode: true,
};

const FOUND: StateFound<'static> = StateFound::new(".switchover", Some(3));

fn plan(targets: Vec<TargetPlan>) -> Plan {
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        site: "acme-hq".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        expires: Timestamp::UNIX_EPOCH,
        topology: TopologyRef {
            path: "switchover.kdl".to_owned(),
            sha256: "0".repeat(64),
        },
        generation: Some(3),
        left_out: Vec::new(),
        large: Vec::new(),
        rejected: None,
        rolled_back_to: None,
        targets,
    }
}

fn target(name: &str, wave: Wave, changes: Vec<Change>) -> TargetPlan {
    TargetPlan {
        name: name.to_owned(),
        plugin: PluginRef {
            name: "kea".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: "1".repeat(64),
        },
        wave,
        observed: "2".repeat(64),
        changes,
        unchanged: 7,
        foreign: Vec::new(),
        known_drift: Vec::new(),
        resources: BTreeMap::new(),
        undo: Undo::Native,
        procedure: Procedure::default(),
    }
}

fn change(address: &str, before: Option<Content>, after: Option<Content>) -> Change {
    Change {
        address: address.to_owned(),
        kind: address.split('/').next().unwrap_or_default().to_owned(),
        action: match (&before, &after) {
            (None, _) => Action::Create,
            (Some(_), Some(_)) => Action::Update,
            (Some(_), None) => Action::Delete,
        },
        reason: Reason::Wanted,
        before,
        after,
        before_line: None,
        after_line: None,
    }
}

fn object(value: Value) -> Option<Content> {
    Some(Content::Object(value))
}

fn text(text: &str) -> Option<Content> {
    Some(Content::Text(text.to_owned()))
}

fn opaque(size: u64) -> Option<Content> {
    Some(Content::Opaque {
        size,
        sha256: format!("{:0<64}", format!("{size:x}")),
    })
}

/// Every kind of change, in two targets.
fn varied() -> Plan {
    let config = |servers: &str| {
        format!("# phone\nname = reception\n{servers}port = 5061\ntls = 1\nlang = it\nend\n")
    };
    let mut drifted = change(
        "file/9c7514000102.cfg",
        text(&config("server = 10.20.0.10\n")),
        text(&config("server = 10.20.0.10\nbackup = 10.20.1.10\n")),
    );
    drifted.reason = Reason::Drift;
    let mut files = target(
        "files",
        Wave::Provisioning,
        vec![
            change("file/9c7514000101.cfg", None, text("a\nb\nc\n")),
            drifted,
            change("file/logo.png", opaque(14_200), opaque(9_100)),
            change("file/old.cfg", text("gone\n"), None),
        ],
    );
    files.plugin.name = "provisioning".to_owned();
    files.foreign = vec!["file/README".to_owned(), "file/index.html".to_owned()];
    let subnet = |lease: u32, dns: Value| {
        json!({
            "subnet": "10.20.30.0/24", "valid-lifetime": lease,
            "pools": [{"pool": "10.20.30.100-10.20.30.220"}], "option-data": [{"code": 6, "data": dns}],
        })
    };
    let mut dhcp = target(
        "kea1",
        Wave::Dhcp,
        vec![
            change(
                "subnet/10.20.30.0/24",
                object(subnet(3_600, json!(["10.20.0.53"]))),
                object(subnet(28_800, json!(["10.20.0.53", "10.20.0.54"]))),
            ),
            change(
                "reservation/9c:75:14:00:01:01",
                None,
                object(json!({"ip-address": "10.20.30.11", "hostname": "reception"})),
            ),
            change(
                "subnet/10.20.31.0/24",
                None,
                object(subnet(3_600, json!(["10.20.0.53"]))),
            ),
            change("class/akuvox", object(json!({"test": "x"})), None),
        ],
    );
    dhcp.undo = Undo::None;
    dhcp.procedure.stage.push(Step {
        id: "test".to_owned(),
        title: "test the new configuration".to_owned(),
        effect: Effect::Http(HttpRequest {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            reason: None,
        }),
        expect: Vec::new(),
        capture: Vec::new(),
        undo: Vec::new(),
        evidence: None,
    });
    dhcp.procedure.commit.push(Step {
        effect: Effect::Run {
            name: "reload".to_owned(),
            file: Some("kea.conf".to_owned()),
        },
        title: "reload the server".to_owned(),
        ..dhcp.procedure.stage[0].clone()
    });
    dhcp.procedure.commit.push(Step {
        effect: Effect::DnsUpdate(DnsUpdate {
            zone: "acme.example".to_owned(),
            require: Vec::new(),
            replace: vec![Rrset {
                owner: "pbx1.acme.example".to_owned(),
                rtype: "A".to_owned(),
                ttl: 60,
                data: vec!["10.20.0.10".to_owned()],
            }],
        }),
        title: "update the zone".to_owned(),
        ..dhcp.procedure.stage[0].clone()
    });
    dhcp.procedure.verify.push(Step {
        effect: Effect::DnsProbe {
            zone: "acme.example".to_owned(),
            server: "ns2".to_owned(),
            deadline_ms: 30_000,
            every_ms: 250,
        },
        title: "wait for the secondary".to_owned(),
        ..dhcp.procedure.stage[0].clone()
    });
    plan(vec![target("bind", Wave::Dns, Vec::new()), files, dhcp])
}

fn line(columns: &[&str], more: &[&str]) -> Option<Line> {
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    Some(Line {
        columns: owned(columns),
        more: owned(more),
    })
}

/// A change whose plugin says how it reads.
fn said(address: &str, before: Option<Line>, after: Option<Line>) -> Change {
    let value = |line: &Option<Line>| object(json!(line.as_ref()?.columns));
    let (old, new) = (value(&before), value(&after));
    Change {
        before_line: before,
        after_line: after,
        ..change(address, old, new)
    }
}

/// Lines of every kind of plugin, in three targets.
fn worded() -> Plan {
    let set = |owner: &str, ttl: &str, rtype: &str, data: &[&str]| {
        line(&[owner, ttl, rtype, data[0]], &data[1..])
    };
    let srv = "_sip._tcp.acme.example.";
    let (first, second) = (
        "10 100 443 pbx1.acme.example.",
        "20 100 443 pbx2.acme.example.",
    );
    let dns = target(
        "bind",
        Wave::Dns,
        vec![
            said(
                "rrset/srv",
                None,
                set(srv, "60", "IN SRV", &[first, second]),
            ),
            said(
                "rrset/sips",
                set("_sips._tcp.acme.example.", "60", "IN SRV", &[first, second]),
                set(
                    "_sips._tcp.acme.example.",
                    "60",
                    "IN SRV",
                    &[first, "20 100 443 pbx3.acme.example."],
                ),
            ),
            said(
                "rrset/a",
                set("pbx1.acme.example.", "3600", "IN A", &["10.20.0.9"]),
                set("pbx1.acme.example.", "60", "IN A", &["10.20.0.10"]),
            ),
            said(
                "rrset/naptr",
                None,
                set(
                    "acme.example.",
                    "60",
                    "IN NAPTR",
                    &["10 50 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.acme.example."],
                ),
            ),
            said(
                "rrset/old",
                set(
                    "old.acme.example.",
                    "60",
                    "IN CNAME",
                    &["pbx1.acme.example."],
                ),
                None,
            ),
        ],
    );
    let of = |size: &str| {
        line(
            &[
                "9c7514000102.cfg",
                size,
                "WP480",
                "reception",
                "for 101 Reception",
            ],
            &[],
        )
    };
    let mut rewritten = change(
        "file/9c7514000102.cfg",
        text("name = reception\nserver = 10.20.0.10\nport = 5061\n"),
        text("name = reception\nserver = 10.20.0.10\nbackup = 10.20.1.10\nport = 5061\n"),
    );
    (rewritten.before_line, rewritten.after_line) = (of("3 lines"), of("4 lines"));
    let mut new = change("file/9c7514000201.cfg", None, text("a\nb\n"));
    new.after_line = line(
        &["9c7514000201.cfg", "2 lines", "W24FXSR2", "analogue"],
        &[],
    );
    let mut files = target("files", Wave::Provisioning, vec![rewritten, new]);
    files.plugin.name = "provisioning".to_owned();
    let dhcp = {
        let option = |value: &str, audience: &str| {
            line(&["option 6 domain-name-servers", value, audience], &[])
        };
        let host = |mac: &str, address: &str, name: &str| {
            line(&[&format!("host {mac}"), address, name], &[])
        };
        let subnet = |lease: &str| {
            let pool = "pool 10.20.30.100 - 10.20.30.220";
            line(
                &["subnet 10.20.30.0/24", pool, lease, "class phones-voice"],
                &[],
            )
        };
        let mut drifted = said(
            "host/3",
            host("9c:75:14:00:01:03", "10.20.30.33", "warehouse"),
            host("9c:75:14:00:01:03", "10.20.30.13", "warehouse"),
        );
        drifted.reason = Reason::Drift;
        let user = || line(&["user 101", "password (sensitive)"], &[]);
        target(
            "kea1",
            Wave::Dhcp,
            vec![
                said("subnet/1", subnet("lease 1h"), subnet("lease 8h")),
                said(
                    "option/6",
                    option("10.20.30.5, 10.20.0.54", "for phones"),
                    option("10.20.30.5, 10.20.0.55", "for phones"),
                ),
                said(
                    "option/3",
                    None,
                    line(&["option 3 routers", "10.20.30.1", ""], &[]),
                ),
                said(
                    "class/phones",
                    None,
                    line(
                        &[
                            "class phones-voice",
                            "if substring(pkt4.mac,0,3) == 0x9c7514",
                        ],
                        &[
                            "option 66 tftp-server-name http://prov.acme.example/",
                            "option 160 0x0a0b",
                        ],
                    ),
                ),
                said(
                    "host/1",
                    None,
                    host("9c:75:14:00:01:01", "10.20.30.11", "reception"),
                ),
                said(
                    "host/2",
                    host("9c:75:14:00:01:02", "10.20.30.12", "sales"),
                    host("9c:75:14:00:01:02", "10.20.30.21", "sales"),
                ),
                drifted,
                said("user/101", user(), user()),
                said(
                    "host/4",
                    host("9c:75:14:00:01:04", "10.20.30.14", "front-door"),
                    None,
                ),
                change("hook/x", None, object(json!({"library": "x.so"}))),
            ],
        )
    };
    let mut plan = plan(vec![dns, files, dhcp]);
    plan.left_out.push(LeftOut {
        name: "pbx1".to_owned(),
        wave: Wave::MainPbx,
    });
    plan
}

#[test]
fn lines_at_80_columns() {
    assert_snapshot!(plan_human::render(&worded(), Extent::Brief, PLAIN));
}

#[test]
fn lines_at_120_columns() {
    let wide = Look {
        width: 120,
        ..PLAIN
    };
    assert_snapshot!(plan_human::render(&worded(), Extent::Brief, wide));
}

#[test]
fn lines_as_markdown() {
    assert_snapshot!(plan_markdown::render(&worded(), FOUND, Extent::Brief));
}

#[test]
fn lines_in_full_have_their_addresses_and_fields() {
    assert_snapshot!(plan_human::render(&worded(), Extent::Full, PLAIN));
}

#[test]
fn what_changes_has_a_colour_of_its_own() {
    let look = Look {
        color: true,
        ..PLAIN
    };
    let colored = plan_human::render(&worded(), Extent::Brief, look);
    let (red, green, end) = ("\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m");
    for shown in [
        format!("{red}10.20.30.12{end}"),
        format!("{green}10.20.30.21{end} sales"),
        format!("10.20.30.5, {red}10.20.0.54{end} for phones"),
        format!("10.20.30.5, {green}10.20.0.55{end}\n"),
        format!("{red}-{end} {red}20 100 443 pbx2.acme.example.{end}"),
    ] {
        assert!(colored.contains(&shown), "{shown:?} in {colored:?}");
    }
    assert_eq!(
        anstream::adapter::strip_str(&colored).to_string(),
        plan_human::render(&worded(), Extent::Brief, PLAIN)
    );
}

#[test]
fn without_unicode_nothing_but_names_is_more_than_ascii() {
    let look = Look {
        unicode: false,
        ..PLAIN
    };
    let mut plan = worded();
    plan.targets[0].name = "zürich".to_owned();
    let shown = plan_human::render(&plan, Extent::Full, look);
    let odd: String = shown.chars().filter(|letter| !letter.is_ascii()).collect();
    assert_eq!(odd, "ü");
    assert!(
        shown.contains("10.20.30.12 -> 10.20.30.21 sales"),
        "{shown}"
    );
}

#[test]
fn human() {
    assert_snapshot!(plan_human::render(&varied(), Extent::Brief, PLAIN));
}

#[test]
fn human_in_full() {
    assert_snapshot!(plan_human::render(&varied(), Extent::Full, PLAIN));
}

#[test]
fn human_in_colour_is_the_same_text() {
    let colored = plan_human::render(
        &varied(),
        Extent::Brief,
        Look {
            color: true,
            ..PLAIN
        },
    );
    assert!(colored.contains("\u{1b}[32m+\u{1b}[0m reservation/"));
    assert_eq!(
        anstream::adapter::strip_str(&colored).to_string(),
        plan_human::render(&varied(), Extent::Brief, PLAIN)
    );
}

#[test]
fn markdown() {
    assert_snapshot!(plan_markdown::render(&varied(), FOUND, Extent::Brief));
}

#[test]
fn json_is_the_plan_with_a_summary() {
    let plan = varied();
    let mut document: Value = serde_json::from_str(
        &plan_json::render(&plan, FOUND, (&[], &Sources::default()), None).unwrap(),
    )
    .unwrap();
    assert_snapshot!(document["summary"].to_string(), @r#"{"create":3,"update":3,"delete":2,"drifted":1,"unchanged":21,"foreign":2}"#);
    assert_eq!(
        document["state"],
        json!({ "place": ".switchover", "found": true })
    );
    for printed_only in ["summary", "state", "diagnostics"] {
        document.as_object_mut().unwrap().remove(printed_only);
    }
    assert_eq!(serde_json::from_value::<Plan>(document).unwrap(), plan);
}

#[test]
fn nothing_to_do() {
    let nothing = plan(vec![target("kea1", Wave::Dhcp, Vec::new())]);
    assert_eq!(
        plan_human::render(&nothing, Extent::Brief, PLAIN),
        "no changes\n"
    );
    assert_snapshot!(plan_markdown::render(&nothing, FOUND, Extent::Brief), @"### Plan for acme-hq: no changes");
}

fn many() -> Plan {
    let reservation = |number: u32| {
        let address = format!(
            "reservation/9c:75:14:00:{:02x}:{:02x}",
            number >> 8,
            number & 255
        );
        change(
            &address,
            None,
            object(json!({"ip-address": format!("10.20.{}.{}", number >> 8, number & 255)})),
        )
    };
    let mut changes: Vec<Change> = (0..9_985).map(reservation).collect();
    changes.insert(1, change("file/hosts", None, text("x")));
    changes
        .extend((0..21).map(|number| change(&format!("class/{number}"), object(json!({})), None)));
    let mut drifted = change("subnet/a", object(json!({"x": 1})), object(json!({"x": 2})));
    drifted.reason = Reason::Both;
    changes.push(drifted);
    plan(vec![target("kea1", Wave::Dhcp, changes)])
}

#[test]
fn many_of_a_kind_are_counted() {
    assert_snapshot!(plan_human::render(&many(), Extent::Brief, PLAIN));
}

#[test]
fn full_shows_each() {
    let full = plan_human::render(&many(), Extent::Full, PLAIN);
    assert_eq!(full.matches("+ reservation/").count(), 9_985);
    assert!(!full.contains('…'));
}

#[test]
fn long_differences_are_cut() {
    let lines = |word: &str| {
        (0..100)
            .map(|number| format!("{word} {number}\n"))
            .collect::<String>()
    };
    let fields = |offset: u32| {
        (0..30_u32)
            .map(|number| (format!("key{number}"), json!(number + offset)))
            .collect::<serde_json::Map<_, _>>()
    };
    let plan = plan(vec![target(
        "files",
        Wave::Provisioning,
        vec![
            change("file/a", text(&lines("old")), text(&lines("new"))),
            change(
                "class/b",
                object(fields(0).into()),
                object(fields(1).into()),
            ),
        ],
    )]);
    let brief = plan_human::render(&plan, Extent::Brief, PLAIN);
    assert!(
        brief.contains("… 161 more lines (--full shows all)"),
        "{brief}"
    );
    assert!(
        brief.contains("… 18 more fields (--full shows all)"),
        "{brief}"
    );
    let full = plan_human::render(&plan, Extent::Full, PLAIN);
    assert!(
        full.contains("+new 99") && full.contains("key29: 29 → 30"),
        "{full}"
    );
}

#[test]
fn long_values_stand_on_lines_of_their_own() {
    let before = json!({"url": format!("https://{}.example/", "a".repeat(40))});
    let after = json!({"url": format!("https://{}.example/", "b".repeat(40))});
    let plan = plan(vec![target(
        "kea1",
        Wave::Dhcp,
        vec![change("option/66", object(before), object(after))],
    )]);
    assert_snapshot!(plan_human::render(&plan, Extent::Brief, PLAIN), @r#"
    1. kea1 – DHCP  plugin kea 0.1.0
      ~ option/66
          - url: "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/"
          + url: "https://bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example/"

    0 to add, 1 to change, 0 to remove
    "#);
}

#[test]
fn what_a_server_says_cannot_steer_the_terminal_or_leave_its_block() {
    let evil = "\u{1b}[2Jevil\u{202e}";
    let body = format!("{evil}\n````\n</details>\n");
    let mut hostile = target(
        "<b>*x*",
        Wave::Dhcp,
        vec![
            change(evil, text("fine\n"), text(&body)),
            change(
                evil,
                object(json!({"k": 1})),
                object(json!({"k": evil, evil: 2})),
            ),
        ],
    );
    hostile.plugin.name = evil.to_owned();
    let plan = plan(vec![hostile]);
    for rendered in [
        plan_human::render(&plan, Extent::Full, PLAIN),
        plan_markdown::render(&plan, FOUND, Extent::Full),
        plan_json::render(&plan, FOUND, (&[], &Sources::default()), None).unwrap(),
    ] {
        assert!(!rendered.contains('\u{1b}'), "{rendered}");
    }
    assert_snapshot!(plan_markdown::render(&plan, FOUND, Extent::Brief));
}

#[test]
fn a_comment_is_no_longer_than_github_takes() {
    let created = |number: usize| {
        let value = json!({"hostname": "x".repeat(80)});
        change(&format!("host/{number}"), None, object(value))
    };
    let targets = (0..400).map(|number| {
        let changes = (0..5).map(created).collect();
        target(&format!("dhcp-{number}"), Wave::Dhcp, changes)
    });
    let plan = plan(targets.collect());
    let brief = plan_markdown::render(&plan, FOUND, Extent::Brief);
    let length = brief.chars().count();
    assert!((60_000..=65_536).contains(&length), "{length}");
    let shown = brief.matches("<details>").count();
    let last = format!("\n{} targets are left out", 400 - shown);
    assert!(shown > 0 && brief.contains(&last), "{shown}");
    let full = plan_markdown::render(&plan, FOUND, Extent::Full);
    assert_eq!(full.matches("<details>").count(), 400);
}
