//! Runs that a recorded command keeps from coming to their end: it can be taken from the topology as it is now.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::environment::TestEnvironment;
use crate::interactive::Person;
use crate::plan_and_apply::GOOD;
use crate::schemas::{assert_fits, schema};
use crate::taken_over::{
    Files, applied, assert_tidy, bytes, changed, configured, in_the_middle, kill, wanted,
};

const FROM: [&str; 2] = ["--commands-from", "switchover.kdl"];

/// A site at which an apply failed, and could not be rolled back, for the command by which both reload a server. Its topology
/// has another one by now.
fn stuck() -> (TestEnvironment, Files) {
    let (test, before) = applied();
    let good = changed(&test);
    let reload = |line: &str| match line.split_once("command \"reload\"") {
        Some((before, _)) => format!("{before}command \"reload\" \"false\"\n"),
        None => format!("{line}\n"),
    };
    let bad: String = good.lines().map(reload).collect();
    assert_ne!(good, bad);
    test.write("switchover.kdl", &bad);
    let failed = test.run(["apply", "--yes"]);
    assert_eq!(failed.code, Some(7), "{failed}");
    assert!(failed.stderr.contains("--commands-from"), "{failed}");
    test.write("switchover.kdl", &good);
    (test, before)
}

fn recover<'a>(direction: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["recover", direction, "--yes"];
    arguments.extend(more);
    arguments
}

fn document(output: &crate::environment::Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output}"))
}

#[test]
fn a_run_is_taken_back_with_the_command_of_today() {
    let (test, before) = stuck();
    // Nobody runs another command unasked.
    let stuck = test.run(recover("--back", &[]));
    assert_eq!(stuck.code, Some(7), "{stuck}");
    assert!(stuck.stderr.contains("--commands-from"), "{stuck}");

    let recovered = test.run(recover("--back", &FROM));
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert!(
        recovered
            .stderr
            .contains("    recorded  \"false\"\n    now       \"sh\" \"-c\" "),
        "{recovered}"
    );
    assert_eq!(configured(&test), before);
    assert_tidy(&test);
    let audit = test.run(["audit"]).stdout;
    assert!(
        audit.contains("services: command reload, not as recorded: \"sh\""),
        "{audit}"
    );
    let audit = test.run(["audit", "--format", "json"]);
    assert_fits(&schema("audit.schema.json"), &document(&audit));
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
}

#[test]
fn a_run_is_finished_with_the_command_of_today() {
    let (test, before) = stuck();
    let stuck = test.run(recover("--forward", &["--format", "json"]));
    assert_eq!(stuck.code, Some(7), "{stuck}");
    let told = document(&stuck);
    assert_fits(&schema("recover.schema.json"), &told);
    assert_eq!(
        told["error"]["code"], "switchover::recover::not_settled",
        "{told:#}"
    );
    assert_eq!(told["commands"], json!([]));

    let more = [&FROM[..], &["--format", "json"]].concat();
    let recovered = test.run(recover("--forward", &more));
    assert_eq!(recovered.code, Some(0), "{recovered}");
    let told = document(&recovered);
    assert_fits(&schema("recover.schema.json"), &told);
    assert_eq!(told["outcome"], "forward");
    assert_eq!(told["commands"][0]["recorded"], json!(["false"]));
    assert_eq!(told["commands"][0]["name"], "reload");
    assert_ne!(configured(&test), before);
    assert_eq!(bytes(&configured(&test)), bytes(&wanted()));
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    assert_tidy(&test);
}

/// The generation that was recorded then has the topology of the run: it says how a rollback reaches its targets, too.
#[test]
fn a_rollback_takes_the_command_of_today_as_well() {
    let (test, before) = stuck();
    let finished = test.run(recover("--forward", &FROM));
    assert_eq!(finished.code, Some(0), "{finished}");
    let arguments = [&["rollback", "1", "--yes"], &FROM[..]].concat();
    let back = test.run(&arguments);
    assert_eq!(back.code, Some(0), "{back}");
    assert!(back.stderr.contains("    recorded  \"false\"\n"), "{back}");
    assert_eq!(configured(&test), before);
    let audit = test.run(["audit"]).stdout;
    assert_eq!(
        audit
            .matches("services: command reload, not as recorded")
            .count(),
        2,
        "{audit}"
    );
}

/// Recovering is killed while the command of today runs, and once more, and then comes to its end.
#[test]
fn it_may_be_killed_twice() {
    for direction in ["--back", "--forward"] {
        let (test, before) = stuck();
        for _ in 0..2 {
            let child = in_the_middle(&test, &recover(direction, &FROM));
            kill(&test, child);
            let plan = test.run(["plan"]);
            assert!(plan.stderr.contains("was interrupted"), "{plan}");
        }
        let recovered = test.run(recover(direction, &FROM));
        assert_eq!(recovered.code, Some(0), "{direction}: {recovered}");
        match direction {
            "--back" => assert_eq!(configured(&test), before),
            _ => assert_eq!(bytes(&configured(&test)), bytes(&wanted())),
        }
        assert_tidy(&test);
    }
}

#[test]
fn commands_come_from_the_topology_of_the_same_site_or_from_none() {
    let (test, _) = stuck();
    let kept = fs::read_to_string(test.work().join("switchover.kdl")).unwrap();
    test.write("other.kdl", &kept.replace("acme-hq", "acme-rome"));
    test.write("broken.kdl", "nonsense\n");
    for (file, code, why) in [
        ("other.kdl", 1, "is the topology of site `acme-rome`"),
        ("broken.kdl", 3, "nonsense"),
        ("nowhere.kdl", 1, "nowhere.kdl"),
    ] {
        let refused = test.run(recover("--back", &["--commands-from", file]));
        assert_eq!(refused.code, Some(code), "{refused}");
        assert!(refused.stderr.contains(why), "{refused}");
    }
    let idle = test.run(recover("--leave", &FROM));
    assert_eq!(idle.code, Some(2), "{idle}");

    // A command that does not exist today is no way out, and is told before anything of the new attempt is begun.
    let gone = GOOD.replace(
        "root \"dnsmasq.d\"",
        "root \"dnsmasq.d\"\n    command \"reload\" \"systemctl restart dnsmasq\"",
    );
    test.write("gone.kdl", &gone);
    let refused = test.run(recover("--back", &["--commands-from", "gone.kdl"]));
    assert_eq!(refused.code, Some(7), "{refused}");
    assert!(
        refused.stderr.contains("`systemctl restart dnsmasq`"),
        "{refused}"
    );
    // Without the command it stays the recorded one, which is said.
    test.write("without.kdl", GOOD);
    let same = test.run(recover("--back", &["--commands-from", "without.kdl"]));
    assert_eq!(same.code, Some(7), "{same}");
    assert!(
        same.stderr
            .contains("the commands in `without.kdl` are the recorded ones"),
        "{same}"
    );
    assert_eq!(test.run(recover("--back", &FROM)).code, Some(0));
}

#[test]
fn going_forward_says_first_what_goes_backward() {
    let (test, _) = stuck();
    let (mut person, child) = Person::start(&test, &["recover"]);
    person.sees("or `leave` everything as it is? ");
    person.types("forward\n");
    let screen = person.sees("Finish it? Only `yes` is accepted: ");
    assert!(
        screen.contains("services: will be rolled back, then applied again"),
        "{screen}"
    );
    person.types("no\n");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));

    let finished = test.run(recover("--forward", &FROM));
    assert_eq!(finished.code, Some(0), "{finished}");
    assert_snapshot!(
        finished
            .stderr
            .lines()
            .take(12)
            .map(dateless)
            .collect::<String>()
    );
}

/// Times, names of machines and folders are not the same everywhere.
fn dateless(line: &str) -> String {
    let line = match line.split_once(" of ") {
        Some((before, _)) if line.contains("was interrupted") => format!("{before} of …"),
        _ => line.to_owned(),
    };
    let line = match line.split_once("\"sh\"") {
        Some((before, _)) => format!("{before}…"),
        None => line,
    };
    line + "\n"
}
