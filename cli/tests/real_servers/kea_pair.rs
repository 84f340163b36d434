use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};
use switchover_lab::{Kea, KeaSettings, Lab, Proxy};

use super::{KEA_PASSWORD, PHONE};
use crate::environment::{Output, TestEnvironment};

/// Two Keas with a control agent each, and a topology that makes them a pair.
struct Pair {
    lab: Lab,
    environment: TestEnvironment,
    servers: [Kea; 2],
}

impl Pair {
    fn new() -> Self {
        let foreign = Kea::hooks().unwrap().join("libdhcp_stat_cmds.so");
        Self::of(&[
            json!({ "hooks-libraries": [{ "library": foreign }] }),
            json!({}),
        ])
    }

    /// With what the two servers are configured with before.
    fn of(before: &[Value; 2]) -> Self {
        let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24", "10.20.30.6/24"]).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("KEA_PASSWORD", KEA_PASSWORD);
        let password = environment.write("ha-password", KEA_PASSWORD);
        let topology = include_str!("kea_pair.kdl")
            .replace("PASSWORD-FILE", &password.display().to_string())
            .replace("HOOKS", &Kea::hooks().unwrap().display().to_string());
        environment.write("switchover.kdl", &topology);
        let start = |last: u8, dhcp4: &Value| {
            let settings = KeaSettings {
                address: Ipv4Addr::new(10, 20, 30, last),
                port: 8000,
                password: Some(KEA_PASSWORD.to_owned()),
                dhcp4: dhcp4.clone(),
            };
            Kea::start(&lab, settings).unwrap()
        };
        let servers = [start(5, &before[0]), start(6, &before[1])];
        Self {
            lab,
            environment,
            servers,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    fn configurations(&self) -> [String; 2] {
        let text = |kea: &Kea| kea.config_get().unwrap().to_string();
        [text(&self.servers[0]), text(&self.servers[1])]
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }
}

fn libraries(kea: &Kea) -> Vec<String> {
    let config = kea.config_get().unwrap();
    let hooks = config["hooks-libraries"].as_array().unwrap();
    let library = |hook: &Value| Path::new(hook["library"].as_str().unwrap()).to_owned();
    hooks
        .iter()
        .map(|hook| library(hook).file_name().unwrap().display().to_string())
        .collect()
}

fn this_server(kea: &Kea) -> Value {
    let config = kea.config_get().unwrap();
    let hook = config["hooks-libraries"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    hook["parameters"]["high-availability"][0]["this-server-name"].clone()
}

#[test]
fn two_keas_become_a_hot_standby_pair_and_either_serves_a_telephone() {
    let mut pair = Pair::new();
    let applied = pair.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    for server in &pair.servers {
        server.wait_for_pair("hot-standby").unwrap();
    }
    let [one, other] = &pair.servers;
    assert_eq!(this_server(one), "dhcp1");
    assert_eq!(this_server(other), "dhcp2");
    assert_eq!(
        libraries(one),
        [
            "libdhcp_stat_cmds.so",
            "libdhcp_lease_cmds.so",
            "libdhcp_ha.so"
        ]
    );
    assert_eq!(libraries(other), ["libdhcp_lease_cmds.so", "libdhcp_ha.so"]);
    let again = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");

    let lease = pair.lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));

    pair.servers[0].stop().unwrap();
    pair.servers[1].wait_for_pair("partner-down").unwrap();
    let phone = pair.lab.phone("9c:75:14:00:02:01").unwrap();
    let lease = phone.dhcp();
    let lease = lease.unwrap_or_else(|error| panic!("{error}\n{}", pair.servers[1].log()));
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 21));
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));
}

#[test]
fn a_server_that_was_given_the_others_name_is_seen_and_put_right() {
    let pair = Pair::new();
    assert_eq!(pair.run(&["apply", "--yes"]).code, Some(0));
    let other = &pair.servers[1];
    let copy =
        json!({ "command": "config-set", "arguments": { "Dhcp4": with_name(other, "dhcp1") } });
    assert_eq!(other.command(&copy).unwrap()["result"], 0);
    let plan = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(4), "{plan}");
    assert!(
        plan.stdout.contains("~ ha hot-standby as dhcp1 → dhcp2 "),
        "{plan}"
    );
    assert_eq!(pair.run(&["apply", "--yes"]).code, Some(0));
    assert_eq!(this_server(other), "dhcp2");
}

fn with_name(kea: &Kea, name: &str) -> Value {
    let mut config = kea.config_get().unwrap();
    let hook = config["hooks-libraries"].as_array_mut().unwrap().last_mut();
    hook.unwrap()["parameters"]["high-availability"][0]["this-server-name"] = json!(name);
    config
}

#[test]
fn a_pair_may_listen_for_itself_where_kea_has_the_threads_for_it() {
    let threads =
        json!({ "multi-threading": { "enable-multi-threading": true, "thread-pool-size": 2 } });
    let pair = Pair::of(&[threads.clone(), threads]);
    let listener = "    ha-listener \"dedicated\"\n    ha-port 8005\n    ha-user \"kea\"\n";
    pair.edit("    ha-user \"kea\"\n", listener);
    let applied = pair.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    for (server, last) in pair.servers.iter().zip([5, 6]) {
        server.wait_for_pair("hot-standby").unwrap();
        assert!(pair.lab.listens(Ipv4Addr::new(10, 20, 30, last), 8005));
    }
    let again = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");

    let without = Pair::new();
    without.edit("    ha-user \"kea\"\n", listener);
    let before = without.configurations();
    let refused = without.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("kea::high-availability"),
        "{refused}"
    );
    assert_eq!(without.configurations(), before);
}

#[test]
fn what_kea_takes_in_its_test_and_refuses_to_load_is_undone_on_both() {
    let pair = Pair::new();
    let before = pair.configurations();
    // Only the second server has no such file, and only when it loads the hook does it look.
    let path = pair.environment.work().join("switchover.kdl");
    let text = fs::read_to_string(&path).unwrap();
    let (one, other) = text.split_at(text.find("target \"kea2\"").unwrap());
    fs::write(
        &path,
        one.to_owned() + &other.replace("ha-password\"", "no-such-file\""),
    )
    .unwrap();
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(6), "{refused}");
    assert!(refused.stderr.contains("no-such-file"), "{refused}");
    assert_eq!(pair.configurations(), before);
    assert_eq!(pair.servers[0].pair_state(), None);
}

#[test]
fn a_pair_that_somebody_else_broke_is_told_before_anything_is_sent() {
    let pair = Pair::new();
    pair.edit(
        "    ha-user \"kea\"\n",
        "    ha-user \"kea\"\n    high-availability \"present\"\n",
    );
    let plan = pair.run(&["plan"]);
    assert_eq!(plan.code, Some(1), "{plan}");
    assert!(plan.stderr.contains("kea::no-high-availability"), "{plan}");
}

#[test]
fn a_server_that_is_alone_again_loses_what_was_loaded_for_the_pair() {
    let pair = Pair::new();
    assert_eq!(pair.run(&["apply", "--yes"]).code, Some(0));
    pair.edit(" target=\"kea2\"", "");
    let applied = pair.run(&["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(libraries(&pair.servers[0]), ["libdhcp_stat_cmds.so"]);
    let lease = pair.lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.address(), Ipv4Addr::new(10, 20, 30, 11));
}

/// Kea 2.2 has no HTTP control socket of its own; one that takes what it would take, and answers what it would answer,
/// stands before its other control socket.
#[test]
fn a_server_is_configured_past_its_control_agent() {
    let lab = Lab::start(&["10.20.30.1/24", "10.20.30.5/24"]).unwrap();
    let environment = TestEnvironment::new();
    let address = Ipv4Addr::new(10, 20, 30, 5);
    let settings = KeaSettings {
        address,
        port: 8001,
        password: Some(KEA_PASSWORD.to_owned()),
        dhcp4: json!({}),
    };
    let kea = Kea::start(&lab, settings).unwrap();
    let direct = Proxy::start_direct(&lab, (address, 8000), &kea).unwrap();
    let topology = include_str!("kea_pair.kdl");
    let topology = &topology[..topology.find("target \"kea1\"").unwrap()];
    let target = "target \"kea1\" plugin=\"kea\" {\n    endpoint \"http://10.20.30.5:8000/\"\n    control \"direct\"\n}\n";
    environment.write(
        "switchover.kdl",
        &(topology.replace(" target=\"kea2\"", "") + target),
    );
    let applied = environment.run_in(&lab, &["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let again = environment.run_in(&lab, &["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again}");
    assert!(
        direct
            .requests()
            .iter()
            .all(|request| !request.body.contains("\"service\"")),
        "{:?}",
        direct.commands()
    );
    let lease = lab.phone(PHONE).unwrap().dhcp().unwrap();
    assert_eq!(lease.text(66).as_deref(), Some("http://10.20.30.80/"));

    environment.write(
        "switchover.kdl",
        &(topology
            .replace(" target=\"kea2\"", "")
            .replace("130", "131")
            + target),
    );
    let before = kea.config_get().unwrap();
    direct.fail_command_once(
        "config-write",
        switchover_lab::Fault::Body("{\"result\": 1, \"text\": \"disk is full\"}".to_owned()),
    );
    let refused = environment.run_in(&lab, &["apply", "--yes"]);
    assert_eq!(refused.code, Some(6), "{refused}");
    assert!(refused.stderr.contains("disk is full"), "{refused}");
    assert_eq!(kea.config_get().unwrap(), before);
}
