//! The same in an object store, which a server with conditional puts is.

use std::path::{Path, PathBuf};

use switchover_effects::store::{Store, StoreError, StoreFault};
use switchover_lab::{Bucket, Fate, ObjectServer};

use crate::losing_answers::LosingAnswers;
use crate::store::{block_on, keys_and_lists, logs};
use crate::store_processes::{self as processes, open};

/// The Python that `cargo xtask setup` makes.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("tools/python/bin/python")
}

fn server(folder: &Path) -> ObjectServer {
    ObjectServer::start(&python(), folder).unwrap()
}

#[test]
fn a_bucket_keeps_keys_and_logs() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let environment = server.environment();
    block_on(async {
        keys_and_lists(&open("s3://state/keys", &environment)).await;
        let one = open("s3://state/a/b", &environment);
        logs(&one, &open("s3://state/a/b/", &environment)).await;
        assert_eq!(one.place("lease.json"), "s3://state/a/b/lease.json");
        assert!(one.folder().is_none());
        // Two records at the same place, of which one writer knows nothing: damage is named.
        one.append("runs/1", 0, b"begin").await.unwrap();
        one.create("runs/1/00000001", "1 nonsense\n").await.unwrap();
        let error = one.read_log("runs/1").await.unwrap_err();
        assert!(matches!(
            error.fault(),
            StoreFault::Damaged { record: 1, .. }
        ));
    });
}

#[test]
fn several_processes_lose_nothing_to_each_other_in_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    processes::race("s3://state/race", &server.environment(), 4, 5);
}

/// An answer that never came does not make the sender take its own write for somebody else's.
#[test]
fn a_lost_answer_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut environment = server.environment();
    let losing = LosingAnswers::before(server.port());
    environment[0].1 = format!("http://127.0.0.1:{}", losing.port());
    block_on(async {
        let store = open("s3://state/lost", &environment);
        store.check_writable().await.unwrap();
        losing.lose_next();
        let tag = store.create("lease.json", "mine").await.unwrap();
        losing.lose_next();
        store
            .replace("lease.json", "mine again", &tag)
            .await
            .unwrap();
        losing.lose_next();
        store.append("runs/1", 0, b"begin").await.unwrap();
        assert_eq!(losing.lost(), 3);
        // Somebody else's is still somebody else's.
        let taken = store.create("lease.json", "other").await.unwrap_err();
        assert!(taken.is_exists());
    });
}

#[test]
fn what_is_wrong_with_a_bucket_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let environment = server.environment();
    block_on(async {
        let store = open("s3://another/x", &environment);
        let error = store.create("lease.json", "x").await.unwrap_err();
        insta::assert_snapshot!(said(&error, &server));
        let mut environment = server.environment();
        environment[1].1 = "false".to_owned();
        let store = open("s3://state/x", &environment);
        let error = store.get("lease.json").await.unwrap_err();
        insta::assert_snapshot!(said(&error, &server));
    });
}

/// Nothing of a bucket that is not there may look like a site to which nothing was ever applied.
#[test]
fn a_bucket_that_is_missing_is_no_empty_state() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let environment = server.environment();
    block_on(async {
        let store = open("s3://another/x", &environment);
        let errors = [
            store.get("lease.json").await.map(drop).unwrap_err(),
            store.list("generations").await.map(drop).unwrap_err(),
            store.read_log("audit").await.map(drop).unwrap_err(),
            store.logs("runs").await.map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("NoSuchBucket"), "{error}");
            assert!(error.to_string().contains("s3://another/x"), "{error}");
        }
        // A folder is there as soon as something is in it: before, it is a new site's.
        let store = open("s3://state/new/site", &environment);
        assert!(store.get("lease.json").await.unwrap().is_none());
        assert!(store.list("generations").await.unwrap().is_empty());
    });
}

/// Two that write to such a server would both be told that they were the first.
#[test]
fn a_server_that_knows_no_conditions_is_refused() {
    for ignored in [0, 1] {
        let bucket = Bucket::start().unwrap();
        let mut puts = 0;
        bucket.judge(move |method, _| {
            puts += usize::from(method == "PUT");
            // After the first one come one that creates and one that replaces.
            match method == "PUT" && puts == 2 + ignored {
                true => Fate::Unconditional,
                false => Fate::Answered,
            }
        });
        block_on(async {
            let store = open("s3://state/x", &bucket.environment());
            let error = store.create("lease.json", "x").await.unwrap_err();
            let fault = error.fault();
            assert!(matches!(fault, StoreFault::Unconditional { .. }), "{error}");
            assert!(bucket.keys().is_empty(), "{:?}", bucket.keys());
        });
    }
}

/// A server is asked once, and nothing is left of that.
#[test]
fn conditions_are_tried_out_once() {
    let bucket = Bucket::start().unwrap();
    block_on(async {
        let store = open("s3://state/x", &bucket.environment());
        store.create("one", "1").await.unwrap();
        assert_eq!(bucket.keys(), ["x/one"]);
        bucket.judge(|_, key| match key.contains("writable") {
            true => Fate::Unconditional,
            false => Fate::Answered,
        });
        store.create("two", "2").await.unwrap();
        store.clone().append("log", 0, b"3").await.unwrap();
    });
}

/// Two write at the same time and one is told so: that it exists is another answer.
#[test]
fn a_conflict_is_tried_again() {
    let bucket = Bucket::start().unwrap();
    block_on(async {
        let store = open("s3://state/x", &bucket.environment());
        store.create("one", "1").await.unwrap();
        for write in ["create", "append", "replace"] {
            let mut conflicts = 0;
            bucket.judge(move |method, _| {
                conflicts += usize::from(method == "PUT");
                match method == "PUT" && conflicts < 3 {
                    true => Fate::Conflict,
                    false => Fate::Answered,
                }
            });
            match write {
                "create" => drop(store.create("two", "2").await.unwrap()),
                "append" => store.append("log", 0, b"3").await.unwrap(),
                _ => {
                    let (_, tag) = store.get("one").await.unwrap().unwrap();
                    store.replace("one", "4", &tag).await.unwrap();
                }
            }
            assert!(store.create("one", "5").await.unwrap_err().is_exists());
        }
        bucket.judge(|method, _| match method {
            "PUT" => Fate::Conflict,
            _ => Fate::Answered,
        });
        assert!(store.create("three", "6").await.is_err());
        bucket.answer_all();
        store.create("three", "6").await.unwrap();
    });
}

/// A record that is missing between others does not end the log before it: nobody writes in its place.
#[test]
fn a_gap_in_a_log_is_damage() {
    let bucket = Bucket::start().unwrap();
    block_on(async {
        let store = open("s3://state/x", &bucket.environment());
        for at in 0..5 {
            store.append("runs/1", at, b"record").await.unwrap();
        }
        bucket.lose("x/runs/1/00000002");
        let read = store.read_log("runs/1").await.map(drop).unwrap_err();
        let pushed = store.push("runs/1", b"more").await.map(drop).unwrap_err();
        for error in [read, pushed] {
            let fault = error.fault();
            assert!(
                matches!(fault, StoreFault::Damaged { record: 2, .. }),
                "{error}"
            );
        }
        assert_eq!(store.logs("runs").await.unwrap(), ["runs/1"]);
        assert!(!bucket.keys().contains(&"x/runs/1/00000002".to_owned()));
    });
}

/// Whoever removes a log removes its first record first, and may be killed then.
#[test]
fn what_is_left_of_a_removed_log_is_swept() {
    let bucket = Bucket::start().unwrap();
    block_on(async {
        let store = open("s3://state/x", &bucket.environment());
        for at in 0..3 {
            store.append("runs/1", at, b"record").await.unwrap();
            store.append("runs/2", at, b"record").await.unwrap();
        }
        store.create("blobs/ab", "x").await.unwrap();
        bucket.lose("x/runs/1/00000000");
        assert!(store.read_log("runs/1").await.unwrap().is_empty());
        assert_eq!(store.sweep().await.unwrap(), 2);
        let left: Vec<String> = bucket.keys();
        assert!(!left.iter().any(|key| key.contains("runs/1")), "{left:?}");
        assert_eq!((left.len(), store.sweep().await.unwrap()), (4, 0));
    });
}

/// An error with its causes and its help.
fn said(error: &StoreError, server: &ObjectServer) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}\n  {error}");
        cause = error.source();
    }
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    text = format!("{text}\nhelp: {}", help.unwrap_or_default());
    text.replace(&server.port().to_string(), "PORT")
}

/// What a person or CI may have put there: the client would panic on some of it.
#[test]
fn variables_that_cannot_be_used_are_named() {
    let bucket = Bucket::start().unwrap();
    let with = |name: &'static str, value: &str| {
        let environment = bucket.environment();
        let others = environment.into_iter().filter(|(other, _)| *other != name);
        let one = (name, value.to_owned());
        let all = others
            .chain([one])
            .map(|(name, value)| (name.to_owned(), value));
        Store::open_in(Path::new("/"), "s3://state/a", all)
    };
    for (name, values) in [
        (
            "AWS_ENDPOINT_URL",
            &[
                "minio.local",
                "localhost:9000",
                "http://",
                "ftp://localhost",
                " ",
                "://",
                "https://a b",
                "http://localhost?a=b",
                "http://localhost#a",
            ][..],
        ),
        ("AWS_REGION", &["eu south", "eu-south-1\n", "a/b", "ü"]),
        ("AWS_ACCESS_KEY_ID", &["AKIA LAB", "AKIALAB\n", "ü"]),
        ("AWS_SECRET_ACCESS_KEY", &["s3cret\r\n", "s3 cret"]),
        ("AWS_SESSION_TOKEN", &["s3cret\n", "s3cret\0"]),
    ] {
        for value in values {
            let error = with(name, value).unwrap_err();
            assert!(
                matches!(error.fault(), StoreFault::Variable { name: named, .. } if named == name),
                "{value:?}: {error}"
            );
            assert!(!format!("{error:?}").contains("cret"), "{error:?}");
        }
    }
    block_on(async {
        let endpoint = format!("{}/", bucket.environment()[0].1);
        for (name, value) in [
            // As CI hands on what is not set.
            ("AWS_REGION", ""),
            ("AWS_DEFAULT_REGION", ""),
            ("AWS_ENDPOINT_URL_S3", ""),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ] {
            let store = with(name, value).unwrap();
            assert!(store.get("lease.json").await.unwrap().is_none(), "{name}");
        }
    });
    // Unset, it is the endpoint of AWS itself, which no test asks.
    assert!(with("AWS_ENDPOINT_URL", "").is_ok());
}
