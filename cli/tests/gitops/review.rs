//! What a pull request shows.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;
use switchover_lab::Fate;

use super::runner::{Event, Intruder};
use super::site::Site;

#[test]
fn a_pull_request_has_one_comment_with_its_plan() {
    let mut site = Site::new();
    // Somebody else begins a comment as the workflow does.
    let theirs = json!({"id": 1, "on": 7, "user": {"login": "mallory"}, "body": "<!-- switchover plan -->\nall is well"});
    site.github
        .set_played(&json!({"comments": [theirs], "issues": [], "calls": []}));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    site.bucket.judge(move |method, _| {
        seen.lock().unwrap().push(method.to_owned());
        Fate::Answered
    });
    let first = site.pull_request("1111111111111111111111111111111111111111");
    first.assert("comment: success, pending: success, plan: success, validate: success");
    let comment = site.github.comment();
    for part in [
        "<!-- switchover plan -->\n### Plan for acme",
        " to add",
        "Commit 1111111111111111111111111111111111111111, merged into its target branch · 20",
        " UTC · [job](https://github.com/acme/pbx/actions/runs/1001/attempts/1)",
    ] {
        assert!(comment.contains(part), "{part}: {comment}");
    }
    assert!(first.summary("plan").starts_with("### Plan for acme"));

    site.commit(&site.with("lease \"8h\"", "lease \"9h\""));
    let second = site.pull_request("2222222222222222222222222222222222222222");
    second.assert("comment: success, pending: success, plan: success, validate: success");
    let comment = site.github.comment();
    assert!(
        comment.contains("Commit 2222222222222222222222222222222222222222,"),
        "{comment}"
    );
    assert!(comment.contains("/runs/1002/"), "{comment}");
    assert!(!comment.contains("1111111"), "{comment}");
    assert_eq!(site.github.played()["comments"][0], theirs);

    // Nothing of this writes: neither to a server nor to the state, so the key of the bucket may be one for reading.
    assert!(site.servers().is_empty());
    let asked = asked.lock().unwrap();
    assert!(
        !asked.is_empty() && asked.iter().all(|method| method == "GET"),
        "{asked:?}"
    );
    site.assert_no_secret(&[&first, &second]);
}

/// While an approval is outstanding, what the comment said of an earlier commit must not be taken for the plan of this one.
#[test]
fn a_comment_never_shows_an_earlier_plan() {
    let mut site = Site::new();
    site.pull_request("1");
    assert!(site.github.comment().contains("### Plan for acme"));
    let pull_request = Event::pull_request("pull_request", "acme/pbx", "2");
    let seen = Mutex::new(String::new());
    let played = site.github.work().join("github.json");
    let look = |_: &Path| *seen.lock().unwrap() = fs::read_to_string(&played).unwrap();
    site.github
        .run_with("check.yml", &pull_request, &Intruder::Before("plan", &look));
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains("No plan: not made yet") && seen.contains("Commit 2,"),
        "{seen}"
    );
    assert!(!seen.contains("### Plan for acme"), "{seen}");

    for (job, result, told) in [
        ("plan", "failure", "### No plan: planning did not begin\n"),
        ("plan", "cancelled", "### No plan: the job was cancelled\n"),
        (
            "validate",
            "cancelled",
            "### No plan: the job was cancelled\n",
        ),
        ("validate", "failure", "### No plan: the checks failed\n"),
    ] {
        site.github
            .run_with("check.yml", &pull_request, &Intruder::Ends(job, result));
        let comment = site.github.comment();
        assert!(comment.contains(told), "{job} {result}: {comment}");
        assert!(comment.contains("[job](https://"), "{comment}");
        assert!(!comment.contains("### Plan for"), "{comment}");
    }
}

#[test]
fn a_plan_that_fails_is_told_in_the_comment() {
    let mut site = Site::new();
    site.pull_request("1");
    let plan = |site: &mut Site| {
        site.github
            .environments
            .get_mut("switchover-plan")
            .unwrap()
            .clone()
    };
    let whole = plan(&mut site);
    // Every one of these is forgotten easily.
    for secret in whole.secrets.keys() {
        let mut lacking = whole.clone();
        lacking.secrets.remove(secret);
        site.github.environments.insert("switchover-plan", lacking);
        let failed = site.pull_request("2");
        let comment = site.github.comment();
        if *secret == "SIP_PASSWORD_101" {
            failed.assert("comment: success, pending: success, plan: failure, validate: success");
            for part in [
                "### No plan: planning failed\n",
                "SIP_PASSWORD_101",
                "Commit 2,",
                "[job](",
            ] {
                assert!(comment.contains(part), "{part}: {comment}");
            }
            assert!(!comment.contains("### Plan for"), "{comment}");
        }
    }
    site.github.environments.insert("switchover-plan", whole);

    // The bucket does not answer: without it nobody knows what is ours, and a plan would be wrong.
    site.bucket.judge(|_, _| Fate::Lost);
    let failed = site.pull_request("3");
    failed.assert("comment: success, pending: success, plan: failure, validate: success");
    let comment = site.github.comment();
    assert!(
        comment.contains("### No plan: planning failed\n"),
        "{comment}"
    );
    site.bucket.answer_all();

    // Errors in the topology stop it before.
    site.commit(&site.with(
        "wms \"3.86.30011\"\n    platform \"vm\"",
        "wms \"2.0\"\n    platform \"vm\"",
    ));
    let failed = site.pull_request("4");
    failed.assert("comment: success, pending: success, plan: skipped, validate: failure");
    let comment = site.github.comment();
    assert!(
        comment.contains("### No plan: the checks failed\n"),
        "{comment}"
    );
    assert!(comment.contains("SW101"), "{comment}");
    assert!(failed.log("validate").contains("::error title=SW101"));

    site.commit(&site.topology);
    site.pull_request("5");
    assert!(site.github.comment().contains("### Plan for acme"));
    site.assert_no_secret(&[&failed]);
}

#[test]
fn a_fork_gets_no_secrets_and_is_told_why() {
    let mut site = Site::new();
    let check = Event::pull_request("pull_request", "mallory/pbx", "1");
    let checked = site.github.run("check.yml", &check);
    checked.assert("comment: skipped, pending: skipped, plan: skipped, validate: success");
    assert!(site.github.comments().is_empty());
    let fork = Event::pull_request("pull_request_target", "mallory/pbx", "1");
    for _ in 0..2 {
        site.github
            .run("fork.yml", &fork)
            .assert("comment: success");
        let comment = site.github.comment();
        assert!(
            comment.contains("### No plan: the change comes from a fork\n"),
            "{comment}"
        );
    }
    let own = Event::pull_request("pull_request_target", "acme/pbx", "1");
    site.github.run("fork.yml", &own).assert("comment: skipped");
}
