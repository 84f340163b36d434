use serde_json::json;
use switchover_lab::{Bucket, Fate};

use super::*;
use crate::plan::Plan;
use crate::state::{BlobRef, LeaseOptions};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

fn plan() -> Plan {
    serde_json::from_value(json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "site": "acme",
        "created": "2026-01-01T00:00:00Z",
        "expires": "2026-01-02T00:00:00Z",
        "topology": { "path": "switchover.kdl", "sha256": "00" },
        "generation": null,
        "targets": [],
    }))
    .unwrap()
}

fn kept() -> Kept {
    Kept {
        sources: BlobRef::try_from("ab".repeat(32)).unwrap(),
        contents: BTreeMap::new(),
        in_force: false,
        rollback_of: None,
    }
}

async fn lease(store: &Store) -> Lease {
    Lease::acquire(store, "jo", "apply", LeaseOptions::default())
        .await
        .unwrap()
}

async fn begun(store: &Store) -> (Lease, Journal) {
    let lease = lease(store).await;
    let keys = Keys::of(store);
    let journal = Journal::begin(store, &lease, keys, &plan(), &kept())
        .await
        .unwrap();
    (lease, journal)
}

/// The run whose journal is there.
async fn unfinished(store: &Store) -> Option<Unfinished> {
    let mut runs = runs(store).await.unwrap();
    assert!(runs.len() < 2, "{runs:?}");
    runs.pop()
}

/// Whoever takes a run over shuts out the one who is at work on it, who learns it before the next step.
#[test]
fn a_run_that_was_taken_over_writes_nothing_more() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let (first, journal) = begun(&store).await;
        journal.start("kea1", ["one"]).await.unwrap();
        assert!(unfinished(&store).await.unwrap().alive);
        journal.verified("kea1");

        crate::state::break_lease(&store, "mo", None).await.unwrap();
        assert!(!unfinished(&store).await.unwrap().alive);
        let second = lease(&store).await;
        let taken = Journal::take_over(&store, &second, &journal.name).await;
        let (other, run) = taken.unwrap().unwrap();
        assert_eq!(run.attempts[0].targets["kea1"].begun, ["one"]);
        assert!(unfinished(&store).await.unwrap().alive);

        let before = store.read_log(&journal.log).await.unwrap();
        for _ in 0..2 {
            let error = journal.start("kea1", ["two"]).await.unwrap_err();
            assert!(matches!(
                error,
                JournalError::Fenced(Fenced::TakenOver { .. })
            ));
        }
        assert!(journal.fenced().is_some() && journal.hold().is_err());
        assert_eq!(store.read_log(&journal.log).await.unwrap(), before);
        other.undoing().await.unwrap();
        other.remove().await.unwrap();
        assert!(unfinished(&store).await.is_none());
        drop(first);
    });
}

/// A freed site is shut for the one from whom it was freed, though nobody goes on with its run.
#[test]
fn a_run_whose_lease_was_broken_does_nothing_more() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let (_lease, journal) = begun(&store).await;
        let holder = break_lease(&store, "mo@there", Some("it hangs".to_owned()));
        assert_eq!(holder.await.unwrap().unwrap().who, "jo");
        let error = journal.start("kea1", ["one"]).await.unwrap_err();
        assert!(
            matches!(&error, JournalError::Fenced(Fenced::TakenOver { who }) if who == "mo@there"),
            "{error}"
        );
        let run = unfinished(&store).await.unwrap();
        assert!(!run.alive && run.is_over(None), "nothing was done");
    });
}

/// Whoever lost the lease before the first record was there begins nothing.
#[test]
fn a_run_that_begins_too_late_is_none() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let lease = lease(&store).await;
        break_lease(&store, "mo", None).await.unwrap();
        let begun = Journal::begin(&store, &lease, Keys::of(&store), &plan(), &kept()).await;
        assert!(matches!(begun, Err(JournalError::Fenced(_))));
        assert!(unfinished(&store).await.is_none());
    });
}

/// Of a confirmation and the end of its time, one is first, and both sides know which.
#[test]
fn a_confirmation_is_in_time_or_not() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let (lease, journal) = begun(&store).await;
        assert!(!confirm(&store).await.unwrap(), "it does not wait");
        journal.waiting(jiff::Timestamp::MAX).await.unwrap();
        assert_eq!(journal.confirmed().await.unwrap(), None);
        assert!(confirm(&store).await.unwrap());
        // Its own end comes later than that.
        assert_eq!(journal.expire().await.unwrap(), Some(who()));
        journal.remove().await.unwrap();
        lease.release().await.unwrap();

        let (_lease, journal) = begun(&store).await;
        journal.waiting(jiff::Timestamp::MAX).await.unwrap();
        assert_eq!(journal.expire().await.unwrap(), None);
        assert!(!confirm(&store).await.unwrap(), "it is being taken back");
    });
}

#[test]
fn another_format_is_refused_by_name() {
    for line in [
        r#"{"record":"begin","format":"1.0","more":1}"#,
        r#"[{"record":"begin","format":"9.1"},{"record":"unknown"}]"#,
    ] {
        let error = Unfinished::of("0", &[line.as_bytes().to_vec()]).unwrap_err();
        assert!(matches!(error, JournalError::Format { .. }), "{error}");
    }
}

fn in_bucket(bucket: &Bucket) -> Store {
    let environment = bucket.environment();
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    Store::open_in(std::path::Path::new("."), "s3://state/x", environment).unwrap()
}

/// A line arrives and is not answered, the next one does not arrive: nobody but the run itself wrote anything.
#[test]
fn answers_that_are_lost_one_after_the_other_shut_nobody_out() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let store = in_bucket(&bucket);
        let (_lease, journal) = begun(&store).await;
        let mut tries = 0;
        bucket.judge(
            move |method, key| match method == "PUT" && key.contains("runs") {
                true => {
                    tries += 1;
                    match tries {
                        1 => Fate::AnswerLost,
                        _ => Fate::Lost,
                    }
                }
                false => Fate::Answered,
            },
        );
        journal.verified("kea1");
        journal.start("kea1", ["one"]).await.unwrap_err();
        journal.start("kea1", ["two"]).await.unwrap_err();
        bucket.answer_all();
        journal.undoing().await.unwrap();
        assert_eq!(journal.fenced(), None);
        let run = unfinished(&store).await.unwrap();
        assert!(run.undoing && run.attempts[0].targets["kea1"].begun == ["one"]);
    });
}

/// What becomes durable with the next line does so with the one after it where the next cannot be written.
#[test]
fn what_waits_for_a_line_that_fails_comes_with_the_next() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let store = in_bucket(&bucket);
        let (_lease, journal) = begun(&store).await;
        journal.start("kea1", ["one", "two"]).await.unwrap();
        journal.never("kea1", "two");
        bucket.judge(|method, _| match method {
            "PUT" => Fate::Lost,
            _ => Fate::Answered,
        });
        journal.waiting(jiff::Timestamp::MAX).await.unwrap_err();
        journal.flush().await.unwrap_err();
        bucket.answer_all();
        journal.undoing().await.unwrap();
        let run = unfinished(&store).await.unwrap();
        assert_eq!(run.attempts[0].targets["kea1"].begun, ["one"]);
        assert_eq!(
            run.waiting, None,
            "whoever asked for it knows that it failed"
        );
    });
}

/// A run that comes to its end while its lease is broken leaves nothing that nobody can read.
#[test]
fn a_lease_that_is_broken_at_the_end_of_a_run_begins_no_journal() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let store = in_bucket(&bucket);
        let (_lease, journal) = begun(&store).await;
        let log = journal.log.clone();
        let line = record::write(&[Record::Undoing]).unwrap();
        find::shut(&store, &log, &line).await.unwrap();
        assert_eq!(store.read_log(&log).await.unwrap().len(), 2);
        journal.remove().await.unwrap();
        find::shut(&store, &log, &line).await.unwrap();
        assert!(unfinished(&store).await.is_none());
        assert!(store.logs(RUNS).await.unwrap().is_empty());
    });
}

/// By the clock of a second machine the holder looks late: the run waits still, until it says otherwise.
#[test]
fn a_clock_that_is_ahead_does_not_keep_anybody_from_confirming() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let (_lease, journal) = begun(&store).await;
        journal.waiting(jiff::Timestamp::MAX).await.unwrap();
        let path = folder.path().join("lease.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut lease: Value = serde_json::from_str(&text).unwrap();
        lease["holder"]["expires"] = json!("2020-01-01T00:00:00Z");
        fs::write(&path, lease.to_string()).unwrap();
        let run = unfinished(&store).await.unwrap();
        assert!(run.held && !run.alive);
        assert!(confirm(&store).await.unwrap());
        assert_eq!(journal.confirmed().await.unwrap(), Some(who()));
    });
}

/// From its record on nobody takes the run back, and whoever finds it records the same; until then it is one like others.
#[test]
fn a_run_that_is_being_recorded_is_done() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let (_first, journal) = begun(&store).await;
        journal.start("kea1", ["one"]).await.unwrap();
        assert!(journal.is_not_recording().await);
        let epoch = jiff::Timestamp::UNIX_EPOCH;
        let generation =
            |number| Generation::empty(number, epoch, "acme".to_owned(), String::new());
        journal.recording(&generation(2)).await.unwrap();
        assert!(!journal.is_not_recording().await);
        let run = unfinished(&store).await.unwrap();
        assert!(run.is_done());
        for last in [None, Some(generation(1))] {
            assert_eq!(run.unrecorded(last.as_ref()), Some(&generation(2)));
            assert!(!run.is_over(last.as_ref()));
        }
        for last in [generation(2), generation(7)] {
            assert!(run.unrecorded(Some(&last)).is_none() && run.is_over(Some(&last)));
        }
        // It was not sure whether that had been written, and takes everything back.
        journal.undoing().await.unwrap();
        let run = unfinished(&store).await.unwrap();
        assert!(!run.is_done() && !run.is_over(Some(&generation(2))));
    });
}

/// A request that was not answered may still be carried out: nobody can tell that it will not be.
#[test]
fn of_an_object_store_nobody_can_tell_what_is_not_recorded() {
    block_on(async {
        let bucket = Bucket::start().unwrap();
        let (_lease, journal) = begun(&in_bucket(&bucket)).await;
        assert!(!journal.is_not_recording().await);
    });
}

/// Targets of servers, one of files, and one that is not begun.
fn plan_of_many() -> Plan {
    let target = |name: &str, effect: Value| {
        json!({
            "name": name,
            "plugin": { "name": "kea", "version": "0.1.0", "sha256": "11" },
            "wave": "dhcp",
            "observed": "22",
            "changes": [{
                "address": "x", "kind": "x", "action": "create", "before": null, "after": null
            }],
            "unchanged": 0,
            "foreign": [],
            "resources": {},
            "undo": "plugin",
            "procedure": {
                "stage": [],
                "commit": [{ "id": "one", "title": "one", "effect": effect }],
                "verify": [],
            },
        })
    };
    let run = json!({ "run": { "name": "reload", "file": null } });
    let remove = json!({ "remove-file": { "path": "x" } });
    let mut plan = serde_json::to_value(plan()).unwrap();
    plan["targets"] = json!([
        target("done", run.clone()),
        target("server", run.clone()),
        target("files", remove),
        target("later", run.clone()),
        target("untouched", run),
    ]);
    serde_json::from_value(plan).unwrap()
}

/// What finishing a run does at each target is known before it is begun.
#[test]
fn finishing_says_first_what_it_does() {
    use crate::recover::Course;
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        let lease = lease(&store).await;
        let keys = Keys::of(&store);
        let journal = Journal::begin(&store, &lease, keys, &plan_of_many(), &kept())
            .await
            .unwrap();
        for target in ["done", "server"] {
            journal.start(target, ["one"]).await.unwrap();
        }
        journal.verified("done");
        journal.flush().await.unwrap();
        let run = unfinished(&store).await.unwrap();
        assert_eq!(
            run.courses(),
            [
                ("done", Course::Kept),
                ("server", Course::Completed),
                ("files", Course::Applied),
                ("later", Course::Applied),
                ("untouched", Course::Applied),
            ]
        );

        // Files are planned anew, and so is everything after them: targets are completed in their order.
        for target in ["files", "later"] {
            journal.start(target, ["one"]).await.unwrap();
        }
        let run = unfinished(&store).await.unwrap();
        assert_eq!(
            run.courses()[1..],
            [
                ("server", Course::Completed),
                ("files", Course::RolledBack),
                ("later", Course::RolledBack),
                ("untouched", Course::Applied),
            ]
        );

        // What was being taken back is half here and half there.
        journal.undoing().await.unwrap();
        let run = unfinished(&store).await.unwrap();
        let begun = run.courses();
        assert!(
            begun[..4]
                .iter()
                .all(|(_, course)| *course == Course::RolledBack),
            "{begun:?}"
        );
        assert_eq!(begun[4], ("untouched", Course::Applied));
    });
}
