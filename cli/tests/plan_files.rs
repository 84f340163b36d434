//! Plans as artefacts: which one was approved, by whom, and what moved since it was made.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::checkers::succeeded;
use crate::environment::TestEnvironment;
use crate::plan_and_apply::{GOOD, site};

/// What names the plan that was kept in `plan.json`.
fn digest(test: &TestEnvironment) -> String {
    let kept = fs::read_to_string(test.work().join("plan.json")).unwrap();
    let document: Value = serde_json::from_str(&kept).unwrap();
    document["digest"].as_str().unwrap().to_owned()
}

fn written(test: &TestEnvironment) -> usize {
    fs::read_dir(test.work().join("provisioning"))
        .unwrap()
        .count()
}

#[test]
fn every_format_tells_the_digest() {
    let test = site();
    for format in ["human", "json", "markdown"] {
        let planned = test.run(["plan", "--format", format, "--out", "plan.json"]);
        assert_eq!(planned.code, Some(0), "{planned}");
        assert!(planned.stdout.contains(&digest(&test)), "{planned}");
        let not_kept = test.run(["plan", "--format", format]);
        assert!(!not_kept.stdout.contains("sha256:"), "{not_kept}");
    }
}

#[test]
fn only_the_approved_plan_is_applied() {
    let test = site();
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let approved = digest(&test);
    // The same plan once more is another file: it was made at another moment.
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let refused = test.run(["apply", "plan.json", "--yes", "--digest", &approved]);
    assert_eq!(refused.code, Some(9), "{refused}");
    assert!(
        refused.stderr.contains("plan::other_digest") && refused.stderr.contains(&approved),
        "{refused}"
    );
    assert_eq!(written(&test), 0);

    let no_digest = test.run(["apply", "plan.json", "--yes", "--digest", "sha256:00"]);
    assert_eq!(no_digest.code, Some(2), "{no_digest}");
    let no_plan = test.run(["apply", "--yes", "--digest", &approved]);
    assert_eq!(no_plan.code, Some(2), "{no_plan}");
    assert!(no_plan.stderr.contains("plan::none_kept"), "{no_plan}");

    let applied = test.run(["apply", "plan.json", "--yes", "--digest", &digest(&test)]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

#[test]
fn a_plan_that_was_touched_is_refused() {
    let test = site();
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let path = test.work().join("plan.json");
    let whole = fs::read(&path).unwrap();
    // The engine tries every byte; here a few, with the first and the last among them, and what a person would do.
    let mut touched: Vec<Vec<u8>> = (0..whole.len())
        .step_by(whole.len() / 7)
        .chain([whole.len() - 1])
        .map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            bytes
        })
        .collect();
    let edited = String::from_utf8(whole)
        .unwrap()
        .replace("acme-hq", "acme-hp");
    touched.push(edited.into_bytes());
    touched.push(b"{}".to_vec());
    for bytes in touched {
        fs::write(&path, bytes).unwrap();
        let refused = test.run(["apply", "plan.json", "--yes"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains("switchover::plan::"), "{refused}");
        assert_eq!(written(&test), 0);
    }
}

#[test]
fn everything_that_moved_is_named() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    test.write(
        "switchover.kdl",
        &GOOD
            .replace("Sales", "Buying")
            .replace("lease \"8h\"", "lease \"6h\""),
    );
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    // Somebody changes a target, and the topology; and something was applied in between.
    for file in fs::read_dir(test.work().join("dnsmasq.d")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("# by hand\n{text}")).unwrap();
    }
    test.write("switchover.kdl", GOOD);
    let stale = test.run(["apply", "plan.json", "--yes"]);
    assert_eq!(stale.code, Some(9), "{stale}");
    let told = stale
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("│ ", "");
    for what in [
        "the topology switchover.kdl changed since",
        "something was applied since (generation 1 then, 2 now)",
        "the state of target `services` changed since",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
}

fn ssh_keygen(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("ssh-keygen");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// A key of OpenSSH's own making, and a file that allows it.
fn key(test: &TestEnvironment, name: &str, passphrase: &str) -> String {
    let work = test.work();
    let arguments = [
        "-q", "-t", "ed25519", "-N", passphrase, "-C", "ci", "-f", name,
    ];
    succeeded(&mut ssh_keygen(&work, &arguments));
    fs::read_to_string(work.join(format!("{name}.pub"))).unwrap()
}

#[test]
fn openssh_verifies_what_was_signed_here() {
    let test = site();
    let public = key(&test, "ci", "");
    test.write(
        "allowed",
        &format!("ci@example.com namespaces=\"switchover-plan\" {public}"),
    );
    let planned = test.run(["plan", "--out", "plan.json", "--sign", "ci"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned.stdout.contains("signed by the key SHA256:"),
        "{planned}"
    );
    let mut verify = ssh_keygen(
        &test.work(),
        &[
            "-Y",
            "verify",
            "-f",
            "allowed",
            "-I",
            "ci@example.com",
            "-n",
            "switchover-plan",
            "-s",
            "plan.json.sig",
        ],
    );
    verify.stdin(fs::File::open(test.work().join("plan.json")).unwrap());
    let verified = succeeded(&mut verify);
    assert!(
        verified.contains("Good \"switchover-plan\" signature"),
        "{verified}"
    );

    let applied = test.run([
        "apply",
        "plan.json",
        "--yes",
        "--allowed-signers",
        "allowed",
    ]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(
        applied
            .stderr
            .contains("the plan is signed by ci@example.com (SHA256:"),
        "{applied}"
    );
}

#[test]
fn what_openssh_signed_is_verified_here() {
    let test = site();
    let public = key(&test, "boss", "");
    test.write("allowed", &format!("# who may\nboss@example.com {public}"));
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let apply = [
        "apply",
        "plan.json",
        "--yes",
        "--allowed-signers",
        "allowed",
    ];
    let unsigned = test.run(apply);
    assert_eq!(unsigned.code, Some(9), "{unsigned}");
    assert!(unsigned.stderr.contains("signature::missing"), "{unsigned}");

    let sign = [
        "-Y",
        "sign",
        "-q",
        "-f",
        "boss",
        "-n",
        "switchover-plan",
        "plan.json",
    ];
    succeeded(&mut ssh_keygen(&test.work(), &sign));
    let applied = test.run(apply);
    assert_eq!(applied.code, Some(0), "{applied}");
}

#[test]
fn who_is_not_allowed_is_refused() {
    let test = site();
    let public = key(&test, "ci", "");
    let other = key(&test, "other", "");
    let planned = test.run(["plan", "--out", "plan.json", "--sign", "ci"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let apply = [
        "apply",
        "plan.json",
        "--yes",
        "--allowed-signers",
        "allowed",
    ];
    for (allowed, exit, code) in [
        (format!("boss {other}"), 9, "signature::not_allowed"),
        (
            format!("ci namespaces=\"git\" {public}"),
            9,
            "signature::not_allowed",
        ),
        (
            format!("ci valid-before=\"20200101Z\" {public}"),
            9,
            "signature::not_allowed",
        ),
        ("ci\n".to_owned(), 1, "signature::allowed_signers"),
    ] {
        test.write("allowed", &allowed);
        let refused = test.run(apply);
        assert_eq!(refused.code, Some(exit), "{allowed}: {refused}");
        assert!(refused.stderr.contains(code), "{allowed}: {refused}");
    }
    // The signature of another plan, by somebody who is allowed.
    test.write("allowed", &format!("ci {public}"));
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let replaced = test.run(apply);
    assert_eq!(replaced.code, Some(9), "{replaced}");
    assert!(replaced.stderr.contains("signature::wrong"), "{replaced}");
    assert_eq!(written(&test), 0);
}

#[test]
fn keys_that_cannot_sign_leave_no_plan() {
    let test = site();
    key(&test, "locked", "a passphrase");
    let work = test.work();
    succeeded(&mut ssh_keygen(
        &work,
        &["-q", "-t", "ecdsa", "-N", "", "-f", "ecdsa"],
    ));
    test.write("text", "no key\n");
    for (key, code) in [
        ("locked", "signature::encrypted"),
        ("ecdsa", "signature::k"),
        ("locked.pub", "signature::key"),
        ("text", "signature::key"),
        ("nothing", "signature::read_key"),
    ] {
        let refused = test.run(["plan", "--out", "plan.json", "--sign", key]);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (Some(1), ""),
            "{key}: {refused}"
        );
        assert!(refused.stderr.contains(code), "{key}: {refused}");
        assert!(!work.join("plan.json").exists());
    }
    let refused = test.run(["plan", "--out", "plan.json", "--sign", "locked"]);
    let told = refused
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join("");
    assert!(
        told.contains("ssh-keygen-Ysign-fKEY-nswitchover-planPLAN"),
        "{refused}"
    );
    assert_eq!(test.run(["plan", "--sign", "locked"]).code, Some(2));
}

/// A plan replaces a plan and nothing else: the topology is close at hand, and could not be got back.
#[test]
fn a_plan_replaces_nothing_but_a_plan() {
    let test = site();
    let refused = test.run(["plan", "--out", "switchover.kdl"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("plan::other_file"), "{refused}");
    let path = test.work().join("switchover.kdl");
    assert_eq!(fs::read_to_string(path).unwrap(), GOOD);
    test.write("kept.plan", "");
    for _ in 0..2 {
        assert_eq!(test.run(["plan", "--out", "kept.plan"]).code, Some(0));
    }
}

/// What is named as plans are is no topology, whatever is in it.
#[test]
fn a_plan_that_is_gone_or_empty_is_called_a_plan() {
    let test = site();
    let gone = test.run(["apply", "gone.plan", "--yes"]);
    assert_eq!(gone.code, Some(1), "{gone}");
    assert!(
        gone.stderr.contains("failed to read the plan `gone.plan`"),
        "{gone}"
    );
    test.write("empty.plan", "");
    let empty = test.run(["apply", "empty.plan", "--yes"]);
    assert_eq!(empty.code, Some(1), "{empty}");
    assert!(
        empty.stderr.contains("switchover::plan::damaged"),
        "{empty}"
    );
}
