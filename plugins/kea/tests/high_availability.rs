//! Hot-standby pairs: what each of the two servers is told, and what Kea would refuse to load.

use serde_json::{Value, json};
use switchover_plugin_kea::Kea;
use switchover_sdk::{Plugin, Resource, Target, View};

use crate::harness::{after, answers, body, by_address, changes, desired, empty, foreign, request};
use crate::topology::{pair, plain_target, target, view};

fn wanted(view: &View, settings: &Value) -> Value {
    let resources = Kea::desired(view, &target(settings)).unwrap();
    by_address(&resources)["high-availability"].clone()
}

/// The hooks that a server has after the plan, which started with these.
fn hooks_after(start: &Value, view: &View) -> Vec<Value> {
    let config = after(start, &changes(start, &desired(view), &[]));
    hooks(&config)
}

fn hooks(config_get: &Value) -> Vec<Value> {
    let hooks = &config_get[0]["arguments"]["Dhcp4"]["hooks-libraries"];
    hooks.as_array().cloned().unwrap_or_default()
}

fn with_hooks(hooks: &Value) -> Value {
    let mut start = empty();
    start[0]["arguments"]["Dhcp4"]["hooks-libraries"] = hooks.clone();
    start
}

#[test]
fn both_servers_know_the_same_pair_and_each_its_own_name() {
    let one = wanted(&pair("dhcp1"), &json!({}));
    insta::assert_json_snapshot!(one);
    let mut other = wanted(&pair("dhcp2"), &json!({}));
    assert_eq!(other["this-server-name"], "dhcp2");
    other["this-server-name"] = json!("dhcp1");
    assert_eq!(other, one);
}

#[test]
fn what_is_sent_is_what_kea_wants() {
    insta::assert_json_snapshot!(hooks_after(&empty(), &pair("dhcp2")));
}

#[test]
fn what_is_written_is_what_was_wanted() {
    for start in [empty(), foreign()] {
        let view = pair("dhcp1");
        let config = after(&start, &changes(&start, &desired(&view), &[]));
        assert!(changes(&config, &desired(&view), &[]).is_empty());
    }
}

#[test]
fn there_is_no_pair_of_one_or_where_somebody_else_makes_it() {
    let mut spare = pair("dhcp1");
    spare.dhcp[0].servers[1].target = None;
    for view in [view(), spare] {
        assert!(!by_address(&desired(&view)).contains_key("high-availability"));
    }
    let present = target(&json!({"high-availability": "present"}));
    let resources = Kea::desired(&pair("dhcp1"), &present).unwrap();
    assert!(!by_address(&resources).contains_key("high-availability"));
}

#[test]
fn settings_say_what_the_topology_does_not() {
    let settings = json!({
        "ha-port": 8443, "ha-listener": "dedicated", "ha-user": "kea", "ha-password-file": "/etc/kea/p",
        "ha-heartbeat-delay-ms": 1, "ha-max-response-delay-ms": 2, "ha-max-ack-delay-ms": 3, "ha-max-unacked-clients": 0
    });
    let mut view = pair("dhcp1");
    view.dhcp[0].servers[1].address = "2001:db8::6".into();
    assert_eq!(
        wanted(&view, &settings),
        json!({
            "this-server-name": "dhcp1", "mode": "hot-standby", "heartbeat-delay": 1, "max-response-delay": 2,
            "max-ack-delay": 3, "max-unacked-clients": 0, "listener": "dedicated",
            "peers": [
                {"name": "dhcp1", "url": "http://10.20.30.5:8443/", "role": "primary", "auto-failover": true,
                 "basic-auth-user": "kea", "basic-auth-password-file": "/etc/kea/p"},
                {"name": "dhcp2", "url": "http://[2001:db8::6]:8443/", "role": "standby", "auto-failover": true,
                 "basic-auth-user": "kea", "basic-auth-password-file": "/etc/kea/p"}
            ]
        })
    );
}

#[test]
fn libraries_are_where_the_server_has_them() {
    for (path, library) in [
        (
            "/usr/lib/aarch64-linux-gnu/kea/hooks/",
            "/usr/lib/aarch64-linux-gnu/kea/hooks/libdhcp_ha.so",
        ),
        ("", "libdhcp_ha.so"),
    ] {
        let target = target(&json!({"hooks-path": path}));
        let changes = changes(&empty(), &desired(&pair("dhcp1")), &[]);
        let procedure = Kea::procedure(&target, &answers(&empty(), "2.2.0"), &changes).unwrap();
        let dhcp4 = &body(request(&procedure.stage[0]))["arguments"]["Dhcp4"];
        assert_eq!(dhcp4["hooks-libraries"][1]["library"], library);
    }
}

#[test]
fn other_hooks_stay_as_they_are_and_come_back_to_it() {
    let stat =
        json!({"library": "/opt/libdhcp_stat_cmds.so", "parameters": {"x": [1, {"y": null}]}});
    let leases = json!({"library": "/opt/libdhcp_lease_cmds.so"});
    let first = with_hooks(&json!([stat]));
    let found = hooks_after(&first, &pair("dhcp1"));
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], stat);

    // The library that the pair needs is there already, and stays when the pair goes.
    let start = with_hooks(&json!([leases, stat]));
    let planned = changes(&start, &desired(&pair("dhcp1")), &[]);
    assert!(planned.iter().all(|change| change.kind != "hook"));
    let config = after(&start, &planned);
    assert_eq!(hooks(&config)[..2], [leases.clone(), stat.clone()]);
    let made: Vec<Resource> = desired(&pair("dhcp1"))
        .into_iter()
        .filter(|resource| resource.kind == "high-availability")
        .collect();
    let removed = after(&config, &changes(&config, &[], &made));
    assert_eq!(hooks(&removed), [leases, stat]);
}

#[test]
fn the_library_that_the_pair_needs_comes_before_it() {
    let start = with_hooks(
        &json!([{"library": "/x/libdhcp_ha.so"}, {"library": "/x/libdhcp_stat_cmds.so"}]),
    );
    let found = hooks_after(&start, &pair("dhcp1"));
    let libraries: Vec<_> = found
        .iter()
        .map(|hook| {
            hook["library"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(
        libraries,
        [
            "libdhcp_lease_cmds.so",
            "libdhcp_ha.so",
            "libdhcp_stat_cmds.so"
        ]
    );
    assert_eq!(
        found[1]["library"], "/x/libdhcp_ha.so",
        "it is where it was"
    );
}

#[test]
fn the_name_of_the_other_server_is_put_right_and_nothing_else_moves() {
    let start = empty();
    let view = pair("dhcp2");
    let good = after(&start, &changes(&start, &desired(&view), &[]));
    let section = "/0/arguments/Dhcp4/hooks-libraries/1/parameters/high-availability/0";
    let mut drifted = good.clone();
    let found = drifted.pointer_mut(section).unwrap();
    found["this-server-name"] = json!("dhcp1");
    found["restrict-commands"] = json!(true);
    found["peers"][0]["trust-anchor"] = json!("/etc/kea/ca.pem");
    found["peers"].as_array_mut().unwrap().push(json!({
        "name": "third", "url": "http://10.0.0.3:8000/", "role": "backup"
    }));
    let planned = changes(&drifted, &desired(&view), &[]);
    let addresses: Vec<_> = planned
        .iter()
        .map(|change| change.address.as_str())
        .collect();
    assert_eq!(addresses, ["high-availability"]);
    let mut expected = good;
    let found = expected.pointer_mut(section).unwrap();
    found["restrict-commands"] = json!(true);
    found["peers"][0]["trust-anchor"] = json!("/etc/kea/ca.pem");
    assert_eq!(after(&drifted, &planned), expected);
}

#[test]
fn a_password_that_is_there_is_somebody_elses_until_a_file_is_named() {
    let start = foreign();
    let config = after(&start, &changes(&start, &desired(&pair("dhcp1")), &[]));
    let text = hooks(&config).last().unwrap().to_string();
    assert!(
        !text.contains("basic-auth"),
        "peers with other names went: {text}"
    );
    let mut mine = hooks(&config);
    mine[1]["parameters"]["high-availability"][0]["peers"][1]["basic-auth-user"] = json!("u");
    mine[1]["parameters"]["high-availability"][0]["peers"][1]["basic-auth-password"] = json!("p");
    let start = with_hooks(&json!(mine));
    let without: Vec<Resource> = desired(&pair("dhcp1"))
        .into_iter()
        .filter(|resource| matches!(resource.kind.as_str(), "hook" | "high-availability"))
        .collect();
    assert!(changes(&start, &without, &[]).is_empty());

    let login = target(&json!({"ha-user": "kea", "ha-password-file": "/etc/kea/p"}));
    let resources = Kea::desired(&pair("dhcp1"), &login).unwrap();
    let pair: Vec<Resource> = resources
        .into_iter()
        .filter(|resource| resource.kind == "high-availability")
        .collect();
    let procedure = Kea::procedure(
        &login,
        &answers(&start, "2.2.0"),
        &changes(&start, &pair, &[]),
    )
    .unwrap();
    let peer = "/arguments/Dhcp4/hooks-libraries/1/parameters/high-availability/0/peers/1";
    assert_eq!(
        body(request(&procedure.stage[0])).pointer(peer).unwrap(),
        &json!({
            "name": "dhcp2", "url": "http://10.20.30.6:8000/", "role": "standby", "auto-failover": true,
            "basic-auth-user": "kea", "basic-auth-password-file": "/etc/kea/p"
        })
    );
}

/// A section that Kea takes, for the tests that break it.
fn sound() -> Value {
    json!({
        "this-server-name": "a", "mode": "hot-standby",
        "peers": [
            {"name": "a", "url": "http://10.0.0.1:8000/", "role": "primary"},
            {"name": "b", "url": "http://[2001:db8::2]:8000/", "role": "standby"},
            {"name": "c", "url": "http://10.0.0.3:8000/", "role": "backup"}
        ]
    })
}

fn refusal(hooks: &Value) -> Option<String> {
    let present = target(&json!({"high-availability": "present"}));
    let answers = answers(&with_hooks(hooks), "2.2.0");
    let failure = Kea::procedure(&present, &answers, &[]).err()?;
    assert_eq!(failure.code, "high-availability");
    Some(failure.message)
}

fn with_section(section: &Value) -> Value {
    json!([
        {"library": "libdhcp_lease_cmds.so"},
        {"library": "libdhcp_ha.so", "parameters": {"high-availability": [section]}}
    ])
}

#[test]
fn what_kea_would_refuse_to_load_is_refused_before_it_is_sent() {
    assert_eq!(refusal(&with_section(&sound())), None);
    type Edit = fn(&mut Value);
    let table: &[(&str, Edit)] = &[
        (
            "`this-server-name` is `x`, which is none of its peers",
            |section| {
                section["this-server-name"] = json!("x");
            },
        ),
        ("`this-server-name` is missing", |section| {
            section.as_object_mut().unwrap().remove("this-server-name");
        }),
        ("there is no mode `warm`", |section| {
            section["mode"] = json!("warm");
        }),
        ("`mode` is missing", |section| section["mode"] = json!(7)),
        ("one primary and one standby", |section| {
            section["peers"][1]["role"] = json!("primary");
        }),
        ("one primary and one standby", |section| {
            section["peers"][1]["role"] = json!("secondary");
        }),
        ("one primary and one standby", |section| {
            section["peers"].as_array_mut().unwrap().remove(1);
        }),
        ("one primary and one standby", |section| {
            section["peers"][2]["role"] = json!("standby");
        }),
        ("one primary and one secondary", |section| {
            section["mode"] = json!("load-balancing");
        }),
        ("`role` is missing", |section| {
            section["peers"][1].as_object_mut().unwrap().remove("role");
        }),
        ("two peers are called `a`", |section| {
            section["peers"][1]["name"] = json!("a");
        }),
        ("two peers have the url", |section| {
            section["peers"][1]["url"] = json!("http://10.0.0.1:8000/");
        }),
        ("with an IP address", |section| {
            section["peers"][1]["url"] = json!("http://dhcp2.acme.example:8000/");
        }),
        ("with an IP address", |section| {
            section["peers"][1]["url"] = json!("10.0.0.2:8000");
        }),
        ("wants a `trust-anchor`", |section| {
            section["peers"][2]["url"] = json!("https://10.0.0.3:8000/");
        }),
        ("a password and a password file", |section| {
            section["peers"][1]["basic-auth-password"] = json!("p");
            section["peers"][1]["basic-auth-password-file"] = json!("/p");
        }),
        ("`wait-backup-ack` must be false", |section| {
            section["wait-backup-ack"] = json!(true);
        }),
        ("`delayed-updates-limit` must be 0", |section| {
            section["delayed-updates-limit"] = json!(5);
        }),
        ("kea's `multi-threading` is off", |section| {
            section["multi-threading"] = json!({"enable-multi-threading": true});
        }),
    ];
    for (expected, edit) in table {
        let mut section = sound();
        edit(&mut section);
        let message = refusal(&with_section(&section)).unwrap_or_else(|| panic!("{expected}"));
        assert!(message.contains(expected), "{expected}: {message}");
    }
    let mut hooks = with_section(&sound());
    hooks.as_array_mut().unwrap().swap(0, 1);
    assert_eq!(refusal(&hooks), None, "kea takes either order");
    hooks.as_array_mut().unwrap().remove(1);
    let message = refusal(&hooks).unwrap();
    assert!(message.contains("is not loaded"), "{message}");
}

#[test]
fn a_pair_is_held_against_it_as_soon_as_it_is_ours() {
    let mut broken = sound();
    broken["wait-backup-ack"] = json!(true);
    let start = answers(&with_hooks(&with_section(&broken)), "2.2.0");
    // Nobody asked for a pair here, and kea has it running somehow.
    assert!(Kea::procedure(&plain_target(), &start, &[]).is_ok());
    let ours = Target {
        owned: vec!["high-availability".into()],
        ..plain_target()
    };
    assert_eq!(
        Kea::procedure(&ours, &start, &[]).unwrap_err().code,
        "high-availability"
    );
    let planned = changes(
        &with_hooks(&with_section(&broken)),
        &desired(&pair("dhcp1")),
        &[],
    );
    let failure = Kea::procedure(&plain_target(), &start, &planned).unwrap_err();
    assert_eq!(failure.code, "high-availability");
}

#[test]
fn two_primaries_are_no_pair() {
    let mut view = pair("dhcp1");
    view.dhcp[0].servers[1].role = switchover_sdk::ServerRole::Primary;
    let planned = changes(&empty(), &desired(&view), &[]);
    let failure =
        Kea::procedure(&plain_target(), &answers(&empty(), "2.2.0"), &planned).unwrap_err();
    assert_eq!(failure.code, "high-availability");
}
