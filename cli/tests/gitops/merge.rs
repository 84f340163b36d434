//! What becomes of a merge, and of what is changed by hand after it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use switchover_lab::Fate;

use super::runner::{Event, Intruder};
use super::site::{FRONT_DOOR, PASSWORD, Site, ssh_key};
use crate::checkers::succeeded;
use crate::environment::{TestEnvironment, files_below};

/// What the state is shared for: every job is in a fresh checkout, and still what is no longer wanted goes.
#[test]
fn what_is_merged_is_applied_and_what_is_deleted_is_removed() {
    let mut site = Site::new();
    let merged = site.merge();
    merged.assert("apply: success, plan: success");
    let digest = &merged.outputs("plan")["digest"];
    assert!(
        merged.summary("plan").contains(digest.as_str()),
        "{merged:#?}"
    );
    assert!(
        merged.log("apply").contains("signed by ci@acme.example"),
        "{merged:#?}"
    );
    assert!(merged.summary("apply").starts_with("### Applied\n"));
    let result = site
        .github
        .work()
        .join("artifacts-1/switchover-result/result.json");
    let result: Value = serde_json::from_slice(&fs::read(result).unwrap()).unwrap();
    assert_eq!(
        (&result["outcome"], &result["plan"]),
        (&json!("applied"), &json!(digest))
    );
    let before = site.servers();
    assert!(
        before.iter().any(|(name, _)| name.contains("9c7514000104")),
        "{before:?}"
    );

    let again = site.merge();
    again.assert("apply: skipped, plan: success");
    assert_eq!(again.outputs("plan")["changes"], "false");
    assert_eq!(site.servers(), before);

    site.commit(&site.with(FRONT_DOOR, ""));
    site.pull_request("1");
    let comment = site.github.comment();
    assert!(comment.contains("1 to remove"), "{comment}");
    let removed = site.merge();
    removed.assert("apply: success, plan: success");
    let after = site.servers();
    assert!(
        !after.iter().any(|(name, _)| name.contains("9c7514000104")),
        "{after:?}"
    );
    site.assert_no_secret(&[&merged, &again, &removed]);
}

/// As docs/state.md says it.
#[test]
fn a_local_state_moves_into_the_bucket() {
    let mut site = Site::new();
    let test = TestEnvironment::new();
    let local = site.with("    state \"s3://state/acme\"\n", "");
    test.write("switchover.kdl", &local);
    let apply = |topology: &str| {
        test.write("switchover.kdl", topology);
        let path = format!(
            "{}:{}",
            site.github.work().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut apply = test.command(["apply", "--yes"]);
        succeeded(apply.env("PATH", path).env("SIP_PASSWORD_101", PASSWORD));
    };
    apply(&local.replace("lease \"8h\"", "lease \"7h\""));
    apply(&local);
    let state = test.work().join(".switchover");
    let endpoint = site.github.variables["AWS_ENDPOINT_URL"].clone();
    for folder in ["generations", "blobs"] {
        for file in files_below(&state.join(folder)) {
            let key = file.strip_prefix(&state).unwrap().display().to_string();
            let url = format!("{endpoint}/state/acme/{key}");
            let mut copy = Command::new("curl");
            copy.args(["--fail", "--silent", "--show-error", "--upload-file"]);
            succeeded(copy.arg(file).arg(url));
        }
    }
    let same = site.merge();
    same.assert("apply: skipped, plan: success");
    site.commit(&site.with(FRONT_DOOR, ""));
    site.pull_request("1");
    assert!(site.github.comment().contains("1 to remove"));
    site.applied();

    let mut check = test.command(["generations", "check", "--state", "s3://state/acme"]);
    let checked = succeeded(check.envs(site.bucket.environment()));
    assert!(checked.starts_with("3 generations, "), "{checked}");
}

#[test]
fn only_the_approved_plan_is_applied() {
    let mut site = Site::new();
    site.applied();
    let before = site.servers();
    site.commit(&site.with("lease \"8h\"", "lease \"9h\""));
    let merge = Event::merge("main");

    let plan = |artifacts: &Path| artifacts.join("switchover-plan/plan.json");
    let touched = |artifacts: &Path| {
        let text = fs::read_to_string(plan(artifacts)).unwrap();
        assert!(
            text.contains("9h") || text.contains("32400") || text.contains("dhcp-range"),
            "{text}"
        );
        fs::write(plan(artifacts), text.replace("acme", "acne")).unwrap();
    };
    let unsigned = |artifacts: &Path| {
        fs::remove_file(artifacts.join("switchover-plan/plan.json.sig")).unwrap();
    };
    // A whole plan, signed by who may: but of an earlier run.
    let earlier = site.github.work().join("artifacts-1/switchover-plan");
    let another = |artifacts: &Path| {
        for name in ["plan.json", "plan.json.sig"] {
            let to = artifacts.join("switchover-plan").join(name);
            fs::copy(earlier.join(name), to).unwrap();
        }
    };
    let zeros = format!("sha256:{}", "0".repeat(64));
    for (intruder, told) in [
        (Intruder::Before("apply", &touched), "exit code 1"),
        (Intruder::Before("apply", &unsigned), "exit code 9"),
        (Intruder::Before("apply", &another), "exit code 9"),
        (Intruder::Outputs("plan", "digest", &zeros), "exit code 9"),
        (Intruder::Outputs("plan", "digest", ""), "exit code 2"),
    ] {
        let refused = site.github.run_with("apply.yml", &merge, &intruder);
        refused.assert("apply: failure, plan: success");
        assert!(
            refused.summary("apply").contains(told),
            "{told}: {refused:#?}"
        );
        assert_eq!(site.servers(), before);
    }

    // Signed by a key that the one who applies does not know.
    let (other, _) = ssh_key(&site.github.work(), "other");
    let main = site.github.environments.get_mut("switchover-main").unwrap();
    let signing_key = main
        .secrets
        .insert("SWITCHOVER_SIGNING_KEY", other)
        .unwrap();
    let refused = site.merge();
    refused.assert("apply: failure, plan: success");
    assert!(refused.log("apply").contains("not_allowed"), "{refused:#?}");
    // Or not signed at all: there is no plan then.
    let main = site.github.environments.get_mut("switchover-main").unwrap();
    main.secrets.remove("SWITCHOVER_SIGNING_KEY");
    site.merge().assert("apply: skipped, plan: failure");
    assert_eq!(site.servers(), before);

    // What was approved is no longer what the servers are like.
    let main = site.github.environments.get_mut("switchover-main").unwrap();
    main.secrets.insert("SWITCHOVER_SIGNING_KEY", signing_key);
    let (name, text) = before
        .iter()
        .find(|(name, _)| name.starts_with("dnsmasq/"))
        .unwrap();
    let file = site.github.work().join("servers").join(name);
    let by_hand = |_: &Path| fs::write(&file, format!("# by hand\n{text}")).unwrap();
    let stale = Intruder::Before("apply", &by_hand);
    let refused = site.github.run_with("apply.yml", &merge, &stale);
    refused.assert("apply: failure, plan: success");
    assert!(
        refused
            .summary("apply")
            .starts_with("### Refused (exit code 9)\n"),
        "{refused:#?}"
    );
    fs::write(&file, text).unwrap();
    assert_eq!(site.servers(), before);
    site.applied();
    assert_ne!(site.servers(), before);
}

/// A server says no: everything is as it was, and the same is tried again only by who says so.
#[test]
fn what_is_rolled_back_is_told_and_tried_again_by_hand() {
    let mut site = Site::new();
    site.applied();
    let before = site.servers();
    site.commit(&site.with("lease \"8h\"", "lease \"9h\""));
    // Once: the reload that goes with the undo works.
    site.github
        .reload("[ -e \"$0.failed\" ] || { touch \"$0.failed\"; exit 1; }");
    let failed = site.merge();
    failed.assert("apply: failure, plan: success");
    assert!(
        failed
            .summary("apply")
            .starts_with("### Rolled back (exit code 6)\n"),
        "{failed:#?}"
    );
    assert!(
        failed
            .log("apply")
            .contains("::error title=Rolled back (exit code 6)::"),
        "{failed:#?}"
    );
    assert_eq!(site.servers(), before);

    let refused = site.merge();
    refused.assert("apply: failure, plan: success");
    assert!(
        refused
            .summary("apply")
            .contains("with allow-large-change or allow-rejected"),
        "{refused:#?}"
    );
    let by_hand = |reference, rejected: bool| {
        let inputs = json!({"allow-large-change": false, "allow-rejected": rejected});
        Event::by_hand(reference, inputs)
    };
    let elsewhere = by_hand("refs/heads/feature", true);
    site.github
        .run("apply.yml", &elsewhere)
        .assert("apply: skipped, plan: skipped");
    let refused = site
        .github
        .run("apply.yml", &by_hand("refs/heads/main", false));
    refused.assert("apply: failure, plan: success");
    assert_eq!(site.servers(), before);
    let applied = site
        .github
        .run("apply.yml", &by_hand("refs/heads/main", true));
    applied.assert("apply: success, plan: success");
    assert_ne!(site.servers(), before);
}

/// The undo fails, too. The same machine's `recover` is what the summary names.
#[test]
fn what_is_partly_applied_says_to_recover() {
    let mut site = Site::new();
    site.applied();
    site.commit(&site.with("lease \"8h\"", "lease \"9h\""));
    site.github.reload("exit 1");
    let failed = site.merge();
    failed.assert("apply: failure, plan: success");
    let summary = failed.summary("apply");
    assert!(
        summary.starts_with("### Partly applied (exit code 7): act now\n"),
        "{failed:#?}"
    );
    assert!(summary.contains("switchover recover"), "{summary}");
    // Until then nothing else is applied.
    site.github.reload("exit 0");
    let refused = site.merge();
    assert!(
        refused.results().contains("apply: failure") || refused.results().contains("plan: failure"),
        "{refused:#?}"
    );
}

#[test]
fn a_large_change_is_applied_by_hand() {
    let mut site = Site::new();
    site.applied();
    let large = site.with(
        "mode=\"hot-standby\" {",
        "mode=\"hot-standby\" {\n    large-change removals=0",
    );
    site.commit(&large.replace(FRONT_DOOR, ""));
    let refused = site.merge();
    refused.assert("apply: failure, plan: success");
    assert!(
        refused
            .summary("apply")
            .starts_with("### Refused (exit code 9)\n"),
        "{refused:#?}"
    );
    let inputs = json!({"allow-large-change": true, "allow-rejected": false});
    let by_hand = Event::by_hand("refs/heads/main", inputs);
    let applied = site.github.run("apply.yml", &by_hand);
    applied.assert("apply: success, plan: success");
}

#[test]
fn drift_has_one_issue_while_there_is_some() {
    let mut site = Site::new();
    site.applied();
    // The key of the bucket may be one for reading.
    site.bucket.judge(|method, _| match method {
        "GET" => Fate::Answered,
        _ => Fate::Lost,
    });
    let night = Event::night();
    let look = |site: &mut Site| {
        let run = site.github.run("drift.yml", &night);
        run.assert("drift: success, issue: success");
        site.github.played()["issues"].as_array().unwrap().clone()
    };
    assert!(look(&mut site).is_empty());

    let files = site.servers().into_iter();
    let (name, text) = files.last().unwrap();
    let file = site.github.work().join("servers").join(name);
    fs::write(&file, format!("# by hand\n{text}")).unwrap();
    for _ in 0..2 {
        let issues = look(&mut site);
        assert_eq!(issues.len(), 1, "{issues:#?}");
        assert_eq!(issues[0]["state"], "open");
        let body = issues[0]["body"].as_str().unwrap();
        assert!(
            body.contains("by hand") && body.contains("[job]("),
            "{body}"
        );
    }
    fs::write(&file, text).unwrap();
    for _ in 0..2 {
        let issues = look(&mut site);
        assert_eq!((issues.len(), &issues[0]["state"]), (1, &json!("closed")));
    }

    // A look that fails is no word about the servers: the issue stays as it is.
    site.bucket.judge(|_, _| Fate::Lost);
    let failed = site.github.run("drift.yml", &night);
    failed.assert("drift: failure, issue: skipped");
}

/// Another program under the name is not run.
#[test]
fn only_the_program_that_was_named_is_installed() {
    let mut site = Site::new();
    for (name, value) in [
        ("SWITCHOVER_SHA256", "0".repeat(64)),
        ("SWITCHOVER_SHA256", String::new()),
        ("SWITCHOVER_URL", String::new()),
    ] {
        let right = site.github.variables.insert(name, value).unwrap();
        let failed = site.merge();
        failed.assert("apply: skipped, plan: failure");
        let failed = site.pull_request("1");
        failed.assert("comment: success, pending: success, plan: skipped, validate: failure");
        assert!(
            site.github
                .comment()
                .contains("### No plan: the checks failed\n")
        );
        site.github.variables.insert(name, right);
    }
}
