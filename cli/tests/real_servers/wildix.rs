//! A pair of PBXs.

mod faults;
mod https;

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchover_lab::{Lab, S2sKey, Wms, WmsSettings};

use super::SIP_PASSWORD;
use crate::environment::{Output, TestEnvironment, assert_no_secret};

const MAIN_TOKEN: &str = "main-token-4711";
const STANDBY_TOKEN: &str = "standby-token-0815";

/// Two PBXs of one WMS network, each with somebody's own user and device, and a topology that declares the pair.
struct Pair {
    lab: Lab,
    environment: TestEnvironment,
    main: Wms,
    standby: Wms,
    before: [Value; 2],
}

impl Pair {
    fn new() -> Self {
        Self::of(&WmsSettings::default())
    }

    fn of(settings: &WmsSettings) -> Self {
        Self::each([settings, settings])
    }

    /// The main PBX and its substitute, each with its own settings.
    fn each([main, standby]: [&WmsSettings; 2]) -> Self {
        let lab = Lab::start(&["10.20.0.10/24", "10.20.1.10/24"]).unwrap();
        let mut environment = TestEnvironment::new();
        environment.set("WMS_MAIN_TOKEN", MAIN_TOKEN);
        environment.set("WMS_STANDBY_TOKEN", STANDBY_TOKEN);
        environment.set("SIP_PASSWORD", SIP_PASSWORD);
        environment.write("switchover.kdl", include_str!("pbxs.kdl"));
        let start = |address, token: &str, settings: &WmsSettings| {
            let settings = WmsSettings {
                address,
                token: token.to_owned(),
                ..settings.clone()
            };
            let wms = Wms::start(&lab, settings).unwrap();
            wms.add_trunk("telco-a");
            wms.add_call_group("sales", "linear");
            wms.add_user(
                &json!({ "name": "Somebody", "extension": "300", "email": "x@else.example" }),
            );
            wms.add_device("001122334455");
            wms
        };
        let main = start(Ipv4Addr::new(10, 20, 0, 10), MAIN_TOKEN, main);
        let standby = start(Ipv4Addr::new(10, 20, 1, 10), STANDBY_TOKEN, standby);
        main.join("pbx2", "pbx2.acme.example");
        standby.join("pbx1", "pbx1.acme.example");
        let before = [main.configuration(), standby.configuration()];
        Self {
            lab,
            environment,
            main,
            standby,
            before,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(&self.lab, arguments)
    }

    #[track_caller]
    fn apply(&self) {
        let applied = self.run(&["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}");
    }

    /// Nothing is left to do, and nothing is written to find that out.
    #[track_caller]
    fn assert_settled(&self) {
        let written = self.main.writes().len() + self.standby.writes().len();
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{plan}");
        assert!(plan.stdout.contains("no changes"), "{plan}");
        assert_eq!(
            self.main.writes().len() + self.standby.writes().len(),
            written
        );
    }

    /// Both PBXs are configured as they were at first.
    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(self.main.configuration(), self.before[0]);
        assert_eq!(self.standby.configuration(), self.before[1]);
    }

    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.work().join("switchover.kdl");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "nothing to edit: {old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }
}

/// One clear error that names these, and this exit code.
#[track_caller]
fn assert_one_error(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    let flat = output.stderr.replace(['│', '\n'], " ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(flat.contains(part), "`{part}` is not told:\n{output}");
    }
    // The plan that is shown before may tell how the same ended the last time.
    let error = flat.rsplit("`--allow-rejected`").next().unwrap();
    let targets = error.matches("target `wms-").count();
    assert_eq!(targets, 1, "one error, of one target: {output}");
    assert!(!output.stderr.contains("panicked"), "{output}");
}

#[test]
fn a_pair_is_configured_from_nothing_and_stays_so() {
    let pair = Pair::new();
    let plan = pair.run(&["plan"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    assert_eq!(
        (pair.main.writes(), pair.standby.writes()),
        (vec![], vec![])
    );
    pair.apply();

    let reception = pair.main.user("101").unwrap();
    assert_eq!(reception["name"], "Reception");
    assert_eq!(reception["email"], "reception@acme.example");
    assert_eq!(reception["sipPassword"], SIP_PASSWORD);
    assert_eq!(pair.main.user("102").unwrap()["name"], "Sales");
    let device = pair.main.device("9c7514000101").unwrap();
    assert_eq!(
        (&device["description"], &device["user"]),
        (&json!("reception"), &json!("101"))
    );
    let machine = json!(["it", "IT", "10.20.30.1"]);
    assert_eq!(
        (pair.main.machine(), pair.standby.machine()),
        (machine.clone(), machine.clone())
    );
    assert_eq!(
        pair.standby.user("101"),
        None,
        "users go to the source alone"
    );
    pair.assert_settled();

    // What the synchronisation carries over is no drift on either side, and takes nothing of ours away.
    pair.main.sync_to(&pair.standby);
    assert_eq!(pair.standby.user("101"), pair.main.user("101"));
    assert_eq!(pair.standby.machine(), machine);
    pair.assert_settled();

    // The standby comes first: never both at once, and never the main PBX before its substitute.
    let first = |wms: &Wms| wms.writes().len();
    assert_eq!((first(&pair.main), first(&pair.standby)), (9, 2));
    for wms in [&pair.main, &pair.standby] {
        assert!(wms.requests().iter().all(|one| one.status == 200));
        assert!(
            wms.requests()
                .iter()
                .all(|one| !one.path.to_lowercase().contains("reboot"))
        );
    }
}

#[test]
fn drift_is_repaired_and_what_is_foreign_stays() {
    let pair = Pair::new();
    pair.apply();
    pair.main.change_user("101", "name", "Somebody changed it");
    pair.main
        .change_user("101", "sipPassword", "and-this-one-7788");
    pair.main.change_user("300", "name", "Their own affair");
    let plan = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(4), "{plan}");
    assert!(plan.stdout.contains("2 drifted"), "{plan}");
    assert!(
        plan.stdout.contains("~ user 101 Somebody changed it")
            && plan.stdout.contains("+ user 101 sip-password (sensitive)"),
        "{plan}"
    );
    assert!(!plan.everything().contains("and-this-one-7788"), "{plan}");
    pair.apply();
    let reception = pair.main.user("101").unwrap();
    assert_eq!(
        (&reception["name"], &reception["sipPassword"]),
        (&json!("Reception"), &json!(SIP_PASSWORD))
    );

    // One telephone and its user leave the topology: only theirs goes.
    pair.edit("user \"102\" name=\"Sales\" pbx=\"pbx1\"", "");
    pair.edit(
        "device \"sales\" model=\"WP480\" mac=\"9c:75:14:00:01:02\" user=\"102\" year=2017",
        "device \"sales\" model=\"WP480\" mac=\"9c:75:14:00:01:02\" year=2017",
    );
    pair.edit("\"101\" \"102\"", "\"101\"");
    pair.apply();
    assert_eq!(pair.main.user("102"), None);
    assert_eq!(
        pair.main.device("9c7514000102").unwrap()["user"],
        Value::Null
    );
    assert_eq!(pair.main.user("300").unwrap()["name"], "Their own affair");
    assert!(pair.main.device("001122334455").is_some());
    let deleted: Vec<_> = pair
        .main
        .writes()
        .into_iter()
        .filter(|one| one.method == "DELETE")
        .collect();
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    pair.assert_settled();
}

#[test]
fn no_secret_is_told_or_kept() {
    let pair = Pair::new();
    let plan = pair.run(&["plan", "--out", "plan.json", "-vv"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    let applied = pair.run(&["apply", "plan.json", "--yes", "-vv"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let generated = pair.main.user("300").unwrap()["sipPassword"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = [plan.everything(), applied.everything()];
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let secrets = [SIP_PASSWORD, MAIN_TOKEN, STANDBY_TOKEN, generated.as_str()];
    assert_no_secret(&secrets, &told, &pair.environment.work());
}

#[test]
fn a_pbx_that_contradicts_the_topology_is_told_in_the_plan() {
    let pair = Pair::new();
    let refused = |parts: &[&str]| {
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let output = pair.run(command);
            assert_eq!(output.code, Some(3), "{output}");
            for part in parts {
                assert!(output.everything().contains(part), "{part}: {output}");
            }
        }
        pair.assert_untouched();
    };
    pair.main.set_version("5.01.20200901");
    refused(&["WILDIX101", "`pbx1` runs WMS 5.01.20200901"]);
    pair.main.set_version("3.86.30011");
    let two = "member \"pbx2\" role=\"client\"";
    let rome = "member \"rome\" role=\"client\" hostname=\"rome.acme.example\"";
    pair.edit(two, &format!("{two}\n    {rome}"));
    refused(&["WILDIX102", "does not know `rome.acme.example`"]);
    for wms in [&pair.main, &pair.standby] {
        wms.join("rome", "rome.acme.example");
    }
    // What the PBX is to be given by hand is told, and keeps nothing else from being done.
    pair.edit("\"linear\"", "\"all\"");
    let plan = pair.run(&["plan"]);
    assert_eq!(plan.code, Some(0), "{plan}");
    assert!(
        plan.everything().contains("has the strategy `linear`"),
        "{plan}"
    );
    pair.edit(
        "endpoint \"http://10.20.0.10\"",
        "call-groups \"ignored\"\n    endpoint \"http://10.20.0.10\"",
    );
    let plan = pair.run(&["plan"]);
    assert!(!plan.everything().contains("strategy `linear`"), "{plan}");
}

#[test]
fn what_people_have_to_do_is_ticked_where_it_is_done() {
    let pair = Pair::new();
    let runbook = |arguments: &[&str]| {
        let output = pair.run(arguments);
        assert_eq!(output.code, Some(0), "{output}");
        output.stdout
    };
    let offline = runbook(&["runbook", "--offline"]);
    assert!(pair.main.requests().is_empty() && pair.standby.requests().is_empty());
    assert!(!offline.contains("[x]"), "{offline}");
    let before = runbook(&["runbook"]);
    assert!(
        before.contains("[x] **put pbx2.acme.example into the WMS network of pbx1**"),
        "{before}"
    );
    assert!(
        before.contains("[ ] **let pbx2 take its configuration from pbx1**"),
        "{before}"
    );
    pair.apply();
    pair.main.sync_to(&pair.standby);
    let after = runbook(&["runbook"]);
    assert!(
        after.contains("[x] **let pbx2 take its configuration from pbx1**"),
        "{after}"
    );
    assert!(
        after.contains("all 2 declared users are on pbx2"),
        "{after}"
    );
}

#[test]
fn registrations_are_waited_for_where_the_target_says_so() {
    let pair = Pair::new();
    let verified = "verify-registrations #true\n    registration-patience 1\n    endpoint \"http://10.20.0.10\"";
    pair.edit("endpoint \"http://10.20.0.10\"", verified);
    // No source says how long this model takes, so the setting counts.
    pair.edit("model=\"WP480\"", "model=\"WP600AXX\"");
    let applied = pair.run(&["apply", "--yes"]);
    assert_one_error(&applied, 6, &["registered", "rolled back"]);
    pair.assert_untouched();
    pair.main.register("101", true);
    pair.main.register("102", true);
    let refused = pair.run(&["apply", "--yes"]);
    assert_eq!(refused.code, Some(9), "{refused}");
    let applied = pair.run(&["apply", "--yes", "--allow-rejected"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    pair.assert_settled();
    pair.main.register("102", false);
    let plan = pair.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(4), "{plan}");
    assert!(
        plan.stdout.contains("registration of 102 online (drifted)"),
        "a telephone that went away is drift: {plan}"
    );
}

#[test]
fn a_wms_that_keeps_its_passwords_to_itself() {
    let pair = Pair::of(&WmsSettings {
        tells_sip_passwords: false,
        ..WmsSettings::default()
    });
    let plan = pair.run(&["plan"]);
    assert_eq!(plan.code, Some(3), "{plan}");
    assert!(plan.everything().contains("WILDIX105"), "{plan}");
    pair.assert_untouched();
    pair.edit(
        "endpoint \"http://10.20.0.10\"",
        "sip-passwords \"ignored\"\n    endpoint \"http://10.20.0.10\"",
    );
    pair.apply();
    pair.assert_settled();
    assert_ne!(pair.main.user("101").unwrap()["sipPassword"], SIP_PASSWORD);
}

#[test]
fn hundreds_of_users_are_read_page_by_page() {
    let pair = Pair::new();
    for number in 0..250 {
        pair.main
            .add_user(&json!({ "name": "Many", "extension": (5000 + number).to_string() }));
    }
    pair.apply();
    pair.assert_settled();
    let starts = |start: &str| {
        pair.main
            .requests()
            .iter()
            .any(|one| one.path.ends_with(start))
    };
    assert!(starts("count=100&start=200"));
}

#[test]
fn a_plan_does_not_rest_on_who_is_registered() {
    let pair = Pair::new();
    pair.edit(
        "endpoint \"http://10.20.0.10\"",
        "verify-registrations #true\n    endpoint \"http://10.20.0.10\"",
    );
    let planned = pair.run(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    for extension in ["101", "102"] {
        pair.main.register(extension, true);
        pair.standby.register(extension, true);
    }
    pair.main.join("london", "london.acme.example");
    let applied = pair.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");

    pair.edit("name=\"Reception\"", "name=\"Front desk\"");
    let planned = pair.run(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    pair.main.change_user("300", "name", "Somebody else");
    let applied = pair.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(9), "{applied}");
    assert!(applied.stderr.contains("`wms-main`"), "{applied}");
}

#[test]
fn a_pair_that_synchronises_by_itself_stays_as_planned() {
    let pair = Pair::new();
    let _sync = pair
        .main
        .sync_every(&pair.standby, Duration::from_millis(20));
    pair.apply();
    let deadline = Instant::now() + Duration::from_secs(20);
    while pair.standby.user("102").is_none() {
        assert!(Instant::now() < deadline, "nothing is carried over");
        std::thread::yield_now();
    }
    pair.assert_settled();
    assert_eq!(pair.standby.machine(), json!(["it", "IT", "10.20.30.1"]));
}

#[test]
fn requests_are_signed_where_the_target_says_so() {
    const SECRET: &str = "between-servers-2342";
    let mut pair = Pair::of(&WmsSettings {
        version: "5.01.20200901".to_owned(),
        s2s: Some(S2sKey {
            app_id: "s2s-4711".to_owned(),
            app_name: "switchover".to_owned(),
            secret: SECRET.to_owned(),
        }),
        ..WmsSettings::default()
    });
    pair.environment.set("WMS_S2S", SECRET);
    pair.edit("3.86.30011", "5.01.20200901");
    for token in ["WMS_MAIN_TOKEN", "WMS_STANDBY_TOKEN"] {
        pair.edit(
            &format!("auth \"bearer\" token=(secret)\"env:{token}\""),
            "auth \"s2s\" app-id=\"s2s-4711\" app-name=\"switchover\" secret=(secret)\"env:WMS_S2S\"",
        );
    }
    // A name that the canonical form could get wrong.
    pair.edit("Reception\" pbx", "Empfang: Büro; 1\" pbx");
    pair.apply();
    pair.assert_settled();
    assert_eq!(pair.main.user("101").unwrap()["name"], "Empfang: Büro; 1");
    pair.environment.set("WMS_S2S", "not-between-servers");
    let output = pair.run(&["plan"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("invalid signature"), "{output}");
    assert!(
        !output.everything().contains("not-between-servers"),
        "{output}"
    );
}
