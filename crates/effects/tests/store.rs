//! Keys and logs in a folder: what is read is what was written, whole, whatever happens in between.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use switchover_effects::store::{Store, StoreFault};

use crate::store_processes::{self as processes, Job};

/// Runs on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

fn local(folder: &Path) -> Store {
    Store::local(folder.join("state"))
}

#[test]
fn a_key_is_created_once_and_replaced_only_by_who_knows_it() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        keys_and_lists(&local(folder.path())).await;
    });
}

/// What every store does.
pub(crate) async fn keys_and_lists(store: &Store) {
    assert_eq!(store.get("lease.json").await.unwrap(), None);
    assert!(store.list("generations").await.unwrap().is_empty());
    store.check_writable().await.unwrap();

    let first = store.create("lease.json", "one").await.unwrap();
    let (bytes, tag) = store.get("lease.json").await.unwrap().unwrap();
    assert_eq!((&bytes[..], &tag), (&b"one"[..], &first));
    let taken = store.create("lease.json", "two").await.unwrap_err();
    assert!(taken.is_exists(), "{taken}");

    let second = store.replace("lease.json", "two", &first).await.unwrap();
    let late = store.replace("lease.json", "three", &first).await;
    assert!(late.unwrap_err().is_moved());
    store.delete("lease.json").await.unwrap();
    store.delete("lease.json").await.unwrap();
    let gone = store.replace("lease.json", "three", &second).await;
    assert!(gone.unwrap_err().is_moved());

    for key in [
        "generations/000002.json",
        "generations/000001.json",
        "other",
    ] {
        store.create(key, key.to_owned()).await.unwrap();
    }
    let keys = store.list("generations").await.unwrap();
    assert_eq!(keys, ["generations/000001.json", "generations/000002.json"]);
}

#[test]
fn a_log_takes_records_in_their_order_and_none_after_its_end() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        logs(&local(folder.path()), &local(folder.path())).await;
    });
}

/// What every store does, seen by two that use it.
pub(crate) async fn logs(one: &Store, other: &Store) {
    assert!(one.read_log("runs/7").await.unwrap().is_empty());
    one.append("runs/7", 0, b"begin").await.unwrap();
    one.append("runs/7", 1, b"start").await.unwrap();
    assert_eq!(other.logs("runs").await.unwrap(), ["runs/7"]);
    let records = other.read_log("runs/7").await.unwrap();
    assert_eq!(records, [b"begin".to_vec(), b"start".to_vec()]);

    // Fenced: the late one finds its place taken.
    other.append("runs/7", 2, b"fence").await.unwrap();
    let fenced = one.append("runs/7", 2, b"done").await.unwrap_err();
    assert!(fenced.is_moved(), "{fenced}");
    assert_eq!(other.push("runs/7", b"pushed").await.unwrap(), 3);
    assert_eq!(one.read_log("runs/7").await.unwrap().len(), 4);

    other.remove_log("runs/7").await.unwrap();
    let late = one.append("runs/7", 3, b"done").await.unwrap_err();
    assert!(late.is_moved(), "{late}");
    assert!(one.read_log("runs/7").await.unwrap().is_empty());
    assert!(one.logs("runs").await.unwrap().is_empty());
    let bad = one.append("runs/8", 0, b"a\nb").await.unwrap_err();
    assert!(matches!(bad.fault(), StoreFault::NoLine { .. }));
}

#[test]
fn keys_lead_nowhere_else() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = local(folder.path());
        for key in [
            "", "/a", "a/", "../a", "a/../b", ".lock", "a//b", "a b", "a\0", "ä",
        ] {
            let error = store.create(key, "x").await.unwrap_err();
            assert!(matches!(error.fault(), StoreFault::Key { .. }), "{key:?}");
        }
        assert!(!folder.path().join("state").exists(), "nothing was made");
    });
}

#[test]
fn what_is_no_place_is_named() {
    for (location, part) in [
        ("gs://bucket", "gs://"),
        ("s3://", "bucket"),
        ("s3://bucket/a?b=c", "more than"),
    ] {
        let error = Store::open(Path::new("."), location).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// A crash may leave any beginning of the last record.
    #[test]
    fn a_torn_record_is_none(records in prop::collection::vec("[ -~]{0,40}", 1..6), cut in any::<prop::sample::Index>()) {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = local(folder.path());
            for (at, record) in records.iter().enumerate() {
                store.append("runs/1", at as u64, record.as_bytes()).await.unwrap();
            }
            let path = folder.path().join("state/runs/1");
            let whole = fs::read(&path).unwrap();
            let length = cut.index(whole.len());
            fs::write(&path, &whole[..length]).unwrap();
            let kept = whole[..length].iter().filter(|byte| **byte == b'\n').count();

            let store = local(folder.path());
            let read = store.read_log("runs/1").await;
            if kept == 0 {
                // The first one comes with its file, and whole: this is no crash.
                let error = read.unwrap_err();
                prop_assert!(matches!(error.fault(), StoreFault::Damaged { record: 0, .. }), "{error}");
                prop_assert!(store.append("runs/1", 0, b"begins").await.is_err());
                return Ok(());
            }
            let read = read.unwrap();
            let expected: Vec<_> = records[..kept].iter().map(|record| record.as_bytes().to_vec()).collect();
            assert_eq!(read, expected);
            store.append("runs/1", kept as u64, b"goes on").await.unwrap();
            assert_eq!(store.read_log("runs/1").await.unwrap().len(), kept + 1);
            Ok(())
        })?;
    }

    #[test]
    fn a_changed_byte_is_damage(
        records in prop::collection::vec("[ -~]{0,40}", 1..6), at in any::<prop::sample::Index>(), bits in 1..=255_u8,
    ) {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = local(folder.path());
            for (at, record) in records.iter().enumerate() {
                store.append("runs/1", at as u64, record.as_bytes()).await.unwrap();
            }
            let path = folder.path().join("state/runs/1");
            let mut text = fs::read(&path).unwrap();
            let at = at.index(text.len());
            text[at] ^= bits;
            fs::write(&path, &text).unwrap();
            let error = local(folder.path()).read_log("runs/1").await.unwrap_err();
            assert!(matches!(error.fault(), StoreFault::Damaged { .. }), "{error}");
            let next = local(folder.path()).append("runs/1", records.len() as u64, b"x").await;
            assert!(next.is_err(), "nothing is written behind damage");
        });
    }
}

#[test]
fn several_processes_lose_nothing_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().join("state").display().to_string();
    processes::race(&location, &[], 6, 15);
}

/// Killed between the writing of a file and its appearance, before and after: a reader sees the one or the other.
#[test]
fn a_process_killed_while_it_writes_leaves_one_or_the_other() {
    let mut left = 0;
    for (call, nth) in [
        ("rename,renameat,renameat2,link,linkat", 1),
        ("rename,renameat,renameat2,link,linkat", 2),
        ("fsync", 1),
        ("fsync", 2),
        ("fsync", 3),
        ("fdatasync", 1),
        ("write", 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let store = Store::local(state.clone());
        block_on(async {
            store.create("value", "0").await.unwrap();
            store.append("log", 0, b"first").await.unwrap();
        });
        let job = processes::command(&state.display().to_string(), Job::Once);
        let mut traced = Command::new("strace");
        traced
            .args(["-f", "-qq", "-o", "/dev/null", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:signal=SIGKILL:when={nth}"))
            .arg(job.get_program())
            .args(job.get_args())
            .envs(
                job.get_envs()
                    .filter_map(|(key, value)| Some((key, value?))),
            );
        let output = traced.output().unwrap();
        let killed = output.status.signal() == Some(9);
        assert!(
            killed || output.status.success(),
            "{call} {nth}: {output:?}"
        );

        block_on(async {
            let store = Store::local(state.clone());
            let (value, tag) = store.get("value").await.unwrap().unwrap();
            assert!(
                ["0", "1"].contains(&str::from_utf8(&value).unwrap()),
                "{call} {nth}"
            );
            let log = store.read_log("log").await.unwrap();
            assert_eq!(log[0], b"first");
            assert!(log.len() <= 2);
            // The next one goes on, and clears away.
            store.replace("value", "2", &tag).await.unwrap();
            store.push("log", b"next").await.unwrap();
            left += store.sweep().await.unwrap();
            assert_eq!(store.sweep().await.unwrap(), 0);
        });
    }
    assert!(left > 0, "one was killed with a file in writing");
}
