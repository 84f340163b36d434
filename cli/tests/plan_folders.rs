//! Plans of many sites: a folder with one file a site, which is applied as it is or not at all.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::checkers::succeeded;
use crate::environment::{Output, TestEnvironment, assert_no_secret, files_below};
use crate::plan_and_apply::{GOOD, SECRET};
use crate::schemas::{assert_fits, schema};

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

fn topology(name: &str) -> String {
    let topology = GOOD.replace("\"acme-hq\"", &format!("\"acme-{name}\""));
    assert_ne!(topology, GOOD);
    topology
}

/// A folder for each site.
fn fleet(names: &[&str]) -> TestEnvironment {
    let mut test = TestEnvironment::new();
    test.set("RECEPTION_SIP", SECRET);
    for name in names {
        test.write(&format!("sites/{name}/switchover.kdl"), &topology(name));
        for folder in ["dnsmasq.d", "provisioning"] {
            fs::create_dir(test.work().join("sites").join(name).join(folder)).unwrap();
        }
    }
    test
}

fn planned(test: &TestEnvironment, arguments: &[&str]) -> Output {
    let planned = test.run([&["plan", "sites", "--out", "plans"], arguments].concat());
    assert_eq!(planned.code, Some(0), "{planned}");
    planned
}

fn plan(test: &TestEnvironment, name: &str) -> PathBuf {
    test.work().join(format!("plans/{name}.json"))
}

fn digest(test: &TestEnvironment, name: &str) -> String {
    let document: Value = serde_json::from_slice(&fs::read(plan(test, name)).unwrap()).unwrap();
    document["digest"].as_str().unwrap().to_owned()
}

/// How many files a site has at its telephones' folder.
fn provisioned(test: &TestEnvironment, name: &str) -> usize {
    let folder = test.work().join("sites").join(name).join("provisioning");
    fs::read_dir(folder).unwrap().count()
}

/// What became of each site, by the file that was named.
fn results(document: &Value) -> Vec<(&str, &str)> {
    let sites = document["sites"].as_array().unwrap().iter();
    sites
        .map(|site| {
            (
                site["file"].as_str().unwrap(),
                site["result"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn one_plan_a_site_is_kept_and_applied() {
    let test = fleet(&["berlin", "eu/rome"]);
    let human = planned(&test, &[]);
    for name in ["berlin", "eu/rome"] {
        let line = format!("kept in plans/{name}.json: {}\n", digest(&test, name));
        assert!(human.stdout.contains(&line), "{human}");
        let document: Value =
            serde_json::from_slice(&fs::read(plan(&test, name)).unwrap()).unwrap();
        assert_fits(&schema("plan.schema.json"), &document);
    }
    assert_no_secret(
        &[SECRET],
        &[&human.everything()],
        &test.work().join("plans"),
    );
    let document = json(&planned(&test, &["--format", "json"]));
    assert_eq!(
        document["sites"][1]["report"]["digest"],
        *digest(&test, "eu/rome")
    );

    let applied = test.run(["apply", "plans", "--yes", "--format", "json"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let applied = json(&applied);
    assert_fits(&schema("fleet.schema.json"), &applied);
    let both = [
        ("plans/berlin.json", "applied"),
        ("plans/eu/rome.json", "applied"),
    ];
    assert_eq!(results(&applied), both);
    assert_eq!(
        (provisioned(&test, "berlin"), provisioned(&test, "eu/rome")),
        (2, 2)
    );

    // Once more they are stale, each of them.
    let stale = test.run(["apply", "plans", "--yes"]);
    assert_eq!(stale.code, Some(9), "{stale}");
    // Those made now change nothing, which is found to be still so.
    planned(&test, &[]);
    let nothing = json(&test.run(["apply", "plans", "--yes", "--format", "json"]));
    let both = [
        ("plans/berlin.json", "unchanged"),
        ("plans/eu/rome.json", "unchanged"),
    ];
    assert_eq!(results(&nothing), both);
    test.write("sites/berlin/switchover.kdl", &(topology("berlin") + "\n"));
    let moved = json(&test.run(["apply", "plans", "--yes", "--format", "json"]));
    assert_eq!(
        results(&moved)[0],
        ("plans/berlin.json", "refused"),
        "{moved:#}"
    );
}

/// A site whose topology has errors now must not be applied as it was planned before.
#[test]
fn no_plan_of_an_earlier_run_is_left() {
    let test = fleet(&["berlin", "rome"]);
    planned(&test, &[]);
    let of_rome = digest(&test, "rome");
    test.write(
        "sites/berlin/switchover.kdl",
        &topology("berlin").replace("vlan 130", "vlan 5000"),
    );
    let again = test.run(["plan", "sites", "--out", "plans"]);
    assert_eq!(again.code, Some(3), "{again}");
    assert!(!plan(&test, "berlin").exists());
    assert_ne!(digest(&test, "rome"), of_rome);
    let applied = json(&test.run(["apply", "plans", "--yes", "--format", "json"]));
    assert_eq!(results(&applied), [("plans/rome.json", "applied")]);
    assert_eq!(provisioned(&test, "berlin"), 0);
}

#[test]
fn what_was_not_approved_is_refused_and_the_others_are_not() {
    let test = fleet(&["berlin", "rome"]);
    planned(&test, &[]);
    let approved = digest(&test, "rome");
    let applied = test.run([
        "apply", "plans", "--yes", "--digest", &approved, "--format", "json",
    ]);
    assert_eq!(applied.code, Some(9), "{applied}");
    assert_eq!(
        results(&json(&applied)),
        [
            ("plans/berlin.json", "refused"),
            ("plans/rome.json", "applied")
        ]
    );
    assert_eq!(
        (provisioned(&test, "berlin"), provisioned(&test, "rome")),
        (0, 2)
    );
    // Of the one that is as wanted nobody was asked.
    planned(&test, &[]);
    let approved = digest(&test, "berlin");
    let applied = test.run(["apply", "plans", "--yes", "--digest", &approved]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

#[test]
fn each_is_signed_and_a_touched_one_is_refused() {
    let test = fleet(&["berlin", "oslo", "rome"]);
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", "ci"])
        .current_dir(test.work())
        .stdin(Stdio::null());
    succeeded(&mut keygen);
    let public = fs::read_to_string(test.work().join("ci.pub")).unwrap();
    test.write("allowed", &format!("ci@example.com {public}"));
    planned(&test, &["--sign", "ci"]);
    fs::remove_file(test.work().join("plans/oslo.json.sig")).unwrap();
    let text = fs::read_to_string(plan(&test, "rome")).unwrap();
    fs::write(
        plan(&test, "rome"),
        text.replacen("acme-rome", "acme-roma", 1),
    )
    .unwrap();
    let arguments = [
        "apply",
        "plans",
        "--yes",
        "--format",
        "json",
        "--allowed-signers",
        "allowed",
    ];
    let applied = test.run(arguments);
    assert_eq!(
        results(&json(&applied)),
        [
            ("plans/berlin.json", "applied"),
            ("plans/oslo.json", "refused"),
            ("plans/rome.json", "failed"),
        ],
        "{applied}"
    );
    assert_eq!(
        (provisioned(&test, "oslo"), provisioned(&test, "rome")),
        (0, 0)
    );
}

/// So large a change needs a word more, of each site by itself.
#[test]
fn a_large_change_of_one_site_is_refused() {
    let test = fleet(&["berlin", "rome"]);
    assert_eq!(test.run(["apply", "sites", "--yes"]).code, Some(0));
    for name in ["berlin", "rome"] {
        let changed = topology(name).replace("9c:75:14:00:01:02", "9c:75:14:00:01:09");
        let limit = if name == "rome" {
            "large-change removals=0"
        } else {
            ""
        };
        let first = format!("site \"acme-{name}\" mode=\"hot-standby\" {{");
        let text = changed.replace(&first, &format!("{first}\n    {limit}"));
        test.write(&format!("sites/{name}/switchover.kdl"), &text);
    }
    planned(&test, &[]);
    let applied = test.run(["apply", "plans", "--yes", "--format", "json"]);
    assert_eq!(applied.code, Some(9), "{applied}");
    assert_eq!(
        results(&json(&applied)),
        [
            ("plans/berlin.json", "applied"),
            ("plans/rome.json", "refused")
        ]
    );
    let allowed = test.run(["apply", "plans/rome.json", "--yes", "--allow-large-change"]);
    assert_eq!(allowed.code, Some(0), "{allowed}");
}

#[test]
fn what_cannot_be_kept_or_taken_is_said() {
    let test = fleet(&["berlin", "rome"]);
    test.write("plans.json", "{}");
    fs::create_dir(test.work().join("empty")).unwrap();
    for (arguments, exit, code, help) in [
        (
            &["plan", "sites", "--out", "plans.json"][..],
            2,
            "plan::one_at_a_time",
            "name a folder",
        ),
        (
            &["plan", "sites/rome/switchover.kdl", "--out", "sites"],
            1,
            "plan::write",
            "sites/plan.json",
        ),
        (
            &["apply", "empty", "--yes"],
            1,
            "sites::none",
            "keeps a plan of each site",
        ),
        (
            &["apply", "sites", "plans.json", "--yes"],
            2,
            "plan_among_sites",
            "and not both",
        ),
    ] {
        let refused = test.run(arguments);
        assert_eq!(refused.code, Some(exit), "{refused}");
        assert!(
            refused.stderr.contains(code) && refused.stderr.contains(help),
            "{refused}"
        );
    }
    test.write("sites/rome.kdl", &topology("other"));
    let clash = test.run(["plan", "sites/rome.kdl", "sites/rome", "--out", "plans"]);
    assert_eq!(clash.code, Some(2), "{clash}");
    assert!(clash.stderr.contains("plan::same_place"), "{clash}");

    fs::remove_file(test.work().join("sites/rome.kdl")).unwrap();
    planned(&test, &[]);
    let part = test.run(["apply", "plans", "--yes", "--target", "files"]);
    assert_eq!(part.code, Some(2), "{part}");
    let approval = test.run([
        "apply",
        "sites",
        "--yes",
        "--digest",
        &digest(&test, "rome"),
    ]);
    assert_eq!(approval.code, Some(2), "{approval}");
    assert!(approval.stderr.contains("approval_of_sites"), "{approval}");
    assert_eq!(provisioned(&test, "rome"), 0);
    assert_eq!(files_below(&test.work().join("plans")).len(), 2);
}
